"""The environment's KPIs once more, for the oracle: plain Python over core rows; shares no code with metrics/."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from tests.oracle_aqi import BREAKS, daily_index
from tests.oracle_flags import stream_flags

HOUR = 3_600_000_000
Answer = tuple[float | None, int]


def flagged_readings(connection: Connection) -> pd.DataFrame:
    """Every reading with its datastream, station (feed/id), area and the flag it should have."""
    rows = pd.read_sql(text("SELECT datastream_id, observed_at, value, flag AS held FROM core_reading"), connection)
    streams = pd.read_sql(text("SELECT id, feed, station_id, property, measure_unit, cadence_s FROM core_datastream"), connection)
    stations = pd.read_sql(text("SELECT feed, source_id AS station_id, area_code FROM core_station"), connection)
    found = rows.merge(streams, left_on="datastream_id", right_on="id").merge(stations, on=["feed", "station_id"])
    found["station"] = found["feed"] + "/" + found["station_id"]
    found["hour"] = found["observed_at"] // HOUR
    parts = []
    for (name, unit, _), own in found.groupby(["property", "measure_unit", "datastream_id"]):
        right = stream_flags(str(name), str(unit), list(zip(own["observed_at"], own["value"], own["held"], strict=True)))
        parts.append(own.assign(flag=own["observed_at"].map(right)))
    return pd.concat(parts).sort_values("observed_at", ignore_index=True) if parts else found.assign(flag=0)


class Environment:
    """The environment's KPIs of one store; `oracle` gives days, now and the rows."""

    def __init__(self, oracle: Any) -> None:
        self.oracle = oracle
        self.readings = flagged_readings(oracle.connection)
        self.sound = self.readings[self.readings["flag"] == 0]
        self.hours = self.sound.groupby(["area_code", "station", "datastream_id", "property", "hour"])["value"].mean().reset_index()
        self.kept: dict[Any, Any] = {}

    def answers(self, keys: Iterable[str], start: int, end: int, area: str) -> dict[str, Answer]:
        """Value and n of each of these KPIs over local days start..end."""
        end = min(end, self.oracle.today)
        return {key: KPIS[key](self, start, end, area) for key in keys if key in KPIS}

    def between(self, rows: pd.DataFrame, start: int, end: int, area: str) -> pd.DataFrame:
        """The readings of the days, in the area."""
        first, last = self.oracle.starts(start), self.oracle.starts(end + 1)
        rows = rows[(rows["observed_at"] >= first) & (rows["observed_at"] < last)]
        return rows[rows["area_code"] == area] if area else rows

    def day_hours(self, on: int, area: str) -> dict[str, dict[int, tuple[str, dict[int, float]]]]:
        """station -> datastream -> (property, hour -> mean) of a day, sound readings only."""
        key = ("hours", on, area)
        if key not in self.kept:
            first, last = self.oracle.starts(on) // HOUR, self.oracle.starts(on + 1) // HOUR
            rows = self.hours[(self.hours["hour"] >= first) & (self.hours["hour"] < last)]
            rows = rows[rows["area_code"] == area] if area else rows
            found: dict[str, dict[int, tuple[str, dict[int, float]]]] = {}
            for row in rows.itertuples():
                streams = found.setdefault(str(row.station), {})
                streams.setdefault(int(row.datastream_id), (str(row.property), {}))[1][int(row.hour)] = float(row.value)
            self.kept[key] = found
        return self.kept[key]

    def day_indices(self, on: int, area: str) -> list[int]:
        """Daily VN_AQI of every station that has one on a day."""
        first = self.oracle.starts(on) // HOUR
        found = []
        for streams in self.day_hours(on, area).values():
            air: dict[str, dict[int, float]] = {name: hours for name, hours in streams.values() if name in BREAKS}
            index = daily_index(air, first)
            found += [] if index is None else [index]
        return found

    def indices(self, start: int, end: int, area: str) -> list[int]:
        """Those of all days of a period."""
        return [index for on in range(start, end + 1) for index in self.day_indices(on, area)] if end - start < 366 else []

    def vn_aqi_daily(self, start: int, end: int, area: str) -> Answer:
        """The worst index of a station and day."""
        found = self.indices(start, end, area)
        return (float(max(found)) if found else None), len(found)

    def aqi_bad_days(self, start: int, end: int, area: str) -> Answer:
        """Stations' days above 100, of those with an index."""
        found = self.indices(start, end, area)
        return (float(sum(index > 100 for index in found)) if found else None), len(found)

    def readings_flagged_pct(self, start: int, end: int, area: str) -> Answer:
        """Flagged readings of all."""
        rows = self.between(self.readings, start, end, area)
        return (100.0 * int((rows["flag"] > 0).sum()) / len(rows) if len(rows) else None), len(rows)


KPIS: dict[str, Callable[[Environment, int, int, str], Answer]] = {
    "vn_aqi_daily": Environment.vn_aqi_daily,
    "aqi_bad_days": Environment.aqi_bad_days,
    "readings_flagged_pct": Environment.readings_flagged_pct,
}
