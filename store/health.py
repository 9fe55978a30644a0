"""What the database engine says of itself: its clock, its version, the settings that decide whether it keeps what it was given."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from store.engine import Store


@dataclass(frozen=True)
class Setting:
    """A setting of the engine: what it is and what it should be ('' = anything)."""

    name: str
    value: str
    wanted: str
    why: str

    @property
    def is_right(self) -> bool:
        """Is it one of the wanted values?"""
        return not self.wanted or self.value in self.wanted.split("|")


WANTED = {
    "sqlite": (
        ("journal_mode", "wal", "readers and the writer do not wait for each other"),
        ("synchronous", "2", "an acknowledged push survives a power cut"),
        ("foreign_keys", "1", ""),
        ("auto_vacuum", "", ""),
        ("page_size", "", ""),
    ),
    "postgresql": (
        ("fsync", "on", "without it a power cut destroys the database"),
        ("full_page_writes", "on", "without it a power cut destroys the database"),
        ("synchronous_commit", "on|local|remote_write|remote_apply", "an acknowledged push survives a power cut"),
        ("autovacuum", "on", "without it tables and their reads grow for ever"),
        ("data_checksums", "on", "damage on disk is noticed (pg_checksums --enable, server stopped)"),
        ("shared_buffers", "", ""),
        ("max_connections", "", ""),
    ),
}


def settings(store: Store) -> tuple[Setting, ...]:
    """The settings that matter, as they are for our connections."""
    kind = "sqlite" if store.is_sqlite else "postgresql"
    found = []
    with store.reading() as connection:
        for name, wanted, why in WANTED[kind]:
            statement = f"PRAGMA {name}" if store.is_sqlite else f"SHOW {name}"
            found.append(Setting(name, str(connection.exec_driver_sql(statement).scalar_one()), wanted, why))
    return tuple(found)


def database_clock(store: Store) -> int:
    """The database machine's clock, microseconds UTC; SQLite has none but ours."""
    statement = (
        "SELECT CAST(unixepoch('subsec') * 1000000 AS INTEGER)" if store.is_sqlite
        else "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    )
    with store.reading() as connection:
        return int(connection.execute(text(statement)).scalar_one())


def connections_used(store: Store) -> tuple[int, int] | None:
    """(open, allowed) connections of a PostgreSQL server; None on SQLite."""
    if store.is_sqlite:
        return None
    statement = text(
        "SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'), current_setting('max_connections')"
    )
    with store.reading() as connection:
        used, allowed = connection.execute(statement).one()
    return int(used), int(allowed)


def newest_audit_seq(connection: Connection) -> int:
    """Number of the audit trail's newest row; 0 = none."""
    return int(connection.execute(text("SELECT coalesce(max(seq), 0) FROM ops_audit")).scalar_one())


def sign_ins(connection: Connection, since: int) -> dict[str, int]:
    """How often signing in went ok, failed or was locked since an instant, over all copies of the program."""
    counted = text(
        "SELECT action, count(*) FROM ops_audit WHERE action IN ('sign_in.ok', 'sign_in.failed', 'sign_in.locked') AND at >= :since "
        "GROUP BY action"
    )
    found: dict[str, int] = dict(connection.execute(counted, {"since": since}).all())
    return {outcome: int(found.get(f"sign_in.{outcome}", 0)) for outcome in ("ok", "failed", "locked")}
