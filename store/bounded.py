"""Reading with an end: a read-only connection that gives up after so many seconds, and that whoever asked can stop by a key.

SQLite: query_only, and a progress handler that looks at the clock and at the stop. PostgreSQL: a read-only transaction whose statements
share what is left of the time; a stop reaches it from any process, by the connection's application_name.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError

from store.engine import Store

STEPS = 200_000  # of SQLite's machine between two looks at the clock: about ten milliseconds, and each look needs the interpreter
CANCELED = "57014"
_NAME = "toancanh ask "


class TookTooLong(Exception):
    """The reading was not done within its time. `seconds` it was given."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not read within {seconds:g} s")
        self.seconds = seconds


class Stopped(Exception):
    """Whoever asked has stopped it."""


@dataclass
class Running:
    """One bounded reading under way: until when, and whether it was stopped."""

    until: float
    is_stopped: bool = False

    @property
    def is_over(self) -> bool:
        """Must it end now?"""
        return self.is_stopped or time.monotonic() >= self.until


@contextmanager
def bounded(store: Store, seconds: float, key: str = "", since: float | None = None) -> Iterator[Connection]:
    """A read transaction of at most `seconds` in all, stopped early by `stop(store, key)`. Writing in it is an error.

    `since` = when it was asked for (`asked_now`), where it had to wait for others: the wait counts too. Raises TookTooLong or Stopped out
    of the block; a reading of the same key that is still under way is stopped: it was asked before.
    """
    running = Running((time.monotonic() if since is None else since) + seconds)
    if since is not None and running.is_over:
        raise TookTooLong(seconds)
    if key:
        stop(store, key)
        store.running[key] = running
    try:
        with store.reading() as connection, (_sqlite if store.is_sqlite else _postgres)(connection, running, key):
            yield connection
    except DBAPIError as error:
        if not _is_cut(error) or not running.is_over:
            raise
        raise (Stopped(key) if running.is_stopped else TookTooLong(seconds)) from error
    finally:
        if key and store.running.get(key) is running:
            del store.running[key]


def asked_now() -> float:
    """The moment of a question, for `since`."""
    return time.monotonic()


def stop(store: Store, key: str) -> None:
    """Stop the reading of this key, in whatever process it is (on SQLite: in this one). Nothing happens when there is none."""
    found = store.running.get(key)
    if found is not None:
        found.is_stopped = True
    if not store.is_sqlite:
        with store.engine.connect() as connection:
            connection.execute(
                text("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = :name AND datname = current_database()"),
                {"name": _name(key)},
            )


@contextmanager
def _sqlite(connection: Connection, running: Running, _key: str) -> Iterator[None]:
    raw = connection.connection.driver_connection
    assert raw is not None
    raw.execute("PRAGMA query_only = ON")
    raw.set_progress_handler(lambda: int(running.is_over), STEPS)
    try:
        yield
    finally:
        raw.set_progress_handler(None, 0)
        raw.execute("PRAGMA query_only = OFF")


@contextmanager
def _postgres(connection: Connection, running: Running, key: str) -> Iterator[None]:
    def before(_connection: Connection, cursor: Any, *_rest: Any) -> None:
        cursor.execute(f"SET LOCAL statement_timeout = {max(1, int((running.until - time.monotonic()) * 1000))}")

    connection.exec_driver_sql("SET TRANSACTION READ ONLY")
    connection.execute(text("SELECT set_config('application_name', :name, true)"), {"name": _name(key)})
    event.listen(connection, "before_cursor_execute", before)
    try:
        yield
    except DBAPIError as error:
        running.is_stopped |= getattr(error.orig, "sqlstate", "") == CANCELED and not running.is_over  # by another process
        raise
    finally:
        event.remove(connection, "before_cursor_execute", before)


def _name(key: str) -> str:
    """The application_name of a key; PostgreSQL keeps 63 bytes."""
    return f"{_NAME}{key}"[:63]


def _is_cut(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", "") == CANCELED or "interrupted" in str(error.orig)
