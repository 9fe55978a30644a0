"""KPIs of stations and what they measure."""

from __future__ import annotations

from metrics.kpis.row import Kpi
from metrics.reading_flags import RULES
from metrics.vn_aqi import COMPLETENESS

_1459 = "Decision 1459/QD-TCMT"

ENVIRONMENT: tuple[Kpi, ...] = (
    Kpi("stations_reporting_pct", "readings", "percent", "up", None, min_n=1, theme="environment", decimals=1,
        reads=("core_latest", "core_reading")),
    Kpi("vn_aqi", "readings", "aqi", "down", None, min_n=1, theme="environment", source=_1459,
        reads=("rollup_reading_hour",)),
    Kpi("vn_aqi_daily", "readings", "aqi", "down", None, min_n=1, theme="environment", source=_1459, verified=COMPLETENESS.verified,
        reads=("rollup_reading_day",)),
    Kpi("aqi_bad_days", "readings", "station_day", "down", None, min_n=1, theme="environment", source=_1459,
        verified=COMPLETENESS.verified, reads=("rollup_reading_day",)),
    Kpi("readings_flagged_pct", "readings", "percent", "down", None, min_n=1, theme="environment", decimals=2,
        verified=all(rule.verified for rule in RULES), reads=("rollup_reading_day",)),
)
