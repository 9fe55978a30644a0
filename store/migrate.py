"""Brings a database to the schema this version needs, and says where it stands. A database of a newer version is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from store.engine import Store
from store.sizes import has_rows

EMPTY, CURRENT, OLDER, NEWER = "empty", "current", "older", "newer"
OWN = Path(__file__).parent / "migrations"


class SchemaMismatch(Exception):
    """The database's schema is not the one this program needs; the message says what to do."""


class SchemaTooNew(SchemaMismatch):
    """The database was migrated by a newer version of the program."""


class SchemaTooOld(SchemaMismatch):
    """The database holds data under an older schema: it is upgraded by hand, after a backup."""


def migrate(
    store: Store, *, to: str = "head", versions: tuple[Path, ...] = (), finish: Callable[[Connection], object] = lambda _: None
) -> None:
    """Upgrade to the newest revision (or `to`), all or nothing: one transaction on both engines, ended by `finish`.

    `versions` = further folders of revisions. Raises SchemaTooNew for an unknown revision.
    """
    with store.writing() as connection:
        if connection.dialect.name != "sqlite":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7030003)")
        config = _config(versions)
        config.attributes["connection"] = connection
        current = current_revision(connection)
        if _state(config, current) == NEWER:
            raise SchemaTooNew(f"the database is at revision {current}, which this version does not know; start the newer version")
        command.upgrade(config, to)
        finish(connection)


def current_revision(connection: Connection) -> str | None:
    """The migration the database is at; None = empty."""
    return MigrationContext.configure(connection).get_current_revision()


def newest_revision(versions: tuple[Path, ...] = ()) -> str:
    """The migration this program needs."""
    found = ScriptDirectory.from_config(_config(versions)).get_current_head()
    assert found is not None
    return found


def schema_state(connection: Connection, versions: tuple[Path, ...] = ()) -> str:
    """EMPTY, CURRENT, OLDER or NEWER, as this program sees the database."""
    return _state(_config(versions), current_revision(connection))


def settle_schema(store: Store, *, may_upgrade: bool = False) -> None:
    """Create the schema of a fresh database, or make sure it is this program's.

    An older one without a row, or with `may_upgrade`, is upgraded. Raises SchemaTooOld, SchemaTooNew.
    """
    with store.reading() as connection:
        state, current = schema_state(connection), current_revision(connection)
        is_free = state in (EMPTY, OLDER) and (may_upgrade or state == EMPTY or not has_rows(connection))
    if state == OLDER and not is_free:
        raise SchemaTooOld(
            f"the store is at schema {current}, this program needs {newest_revision()}: run: python cli.py upgrade (it backs up first)"
        )
    if is_free or state == NEWER:
        migrate(store)


def _state(config: AlembicConfig, current: str | None) -> str:
    scripts = ScriptDirectory.from_config(config)
    if current is None:
        return EMPTY
    if current == scripts.get_current_head():
        return CURRENT
    return OLDER if current in {script.revision for script in scripts.walk_revisions()} else NEWER


def _config(versions: tuple[Path, ...]) -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("path_separator", "newline")
    config.set_main_option("script_location", str(OWN).replace("%", "%%"))
    if versions:
        config.set_main_option("version_locations", "\n".join(str(path).replace("%", "%%") for path in (OWN / "versions", *versions)))
    return config
