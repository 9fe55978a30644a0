"""KPIs of stations and what they measure."""

from __future__ import annotations

from metrics.kpis.row import Kpi

ENVIRONMENT: tuple[Kpi, ...] = (
    Kpi("stations_reporting_pct", "readings", "percent", "up", None, min_n=1, theme="environment", decimals=1,
        reads=("core_latest", "core_reading")),
    Kpi("vn_aqi", "readings", "aqi", "down", None, min_n=1, theme="environment", source="Decision 1459/QD-TCMT",
        reads=("rollup_reading_hour",)),
)
