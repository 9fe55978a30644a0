"""KPIs of stations and their readings."""

from __future__ import annotations

from metrics.city import stations
from metrics.city.asked import Answers, Asked
from metrics.kpis.row import Answer
from metrics.periods import Period


def _stations_reporting(asked: Asked, period: Period) -> Answer:
    reporting, known = stations.reporting_in(asked.connection, asked.city, asked.choice.area, asked.ends_at(period))
    return (100.0 * reporting / known if known else None), known


def _vn_aqi(asked: Asked, period: Period) -> Answer:
    return stations.worst_aqi_in(asked.connection, asked.city, asked.choice.area, period, asked.ends_at(period))


ENVIRONMENT_ANSWERS: Answers = {
    "stations_reporting_pct": _stations_reporting,
    "vn_aqi": _vn_aqi,
}
