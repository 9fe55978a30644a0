"""Working time between instants: the one engine behind wall, brief, drill and alarms.

Pure: instants in and out are aware datetimes (out: UTC), `now` is an argument. Each year of a calendar is
laid out once as sorted interval arrays, so a question costs a few bisections however long its range. Days:
config/workcalendar.py.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from config.workcalendar import END_OF_DAY, WorkCalendar, day_hours, is_working_day, make_calendar, require_date

__all__ = [
    "Stop", "WorkCalendar", "add_working_days", "add_working_seconds", "due_within_boundary",
    "end_of_working_day", "full_day_seconds", "is_working_day", "make_calendar", "remaining_working_days",
    "work_intervals", "working_day_count", "working_seconds",
]

Stop = tuple[datetime, datetime | None]  # the clock stands still from..to; None = still standing

FIRST_YEAR, LAST_YEAR = 1970, 2099  # what `holidays` knows of the lunar calendar; also keeps 9999-12-31 out
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)


class _Year(NamedTuple):
    """One local year: ordinals of its working days, its intervals, the work done before each (µs)."""

    days: array[int]
    starts: array[int]
    ends: array[int]
    before: array[int]
    total: int


class _Point(NamedTuple):
    """An instant as microseconds since 1970 UTC, and the local year whose layout holds it."""

    micros: int
    year: int


@lru_cache(maxsize=16_384)
def work_intervals(cal: WorkCalendar, on: date) -> tuple[tuple[datetime, datetime], ...]:
    """The working intervals of the local day `on` as (start, end) UTC instants; empty on a rest day.

    On a day the clock jumps, an interval has its true length: what the jump skips is not worked, what it
    repeats is.
    """
    intervals = []
    for opens, closes in day_hours(cal, on):
        start = _first_instant(cal.tz, on, opens)
        end = _first_instant(cal.tz, on + _DAY if closes == END_OF_DAY else on, closes)
        if start < end:
            intervals.append((start, end))
    return tuple(intervals)


def full_day_seconds(cal: WorkCalendar) -> int:
    """Seconds of a full working day by the clock on the wall: 28 800 with the default hours."""
    return sum(((_seconds(end) or 86_400) - _seconds(start)) for start, end in cal.hours)


def working_seconds(cal: WorkCalendar, start: datetime, end: datetime, stops: Iterable[Stop] = ()) -> float:
    """Working time from `start` to `end` in seconds, without that inside `stops`; negative if end < start.

    Stops may overlap, come in any order and lie outside the range; one without an end lasts to the end of the
    range, one that ends before it starts is empty. Raises ValueError naming the argument for naive or far-off
    instants. Source: time waiting for the applicant is not counted (Decree 61/2018/NĐ-CP, kept by
    118/2025/NĐ-CP: to be verified). Make-up working days count.
    """
    a, b = _point(cal, "start", start), _point(cal, "end", end)
    low, high = min(a, b), max(a, b)
    worked = _worked(cal, low, high) - _standing(cal, stops, low, high)
    return (worked if a <= b else -worked) / 1e6


def add_working_seconds(cal: WorkCalendar, start: datetime, seconds: float) -> datetime:
    """The instant (UTC) by which `seconds` of working time have passed since `start`; negative walks back.

    Forward it is the earliest such instant (11:30 rather than 13:30), back the latest; 0 gives `start`
    itself. Inverse of working_seconds. Raises ValueError for a naive `start`, or past the years a calendar
    knows.
    """
    at, left = _point(cal, "start", start), round(seconds * 1e6)
    if left == 0:
        return start.astimezone(UTC)
    year, layout = at.year, _year(cal, at.year)
    target = _worked_before(layout, at.micros) + left
    while left > 0 and target > layout.total:
        target -= layout.total
        year, layout = year + 1, _known_year(cal, year + 1)
    while left < 0 and target < 0:
        year, layout = year - 1, _known_year(cal, year - 1)
        target += layout.total
    index = (bisect_left if left > 0 else bisect_right)(layout.before, target) - 1
    return _EPOCH + timedelta(microseconds=layout.starts[index] + target - layout.before[index])


def add_working_days(cal: WorkCalendar, start_on: date, n: int) -> date:
    """The n-th working day after `start_on` (before it if n < 0); 0 = `start_on` or the next working day.

    The day itself is never counted: 13/02/2026 + 5 = 27/02/2026. Half days count as days.
    Source: one-stop practice (a due day that is a rest day moves on to the next working day).
    """
    require_date("start_on", start_on)
    year, ordinal = start_on.year, start_on.toordinal()
    days = _known_year(cal, year).days
    if n < 0:
        index = bisect_left(days, ordinal) + n
        while index < 0:
            year -= 1
            days = _known_year(cal, year).days
            index += len(days)
        return date.fromordinal(days[index])
    index = bisect_left(days, ordinal) if n == 0 else bisect_right(days, ordinal) + n - 1
    while index >= len(days):
        index -= len(days)
        year += 1
        days = _known_year(cal, year).days
    return date.fromordinal(days[index])


def end_of_working_day(cal: WorkCalendar, on: date) -> datetime:
    """The UTC instant at which work ends on the local day `on`, or on the next working day if it is none."""
    return work_intervals(cal, add_working_days(cal, on, 0))[-1][1]


def due_within_boundary(cal: WorkCalendar, now: datetime, n: int) -> datetime:
    """The end (local midnight after, as UTC) of the n-th working day from the local day of `now`.

    Today counts as day 0 if it is worked; on a rest day, day 1 is the next working day. A dossier is "due
    within n working days" when now <= due_at < this instant (KPI dossiers_due_2wd: n = 2). It moves at local
    midnight only.
    """
    _point(cal, "now", now)
    last_on = add_working_days(cal, now.astimezone(cal.tz).date(), n)
    return _first_instant(cal.tz, last_on + _DAY, time(0, 0))


def remaining_working_days(
    cal: WorkCalendar, now: datetime, due: datetime, *, stops: Iterable[Stop] = ()
) -> float:
    """Working days left until `due`, signed and fractional: a day = the seconds of a full working day.

    `stops` are those not yet worked into `due`: their time up to `now` is given back, so while the clock
    stands still (a stop without an end) the answer does not move. Source: as working_seconds.
    """
    stops = tuple(stops)
    at = _point(cal, "now", now)
    earliest = min((_point(cal, "stops", start) for start, _ in stops), default=at)
    given_back = _standing(cal, stops, earliest, at) / 1e6
    return (working_seconds(cal, now, due) + given_back) / full_day_seconds(cal)


def working_day_count(cal: WorkCalendar, a: date, b: date) -> int:
    """How many working days lie in [a, b], both ends included; half days count as one; 0 if b is before a."""
    require_date("a", a)
    require_date("b", b)
    low, high = a.toordinal(), b.toordinal()
    if high < low:
        return 0
    years = (_known_year(cal, year).days for year in range(a.year, b.year + 1))
    return sum(bisect_right(days, high) - bisect_left(days, low) for days in years)


# The year layouts, in microseconds since 1970 UTC: whole numbers, so that parts always add up to the whole.


@lru_cache(maxsize=1024)
def _year(cal: WorkCalendar, year: int) -> _Year:
    layout = _Year(array("q"), array("q"), array("q"), array("q"), 0)
    total = 0
    for ordinal in range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal()):
        intervals = work_intervals(cal, date.fromordinal(ordinal))
        if intervals:
            layout.days.append(ordinal)
        for start, end in intervals:
            layout.starts.append((start - _EPOCH) // _MICROSECOND)
            layout.ends.append((end - _EPOCH) // _MICROSECOND)
            layout.before.append(total)
            total += layout.ends[-1] - layout.starts[-1]
    return layout._replace(total=total)


def _known_year(cal: WorkCalendar, year: int) -> _Year:
    # One year of slack on both sides: the local New Year is not that of UTC.
    if not FIRST_YEAR - 1 <= year <= LAST_YEAR + 1:
        raise ValueError(f"{year}: outside {FIRST_YEAR}-{LAST_YEAR}, the years a calendar knows")
    return _year(cal, year)


def _point(cal: WorkCalendar, name: str, at: datetime) -> _Point:
    if at.tzinfo is None or at.utcoffset() is None:
        raise ValueError(f"{name}: naive datetime {at.isoformat()}; give one with a time zone")
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        known = f"{FIRST_YEAR}-{LAST_YEAR}"
        raise ValueError(f"{name}: {at.isoformat()} is outside {known}, the years a calendar knows")
    return _Point((at - _EPOCH) // _MICROSECOND, at.astimezone(cal.tz).year)


def _worked_before(layout: _Year, micros: int) -> int:
    """Work done from the start of the year until this instant."""
    index = bisect_right(layout.starts, micros) - 1
    if index < 0:
        return 0
    return layout.before[index] + min(micros, layout.ends[index]) - layout.starts[index]


def _worked(cal: WorkCalendar, a: _Point, b: _Point) -> int:
    """Work done from a to b, where a <= b."""
    before_a, before_b = (_worked_before(_year(cal, at.year), at.micros) for at in (a, b))
    whole_years = sum(_year(cal, year).total for year in range(a.year, b.year))
    return whole_years + before_b - before_a


def _standing(cal: WorkCalendar, stops: Iterable[Stop], low: _Point, high: _Point) -> int:
    """Working time between low and high that lies inside at least one stop."""
    clipped = []
    for start, end in stops:
        first = max(_point(cal, "stops", start), low)
        last = high if end is None else min(_point(cal, "stops", end), high)
        clipped.append((first, last))
    standing, reached = 0, low
    for first, last in sorted(clipped):
        first = max(first, reached)
        if first < last:
            standing += _worked(cal, first, last)
            reached = last
    return standing


def _first_instant(tz: ZoneInfo, on: date, at: time) -> datetime:
    """The first instant (UTC) of the local day `on` whose clock has reached `at`.

    A clock reading that the jump to summer time skips becomes the jump itself; one that occurs twice, its
    first time.
    """
    naive = datetime.combine(on, at)
    instant = naive.replace(tzinfo=tz).astimezone(UTC)
    if _wall(instant, tz) == naive:
        return instant
    low, high = naive.replace(tzinfo=tz, fold=1).astimezone(UTC), instant  # the jump lies in (low, high]
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // 2
        low, high = (low, middle) if _wall(middle, tz) >= naive else (middle, high)
    return high.replace(microsecond=0)


def _wall(instant: datetime, tz: ZoneInfo) -> datetime:
    return instant.astimezone(tz).replace(tzinfo=None)


def _seconds(at: time) -> int:
    return at.hour * 3600 + at.minute * 60 + at.second
