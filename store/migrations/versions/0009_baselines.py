"""Baselines of KPIs, set by a person with a reason; what figures are divided by: inhabitants of areas, officers of agencies."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add a table and two columns. Figures per inhabitant are known once the area feed has been read again."""
    op.add_column("core_area", sa.Column("population", sa.Integer()))
    op.add_column("core_agency", sa.Column("officers", sa.Integer()))
    op.create_table(
        "ops_baseline",
        sa.Column("id", NUMBER, sa.Identity(), primary_key=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("choice", sa.Text(), server_default="", nullable=False),
        sa.Column("by", sa.Text(), server_default="week", nullable=False),
        sa.Column("from_on", sa.Integer(), nullable=False),
        sa.Column("to_on", sa.Integer(), nullable=False),
        sa.Column("set_by", sa.Text(), server_default="", nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
    )
    op.create_index("ix_baseline_key", "ops_baseline", ["key", "choice", "id"])
