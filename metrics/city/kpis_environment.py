"""KPIs of stations and their readings."""

from __future__ import annotations

import pandas as pd

from metrics.city import stations
from metrics.city.asked import Answers, Asked
from metrics.kpis.row import Answer, percent_of
from metrics.periods import Period

BAD_AQI = 100  # above it begins "Kém" (Decision 1459/QĐ-TCMT)


def _stations_reporting(asked: Asked, period: Period) -> Answer:
    reporting, known = stations.reporting_in(asked.connection, asked.city, asked.choice.area, asked.ends_at(period))
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


def _readings_flagged(asked: Asked, period: Period) -> Answer:
    flagged, known = stations.flagged_in(asked.connection, asked.city, asked.choice.area, *asked.days(period))
    return percent_of(flagged, known)


ENVIRONMENT_ANSWERS: Answers = {
    "stations_reporting_pct": _stations_reporting,
    "vn_aqi": _vn_aqi,
    "vn_aqi_daily": _vn_aqi_daily,
    "aqi_bad_days": _bad_days,
    "readings_flagged_pct": _readings_flagged,
}
