"""Dossiers as columns, and what of them was known at an instant: the only door through which features see the past.

`known` blanks everything later than the instant: ends, stops, steps, due dates told later. Outcomes are read from the whole history.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from metrics.at_risk.clock import NEVER, Flags, Floats, Ints, Years, positions
from metrics.worktime import WorkCalendar


@dataclass(frozen=True)
class Events:
    """Things that happened to dossiers, in any order: whose (row number), when, until when (NEVER = still), which kind."""

    owner: Ints
    at: Ints
    until: Ints
    kind: Ints

    def take(self, which: Flags) -> Events:
        """Only these."""
        return Events(self.owner[which], self.at[which], self.until[which], self.kind[which])


@dataclass(frozen=True)
class History:
    """Dossiers of the stock as columns. Instants in microseconds UTC; NEVER = not (yet). Codes are places in `agencies`, `procedures`.

    due: as it stands at `as_of`, NEVER = none was told. told: due dates with the instant each landed at (`at`) and the date (`until`).
    calendar: place in `calendars` of the one the agency works by. `ids` = (feed, source id).
    """

    as_of: int
    received: Ints
    finished: Ints
    due: Ints
    agency: Ints
    procedure: Ints
    is_online: Flags
    calendar: Ints
    stops: Events
    steps: Events
    told: Events
    agencies: tuple[str, ...]
    procedures: tuple[str, ...]
    step_names: tuple[str, ...]
    calendars: tuple[WorkCalendar, ...]
    ids: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.received)

    def worked(self, instants: Ints, owners: Ints | None = None) -> Floats:
        """Position in working time of one instant per dossier, or per dossier named in `owners`, by its own calendar."""
        which = self.calendar if owners is None else self.calendar[owners]
        found = np.empty(len(instants))
        for number, calendar in enumerate(self.calendars):
            mine = which == number
            if mine.any():
                found[mine] = positions(calendar, instants[mine], self.years)
        return found

    @cached_property
    def standing(self) -> Ints:
        """Since when each dossier's clock stands still, NEVER = it runs."""
        found = np.full(len(self), NEVER)
        open_stops = self.stops.take(self.stops.until == NEVER)
        np.minimum.at(found, open_stops.owner, open_stops.at)
        return np.where(self.finished < NEVER, NEVER, found)

    @property
    def years(self) -> Years:
        """Every year that working time is laid out for: that of the first receipt, to two after now."""
        first = self.received.min() if len(self) else self.as_of
        return _year(int(first)), _year(self.as_of) + 2


@dataclass(frozen=True)
class Outcome:
    """missed: did the dossier end, or run on, after its due date; known_at: since when that is known, NEVER = not yet."""

    missed: Flags
    known_at: Ints


def outcomes(history: History) -> Outcome:
    """How each dossier came out, as the KPIs judge: ended after its due instant, or still running when it passed.

    What waits for the applicant is judged at the start of the wait. Missed is known since the due date, met since the end.
    """
    judged_at = np.where(history.finished < NEVER, history.finished, np.minimum(history.standing, history.as_of))
    missed = (history.due < NEVER) & (judged_at > history.due)
    met = (history.finished < NEVER) & (history.due < NEVER) & ~missed
    return Outcome(missed, np.where(missed, history.due, np.where(met, history.finished, NEVER)))


def known(history: History, at: int) -> History:
    """The same dossiers as they were known at an instant: those received by then, with what had happened by then.

    A due date is known when it had landed by then; else it is NEVER, and whoever needs one uses what is usual.
    """
    rows = np.flatnonzero(history.received <= at)
    place = np.full(len(history), -1)
    place[rows] = np.arange(len(rows))
    due = np.full(len(history), NEVER)
    told = history.told.take(history.told.at <= at)
    order = np.argsort(told.at, kind="stable")
    due[told.owner[order]] = told.until[order]  # the newest is written last and stays

    def cut(events: Events) -> Events:
        kept = events.take((events.at <= at) & (place[events.owner] >= 0))
        return replace(kept, owner=place[kept.owner], until=np.where(kept.until > at, NEVER, kept.until))

    ids = tuple(history.ids[row] for row in rows) if history.ids else ()
    return replace(
        history, as_of=at, received=history.received[rows], finished=np.where(history.finished > at, NEVER, history.finished)[rows],
        due=due[rows], agency=history.agency[rows], procedure=history.procedure[rows], is_online=history.is_online[rows],
        calendar=history.calendar[rows], stops=cut(history.stops), steps=cut(history.steps), told=told.take(told.at < 0), ids=ids,
    )


def _year(at: int) -> int:
    return 1970 + int(at / 31_556_952_000_000)
