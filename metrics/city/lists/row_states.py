"""States dossiers and reports are listed by, as conditions on their rows (alias d): those the KPIs count, and each timeliness.

:now, :today and :soon are the city's now, its day and the end of "soon" (metrics/city/records/timing.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from metrics.city.lists.paging import Order


@dataclass(frozen=True)
class State:
    """One choice of a state filter: its condition (`day` = under the day rule, where it differs), its order, and the day a
    period is about; is_now = speaks of now, so a period counts only when the filter says which day it is about."""

    key: str
    where: str
    order: Order
    day: str = ""
    period_on: str = "received"
    is_now: bool = False


# ---- dossiers -------------------------------------------------------------------------------------------------------
_OPEN = "d.finished_on IS NULL AND d.standing = 1"
_IN_STOCK = "d.standing IN (1, 4)"
_ENDED = f"d.finished_on IS NOT NULL AND {_IN_STOCK}"
BY_DUE = Order("due", ("due_at", "feed", "source_id"), index="ix_dossier_open")
BY_RECEIVED = Order("received", ("received_on", "received_at", "feed", "source_id"), is_descending=True)
BY_FINISHED = Order("finished", ("finished_on", "finished_at", "feed", "source_id"), is_descending=True)
BY_FILED = Order("filed", ("filed_on", "filed_at", "feed", "source_id"), is_descending=True)
_OVERDUE = f"{_OPEN} AND d.due_at < coalesce(d.verdict_at, :now)"
_OVERDUE_DAY = f"{_OPEN} AND d.due_on < coalesce(d.verdict_on, :today)"
_WAITING = f"{_OPEN} AND d.verdict_at IS NOT NULL"

DOSSIER_STATES: tuple[State, ...] = (
    State("", "1 = 1", BY_RECEIVED),
    State("open", _OPEN, BY_DUE, is_now=True),
    State("overdue", _OVERDUE, BY_DUE, day=_OVERDUE_DAY, is_now=True),
    State("due_soon", f"{_OPEN} AND d.verdict_at IS NULL AND d.due_at >= :now AND d.due_at < :soon", BY_DUE, is_now=True),
    State("waiting", _WAITING, BY_DUE, is_now=True),
    State("received", _IN_STOCK, BY_RECEIVED),
    State("finished", _ENDED, BY_FINISHED, period_on="finished"),
    State("late", f"d.finished_at > d.due_at AND {_ENDED}", BY_FINISHED, f"d.finished_on > d.due_on AND {_ENDED}", "finished"),
    State("no_due", f"d.due_at IS NULL AND {_IN_STOCK}", BY_RECEIVED),
    State("ended_before_start", "d.standing > 1 AND d.standing = 4", BY_FILED),
    State("new", "d.standing > 1 AND d.standing = 2", BY_FILED, period_on="filed"),
    State("refused", "d.standing > 1 AND d.standing = 3", BY_FILED, period_on="filed"),
)
# as metrics.city.records.dossiers.timeliness judges a row, one after another: the first that holds is the row's
_NO_VERDICT = "d.verdict_at IS NULL AND d.due_at IS NOT NULL"
_NOT_YET, _NOT_YET_DAY = f"{_OPEN} AND {_NO_VERDICT} AND d.due_at >= :now", f"{_OPEN} AND {_NO_VERDICT} AND d.due_on >= :today"
DOSSIER_TIMELINESS: tuple[State, ...] = (
    State("overdue", _OVERDUE, BY_DUE, _OVERDUE_DAY, is_now=True),
    State("waiting", f"{_WAITING} AND (d.due_at IS NULL OR d.due_at >= d.verdict_at)", BY_DUE,
          f"{_WAITING} AND (d.due_on IS NULL OR d.due_on >= d.verdict_on)", is_now=True),
    State("due_soon", f"{_NOT_YET} AND d.due_at < :soon", BY_DUE, f"{_NOT_YET_DAY} AND d.due_at >= :now AND d.due_at < :soon", is_now=True),
    State("in_time", f"{_NOT_YET} AND d.due_at >= :soon", BY_DUE,
          f"{_NOT_YET_DAY} AND NOT (d.due_at >= :now AND d.due_at < :soon)", is_now=True),
    State("late", f"{_ENDED} AND d.finished_at > d.due_at", BY_FINISHED, f"{_ENDED} AND d.finished_on > d.due_on", "finished"),
    State("on_time", f"{_ENDED} AND d.finished_at <= d.due_at AND d.finished_on >= d.due_on", BY_FINISHED,
          f"{_ENDED} AND d.finished_on = d.due_on", "finished"),
    State("early", f"{_ENDED} AND d.finished_at <= d.due_at AND d.finished_on < d.due_on", BY_FINISHED,
          f"{_ENDED} AND d.finished_on < d.due_on", "finished"),
    State("no_due", f"d.due_at IS NULL AND {_IN_STOCK} AND (d.finished_on IS NOT NULL OR d.verdict_at IS NULL)", BY_RECEIVED),
)

# ---- reports --------------------------------------------------------------------------------------------------------
_REPORT_OPEN = "d.closed_on IS NULL"
REPORT_BY_DUE = Order("due", ("due_at", "feed", "source_id"), index="ix_report_open")
REPORT_BY_RECEIVED = Order("received", ("received_on", "received_at", "feed", "source_id"), is_descending=True)
REPORT_BY_CLOSED = Order("closed", ("closed_on", "closed_at", "feed", "source_id"), is_descending=True)
_BY_REOPENED = Order("reopened", ("reopened_on", "reopened_at", "feed", "source_id"), is_descending=True, index="ix_report_reopened")
_BY_HASTY = Order("hasty", ("closed_on", "closed_at", "feed", "source_id"), is_descending=True, index="ix_report_hasty")
REPORT_STATES: tuple[State, ...] = (
    State("", "1 = 1", REPORT_BY_RECEIVED),
    State("open", _REPORT_OPEN, REPORT_BY_DUE, is_now=True),
    State("overdue", f"{_REPORT_OPEN} AND d.due_at < :now", REPORT_BY_DUE, is_now=True),
    State("due_soon", f"{_REPORT_OPEN} AND d.due_at >= :now AND d.due_at < :soon", REPORT_BY_DUE, is_now=True),
    State("received", "1 = 1", REPORT_BY_RECEIVED),
    State("finished", "d.closed_on IS NOT NULL", REPORT_BY_CLOSED, period_on="closed"),
    State("late", "d.closed_on IS NOT NULL AND d.closed_at > d.due_at", REPORT_BY_CLOSED, period_on="closed"),
    State("no_due", "d.due_at IS NULL", REPORT_BY_RECEIVED),
    State("ended_before_start", "d.is_ended_before_start", REPORT_BY_CLOSED, period_on="closed"),
    State("urgent", f"{_REPORT_OPEN} AND d.is_urgent", REPORT_BY_DUE, is_now=True),
    State("duplicate", "d.is_duplicate", REPORT_BY_RECEIVED),
)
# How a report was handled: narrows any state; without one it brings its own order and day. bulk is judged inside a period only.
QUALITIES: tuple[State, ...] = (
    State("reopened", "(d.reopened_on IS NOT NULL OR d.reopened_count > 0)", _BY_REOPENED, period_on="reopened"),
    State("within_hour", "d.is_within_hour", _BY_HASTY, period_on="closed"),
    State("bulk", "(d.feed, d.source_id) IN (SELECT feed, source_id FROM ({bulk}) bulk)", REPORT_BY_CLOSED, period_on="closed"),
)
REPORT_TIMELINESS: tuple[State, ...] = (
    State("overdue", f"{_REPORT_OPEN} AND d.due_at < :now", REPORT_BY_DUE, is_now=True),
    State("due_soon", f"{_REPORT_OPEN} AND d.due_at >= :now AND d.due_at < :soon", REPORT_BY_DUE, is_now=True),
    State("in_time", f"{_REPORT_OPEN} AND d.due_at >= :now AND d.due_at >= :soon", REPORT_BY_DUE, is_now=True),
    State("late", "d.closed_on IS NOT NULL AND d.closed_at > d.due_at", REPORT_BY_CLOSED, period_on="closed"),
    State("on_time", "d.closed_on IS NOT NULL AND d.closed_at <= d.due_at AND d.closed_on >= d.due_on", REPORT_BY_CLOSED,
          period_on="closed"),
    State("early", "d.closed_on IS NOT NULL AND d.closed_at <= d.due_at AND d.closed_on < d.due_on", REPORT_BY_CLOSED,
          period_on="closed"),
    State("no_due", "d.due_at IS NULL", REPORT_BY_RECEIVED),
)

# topic -> what makes a row one of those in hand, and the index that holds just these
IN_HAND: Mapping[str, tuple[str, str]] = {"dossiers": (_OPEN, "ix_dossier_open"), "reports": (_REPORT_OPEN, "ix_report_open")}
# topic -> state or timeliness or quality -> its row
CONDITIONS: Mapping[str, Mapping[str, Mapping[str, State]]] = {
    topic: {name: {row.key: row for row in rows} for name, rows in tables.items()}
    for topic, tables in {
        "dossiers": {"state": DOSSIER_STATES, "timeliness": DOSSIER_TIMELINESS},
        "reports": {"state": REPORT_STATES, "timeliness": REPORT_TIMELINESS, "quality": QUALITIES},
    }.items()
}
