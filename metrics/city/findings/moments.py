"""A stretch of time and the same one in the weeks before: what a spike is set beside. Pure but for the city's clock and zone."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta

from metrics.chance import MOST_EARLIER
from metrics.city import City
from metrics.periods import Period, parse_period
from store.days import DAY, HOUR, number_of

LONGEST_DAYS = 14
_HOURS = re.compile(r"(\d{1,2})(?:\.\.(\d{1,2}))?")


@dataclass(frozen=True)
class Moment:
    """Days of a period, or hours first..last (city time, both included) of one day.

    cut = it is not over: only the part until the last full hour (or day) is asked about.
    """

    period: Period
    first_hour: int | None = None
    last_hour: int | None = None
    is_cut: bool = False

    @property
    def has_hours(self) -> bool:
        """Is it a part of one day?"""
        return self.first_hour is not None

    @property
    def hours(self) -> str:
        """The hours as they are asked for; '' = whole days."""
        if self.first_hour is None:
            return ""
        return str(self.first_hour) if self.first_hour == self.last_hour else f"{self.first_hour}..{self.last_hour}"


@dataclass(frozen=True)
class Span:
    """From start_at up to end_at (instants), on the days start_on..end_on."""

    start_at: int
    end_at: int
    start_on: int
    end_on: int


def moment(city: City, period: Period, hours: str = "") -> Moment | None:
    """The moment somebody asks about, cut where it is not over; None where nothing of it is over. ValueError for what cannot be meant."""
    if period.days > LONGEST_DAYS:
        raise ValueError(f"period: at most {LONGEST_DAYS} days here")
    first, last = _parsed(hours)
    if first is not None and period.days != 1:
        raise ValueError("hours: choose one day first")
    days = city.store.days
    if period.end_on < city.today:
        return Moment(period, first, last)
    if period.start_on > city.today:
        return None
    if period.days > 1 and period.start_on < city.today:
        until = city.today - timedelta(days=1)
        return Moment(parse_period(f"{period.start_on}..{until}", city.today), is_cut=True)
    over = (city.as_of - days.starts_at(number_of(period.start_on))) // HOUR
    if over < 1 or (first is not None and first >= over):
        return None
    today = period if period.days == 1 else parse_period(city.today.isoformat(), city.today)
    last = 23 if last is None else last
    return Moment(today, first or 0, min(last, over - 1), is_cut=last >= over)


def _parsed(hours: str) -> tuple[int | None, int | None]:
    if not hours:
        return None, None
    found = _HOURS.fullmatch(hours)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (99, 0)
    if not first <= last <= 23:
        raise ValueError("hours: write one hour of the day (14) or the first and the last (14..17)")
    return first, last


def spans(city: City, asked: Moment) -> tuple[Span, ...]:
    """The moment itself, then the same days and hours of up to MOST_EARLIER weeks before, newest first; none of them overlap."""
    step = 7 * ((asked.period.days + 6) // 7)
    return tuple(_span(city, asked, step * back) for back in range(MOST_EARLIER + 1))


def _span(city: City, asked: Moment, back: int) -> Span:
    start_on, end_on = number_of(asked.period.start_on) - back, number_of(asked.period.end_on) - back
    start = city.store.days.starts_at(start_on)
    if asked.first_hour is None or asked.last_hour is None:
        return Span(start, city.store.days.starts_at(end_on + 1), start_on, end_on)
    return Span(start + asked.first_hour * HOUR, start + (asked.last_hour + 1) * HOUR, start_on, end_on)


def shifted(asked: Moment, days: int) -> Moment:
    """The same hours so many days later."""
    start, end = (day + timedelta(days=days) for day in (asked.period.start_on, asked.period.end_on))
    words = start.isoformat() if start == end else f"{start}..{end}"
    return replace(asked, period=parse_period(words, end), is_cut=False)


def hours_of(span: Span) -> range:
    """Hours since 1970 UTC that lie in a span."""
    return range(span.start_at // HOUR, -(-span.end_at // HOUR))


def day_length(span: Span) -> float:
    """Length in days."""
    return (span.end_at - span.start_at) / DAY
