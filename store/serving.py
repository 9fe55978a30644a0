"""Who works on the store now. Every process that serves or ingests shares a lock; upgrade and restore want it alone.

SQLite: flock on <store>.serving. PostgreSQL: a session advisory lock. Both are let go by the system when a process is killed.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from store.engine import Store

LOCK = 7030004


class StoreInUse(Exception):
    """Other processes work on the store; the message names them."""


@contextmanager
def serving(store: Store, what: str) -> Iterator[None]:
    """Be known as working on the store for the length of the block; `what` names us. Raises StoreInUse during an upgrade."""
    with _held(store, what, alone=False):
        yield


@contextmanager
def alone(store: Store, what: str) -> Iterator[None]:
    """Have the store to ourselves for the length of the block. Raises StoreInUse naming who works on it."""
    with _held(store, what, alone=True):
        yield


@contextmanager
def _held(store: Store, what: str, *, alone: bool) -> Iterator[None]:
    path = store.engine.url.database if store.is_sqlite else None
    if path == ":memory:":
        yield
    elif path:
        with _flock(Path(f"{path}.serving"), alone):
            yield
    else:
        with _advisory(store, what, alone):
            yield


@contextmanager
def _flock(path: Path, alone: bool) -> Iterator[None]:
    with open(path, "a") as file:
        try:
            fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            raise StoreInUse(_in_use(alone, _holders(path))) from busy
        yield


def _holders(path: Path) -> list[str]:
    """The processes that hold the lock file, as Linux tells them."""
    inode, found = f":{path.stat().st_ino}", []
    try:
        for line in Path("/proc/locks").read_text().splitlines():
            parts = line.split()
            if parts[1] == "FLOCK" and parts[5].endswith(inode) and parts[4] != str(os.getpid()):
                words = Path(f"/proc/{parts[4]}/cmdline").read_bytes().split(b"\0")
                found.append(f"process {parts[4]} ({' '.join(word.decode(errors='replace') for word in words[:4] if word)})")
    except (OSError, IndexError):  # another system, or the process has just ended
        pass
    return sorted(found)


@contextmanager
def _advisory(store: Store, what: str, alone: bool) -> Iterator[None]:
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        name = f"toancanh {what} pid {os.getpid()}"
        connection.execute(text("SELECT set_config('application_name', :name, false)"), {"name": name})
        try:
            took = "pg_try_advisory_lock" if alone else "pg_try_advisory_lock_shared"
            if not connection.execute(text(f"SELECT {took}({LOCK})")).scalar_one():
                raise StoreInUse(_in_use(alone, _sessions(connection)))
            try:
                yield
            finally:
                with suppress(DBAPIError):  # a session that is gone has let go already
                    connection.execute(text("SELECT pg_advisory_unlock_all()"))
        finally:
            connection.invalidate()  # its name must not go back into the pool


def _sessions(connection: Connection) -> list[str]:
    found = connection.execute(
        text(
            "SELECT coalesce(nullif(a.application_name, ''), 'a process') || coalesce(' from ' || host(a.client_addr), '') FROM pg_locks l "
            "JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.objid = :lock AND l.classid = 0 AND l.granted "
            "AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ),
        {"lock": LOCK},
    )
    return sorted(str(name) for name in found.scalars())


def _in_use(alone: bool, holders: list[str]) -> str:
    who = ", ".join(holders) or "another process"
    if alone:
        return f"the store is in use by {who}: stop it first, then run this again"
    return f"the store is being upgraded or restored by {who}: start again when it is done"
