"""How large the store is: rows, bytes and bytes a day per table, the write-ahead log. For backups, doctor and the metrics."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, text

from store.days import DAY, HOUR
from store.engine import Store

MARK = "alembic_version"  # the schema's own mark is no data
WINDOW_DAYS = 7


@dataclass(frozen=True)
class TableSize:
    """One table with its indexes (and partitions). `bytes_day` = what the rows of the last week take, per day; None = not dated."""

    table: str
    rows: int
    bytes: int
    bytes_day: float | None


@dataclass(frozen=True)
class Dated:
    """A table whose rows say when they came: its column, and how many microseconds one of its counts is."""

    table: str
    column: str
    unit_us: int = 1


DATED = (
    Dated("core_dossier", "first_landed_at"), Dated("core_dossier_version", "landed_at"), Dated("core_dossier_step", "at"),
    Dated("core_dossier_stop", "stopped_at"), Dated("core_dossier_time", "received_on", DAY),
    Dated("core_report", "first_landed_at"), Dated("core_report_version", "landed_at"),
    Dated("core_indicator_value_version", "landed_at"),
    Dated("core_reading", "hour", HOUR), Dated("rollup_reading_hour", "hour", HOUR), Dated("rollup_reading_hour_area", "hour", HOUR),
    Dated("rollup_reading_day", "day", DAY), Dated("rollup_dossier_day", "day", DAY), Dated("rollup_report_day", "day", DAY),
    Dated("ops_load", "at"), Dated("ops_reject", "first_at"), Dated("ops_audit", "at"),
    Dated("ops_followup_event", "at"), Dated("ops_brief", "issued_at"), Dated("ops_brief_sending", "tried_at"),
    Dated("ops_same_report", "said_at"), Dated("ops_view", "made_at"), Dated("ops_shown", "made_at"),
)


def tables(connection: Connection) -> tuple[str, ...]:
    """Names of all tables of the store, sorted; partitions stand for nothing of their own."""
    if connection.dialect.name == "sqlite":
        found = connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"))
    else:
        found = connection.scalars(text(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' "
            "AND c.relkind IN ('r', 'p') AND NOT c.relispartition "
            "AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')"  # an extension's
        ))
    return tuple(sorted(str(name) for name in found))


def row_counts(connection: Connection) -> dict[str, int]:
    """Exact number of rows of every table but the schema's mark, in the caller's snapshot."""
    return {
        name: int(connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one())
        for name in tables(connection) if name != MARK
    }


def has_rows(connection: Connection) -> bool:
    """Does any table but the schema's mark hold a row?"""
    return any(
        connection.execute(text(f'SELECT EXISTS (SELECT 1 FROM "{name}")')).scalar_one() for name in tables(connection) if name != MARK
    )


def table_sizes(connection: Connection, now: int) -> tuple[TableSize, ...]:
    """Every table, largest first. Rows are the engine's estimate on PostgreSQL. Reads every page of a SQLite file."""
    found = _sqlite_sizes(connection) if connection.dialect.name == "sqlite" else _postgres_sizes(connection)
    days = {row.table: row for row in DATED}
    sizes = []
    for name, (rows, used) in found.items():
        recent = _recent(connection, days[name], now) if name in days else None
        sizes.append(TableSize(name, rows, used, None if recent is None else recent * used / max(rows, recent, 1) / WINDOW_DAYS))
    return tuple(sorted(sizes, key=lambda one: (-one.bytes, one.table)))


def _recent(connection: Connection, row: Dated, now: int) -> int:
    """Rows of the last week; what is dated ahead of now does not count."""
    between = {"since": (now - WINDOW_DAYS * DAY) // row.unit_us, "until": now // row.unit_us}
    counted = text(f"SELECT count(*) FROM {row.table} WHERE {row.column} > :since AND {row.column} <= :until")
    return int(connection.execute(counted, between).scalar_one())


def _sqlite_sizes(connection: Connection) -> dict[str, tuple[int, int]]:
    known = connection.execute(text("SELECT name, tbl_name FROM sqlite_master WHERE type IN ('table', 'index')"))
    owners: dict[str, str] = dict(known.all())
    used: dict[str, int] = dict.fromkeys(tables(connection), 0)
    for name, size in connection.execute(text("SELECT name, pgsize FROM dbstat WHERE aggregate = true")):
        if owners.get(name) in used:
            used[owners[name]] += int(size)
    return {name: (int(connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one()), size) for name, size in used.items()}


def _postgres_sizes(connection: Connection) -> dict[str, tuple[int, int]]:
    found = {}
    for name in tables(connection):
        parts = text(
            "SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint, coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint "
            "FROM pg_partition_tree(CAST(:name AS regclass)) p JOIN pg_class c ON c.oid = p.relid WHERE p.isleaf "
            "UNION ALL SELECT greatest(c.reltuples, 0)::bigint, pg_total_relation_size(c.oid) FROM pg_class c "
            "WHERE c.oid = CAST(:name AS regclass) AND c.relkind = 'r'"
        )
        rows = connection.execute(parts, {"name": f"public.{name}"}).all()
        found[name] = (max(int(row[0]) for row in rows), max(int(row[1]) for row in rows))
    return found


def store_bytes(store: Store) -> int:
    """Bytes of the whole store on disk: the SQLite file with its log, or the PostgreSQL database."""
    if store.is_sqlite:
        path = str(store.engine.url.database)
        return sum(Path(path + end).stat().st_size for end in ("", "-wal") if Path(path + end).exists())
    with store.reading() as connection:
        return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())


def wal_bytes(store: Store) -> int | None:
    """Bytes of the write-ahead log; None where this database user may not see them (PostgreSQL: role pg_monitor)."""
    if store.is_sqlite:
        log = Path(f"{store.engine.url.database}-wal")
        return log.stat().st_size if log.exists() else 0
    with store.reading() as connection:
        if not connection.execute(text("SELECT has_function_privilege('pg_ls_waldir()', 'EXECUTE')")).scalar_one():
            return None
        return int(connection.execute(text("SELECT coalesce(sum(size), 0) FROM pg_ls_waldir()")).scalar_one())


def store_folder(store: Store) -> Path | None:
    """The folder the store's bytes lie in, when this machine can see it."""
    if store.is_sqlite:
        return Path(str(store.engine.url.database)).resolve().parent
    host = store.engine.url.host or ""
    if host not in ("", "localhost", "127.0.0.1", "::1") and not host.startswith("/"):
        return None
    with store.reading() as connection:
        if not connection.execute(text("SELECT pg_has_role(current_user, 'pg_read_all_settings', 'USAGE')")).scalar_one():
            return None
        folder = Path(str(connection.execute(text("SHOW data_directory")).scalar_one()))
    try:
        return folder if folder.exists() else None
    except PermissionError:
        return None
