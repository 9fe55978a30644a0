"""What the day roll-ups count, as data: one row per place an event day is found, with the columns it feeds.

The fold turns these rows into one INSERT per roll-up. Nothing here runs SQL. `:now` and `:today` are the store's clock, never the
process's: the fold of the same rows under the same clock gives the same sums.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class FlowSource:
    """Rows of `table` counted on the day `day` (a column) when `where` holds; columns -> counting condition."""

    table: str
    day: str
    columns: Mapping[str, str]
    where: str = "1 = 1"


_IN_STOCK = "r.standing IN (1, 4)"
_LATE = "r.due_at IS NOT NULL AND r.finished_at > r.due_at"
_LATE_DAY = "r.due_at IS NOT NULL AND r.finished_on > r.due_on"

DOSSIER_DAY = (
    FlowSource("core_dossier", "received_on", {
        "received": "1 = 1",
        "received_online": "r.channel = 'online'",
        "received_postal": "r.channel = 'postal'",
        "no_due_in": "r.due_at IS NULL AND r.standing = 1",
        "ended_before_start_in": "r.standing = 4",
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
        "ended_before_start_out": "r.standing = 4",
    }, _IN_STOCK),
    FlowSource("core_dossier", "passed_on", {"due_passed": "r.due_at < coalesce(r.verdict_at, :now)"}, "r.standing = 1"),
    FlowSource("core_dossier", "passed_day_on", {"due_passed_day": "r.due_on < coalesce(r.verdict_on, :today)"}, "r.standing = 1"),
    FlowSource("core_dossier", "filed_on", {
        "new": "r.standing = 2", "refused": "r.standing = 3", "unmapped": "r.status = 0",
    }, "(r.standing > 1 OR r.status = 0)"),
    FlowSource("core_dossier_stop", "stopped_on", {"stopped": "1 = 1"}),
    FlowSource("core_dossier_stop", "resumed_on", {"resumed": "1 = 1"}),
)
REPORT_DAY = (
    FlowSource("core_report", "received_on", {
        "received": "1 = 1", "no_due_in": "r.due_at IS NULL AND NOT r.is_ended_before_start", "urgent": "r.is_urgent",
        "duplicate": "r.is_duplicate", "ended_before_start_in": "r.is_ended_before_start",
    }),
    FlowSource("core_report", "closed_on", {
        "closed": "1 = 1",
        "closed_on_time": "r.closed_at <= r.due_at",
        "closed_late": "r.closed_at > r.due_at",
        "closed_no_due": "r.due_at IS NULL",
        "no_due_out": "r.due_at IS NULL AND NOT r.is_ended_before_start",
        "overdue_ended": "r.closed_at > r.due_at AND NOT r.is_ended_before_start",
        "ended_before_start_out": "r.is_ended_before_start",
    }),
    FlowSource("core_report", "passed_on", {"due_passed": "r.due_at < coalesce(r.closed_at, :now)"}, "NOT r.is_ended_before_start"),
)
