"""Which days and hours are worked: the frozen WorkCalendar, how it is made, the kind of each day.

Base = PyPI `holidays` (public holidays, observed days, weekend days the state makes working days); the override table of the city wins
over it. Knows no instants: metrics/worktime.py turns local hours into UTC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import holidays

Hours = tuple[tuple[time, time], ...]

KINDS = ("rest", "work", "half_day", "morning", "afternoon")  # half_day = morning
HALVES = KINDS[2:]
END_OF_DAY = time(0, 0)  # as the end of an interval this is 24:00
DEFAULT_HOURS: Hours = ((time(7, 0), time(11, 30)), (time(13, 30), time(17, 0)))
_INTERVAL = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")


@dataclass(frozen=True)
class WorkCalendar:
    """Working hours and days of one body.

    `country` and `subdivision` as in PyPI `holidays` ("" = no holidays); `rest_weekdays` 0 = Monday; an
    interval of `hours` that ends at time(0, 0) ends at 24:00; `overrides` day -> rest | work | half_day = morning
    (first interval only) | afternoon (all but the first) | the hours of that day. Hashable (caches key on it): the
    overrides are copied and cannot be changed afterwards. The default hours (8 h a day) are those of a provincial
    one-stop system in production.
    """

    tz: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Ho_Chi_Minh"))
    country: str = "VN"
    subdivision: str = ""
    hours: Hours = DEFAULT_HOURS
    rest_weekdays: frozenset[int] = frozenset({5, 6})
    overrides: Mapping[date, str | Hours] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "overrides", MappingProxyType(dict(self.overrides)))

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles (a mappingproxy alone does not)."""
        base = (self.tz, self.country, self.subdivision, self.hours, self.rest_weekdays)
        return WorkCalendar, (*base, dict(self.overrides))


def make_calendar(
    tz: str = "Asia/Ho_Chi_Minh",
    *,
    country: str = "VN",
    subdivision: str = "",
    hours: Sequence[str] = ("07:00-11:30", "13:30-17:00"),
    rest_weekdays: Sequence[int] = (5, 6),
    overrides: Mapping[str, str] | None = None,
) -> WorkCalendar:
    """A checked calendar from the plain values of a city file.

    `hours` like "07:00-11:30", in order, "24:00" allowed as an end; `rest_weekdays` 0 = Monday; `overrides`
    {"2026-01-02": "rest", "2026-01-10": "work", "2026-02-13": "07:00-11:00, 13:30-15:00"}. Raises ValueError with one
    line per fault, each opening with its field.
    """
    faults: list[str] = []
    zone = _parse_zone(tz, faults)
    _check_country(country, subdivision, faults)
    intervals = _parse_hours(hours, faults, "hours")
    weekdays = _parse_weekdays(rest_weekdays, faults)
    table = _parse_overrides(overrides or {}, len(intervals), faults)
    if faults or zone is None:
        raise ValueError("the working calendar has faults:\n" + "\n".join(f"- {fault}" for fault in faults))
    return WorkCalendar(zone, country, subdivision, intervals, weekdays, table)


def is_working_day(cal: WorkCalendar, on: date) -> bool:
    """True when at least part of the local day `on` is worked (half days and make-up Saturdays count).

    Raises ValueError for a datetime: which day it means depends on a zone.
    """
    return bool(day_hours(cal, on))


def day_hours(cal: WorkCalendar, on: date) -> Hours:
    """The local working hours of the day `on`; empty on a rest day, a part of the usual ones on a half day.

    Order: the override table, then state swaps (a weekend day made a working day), then rest weekdays and holidays.
    """
    require_date("on", on)
    kind = cal.overrides.get(on)
    if kind is None:
        rest, work = holiday_base(cal.country, cal.subdivision, on.year)
        kind = "rest" if on not in work and (on.weekday() in cal.rest_weekdays or on in rest) else "work"
    if isinstance(kind, tuple):
        return kind
    return {"work": cal.hours, "afternoon": cal.hours[1:], "rest": ()}.get(kind, cal.hours[:1])


@lru_cache(maxsize=1024)
def holiday_base(country: str, subdivision: str, year: int) -> tuple[frozenset[date], frozenset[date]]:
    """(days off, weekend days that are worked) of one year as PyPI `holidays` knows them.

    Known gaps of version 0.109: the swap list is kept by hand, future Tết lengths are a rule, the swap of
    02/01/2026 with 10/01/2026 is missing. The override table exists for these. Both sets are empty without a
    country.
    """
    if not country:
        return frozenset(), frozenset()
    known = holidays.country_holidays(country, subdiv=subdivision or None, years=year, expand=False)
    work = frozenset(day for day in known.weekend_workdays if day.year == year)  # it lists some of all years
    return frozenset(known), work


def require_date(name: str, on: date) -> None:
    """Raises ValueError naming the argument unless `on` is a plain date."""
    if isinstance(on, datetime) or not isinstance(on, date):
        raise ValueError(f"{name}: give a plain date, not {on!r}")


def _parse_zone(tz: str, faults: list[str]) -> ZoneInfo | None:
    try:
        return ZoneInfo(tz)
    except (KeyError, ValueError, OSError):  # unknown name; malformed key; a folder of the zone database
        faults.append(f"tz: unknown time zone {tz!r}; give an IANA name such as Asia/Ho_Chi_Minh")
        return None


def _check_country(country: str, subdivision: str, faults: list[str]) -> None:
    if not country:
        if subdivision:
            faults.append(f"subdivision: {subdivision!r} needs a country")
        return
    try:
        holidays.country_holidays(country)
    except NotImplementedError:
        faults.append(f"country: no holidays are known for {country!r}; give a code such as VN")
        return
    try:
        holidays.country_holidays(country, subdiv=subdivision or None)
    except NotImplementedError:
        faults.append(f"subdivision: {country} has no {subdivision!r}; leave it empty for the whole country")


def _parse_hours(hours: Sequence[str], faults: list[str], where: str) -> Hours:
    parsed: list[tuple[time, time]] = []
    previous_end = 0
    for number, text in enumerate(hours, 1):
        found = _INTERVAL.fullmatch(text)
        start, end = _minutes(found) if found else (-1, -1)
        if not 0 <= start < end <= 24 * 60:
            faults.append(f"{where}[{number}]: {text!r} is not an interval like 07:00-11:30 within one day")
        elif start < previous_end:
            faults.append(f"{where}[{number}]: {text!r} starts before the interval above it ends")
        else:
            previous_end = end
            parsed.append((_time(start), _time(end)))
    if not hours:
        faults.append(f"{where}: give at least one interval, such as 07:00-11:30")
    return tuple(parsed)


def _minutes(found: re.Match[str]) -> tuple[int, int]:
    """Start and end in minutes of the day; -1 for a clock that reads past :59."""
    h1, m1, h2, m2 = (int(group) for group in found.groups())
    return (h1 * 60 + m1, h2 * 60 + m2) if m1 < 60 and m2 < 60 else (-1, -1)


def _time(minutes: int) -> time:
    return END_OF_DAY if minutes == 24 * 60 else time(minutes // 60, minutes % 60)


def _parse_weekdays(rest_weekdays: Sequence[int], faults: list[str]) -> frozenset[int]:
    week = frozenset(range(7))
    faults.extend(
        f"rest_weekdays: {day!r} is no weekday; give 0 (Monday) to 6 (Sunday)"
        for day in rest_weekdays if day not in week
    )
    weekdays = frozenset(rest_weekdays)
    if weekdays >= week:
        faults.append("rest_weekdays: a week needs at least one working day")
    return weekdays


def _parse_overrides(overrides: Mapping[str, str], intervals: int, faults: list[str]) -> dict[date, str | Hours]:
    table: dict[date, str | Hours] = {}
    for text, kind in overrides.items():
        try:
            on = date.fromisoformat(text)
        except ValueError:
            faults.append(f"overrides.{text}: not a day; write it as yyyy-mm-dd")
            continue
        if kind in HALVES and intervals == 1:
            faults.append(f"overrides.{text}: {kind}, but a day here is one stretch of hours; give the hours, such as 07:00-11:30")
        elif kind in KINDS:
            table[on] = kind
        elif ":" in str(kind):
            table[on] = _parse_hours([part.strip() for part in str(kind).split(",")], faults, f"overrides.{text}")
        else:
            faults.append(f"overrides.{text}: unknown kind {kind!r}; one of {', '.join(KINDS)}, or hours such as 07:00-11:30")
    return table
