"""Views that people save under a name, and figures kept as they were shown."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add two tables."""
    op.create_table(
        "ops_view",
        sa.Column("id", NUMBER, sa.Identity(), primary_key=True),
        *(_text(name) for name in ("path", "query", "name", "owner")),
        sa.Column("is_shared", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger()),
    )
    op.create_index("ix_view_owner", "ops_view", ["path", "owner"])
    op.create_table(
        "ops_shown",
        sa.Column("sha256", sa.Text(), primary_key=True),
        *(_text(name) for name in ("path", "query", "lang", "rights", "content", "made_by")),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_shown_made", "ops_shown", ["made_by", "made_at"])


def _text(name: str) -> sa.Column:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)
