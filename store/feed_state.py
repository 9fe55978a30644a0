"""What the store remembers of a feed beside its rows: its cursor, its last attempt, by how many days its dates are moved."""

from __future__ import annotations

from sqlalchemy import text

from store.engine import Store
from store.revisions import bump


def cursor_of(store: Store, feed: str) -> str | None:
    """Where the feed was read up to; None = never."""
    with store.reading() as connection:
        found = connection.execute(text("SELECT cursor FROM ops_feed WHERE feed = :feed"), {"feed": feed}).scalar()
    return str(found) if found is not None else None


def note_attempt(store: Store, feed: str, role: str, now: int, error: str) -> None:
    """Write down an attempt at `now` and why it failed ('' = it did not). A changed state is announced."""
    values = {"feed": feed, "role": role, "now": now, "error": error}
    with store.writing() as connection:
        before = connection.execute(text("SELECT error FROM ops_feed WHERE feed = :feed"), {"feed": feed}).scalar()
        connection.execute(
            text(
                "INSERT INTO ops_feed (feed, role, attempted_at, error, error_at) VALUES (:feed, :role, :now, :error, "
                "CASE WHEN :error = '' THEN NULL ELSE CAST(:now AS BIGINT) END) ON CONFLICT (feed) DO UPDATE SET "
                "attempted_at = excluded.attempted_at, error = excluded.error, "
                "error_at = CASE WHEN :error = '' THEN ops_feed.error_at ELSE excluded.error_at END"
            ),
            values,
        )
        if (before or "") != error:
            bump(connection, "operations", now)


def kept_shift(store: Store, feed: str) -> int | None:
    """Days this feed's dates are moved by, once settled."""
    return _kept(store, f"shift:{feed}")


def keep_shift(store: Store, feed: str, days: int) -> None:
    """Settle the days this feed's dates are moved by."""
    _keep(store, f"shift:{feed}", days)


def pushed_until(store: Store, feed: str) -> int | None:
    """Up to which instant (microseconds UTC) the demo's own system has pushed into this store; None = it has not begun."""
    return _kept(store, f"pushed:{feed}")


def keep_pushed_until(store: Store, feed: str, at: int) -> None:
    """Remember up to which instant it has pushed."""
    _keep(store, f"pushed:{feed}", at)


def _kept(store: Store, name: str) -> int | None:
    with store.reading() as connection:
        found = connection.execute(text("SELECT at FROM ops_clock WHERE name = :name"), {"name": name}).scalar()
    return None if found is None else int(found)


def _keep(store: Store, name: str, value: int) -> None:
    with store.writing() as connection:
        connection.execute(
            text("INSERT INTO ops_clock (name, at) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET at = excluded.at"),
            {"name": name, "value": value},
        )


def newest_load(store: Store) -> int:
    """Number of the newest batch that landed, 0 before the first: it stands still while nobody brings rows."""
    with store.reading() as connection:
        return int(connection.execute(text("SELECT coalesce(max(id), 0) FROM ops_load")).scalar_one())
