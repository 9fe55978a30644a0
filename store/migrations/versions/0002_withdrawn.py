"""What sources take back, what snapshots no longer name; rejects know their kind and are counted when dropped."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add two tables, two columns and an index."""
    op.create_table(
        "core_withdrawn",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("by_feed", sa.Text(), server_default="", nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "feed", "source_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "core_unseen",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("since_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "feed", "source_id"),
        sqlite_with_rowid=False,
    )
    op.add_column("ops_feed", sa.Column("dropped_rejects", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("ops_reject", sa.Column("kind", sa.Text(), server_default="", nullable=False))
    waiting = sa.text("resolved_at IS NULL")
    op.create_index(
        "ix_reject_open", "ops_reject", ["feed", "item"], unique=False, sqlite_where=waiting, postgresql_where=waiting
    )
