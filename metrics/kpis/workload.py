"""KPIs that set what comes in beside those it comes from, and what is done beside those who do it."""

from __future__ import annotations

from metrics.kpis.row import Answer, Kpi, Sums, flow

_SOURCE = "docs/numbers.md"


def _per_100_open(sums: Sums) -> Answer:
    """Finished in the period for each hundred in progress at its end; None where nothing is in progress."""
    open_ = sums.stocks.get("open")
    return (100.0 * sums.flow("finished") / open_ if open_ else None), int(open_ or 0)


WORKLOAD: tuple[Kpi, ...] = (
    Kpi("dossiers_received_per_1000", "dossiers", "dossier_per_1000", "none", flow("received"), source=_SOURCE, decimals=2,
        per="inhabitants"),
    Kpi("dossiers_finished_per_officer", "dossiers", "dossier_per_officer", "none", flow("finished"), source=_SOURCE, decimals=1,
        per="officers"),
    Kpi("dossiers_finished_per_open", "dossiers", "per_100", "up", _per_100_open, min_n=1, source=_SOURCE, decimals=1),
    Kpi("reports_per_1000", "reports", "report_per_1000", "none", flow("received"), theme="people", source=_SOURCE, decimals=2,
        counted_on="all_days", per="inhabitants"),
)
