"""The week of the leaders: what was promised, what changed for real, who is late, what to ask. One function behind /weekly, the API,
the paper and the workbook."""

from __future__ import annotations

from dataclasses import dataclass

from metrics.city import City
from metrics.city.score import Score
from metrics.city.signals import Signal
from metrics.city.weekly.parts import Link, Statement, Table, Word
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
    if week.kind != "week":
        raise ValueError(f"{week.text} is not a week; write one as 2026-W46")
    statement = Statement("changed", Word("weekly.say.no_change"), Link("/signals", {"period": week.text}))
    is_over = city.today > week.end_on
    return Weekly(week, is_over, city.as_of, city.revision, (statement,), (), (), None, (), ())
