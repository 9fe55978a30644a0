"""Month partitions of core_reading on PostgreSQL, made before the batch that needs them. SQLite needs none."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection, text

from store.days import instant, moment

HOUR_US = 3_600_000_000


def month_bounds(hour: int) -> tuple[str, int, int]:
    """(name, first hour, first hour after) of the UTC month an hour lies in."""
    at = moment(hour * HOUR_US)
    first = datetime(at.year, at.month, 1, tzinfo=UTC)
    after = datetime(at.year + at.month // 12, at.month % 12 + 1, 1, tzinfo=UTC)
    return f"core_reading_{first:%Y%m}", instant(first) // HOUR_US, instant(after) // HOUR_US


def ensure_partitions(connection: Connection, hours: Iterable[int]) -> None:
    """Create the partitions these hours need. Concurrent makers wait for each other on one advisory lock."""
    if connection.dialect.name == "sqlite":
        return
    wanted = {month_bounds(hour) for hour in set(hours)}
    existing = set(connection.scalars(text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'core_reading'::regclass")))
    missing = sorted(part for part in wanted if part[0] not in existing)
    if not missing:
        return
    connection.execute(text("SELECT pg_advisory_xact_lock(7030001)"))
    for name, first, after in missing:
        connection.execute(text(f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF core_reading FOR VALUES FROM ({first}) TO ({after})"))
