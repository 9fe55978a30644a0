"""Air against the limits of the standard: which means of hours, days and years of which stations were above them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

from metrics.air_limits import Judged, Limit, LimitBook, judge_days, judge_year, limits_of
from metrics.city import City
from metrics.city.measured import stations
from metrics.periods import Period
from metrics.vn_aqi import AirDay
from store.days import HOUR, date_of, number_of

LONGEST_DAYS = 366


@dataclass(frozen=True)
class Exceedance:
    """One datastream's means of one averaging in a period: judged, above, and the limit they were set against."""

    station: str
    property: str
    averaging: str
    judged: int
    above: int
    limit: Limit


def exceedances(city: City, period: Period, area: str = "") -> tuple[Exceedance, ...]:
    """Per station, property and averaging, most exceedances first; empty beyond LONGEST_DAYS days. Requires see.stations."""
    city.scope.require("see.stations")
    end_on = min(number_of(period.end_on), city.today_on)
    with city.store.reading() as connection:
        found = judged_in(connection, city, area, number_of(period.start_on), end_on)
    rows = (Exceedance(row.station, row.property, row.averaging, row.judged, row.above, row.limit) for row in found)
    return tuple(sorted(rows, key=lambda row: (-row.above, row.station, row.property, row.averaging)))


def judged_in(connection: Connection, city: City, area: str, start_on: int, end_on: int) -> tuple[Judged, ...]:
    """Every mean of the days, and of the years that end in them, against its limit."""
    key = ("air_limits", area, start_on, end_on)
    if key not in city.memo:
        city.memo[key] = _judged(connection, city, area, start_on, end_on) if end_on - start_on < LONGEST_DAYS else ()
    found: tuple[Judged, ...] = city.memo[key]
    return found


def _judged(connection: Connection, city: City, area: str, start_on: int, end_on: int) -> tuple[Judged, ...]:
    limits = LimitBook(limits_of(city.config.limits))
    days = stations.air_days(connection, city, area, start_on, end_on)
    found = judge_days(limits, days, _hours_above(connection, city, limits, days))
    for year in range(date_of(start_on).year, date_of(end_on).year + 1):
        last = number_of(date(year, 12, 31))
        if start_on <= last <= min(end_on, city.today_on - 1):
            found += judge_year(limits, stations.air_days(connection, city, area, number_of(date(year, 1, 1)), last), last)
    return found


def _hours_above(
    connection: Connection, city: City, limits: LimitBook, days: Iterable[AirDay],
) -> dict[tuple[int, int], int]:
    """(datastream, day) -> whole hours above the 1 h limit; only days whose highest hour is above it are looked into."""
    found: dict[tuple[int, int], int] = {}
    clock = city.store.days
    for day in days:
        limit = limits.on(day.on, day.property, day.measure_unit, "1h")
        if limit is None or day.hour_high <= limit.value:
            continue
        first, last = -(-clock.starts_at(day.on) // HOUR), clock.starts_at(day.on + 1) // HOUR
        found[day.datastream, day.on] = int(connection.execute(
            text(
                "SELECT count(*) FROM rollup_reading_hour WHERE datastream_id = :id AND hour >= :first AND hour < :last AND n > 0 "
                "AND total / n > :limit"
            ),
            {"id": day.datastream, "first": first, "last": last, "limit": limit.value},
        ).scalar_one())
    return found
