"""What was promised in weekly meetings: what, who, by when, and what came of it. Questions about it, and how people write it.

A follow-up is of an agency, or ('') of the whole province: that one is seen by all who see the desk, and written by whoever is not limited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import text

from metrics.calendars import calendar_for
from metrics.city import City
from metrics.city.lists.named import read_names
from metrics.city.numbers.sums import NOTHING_CHOSEN, conditions
from metrics.city.typed import TypedFault, covers, day_of, known_kpi, sentence
from metrics.periods import Period, parse_period
from metrics.worktime import add_working_days
from scope import Forbidden
from store.days import date_of, number_of
from store.followups import DONE, OPEN, SETS_STATE, STATES, NewEvent, NewFollowup, WrongState, add_event, put_followup
from store.keys import By

MOST_WHAT, MOST_WHO, MOST_NOTE, LEAST = 300, 120, 500, 3
SOON_DAYS = 2  # working days before its date a follow-up is reminded of
MOST_AHEAD = 366  # days from today to the farthest date
SOON, OVERDUE = "soon", "overdue"
NEVER = 2**62  # an instant later than any


@dataclass(frozen=True)
class FollowupEvent:
    """What came of it; kind: made | noted | moved | done | reopened | dropped | reminded. due_on: the date that was set or reminded of."""

    id: int
    at: int
    actor: str
    kind: str
    note: str
    due_on: date | None


@dataclass(frozen=True)
class Followup:
    """A promise. week: of the brief it was made in (2026-W46); due_on: the date that holds now; state: open | done | dropped.

    who: a post or a unit; is_late: open and its date is over; done_on: the city's day somebody said it was done; events: oldest first.
    """

    id: int
    week: str
    what: str
    agency_code: str
    agency: str
    who: str
    due_on: date
    key: str
    state: str
    is_late: bool
    done_on: date | None
    made_by: str
    made_at: int
    events: tuple[FollowupEvent, ...]

    @property
    def first_due_on(self) -> date:
        """The date that was promised first."""
        return next(event.due_on for event in self.events if event.due_on is not None)

    @property
    def moves(self) -> int:
        """How often the date was moved."""
        return sum(event.kind == "moved" for event in self.events)

    @property
    def is_kept(self) -> bool | None:
        """Done by the date that was promised first? None = nobody can say yet."""
        if self.state == OPEN:
            return False if self.is_late or self.due_on > self.first_due_on else None
        return self.state == DONE and self.done_on is not None and self.done_on <= self.first_due_on


@dataclass(frozen=True)
class Promise:
    """The follow-up somebody wants: week as 2026-W46, due as 2026-11-30, agency '' = the whole province, key of a KPI or ''."""

    week: str
    what: str
    due: str
    agency: str = ""
    who: str = ""
    key: str = ""


@dataclass(frozen=True)
class Reminder:
    """A follow-up to be reminded of, and why: soon | overdue."""

    followup: Followup
    why: str


# ---- questions --------------------------------------------------------------------------------------------------------
def read(city: City, week: Period | None = None, state: str = "") -> tuple[Followup, ...]:
    """What a week's brief opens with: promised in it or before, and open when it began or closed since. Without a week all there are.

    Those promised before the week first; then late, open, done, dropped; then by date. Requires see.desk; ValueError for an
    unknown state or a period that is not a week.
    """
    city.scope.require("see.desk")
    if state and state not in STATES:
        raise ValueError(f"state {state!r} is none of {', '.join(STATES)}")
    if week is not None and week.kind != "week":
        raise ValueError(f"{week.text} is not a week; write one as 2026-W46")
    where = " AND f.week <= :week" if week else ""
    values: dict[str, Any] = {"week": week.text} if week else {}
    if week or state == OPEN:
        where += _NOT_CLOSED_BEFORE
        values["begun"] = city.store.days.starts_at(number_of(week.start_on)) if week else NEVER
    return _in_order(_read(city, where, values, state), week.text if week else "")


def one(city: City, number: int) -> Followup | None:
    """One follow-up; None where this reader has none of that number. Requires see.desk."""
    city.scope.require("see.desk")
    return next(iter(_read(city, " AND f.id = :id", {"id": number}, "")), None)


def due(city: City) -> tuple[Reminder, ...]:
    """Open ones whose date is over or at most SOON_DAYS working days of their agency away, if that was not reminded of. Needs see.desk."""
    found = (_reminder(city, followup) for followup in read(city, state=OPEN))
    return tuple(reminder for reminder in found if reminder is not None)


def may_write(city: City, agency: str = "") -> bool:
    """May this reader write follow-ups of an agency ('' = of the whole province)? Limited rights write for what they cover alone."""
    if not city.scope.permits("manage.followups"):
        return False
    with city.store.reading() as connection:
        return covers(connection, city, agency)


_NOT_CLOSED_BEFORE = (  # the newest of these events is the state
    " AND coalesce((SELECT CASE WHEN c.kind <> 'reopened' AND c.at < :begun THEN 1 ELSE 0 END "
    "FROM ops_followup_event c WHERE c.followup_id = f.id AND c.kind IN ('done', 'reopened', 'dropped') ORDER BY c.id DESC LIMIT 1), 0) = 0"
)


def _read(city: City, where: str, values: dict[str, Any], state: str) -> list[Followup]:
    own, limits = conditions(city.scope, "dossiers", NOTHING_CHOSEN, "f.")
    statement = (
        "SELECT f.id, f.week, f.what, f.agency_code, f.who, f.key, f.made_by, f.made_at, e.id AS event_id, e.at, e.actor, e.kind, e.note, "
        f"e.due_on FROM ops_followup f JOIN ops_followup_event e ON e.followup_id = f.id WHERE (f.agency_code = '' OR (1 = 1{own})){where} "
        "ORDER BY f.id, e.id"
    )
    with city.store.reading() as connection:
        rows = [dict(row) for row in connection.execute(text(statement), {**limits, **values}).mappings()]
        names = read_names(connection, city, rows)
    found = []
    for _, group in groupby(rows, key=lambda row: row["id"]):
        told = list(group)
        code = told[0]["agency_code"]
        followup = _followup(city, told, names.code("agency_code", code), names.agency(code) if code else "")
        if state in ("", followup.state):
            found.append(followup)
    return found


def _followup(city: City, rows: Sequence[dict[str, Any]], code: str, agency: str) -> Followup:
    """One follow-up of its rows, an event each, oldest first."""
    first, last_state, due_on, closed_at = rows[0], OPEN, 0, 0
    for row in rows:
        if row["kind"] in ("made", "moved"):
            due_on = row["due_on"]
        if row["kind"] in SETS_STATE:
            last_state, closed_at = SETS_STATE[row["kind"]], row["at"]
    done_on = city.store.days.on(closed_at) if last_state == DONE else None
    return Followup(
        first["id"], first["week"], first["what"], code, agency, first["who"], date_of(due_on), first["key"], last_state,
        last_state == OPEN and due_on < city.today_on, None if done_on is None else date_of(done_on), first["made_by"], first["made_at"],
        tuple(_event(row) for row in rows),
    )


def _event(row: dict[str, Any]) -> FollowupEvent:
    due_on = None if row["due_on"] is None else date_of(row["due_on"])
    return FollowupEvent(row["event_id"], row["at"], row["actor"], row["kind"], row["note"], due_on)


def _in_order(found: Sequence[Followup], week: str) -> tuple[Followup, ...]:
    return tuple(
        sorted(found, key=lambda one: (one.week == week, not one.is_late, STATES.index(one.state), one.due_on, one.id))
    )


def _reminder(city: City, followup: Followup) -> Reminder | None:
    last_on = add_working_days(calendar_for(city.config, followup.agency_code), city.today, SOON_DAYS)
    why = OVERDUE if followup.is_late else SOON if followup.due_on <= last_on else ""
    told = any((event.kind, event.note, event.due_on) == ("reminded", why, followup.due_on) for event in followup.events)
    return None if told or not why else Reminder(followup, why)


# ---- what people write ------------------------------------------------------------------------------------------------
def make(city: City, promise: Promise, address: str, now: int) -> int:
    """Keep a promise with its audit entry; returns its number. `address` = where the request came from.

    Requires manage.followups over the agency. Raises TypedFault for what cannot be kept, Forbidden.
    """
    city.scope.require("manage.followups")
    new = NewFollowup(
        _week(city, promise.week), sentence(promise.what, "what", LEAST, MOST_WHAT), _due_on(city, promise.due), promise.agency.strip(),
        sentence(promise.who, "who", 0, MOST_WHO), known_kpi(promise.key),
    )
    with city.store.reading() as connection:
        if not covers(connection, city, new.agency_code):
            raise TypedFault("typed.fault_agency", "agency")
    return put_followup(city.store, new, By(city.scope.actor, address), now)


def note(city: City, number: int, words: str, address: str, now: int) -> None:
    """Add what somebody says to it. Requires manage.followups over its agency; raises KeyError, TypedFault, Forbidden, as all below."""
    _write(city, number, NewEvent("noted", sentence(words, "note", LEAST, MOST_NOTE)), address, now)


def move(city: City, number: int, due_text: str, reason: str, address: str, now: int) -> None:
    """Give it another date, with the reason; the old one stays in its history."""
    event = NewEvent("moved", sentence(reason, "note", LEAST, MOST_NOTE), _due_on(city, due_text))
    found = _mine(city, number)
    if event.due_on == number_of(found.due_on):
        raise TypedFault("followups.fault_same", "due")
    _write(city, number, event, address, now)


def close(city: City, number: int, words: str, address: str, now: int) -> None:
    """It is done; words may be missing."""
    _write(city, number, NewEvent("done", sentence(words, "note", 0, MOST_NOTE)), address, now)


def reopen(city: City, number: int, words: str, address: str, now: int) -> None:
    """It is open again: takes back that it was done or dropped. Words may be missing."""
    _write(city, number, NewEvent("reopened", sentence(words, "note", 0, MOST_NOTE)), address, now)


def drop(city: City, number: int, reason: str, address: str, now: int) -> None:
    """It will not be done, for this reason."""
    _write(city, number, NewEvent("dropped", sentence(reason, "note", LEAST, MOST_NOTE)), address, now)


def remind(city: City, reminder: Reminder, now: int) -> None:
    """Write down that it was reminded of, so that `due` tells it no more for its date. Requires manage.followups over its agency."""
    followup = reminder.followup
    _write(city, followup.id, NewEvent("reminded", reminder.why, number_of(followup.due_on)), "", now)


def _write(city: City, number: int, event: NewEvent, address: str, now: int) -> None:
    _mine(city, number)
    try:
        add_event(city.store, number, event, By(city.scope.actor, address), now)
    except WrongState as fault:
        raise TypedFault(f"followups.fault_{fault.state}", "state") from fault


def _mine(city: City, number: int) -> Followup:
    """The follow-up, if this reader may write it. Raises KeyError, Forbidden."""
    city.scope.require("manage.followups")
    found = one(city, number)
    if found is None:
        raise KeyError(number)
    with city.store.reading() as connection:  # the code as it is kept: of an agency nobody has vetted a reader has another
        code = connection.execute(text("SELECT agency_code FROM ops_followup WHERE id = :id"), {"id": number}).scalar_one()
        if not covers(connection, city, code):
            raise Forbidden("manage.followups", city.scope.actor)
    return found


def _week(city: City, written: str) -> str:
    """The week as it is kept, if it is one that has begun."""
    try:
        found = parse_period(written, city.today)
    except ValueError as fault:
        raise TypedFault("typed.fault_week", "week") from fault
    if found.kind != "week" or found.start_on > city.today:
        raise TypedFault("typed.fault_week", "week")
    return found.text


def _due_on(city: City, written: str) -> int:
    found = number_of(day_of(written, "due"))
    if found < city.today_on:
        raise TypedFault("followups.fault_past", "due")
    if found > city.today_on + MOST_AHEAD:
        raise TypedFault("followups.fault_far", "due", most=MOST_AHEAD)
    return found
