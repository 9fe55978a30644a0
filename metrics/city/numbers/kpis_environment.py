"""KPIs of stations and their readings."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import text

from metrics.city.measured import air, devices, stations, water
from metrics.city.numbers.asked import Answers, Asked
from metrics.kpis.row import Answer, percent_of
from metrics.periods import Period
from store.days import HOUR

BAD_AQI = 100  # above it begins "Kém" (Decision 1459/QĐ-TCMT)


def _stations_reporting(asked: Asked, period: Period) -> Answer:
    ends_at = asked.ends_at(period)
    if ends_at is not None:  # before the first reading nobody was there to report, which is not the same as silence
        where, values = stations.in_scope(asked.city, "", "")
        begun = f"SELECT hour FROM rollup_reading_hour_area WHERE hour < :hour{where} ORDER BY hour LIMIT 1"
        if asked.connection.execute(text(begun), {"hour": ends_at // HOUR, **values}).scalar() is None:
            return None, 0
    reporting, known = stations.reporting_in(asked.connection, asked.city, asked.choice.area, ends_at)
    return (100.0 * reporting / known if known else None), known


def _vn_aqi(asked: Asked, period: Period) -> Answer:
    return stations.worst_aqi_in(asked.connection, asked.city, asked.choice.area, period, asked.ends_at(period))


def _vn_aqi_daily(asked: Asked, period: Period) -> Answer:
    found = _indices(asked, period)
    return (float(found.max()) if len(found) else None), len(found)


def _bad_days(asked: Asked, period: Period) -> Answer:
    found = _indices(asked, period)
    return (float((found > BAD_AQI).sum()) if len(found) else None), len(found)


def _indices(asked: Asked, period: Period) -> pd.Series[int]:
    start_on, end_on = asked.days(period)
    return stations.daily_indices(asked.connection, asked.city, asked.choice.area, start_on, end_on)["aqi"]


def _exceedances(asked: Asked, period: Period) -> Answer:
    found = air.judged_in(asked.connection, asked.city, asked.choice.area, *asked.days(period))
    judged = sum(row.judged for row in found)
    return (float(sum(row.above for row in found)) if judged else None), judged


def _readings_flagged(asked: Asked, period: Period) -> Answer:
    flagged, known = stations.flagged_in(asked.connection, asked.city, asked.choice.area, *asked.days(period))
    return percent_of(flagged, known)


def _over_alarm(asked: Asked, period: Period) -> Answer:
    is_now = asked.ends_at(period) is None
    over, judged = water.over_alarm_in(asked.connection, asked.city, asked.choice.area, *asked.days(period), is_now=is_now)
    return (float(over) if judged else None), judged


def _uptime(asked: Asked, period: Period) -> Answer:
    found = devices.uptime_in(asked.connection, asked.city, asked.choice.area, *asked.days(period))
    return percent_of(sum(row.heard for row in found), sum(row.expected for row in found))


def _cameras_online(asked: Asked, period: Period) -> Answer:
    is_now = asked.ends_at(period) is None
    return devices.cameras_in(asked.connection, asked.city, asked.choice.area, *asked.days(period), is_now=is_now)


ENVIRONMENT_ANSWERS: Answers = {
    "stations_reporting_pct": _stations_reporting,
    "vn_aqi": _vn_aqi,
    "vn_aqi_daily": _vn_aqi_daily,
    "aqi_bad_days": _bad_days,
    "qcvn_exceedances": _exceedances,
    "water_stations_over_alarm": _over_alarm,
    "devices_uptime_pct": _uptime,
    "cameras_online_pct": _cameras_online,
    "readings_flagged_pct": _readings_flagged,
}
