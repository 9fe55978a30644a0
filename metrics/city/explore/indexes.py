"""Which index a statement of /explore is read from: the one whose entries begin with the day it asks about, or that of the open rows."""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import Index

from store.schema import metadata

OPEN = {"core_dossier": "ix_dossier_open", "core_report": "ix_report_open"}
ELSEWHERE = {"procedure_code", "source_id", "feed"}  # a filter on one of these may have a better index: the planner chooses


@lru_cache(maxsize=256)
def index_of(table: str, day: str) -> Index | None:
    """The widest index of a table that begins with the day, that of open rows for ''; None where there is none."""
    indexes = metadata.tables[table].indexes
    if not day:
        return next((one for one in indexes if one.name == OPEN.get(table)), None)
    found = [one for one in indexes if next(iter(one.columns)).name == day]
    return max(found, key=lambda one: len(one.columns), default=None)


def hint(table: str, day: str, filtered: frozenset[str]) -> str:
    """What makes SQLite take that index: without statistics of the real rows it prefers one that is in order of the groups."""
    found = None if filtered & ELSEWHERE else index_of(table, day)
    return f" INDEXED BY {found.name}" if found is not None else ""
