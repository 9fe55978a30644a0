"""Throw-away databases on both engines for a benchmark run: fresh ones, and copies of a filled one."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from benchmarks.province import TZ
from store.engine import Store, open_store
from store.migrate import migrate
from tests.servers import postgres_server

ENGINES = ("sqlite", "postgresql")


@dataclass
class Databases:
    """Makes databases of one engine in one folder or server; all are gone at the end."""

    engine: str
    folder: Path
    server_url: str = ""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _made: list[str] = field(default_factory=list)

    def make(self) -> str:
        """URL of a new, migrated database."""
        url = self._new("")
        store = open_store(url, TZ)
        migrate(store)
        store.dispose()
        return url

    def copy(self, url: str) -> str:
        """URL of a copy of a database nobody is connected to."""
        if self.engine == "sqlite":
            made = self._new("")
            shutil.copyfile(_path(url), _path(made))
            return made
        return self._new(str(make_url(url).database))

    def drop(self, url: str) -> None:
        """Remove a database; harmless twice."""
        if url not in self._made:
            return
        self._made.remove(url)
        if self.engine == "sqlite":
            for path in self.folder.glob(f"{_path(url).name}*"):
                path.unlink()
        else:
            self._admin(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')

    def drop_all(self) -> None:
        """Remove what is left."""
        for url in tuple(self._made):
            self.drop(url)

    def _new(self, template: str) -> str:
        name = f"toancanh_bench_{next(self._numbers)}"
        if self.engine == "sqlite":
            url = f"sqlite:///{self.folder / name}.sqlite"
        else:
            self._admin(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
            url = make_url(self.server_url).set(database=name).render_as_string(hide_password=False)
        self._made.append(url)
        return url

    def _admin(self, statement: str) -> None:
        target = make_url(self.server_url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(target, autocommit=True) as connection:
            connection.execute(statement.encode())


def _path(url: str) -> Path:
    return Path(str(make_url(url).database))


@contextmanager
def databases(engine: str, postgres_url: str = "") -> Iterator[Databases]:
    """Databases of one engine; without `postgres_url` a PostgreSQL of this run's own (fsync off)."""
    with tempfile.TemporaryDirectory(prefix="toancanh-bench-") as folder:
        if engine == "sqlite":
            yield Databases(engine, Path(folder))
        elif postgres_url:
            found = Databases(engine, Path(folder), postgres_url)
            try:
                yield found
            finally:
                found.drop_all()
        else:
            with postgres_server() as server:
                yield Databases(engine, Path(folder), server.url())


@contextmanager
def opened(url: str) -> Iterator[Store]:
    """The store of a URL, closed at the end."""
    store = open_store(url, TZ)
    try:
        yield store
    finally:
        store.dispose()


def filled(made: Databases, fill: Callable[[Store], None]) -> str:
    """A new database filled by `fill`; analysed, as autovacuum would have done by then; closed."""
    url = made.make()
    with opened(url) as store:
        fill(store)
        analyse(store)
    return url


def analyse(store: Store) -> None:
    """Planner statistics on PostgreSQL, and the WAL folded into the file on SQLite so that it can be copied."""
    with store.engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        if store.is_sqlite:
            raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        else:
            raw.autocommit = True
            raw.cursor().execute("VACUUM ANALYZE")
