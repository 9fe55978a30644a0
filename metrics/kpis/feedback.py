"""KPIs of citizen feedback. Closed is not resolved: what happened to a report after it was closed has shares of its own.

A share whose facts no feed gives is unknown: its n counts the reports of which somebody knows.
"""

from __future__ import annotations

from dataclasses import dataclass

from metrics.kpis.row import Answer, Kpi, Sums, flow, percent_of, stock

_HUES = "practice of field feedback, as Hue-S; no law defines it"
_766_52, _766_53 = "Decision 766/QD-TTg, indicator 5.2", "Decision 766/QD-TTg, indicator 5.3"


@dataclass(frozen=True)
class Limit766:
    """A working-day limit of indicator 5.2, counted from sending. `status` it judges, '' = any other ending; is_judged = do states tell?

    Asking for more and publishing have limits too, but no feed tells when it was asked or when the answer was ready: not judged.
    """

    step: str
    status: str
    working_days: int
    is_judged: bool
    source: str = _766_52
    verified: bool = True


LIMITS_766: tuple[Limit766, ...] = (
    Limit766("refuse", "refused", 2, True),
    Limit766("ask_for_more", "supplement", 5, False),
    Limit766("resolve", "", 15, True),
    Limit766("publish", "published", 2, False),
)


def _accepted(s: Sums) -> Answer:
    return percent_of(s.flow("accepted"), s.flow("accepted") + s.flow("refused") + s.flow("undecided"))


def _reopened(s: Sums) -> Answer:
    """Of the reports closed in the period, and of those reopened in it that are open still: each report stands in one of the two."""
    still = s.flow("reopened_open")
    return percent_of(s.flow("closed_reopened") + still, s.flow("reopen_known") + still)


def _share(key: str, better: str, part: str, *whole: str, source: str = _HUES) -> Kpi:
    """A share of flows."""
    return Kpi(
        key, "reports", "percent", better, lambda s: percent_of(s.flow(part), sum(s.flow(name) for name in whole)), min_n=1,
        theme="people", source=source, decimals=1,
    )


def _computed(key: str, better: str, source: str, *beside: str) -> Kpi:
    """A share no sum of flows gives: metrics/city/numbers/kpis_feedback.py reads it from the reports closed since the period began."""
    return Kpi(
        key, "reports", "percent", better, None, min_n=1, theme="people", source=source, decimals=1, reads=("core_report", *beside),
    )


FEEDBACK: tuple[Kpi, ...] = (
    Kpi("reports_received", "reports", "report", "none", flow("received"), theme="people", counted_on="all_days"),
    Kpi("reports_open", "reports", "report", "none", lambda s: stock(s, "open"), is_stock=True, theme="people"),
    Kpi("reports_overdue", "reports", "report", "down", lambda s: stock(s, "overdue", "open_due"), is_stock=True, theme="people"),
    Kpi("reports_resolved", "reports", "report", "up", flow("closed"), theme="people"),
    Kpi("reports_resolve_days_median", "reports", "days", "down", None, min_n=5, theme="people", decimals=1, reads=("core_report",)),
    Kpi("reports_accepted_pct", "reports", "percent", "none", _accepted, min_n=1, theme="people", source=_HUES, decimals=1),
    _share("reports_handled_pct", "up", "handled", "accepted"),
    _share("reports_on_time_pct", "up", "closed_on_time", "closed_on_time", "closed_late"),
    _share("reports_extended_pct", "down", "extended", "extension_known"),
    _share("reports_returned_pct", "down", "returned", "return_known"),
    _share("reports_duplicate_pct", "none", "duplicate", "duplicates_known"),
    _share("reports_resolved_pct", "up", "truly_resolved", "reopen_known"),
    Kpi("reports_reopened_pct", "reports", "percent", "down", _reopened, min_n=1, theme="people", source=_HUES, decimals=1),
    _share("reports_closed_within_hour_pct", "none", "closed_within_hour", "closed_timed"),
    _computed("reports_closed_in_bulk_pct", "down", _HUES),
    _share("reports_rated_pct", "up", "rated", "rating_known"),
    _share("reports_satisfied_pct", "up", "satisfied", "rated"),
    _computed("feedback_on_time_766_pct", "up", _766_52, "rollup_report_day"),
    _computed("feedback_satisfied_766_pct", "up", _766_53, "rollup_report_day"),
)
