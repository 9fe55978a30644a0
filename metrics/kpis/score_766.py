"""KPIs of Decision 766/QD-TTg: the score by which the national portal ranks provinces and agencies."""

from __future__ import annotations

from collections.abc import Callable

from metrics.kpis.one_stop import share
from metrics.kpis.row import Answer, Kpi, Sums, percent_of

_PROCEDURES = ("core_procedure",)
_USED = ("core_procedure", "core_dossier", "rollup_dossier_day")


def _on_time_766(sums: Sums) -> Answer:
    """(Finished in time + open in time) / (finished + open): asked twice for papers is late; without due date left out.

    766 judges by the instant, whatever rule the other KPIs follow.
    """
    open_due, late = sums.stocks.get("open_due"), sums.stocks.get("late_766")
    if open_due is None or late is None:
        return None, 0
    finished_in_time = sums.finished_with_due - sums.flow("finished_late") - sums.flow("second_supplement_late")
    return percent_of(finished_in_time + open_due - late, sums.finished_with_due + open_due)


def _satisfied(sums: Sums) -> Answer:
    """100 - (share finished late + share of dissatisfied applicants); unknown where nobody was asked."""
    late, _ = percent_of(sums.flow("finished_late"), sums.finished_with_due)
    disliked, n = percent_of(sums.flow("disliked"), sums.flow("dislike_known"))
    return (None, n) if late is None or disliked is None else (max(0.0, 100.0 - late - disliked), n)


def _kpi(
    key: str, no: str, formula: Callable[[Sums], Answer] | None = None, reads: tuple[str, ...] = (), *, verified: bool = True,
    is_now_only: bool = False,
) -> Kpi:
    """A share in percent of which more is better, as those of 766 are; `no` = the indicator's number."""
    source = f"Decision 766/QD-TTg, indicator {no}"
    return Kpi(
        key, "dossiers", "percent", "up", formula, min_n=1, source=source, decimals=1, verified=verified, reads=reads,
        is_now_only=is_now_only,
    )


SCORE_766: tuple[Kpi, ...] = (
    _kpi("procedures_published_on_time_pct", "1.1", reads=_PROCEDURES),
    _kpi("procedures_public_on_time_pct", "1.2", reads=_PROCEDURES),
    _kpi("procedures_complete_pct", "1.3", reads=_PROCEDURES, is_now_only=True),
    _kpi("dossiers_on_time_766_pct", "2.1", _on_time_766),
    _kpi("procedures_online_pct", "3.1", reads=_PROCEDURES, is_now_only=True),
    _kpi("procedures_used_online_pct", "3.2", reads=_USED),
    _kpi("procedures_paid_online_pct", "3.4", reads=_USED, verified=False),
    _kpi("procedures_payable_pct", "3.5", reads=_USED),
    _kpi("dossiers_paid_online_pct", "3.6", share("fee_paid", "fee_paid_known")),
    _kpi("dossiers_e_result_pct", "4.1", share("e_result", "e_result_known")),
    _kpi("dossiers_digitised_whole_pct", "4.2", share("digitised_whole", "whole_known")),
    _kpi("dossiers_digitised_pct", "4.3", share("digitised", "digitised_known")),
    _kpi("dossiers_shared_pct", "4.4", share("shared", "shared_known")),
    _kpi("dossiers_identified_pct", "4.5", share("identified", "identified_known")),
    _kpi("dossiers_satisfied_pct", "5.4", _satisfied),
)
