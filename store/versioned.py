"""Lands versioned things (dossiers, reports): the greatest version wins, every change is kept, touched roll-up cells are logged.

All in the caller's transaction: stage -> stub + lock -> drop what is not newer -> log old and new cells -> keep version -> update.
The stub insert and the lock close the hole where two writers bring the same new id and neither sees the other's cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, text

from store import schema
from store.stage import fill_stage

NO_VERSION = -1


@dataclass(frozen=True)
class Kind:
    """One versioned kind: its tables, business columns, its event days and its cell keys k1..k3."""

    topic: str
    table: Table
    versions: Table
    days: tuple[str, ...]
    keys: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Business columns with version and hash, as staged after source_id."""
        skipped = ("feed", "source_id", "first_landed_at", "landed_at")
        return tuple(c.name for c in self.table.columns if c.name not in skipped)


DOSSIERS = Kind(
    "dossiers", schema.dossier, schema.dossier_version,
    days=("filed_on", "received_on", "finished_on", "passed_on", "passed_day_on"),
    keys=("agency_code", "domain_code"),
)
REPORTS = Kind(
    "reports", schema.report, schema.report_version,
    days=("received_on", "closed_on", "passed_on"),
    keys=("agency_code", "area_code", "category_code"),
)


def land_versioned(
    connection: Connection, kind: Kind, feed: str, rows: Iterable[Sequence[Any]], now: int, *, keep_repeats: bool, track: bool = True,
) -> int:
    """Land rows (source_id, *kind.columns) of one feed; returns how many changed something.

    `keep_repeats` = the source states versions: an equal content with a newer version still moves the version on. Without it
    (receipt order) equal content is no news. `track=False` leaves out the dirty log; only the benchmark of its cost may do so.
    The stage is left in place as stage_<topic> with the rows that changed, for the caller's child tables.
    """
    stage = f"stage_{kind.topic}"
    fill_stage(connection, stage, kind.table, ("source_id", *kind.columns), rows)
    run = _Runner(connection, {"feed": feed, "now": now})
    core = kind.table.name
    run(
        f"INSERT INTO {core} (feed, source_id, version, hash, first_landed_at) SELECT :feed, source_id, {NO_VERSION}, '', :now "
        f"FROM {stage} WHERE true ORDER BY source_id ON CONFLICT (feed, source_id) DO NOTHING"
    )
    if connection.dialect.name != "sqlite":
        run(
            f"SELECT 1 FROM {core} d JOIN {stage} s ON d.source_id = s.source_id WHERE d.feed = :feed "
            "ORDER BY d.source_id FOR UPDATE OF d"
        )
    older = "d.version > s.version OR (d.version = s.version AND d.hash >= s.hash)"
    run(
        f"DELETE FROM {stage} AS s WHERE EXISTS (SELECT 1 FROM {core} d WHERE d.feed = :feed AND d.source_id = s.source_id "
        f"AND ({older}{'' if keep_repeats else ' OR d.hash = s.hash'}))"
    )
    differs = "d.feed = :feed AND d.source_id = s.source_id AND d.hash <> s.hash"
    if track:
        for side in ("d", "s"):
            run(_log_cells(kind, f"{stage} s CROSS JOIN {core} d", side, differs))
    names = ", ".join(kind.columns)
    taken = ", ".join(f"s.{name}" for name in kind.columns)
    changed = run(
        f"INSERT INTO {kind.versions.name} (feed, source_id, landed_at, {names}) SELECT :feed, s.source_id, :now, {taken} "
        f"FROM {stage} s CROSS JOIN {core} d WHERE {differs} ON CONFLICT DO NOTHING"
    )
    assignments = ", ".join(f"{name} = s.{name}" for name in kind.columns)
    run(
        f"UPDATE {core} SET {assignments}, landed_at = :now FROM {stage} s "
        f"WHERE {core}.feed = :feed AND {core}.source_id = s.source_id"
    )
    return changed


def _log_cells(kind: Kind, source: str, side: str, where: str) -> str:
    """INSERT of the cells that rows of one side (d = before, s = after) touch: one per event day."""
    keys = [f"{side}.{key}" for key in kind.keys] + ["''"] * (3 - len(kind.keys))
    per_day = " UNION ".join(
        f"SELECT {side}.{day} AS bucket, {', '.join(f'{key} AS k{n}' for n, key in enumerate(keys, 1))} FROM {source} WHERE {where}"
        for day in kind.days
    )
    return (
        f"INSERT INTO ops_dirty (topic, bucket, k1, k2, k3) SELECT '{kind.topic}', bucket, k1, k2, k3 "
        f"FROM ({per_day}) cells WHERE bucket IS NOT NULL"
    )


class _Runner:
    """Runs statements with the same few parameters; unused ones are left out."""

    def __init__(self, connection: Connection, values: dict[str, Any]) -> None:
        self.connection = connection
        self.values = values

    def __call__(self, statement: str) -> int:
        used = {name: value for name, value in self.values.items() if f":{name}" in statement}
        return self.connection.execute(text(statement), used).rowcount
