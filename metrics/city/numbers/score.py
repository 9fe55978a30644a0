"""The 766 score: points of every indicator whose rate is known, by group. What is unknown stays unknown and is never 0 points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from metrics.city import City
from metrics.city.numbers import kpis
from metrics.city.numbers.kpis import KpiValue
from metrics.city.numbers.sums import NOTHING_CHOSEN, Choice
from metrics.kpis import KPI_BY_KEY
from metrics.periods import Period
from metrics.score_766 import GROUPS, INDICATORS, Indicator, points_of

KEYS = tuple(row.kpi for row in INDICATORS if row.kpi)


@dataclass(frozen=True)
class ScoredIndicator:
    """One indicator: its rate in percent (None = unknown), what it is of (n), its points and the most it can have.

    kpi = the KPI behind it, '' where nothing measures it. verified: False = its points or threshold, or the KPI's definition, are from
    memory. state: why this reader is not told. lacks: what no feed tells (metrics/score_766.py).
    """

    no: str
    kpi: str
    most: float
    full_at: float
    rate: float | None
    n: int | None
    points: float | None
    source: str
    verified: bool
    state: str = ""
    lacks: str = ""


@dataclass(frozen=True)
class ScoredGroup:
    """A group: points of what is known, how many those could be (known_most), and the group's points in all (most)."""

    key: str
    points: float | None
    known_most: float
    most: float
    indicators: tuple[ScoredIndicator, ...]

    @property
    def verified(self) -> bool:
        """Is every row of it verified?"""
        return all(row.verified for row in self.indicators)


@dataclass(frozen=True)
class Score:
    """The whole: points of what is known out of known_most; `most` = 100."""

    period: Period
    groups: tuple[ScoredGroup, ...]
    as_of: int
    revision: int

    @property
    def points(self) -> float | None:
        """Points of all that is known; None where nothing is."""
        return _sum(group.points for group in self.groups)

    @property
    def known_most(self) -> float:
        """The most points that what is known can have."""
        return sum(group.known_most for group in self.groups)

    @property
    def most(self) -> float:
        """The most points there are."""
        return sum(group.most for group in self.groups)


def read(city: City, period: Period, choice: Choice = NOTHING_CHOSEN) -> Score:
    """The score over a period for a choice of agencies. Requires see.desk. Source: Decision 766/QD-TTg."""
    return of_values(city, period, {value.key: value for value in kpis.read(city, KEYS, period, choice)})


def of_values(city: City, period: Period, values: Mapping[str, KpiValue]) -> Score:
    """The score from values of its KPIs (KEYS) that are read already."""
    scored = [(row.group, _scored(row, values.get(row.kpi))) for row in INDICATORS]
    groups = []
    for group in GROUPS:
        rows = tuple(one for key, one in scored if key == group.key)
        known = [one for one in rows if one.points is not None]
        groups.append(ScoredGroup(group.key, _sum(one.points for one in known), sum(one.most for one in known), group.most, rows))
    return Score(period, tuple(groups), city.as_of, city.revision)


def _scored(row: Indicator, value: KpiValue | None) -> ScoredIndicator:
    rate = value.value if value else None
    verified = row.verified and (not row.kpi or KPI_BY_KEY[row.kpi].verified)
    return ScoredIndicator(
        row.no, row.kpi, row.most, row.full_at, rate, value.n if value else None, points_of(row, rate), row.source, verified,
        value.state if value else "", row.lacks,
    )


def _sum(points: Iterable[float | None]) -> float | None:
    known = [one for one in points if one is not None]
    return sum(known) if known else None
