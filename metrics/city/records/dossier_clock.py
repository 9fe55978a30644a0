"""The working-time clock of one dossier or report as it is drawn: when it ran, stood still and rested, step by step, and when it is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from metrics.calendars import calendar_for
from metrics.city import City
from metrics.city.lists.paging import Row
from metrics.process import StepAt, Stretch, stretches
from metrics.worktime import Stop, WorkCalendar, full_day_seconds, is_working_day, work_intervals, working_seconds
from store.days import instant, moment

FINE_DAYS, MOST_POINTS = 45, 400
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class DossierClock:
    """start_at..end_at: what is drawn; until_at: the end, or now while the clock may run. verdict_at: the instant lateness is
    judged at: the end, the start of a stop that still lasts, or now.

    line: (instant, working days worked until then), straight in between. rests: stretches of whole days without work. limit_days: working
    days from receipt to the due instant, without the stops that have ended; None without due date. steps: from step to step.
    """

    start_at: int
    end_at: int
    until_at: int
    verdict_at: int
    is_ended: bool
    due_at: int | None
    line: tuple[tuple[int, float], ...]
    rests: tuple[tuple[int, int], ...]
    stops: tuple[tuple[int, int], ...]
    limit_days: float | None
    steps: tuple[Stretch, ...]


def clock_of(city: City, row: Row, steps: Sequence[StepAt], stops: Sequence[tuple[int, int | None]]) -> DossierClock | None:
    """The clock of a dossier of the stock; None for the others, and where an instant lies beyond the calendar's years."""
    if row["standing"] != 1 or row["received_at"] is None:
        return None
    return drawn(city, row["agency_code"], (row["received_at"], row["finished_at"], row["due_at"]), steps, stops)


def drawn(
    city: City, agency: str, dates: tuple[int, int | None, int | None], steps: Sequence[StepAt],
    stops: Sequence[tuple[int, int | None]] = (),
) -> DossierClock | None:
    """The clock between `dates` (received, ended, due; None = not yet) by an agency's calendar; None past the calendar's years."""
    calendar, (start, ended, due) = calendar_for(city.config, agency), dates
    is_ended = ended is not None
    until = max(city.as_of, start) if ended is None else ended
    verdict = until if is_ended else max(start, min([until, *(first for first, last in stops if last is None)]))
    end = max(until, due or 0, start + 1)
    spans = [(moment(first), moment(last) if last is not None else None) for first, last in stops]
    try:
        first_on, last_on = (moment(at).astimezone(calendar.tz).date() for at in (start, end))
        return DossierClock(
            start, end, until, verdict, is_ended, due, _line(calendar, start, until, spans),
            _rests(calendar, first_on, last_on, start, end),
            tuple((max(a, start), min(until if b is None else b, until)) for a, b in stops if a < until and (b is None or b > start)),
            None if due is None or due < start else _days(calendar, start, due, [span for span in spans if span[1] is not None]),
            stretches(calendar, start, until, is_ended, steps, spans),
        )
    except (ValueError, OverflowError):
        return None


def _days(calendar: WorkCalendar, start: int, end: int, stops: Sequence[Stop]) -> float:
    return working_seconds(calendar, moment(start), moment(end), stops) / full_day_seconds(calendar)


def _line(calendar: WorkCalendar, start: int, until: int, stops: Sequence[Stop]) -> tuple[tuple[int, float], ...]:
    """Corners of the line: where work begins and ends each day while days are few, else midnights; and the ends of stops."""
    first_on, last_on = (moment(at).astimezone(calendar.tz).date() for at in (start, until))
    count = (last_on - first_on).days + 1
    days = (first_on + number * _DAY for number in range(0, count, max(1, -(-count // MOST_POINTS))))
    if count <= FINE_DAYS:
        corners = {instant(at) for on in days for interval in work_intervals(calendar, on) for at in interval}
    else:
        corners = {_midnight(calendar, on) for on in days}
    corners |= {instant(at) for span in stops for at in span if at is not None}
    inside = [start, *sorted(at for at in corners if start < at < until), until]
    return tuple((at, _days(calendar, start, at, stops)) for at in inside)


def _rests(calendar: WorkCalendar, first_on: date, last_on: date, start: int, end: int) -> tuple[tuple[int, int], ...]:
    """Runs of days without work, cut to what is drawn; none where days are too many to be seen."""
    if (last_on - first_on).days > MOST_POINTS:
        return ()
    found: list[tuple[int, int]] = []
    on = first_on
    while on <= last_on:
        if not is_working_day(calendar, on):
            first, last = max(start, _midnight(calendar, on)), min(end, _midnight(calendar, on + _DAY))
            if found and found[-1][1] == first:
                found[-1] = (found[-1][0], last)
            else:
                found.append((first, last))
        on += _DAY
    return tuple((first, last) for first, last in found if first < last)


def _midnight(calendar: WorkCalendar, on: date) -> int:
    return instant(datetime(on.year, on.month, on.day, tzinfo=calendar.tz).astimezone(UTC))
