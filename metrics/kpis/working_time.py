"""KPIs of working time: how long dossiers are worked on, and whether their due dates are what the law's limits give."""

from __future__ import annotations

from metrics.kpis.row import Answer, Kpi, percent_of

MICRO = 1_000_000


def mean_days(microdays: int, n: int) -> Answer:
    """A mean of working days and of how many; None of nothing."""
    return (microdays / n / MICRO if n else None), n


WORKING_TIME: tuple[Kpi, ...] = (
    Kpi("dossiers_worked_days_mean", "dossiers", "working_day", "down",
        lambda s: mean_days(s.flow("worked_microdays"), s.flow("worked_n")), min_n=1,
        source="Decision 766/QD-TTg, indicator 2.2", decimals=1),
    Kpi("dossiers_due_differs_pct", "dossiers", "percent", "down",
        lambda s: percent_of(s.flow("due_differs"), s.flow("due_checked")), min_n=1, source="docs/working-time.md", decimals=1),
    Kpi("investment_lead_days_mean", "dossiers", "working_day", "down", None, min_n=5, theme="economy",
        source="seeds, row 20: investment procedures in 7 days", decimals=1, reads=("rollup_dossier_day", "core_dossier_time")),
)
