"""What the sections of a brief share: one transaction, the week's values beside the week before and a year earlier, its signals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from metrics.city import City, feeds
from metrics.city.annotations import Annotation
from metrics.city.annotations import read as read_annotations
from metrics.city.feeds import FeedState
from metrics.city.findings import signals
from metrics.city.findings.signals import Signal
from metrics.city.numbers import kpis
from metrics.city.numbers.kpis import KpiValue
from metrics.city.numbers.sums import HORIZON, NOTHING_CHOSEN
from metrics.city.weekly.parts import Word
from metrics.comparison import comparable_by
from metrics.kpis import KPI_BY_KEY, KPIS
from metrics.periods import Period
from store.days import number_of

TOPICS = ("dossiers", "reports", "readings")


@dataclass(frozen=True)
class Asking:
    """A week being written up. is_over: the week has ended; a running one is set beside nothing and judged by nothing.

    last_year: values of the same week a year earlier. whole: the topics whose feeds speak for the whole week (so far). said: what people
    wrote about this week. begun: first day of each topic.
    """

    connection: Connection
    city: City
    week: Period
    is_over: bool
    feeds: tuple[FeedState, ...]
    whole: frozenset[str]
    begun: Mapping[str, int]
    values: Mapping[str, KpiValue]
    last_year: Mapping[str, KpiValue]
    signals: tuple[Signal, ...]
    said: tuple[Annotation, ...]

    def before(self, key: str) -> tuple[float | None, float | None]:
        """Value of the comparable week before and the change from it; None while the week runs, and before there were any data."""
        one = self.values[key]
        begun_on = self.begun.get(KPI_BY_KEY[key].topic, 0)
        if not self.is_over or one.previous_period is None or number_of(one.previous_period.start_on) < begun_on:
            return None, None
        return one.previous, one.delta

    @property
    def than(self) -> Word:
        """What the week is set beside, in words: the week before, or the one that is comparable."""
        beside = comparable_by(self.week, self.city.today, self.city.calendar).previous
        if beside is None or beside.text == self.week.previous().text:
            return Word("weekly.say.week_before")
        return Word("weekly.say.week_named", {"week": beside.text})

    @property
    def rule(self) -> str:
        """The city's late rule: the brief has no other."""
        return self.city.config.late_rule

    def query(self, **more: str) -> dict[str, str]:
        """What a link of the brief carries: its week, and what else it is about."""
        return {"period": self.week.text, **more}


def ask(connection: Connection, city: City, week: Period) -> Asking:
    """Everything that more than one section speaks of."""
    is_over, states = city.today > week.end_on, feeds.read_in(connection, city)
    begun = {topic: _first_on(connection, table) for topic, table in _DAYS.items()}
    whole = frozenset(
        topic for topic in TOPICS if begun[topic] <= number_of(week.end_on) and city.today >= week.start_on
        and _speaks(city, week, feeds.of_topic(states, topic), is_over=is_over)
    )
    rule = city.config.late_rule
    values = kpis.read_in(connection, city, KPIS, week, NOTHING_CHOSEN, rule)
    year = _last_year(connection, city, week, begun) if is_over else ()
    judged = [row for row in KPIS if row.topic in whole] if is_over else []
    return Asking(
        connection, city, week, is_over, states, whole, begun, {one.key: one for one in values}, {one.key: one for one in year},
        signals.in_order(signals.read_in(connection, city, judged, week, NOTHING_CHOSEN, rule)),
        read_annotations(city, None, week),
    )


def _last_year(connection: Connection, city: City, week: Period, begun: Mapping[str, int]) -> tuple[KpiValue, ...]:
    """Of the topics that were there then: before anything was delivered is no zero."""
    before = comparable_by(week, city.today, city.calendar, "last_year").previous
    assert before is not None
    rows = [row for row in KPIS if begun.get(row.topic, HORIZON) <= number_of(before.start_on)]
    return kpis.read_in(connection, city, rows, week, NOTHING_CHOSEN, city.config.late_rule, "last_year")


_DAYS = {"dossiers": "rollup_dossier_day", "reports": "rollup_report_day", "readings": "rollup_reading_day"}


def _first_on(connection: Connection, table: str) -> int:
    """The first day there is; beyond all days when there is none."""
    on = connection.execute(text(f"SELECT min(day) FROM {table}")).scalar()
    return HORIZON if on is None else int(on)


def ends_at(city: City, week: Period) -> int:
    """The instant a week is over."""
    return city.store.days.starts_at(number_of(week.end_on) + 1)


def speaks(city: City, week: Period, feed: FeedState, *, is_over: bool) -> bool:
    """Does a feed speak for the whole week, or, while it runs, up to now as it promised?"""
    if feed.through_at is None:
        return False
    return feed.through_at >= ends_at(city, week) if is_over else feed.state in (feeds.FRESH, feeds.LATE, feeds.STATIC)


def _speaks(city: City, week: Period, states: tuple[FeedState, ...], *, is_over: bool) -> bool:
    return any(speaks(city, week, feed, is_over=is_over) for feed in states)
