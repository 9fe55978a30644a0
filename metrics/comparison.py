"""Which period to set beside another, and how: by weekday, per working day, or with the same holiday of the year before.

Pure: today and the working calendar are arguments. A part of a period is only ever set beside as long a part (metrics/periods.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

import holidays

from config.workcalendar import Hours, WorkCalendar, day_hours
from metrics.kpis.row import Kpi
from metrics.periods import Period, aligned, days_of, parse_period

HOWS = ("previous", "last_year")
# whole = whole period beside whole period; part = both cut after as many days; weekday = the same weekdays;
# holiday = the same holiday of the year before; last_worked = the nearest such period before it in which anybody worked
ALIGNED = ("whole", "part", "weekday", "holiday", "last_worked")
_STEPS_BACK = 8  # no holiday closes offices for longer than that many weeks


@dataclass(frozen=True)
class Comparison:
    """A period beside an earlier one. `aligned`: one of ALIGNED, '' when there is nothing to set beside it; half days count half."""

    current: Period
    previous: Period | None
    how: str
    aligned: str
    working_days: float
    working_days_before: float

    @property
    def is_per_day(self) -> bool:
        """True when working days differ: counts of offices' work are then compared per working day."""
        return self.previous is not None and self.working_days != self.working_days_before

    def scale(self, counted_on: str) -> float | None:
        """What a count of the earlier period is multiplied by to stand beside the current one; None where that means nothing.

        counted_on: working_days | all_days. None when one side has no working day and the other has: nothing per day to compare.
        """
        if self.previous is None:
            return None
        if counted_on == "all_days":
            return self.current.days / self.previous.days
        if self.working_days == self.working_days_before:
            return 1.0
        return self.working_days / self.working_days_before if self.working_days and self.working_days_before else None


@dataclass(frozen=True)
class Change:
    """How a figure moved. pct is None for what is already in percent. reason: why a part is withheld, one of REASONS, else ''."""

    delta: float | None
    pct: float | None
    reason: str = ""


REASONS = ("small_n", "no_working_day")
NO_CHANGE = Change(None, None)


def change_of(row: Kpi, comparison: Comparison, value: tuple[float | None, int], before: tuple[float | None, int]) -> Change:
    """The change of a figure from what the earlier period would be with as many days; (value, n) of both.

    Counts are scaled by days (`Comparison.scale`), everything else is not. The change of a share, mean or median over fewer than
    `min_n_change` cases on either side is withheld, and so is any percent change from fewer.
    """
    (now, n), (then, n_before) = value, before
    if now is None or then is None:
        return NO_CHANGE
    scale = comparison.scale(row.counted_on) if row.measure in ("count", "rate") else 1.0
    if scale is None:
        return Change(None, None, "no_working_day")
    is_small = min(n, n_before) < row.min_n_change and row.topic in ("dossiers", "reports")
    if is_small and row.measure in ("share", "mean"):
        return Change(None, None, "small_n")
    delta = now - then * scale
    if row.measure == "share" or not then:
        return Change(delta, None)
    return Change(delta, None, "small_n") if is_small else Change(delta, 100 * delta / (then * scale))


def comparable_by(period: Period, today: date, calendar: WorkCalendar, how: str = "previous") -> Comparison:
    """The comparison of a period with the one before (previous) or the same one a year earlier (last_year).

    A day or week of a holiday stands beside that holiday of the year before, wherever the moon puts it: always with last_year, with
    previous when nobody worked in it. One that was worked never stands beside one in which nobody did: the search goes on back.
    Raises ValueError for another `how`.
    """
    if how not in HOWS:
        raise ValueError(f"compare: {how!r} is none of {', '.join(HOWS)}")
    if today < period.start_on:
        return Comparison(period, None, how, "", working_days(calendar, period), 0.0)
    before, named = _chosen(period, today, calendar, how)
    current, before = aligned(period, before, today)
    return Comparison(current, before, how, named, working_days(calendar, current), working_days(calendar, before))


def working_days(calendar: WorkCalendar, period: Period) -> float:
    """Working days of a period; a day worked in part counts as its share of full hours."""
    return _working_days(calendar, period.start_on, period.end_on)


@lru_cache(maxsize=4096)
def _working_days(calendar: WorkCalendar, start_on: date, end_on: date) -> float:
    full = _minutes(calendar.hours)
    days = (start_on + timedelta(days=number) for number in range((end_on - start_on).days + 1))
    return round(sum(_minutes(day_hours(calendar, day)) for day in days) / full, 4)


def _minutes(hours: Hours) -> float:
    """How long the intervals of a day are together."""
    day = date(2000, 1, 1)
    spans = (datetime.combine(day, end) - datetime.combine(day, start) for start, end in hours)
    return sum(((span if span > timedelta(0) else span + timedelta(days=1)).total_seconds() / 60) for span in spans)


def _chosen(period: Period, today: date, calendar: WorkCalendar, how: str) -> tuple[Period, str]:
    """The earlier period, whole, and the name of how it is aligned."""
    plain = period.previous() if how == "previous" else period.year_before()
    ordinary = "weekday" if _keeps_weekdays(period) else "part" if period.is_partial(today) else "whole"
    if period.kind not in ("day", "week"):
        return plain, ordinary
    worked = working_days(calendar, aligned(period, plain, today)[0])
    is_holiday = any(day in holiday_names(calendar, day.year) for day in days_of(period))
    if is_holiday and (how == "last_year" or not worked):
        same = _same_holiday(period, calendar)
        if same is not None:
            return same, "holiday"
    if worked:
        for number, candidate in enumerate(_weeks_back(plain)):
            if working_days(calendar, aligned(period, candidate, today)[1]):
                return candidate, "last_worked" if number else ordinary
    return plain, ordinary


def _keeps_weekdays(period: Period) -> bool:
    return period.kind in ("day", "week") or (period.kind == "range" and period.days % 7 == 0)


def _weeks_back(period: Period) -> Iterator[Period]:
    """The period, the one a week before, and so on."""
    for number in range(_STEPS_BACK):
        start_on = period.start_on - timedelta(weeks=number)
        yield _day_or_week(period.kind, start_on)


def _day_or_week(kind: str, day: date) -> Period:
    iso = day.isocalendar()
    return parse_period(day.isoformat() if kind == "day" else f"{iso.year}-W{iso.week:02}", day)


def _same_holiday(period: Period, calendar: WorkCalendar) -> Period | None:
    """The day or week of the year before with the first holiday of this one that both years know by one name."""
    for day in days_of(period):
        name = holiday_names(calendar, day.year).get(day)
        found = [on for on, other in holiday_names(calendar, day.year - 1).items() if other == name] if name else []
        if found:
            return _day_or_week(period.kind, min(found))
    return None


def holiday_names(calendar: WorkCalendar, year: int) -> Mapping[date, str]:
    """The public holidays a calendar knows by name in a year."""
    return _holiday_names(calendar.country, calendar.subdivision, year)


@lru_cache(maxsize=256)
def _holiday_names(country: str, subdivision: str, year: int) -> Mapping[date, str]:
    """Public holidays of a year by name (PyPI holidays); none without a country. Days off in exchange and observed days have no name."""
    if not country:
        return {}
    known = holidays.country_holidays(country, subdiv=subdivision or None, years=year, expand=False)
    return {day: name for day, name in sorted(known.items()) if "(" not in name}
