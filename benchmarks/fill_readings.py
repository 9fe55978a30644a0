"""A year of readings as roll-ups alone, made by the database from hours x datastreams: raw readings of then have had their time."""

from __future__ import annotations

from itertools import cycle

from sqlalchemy import text

from benchmarks import province
from data_sources.demo.geography import geography
from data_sources.demo.stations import streams
from store import schema
from store.days import HOUR
from store.engine import Store
from store.landing import Landing, land
from store.retention import READINGS_FROM
from store.revisions import bump
from store.rows import DatastreamRow, Parsed, StationRow

AN_HOUR = 12  # readings of a datastream
_VALUE = "(10 + (h.hour * 7 + d.id * 13) % 24 + (d.id % 5))"
_HOURS = (
    "INSERT INTO rollup_reading_hour (hour, datastream_id, n, total, low, high, flagged, lowest, highest) SELECT h.hour, d.id, "
    f"{AN_HOUR}, {AN_HOUR} * {_VALUE}, {_VALUE} - 2, {_VALUE} + 3, CASE WHEN (h.hour + d.id) % 500 = 0 THEN 1 ELSE 0 END, {_VALUE} - 2, "
    f"{_VALUE} + 3 FROM fill_hours h CROSS JOIN core_datastream d ORDER BY h.hour, d.id"
)
_SUMS = "sum(r.n), sum(r.total), min(r.low), max(r.high), sum(r.flagged)"
_AREAS = (
    "INSERT INTO rollup_reading_hour_area (hour, area_code, property, n, total, low, high, flagged) SELECT r.hour, d.area_code, "
    f"d.property, {_SUMS} FROM rollup_reading_hour r JOIN core_datastream d ON d.id = r.datastream_id "
    "WHERE r.hour BETWEEN :first AND :last GROUP BY r.hour, d.area_code, d.property"
)
_DAYS = (
    "INSERT INTO rollup_reading_day (day, datastream_id, n, total, low, high, flagged, hours, hour_mean, hour_high, high_8h) "
    f"SELECT h.day, r.datastream_id, {_SUMS}, count(*), avg(r.total / r.n), max(r.total / r.n), max(r.total / r.n) "
    "FROM fill_hours h CROSS JOIN rollup_reading_hour r WHERE r.hour = h.hour AND h.hour BETWEEN :first AND :last "
    "GROUP BY h.day, r.datastream_id"
)


def fill_readings(store: Store, datastreams: int, days: int) -> None:
    """Stations of several datastreams each, and their sums of every hour, area and day until now."""
    land(store, _network(datastreams), Landing("sensors", "sensors", province.now_at()))
    last = province.now_at() // HOUR - 1
    hours = range(last - 24 * days + 1, last + 1)
    index = next(iter(schema.reading_hour.indexes))
    index.drop(store.engine)
    with store.writing() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE fill_hours (hour INTEGER PRIMARY KEY, day INTEGER)"))
        connection.execute(
            text("INSERT INTO fill_hours VALUES (:hour, :day)"), [{"hour": hour, "day": store.days.on(hour * HOUR)} for hour in hours]
        )
        connection.execute(text(_HOURS))
    index.create(store.engine)
    for start in range(0, len(hours), 24 * 31):  # a month at a time: what is grouped is sorted first
        part = hours[start : start + 24 * 31]
        with store.writing() as connection:
            connection.execute(text(_AREAS), {"first": part[0], "last": part[-1]})
    with store.writing() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE IF NOT EXISTS fill_hours (hour INTEGER PRIMARY KEY, day INTEGER)"))
        connection.execute(text("DELETE FROM fill_hours"))
        connection.execute(
            text("INSERT INTO fill_hours VALUES (:hour, :day)"), [{"hour": hour, "day": store.days.on(hour * HOUR)} for hour in hours]
        )
        connection.execute(text(_DAYS), {"first": hours[0], "last": hours[-1]})
        connection.execute(text("DROP TABLE fill_hours"))
        now = province.now_at()
        connection.execute(text(
            "INSERT INTO core_latest (datastream_id, observed_at, value, landed_at) SELECT id, :at, 20, :at FROM core_datastream"
        ), {"at": now})
        connection.execute(text(
            "INSERT INTO ops_clock (name, at) VALUES (:name, :at) ON CONFLICT (name) DO UPDATE SET at = excluded.at"
        ), {"name": READINGS_FROM, "at": (last + 1) * HOUR})
        connection.execute(text("UPDATE ops_feed SET newest_at = :at WHERE feed = 'sensors'"), {"at": now})
        bump(connection, "readings", now)


def _network(datastreams: int) -> Parsed:
    """Five datastreams a station, of the demo's properties, spread over the communes."""
    kinds = list({s.property.key: s.property for s in streams()}.values())
    communes = [area.code for area in geography().communes]
    stations = range((datastreams + 4) // 5)
    return Parsed(
        stations=tuple(StationRow(f"S{n}", f"Trạm {n}", "air", area=communes[n % len(communes)]) for n in stations),
        datastreams=tuple(
            DatastreamRow(f"T{n}", f"S{n // 5}", kind.key, kind.symbol, f"{kind.key} {n}")
            for n, kind in zip(range(datastreams), cycle(kinds), strict=False)
        ),
        item_count=1,
    )
