"""Stations: what they measure now, whether they report, their VN_AQI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from metrics.city import City, area_tree
from metrics.city.feeds import NEVER, freshness
from metrics.periods import Period
from metrics.vn_aqi import POLLUTANTS, AirDay, category, station_aqi, station_days
from store.days import DAY, HOUR, number_of
from store.flags import FLAG_KEYS
from store.retention import readings_from

DEFAULT_CADENCE_S = 3600
LONGEST_AQI_DAYS = 366
FLAG_DAYS = 7  # of a newest value older than that nobody is told whether it was flagged
FLAGGED_MOST = 500
AIR = (*POLLUTANTS, "tsp")


@dataclass(frozen=True)
class Measured:
    """The newest value of one datastream of a station. flag = why it is not believed (store.flags.FLAG_KEYS), '' = it is."""

    datastream_id: int
    property: str
    measure_unit: str
    name: str
    value: float
    observed_at: int
    state: str
    flag: str = ""


@dataclass(frozen=True)
class FlaggedReading:
    """One reading that is not believed, and why (store.flags.FLAG_KEYS)."""

    datastream_id: int
    observed_at: int
    value: float
    flag: str


@dataclass(frozen=True)
class StationState:
    """A station now. `state` is that of its newest reading against its cadence; `aqi` = hourly VN_AQI of the last full hour."""

    feed: str
    source_id: str
    name: str
    kind: str
    lon: float | None
    lat: float | None
    area_code: str
    state: str
    observed_at: int | None
    values: tuple[Measured, ...]
    aqi: int | None
    aqi_category: str | None
    aqi_dominant: str | None


def read(city: City, area: str = "") -> tuple[StationState, ...]:
    """Every station in scope, in order of feed and id. Requires see.stations."""
    city.scope.require("see.stations")
    with city.store.reading() as connection:
        where, values = in_scope(city, area, "s.")
        rows = connection.execute(
            text(
                "SELECT s.feed, s.source_id, s.name, s.kind, s.lon, s.lat, s.area_code, d.id, d.property, d.measure_unit, "
                "d.name AS stream_name, d.cadence_s, l.value, l.observed_at FROM core_station s LEFT JOIN core_datastream d "
                "ON d.feed = s.feed AND d.station_id = s.source_id LEFT JOIN core_latest l ON l.datastream_id = d.id "
                f"WHERE 1 = 1{where} ORDER BY s.feed, s.source_id, d.property, d.id"
            ),
            values,
        ).mappings().all()
        indices = {str(row.station): row for row in _hourly_aqi(connection, city, area).itertuples()}
        doubted = _flags_of_latest(connection, city)
    grouped: dict[tuple[str, str], list[Any]] = {}
    for row in rows:
        grouped.setdefault((row["feed"], row["source_id"]), []).append(row)
    return tuple(_station(city, rows, indices.get("/".join(key)), doubted) for key, rows in grouped.items())


def _flags_of_latest(connection: Connection, city: City) -> dict[int, str]:
    """Datastream -> flag of its newest reading, where it has one and is not older than FLAG_DAYS."""
    now_hour = city.as_of // HOUR
    rows = connection.execute(
        text(
            f"SELECT l.datastream_id, r.flag FROM core_latest l JOIN core_reading r ON r.hour = l.observed_at / {HOUR} "
            "AND r.datastream_id = l.datastream_id AND r.observed_at = l.observed_at "
            "WHERE r.flag <> 0 AND l.observed_at >= :since AND r.hour BETWEEN :first AND :last"
        ),
        {"since": city.as_of - FLAG_DAYS * DAY, "first": now_hour - 24 * FLAG_DAYS, "last": now_hour + 2},
    ).all()
    return {int(number): FLAG_KEYS[flag] for number, flag in rows}


def flagged_readings(city: City, datastream_ids: Sequence[int], first_at: int, last_at: int) -> tuple[FlaggedReading, ...]:
    """Flagged readings of datastreams, newest first, at most FLAGGED_MOST. Requires see.stations."""
    city.scope.require("see.stations")
    if not datastream_ids:
        return ()
    where, values = in_scope(city, "", "d.")
    names = {f"id{n}": number for n, number in enumerate(datastream_ids)}
    with city.store.reading() as connection:
        rows = connection.execute(
            text(
                "SELECT r.datastream_id, r.observed_at, r.value, r.flag FROM core_datastream d CROSS JOIN rollup_reading_hour h "
                "CROSS JOIN core_reading r WHERE h.datastream_id = d.id AND h.hour BETWEEN :first AND :last AND h.flagged > 0 "
                "AND r.hour = h.hour AND r.datastream_id = h.datastream_id AND r.flag <> 0 AND r.hour BETWEEN :first AND :last "
                f"AND d.id IN ({', '.join(':' + name for name in names)}){where} ORDER BY r.observed_at DESC LIMIT {FLAGGED_MOST}"
            ),
            {"first": first_at // HOUR, "last": last_at // HOUR, **names, **values},
        ).all()
    return tuple(FlaggedReading(row[0], row[1], row[2], FLAG_KEYS[row[3]]) for row in rows)


def _station(city: City, rows: Sequence[Any], index: Any, doubted: Mapping[int, str]) -> StationState:
    first = rows[0]
    cadence = cadence_of(city, first["feed"])
    values = tuple(
        Measured(
            row["id"], row["property"], row["measure_unit"], row["stream_name"], row["value"], row["observed_at"],
            freshness(max(0, city.as_of - row["observed_at"]) / 1e6, row["cadence_s"] or cadence), doubted.get(row["id"], ""),
        )
        for row in rows if row["value"] is not None
    )
    newest = max(values, key=lambda value: value.observed_at, default=None)
    aqi = None if index is None or pd.isna(index.aqi) else int(index.aqi)
    return StationState(
        first["feed"], first["source_id"], first["name"], first["kind"], first["lon"], first["lat"], first["area_code"],
        newest.state if newest else NEVER, newest.observed_at if newest else None, values, aqi,
        category(aqi).key if aqi is not None else None, index.dominant if aqi is not None else None,
    )


def cadence_of(city: City, feed: str) -> int:
    """The cadence promised for a feed, in seconds."""
    configured = next((row.cadence_s for row in city.config.feeds if row.key == feed), None)
    return configured or DEFAULT_CADENCE_S


def in_scope(city: City, area: str, prefix: str) -> tuple[str, dict[str, Any]]:
    """AND conditions on <prefix>area_code, and their values: the area asked for ('' = all), within those of the reader."""
    parts, values = [], {}
    if area:
        parts.append(f"{prefix}area_code IN ({area_tree.below('area')})")
        values["area"] = area
    if city.scope.areas is not None:
        names = [f"scope_area_{n}" for n in range(len(city.scope.areas))]
        parts.append(f"{prefix}area_code IN ({', '.join(':' + name for name in names) or 'NULL'})")
        values.update(zip(names, city.scope.areas, strict=True))
    return "".join(f" AND {part}" for part in parts), values


def reporting_in(connection: Connection, city: City, area: str, ends_at: int | None) -> tuple[int, int]:
    """(stations with a reading within twice their feed's cadence before the instant, stations known). None = now."""
    reporting = known = 0
    where, values = in_scope(city, area, "s.")
    feeds = connection.execute(text("SELECT DISTINCT feed FROM core_station")).scalars().all()
    for feed in feeds:
        window = 2 * cadence_of(city, feed) * 1_000_000
        at = city.as_of if ends_at is None else ends_at
        if ends_at is None:
            seen = "EXISTS (SELECT 1 FROM core_datastream d JOIN core_latest l ON l.datastream_id = d.id WHERE d.feed = s.feed " \
                   "AND d.station_id = s.source_id AND l.observed_at >= :since)"
            since = at - window
        else:
            # from readings: an hour's sum does not tell when in it a station spoke
            seen = "EXISTS (SELECT 1 FROM core_datastream d JOIN core_reading r ON r.datastream_id = d.id WHERE d.feed = s.feed AND " \
                   "d.station_id = s.source_id AND r.hour BETWEEN :first AND :last AND r.observed_at >= :since AND r.observed_at < :at)"
            since = at - window
            if since < readings_from(connection) * HOUR:
                return 0, 0  # readings of then are gone: nobody knows who spoke
            values.update(first=since // HOUR, last=(at - 1) // HOUR, at=at)
        row = connection.execute(
            text(f"SELECT count(*), sum(CASE WHEN {seen} THEN 1 ELSE 0 END) FROM core_station s WHERE s.feed = :feed{where}"),
            {"feed": feed, "since": since, **values},
        ).one()
        known, reporting = known + int(row[0]), reporting + int(row[1] or 0)
    return reporting, known


def worst_aqi_in(connection: Connection, city: City, area: str, period: Period, ends_at: int | None) -> tuple[float | None, int]:
    """Highest VN_AQI and how many were compared: running period = hourly indices of stations, past = their daily indices."""
    if ends_at is None:
        found = _hourly_aqi(connection, city, area)["aqi"].dropna()
    else:
        found = daily_indices(connection, city, area, number_of(period.start_on), number_of(period.end_on))["aqi"]
    return (float(found.max()) if len(found) else None), len(found)


def _hourly_aqi(connection: Connection, city: City, area: str) -> pd.DataFrame:
    """station, aqi, dominant, category, n at the last full hour before the city's now."""
    hour, key = city.as_of // HOUR - 1, ("hourly_aqi", area)
    if key not in city.memo:
        city.memo[key] = station_aqi(_hour_means(connection, city, area, hour - 11, hour), hour)
    found: pd.DataFrame = city.memo[key]
    return found


def daily_indices(connection: Connection, city: City, area: str, start_on: int, end_on: int) -> pd.DataFrame:
    """station, day, aqi, dominant: daily VN_AQI of every station and day that has one; empty beyond LONGEST_AQI_DAYS days."""
    key = ("daily_aqi", area, start_on, end_on)
    if key not in city.memo:
        days = air_days(connection, city, area, start_on, end_on) if end_on - start_on < LONGEST_AQI_DAYS else []
        rows = [(*about, *index) for about, index in station_days(days).items()]
        city.memo[key] = pd.DataFrame(rows, columns=["station", "day", "aqi", "dominant"])
    found: pd.DataFrame = city.memo[key]
    return found


def air_days(connection: Connection, city: City, area: str, start_on: int, end_on: int) -> list[AirDay]:
    """Every day of air datastreams that has an hour with readings."""
    key = ("air_days", area, start_on, end_on)
    if key not in city.memo:
        where, values = in_scope(city, area, "d.")
        names = {f"p{n}": name for n, name in enumerate(AIR)}
        rows = connection.execute(
            text(
                "SELECT d.id, d.feed || '/' || d.station_id, d.property, d.measure_unit, r.day, r.hours, r.hour_mean, r.hour_high, "
                "r.high_8h FROM rollup_reading_day r JOIN core_datastream d ON d.id = r.datastream_id WHERE r.day BETWEEN :start AND :end "
                f"AND r.hours > 0 AND d.property IN ({', '.join(':' + name for name in names)}){where}"
            ),
            {"start": start_on, "end": end_on, **names, **values},
        ).all()
        city.memo[key] = [AirDay(*row) for row in rows]
    found: list[AirDay] = city.memo[key]
    return found


def flagged_in(connection: Connection, city: City, area: str, start_on: int, end_on: int) -> tuple[int, int]:
    """(readings flagged, readings in all) of the days."""
    where, values = in_scope(city, area, "d.")
    row = connection.execute(
        text(
            "SELECT coalesce(sum(r.flagged), 0), coalesce(sum(r.n + r.flagged), 0) FROM rollup_reading_day r "
            f"JOIN core_datastream d ON d.id = r.datastream_id WHERE r.day BETWEEN :start AND :end{where}"
        ),
        {"start": start_on, "end": end_on, **values},
    ).one()
    return int(row[0]), int(row[1])


def _hour_means(connection: Connection, city: City, area: str, first_hour: int, last_hour: int) -> pd.DataFrame:
    """station (feed/id), property, hour, mean of the pollutants over an hour range."""
    where, values = in_scope(city, area, "d.")
    names = {f"p{n}": name for n, name in enumerate(POLLUTANTS)}
    rows = connection.execute(
        text(
            "SELECT d.feed || '/' || d.station_id, d.property, h.hour, sum(h.total) / sum(h.n) FROM core_datastream d "
            "CROSS JOIN rollup_reading_hour h WHERE h.datastream_id = d.id AND h.hour BETWEEN :first AND :last AND h.n > 0 "
            f"AND d.property IN ({', '.join(':' + name for name in names)}){where} GROUP BY 1, 2, 3"
        ),
        {"first": first_hour, "last": last_hour, **names, **values},
    ).all()
    # plain tuples: pandas reads SQLAlchemy's rows by name, column by column, ten times slower
    return pd.DataFrame([tuple(row) for row in rows], columns=["station", "property", "hour", "mean"])


def hour_series(city: City, datastream_id: int, first_at: int, last_at: int) -> pd.DataFrame:
    """hour_at (microseconds UTC), mean, low, high, n, flagged of one datastream; hours without readings are absent.

    Where all readings are flagged n is 0 and mean, low and high are missing. Requires see.stations.
    """
    city.scope.require("see.stations")
    where, values = in_scope(city, "", "d.")
    with city.store.reading() as connection:
        rows = connection.execute(
            text(
                f"SELECT h.hour * {HOUR}, h.total / nullif(h.n, 0), CASE WHEN h.n > 0 THEN h.low END, CASE WHEN h.n > 0 THEN h.high END, "
                "h.n, h.flagged FROM rollup_reading_hour h JOIN core_datastream d "
                f"ON d.id = h.datastream_id WHERE d.id = :id AND h.hour BETWEEN :first AND :last{where} ORDER BY h.hour"
            ),
            {"id": datastream_id, "first": first_at // HOUR, "last": last_at // HOUR, **values},
        ).all()
    return pd.DataFrame(rows, columns=["hour_at", "mean", "low", "high", "n", "flagged"])


