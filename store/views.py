"""Keeps views of pages under a name: a query string, whose it is, whether others see it. What is removed stays for the undo."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from store.audit import Entry, append
from store.engine import Store
from store.keys import By

MOST = 200  # views of one owner on one page: a list nobody could find anything in


@dataclass(frozen=True)
class ViewRow:
    """One saved view; `query` is the page's query string without its question mark."""

    id: int
    path: str
    query: str
    name: str
    owner: str
    is_shared: bool
    changed_at: int


class Full(Exception):
    """The owner has as many views of this page as are kept."""


_COLUMNS = "id, path, query, name, owner, is_shared, changed_at"


def read_views(connection: Connection, path: str, owner: str) -> tuple[ViewRow, ...]:
    """The owner's views of a page and those that others share, in order of making."""
    found = connection.execute(
        text(
            f"SELECT {_COLUMNS} FROM ops_view WHERE path = :path AND removed_at IS NULL "
            "AND (owner = :owner OR is_shared) ORDER BY id LIMIT 1000"
        ),
        {"path": path, "owner": owner},
    )
    return tuple(ViewRow(**{**row, "is_shared": bool(row["is_shared"])}) for row in found.mappings())


def put_view(store: Store, path: str, query: str, name: str, by: By, now: int, *, is_shared: bool = False) -> int:
    """Keep a view with its audit entry, or the query anew under the owner's same name; returns its number. Raises Full."""

    def work(connection: Connection) -> int:
        own = {"path": path, "owner": by.actor}
        same = connection.execute(
            text("SELECT id FROM ops_view WHERE path = :path AND owner = :owner AND name = :name AND removed_at IS NULL"),
            {**own, "name": name},
        ).scalar()
        values = {**own, "query": query, "name": name, "shared": is_shared, "now": now}
        if same is not None:
            connection.execute(
                text("UPDATE ops_view SET query = :query, is_shared = :shared, changed_at = :now WHERE id = :id"), {**values, "id": same}
            )
            return _noted(connection, int(same), "view.save", by, now)
        kept = text("SELECT count(*) FROM ops_view WHERE path = :path AND owner = :owner AND removed_at IS NULL")
        if int(connection.execute(kept, own).scalar_one()) >= MOST:
            raise Full(by.actor)
        added = connection.execute(
            text(
                "INSERT INTO ops_view (path, query, name, owner, is_shared, made_at, changed_at) "
                "VALUES (:path, :query, :name, :owner, :shared, :now, :now) RETURNING id"
            ),
            values,
        )
        return _noted(connection, int(added.scalar_one()), "view.save", by, now)

    return store.write(work)


def rename_view(store: Store, number: int, name: str, by: By, now: int) -> bool:
    """Another name for the owner's view; False where it is not theirs."""
    return _change(store, number, "name = :name", {"name": name}, "view.save", by, now)


def share_view(store: Store, number: int, is_shared: bool, by: By, now: int) -> bool:
    """Show the owner's view to others, or no longer; False where it is not theirs."""
    return _change(store, number, "is_shared = :shared", {"shared": is_shared}, "view.share" if is_shared else "view.unshare", by, now)


def remove_view(store: Store, number: int, by: By, now: int) -> bool:
    """Put the owner's view away; False where it is not theirs."""
    return _change(store, number, "removed_at = :now", {}, "view.remove", by, now)


def restore_view(store: Store, number: int, by: By, now: int) -> bool:
    """Take back what remove_view put away; False where it is not theirs, or was not put away."""
    return _change(store, number, "removed_at = NULL", {}, "view.restore", by, now, where="removed_at IS NOT NULL")


def _change(
    store: Store, number: int, sets: str, values: dict[str, object], action: str, by: By, now: int, where: str = "removed_at IS NULL",
) -> bool:
    def work(connection: Connection) -> bool:
        done = connection.execute(
            text(f"UPDATE ops_view SET {sets}, changed_at = :now WHERE id = :id AND owner = :owner AND {where}"),
            {**values, "id": number, "owner": by.actor, "now": now},
        )
        if done.rowcount:
            _noted(connection, number, action, by, now)
        return bool(done.rowcount)

    return store.write(work)


def _noted(connection: Connection, number: int, action: str, by: By, now: int) -> int:
    append(connection, Entry(now, by.actor, action, "view", str(number), {}, by.address))
    return number
