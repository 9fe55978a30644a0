"""Brings a database to the schema this version needs, and says where it stands. A database of a newer version is refused."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from store.engine import Store


class SchemaTooNew(Exception):
    """The database was migrated by a newer version of the program."""


def migrate(store: Store) -> None:
    """Upgrade to the newest revision, all or nothing per revision. Raises SchemaTooNew for an unknown revision."""
    with store.writing() as connection:
        if connection.dialect.name != "sqlite":
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7030003)")
        config = _config(connection)
        current = current_revision(connection)
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if current and current not in known:
            raise SchemaTooNew(f"the database is at revision {current}, which this version does not know; start the newer version")
        command.upgrade(config, "head")


def current_revision(connection: Connection) -> str | None:
    """The migration the database is at; None = empty."""
    return MigrationContext.configure(connection).get_current_revision()


def _config(connection: Connection) -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
