"""KPIs of citizen feedback."""

from __future__ import annotations

from metrics.kpis.row import Kpi, flow, stock

FEEDBACK: tuple[Kpi, ...] = (
    Kpi("reports_received", "reports", "report", "none", flow("received"), theme="people"),
    Kpi("reports_open", "reports", "report", "none", lambda s: stock(s, "open"), is_stock=True, theme="people"),
    Kpi("reports_overdue", "reports", "report", "down", lambda s: stock(s, "overdue", "open_due"), is_stock=True, theme="people"),
    Kpi("reports_resolved", "reports", "report", "up", flow("closed"), theme="people"),
    Kpi("reports_resolve_days_median", "reports", "days", "down", None, min_n=5, theme="people", decimals=1, reads=("core_report",)),
)
