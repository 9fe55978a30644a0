"""Indicators: figures that arrive finished, each with its rank, plan, target, what it is set beside and where it stands.

Ranks are compared as shares: 8th of 19 and 6th of 23 are not two places apart. A rank nobody sent is computed from the values of the
same feed and period, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import text

from metrics.city import City
from scope import Scope
from store.days import date_of

INDEX, PLAN, FIGURE = "index", "plan", "figure"
NEAR_PCT = 2.0  # as of KPI targets
_BEYOND = {"over": 1e-9, "nearly": -1e-9}  # "nearly 100" is not 100
LAST = 10**9  # place of an indicator nobody has given one


@dataclass(frozen=True)
class IndicatorFilter:
    """What is asked for. `year` = the period ends in it. `subject` = an agency's or area's code, or a name as sent."""

    theme: str = ""
    year: int | None = None
    subject: str = ""
    indicator: str = ""
    agency: str = ""
    area: str = ""


ALL = IndicatorFilter()
Row = Mapping[str, Any]


@dataclass(frozen=True)
class IndicatorItem:
    """One value. The subject is '' for the province itself; `kind` is that of the whole a part belongs to.

    `plan_pct` is computed, `plan_pct_printed` as the source says; `is_plan_derived`: nobody sent the plan, it follows from the printed
    percentage. `rank_source`: given | computed | ''; `rank_share` = rank in percent of the denominator. `previous_*`: the same period
    of a year before, else the one before of the same form. `change` is as sent, against `change_from`; without one it is computed
    against the previous value. verdict: good | near | bad.
    """

    feed: str
    source_id: str
    indicator: str
    name: str
    name_en: str
    kind: str
    theme: str
    group: str
    parent: str
    subject_kind: str
    subject: str
    subject_name: str
    period: str
    start_on: date | None
    end_on: date
    is_partial: bool
    value: float | None
    value_text: str
    bound: str
    measure_unit: str
    better: str
    scale_max: float | None
    target: float | None
    plan: float | None
    is_plan_derived: bool
    plan_pct: float | None
    plan_pct_printed: float | None
    rank: int | None
    denominator: int | None
    rank_share: float | None
    rank_source: str
    change: float | None
    change_from: str
    verdict: str | None
    document: str
    publisher: str
    is_verified: bool
    previous_period: str = ""
    previous_value: float | None = None
    previous_rank: int | None = None
    previous_denominator: int | None = None

    @property
    def share(self) -> float | None:
        """The value in percent of the whole it is a part of (30 of 37); None where it is none."""
        is_part = self.rank is None and self.value is not None and self.denominator
        return 100 * self.value / self.denominator if is_part else None  # type: ignore[operator]

    @property
    def series(self) -> tuple[str, str, str]:
        """What makes values of several periods one series."""
        return self.feed, self.indicator, self.subject

    @property
    def disagrees(self) -> bool:
        """Does the printed percentage of the plan differ from the computed one by more than its own rounding?"""
        printed = self.plan_pct_printed
        if printed is None or self.plan_pct is None or self.is_plan_derived:
            return False
        decimals = len(repr(float(printed)).partition(".")[2].rstrip("0"))
        return abs(printed - self.plan_pct) > 0.5 * 10.0**-decimals + 1e-9


@dataclass(frozen=True)
class Card:
    """An index of one subject: its newest value, its parts of the same period, older values newest first."""

    item: IndicatorItem
    parts: tuple[IndicatorItem, ...]
    history: tuple[IndicatorItem, ...]


@dataclass(frozen=True)
class Choices:
    """What can be chosen: years newest first, themes, subjects (code or name, shown name)."""

    years: tuple[int, ...]
    themes: tuple[str, ...]
    subjects: tuple[tuple[str, str], ...]


def read(city: City, chosen: IndicatorFilter = ALL) -> tuple[IndicatorItem, ...]:
    """Every value of the filter in scope: by place of the indicator, subject, newest period first. Requires see.desk.

    A caller with limits is given the province's own values and those of agencies and areas inside them.
    """
    city.scope.require("see.desk")
    return tuple(item for item in _asked(_values(city, chosen.subject), chosen) if chosen.year in (None, item.end_on.year))


def choices(city: City) -> Choices:
    """What the filters offer this caller. Requires see.desk."""
    city.scope.require("see.desk")
    if "indicator_choices" not in city.memo:
        with city.store.reading() as connection:
            rows = [dict(row) for row in connection.execute(text(_ALL_CHOICES)).mappings()]
        found = [row for row in rows if _in_scope(city.scope, row)]
        subjects = {_subject(row): row["agency_name"] or row["area_name"] or row["subject"] for row in found if _subject(row)}
        years = {date_of(row["end_on"]).year for row in found}
        themes = {row["theme"] for row in found if row["theme"]}
        city.memo["indicator_choices"] = Choices(tuple(sorted(years, reverse=True)), tuple(sorted(themes)), tuple(sorted(subjects.items())))
    offered: Choices = city.memo["indicator_choices"]
    return offered


def cards(city: City, chosen: IndicatorFilter = ALL) -> tuple[Card, ...]:
    """The indices of the filter, one card a subject. With a year its value, and what came before it; else the newest."""
    values = [item for item in _upto(city, chosen) if item.kind == INDEX]
    parts: dict[tuple[str, str, str, str], list[IndicatorItem]] = {}
    for item in values:
        if item.parent:
            parts.setdefault((item.feed, item.parent, item.subject, item.period), []).append(item)
    found = []
    for series in _series(item for item in values if not item.parent):
        newest = series[0]
        if chosen.year in (None, newest.end_on.year):
            own = parts.get((newest.feed, newest.indicator, newest.subject, newest.period), [])
            found.append(Card(newest, tuple(own), tuple(series[1:])))
    return tuple(found)


def plans(city: City, chosen: IndicatorFilter = ALL) -> tuple[IndicatorItem, ...]:
    """The newest value of each indicator that has a plan (with a year: that year's). Requires see.desk."""
    return _newest(city, chosen, PLAN)


def figures(city: City, chosen: IndicatorFilter = ALL) -> tuple[IndicatorItem, ...]:
    """The newest value of each other indicator. Requires see.desk."""
    return _newest(city, chosen, FIGURE)


def _newest(city: City, chosen: IndicatorFilter, kind: str) -> tuple[IndicatorItem, ...]:
    values = (item for item in _upto(city, chosen) if item.kind == kind)
    newest = (series[0] for series in _series(values))
    return tuple(item for item in newest if chosen.year in (None, item.end_on.year))


def _upto(city: City, chosen: IndicatorFilter) -> Iterable[IndicatorItem]:
    """Values of the filter up to the end of its year."""
    city.scope.require("see.desk")
    return (item for item in _asked(_values(city, chosen.subject), chosen) if chosen.year is None or item.end_on.year <= chosen.year)


def _series(items: Iterable[IndicatorItem]) -> list[list[IndicatorItem]]:
    """Values of one indicator and subject together, newest first (as they come)."""
    found: dict[tuple[str, str, str], list[IndicatorItem]] = {}
    for item in items:
        found.setdefault(item.series, []).append(item)
    return list(found.values())


def _asked(items: Iterable[IndicatorItem], chosen: IndicatorFilter) -> Iterable[IndicatorItem]:
    """The values the filter asks for, of whatever year; an agency or area with all below it."""
    within = Scope(agencies=(chosen.agency,), areas=(chosen.area,))
    return (
        item for item in items
        if chosen.theme in ("", item.theme) and chosen.subject in ("", item.subject)
        and chosen.indicator in ("", item.indicator, item.parent)
        and (not chosen.agency or (item.subject_kind == "agency" and within.covers_agency(item.subject)))
        and (not chosen.area or (item.subject_kind == "area" and within.covers_area(item.subject)))
    )


# ---- reading ------------------------------------------------------------------------------------------------------------
_KIND_OF_SUBJECT = (
    "CASE WHEN v.agency_code <> '' THEN 'agency' WHEN v.area_code <> '' THEN 'area' WHEN v.subject <> '' THEN 'other' ELSE '' END"
)
# values of one feed, indicator and period, of subjects of one kind
_AMONG = f"PARTITION BY v.feed, v.indicator_code, v.period, {_KIND_OF_SUBJECT}"
_NAMES = (
    "(SELECT max(a.name) FROM core_agency a WHERE a.code = v.agency_code) AS agency_name, "
    "(SELECT max(r.full_name) FROM core_area r WHERE r.code = v.area_code) AS area_name"
)
_ALL_VALUES = (
    "SELECT v.feed, v.source_id, v.indicator_code, v.agency_code, v.area_code, v.subject, v.period, v.start_on, v.end_on, v.value, "
    "v.value_text, v.bound, v.plan, v.plan_pct, v.rank, v.denominator, v.change, v.change_from, v.target, v.document, v.is_verified, "
    "i.name, i.name_en, i.measure_unit, i.better, i.theme, i.group_name, i.kind, i.parent_code, i.scale_max, i.position, i.publisher, "
    f"{_KIND_OF_SUBJECT} AS subject_kind, "
    f"{_NAMES}, rank() OVER ({_AMONG} ORDER BY CASE WHEN v.value IS NULL THEN 1 ELSE 0 END, "
    "CASE WHEN i.better = 'down' THEN v.value ELSE -v.value END) AS own_rank, "
    f"count(v.value) OVER ({_AMONG}) AS own_of "
    "FROM core_indicator_value v JOIN core_indicator i ON i.code = v.indicator_code"
)
_ALL_CHOICES = (
    f"SELECT v.*, {_NAMES} FROM (SELECT DISTINCT o.agency_code, o.area_code, o.subject, o.end_on, i.theme FROM core_indicator_value o "
    "JOIN core_indicator i ON i.code = o.indicator_code) v"
)
_ALL_INDICATORS = "SELECT code AS indicator_code, parent_code, kind, position FROM core_indicator"
_SUBJECT = "coalesce(nullif(x.agency_code, ''), nullif(x.area_code, ''), x.subject)"


def _values(city: City, subject: str) -> tuple[IndicatorItem, ...]:
    """All values in scope, of one subject or of all, with what came before them; asked once per city. Ranks are among all subjects."""
    key = ("indicators", subject)
    if key not in city.memo:
        with city.store.reading() as connection:
            chosen = f" WHERE {_SUBJECT} = :subject" if subject else ""
            found = connection.execute(text(f"SELECT * FROM ({_ALL_VALUES}) x{chosen}"), {"subject": subject} if subject else {})
            rows = [dict(row) for row in found.mappings()]
            described = {row["indicator_code"]: dict(row) for row in connection.execute(text(_ALL_INDICATORS)).mappings()}
        kept = [row | _root(row, described) for row in rows if _in_scope(city.scope, row)]
        series: dict[tuple[str, ...], list[Row]] = {}
        for row in sorted(kept, key=_place):
            series.setdefault((row["feed"], row["indicator_code"], row["agency_code"], row["area_code"], row["subject"]), []).append(row)
        city.memo[key] = tuple(_item(city, row, _before(row, rows)) for rows in series.values() for row in rows)
    items: tuple[IndicatorItem, ...] = city.memo[key]
    return items


def _root(row: Row, described: Mapping[str, Row]) -> dict[str, Any]:
    """What a part takes from the whole it belongs to, through all levels: its kind and its place; depth = how many levels up that is."""
    seen = [row["indicator_code"]]
    while (above := described.get(row["parent_code"])) and above["indicator_code"] not in seen:
        row = above
        seen.append(row["indicator_code"])
    position = LAST if row["position"] is None else row["position"]
    return {"kind": row["kind"] or FIGURE, "root_place": (position, row["indicator_code"]), "depth": len(seen)}


def _in_scope(scope: Scope, row: Row) -> bool:
    """The province's own values are for everyone; others by their agency and area; who is neither, for callers without limits."""
    if not row["agency_code"] and not row["area_code"]:
        return not row["subject"] or not scope.is_limited
    return (not row["agency_code"] or scope.covers_agency(row["agency_code"])) and (
        not row["area_code"] or scope.covers_area(row["area_code"])
    )


def _subject(row: Row) -> str:
    return str(row["agency_code"] or row["area_code"] or row["subject"])


def _place(row: Row) -> tuple[Any, ...]:
    position = LAST if row["position"] is None else row["position"]
    subject = (row["agency_code"], row["area_code"], row["subject"])
    own = (row["feed"], -row["end_on"], row["start_on"] or 0, row["period"])
    return *row["root_place"], *subject, row["depth"], position, row["indicator_code"], *own


def _item(city: City, row: Row, before: Row | None) -> IndicatorItem:
    plan, printed, value = row["plan"], row["plan_pct"], row["value"]
    derives = plan is None and value is not None and bool(printed)
    plan = 100 * value / printed if derives else plan
    pct = 100 * value / plan if value is not None and plan else printed
    rank, of, source = _rank(city.scope, row)
    is_partial = row["end_on"] >= city.today_on
    goal = plan if plan is not None else row["target"]
    change, change_from = _change(row, before)
    return IndicatorItem(
        row["feed"], row["source_id"], row["indicator_code"], row["name"] or row["indicator_code"], row["name_en"],
        row["kind"], row["theme"],
        row["group_name"], row["parent_code"], row["subject_kind"], _subject(row),
        row["agency_name"] or row["area_name"] or row["subject"], row["period"],
        None if row["start_on"] is None else date_of(row["start_on"]), date_of(row["end_on"]), is_partial, value, row["value_text"],
        row["bound"], row["measure_unit"], row["better"], row["scale_max"], row["target"], plan, derives, pct, printed, rank, of,
        100 * rank / of if rank and of else None, source, change, change_from,
        _verdict(_at_bound(value, row["bound"]), goal, row["better"], pct if plan is None and printed else None, is_partial),
        row["document"], row["publisher"], bool(row["is_verified"]),
        *((before["period"], before["value"], *_rank(city.scope, before)[:2]) if before else ()),
    )


def _rank(scope: Scope, row: Row) -> tuple[int | None, int | None, str]:
    """Rank and denominator as sent, else computed; never computed for a caller who may not see everyone in it."""
    if row["rank"] is not None:
        return row["rank"], row["denominator"], "given"
    if row["kind"] != INDEX or scope.is_limited or row["value"] is None or row["better"] not in ("up", "down") or row["own_of"] < 2:
        return None, row["denominator"], ""
    return row["own_rank"], row["own_of"], "computed"


def _at_bound(value: float | None, bound: str) -> float | None:
    """The value, a hair beyond where it is a bound."""
    return value if value is None else value + _BEYOND.get(bound, 0.0) * max(1.0, abs(value))


def _verdict(value: float | None, goal: float | None, better: str, pct: float | None, is_partial: bool) -> str | None:
    """Against a plan or target; while the period runs only a goal that has been reached is judged."""
    if pct is not None:
        value, goal = pct, 100.0
    if value is None or goal is None or better not in ("up", "down"):
        return None
    gap = value - goal if better == "up" else goal - value
    if gap >= 0:
        return None if is_partial and better == "down" else "good"
    if is_partial:
        return "bad" if better == "down" else None
    return "near" if abs(gap) <= NEAR_PCT / 100 * abs(goal) else "bad"


def _before(row: Row, series: Sequence[Row]) -> Row | None:
    """The value a row is set beside: of the same period a year before, else the last one of the same form (series: newest first)."""
    shape, end_on = _shape(row["period"]), row["end_on"]
    earlier = [other for other in series if other["end_on"] < end_on and _shape(other["period"]) == shape]
    end = date_of(end_on)
    same = (other for other in earlier if (on := date_of(other["end_on"])).year == end.year - 1 and on.month == end.month)
    return next(same, None) or next(iter(earlier), None)


@lru_cache(maxsize=4096)
def _shape(period: str) -> str:
    """Periods of one shape are as long as each other: years with years, quarters with quarters."""
    return re.sub(r"\d", "0", period)


def _change(row: Row, before: Row | None) -> tuple[float | None, str]:
    """The change as sent; else against the value before, unless one of the two is a mere bound."""
    if row["change"] is not None or row["change_from"] or before is None:
        return row["change"], row["change_from"]
    if row["value"] is None or before["value"] is None or row["bound"] or before["bound"]:
        return None, ""
    return row["value"] - before["value"], before["period"]
