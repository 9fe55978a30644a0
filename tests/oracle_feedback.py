"""The truth about how reports were handled, counted again from the core rows in plain Python and pandas.

Shares no code with metrics/ or store/: limits and rules are typed here from domain.md 3.2 and 4.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import pandas as pd

EPOCH = date(1970, 1, 1)
MINUTE = 60_000_000
DONE = ("resolved", "published", "closed", "refused")
NOT_TAKEN = ("new", "verifying", "refused", "unmapped", "")
REFUSE_DAYS, RESOLVE_DAYS = 2, 15  # F766 5.2
QUALITY = (
    "reports_accepted_pct", "reports_handled_pct", "reports_on_time_pct", "reports_extended_pct", "reports_returned_pct",
    "reports_duplicate_pct", "reports_resolved_pct", "reports_reopened_pct", "reports_closed_within_hour_pct",
    "reports_closed_in_bulk_pct", "reports_rated_pct", "reports_satisfied_pct", "feedback_on_time_766_pct",
    "feedback_satisfied_766_pct",
)
FROM_ROWS = ("reports_closed_in_bulk_pct", "feedback_on_time_766_pct", "feedback_satisfied_766_pct")  # known while feeds are silent
Answer = tuple[float | None, int]


# ---- cells of the roll-up ---------------------------------------------------------------------------------------------
def quality_flows(row: Mapping[str, Any]) -> Iterator[tuple[str, int | None]]:
    """(flow, instant it is counted at) of one report; a flow that does not hold is left out."""
    ended = row["closed_at"] if row["status"] in DONE else None
    on_receipt = {
        "duplicates_known": row["knows_duplicates"], "refused": row["status"] == "refused", "undecided": row["status"] in NOT_TAKEN[:2],
        "accepted": row["status"] not in NOT_TAKEN, "handled": row["status"] not in NOT_TAKEN and ended is not None,
        "return_known": row["returned_count"] is not None, "returned": (row["returned_count"] or 0) > 0,
        "extension_known": row["extension_count"] is not None, "extended": (row["extension_count"] or 0) > 0,
    }
    is_known = row["rating"] is not None and row["reopened_count"] is not None
    if is_known and not (ended is not None and ended < row["received_at"]):
        yield "quality_known_in", row["received_at"]
        if ended is not None:
            yield "quality_known_out", ended
    yield from ((name, row["received_at"]) for name, holds in on_receipt.items() if holds)
    if ended is not None:
        quick, rating, again = within_hour(row["received_at"], ended), row["rating"], row["reopened_count"]
        if row["resolution"] == "gone_from_snapshot":
            quick = None  # it was closed by its absence; nobody knows when
        at_the_end = {
            "closed_timed": quick is not None, "closed_within_hour": quick is True, "rating_known": rating is not None,
            "rated": rating in (1, 2, 3), "satisfied": rating in (2, 3), "reopen_known": again is not None,
            "closed_reopened": bool(again),
            "truly_resolved": again == 0 and row["status"] != "refused" and not row["is_duplicate"] and rating != 1,
        }
        yield from ((name, ended) for name, holds in at_the_end.items() if holds)
    if row["reopened_at"] is not None:
        yield "reopened", row["reopened_at"]
        if ended is None and row["reopened_count"] is not None:
            yield "reopened_open", row["reopened_at"]


def within_hour(received: int, closed: int) -> bool | None:
    """None where both lie on quarter hours: a source of dates without times."""
    if not received % (15 * MINUTE) and not closed % (15 * MINUTE):
        return None
    return 0 <= closed - received < 60 * MINUTE


# ---- KPIs -------------------------------------------------------------------------------------------------------------
def quality_kpis(oracle: Any, start: int, end: int, pick: Any) -> dict[str, Answer]:
    """Every KPI of QUALITY over the days start..end."""
    rows = oracle.picked(_prepared(oracle), pick)
    came = rows[rows["received_day"].between(start, end).fillna(False)]
    ended = rows[rows["ended_day"].between(start, end).fillna(False)]
    taken, due = came[~came["status"].isin(NOT_TAKEN)], ended[ended["due_at"].notna()]
    known, timed, rated = ended[ended["reopened_count"].notna()], ended[ended["quick"].notna()], ended[ended["rating"] > 0]
    good = known[
        (known["reopened_count"] == 0) & (known["status"] != "refused") & ~known["is_duplicate"].astype(bool)
        & (known["rating"].fillna(0) != 1)
    ]
    again_on = rows["reopened_day"].between(start, end).fillna(False)
    still = rows[again_on & rows["ended_at"].isna() & rows["reopened_count"].notna()]
    found = {
        "reports_accepted_pct": _share(len(taken), len(came[~came["status"].isin(("unmapped", ""))])),
        "reports_handled_pct": _share(int(taken["ended_at"].notna().sum()), len(taken)),
        "reports_on_time_pct": _share(int((due["ended_at"] <= due["due_at"]).sum()), len(due)),
        "reports_extended_pct": _positive(came["extension_count"]),
        "reports_returned_pct": _positive(came["returned_count"]),
        "reports_duplicate_pct": _positive(came.loc[came["knows_duplicates"].astype(bool), "is_duplicate"]),
        "reports_resolved_pct": _share(len(good), len(known)),
        "reports_reopened_pct": _share(int((known["reopened_count"] > 0).sum()) + len(still), len(known) + len(still)),
        "reports_closed_within_hour_pct": _share(int((timed["quick"] == 1).sum()), len(timed)),
        "reports_closed_in_bulk_pct": _share(int(timed["in_bulk"].sum()), len(timed)),
        "reports_rated_pct": _share(len(rated), int(ended["rating"].notna().sum())),
        "reports_satisfied_pct": _share(int((rated["rating"] > 1).sum()), len(rated)),
    }
    return found | _decision_766(oracle, rows[~rows["before"]], start, end)


def _decision_766(oracle: Any, rows: pd.DataFrame, start: int, end: int) -> dict[str, Answer]:
    """5.2 and 5.3: handled in the period, and in hand at its end (now, while it runs)."""
    rows = rows[(rows["received_day"] <= end) & ~(rows["ended_day"] < start)]
    ended = rows["ended_day"].where(rows["ended_day"] <= end)
    limit = rows["refuse_by"].where(ended.notna() & (rows["status"] == "refused"), rows["resolve_by"])
    is_late = ended.fillna(min(end, oracle.today)) > limit
    known = rows["rating"].notna() & rows["reopened_count"].notna()
    good = known & ~is_late & (rows["rating"] != 1) & (rows["reopened_count"] == 0)
    return {
        "feedback_on_time_766_pct": _share(int((~is_late).sum()), len(rows)),
        "feedback_satisfied_766_pct": _share(int(good.sum()), int(known.sum())),
    }


def last_day(oracle: Any, received: int, working_days: int) -> int:
    """The last day in time: so many working days after the one of sending."""
    kept = oracle.kept.setdefault("766 limits", {})
    if (received, working_days) not in kept:
        day, left = EPOCH + timedelta(days=received), working_days
        while left:
            day += timedelta(days=1)
            left -= oracle.works(day)
        kept[received, working_days] = (day - EPOCH).days
    return int(kept[received, working_days])


def _prepared(oracle: Any) -> pd.DataFrame:
    """The oracle's reports with `quick` (1, 0, none = nobody knows) and `in_bulk`."""
    if "quality" not in oracle.kept:
        rows = oracle.reports.copy()
        gone = (rows["resolution"] == "gone_from_snapshot").fillna(False)
        quick = [
            None if pd.isna(end) or hidden else within_hour(int(came), int(end))
            for came, end, hidden in zip(rows["received_at"], rows["ended_at"], gone, strict=True)
        ]
        rows["quick"] = [float("nan") if one is None else float(one) for one in quick]
        for name, days in (("refuse_by", REFUSE_DAYS), ("resolve_by", RESOLVE_DAYS)):
            rows[name] = [float(last_day(oracle, int(on), days)) for on in rows["received_day"]]
        rows["in_bulk"] = _in_bulk(rows, *oracle.bulk)
        oracle.kept["quality"] = rows
    found: pd.DataFrame = oracle.kept["quality"]
    return found


def _in_bulk(rows: pd.DataFrame, least: int, minutes: int) -> list[bool]:
    """Is there a stretch of so many minutes around the closing in which its agency closed `least` reports or more that day?"""
    judged = rows[rows["quick"].notna() & (rows["agency_code"] != "")]
    marked: set[Any] = set()
    for _, group in judged.groupby(["ended_day", "agency_code"]):
        times = sorted((int(at), place) for place, at in group["ended_at"].items())
        first = 0
        for last, (at, _) in enumerate(times):
            while at - times[first][0] >= minutes * MINUTE:
                first += 1
            if last - first + 1 >= least:
                marked.update(place for _, place in times[first:last + 1])
    return [place in marked for place in rows.index]


def _positive(told: pd.Series) -> Answer:
    """How many of those told are above 0."""
    known = told.dropna()
    return _share(int((known > 0).sum()), len(known))


def _share(part: int, whole: int) -> Answer:
    return (100.0 * part / whole if whole else None), whole
