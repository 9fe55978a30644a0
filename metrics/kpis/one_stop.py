"""KPIs of the one-stop system: the columns of form II.06a and what stands beside them."""

from __future__ import annotations

from collections.abc import Callable

from metrics.kpis.row import Answer, Kpi, Sums, flow, percent_of, stock

_II06A = "Circular 01/2020/TT-VPCP, form II.06a"
_LEVELS = "Decree 42/2022/ND-CP: full and partial online services"
_DESK = "Decree 61/2018/ND-CP"


def opening(sums: Sums) -> int | None:
    """Dossiers in progress when the period began: those at its end, without what came in and with what went out."""
    closing = sums.stocks.get("open")
    if closing is None:
        return None
    came = sums.flow("received") - sums.flow("ended_before_start_in")
    went = sums.flow("finished") - sums.flow("ended_before_start_out")
    return closing - came + went


def told(yes: str, known: str) -> Callable[[Sums], Answer]:
    """The formula that counts a fact; unknown where the sources told it of nothing."""
    return lambda sums: (float(sums.flow(yes)) if sums.flow(known) else None, sums.flow(known))


def share(yes: str, of: str) -> Callable[[Sums], Answer]:
    """The formula of a share of two flows."""
    return lambda sums: percent_of(sums.flow(yes), sums.flow(of))


def _direct(sums: Sums) -> Answer:
    direct = sums.flow("received") - sums.flow("received_online") - sums.flow("received_postal")
    return float(direct), direct


def _carried_over(sums: Sums) -> Answer:
    before = opening(sums)
    return (None, 0) if before is None else (float(before), before)


def _in_hand(sums: Sums) -> Answer:
    before = opening(sums)
    return (None, 0) if before is None else (float(before + sums.flow("received")), before + sums.flow("received"))


def _finished_on_time(sums: Sums) -> Answer:
    """Neither early nor late; without due date is on time (form II.06a)."""
    return float(sums.flow("finished") - sums.flow("finished_early") - sums.late), sums.flow("finished")


def _open_in_time(sums: Sums) -> Answer:
    value, overdue = sums.stocks.get("open"), sums.stocks.get(sums.overdue)
    return (None, 0) if value is None or overdue is None else (float(value - overdue), value)


def _open_no_due(sums: Sums) -> Answer:
    value, with_due = sums.stocks.get("open"), sums.stocks.get("open_due")
    return (None, 0) if value is None or with_due is None else (float(value - with_due), value)


def _percent(
    key: str, better: str, formula: Callable[[Sums], Answer] | None, source: str, reads: tuple[str, ...] = (), *, verified: bool = True,
    is_now_only: bool = False,
) -> Kpi:
    """A share of dossiers, agencies or procedures."""
    return Kpi(
        key, "dossiers", "percent", better, formula, min_n=1, source=source, decimals=1, reads=reads, verified=verified,
        is_now_only=is_now_only,
    )


def _count(
    key: str, better: str, formula: Callable[[Sums], Answer], *, has_rule: bool = False, is_stock: bool = False,
    counted_on: str = "working_days",
) -> Kpi:
    """A column of form II.06a."""
    return Kpi(
        key, "dossiers", "dossier", better, formula, has_rule=has_rule, is_stock=is_stock, source=_II06A, counted_on=counted_on,
    )


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
)
FORM_II06A: tuple[Kpi, ...] = (  # what the form adds up from, beside the above
    _count("dossiers_received_online", "none", flow("received_online")),
    _count("dossiers_received_direct", "none", _direct),
    _count("dossiers_received_postal", "none", flow("received_postal")),
    _count("dossiers_carried_over", "none", _carried_over, counted_on=""),
    _count("dossiers_in_hand", "none", _in_hand, counted_on=""),
    _count("dossiers_finished_early", "up", flow("finished_early")),
    _count("dossiers_finished_on_time", "none", _finished_on_time, has_rule=True),
    _count("dossiers_open_in_time", "none", _open_in_time, has_rule=True, is_stock=True),
    _count("dossiers_open_no_due", "none", _open_no_due, is_stock=True),
)
SERVICE: tuple[Kpi, ...] = (  # what the seeds ask of a one-stop system
    Kpi("dossiers_online_full", "dossiers", "dossier", "none", told("online_full", "online_level_known"), source=_LEVELS),
    Kpi("dossiers_online_partial", "dossiers", "dossier", "none", told("online_partial", "online_level_known"), source=_LEVELS),
    _percent("dossiers_online_full_pct", "up",
             lambda s: percent_of(s.flow("online_full"), s.flow("online_full") + s.flow("online_partial")), _LEVELS),
    _percent("dossiers_full_pct", "up", share("level_full", "level_known"), _LEVELS),
    _percent("dossiers_partial_pct", "none", share("level_partial", "level_known"), _LEVELS),
    _percent("dossiers_on_the_spot_pct", "up", share("finished_same_day", "finished"), _DESK),
    _percent("dossiers_apology_pct", "up", share("apology", "apology_known"), _DESK, verified=False),
    _percent("dossiers_supplement_pct", "down", share("supplement_asked", "finished"), _DESK),
    _percent("agencies_reporting_pct", "up", None, "docs/architecture.md", ("rollup_dossier_day", "core_agency")),
    _percent("procedures_time_cut_pct", "up", None, "seeds, row 13: 25-30 % off limits of 15 days and more", ("core_procedure",),
             is_now_only=True),
)
