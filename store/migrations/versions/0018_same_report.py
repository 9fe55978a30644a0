"""What people said about pairs of reports: of one thing, or not."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add a table."""
    op.create_table(
        "ops_same_report",
        sa.Column("id", NUMBER, sa.Identity(), primary_key=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("feed", "source_id", "with_feed", "with_source_id", "kind")),
        sa.Column("said_by", sa.Text(), server_default="", nullable=False),
        sa.Column("said_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_same_report", "ops_same_report", ["feed", "source_id", "with_feed", "with_source_id", "id"])
    op.create_index("ix_same_report_with", "ops_same_report", ["with_feed", "with_source_id"])
