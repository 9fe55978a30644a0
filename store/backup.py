"""Copies of a whole store, and stores made from copies. SQLite by its backup API, PostgreSQL by pg_dump and psql.

A copy is taken from the one read transaction in which the caller counts, so counts and copy speak of the same state; writers go on.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL, make_url

from store.audit import Head
from store.engine import Store

Progress = Callable[[float], None]
PAGES = 4096  # of a SQLite file per step: 16 MB between two words of progress
ASIDE = "before_restore_"


class CopyFailed(Exception):
    """The copy could not be made or loaded; the message says why and what to do."""


@dataclass(frozen=True)
class Snapshot:
    """One state of the store: `connection` reads it, `copy_to` writes it into a file."""

    store: Store
    connection: Connection

    def copy_to(self, path: Path, progress: Progress) -> None:
        """The whole store as a SQLite file or a pg_dump archive. Raises CopyFailed."""
        if self.store.is_sqlite:
            self._copy_sqlite(path, progress)
        else:
            self._dump(path)
        progress(1.0)

    def _copy_sqlite(self, path: Path, progress: Progress) -> None:
        source = self.connection.connection.driver_connection
        assert isinstance(source, sqlite3.Connection)
        with closing(sqlite3.connect(path)) as target:
            # the open read transaction keeps the pages as they were: no restart when others write meanwhile
            source.backup(target, pages=PAGES, progress=lambda _, left, all_: progress(1 - left / max(all_, 1)))
            target.execute("PRAGMA journal_mode=DELETE")  # one file, no -wal beside it
            found = target.execute("PRAGMA quick_check").fetchone()[0]
        if found != "ok":
            raise CopyFailed(f"the copy of the store is damaged ({found}): check the disk, then restore an earlier backup")

    def _dump(self, path: Path) -> None:
        server = int(self.connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
        snapshot = self.connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        url = self.store.engine.url
        _run([
            tool("pg_dump", server), "--format=custom", "--compress=3", "--no-owner", "--no-acl", f"--snapshot={snapshot}",
            f"--exclude-schema={ASIDE}*", f"--file={path}", f"--dbname={libpq(url)}",
        ], url)


@contextmanager
def snapshot(store: Store) -> Iterator[Snapshot]:
    """A state of the store that stays the same for the length of the block."""
    with store.reading() as connection:
        connection.execute(text("SELECT 1 FROM ops_revision LIMIT 1")).all()  # the state is taken by the first look
        yield Snapshot(store, connection)


def engine_version(connection: Connection) -> str:
    """Version of the database engine, as it names it."""
    statement = "SELECT sqlite_version()" if connection.dialect.name == "sqlite" else "SHOW server_version"
    return str(connection.execute(text(statement)).scalar_one())


def audit_head(connection: Connection) -> Head:
    """The newest row of the audit trail in the caller's snapshot."""
    found = connection.execute(text("SELECT seq, hash FROM ops_audit ORDER BY seq DESC LIMIT 1")).first()
    return Head(*found) if found else Head()


def check_sqlite(path: Path) -> None:
    """Raises CopyFailed when the file is no whole SQLite database."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            found = connection.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.DatabaseError as fault:
        raise CopyFailed(f"no whole SQLite database: {fault}") from fault
    if found != "ok":
        raise CopyFailed(f"the database is damaged: {found}")


def settle_sqlite(path: Path) -> None:
    """Bring the log of a SQLite file into it and put it on disk, so that it can be moved as one file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("PRAGMA journal_mode=DELETE")
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def check_dump(path: Path) -> None:
    """Raises CopyFailed when pg_restore cannot read the dump to its end."""
    _run([tool("pg_restore", 0), "--file=/dev/null", str(path)], None)


def load_dump(path: Path, store: Store, stamp: str) -> str:
    """Load a dump into the store's database, moving tables that are there into a schema of their own; all or nothing.

    Returns that schema's name. pg_restore writes the statements, psql runs them in one transaction: killed, nothing has happened.
    """
    url, aside = store.engine.url, f"{ASIDE}{stamp}"
    with store.reading() as connection:
        server = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000
    reader = subprocess.Popen(
        [tool("pg_restore", server), "--no-owner", "--no-acl", "--file=-", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    writer = subprocess.Popen(
        [tool("psql", server), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", f"--dbname={libpq(url)}"],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=_with_password(url),
    )
    assert reader.stdout and reader.stderr and writer.stdin and writer.stderr
    try:
        writer.stdin.write(f"BEGIN;\nSET LOCAL client_min_messages = warning;\n{_MOVE_ASIDE.format(aside=aside)}\n".encode())
        shutil.copyfileobj(reader.stdout, writer.stdin, 1 << 20)
        is_read = reader.wait() == 0
        writer.stdin.write(b"\nCOMMIT;\n" if is_read else b"\nROLLBACK;\n")
        writer.stdin.close()
    except BrokenPipeError:  # psql has stopped at an error; it says which below
        is_read = True
        reader.kill()
    said = writer.stderr.read().decode(errors="replace").strip()
    if writer.wait() or not is_read:
        raise CopyFailed(f"the dump could not be loaded; nothing was changed: {said or reader.stderr.read().decode(errors='replace')}")
    for pipe in (reader.stdout, reader.stderr, writer.stderr):
        pipe.close()
    return aside


# all that is ours in public goes aside, what its triggers call too; an extension's tables stay where they are
_MOVE_ASIDE = """
CREATE SCHEMA {aside};
DO $$ DECLARE one record; BEGIN
  FOR one IN SELECT c.oid::regclass AS name FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
  LOOP EXECUTE format('ALTER TABLE %s SET SCHEMA {aside}', one.name); END LOOP;
  FOR one IN SELECT DISTINCT t.tgfoid::regprocedure AS name FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    JOIN pg_proc p ON p.oid = t.tgfoid WHERE c.relnamespace = '{aside}'::regnamespace AND p.pronamespace = 'public'::regnamespace
    AND NOT t.tgisinternal AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
  LOOP EXECUTE format('ALTER FUNCTION %s SET SCHEMA {aside}', one.name); END LOOP;
END $$;
"""


def drop_aside(store: Store, schema: str) -> None:
    """Drop a schema that load_dump made, when nothing of worth was in it."""
    assert schema.startswith(ASIDE)
    with store.writing() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))


def tool(name: str, server: int) -> str:
    """The path of a PostgreSQL client program: of the server's version, or the next later. CopyFailed when missing or older.

    A later pg_restore writes settings that an earlier server does not know.
    """
    found = [str(path) for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}")]
    on_path = shutil.which(name)
    versions = [(_version(path), path) for path in [*found, *([on_path] if on_path else [])]]
    fitting = [one for one in versions if one[0] >= server]
    newest, path = (min(fitting) if server else max(fitting)) if fitting else max(versions, default=(0, ""))
    package = f"apt-get install postgresql-client-{server}" if server else "apt-get install postgresql-client"
    if not path:
        raise CopyFailed(f"{name} is not installed: {package}")
    if newest < server:
        raise CopyFailed(f"{name} is version {newest}, the server {server}: {package}")
    return path


def _version(path: str) -> int:
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\) (\d+)", said)
    return int(found[1]) if found else 0


def libpq(url: URL | str) -> str:
    """The address for PostgreSQL's own programs, without the password, which goes by the environment."""
    plain = make_url(url).set(drivername="postgresql")
    return URL.create(
        "postgresql", plain.username, None, plain.host, plain.port, plain.database, plain.query
    ).render_as_string(hide_password=False)


def _with_password(url: URL) -> dict[str, str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PG") or name == "PGPASSFILE"}
    return {**environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}


def _run(command: list[str], url: URL | None) -> None:
    env = _with_password(url) if url is not None else None
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    if done.returncode:
        raise CopyFailed(f"{Path(command[0]).name} failed: {done.stderr.strip()[-600:]}")
