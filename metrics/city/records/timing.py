"""Deadlines of single rows in working time: how many working days are left, and where "soon" ends."""

from __future__ import annotations

from metrics.calendars import calendar_for
from metrics.city import City
from metrics.worktime import due_within_boundary, remaining_working_days
from store.days import instant, moment

SOON_WORKING_DAYS = 2


def soon_boundary(city: City) -> int:
    """The instant before which something due counts as due soon (the KPI dossiers_due_2wd uses the same)."""
    return instant(due_within_boundary(city.calendar, moment(city.as_of), SOON_WORKING_DAYS))


def days_left(city: City, due_at: int | None, stopped_at: int | None = None, agency: str = "") -> float | None:
    """Working days of the agency until due, signed, to 2 decimals; None without due date, or with one no calendar reaches.

    While the clock stands still (stopped_at) the answer does not move.
    """
    if due_at is None:
        return None
    stops = ((moment(stopped_at), None),) if stopped_at is not None else ()
    calendar = calendar_for(city.config, agency)
    try:
        return round(remaining_working_days(calendar, moment(city.as_of), moment(due_at), stops=stops), 2)
    except (ValueError, OverflowError):
        return None
