"""The environment's KPIs once more, for the oracle: plain Python over core rows; shares no code with metrics/."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
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
        self.readings = flagged_readings(oracle.connection)  # in the order of their instants
        self.sound = self.readings[self.readings["flag"] == 0]
        self.hours = self.sound.groupby(["area_code", "station", "datastream_id", "property", "hour"])["value"].mean().reset_index()
        self.hours = self.hours.sort_values("hour", kind="stable", ignore_index=True)
        own = self.readings.drop_duplicates("datastream_id")
        self.units = dict(zip(own["datastream_id"], own["measure_unit"], strict=True))
        self.kept: dict[Any, Any] = {}

    def answers(self, keys: Iterable[str], start: int, end: int, area: str) -> dict[str, Answer]:
        """Value and n of each of these KPIs over local days start..end."""
        end = min(end, self.oracle.today)
        for key in keys:
            if key in KPIS and (key, start, end, area) not in self.kept:
                self.kept[key, start, end, area] = KPIS[key](self, start, end, area)
        return {key: self.kept[key, start, end, area] for key in keys if key in KPIS}

    def between(self, rows: pd.DataFrame, start: int, end: int, area: str) -> pd.DataFrame:
        """The readings of the days, in the area."""
        first, last = self.oracle.starts(start), self.oracle.starts(end + 1)
        low, high = np.searchsorted(rows["observed_at"].to_numpy(), [first, last])  # readings lie in the order of their instants
        rows = rows.iloc[low:high]
        return rows[rows["area_code"] == area] if area else rows

    def day_hours(self, on: int, area: str) -> dict[str, dict[int, tuple[str, dict[int, float]]]]:
        """station -> datastream -> (property, hour -> mean) of a day, sound readings only."""
        key = ("hours", on, area)
        if key not in self.kept:
            first, last = self.oracle.starts(on) // HOUR, self.oracle.starts(on + 1) // HOUR
            low, high = np.searchsorted(self.hours["hour"].to_numpy(), [first, last])
            rows = self.hours.iloc[low:high]
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

    def qcvn_exceedances(self, start: int, end: int, area: str) -> Answer:
        """Means above the limit of their day, of all that are judged."""
        if end - start >= 366:
            return None, 0
        judged = above = 0
        for on in range(start, end + 1):
            for name, unit, hours in self.air_hours(on, area):
                for averaging, means in averages(hours, self.oracle.starts(on) // HOUR, self.oracle.starts(on + 1) // HOUR).items():
                    limit = self.limit(name, unit, averaging, on)
                    judged += 0 if limit is None else len(means)
                    above += 0 if limit is None else sum(mean > limit for mean in means)
            year = self.years_means(on, area) if day_of(on).strftime("%m-%d") == "12-31" and on < self.oracle.today else []
            for name, unit, mean in year:
                limit = self.limit(name, unit, "year", on)
                judged += limit is not None
                above += limit is not None and mean > limit
        return (float(above) if judged else None), judged

    def air_hours(self, on: int, area: str) -> list[tuple[str, str, dict[int, float]]]:
        """(property, measure unit, hour -> mean) of every datastream of a day."""
        return [
            (name, self.units[ref], hours) for streams in self.day_hours(on, area).values() for ref, (name, hours) in streams.items()
        ]

    def years_means(self, last: int, area: str) -> list[tuple[str, str, float]]:
        """(property, measure unit, mean of its day means) of every datastream with 274 whole days in the year that ends so."""
        days: dict[int, tuple[str, str, list[float]]] = {}
        for on in range(number_of(day_of(last).replace(month=1, day=1)), last + 1):
            for streams in self.day_hours(on, area).values():
                for ref, (name, hours) in streams.items():
                    if len(hours) >= 18:
                        days.setdefault(ref, (name, self.units[ref], []))[2].append(sum(hours.values()) / len(hours))
        return [(name, unit, sum(means) / len(means)) for name, unit, means in days.values() if len(means) >= 274]

    def limit(self, name: str, unit: str, averaging: str, on: int) -> float | None:
        """The limit of a day: the city's own row first, then the standard's."""
        day = day_of(on).isoformat()
        for row in self.oracle.limits:
            until = row.valid_to or "9999"
            if (row.property, row.averaging) == (name, averaging) and row.valid_from <= day <= until:
                return row.value if row.measure_unit == unit else None
        if unit != "µg/m³" or day < "2023-09-12":
            return None
        if (name, averaging) == ("pm25", "24h"):
            return 50.0 if day < "2026-01-01" else 45.0
        return QCVN.get(name, {}).get(averaging)

    def water_stations_over_alarm(self, start: int, end: int, area: str) -> Answer:
        """Stations at their first alarm level: now by a sound newest level not older than two cadences, before by the highest one."""
        alarms = {(row.feed, row.station): row for row in self.oracle.alarms}
        over = judged = 0
        for (feed, station, unit), own in self.levels.items():
            alarm = alarms.get((feed, station))
            if alarm is None or alarm.measure_unit != unit or (area and own["area_code"].iloc[0] != area):
                continue
            if end >= self.oracle.today:
                newest = own.iloc[-1]
                if newest["flag"] or self.oracle.as_of - newest["observed_at"] > 2_000_000 * self.cadence(feed, newest["cadence_s"]):
                    continue
                level = float(newest["value"])
            else:
                seen = self.between(own[own["flag"] == 0], start, end, area)
                if seen.empty:
                    continue
                level = float(seen["value"].max())
            judged += 1
            over += level >= alarm.alarm_1
        return (float(over) if judged else None), judged

    @cached_property
    def levels(self) -> dict[Any, pd.DataFrame]:
        """Water levels of each feed, station and unit."""
        rows = self.readings[self.readings["property"] == "level"]
        return dict(iter(rows.groupby(["feed", "station_id", "measure_unit"])))

    def cadence(self, feed: str, own: float | None) -> int:
        """Seconds between readings: the datastream's own, else the feed's, else an hour."""
        if own is not None and not pd.isna(own):
            return int(own)
        return next((row.cadence_s for row in self.oracle.feeds if row.key == feed), None) or 3600

    def devices_uptime_pct(self, start: int, end: int, area: str) -> Answer:
        """Slots of an hour (or of a longer cadence) with sound readings, of those since a datastream first spoke; whole hours only."""
        now = self.oracle.as_of // HOUR
        heard = expected = 0
        days = [(self.oracle.starts(on) // HOUR, self.oracle.starts(on + 1) // HOUR) for on in range(start, end + 1)]
        for of, first, step, spoken in self.devices:
            if first >= self.oracle.starts(end + 1) // HOUR or (area and of != area):
                continue
            due = sum(max(0, min(after, now) - max(begin, first)) // step for begin, after in days)
            counts = [int(np.diff(np.searchsorted(spoken, [begin, max(begin, min(after, now))]))[0]) for begin, after in days]
            heard += min(due, sum(min(count, 24 // step) if step > 1 else count for count in counts))
            expected += due
        return (100.0 * heard / expected if expected else None), expected

    @cached_property
    def devices(self) -> list[tuple[str, int, int, np.ndarray]]:
        """Area, first hour, hours of a slot and the hours with sound readings of every datastream."""
        return [
            (
                own["area_code"].iloc[0], int(own["hour"].min()),
                max(1, math.ceil(self.cadence(feed, own["cadence_s"].iloc[0]) / 3600)), np.unique(own.loc[own["flag"] == 0, "hour"]),
            )
            for (_, feed), own in self.readings.groupby(["datastream_id", "feed"])
        ]

    def cameras_online_pct(self, start: int, end: int, area: str) -> Answer:
        """Cameras whose newest reading, not older than two cadences, is 1; of past days the readings that are 1."""
        rows = self.readings[self.readings["property"] == "online"]
        rows = rows[rows["area_code"] == area] if area else rows
        if end < self.oracle.today:
            values = self.between(rows[rows["flag"] == 0], start, end, area)["value"].tolist()
        else:
            newest = rows.sort_values("observed_at").groupby("datastream_id").tail(1)
            ages = [
                (row.value, self.oracle.as_of - row.observed_at, self.cadence(row.feed, row.cadence_s)) for row in newest.itertuples()
            ]
            values = [value for value, age, cadence in ages if age <= 2_000_000 * cadence]
        return (100.0 * sum(values) / len(values) if values else None), len(values)

    def readings_flagged_pct(self, start: int, end: int, area: str) -> Answer:
        """Flagged readings of all."""
        rows = self.between(self.readings, start, end, area)
        return (100.0 * int((rows["flag"] > 0).sum()) / len(rows) if len(rows) else None), len(rows)


# domain.md 5.2, typed again
QCVN: dict[str, dict[str, float]] = {
    "so2": {"1h": 350, "24h": 125, "year": 50}, "co": {"1h": 30000, "8h": 10000}, "no2": {"1h": 200, "24h": 100, "year": 40},
    "o3": {"1h": 200, "8h": 120}, "tsp": {"1h": 300, "24h": 200, "year": 100}, "pm10": {"24h": 100, "year": 50}, "pm25": {"year": 25},
}


def averages(hours: dict[int, float], first: int, after: int) -> dict[str, list[float]]:
    """The means of a day that are judged: every hour; with 18 hours the day's, and the highest of eight in a row (six needed)."""
    found = {"1h": list(hours.values())}
    if len(hours) >= 18:
        found["24h"] = [sum(hours.values()) / len(hours)]
        windows = [[hours[hour] for hour in range(start, start + 8) if hour in hours] for start in range(first, after - 7)]
        eights = [sum(window) / len(window) for window in windows if len(window) >= 6]
        found["8h"] = [max(eights)] if eights else []
    return found


def day_of(on: int) -> date:
    """The date of a day number."""
    return date(1970, 1, 1) + timedelta(days=on)


def number_of(day: date) -> int:
    """The day number of a date."""
    return (day - date(1970, 1, 1)).days


KPIS: dict[str, Callable[[Environment, int, int, str], Answer]] = {
    "vn_aqi_daily": Environment.vn_aqi_daily,
    "aqi_bad_days": Environment.aqi_bad_days,
    "qcvn_exceedances": Environment.qcvn_exceedances,
    "water_stations_over_alarm": Environment.water_stations_over_alarm,
    "devices_uptime_pct": Environment.devices_uptime_pct,
    "cameras_online_pct": Environment.cameras_online_pct,
    "readings_flagged_pct": Environment.readings_flagged_pct,
}
