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
    with store.reading() as connection:
        found = connection.execute(text("SELECT at FROM ops_clock WHERE name = :name"), {"name": f"shift:{feed}"}).scalar()
    return None if found is None else int(found)


def keep_shift(store: Store, feed: str, days: int) -> None:
    """Settle the days this feed's dates are moved by."""
    with store.writing() as connection:
        connection.execute(
            text("INSERT INTO ops_clock (name, at) VALUES (:name, :days) ON CONFLICT (name) DO UPDATE SET at = excluded.at"),
            {"name": f"shift:{feed}", "days": days},
        )
