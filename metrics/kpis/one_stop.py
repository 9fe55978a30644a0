"""KPIs of the one-stop system: the columns of form II.06a and what stands beside them."""

from __future__ import annotations

from metrics.kpis.row import Kpi, flow, percent_of, stock
from metrics.kpis.working_time import WORKING_TIME

_II06A = "Circular 01/2020/TT-VPCP, form II.06a"

ONE_STOP: tuple[Kpi, ...] = (
    Kpi("dossiers_received", "dossiers", "dossier", "none", flow("received"), source=_II06A),
    Kpi("dossiers_finished", "dossiers", "dossier", "up", flow("finished"), source=_II06A),
    Kpi("dossiers_on_time_pct", "dossiers", "percent", "up",
        lambda s: percent_of(s.finished_with_due - s.late, s.finished_with_due), min_n=1, has_rule=True, source=_II06A, decimals=1),
    Kpi("dossiers_early_pct", "dossiers", "percent", "up",
        lambda s: percent_of(s.flow("finished_early"), s.finished_with_due), min_n=1, source=_II06A, decimals=1),
    Kpi("dossiers_late", "dossiers", "dossier", "down", lambda s: (float(s.late), s.finished_with_due), has_rule=True, source=_II06A),
    Kpi("dossiers_open", "dossiers", "dossier", "none", lambda s: stock(s, "open"), is_stock=True, source=_II06A),
    Kpi("dossiers_overdue", "dossiers", "dossier", "down", lambda s: stock(s, s.overdue, "open_due"), has_rule=True, is_stock=True,
        source=_II06A),
    Kpi("dossiers_due_2wd", "dossiers", "dossier", "none", lambda s: stock(s, "due_2wd", "open_due"), is_stock=True,
        source="Decree 61/2018/ND-CP"),
    Kpi("dossiers_online_pct", "dossiers", "percent", "up",
        lambda s: percent_of(s.flow("received_online"), s.flow("received")), min_n=1, source="Decision 766/QD-TTg, indicator 3.3",
        decimals=1),
    *WORKING_TIME,
)
