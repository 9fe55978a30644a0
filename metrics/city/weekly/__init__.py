"""The week of the leaders: what was promised, what changed for real, who is late, what to ask. One function behind /weekly, the API,
the paper and the workbook."""

from __future__ import annotations

from dataclasses import dataclass

from metrics.city import City
from metrics.city.findings.signals import Signal
from metrics.city.numbers.kpis import MINUTE
from metrics.city.numbers.score import Score
from metrics.city.weekly import (
    agencies,
    changed,
    drivers,
    environment,
    feedback,
    notes,
    overdue,
    promised,
    questions,
)
from metrics.city.weekly.asking import ask
from metrics.city.weekly.budget import in_order
from metrics.city.weekly.parts import Statement, Table, Word
from metrics.periods import Period


@dataclass(frozen=True)
class LeftOut:
    """A feed the brief does without, and why: Word of the locales. is_needed = without it no brief is issued."""

    feed: str
    title: str
    why: Word
    is_needed: bool


@dataclass(frozen=True)
class Weekly:
    """The brief of one week. `is_over` = the week has ended; a running one is never set beside a full one.

    statements: all there is to say, in the order of sections; paper prints on page one what budget.fitted keeps.
    changed: at most seven signals, worst first. notes: what the reader must know of this week (holidays, reorganised agencies).
    """

    week: Period
    is_over: bool
    as_of: int
    revision: int
    statements: tuple[Statement, ...]
    tables: tuple[Table, ...]
    changed: tuple[Signal, ...]
    score: Score | None
    notes: tuple[Word, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def missing(self) -> tuple[LeftOut, ...]:
        """Needed feeds that do not speak for the whole week: with any the brief is not issued."""
        return tuple(feed for feed in self.left_out if feed.is_needed)


def read(city: City, week: Period) -> Weekly:
    """The brief of a week. Requires see.desk; ValueError when the period is not a week."""
    city.scope.require("see.desk")
    if week.kind != "week" or week.is_cut:
        raise ValueError(f"{week.text} is not a week; write one as 2026-W46")
    moment = city.as_of // MINUTE if city.today > week.end_on else city.as_of
    asked = (week.text, city.revision, moment, city.scope.field_classes)
    found: Weekly = city.once("weekly", *asked, make=lambda: _read(city, week))
    return found


def _read(city: City, week: Period) -> Weekly:
    with city.store.reading() as connection:
        asking = ask(connection, city, week)
        promises, league, stock = promised.read(asking), agencies.league(asking), overdue.by_agency(asking)
        changes, (now, before) = changed.worst(asking), drivers.scores(asking)
        tables = (
            *promised.tables(asking, promises), *changed.tables(asking), *drivers.tables(asking, now, before),
            *agencies.tables(asking, league), *overdue.tables(asking, stock), *feedback.tables(asking), *environment.tables(asking),
        )
        said = (
            *promised.statements(asking, promises), *changed.statements(asking), *drivers.statements(asking, now, before),
            *agencies.statements(asking, league), *overdue.statements(asking, stock), *feedback.statements(asking),
            *environment.statements(asking), *notes.unsaid(asking),
            *questions.statements(asking, promised.late(promises), changes, league, stock, drivers.drivers(now)),
        )
        told = notes.notes(asking, league.reorganised, tables)
        gone = tuple(LeftOut(feed.key, feed.title, why, needed) for feed, why, needed in notes.left_out(asking))
    return Weekly(week, asking.is_over, city.as_of, city.revision, in_order(said), tables, changes, now, told, gone)
