"""Lands versioned things (dossiers, reports): the greatest version wins, every change is kept, touched roll-up cells are logged.

All in the caller's transaction: stage -> stub + lock -> drop what is not newer -> log old and new cells -> keep version -> update.
The stub insert and the lock close the hole where two writers bring the same new id and neither sees the other's cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, text

from store import facts, schema
from store.days import DAY, DayClock
from store.stage import Runner, analyse_stage, fill_stage, make_stage

NO_VERSION = -(2**62)  # of a stub: less than any source can state, instants before 1970 are negative too
MARGIN = DAY  # what falls due this soon is logged now: the clock may pass it before this transaction is seen


@dataclass(frozen=True)
class EventDay:
    """A day on which rows are counted: its column, when a row counts at all, and what else of the row the counts look at.

    `r.` stands for the row. :horizon and :horizon_on stand for the store's clock, a little ahead of it. A cell is logged for a
    row that counts and whose day, cell or counted expressions have changed; so most changes touch few cells.
    """

    column: str
    where: str
    counted: tuple[str, ...]

    def touched(self, side: str, keys: Sequence[str]) -> str:
        """Condition on a pair d (before), s (after) that the cell of this side must be computed anew."""
        watched = (f"r.{self.column}", *(f"r.{key}" for key in keys), *self.counted)
        changed = " OR ".join(f"({_of(part, 'd')}) IS DISTINCT FROM ({_of(part, 's')})" for part in watched)
        return f"{side}_{self.column} IS NOT NULL AND ({_of(self.where, side)}) AND ({changed})"


def _of(expression: str, side: str) -> str:
    return expression.replace("r.", f"{side}_")


@dataclass(frozen=True)
class Kind:
    """One versioned kind: its tables, business columns, its event days and its cell keys k1..k3."""

    topic: str
    table: Table
    versions: Table
    days: tuple[EventDay, ...]
    keys: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Business columns with version and hash, as staged after source_id."""
        skipped = ("feed", "source_id", "first_landed_at", "landed_at")
        return tuple(c.name for c in self.table.columns if c.name not in skipped)


# the facts counted on the received and on the finished day: a fact told later touches the cell that counts it, not both
_RECEIVED = f"(r.facts & {facts.LEVEL | facts.both(facts.OF_RECEIVED)})"
_FINISHED = f"(r.facts & {facts.both(facts.OF_FINISHED)})"
DOSSIERS = Kind(
    "dossiers", schema.dossier, schema.dossier_version,
    days=(
        EventDay("filed_on", "r.standing > 1 OR r.status = 0", ("r.standing", "r.status = 0")),
        EventDay("received_on", "r.standing IN (1, 4)", ("r.standing", "r.channel", "r.due_at IS NULL", _RECEIVED)),
        EventDay(
            "finished_on", "r.standing IN (1, 4)",
            (
                "r.standing", "r.finished_at", "r.due_at", "r.due_on", "r.received_on", "r.status = 7", "r.supplement_count > 0",
                "r.supplement_count > 1", "r.second_supplement_on IS NULL", _FINISHED,
            ),
        ),
        EventDay(
            "passed_on", "r.standing = 1 AND r.due_at < coalesce(r.verdict_at, :horizon)",
            ("r.standing", "r.due_at", "r.verdict_at", "r.second_supplement_on"),
        ),
        EventDay("second_supplement_on", "r.standing = 1", ("r.standing", "r.due_at", "r.verdict_at", "r.passed_on")),
        EventDay(
            "passed_day_on", "r.standing = 1 AND r.due_on < coalesce(r.verdict_on, :horizon_on)",
            ("r.standing", "r.due_on", "r.verdict_on"),
        ),
    ),
    keys=("agency_code", "domain_code"),
)
REPORTS = Kind(
    "reports", schema.report, schema.report_version,
    days=(
        EventDay(
            "received_on", "1 = 1",
            (
                "r.due_at IS NULL", "r.is_ended_before_start", "r.is_urgent", "r.is_duplicate", "r.knows_duplicates",
                "r.status = 'refused'", "r.status IN ('new', 'verifying')", "r.status IN ('unmapped', '')", "r.closed_on IS NULL",
                "r.returned_count IS NULL", "r.returned_count > 0", "r.extension_count IS NULL", "r.extension_count > 0",
                "r.rating IS NULL", "r.reopened_count IS NULL",
            ),
        ),
        EventDay(
            "closed_on", "1 = 1",
            (
                "r.closed_at", "r.due_at", "r.is_ended_before_start", "r.is_within_hour", "r.rating", "r.reopened_count IS NULL",
                "r.reopened_count > 0", "r.status = 'refused'", "r.is_duplicate",
            ),
        ),
        EventDay("reopened_on", "1 = 1", ("r.closed_on IS NULL", "r.reopened_count IS NULL")),
        EventDay(
            "passed_on", "NOT r.is_ended_before_start AND r.due_at < coalesce(r.closed_at, :horizon)",
            ("r.due_at", "r.closed_at", "r.is_ended_before_start"),
        ),
    ),
    keys=("agency_code", "area_code", "category_code"),
)


def land_versioned(
    connection: Connection, kind: Kind, feed: str, rows: Iterable[Sequence[Any]], now: int, days: DayClock, *, keep_repeats: bool,
    track: bool = True, sift: Callable[[str], None] | None = None, settle: Callable[[str], None] | None = None,
) -> int:
    """Land rows (source_id, *kind.columns) of one feed; returns how many changed something.

    `keep_repeats` = the source states versions: an equal content with a newer version still moves the version on. Without it
    (receipt order) equal content is no news. `track=False` leaves out the dirty log; only the benchmark of its cost may do so.
    The stage is left in place as stage_<topic> with the rows that changed, for the caller's child tables. `sift(stage)` may drop
    staged rows that must not land (tombstones, superseded feeds) before anything is written; `settle(stage)` may complete the rows
    that will, from the locked rows they replace.
    """
    stage = f"stage_{kind.topic}"
    fill_stage(connection, stage, kind.table, ("source_id", *kind.columns), rows)
    if sift:
        sift(stage)
    run = Runner(connection, {"feed": feed, "now": now})
    core = kind.table.name
    held = _stub_and_lock(run, kind, stage)
    older = "d.version > s.version OR (d.version = s.version AND d.hash >= s.hash)"
    run(
        f"DELETE FROM {stage} AS s WHERE EXISTS (SELECT 1 FROM {held} d WHERE d.feed = :feed AND d.source_id = s.source_id "
        f"AND ({older}{'' if keep_repeats else ' OR d.hash = s.hash'}))"
    )
    if settle:
        settle(stage)
    differs = "d.feed = :feed AND d.source_id = s.source_id AND d.hash <> s.hash"
    if track and kind.days:
        clock = int(connection.execute(text("SELECT coalesce(max(at), 0) FROM ops_clock")).scalar_one())
        horizon = max(clock, now) + MARGIN
        run.values |= {"horizon": horizon, "horizon_on": (days.on(horizon) or 0) + 1}
        run(_log_cells(kind, f"{stage} s CROSS JOIN {held} d WHERE {differs}"))
    names = ", ".join(kind.columns)
    taken = ", ".join(f"s.{name}" for name in kind.columns)
    changed = run(
        f"INSERT INTO {kind.versions.name} (feed, source_id, landed_at, {names}) SELECT :feed, s.source_id, :now, {taken} "
        f"FROM {stage} s CROSS JOIN {held} d WHERE {differs} ON CONFLICT DO NOTHING"
    )
    assignments = ", ".join(f"{name} = s.{name}" for name in kind.columns)
    run(
        f"UPDATE {core} SET {assignments}, landed_at = :now FROM {stage} s "
        f"WHERE {core}.feed = :feed AND {core}.source_id = s.source_id"
    )
    return changed


def _stub_and_lock(run: Runner, kind: Kind, stage: str) -> str:
    """Make and lock the rows to land on; the table they can be read from as they are before.

    On PostgreSQL that is a small one of their own: each look into the core table costs as much as locking did.
    """
    core, connection = kind.table.name, run.connection
    run(
        f"INSERT INTO {core} (feed, source_id, version, hash, first_landed_at) SELECT :feed, source_id, {NO_VERSION}, '', :now "
        f"FROM {stage} WHERE true ORDER BY source_id ON CONFLICT (feed, source_id) DO NOTHING"
    )
    if connection.dialect.name == "sqlite":
        return core
    held, columns = f"{stage}_held", ("feed", "source_id", "version", "hash", *_needed(kind))
    make_stage(connection, held, kind.table, columns)
    run(
        f"INSERT INTO {held} SELECT {', '.join(f'd.{column}' for column in columns)} FROM {core} d "
        f"JOIN {stage} s ON d.source_id = s.source_id WHERE d.feed = :feed ORDER BY d.source_id FOR UPDATE OF d"
    )
    analyse_stage(connection, held, kind.table, columns)
    return held


def _log_cells(kind: Kind, pairs: str) -> str:
    """INSERT of the cells that these pairs d (before), s (after) touch, on either side."""
    columns = ", ".join(f"{side}.{name} AS {side}_{name}" for side in "ds" for name in _needed(kind))
    keys = {side: ", ".join([f"{side}_{key}" for key in kind.keys] + ["''"] * (3 - len(kind.keys))) for side in "ds"}
    parts = " UNION ".join(
        f"SELECT {side}_{day.column}, {keys[side]} FROM pairs WHERE {day.touched(side, kind.keys)}" for side in "ds" for day in kind.days
    )
    return (
        f"INSERT INTO ops_dirty (topic, bucket, k1, k2, k3) WITH pairs AS MATERIALIZED (SELECT {columns} FROM {pairs}), "
        f"cells (bucket, k1, k2, k3) AS ({parts}) SELECT '{kind.topic}', bucket, k1, k2, k3 FROM cells"
    )


def _needed(kind: Kind) -> list[str]:
    """Columns that tell which cells a row counts in: its cell, its event days and what their conditions name."""
    named = {name for day in kind.days for part in (day.where, *day.counted) for name in re.findall(r"r\.(\w+)", part)}
    return sorted({*kind.keys, *(day.column for day in kind.days), *named})
