"""What the day roll-ups count, as data: one row per place an event day is found, with the columns it feeds.

The fold turns these rows into one INSERT per roll-up. Nothing here runs SQL. `:now` and `:today` are the store's clock, never the
process's: the fold of the same rows under the same clock gives the same sums.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from store import facts


@dataclass(frozen=True)
class FlowSource:
    """Rows of `table` counted on the day `day` (a column) when `where` holds; columns -> counting condition.

    `amounts`: columns that sum a number >= 0 instead of counting; column -> (condition, the number).
    """

    table: str
    day: str
    columns: Mapping[str, str]
    where: str = "1 = 1"
    amounts: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def feeds(self, flow: str) -> bool:
        """Does it count anything for a flow?"""
        return flow in self.columns or flow in self.amounts

    def counted(self, flow: str) -> str:
        """SQL for what a row adds to a flow."""
        condition, amount = self.amounts.get(flow) or (self.columns.get(flow), "1")
        return f"CASE WHEN {condition} THEN {amount} ELSE 0 END" if condition else "0"


def _told(*names: str) -> str:
    """Condition: the source told of all these facts (store/facts.py)."""
    return " AND ".join(f"(r.facts & {facts.told(name)}) <> 0" for name in names)


def _yes(*names: str) -> str:
    """Condition: it told yes of all of them."""
    return " AND ".join(f"(r.facts & {facts.yes(name)}) <> 0" for name in names)


_LEVEL = f"(r.facts & {facts.LEVEL})"
_IN_STOCK = "r.standing IN (1, 4)"
_LATE = "r.due_at IS NOT NULL AND r.finished_at > r.due_at"
_PASSED = "r.due_at < coalesce(r.verdict_at, :now)"
# late by 766 from the second request on, since the due date did not pass on an earlier day
_SECOND_FIRST = "r.second_supplement_on <= r.passed_on OR r.due_at >= r.verdict_at"
_LATE_DAY = "r.due_at IS NOT NULL AND r.finished_on > r.due_on"

DOSSIER_DAY = (
    FlowSource("core_dossier", "received_on", {
        "received": "1 = 1",
        "received_online": "r.channel = 'online'",
        "received_postal": "r.channel = 'postal'",
        "no_due_in": "r.due_at IS NULL AND r.standing = 1",
        "ended_before_start_in": "r.standing = 4",
        "level_known": f"{_LEVEL} > 0", "level_full": f"{_LEVEL} = 3", "level_partial": f"{_LEVEL} = 2",
        "online_level_known": f"r.channel = 'online' AND {_LEVEL} > 0", "online_full": f"r.channel = 'online' AND {_LEVEL} = 3",
        "online_partial": f"r.channel = 'online' AND {_LEVEL} = 2",
        "fee_known": _told("has_fee"), "with_fee": _yes("has_fee"),
        "fee_paid_known": f"{_yes('has_fee')} AND {_told('is_paid_online')}", "fee_paid": _yes("has_fee", "is_paid_online"),
        "digitised_known": _told("is_digitised"), "digitised": _yes("is_digitised"),
        "identified_known": _told("is_identified"), "identified": _yes("is_identified"),
    }, _IN_STOCK),
    FlowSource("core_dossier", "finished_on", {
        "finished": "1 = 1",
        "finished_early": "r.finished_on < r.due_on",
        "finished_on_time": "r.finished_at <= r.due_at AND r.finished_on >= r.due_on",
        "finished_late": _LATE,
        "finished_late_day": _LATE_DAY,
        "finished_no_due": "r.due_at IS NULL",
        "withdrawn": "r.status = 7",
        "no_due_out": "r.due_at IS NULL AND r.standing = 1",
        "overdue_ended": f"r.standing = 1 AND {_LATE}",
        "overdue_ended_day": f"r.standing = 1 AND {_LATE_DAY}",
        "second_supplement_late": "r.finished_at <= r.due_at AND r.supplement_count > 1",
        "late_766_ended": "r.standing = 1 AND r.due_at IS NOT NULL AND (r.finished_at > r.due_at OR r.second_supplement_on IS NOT NULL)",
        "ended_before_start_out": "r.standing = 4",
        # a withdrawn dossier has no result that could be electronic or shared
        "e_result_known": f"r.status <> 7 AND {_told('has_e_result')}", "e_result": f"r.status <> 7 AND {_yes('has_e_result')}",
        "whole_known": f"r.status <> 7 AND {_told('has_component_file', 'has_e_result')}",
        "digitised_whole": f"r.status <> 7 AND {_yes('has_component_file', 'has_e_result')}",
        "shared_known": f"r.status <> 7 AND {_told('is_shared')}", "shared": f"r.status <> 7 AND {_yes('is_shared')}",
        "apology_known": f"{_LATE} AND {_told('has_apology')}", "apology": f"{_LATE} AND {_yes('has_apology')}",
        "dislike_known": _told("is_disliked"), "disliked": _yes("is_disliked"),
        "supplement_asked": "r.supplement_count > 0", "finished_same_day": "r.finished_on = r.received_on",
    }, _IN_STOCK),
    FlowSource("core_dossier", "passed_on", {
        "due_passed": _PASSED,
        "late_766": f"{_PASSED} AND (r.second_supplement_on IS NULL OR r.passed_on < r.second_supplement_on)",
    }, "r.standing = 1 AND (r.verdict_at IS NULL OR r.due_at < r.verdict_at)"),  # as its index says, or the planner does not see it
    FlowSource("core_dossier", "second_supplement_on", {"late_766": _SECOND_FIRST}, "r.standing = 1"),
    FlowSource(
        "core_dossier", "passed_day_on", {"due_passed_day": "r.due_on < coalesce(r.verdict_on, :today)"},
        "r.standing = 1 AND (r.verdict_on IS NULL OR r.due_on < r.verdict_on)",
    ),
    FlowSource("core_dossier", "filed_on", {
        "new": "r.standing = 2", "refused": "r.standing = 3", "unmapped": "r.status = 0",
    }, "(r.standing > 1 OR r.status = 0)"),
    FlowSource("core_dossier_stop", "stopped_on", {"stopped": "1 = 1"}),
    FlowSource("core_dossier_stop", "resumed_on", {"resumed": "1 = 1"}),
    FlowSource(
        "core_dossier_time", "finished_on", {"worked_n": "1 = 1"}, "r.finished_on IS NOT NULL",
        {"worked_microdays": ("1 = 1", "r.worked_s * 1000000 / r.day_s")},
    ),
    FlowSource(
        "core_dossier_time", "received_on", {"due_checked": "1 = 1", "due_differs": "r.due_gap_wd <> 0"}, "r.due_gap_wd IS NOT NULL",
    ),
)
_TAKEN_ON = "NOT (r.status = 'refused' OR r.status IN ('new', 'verifying') OR r.status IN ('unmapped', ''))"
_KNOWN = "r.rating IS NOT NULL AND r.reopened_count IS NOT NULL"
REPORT_DAY = (
    FlowSource("core_report", "received_on", {
        "received": "1 = 1", "no_due_in": "r.due_at IS NULL AND NOT r.is_ended_before_start", "urgent": "r.is_urgent",
        "duplicate": "r.is_duplicate", "ended_before_start_in": "r.is_ended_before_start",
        "duplicates_known": "r.knows_duplicates", "refused": "r.status = 'refused'", "undecided": "r.status IN ('new', 'verifying')",
        "accepted": _TAKEN_ON, "handled": f"{_TAKEN_ON} AND r.closed_on IS NOT NULL",
        "return_known": "r.returned_count IS NOT NULL", "returned": "r.returned_count > 0",
        "extension_known": "r.extension_count IS NOT NULL", "extended": "r.extension_count > 0",
        "quality_known_in": f"{_KNOWN} AND NOT r.is_ended_before_start",
    }),
    FlowSource("core_report", "closed_on", {
        "closed": "1 = 1",
        "closed_on_time": "r.closed_at <= r.due_at",
        "closed_late": "r.closed_at > r.due_at",
        "closed_no_due": "r.due_at IS NULL",
        "no_due_out": "r.due_at IS NULL AND NOT r.is_ended_before_start",
        "overdue_ended": "r.closed_at > r.due_at AND NOT r.is_ended_before_start",
        "ended_before_start_out": "r.is_ended_before_start",
        "closed_timed": "r.is_within_hour IS NOT NULL", "closed_within_hour": "r.is_within_hour",
        "rating_known": "r.rating IS NOT NULL", "rated": "r.rating > 0", "satisfied": "r.rating > 1",
        "reopen_known": "r.reopened_count IS NOT NULL", "closed_reopened": "r.reopened_count > 0",
        "quality_known_out": f"{_KNOWN} AND NOT r.is_ended_before_start",
        "truly_resolved":
            "r.reopened_count = 0 AND NOT r.status = 'refused' AND NOT r.is_duplicate AND NOT coalesce(r.rating, 0) = 1",
    }),
    FlowSource("core_report", "reopened_on", {
        "reopened": "1 = 1", "reopened_open": "r.closed_on IS NULL AND r.reopened_count IS NOT NULL",
    }, "(r.reopened_on IS NOT NULL OR r.reopened_count > 0)"),  # as its index says, or the planner does not see it
    FlowSource("core_report", "passed_on", {"due_passed": "r.due_at < coalesce(r.closed_at, :now)"}, "NOT r.is_ended_before_start"),
)
