"""Rivers and rain: levels against the alarm levels of their station, rain of the last 24 hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from config.limits import WaterAlarm
from metrics.city import City
from metrics.city.feeds import FRESH, LATE, freshness
from metrics.city.measured.stations import cadence_of, in_scope
from metrics.water import RainClass, rain_class, state_of
from store.days import HOUR

RAIN_HOURS = 24
RAIN_LEAST_HOURS = 18  # hours with readings of the 24; with fewer the sum says nothing


@dataclass(frozen=True)
class WaterLevel:
    """A station's newest level beside its alarm levels. state (metrics.water.STATES) is None while the level is old or flagged."""

    feed: str
    station: str
    datastream_id: int
    alarm: WaterAlarm
    level: float
    observed_at: int
    freshness: str
    state: str | None


@dataclass(frozen=True)
class RainDay:
    """Rain of the last 24 whole hours at a station: sum in mm, hours with readings, class (None = too few hours)."""

    feed: str
    station: str
    datastream_id: int
    mm: float
    hours: int
    rain: RainClass | None


def levels(city: City, area: str = "") -> tuple[WaterLevel, ...]:
    """Every station with alarm levels that has sent a level. Requires see.stations."""
    city.scope.require("see.stations")
    with city.store.reading() as connection:
        return levels_in(connection, city, area)


def levels_in(connection: Connection, city: City, area: str) -> tuple[WaterLevel, ...]:
    """The same inside a transaction of the caller."""
    alarms = _alarms(city)
    if not alarms:
        return ()
    where, values = in_scope(city, area, "d.")
    rows = connection.execute(
        text(
            "SELECT d.feed, d.station_id, d.id, d.measure_unit, d.cadence_s, l.value, l.observed_at FROM core_datastream d "
            f"JOIN core_latest l ON l.datastream_id = d.id WHERE d.property = 'level'{where} ORDER BY d.feed, d.station_id, d.id"
        ),
        values,
    ).mappings().all()
    own = [(row, alarms[key]) for row in rows if (key := (row["feed"], row["station_id"])) in alarms]
    return tuple(_level(connection, city, row, alarm) for row, alarm in own if row["measure_unit"] == alarm.measure_unit)


def _alarms(city: City) -> dict[tuple[str, str], WaterAlarm]:
    return {(row.feed, row.station): row for row in city.config.water_alarms}


def _level(connection: Connection, city: City, row: Any, alarm: WaterAlarm) -> WaterLevel:
    at = row["observed_at"]
    state = freshness(max(0, city.as_of - at) / 1e6, row["cadence_s"] or cadence_of(city, row["feed"]))
    flag = connection.execute(
        text("SELECT flag FROM core_reading WHERE hour = :hour AND datastream_id = :id AND observed_at = :at"),
        {"hour": at // HOUR, "id": row["id"], "at": at},
    ).scalar()
    is_known = state in (FRESH, LATE) and not flag
    return WaterLevel(
        row["feed"], row["station_id"], row["id"], alarm, row["value"], at, state, state_of(row["value"], alarm) if is_known else None,
    )


def over_alarm_in(connection: Connection, city: City, area: str, start_on: int, end_on: int, is_now: bool) -> tuple[int, int]:
    """(stations at alarm I or higher, stations judged): now by their newest level, of past days by their highest."""
    if is_now:
        known = [row.state for row in levels_in(connection, city, area) if row.state is not None]
        return sum(state != "below" for state in known), len(known)
    alarms = _alarms(city)
    where, values = in_scope(city, area, "d.")
    rows = connection.execute(
        text(
            "SELECT d.feed, d.station_id, d.measure_unit, max(r.high) FROM core_datastream d "
            "CROSS JOIN rollup_reading_day r WHERE r.datastream_id = d.id AND r.day BETWEEN :start AND :end AND r.n > 0 "
            f"AND d.property = 'level'{where} GROUP BY d.id, d.feed, d.station_id, d.measure_unit"
        ),
        {"start": start_on, "end": end_on, **values},
    ).all()
    over = judged = 0
    for feed, station, unit, high in rows:
        alarm = alarms.get((feed, station))
        if alarm is not None and unit == alarm.measure_unit:
            judged, over = judged + 1, over + int(float(high) >= alarm.alarm_1)
    return over, judged


def rain(city: City, area: str = "") -> tuple[RainDay, ...]:
    """Rain of the last 24 whole hours of every station that measures it. Requires see.stations."""
    city.scope.require("see.stations")
    where, values = in_scope(city, area, "d.")
    last = city.as_of // HOUR
    with city.store.reading() as connection:
        rows = connection.execute(
            text(
                "SELECT d.feed, d.station_id, d.id, sum(h.total), count(*) FROM core_datastream d CROSS JOIN rollup_reading_hour h "
                "WHERE h.datastream_id = d.id AND h.hour >= :first AND h.hour < :last AND h.n > 0 AND d.property = 'rain' "
                f"AND d.measure_unit = 'mm'{where} GROUP BY d.feed, d.station_id, d.id ORDER BY 1, 2, 3"
            ),
            {"first": last - RAIN_HOURS, "last": last, **values},
        ).all()
    return tuple(
        RainDay(row[0], row[1], row[2], float(row[3]), int(row[4]), rain_class(float(row[3])) if row[4] >= RAIN_LEAST_HOURS else None)
        for row in rows
    )
