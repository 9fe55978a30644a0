"""Opens the one database: SQLite (WAL) by default, PostgreSQL by URL. Gives read and write transactions.

A write on SQLite begins with BEGIN IMMEDIATE: a transaction that reads first and writes later would fail at once under a second
writer, whatever the time-out. Statements above this module are the same for both engines.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from store.days import DayClock

Result = TypeVar("Result")
Prepared = TypeVar("Prepared")
RETRIES = 8
RETRY_SQLSTATES = ("40P01", "40001", "55P03")


class StoreUnavailable(Exception):
    """The database cannot be reached; the message says which and what to look at."""


class StoreBusy(Exception):
    """Another writer did not end within the time this one may wait."""


@dataclass(frozen=True)
class Store:
    """The one database handle. `days` turns instants into the city's day numbers; `running` = bounded readings under way, by key."""

    engine: Engine
    days: DayClock
    running: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)  # store/bounded.py

    @property
    def is_sqlite(self) -> bool:
        """True on SQLite."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A read transaction: one consistent snapshot."""
        options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with self.engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self, patience_s: float | None = None) -> Iterator[Connection]:
        """A write transaction; commits at the end of the block. On SQLite writers queue instead of polling for the lock.

        With `patience_s` it waits no longer than that for other writers: StoreBusy on SQLite, the lock's time-out on PostgreSQL.
        """
        with self._turn(patience_s), self.engine.connect().execution_options(toancanh_write=True) as connection, connection.begin():
            if patience_s is not None and not self.is_sqlite:
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {max(1, int(patience_s * 1000))}")
            yield connection

    @contextmanager
    def _turn(self, patience_s: float | None) -> Iterator[None]:
        """This writer's turn, across threads and processes: SQLite's own waiting polls every 100 ms and starves under a busy fold."""
        path = self.engine.url.database if self.is_sqlite else None
        if not path or path == ":memory:":
            yield
            return
        with open(f"{path}.queue", "a") as queue:
            if patience_s is None:
                fcntl.flock(queue, fcntl.LOCK_EX)
            else:
                _lock_within(queue.fileno(), patience_s)
            yield

    def write(self, work: Callable[[Connection], Result], patience_s: float | None = None) -> Result:
        """Run `work` in one write transaction, again on deadlock or lock time-out, at most RETRIES times and not past `patience_s`."""

        def once() -> Result:
            with self.writing(patience_s) as connection:
                return work(connection)

        return _retried(once, patience_s)

    def write_prepared(self, prepare: Callable[[Connection], Prepared], work: Callable[[Connection, Prepared], Result]) -> Result:
        """Run `prepare`, which leaves temporary tables behind, then `work`, which writes; both again as in `write`.

        On SQLite the first is a read transaction of its own, so that others write meanwhile: `work` must see whether what it was
        prepared from still holds. On PostgreSQL both are one write transaction.
        """
        if not self.is_sqlite:
            return self.write(lambda connection: work(connection, prepare(connection)))

        def once() -> Result:
            with self.engine.connect() as connection:
                with connection.begin():
                    prepared = prepare(connection)
                with self._turn(None), connection.execution_options(toancanh_write=True).begin():
                    return work(connection, prepared)

        return _retried(once, None)

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _retried(once: Callable[[], Result], patience_s: float | None) -> Result:
    """What `once` gives, tried again on deadlock or lock time-out, at most RETRIES times and not past `patience_s`."""
    started = time.monotonic()
    for attempt in range(RETRIES):
        try:
            return once()
        except DBAPIError as error:
            is_late = patience_s is not None and time.monotonic() - started >= patience_s
            if attempt == RETRIES - 1 or is_late or not _is_transient(error):
                raise
            time.sleep(0.02 * 2**attempt)
    raise AssertionError("unreachable")


def open_store(url: str, tz: ZoneInfo) -> Store:
    """A Store on this SQLAlchemy URL; postgres:// and postgresql:// mean psycopg 3. Nothing is created or migrated here.

    Errors never carry the values of a statement: they end in logs, and values are what people wrote.
    """
    if url.startswith(("postgres://", "postgresql://")):
        url = "postgresql+psycopg://" + url.split("://", 1)[1]
    if url.startswith("sqlite"):
        engine = create_engine(url, hide_parameters=True, connect_args={"timeout": 30, "check_same_thread": False})
        _prepare_sqlite(engine)
    else:
        engine = create_engine(
            url, hide_parameters=True, pool_pre_ping=True, pool_size=8, max_overflow=8, connect_args={"connect_timeout": 5, **_planner(url)}
        )
    return Store(engine, DayClock(tz))


def _planner(url: str) -> dict[str, str]:
    """Planner settings of our connections, unless the URL has options of its own.

    Statements are short: compiling one costs more than running it (measured: 19 of 44 ms), and pages are in memory or on an SSD,
    so that seeks beat whole tables as soon as a few rows are asked for.
    """
    return {} if "options" in make_url(url).query else {"options": "-c jit=off -c random_page_cost=1.1"}


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we begin transactions ourselves
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "cache_size=-65536", "mmap_size=1073741824",
            "temp_store=MEMORY", "foreign_keys=ON", "wal_autocheckpoint=16000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("toancanh_write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _lock_within(queue: int, seconds: float) -> None:
    """Take the writers' lock of an open file, or raise StoreBusy when that takes longer."""
    until = time.monotonic() + seconds
    while True:
        try:
            return fcntl.flock(queue, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as held:
            if time.monotonic() >= until:
                raise StoreBusy(f"another process has been writing for {seconds:g} s") from held
            time.sleep(0.01)


def _is_transient(error: DBAPIError) -> bool:
    if getattr(error.orig, "sqlstate", None) in RETRY_SQLSTATES:
        return True
    return isinstance(error, OperationalError) and "database is locked" in str(error.orig)
