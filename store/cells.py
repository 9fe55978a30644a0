"""Logs every cell that chosen rows count in: for changes that take rows out or end them, without a pair of old and new."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, text

from store.versioned import Kind


class Runner:
    """Runs statements with the same few parameters; unused ones are left out."""

    def __init__(self, connection: Connection, values: Mapping[str, Any]) -> None:
        self.connection = connection
        self.values = values

    def __call__(self, statement: str) -> int:
        """The number of rows the statement touched."""
        used = {name: value for name, value in self.values.items() if f":{name}" in statement}
        return self.connection.execute(text(statement), used).rowcount


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


def log_stops(where: str) -> str:
    """INSERT of the cells that the stops `p` chosen by `where` touch: the day of each start and each end."""
    source = f"FROM core_dossier_stop p WHERE {where}"
    return (
        "INSERT INTO ops_dirty (topic, bucket, k1, k2) SELECT DISTINCT 'dossiers', cells.bucket, cells.agency_code, "
        f"cells.domain_code FROM (SELECT p.stopped_on AS bucket, p.agency_code, p.domain_code {source} "
        f"UNION SELECT p.resumed_on, p.agency_code, p.domain_code {source}) cells WHERE cells.bucket IS NOT NULL"
    )
