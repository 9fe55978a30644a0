"""The calendars a city file names: the province's and those of agencies that work other hours or days, each fully inherited.

An agency without a table of its own works by that of the nearest agency above it (dotted codes), at the top by the province's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from config.workcalendar import WorkCalendar, make_calendar

STOP_RULES = ("working_time", "td")
OWN = ("hours", "rest_weekdays", "overrides")  # what an agency may have of its own


@dataclass(frozen=True)
class CalendarConfig:
    """Working time of the province or of an agency.

    `overrides` maps yyyy-mm-dd to rest | work | half_day | morning | afternoon | hours such as "07:00-11:00, 13:30-15:00".
    `stop_rule` says how a stop moves a due date: see metrics/due_dates.py. Hashable: caches key on it.
    """

    country: str = "VN"
    subdivision: str = ""
    hours: tuple[str, ...] = ("07:00-11:30", "13:30-17:00")
    rest_weekdays: tuple[int, ...] = (5, 6)
    overrides: Mapping[str, str] = field(default_factory=dict, hash=False)
    stop_rule: str = "working_time"


def build(settings: CalendarConfig, timezone: str) -> WorkCalendar:
    """The checked calendar of these settings. Raises ValueError with one line a fault."""
    return make_calendar(
        timezone, country=settings.country, subdivision=settings.subdivision, hours=settings.hours,
        rest_weekdays=settings.rest_weekdays, overrides=settings.overrides,
    )


def parse_calendars(tables: Any, province: CalendarConfig, timezone: str, faults: list[str]) -> dict[str, CalendarConfig]:
    """Agency code -> its settings with all it inherits, from [agency_calendars."CODE"]; faults of the province's too are added."""
    if province.stop_rule not in STOP_RULES:
        faults.append(f"[calendar] stop_rule: {province.stop_rule!r} is none of {', '.join(STOP_RULES)}")
    _check(province, timezone, "[calendar]", faults)
    if not isinstance(tables, Mapping):
        faults.append("[agency_calendars]: write one table an agency, such as [agency_calendars.\"H99.01\"]")
        return {}
    found: dict[str, CalendarConfig] = {}
    for code in sorted(tables, key=lambda code: code.count(".")):  # those above first: they are inherited from
        where = f'[agency_calendars."{code}"]'
        found[code] = settings = _own(nearest(found, code) or province, tables[code], where, faults)
        _check(settings, timezone, where, faults)
    return found


def nearest(tables: Mapping[str, CalendarConfig], agency: str) -> CalendarConfig | None:
    """The settings of an agency or of the nearest one above it by dotted segments (H56.1 is not above H56.14)."""
    while agency:
        if agency in tables:
            return tables[agency]
        agency = agency.rpartition(".")[0]
    return None


def _own(above: CalendarConfig, table: Any, where: str, faults: list[str]) -> CalendarConfig:
    """Hours and rest weekdays replace those above; single days are added to those above and win over them."""
    if not isinstance(table, Mapping):
        faults.append(f"{where}: must be a table of {', '.join(OWN)}")
        return above
    known: dict[str, Any] = {}
    for name, value in table.items():
        if name not in OWN:
            hint = "; a code with dots needs quotes" if isinstance(value, Mapping) else ""
            faults.append(f"{where}: unknown setting {name!r}; known: {', '.join(OWN)}{hint}")
        elif not isinstance(value, Mapping if name == "overrides" else list):
            faults.append(f"{where} {name}: must be a {'table of days' if name == 'overrides' else 'list'}")
        else:
            known[name] = {**above.overrides, **dict(value)} if name == "overrides" else tuple(value)
    return replace(above, **known)


def _check(settings: CalendarConfig, timezone: str, where: str, faults: list[str]) -> None:
    if None in (settings.hours, settings.rest_weekdays, settings.overrides):
        return  # of a wrong type; config has said so
    try:
        build(settings, timezone)
    except TypeError:
        faults.append(f"{where}: hours and overrides are texts, rest_weekdays numbers")
    except ValueError as error:
        told = [line.removeprefix("- ") for line in str(error).splitlines()[1:] if not line.startswith("- tz:")]  # config names it itself
        faults.extend(f"{where} {line}" for line in told if not any(fault.endswith(line) for fault in faults))  # not what is inherited
