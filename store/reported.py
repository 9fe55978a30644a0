"""What is kept of one citizen report, and what deliveries show of it: reopened, sent back, extended. "Closed" alone says little.

A fact the source tells is kept as told. Of `watched` feeds the others are seen from one delivery to the next: a closed report that is
open again was reopened, and the day is kept. It is counted only where we looked from the start, of reports that were open when they
first came; else the count is NULL = unknown. What is seen depends on what was delivered when; what is told does not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from store.catalogue import Resolver
from store.days import HOUR
from store.rejects import digest_of
from store.rows import REPORT_STATUSES, ReportRow
from store.snapshot import GONE
from store.versioned import NO_VERSION

QUARTER = HOUR // 4


@dataclass(frozen=True)
class Seen:
    """A fact counted when it happens between two deliveries, `d` before and `s` after; `happened` is SQL of that pair."""

    fact: str
    column: str
    happened: str


_KNOWN = f"d.version > {NO_VERSION}"
# Counting begins with a report that is open when it first comes. Of the others only those that were reopened would ever be known, and
# their share would be all.
_BEGAN = f"(d.version = {NO_VERSION} AND s.is_open)"
SEEN: tuple[Seen, ...] = (
    Seen(
        "reopened", "reopened_count",  # one that was closed by its absence from a snapshot was closed by us, not by its office
        f"({_KNOWN} AND NOT d.is_open AND s.is_open AND d.resolution IS DISTINCT FROM '{GONE}') "
        "OR (s.status = 'reopened' AND d.status <> 'reopened')",
    ),
    Seen("returned", "returned_count", "s.status = 'returned' AND d.status <> 'returned'"),
    Seen("extended", "extension_count", "s.status = 'extended' AND d.status <> 'extended'"),
)


def missing_field(row: ReportRow) -> str:
    """The field without which the report cannot land; '' = none."""
    if row.received_at is None:
        return "received_at"
    return "closed_at" if not REPORT_STATUSES.get(row.status, True) and row.closed_at is None else ""


def report_cells(
    row: ReportRow, resolver: Resolver, on: Callable[[int | None], int | None], place: str, now: int, watched: Collection[str] = (),
) -> tuple[tuple[Any, ...], str]:
    """The columns of a report, in their order, and the digest of what its source said."""
    closed = None if REPORT_STATUSES.get(row.status, True) else row.closed_at
    received_on, due_on = on(row.received_at), on(row.due_at)
    content = (
        resolver.category(row.category, row.category_name, row.category_group), resolver.agency(row.agency), place, row.status,
        REPORT_STATUSES.get(row.status, True), row.channel, row.received_at, row.updated_at, row.due_at, closed, row.lon, row.lat,
        row.description, row.resolution, bool(row.is_duplicate), row.is_urgent, received_on, due_on, on(closed),
        None if due_on is None else max(due_on, received_on or due_on), closed is not None and closed < (row.received_at or closed),
    )
    reopened_count = 1 if row.reopened_count is None and row.reopened_at is not None else row.reopened_count
    told = (
        True if row.is_duplicate is not None else None, row.rating, reopened_count, row.reopened_at, row.returned_count,
        row.extension_count,
    )
    reopened_at = row.reopened_at if reopened_count else None
    if "reopened" in watched and reopened_count is None and closed is None:  # when it was, should it turn out to have been
        reopened_at = min(row.updated_at, now) if row.updated_at is not None else now
    quality = (
        row.is_duplicate is not None, row.rating, reopened_count, reopened_at, on(reopened_at), row.returned_count,
        row.extension_count, is_within_hour(row.received_at, closed),
    )
    # a source that tells none of it keeps the digests it had before these columns were there
    return (*content, *quality), digest_of(content if not any(one is not None for one in told) else (content, told))


def is_within_hour(received_at: int | None, closed_at: int | None) -> bool | None:
    """Was it closed within 60 minutes? None while open, and where both instants lie on whole quarter hours: dates without times."""
    if received_at is None or closed_at is None or (received_at % QUARTER == 0 and closed_at % QUARTER == 0):
        return None
    return 0 <= closed_at - received_at < HOUR


def note_seen(connection: Connection, feed: str, stage: str, watched: Collection[str]) -> None:
    """Write into the staged reports what their rows before and after show; the rows are stubbed and locked already."""
    seen = [one for one in SEEN if one.fact in watched]
    if not seen:
        return
    counts = ", ".join(
        f"{one.column} = CASE WHEN s.{one.column} IS NOT NULL THEN s.{one.column} "
        f"WHEN {_BEGAN} OR d.{one.column} IS NOT NULL THEN coalesce(d.{one.column}, 0) + CASE WHEN {one.happened} THEN 1 ELSE 0 END END"
        for one in seen
    )
    times = "".join(
        f", {name} = CASE WHEN s.reopened_count IS NOT NULL OR {SEEN[0].happened} THEN s.{name} ELSE d.{name} END"
        for name in ("reopened_at", "reopened_on") if SEEN[0] in seen
    )
    connection.execute(
        text(f"UPDATE {stage} AS s SET {counts}{times} FROM core_report d WHERE d.feed = :feed AND d.source_id = s.source_id"),
        {"feed": feed},
    )
