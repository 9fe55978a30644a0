"""Logs every cell that chosen rows count in: for changes that take rows out or end them, without a pair of old and new."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection

from store.stage import put_rows
from store.versioned import Kind


def log_cells(kind: Kind, where: str) -> str:
    """INSERT of the cells of the core rows `d` chosen by `where`: one per event day they have."""
    keys = ", ".join(f"{key} AS k{n}" for n, key in enumerate([*(f"d.{key}" for key in kind.keys), "''", "''"][:3], 1))
    per_day = " UNION ".join(
        f"SELECT d.{day.column} AS bucket, {keys} FROM {kind.table.name} d WHERE {where}" for day in kind.days
    )
    return (
        f"INSERT INTO ops_dirty (topic, bucket, k1, k2, k3) SELECT '{kind.topic}', bucket, k1, k2, k3 "
        f"FROM ({per_day}) cells WHERE bucket IS NOT NULL"
    )


STOP = "source_id, stopped_at, resumed_at, stopped_on, resumed_on, agency_code, domain_code"


def log_stops(connection: Connection, before: Sequence[Sequence[Any]], after: Sequence[Sequence[Any]] = ()) -> None:
    """Log the cells of stops (rows of STOP) that are in one of the two alone: the day of each start and each end."""
    changed = {tuple(row) for row in before} ^ {tuple(row) for row in after}
    log_dossier_cells(connection, {(day, *row[5:]) for row in changed for day in row[3:5] if day is not None})


def log_dossier_cells(connection: Connection, cells: Collection[tuple[int, str, str]]) -> None:
    """Log cells (day, agency, domain) of dossiers."""
    if cells:
        put_rows(connection, "ops_dirty", ("topic", "bucket", "k1", "k2"), (("dossiers", *cell) for cell in sorted(cells)))
