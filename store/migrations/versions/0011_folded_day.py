"""How often each day's roll-ups were folded, so that sums over unchanged days need not be made again."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
ROLLUPS = (("dossiers", "rollup_dossier_day"), ("reports", "rollup_report_day"))


def upgrade() -> None:
    """Every day that has cells has been folded once."""
    op.create_table(
        "ops_folded_day", sa.Column("topic", sa.Text, nullable=False), sa.Column("day", sa.Integer, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False, server_default="0"), sa.PrimaryKeyConstraint("topic", "day"),
    )
    for topic, table in ROLLUPS:
        op.execute(f"INSERT INTO ops_folded_day (topic, day, revision) SELECT DISTINCT '{topic}', day, 1 FROM {table}")
