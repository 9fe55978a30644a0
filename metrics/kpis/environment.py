"""KPIs of stations and what they measure."""

from __future__ import annotations

from metrics.air_limits import NATIONAL
from metrics.kpis.row import Kpi
from metrics.reading_flags import RULES
from metrics.vn_aqi import COMPLETENESS

_1459 = "Decision 1459/QD-TCMT"

ENVIRONMENT: tuple[Kpi, ...] = (
    Kpi("stations_reporting_pct", "readings", "percent", "up", None, min_n=1, theme="environment", decimals=1,
        reads=("core_latest", "core_reading", "rollup_reading_hour_area")),
    Kpi("vn_aqi", "readings", "aqi", "down", None, min_n=1, theme="environment", source=_1459,
        reads=("rollup_reading_hour", "rollup_reading_day")),
    Kpi("vn_aqi_daily", "readings", "aqi", "down", None, min_n=1, theme="environment", source=_1459, verified=COMPLETENESS.verified,
        reads=("rollup_reading_day",)),
    Kpi("aqi_bad_days", "readings", "station_day", "down", None, min_n=1, theme="environment", source=_1459,
        verified=COMPLETENESS.verified, reads=("rollup_reading_day",)),
    Kpi("qcvn_exceedances", "readings", "exceedance", "down", None, min_n=1, theme="environment", source="QCVN 05:2023/BTNMT",
        verified=all(limit.verified for limit in NATIONAL), reads=("rollup_reading_day", "rollup_reading_hour")),
    Kpi("water_stations_over_alarm", "readings", "station", "down", None, min_n=1, theme="environment",
        source="Decision 05/2020/QD-TTg", reads=("core_latest", "core_reading", "rollup_reading_day")),
    Kpi("devices_uptime_pct", "readings", "percent", "up", None, min_n=1, theme="governance", decimals=1,
        reads=("rollup_reading_day", "rollup_reading_hour")),
    Kpi("cameras_online_pct", "readings", "percent", "up", None, min_n=1, theme="mobility", decimals=1,
        reads=("core_latest", "rollup_reading_day")),
    Kpi("readings_flagged_pct", "readings", "percent", "down", None, min_n=1, theme="environment", decimals=2,
        verified=all(rule.verified for rule in RULES), reads=("rollup_reading_day",)),
)
