"""The working calendar of the province and of each agency, made once from the city file."""

from __future__ import annotations

from functools import lru_cache

from config import Config
from config.calendars import CalendarConfig, build, nearest
from config.workcalendar import WorkCalendar


def calendar_for(config: Config, agency: str = "") -> WorkCalendar:
    """The calendar an agency works by: its own, else that of the nearest agency above it, else the province's ('' = the province's)."""
    return _calendar(nearest(config.agency_calendars, agency) or config.calendar, config.timezone)


@lru_cache(maxsize=1024)
def _calendar(settings: CalendarConfig, timezone: str) -> WorkCalendar:
    return build(settings, timezone)
