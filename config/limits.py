"""What a city file says of the environment: its own limits of air quality, and the water levels at which each station alarms.

National limits are in metrics/air_limits.py; a row here replaces one of them on the days it holds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import date
from typing import Any, TypeVar

AVERAGING = ("1h", "8h", "24h", "year")


@dataclass(frozen=True)
class LimitConfig:
    """[[limits]]: the mean of `averaging` (1h, 8h, 24h, year) that may not be exceeded from valid_from to valid_to ("" = open)."""

    property: str
    averaging: str
    value: float
    measure_unit: str = "µg/m³"
    valid_from: str = "1900-01-01"
    valid_to: str = ""
    source: str = ""
    verified: bool = False


@dataclass(frozen=True)
class WaterAlarm:
    """[[water_alarms]]: alarm levels I, II and III of the water-level station `station` of a feed, in `measure_unit`."""

    feed: str
    station: str
    alarm_1: float
    alarm_2: float
    alarm_3: float
    measure_unit: str = "m"
    source: str = ""
    verified: bool = False


Row = TypeVar("Row", LimitConfig, WaterAlarm)


def parse_limits(raw: Any, faults: list[str]) -> tuple[LimitConfig, ...]:
    """[[limits]] of a city file. Each fault is added to `faults` with the row and what to write instead."""
    found = _rows(raw, LimitConfig, "limits", faults)
    for number, row in found:
        if row.averaging not in AVERAGING:
            faults.append(f"limits[{number}]: averaging {row.averaging!r} is not one of {', '.join(AVERAGING)}")
        for name, text in (("valid_from", row.valid_from), ("valid_to", row.valid_to)):
            if (text or name == "valid_from") and not _is_date(text):
                faults.append(f"limits[{number}]: {name} {text!r} is no date; write 2026-01-01")
    return tuple(row for _, row in found)


def parse_water_alarms(raw: Any, faults: list[str]) -> tuple[WaterAlarm, ...]:
    """[[water_alarms]] of a city file, likewise."""
    found = _rows(raw, WaterAlarm, "water_alarms", faults)
    for number, row in found:
        if not row.alarm_1 < row.alarm_2 < row.alarm_3:
            faults.append(f"water_alarms[{number}] ({row.station}): alarm_1, alarm_2 and alarm_3 must rise")
    seen: set[tuple[str, str]] = set()
    for number, row in found:
        if (row.feed, row.station) in seen:
            faults.append(f"water_alarms[{number}]: station {row.station!r} of feed {row.feed!r} has its levels already; leave one row")
        seen.add((row.feed, row.station))
    return tuple(row for _, row in found)


def _rows(raw: Any, kind: type[Row], section: str, faults: list[str]) -> list[tuple[int, Row]]:
    if not isinstance(raw, list):
        faults.append(f"[[{section}]]: must be a list of tables")
        return []
    found = []
    for number, table in enumerate(raw, 1):
        row = _row(table, kind, f"{section}[{number}]", faults)
        if row is not None:
            found.append((number, row))
    return found


def _row(table: Any, kind: type[Row], where: str, faults: list[str]) -> Row | None:
    before = len(faults)
    if not isinstance(table, Mapping):
        faults.append(f"{where}: must be a table")
        return None
    known = {field.name: field for field in fields(kind)}
    for name in sorted(table.keys() - known.keys()):
        faults.append(f"{where}: unknown setting {name!r}; known: {', '.join(known)}")
    for name, field in known.items():
        if name not in table and field.default is MISSING:
            faults.append(f"{where}: {name} is missing")
        elif name in table and not _fits(table[name], str(field.type)):
            faults.append(f"{where}: {name}: {table[name]!r} is not {field.type}")
    return kind(**table) if len(faults) == before else None


def _fits(value: Any, kind: str) -> bool:
    if kind == "float":
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return isinstance(value, {"str": str, "bool": bool}[kind])


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
