"""KPIs of Decision 766/QD-TTg: the score by which the national portal ranks provinces and agencies."""

from __future__ import annotations

from metrics.kpis.row import Answer, Kpi, Sums, percent_of

_766 = "Decision 766/QD-TTg, indicator 2.1"


def _on_time_766(sums: Sums) -> Answer:
    """(Finished in time + open in time) / (finished + open): second supplement counts late; without due date left out.

    766 judges by the instant, whatever rule the other KPIs follow.
    """
    open_due, overdue = sums.stocks.get("open_due"), sums.stocks.get("overdue")
    if open_due is None or overdue is None:
        return None, 0
    finished_in_time = sums.finished_with_due - sums.flow("finished_late") - sums.flow("second_supplement_late")
    return percent_of(finished_in_time + open_due - overdue, sums.finished_with_due + open_due)


SCORE_766: tuple[Kpi, ...] = (
    Kpi("dossiers_on_time_766_pct", "dossiers", "percent", "up", _on_time_766, min_n=1, source=_766, decimals=1),
)
