"""Lands stations, datastreams and readings. A reading is a value at (hour, datastream, instant); the latest one wins per instant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, select, text

from store import schema
from store.flags import CLOCK_SKEW, SKEW_S, SOUND
from store.locks import lock_fold
from store.partitions import HOUR_US, ensure_partitions
from store.rows import DatastreamRow, ReadingRow, StationRow
from store.stage import fill_stage


def land_stations(connection: Connection, feed: str, stations: Iterable[StationRow], areas: Mapping[str, str]) -> None:
    """Upsert stations; `areas` maps source id to area code. A station that moved takes its datastreams along."""
    for row in stations:
        connection.execute(
            text(
                "INSERT INTO core_station (feed, source_id, name, kind, lon, lat, area_code) "
                "VALUES (:feed, :id, :name, :kind, :lon, :lat, :area) ON CONFLICT (feed, source_id) DO UPDATE SET "
                "name = excluded.name, kind = excluded.kind, lon = excluded.lon, lat = excluded.lat, area_code = excluded.area_code"
            ),
            {
                "feed": feed, "id": row.source_id, "name": row.name, "kind": row.kind, "lon": row.lon, "lat": row.lat,
                "area": areas.get(row.source_id, ""),
            },
        )
        here = {"feed": feed, "id": row.source_id, "area": areas.get(row.source_id, "")}
        moved = "feed = :feed AND station_id = :id AND area_code <> :area"
        if connection.execute(text(f"SELECT 1 FROM core_datastream WHERE {moved}"), here).first():
            _log_hours(connection, moved, here)
            connection.execute(text(f"UPDATE core_datastream SET area_code = :area WHERE {moved}"), here)


def land_datastreams(connection: Connection, feed: str, rows: Iterable[DatastreamRow]) -> None:
    """Upsert datastreams; their area is their station's. One that is described anew moves its hours to their new cells."""
    for row in rows:
        values = {
            "feed": feed, "id": row.source_id, "station": row.station_id, "property": row.property,
            "measure_unit": row.measure_unit, "name": row.name, "cadence": row.cadence_s,
        }
        area = "coalesce((SELECT area_code FROM core_station WHERE feed = :feed AND source_id = :station), '')"
        used = {name: values[name] for name in ("feed", "id", "station", "property", "measure_unit")}
        anew = f"property <> :property OR measure_unit <> :measure_unit OR area_code <> {area}"  # flags go by the measure unit too
        changed = f"feed = :feed AND source_id = :id AND ({anew})"
        if connection.execute(text(f"SELECT 1 FROM core_datastream WHERE {changed}"), used).first():
            _log_hours(connection, changed, used)
        connection.execute(
            text(
                "INSERT INTO core_datastream (feed, source_id, station_id, property, measure_unit, name, cadence_s, area_code) "
                f"VALUES (:feed, :id, :station, :property, :measure_unit, :name, :cadence, {area}) "
                "ON CONFLICT (feed, source_id) DO UPDATE SET "
                "station_id = excluded.station_id, property = excluded.property, measure_unit = excluded.measure_unit, "
                "name = excluded.name, cadence_s = excluded.cadence_s, area_code = excluded.area_code"
            ),
            values,
        )


def _log_hours(connection: Connection, streams: str, values: Mapping[str, Any]) -> None:
    """Log every folded hour of these datastreams under the area and property they still have; the fold adds those they get."""
    lock_fold(connection, "readings")
    connection.execute(
        text(
            "INSERT INTO ops_dirty (topic, bucket, k1, k2, ref) SELECT 'readings', h.hour, s.area_code, s.property, h.datastream_id "
            f"FROM (SELECT id, area_code, property FROM core_datastream WHERE {streams}) s "
            "JOIN rollup_reading_hour h ON h.datastream_id = s.id"
        ),
        values,
    )


def datastream_ids(connection: Connection, feed: str) -> dict[str, int]:
    """Source id -> number of every datastream of a feed."""
    found = connection.execute(select(schema.datastream.c.source_id, schema.datastream.c.id).where(schema.datastream.c.feed == feed))
    return dict(found.all())


def land_readings(connection: Connection, rows: Iterable[ReadingRow], ids: Mapping[str, int], now: int, *, track: bool = True) -> int:
    """Upsert readings of known datastreams; returns how many were new or different. The last of equal keys wins."""
    staged: dict[tuple[int, int], float] = {(ids[row.datastream_id], row.observed_at): row.value for row in rows}
    if not staged:
        return 0
    ensure_partitions(connection, {at // HOUR_US for _, at in staged})
    ordered = sorted((at // HOUR_US, number, at, value) for (number, at), value in staged.items())
    fill_stage(connection, "stage_readings", schema.reading, ("hour", "datastream_id", "observed_at", "value"), ordered)
    run = connection.execute
    run(
        text(
            "DELETE FROM stage_readings AS s WHERE EXISTS (SELECT 1 FROM core_reading r WHERE r.hour = s.hour AND "
            "r.datastream_id = s.datastream_id AND r.observed_at = s.observed_at AND r.value = s.value "
            "AND r.hour BETWEEN :first AND :last)"  # without these PostgreSQL joins all partitions (20 times slower)
        ),
        {"first": ordered[0][0], "last": ordered[-1][0]},
    )
    if track:
        run(
            text(
                "INSERT INTO ops_dirty (topic, bucket, k1, ref) SELECT 'readings', s.hour, d.area_code, s.datastream_id FROM "
                "(SELECT DISTINCT hour, datastream_id FROM stage_readings) s JOIN core_datastream d ON d.id = s.datastream_id"
            )
        )
    changed = run(
        text(
            "INSERT INTO core_reading (hour, datastream_id, observed_at, value, flag) SELECT hour, datastream_id, observed_at, value, "
            f"CASE WHEN observed_at > :ahead THEN {CLOCK_SKEW} ELSE {SOUND} END FROM stage_readings WHERE true "
            "ON CONFLICT (hour, datastream_id, observed_at) DO UPDATE SET value = excluded.value, flag = excluded.flag"
        ),
        {"ahead": now + SKEW_S * 1_000_000},  # the other flags are the fold's: it judges every hour logged here
    ).rowcount
    _note_latest(connection, now)
    return changed


def _note_latest(connection: Connection, now: int) -> None:
    connection.execute(
        text(
            "INSERT INTO core_latest (datastream_id, observed_at, value, landed_at) SELECT datastream_id, observed_at, value, :now FROM "
            "(SELECT datastream_id, observed_at, value, row_number() OVER (PARTITION BY datastream_id ORDER BY observed_at DESC) AS place "
            "FROM stage_readings) newest WHERE place = 1 ON CONFLICT (datastream_id) DO UPDATE SET observed_at = excluded.observed_at, "
            "value = excluded.value, landed_at = excluded.landed_at WHERE excluded.observed_at >= core_latest.observed_at"
        ),
        {"now": now},
    )


def newest_reading(rows: Iterable[ReadingRow]) -> int | None:
    """The newest observed instant of a batch, None when empty."""
    return max((row.observed_at for row in rows), default=None)


def unknown_datastreams(rows: Iterable[ReadingRow], ids: Mapping[str, Any]) -> set[str]:
    """Source ids of datastreams that readings name but no batch has described."""
    return {row.datastream_id for row in rows} - ids.keys()
