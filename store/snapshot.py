"""Closes what a complete snapshot no longer names. A report is closed by its absence; of a dossier it is only kept since when.

A dossier is not ended by silence: nobody knows when and how it was finished, so the stock and the verdicts would be guesses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, text

from store.cells import log_cells
from store.days import DayClock
from store.revisions import bump
from store.stage import Runner, fill_stage
from store.versioned import DOSSIERS, REPORTS, Kind

GONE = "gone_from_snapshot"  # the resolution of a report closed by absence, and a text key
# less than any digest in every collation, so that the same content delivered again wins
GONE_HASH = "0"
_OPEN = {DOSSIERS.topic: "d.finished_on IS NULL AND d.standing = 1", REPORTS.topic: "d.closed_on IS NULL"}


@dataclass(frozen=True)
class Absence:
    """What a snapshot says of the things that were open: how many there were, how many it no longer names, were they marked."""

    was_open: int
    missing: int
    is_marked: bool


def mark_absent(
    connection: Connection, days: DayClock, kind: Kind, feed: str, seen: Iterable[str], now: int, min_share: float
) -> Absence:
    """Compare the open things of a feed with the ids a complete snapshot named, and mark those it does not name.

    Marks nothing when fewer than `min_share` of the open ones are named: that is a broken export, not a busy day.
    """
    fill_stage(connection, "stage_seen", kind.table, ("source_id",), ((one,) for one in seen))
    values = {"topic": kind.topic, "feed": feed, "now": now, "today": days.on(now), "gone": GONE, "hash": GONE_HASH}
    run = Runner(connection, values)
    fill_stage(connection, "stage_gone", kind.table, ("source_id",), ())
    run(
        f"INSERT INTO stage_gone (source_id) SELECT d.source_id FROM {kind.table.name} d WHERE d.feed = :feed "
        f"AND {_OPEN[kind.topic]} AND d.source_id NOT IN (SELECT source_id FROM stage_seen)"
    )
    count = text(f"SELECT count(*) FROM {kind.table.name} d WHERE d.feed = :feed AND {_OPEN[kind.topic]}")
    was_open = int(connection.execute(count, {"feed": feed}).scalar_one())
    missing = int(connection.execute(text("SELECT count(*) FROM stage_gone")).scalar_one())
    if was_open - missing < min_share * was_open:
        return Absence(was_open, missing, False)
    run("DELETE FROM core_unseen WHERE topic = :topic AND feed = :feed AND source_id IN (SELECT source_id FROM stage_seen)")
    run(
        "INSERT INTO core_unseen (topic, feed, source_id, since_at) SELECT :topic, :feed, source_id, :now FROM stage_gone "
        "WHERE true ON CONFLICT DO NOTHING"
    )
    if missing and kind is REPORTS:
        _close_reports(run, kind)
    if missing:
        bump(connection, kind.topic, now)
    return Absence(was_open, missing, True)


def _close_reports(run: Runner, kind: Kind) -> None:
    chosen = "feed = :feed AND source_id IN (SELECT source_id FROM stage_gone)"
    log = log_cells(kind, f"d.{chosen.replace(' AND ', ' AND d.')}")
    run(log)
    run(
        "UPDATE core_report SET status = 'closed', is_open = false, closed_at = :now, closed_on = :today, resolution = :gone, "
        f"is_ended_before_start = (received_at > :now), is_within_hour = NULL, hash = :hash, landed_at = :now WHERE {chosen}"
    )
    run(log)
    names = ", ".join(kind.columns)
    run(
        f"INSERT INTO core_report_version (feed, source_id, landed_at, {names}) SELECT feed, source_id, :now, {names} "
        f"FROM core_report WHERE {chosen} ON CONFLICT DO NOTHING"
    )
