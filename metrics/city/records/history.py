"""One dossier or report by its source id, and what every kept version of it changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from metrics.city import City, agencies
from metrics.city.lists.paging import Row
from metrics.city.masking import PERSONAL, UNVETTED_TABLES, masked_id, unvetted
from store.facts import unpack


@dataclass(frozen=True)
class Change:
    """One field that differs from the version before; values as stored, None = unknown."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class VersionItem:
    """What a source said at `landed_at` (system time); `changes` against the version before it."""

    landed_at: int
    version: int
    changes: tuple[Change, ...]


def find(
    connection: Connection, city: City, table: str, feed: str, source_id: str, own: str, values: Mapping[str, Any],
) -> Row | None:
    """The core row of a source id inside the conditions `own`, by key; feed '' = the first configured feed that has it."""
    for key in [feed] if feed else [row.key for row in city.config.feeds]:
        found = connection.execute(
            text(f"SELECT d.* FROM {table} d WHERE d.feed = :one_feed AND d.source_id = :one_id{own}"),
            {**values, "one_feed": key, "one_id": source_id},
        ).mappings().first()
        if found is not None:
            return dict(found)
    return None


def read_versions(
    connection: Connection, city: City, table: str, feed: str, source_id: str, compared: tuple[str, ...],
) -> tuple[VersionItem, ...]:
    """Every kept version of one thing, oldest first, each with what it changed among the compared columns, as this reader may know it."""
    rows = connection.execute(
        text(f"SELECT * FROM {table} WHERE feed = :feed AND source_id = :id ORDER BY landed_at, version"),
        {"feed": feed, "id": source_id},
    ).mappings()
    found: list[VersionItem] = []
    before: dict[str, Any] = {}
    for row in ({**one, **unpack(one["facts"])} if "facts" in one else dict(one) for one in rows):
        changed = [name for name in compared if before and before[name] != row[name]]
        changes = tuple(Change(name, *(_told(connection, city, name, side[name]) for side in (before, row))) for name in changed)
        found.append(VersionItem(row["landed_at"], row["version"], changes))
        before = row
    return tuple(found)


def agency_names(city: City, versions: Iterable[VersionItem]) -> dict[str, str]:
    """Names of agencies by code, where a version has changed the agency; {} for who may not see the list of agencies."""
    has_changed = any(change.field == "agency_code" for version in versions for change in version.changes)
    if not has_changed or not city.scope.permits("see.desk"):
        return {}
    return {row.code: row.name for row in agencies.read(city)}


def _told(connection: Connection, city: City, column: str, value: Any) -> Any:
    kind = column.removesuffix("_code")
    if kind in UNVETTED_TABLES:
        return unvetted(connection, city, kind).get(value, value)
    return masked_id(value) if column == "alias" and PERSONAL not in city.scope.field_classes else value
