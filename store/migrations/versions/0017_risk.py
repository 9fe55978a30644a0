"""The fitted model of the at-risk queue."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add a table."""
    op.create_table(
        "ops_risk_model",
        sa.Column("id", NUMBER, sa.Identity(), primary_key=True),
        sa.Column("learned_at", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("dossiers", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
