"""Tells when the store has changed: PostgreSQL by NOTIFY, SQLite by its data version, polled.

One watcher per process. It never ends by itself: while the store is away it says so and tries again.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, closing

import psycopg
from sqlalchemy.exc import DataError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from store.engine import Store, StoreUnavailable
from store.revisions import CHANNEL, revisions

# what reading or writing raises when the database cannot be reached or is locked for too long
STORE_AWAY: tuple[type[Exception], ...] = (
    OperationalError, InterfaceError, PoolTimeoutError, psycopg.OperationalError, sqlite3.OperationalError, StoreUnavailable,
)
# what reading raises on PostgreSQL before the first migration; SQLite says OperationalError
NOT_MIGRATED: tuple[type[Exception], ...] = (ProgrammingError,)
# what writing raises when the database refuses a value that passed our own checks
REFUSED_VALUE: tuple[type[Exception], ...] = (DataError,)
POLL_S = 0.05
RETRY_S = 1.0
# a notification can be lost with its connection; this is how late a change is then heard of at worst
RECHECK_S = 10.0


async def watch(store: Store) -> AsyncIterator[dict[str, int]]:
    """Yield the revisions as they stand, then again after every change (coalesced); {} when the store has gone away.

    After {} comes the full state once the store is back. Cancel it to end it.
    """
    seen: dict[str, int] | None = None
    while True:
        try:
            async with aclosing(_wakes(store)) as wakes:
                async for _ in wakes:
                    found = await asyncio.to_thread(_read, store)
                    if found != seen:
                        seen = found
                        yield found
        except (*STORE_AWAY, *NOT_MIGRATED):
            if seen != {}:
                seen = {}
                yield {}
            await asyncio.sleep(RETRY_S)


def is_away(fault: BaseException) -> bool:
    """Does this exception say that the store cannot be used now: out of reach, locked, or not migrated yet?"""
    missing = isinstance(fault, NOT_MIGRATED) and isinstance(getattr(fault, "orig", None), psycopg.errors.UndefinedTable)
    return missing or isinstance(fault, STORE_AWAY)


def _read(store: Store) -> dict[str, int]:
    with store.reading() as connection:
        return revisions(connection)


def _wakes(store: Store) -> AsyncGenerator[None, None]:
    return _sqlite_wakes(store) if store.is_sqlite else _postgres_wakes(store)


async def _sqlite_wakes(store: Store) -> AsyncGenerator[None, None]:
    """Wake once at the start and after every commit of another connection.

    `PRAGMA data_version` reads a counter in shared memory (some microseconds), so it runs on the loop.
    """
    path = str(store.engine.url.database)
    # mode=rw: a missing file is a store that is away, not a reason to make an empty one
    uri = "file:" + path.replace("%", "%25").replace("?", "%3f").replace("#", "%23") + "?mode=rw"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)) as connection:
        version: int | None = None
        while True:
            found = int(connection.execute("PRAGMA data_version").fetchone()[0])
            if found != version:
                version = found
                yield
            await asyncio.sleep(POLL_S)


async def _postgres_wakes(store: Store) -> AsyncGenerator[None, None]:
    """Wake once at the start, on every notification, and every RECHECK_S in case one was lost."""
    target = store.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await psycopg.AsyncConnection.connect(
        target, autocommit=True, connect_timeout=5, keepalives_idle=10, keepalives_interval=5, keepalives_count=3,
    )
    async with connection:
        await connection.execute(f"LISTEN {CHANNEL}".encode())
        while True:
            yield
            async for _ in connection.notifies(timeout=RECHECK_S, stop_after=1):
                pass
