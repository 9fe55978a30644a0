"""When a dossier is due: from its receipt, the legal limit in the limit's own unit, the stops of its clock, its extensions.

Pure; instants in and out are aware datetimes (out: UTC). The rules and their sources: docs/working-time.md. One calendar engine
(worktime.py) stands behind it, so wall, brief, drill and alarms count alike.
"""

from __future__ import annotations

import calendar as months
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from config.calendars import STOP_RULES
from metrics.worktime import (
    FIRST_YEAR,
    LAST_YEAR,
    Stop,
    WorkCalendar,
    add_working_days,
    add_working_seconds,
    end_of_working_day,
    full_day_seconds,
    work_intervals,
    working_day_count,
    working_seconds,
)
from store.rows import LIMIT_UNITS

Extension = tuple[datetime, datetime]  # when it was given, the new due instant


def due_of(
    calendar: WorkCalendar, received_at: datetime, limit: float, unit: str = "wd", stops: Iterable[Stop] = (),
    extensions: Iterable[Extension] = (), stop_rule: str = "working_time",
) -> datetime:
    """The due instant (UTC). ValueError names an argument that cannot be: negative, a part of a day or month, an unknown unit or rule.

    An extension replaces the due date by a new one (the last given wins); it has the stops that ended before it in it. A stop that
    began when the due date had passed moves nothing, one without an end moves nothing yet. Units, receipt, stops: see the functions
    below. Source: domain practice and Civil Code 2015, articles 147-148; Decree 61/2018/NĐ-CP on waiting and on one new due date.
    """
    if stop_rule not in STOP_RULES:
        raise ValueError(f"stop_rule: {stop_rule!r} is none of {', '.join(STOP_RULES)}")
    given = max(extensions, key=lambda extension: extension[0], default=None)
    due = first_due(calendar, received_at, limit, unit) if given is None else given[1]
    since = received_at if given is None else given[0]
    push = _PUSHES[stop_rule]
    for start, end in _merged(stops, since):
        if start < due:
            due = push(calendar, due, start, end)
    return due.astimezone(UTC)


def first_due(calendar: WorkCalendar, received_at: datetime, limit: float, unit: str = "wd") -> datetime:
    """The due instant before any stop or extension.

    `h`: so many working hours from the working start. The others leave the day of the start out and end with the last hour worked
    on their last day: `d` counts calendar days, `m` goes to the same day of the month or to its last (both move on from a rest day
    to the next working day), `wd` counts working days. Half a working day is so many working hours.
    """
    _check_limit(limit, unit)
    start = working_start(calendar, received_at)
    if unit == "h":
        return add_working_seconds(calendar, start, limit * 3600)
    if unit == "wd" and limit != int(limit):
        return add_working_seconds(calendar, start, limit * full_day_seconds(calendar))
    return end_of_working_day(calendar, _LAST_DAYS[unit](calendar, start.astimezone(calendar.tz).date(), int(limit)))


def working_start(calendar: WorkCalendar, received_at: datetime) -> datetime:
    """The instant (UTC) from which a limit runs: the receipt, when work was on or closed at that very instant; else the next opening.

    After closing, on a rest day and at lunch it waits for the next opening; before opening, for that of the same day.
    Source: the one-stop system of domain.md 3.4 (after 17:00 the next morning; lunch to 13:30).
    """
    if received_at.tzinfo is None or not FIRST_YEAR <= received_at.year <= LAST_YEAR:
        raise ValueError(f"received_at: {received_at.isoformat()}; give one with a time zone, in {FIRST_YEAR}-{LAST_YEAR}")
    local = received_at.astimezone(calendar.tz)
    today = work_intervals(calendar, local.date())
    for opens, closes in today:
        if received_at < closes or (received_at == closes == today[-1][1]):
            return max(opens, received_at).astimezone(UTC)
    return work_intervals(calendar, add_working_days(calendar, local.date(), 1))[0][0]


def working_days_between(calendar: WorkCalendar, first: date, second: date) -> int:
    """How many working days `second` lies after `first` (negative: before): the later day counts, the earlier does not."""
    if second < first:
        return -working_days_between(calendar, second, first)
    return working_day_count(calendar, first + _DAY, second)


_DAY = timedelta(days=1)


def _calendar_days(_: WorkCalendar, start_on: date, n: int) -> date:
    return start_on + timedelta(days=n)


def _months(_: WorkCalendar, start_on: date, n: int) -> date:
    years, month = divmod(start_on.month - 1 + n, 12)
    year = start_on.year + years
    return date(year, month + 1, min(start_on.day, months.monthrange(year, month + 1)[1]))


_LAST_DAYS: Mapping[str, Callable[[WorkCalendar, date, int], date]] = {"d": _calendar_days, "wd": add_working_days, "m": _months}


def _check_limit(limit: float, unit: str) -> None:
    if unit not in LIMIT_UNITS:
        raise ValueError(f"unit: {unit!r} is none of {', '.join(LIMIT_UNITS)}")
    if not 0 <= limit < 100_000:
        raise ValueError(f"limit: {limit} is no limit")
    if unit in ("d", "m") and limit != int(limit):
        raise ValueError(f"limit: {limit} {unit} is no whole number of days or months")


def _by_working_time(calendar: WorkCalendar, due: datetime, start: datetime, end: datetime) -> datetime:
    """Our rule: the working time of the stop is given back, no more and no less (766, indicator 2.1)."""
    return add_working_seconds(calendar, due, working_seconds(calendar, start, end))


def _by_calendar_days(calendar: WorkCalendar, due: datetime, start: datetime, end: datetime) -> datetime:
    """The rule of the system of domain.md 3.4: the elapsed calendar days - 1, then 1 working day."""
    tz = calendar.tz
    elapsed = (end.astimezone(tz).date() - start.astimezone(tz).date()).days
    moved = due.astimezone(tz).date() + timedelta(days=max(0, elapsed - 1))
    return end_of_working_day(calendar, add_working_days(calendar, moved, 1))


_PUSHES = {"working_time": _by_working_time, "td": _by_calendar_days}


def _merged(stops: Iterable[Stop], since: datetime) -> Sequence[tuple[datetime, datetime]]:
    """Stops that have ended, cut to what lies after `since`, overlapping ones as one, in order."""
    found: list[tuple[datetime, datetime]] = []
    for start, end in sorted((max(start, since), end) for start, end in stops if end is not None and end > since and end > start):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found
