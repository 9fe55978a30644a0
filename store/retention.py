"""What of the store has had its time: jobs as rows, taken away in small batches by key; readings by the hour, or by whole partition.

Nothing here touches the audit trail or a roll-up. Readings have a watermark: hours before it are known from roll-ups alone, so the fold
and a rebuild leave them be, and a reading that comes later than that is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from config import RetentionConfig
from store.days import HOUR
from store.engine import Store
from store.locks import lock_fold
from store.partitions import month_bounds
from store.snapshot import GONE

BATCH = 500
READINGS_FROM, LAST_RUN = "readings_from", "retention"


@dataclass(frozen=True)
class Job:
    """Rows of `table` (key columns `keys`) that `where` (:before = an instant) chooses are deleted, or changed by `sets`.

    keep = seconds from the configuration, None = for ever; is_city_time: measured by the city's clock and not by the machine's.
    """

    name: str
    table: str
    keys: tuple[str, ...]
    where: str
    keep: Callable[[RetentionConfig], int | None]
    sets: str = ""
    is_city_time: bool = False


_VERSION_KEY = ("feed", "source_id", "landed_at", "version", "hash")
_NEWER = (
    "landed_at < :before AND EXISTS (SELECT 1 FROM {table} n WHERE n.feed = t.feed AND n.source_id = t.source_id "
    "AND n.landed_at > t.landed_at)"
)
_NO_TEXT = f"description = NULL, resolution = CASE WHEN resolution = '{GONE}' THEN resolution END"
_HAS_TEXT = f"(t.description IS NOT NULL OR (t.resolution IS NOT NULL AND t.resolution <> '{GONE}'))"
JOBS: tuple[Job, ...] = (
    Job("rejects", "ops_reject", ("id",), "resolved_at < :before", lambda keep: keep.rejects_s),
    Job("loads", "ops_load", ("id",), "at < :before", lambda keep: keep.loads_s),
    Job(
        "dossier_versions", "core_dossier_version", _VERSION_KEY, _NEWER.format(table="core_dossier_version"),
        lambda keep: keep.versions_s,
    ),
    Job(
        "report_versions", "core_report_version", _VERSION_KEY, _NEWER.format(table="core_report_version"),
        lambda keep: keep.versions_s,
    ),
    Job(
        "indicator_versions", "core_indicator_value_version", _VERSION_KEY, _NEWER.format(table="core_indicator_value_version"),
        lambda keep: keep.versions_s,
    ),
    Job(
        "report_texts", "core_report", ("feed", "source_id"), f"closed_at < :before AND {_HAS_TEXT}",
        lambda keep: keep.report_texts_s, _NO_TEXT, is_city_time=True,
    ),
    Job(
        "report_version_texts", "core_report_version", _VERSION_KEY,
        f"{_HAS_TEXT} AND (t.closed_at < :before OR EXISTS (SELECT 1 FROM core_report r WHERE r.feed = t.feed "
        "AND r.source_id = t.source_id AND r.closed_at < :before) OR EXISTS (SELECT 1 FROM core_withdrawn w WHERE w.feed = t.feed "
        "AND w.source_id = t.source_id AND w.withdrawn_at < :before))",
        lambda keep: keep.report_texts_s, _NO_TEXT, is_city_time=True,
    ),
    Job(
        "reject_texts", "ops_reject", ("id",), "last_at < :before AND (payload <> '' OR value <> '')",
        lambda keep: keep.report_texts_s, "payload = '', value = ''",
    ),
    Job("sessions", "ops_session", ("token_hash",), "expires_at <= :before", lambda keep: 0),
    Job("feed_sessions", "ops_feed_session", ("session_hash",), "expires_at <= :before", lambda keep: 0),
)


def run_batch(store: Store, job: Job, before: int, after: tuple[Any, ...] = (), size: int = BATCH) -> tuple[int, tuple[Any, ...]]:
    """One batch in the order of the key: rows taken away or changed, and the last key seen (() = that was all).

    Rows are looked for outside the write transaction, which only names them by key and so is short.
    """
    names = ", ".join(f"t.{key}" for key in job.keys)
    values: dict[str, Any] = {"before": before, "size": size} | {f"after_{n}": value for n, value in enumerate(after)}
    beyond = f" AND ({names}) > ({', '.join(f':after_{n}' for n, _ in enumerate(after))})" if after else ""
    with store.reading() as connection:
        rows = connection.execute(
            text(f"SELECT {names} FROM {job.table} t WHERE ({job.where}){beyond} ORDER BY {names} LIMIT :size"), values
        ).all()
    if not rows:
        return 0, ()
    done = store.write(lambda connection: _apply(connection, job, before, rows))
    return done, tuple(rows[-1]) if len(rows) == size else ()


def _apply(connection: Connection, job: Job, before: int, rows: Sequence[Any]) -> int:
    named = " AND ".join(f"{key} = :k{n}" for n, key in enumerate(job.keys))
    what = f"UPDATE {job.table} AS t SET {job.sets}" if job.sets else f"DELETE FROM {job.table} AS t"
    statement = text(f"{what} WHERE {named} AND ({job.where})")  # asked again: a row may have changed in between
    return sum(
        connection.execute(statement, {"before": before} | {f"k{n}": value for n, value in enumerate(row)}).rowcount for row in rows
    )


# ---- readings -------------------------------------------------------------------------------------------------------
def readings_from(connection: Connection) -> int:
    """The first hour (since 1970 UTC) whose readings are all kept; 0 = none was ever taken away."""
    found = connection.execute(text("SELECT at FROM ops_clock WHERE name = :name"), {"name": READINGS_FROM}).scalar()
    return int(found or 0) // HOUR


def last_run(store: Store) -> int:
    """When retention last ran, 0 = never."""
    with store.reading() as connection:
        return int(connection.execute(text("SELECT at FROM ops_clock WHERE name = :name"), {"name": LAST_RUN}).scalar() or 0)


def note_run(connection: Connection, now: int) -> None:
    """Write down that retention ran."""
    _keep_clock(connection, LAST_RUN, now)


def first_hour_kept(store: Store, before: int) -> int:
    """The hour that readings are kept from when all before this instant may go: where a day begins, on PostgreSQL a month.

    A partition goes as a whole; a day of SQLite goes as a whole so that no day is half known.
    """
    if store.is_sqlite:
        on = store.days.on(before)
        assert on is not None
        return store.days.starts_at(on) // HOUR
    return month_bounds(before // HOUR)[1]


def move_watermark(store: Store, hour: int) -> bool:
    """Keep readings from this hour on. False, and nothing changed, while an earlier hour waits to be folded."""

    def move(connection: Connection) -> bool:
        lock_fold(connection, "readings")
        if hour <= readings_from(connection):
            return True
        waiting = "SELECT 1 FROM ops_dirty WHERE topic = 'readings' AND bucket < :hour LIMIT 1"
        if connection.execute(text(waiting), {"hour": hour}).first() is not None:
            return False
        _keep_clock(connection, READINGS_FROM, hour * HOUR)
        return True

    return store.write(move)


def drop_readings(store: Store, size: int = BATCH) -> int:
    """Take away one hour's readings, or one month's partition, before the watermark; how many rows went, -1 = none is left."""
    with store.reading() as connection:
        hour = readings_from(connection)
        oldest = connection.execute(text("SELECT min(hour) FROM core_reading WHERE hour < :hour"), {"hour": hour}).scalar()
    if oldest is None:
        return -1
    return store.write(lambda connection: _drop_hour(connection, int(oldest), hour, store.is_sqlite))


def _drop_hour(connection: Connection, oldest: int, before: int, is_sqlite: bool) -> int:
    name, _, after = month_bounds(oldest)
    if not is_sqlite and after <= before and re.fullmatch(r"core_reading_\d{6}", name):
        gone = int(connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one())
        connection.execute(text(f"DROP TABLE {name}"))
        return gone
    return connection.execute(text("DELETE FROM core_reading WHERE hour = :hour"), {"hour": oldest}).rowcount


def _keep_clock(connection: Connection, name: str, at: int) -> None:
    connection.execute(
        text("INSERT INTO ops_clock (name, at) VALUES (:name, :at) ON CONFLICT (name) DO UPDATE SET at = excluded.at"),
        {"name": name, "at": at},
    )
