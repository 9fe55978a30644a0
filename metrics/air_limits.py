"""Limits of air quality as dated rows, and which means of a day, an hour or a year are above them. Pure.

The national rows are from memory and shown as unverified; a province's own rows ([[limits]] of the city file) replace those of the same
property and averaging on the days they hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from config.limits import LimitConfig
from metrics.vn_aqi import AirDay
from store.days import number_of

QCVN = "QCVN 05:2023/BTNMT (Thông tư 01/2023/TT-BTNMT)"
UG = "µg/m³"
DAY_HOURS, YEAR_DAYS = 18, 274  # hours of a day and days of a year that a mean needs: 75 %, not read in the standard
COMPLETENESS_VERIFIED = False


@dataclass(frozen=True)
class Limit:
    """The mean of `averaging` hours (or of a year) that may not be exceeded on the days valid_from..valid_to (None = open).

    8h = the highest mean of eight hours in a row of a day.
    """

    property: str
    averaging: str
    value: float
    measure_unit: str = UG
    valid_from: date = date(2023, 9, 12)
    valid_to: date | None = None
    source: str = QCVN
    verified: bool = False


NATIONAL: tuple[Limit, ...] = (
    Limit("so2", "1h", 350.0), Limit("so2", "24h", 125.0), Limit("so2", "year", 50.0),
    Limit("co", "1h", 30_000.0), Limit("co", "8h", 10_000.0),
    Limit("no2", "1h", 200.0), Limit("no2", "24h", 100.0), Limit("no2", "year", 40.0),
    Limit("o3", "1h", 200.0), Limit("o3", "8h", 120.0),
    Limit("tsp", "1h", 300.0), Limit("tsp", "24h", 200.0), Limit("tsp", "year", 100.0),
    Limit("pm10", "24h", 100.0), Limit("pm10", "year", 50.0),
    Limit("pm25", "24h", 50.0, valid_to=date(2025, 12, 31)), Limit("pm25", "24h", 45.0, valid_from=date(2026, 1, 1)),
    Limit("pm25", "year", 25.0),
)


def limits_of(rows: Iterable[LimitConfig]) -> tuple[Limit, ...]:
    """The province's rows before the national ones: the first that holds on a day counts."""
    own = [
        Limit(
            row.property, row.averaging, row.value, row.measure_unit, date.fromisoformat(row.valid_from),
            date.fromisoformat(row.valid_to) if row.valid_to else None, row.source, row.verified,
        )
        for row in rows
    ]
    return (*own, *NATIONAL)


class LimitBook:
    """Limits by property and averaging, asked for by day."""

    def __init__(self, limits: Iterable[Limit]) -> None:
        self._rows: dict[tuple[str, str], list[tuple[int, int, Limit]]] = {}
        for row in limits:
            last = number_of(row.valid_to or date.max)
            self._rows.setdefault((row.property, row.averaging), []).append((number_of(row.valid_from), last, row))

    def on(self, day: int, property_: str, measure_unit: str, averaging: str) -> Limit | None:
        """The limit of a property's mean on a day number; None where none holds, or the first that does is in another unit."""
        for first, last, row in self._rows.get((property_, averaging), ()):
            if first <= day <= last:
                return row if row.measure_unit == measure_unit else None
        return None


@dataclass(frozen=True)
class Judged:
    """Means of one datastream of one averaging set against a limit: how many, and how many were above it."""

    station: str
    datastream: int
    property: str
    averaging: str
    limit: Limit
    judged: int
    above: int


def judge_days(limits: LimitBook, days: Iterable[AirDay], hours_above: Mapping[tuple[int, int], int]) -> tuple[Judged, ...]:
    """1 h, 8 h and 24 h means of days against the limits of their day; `hours_above` = (datastream, day) -> hours above the 1 h limit."""
    found: dict[tuple[str, int, str, str, Limit], list[int]] = {}
    for day in days:
        for averaging in ("1h", "8h", "24h"):
            limit = limits.on(day.on, day.property, day.measure_unit, averaging)
            if limit is None:
                continue
            judged, above = _of_day(day, averaging, limit, hours_above)
            if judged:
                cell = found.setdefault((day.station, day.datastream, day.property, averaging, limit), [0, 0])
                cell[0], cell[1] = cell[0] + judged, cell[1] + above
    return tuple(Judged(*key, *counts) for key, counts in sorted(found.items(), key=lambda row: row[0][:4]))


def _of_day(day: AirDay, averaging: str, limit: Limit, hours_above: Mapping[tuple[int, int], int]) -> tuple[int, int]:
    """Means of one day that are judged, and those above."""
    if averaging == "1h":
        return day.hours, hours_above.get((day.datastream, day.on), 0)
    mean = day.hour_mean if averaging == "24h" else day.high_8h
    if day.hours < DAY_HOURS or mean is None:
        return 0, 0
    return 1, int(mean > limit.value)


def judge_year(limits: LimitBook, days: Iterable[AirDay], end_on: int) -> tuple[Judged, ...]:
    """Means of a year (of its days with enough hours) that ends on this day number, against the limits of that day."""
    grouped: dict[tuple[str, int, str, str], list[float]] = {}
    for day in days:
        if day.hours >= DAY_HOURS:
            grouped.setdefault((day.station, day.datastream, day.property, day.measure_unit), []).append(day.hour_mean)
    found = []
    for (station, datastream, property_, unit), means in sorted(grouped.items()):
        limit = limits.on(end_on, property_, unit, "year")
        if limit is not None and len(means) >= YEAR_DAYS:
            above = int(sum(means) / len(means) > limit.value)
            found.append(Judged(station, datastream, property_, "year", limit, 1, above))
    return tuple(found)
