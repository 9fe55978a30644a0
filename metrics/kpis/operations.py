"""KPIs of the operation itself: is the picture alive?"""

from __future__ import annotations

from metrics.kpis.row import Kpi

OPERATIONS: tuple[Kpi, ...] = (
    Kpi("feeds_fresh_pct", "operations", "percent", "up", None, min_n=1, decimals=1, reads=("ops_feed",), is_now_only=True),
)
