"""SQLite never gives a number of the logs twice: a round that took rows must not take later ones for them."""

from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Both logs with AUTOINCREMENT; PostgreSQL's identities never repeat."""
    if op.get_bind().dialect.name != "sqlite":
        return
    for table in ("ops_dirty", "ops_unjudged"):
        with op.batch_alter_table(table, recreate="always", table_kwargs={"sqlite_autoincrement": True}):
            pass
