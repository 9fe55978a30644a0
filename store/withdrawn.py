"""Takes things out of every count: tombstones of their own source, and rows another feed supersedes.

The core row goes, its cells are logged, its versions stay, a mark in core_withdrawn says why: no list, flow or stock has to know.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, text

from store import schema
from store.cells import STOP, log_cells, log_stops
from store.judged import log_unjudged
from store.stage import Runner, fill_stage
from store.versioned import Kind

DELETED, SUPERSEDED = "deleted", "superseded"


def lock_feeds_apart(connection: Connection) -> None:
    """Feeds that take rows out land one after the other: two writers that do not see each other would both keep a row."""
    if connection.dialect.name != "sqlite":
        connection.execute(text("SELECT pg_advisory_xact_lock(7030004)"))


def drop_withdrawn(connection: Connection, kind: Kind, feed: str, stage: str) -> None:
    """Drop staged rows that are not newer than their tombstone; a newer one lifts it."""
    run = Runner(connection, {"topic": kind.topic, "feed": feed, "reason": DELETED})
    here = "topic = :topic AND feed = :feed"
    any_known = text(f"SELECT 1 FROM core_withdrawn WHERE {here} LIMIT 1")
    if connection.execute(any_known, {"topic": kind.topic, "feed": feed}).first() is None:
        return
    run(
        f"DELETE FROM {stage} AS s WHERE EXISTS (SELECT 1 FROM core_withdrawn w WHERE w.topic = :topic AND w.feed = :feed "
        "AND w.source_id = s.source_id AND w.reason = :reason AND w.version >= s.version)"
    )
    run(f"DELETE FROM core_withdrawn WHERE {here} AND source_id IN (SELECT source_id FROM {stage})")


def land_tombstones(connection: Connection, kind: Kind, feed: str, rows: Iterable[tuple[str, int]], now: int) -> int:
    """Take out things their source has deleted (source_id, version), unless a newer version is here; returns how many were news.

    A tombstone that comes before its thing is kept, so that the order of delivery does not matter.
    """
    stage = "stage_deleted"
    fill_stage(connection, stage, kind.table, ("source_id", "version"), rows)
    run = Runner(connection, {"topic": kind.topic, "feed": feed, "reason": DELETED, "now": now})
    core = kind.table.name
    run(
        f"DELETE FROM {stage} AS s WHERE EXISTS (SELECT 1 FROM {core} d WHERE d.feed = :feed AND d.source_id = s.source_id "
        "AND d.version > s.version)"
    )
    _take_out(connection, kind, feed, stage)
    known = "w.topic = :topic AND w.feed = :feed AND w.source_id = s.source_id AND w.reason = :reason"
    run(f"UPDATE core_withdrawn AS w SET version = s.version FROM {stage} s WHERE {known} AND w.version < s.version")
    run(f"DELETE FROM {stage} AS s WHERE EXISTS (SELECT 1 FROM core_withdrawn w WHERE {known})")
    return run(
        "INSERT INTO core_withdrawn (topic, feed, source_id, version, reason, withdrawn_at) SELECT :topic, :feed, source_id, "
        f"version, :reason, :now FROM {stage} WHERE true ON CONFLICT (topic, feed, source_id) DO UPDATE SET version = excluded.version, "
        "reason = excluded.reason, by_feed = '', withdrawn_at = excluded.withdrawn_at"
    )


def drop_superseded(connection: Connection, kind: Kind, feed: str, stage: str, by_feeds: Sequence[str], now: int) -> None:
    """Drop staged rows whose id a superseding feed has; a row of ours that landed before goes out too."""
    for by_feed in by_feeds:
        theirs = f"SELECT n.source_id FROM {kind.table.name} n WHERE n.feed = :by AND n.source_id = s.source_id"
        run = Runner(connection, {"topic": kind.topic, "feed": feed, "by": by_feed, "reason": SUPERSEDED, "now": now})
        fill_stage(connection, "stage_superseded", kind.table, ("source_id",), ())
        run(f"INSERT INTO stage_superseded (source_id) SELECT s.source_id FROM {stage} s WHERE EXISTS ({theirs})")
        _take_out(connection, kind, feed, "stage_superseded")
        run(
            "INSERT INTO core_withdrawn (topic, feed, source_id, version, reason, by_feed, withdrawn_at) SELECT :topic, :feed, "
            f"s.source_id, s.version, :reason, :by, :now FROM {stage} s JOIN stage_superseded o ON o.source_id = s.source_id "
            "WHERE true ON CONFLICT (topic, feed, source_id) DO NOTHING"
        )
        run(f"DELETE FROM {stage} WHERE source_id IN (SELECT source_id FROM stage_superseded)")


def take_over(connection: Connection, kind: Kind, feed: str, stage: str, old_feeds: Sequence[str], now: int) -> None:
    """Take out the rows of superseded feeds that have a staged id."""
    for old in old_feeds:
        run = Runner(connection, {"topic": kind.topic, "old": old, "feed": feed, "reason": SUPERSEDED, "now": now})
        run(
            "INSERT INTO core_withdrawn (topic, feed, source_id, version, reason, by_feed, withdrawn_at) SELECT :topic, :old, "
            f"d.source_id, d.version, :reason, :feed, :now FROM {kind.table.name} d WHERE d.feed = :old "
            f"AND d.source_id IN (SELECT source_id FROM {stage}) ON CONFLICT (topic, feed, source_id) DO NOTHING"
        )
        _take_out(connection, kind, old, stage)


def _take_out(connection: Connection, kind: Kind, feed: str, stage: str) -> int:
    """Remove the core rows of a feed whose ids are staged, logging the cells they counted in; returns how many."""
    run = Runner(connection, {"feed": feed, "topic": kind.topic})
    staged = f"source_id IN (SELECT source_id FROM {stage})"
    if kind.days:
        run(log_cells(kind, f"d.feed = :feed AND d.{staged}"))
    if kind.table is schema.dossier:
        gone = text(f"DELETE FROM core_dossier_stop WHERE feed = :feed AND {staged} RETURNING {STOP}")
        log_stops(connection, connection.execute(gone, {"feed": feed}).all())
        log_unjudged(connection, feed, stage)
    run(f"DELETE FROM core_unseen WHERE topic = :topic AND feed = :feed AND {staged}")
    return run(f"DELETE FROM {kind.table.name} WHERE feed = :feed AND {staged}")
