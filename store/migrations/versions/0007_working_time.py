"""Worked and expected times of dossiers: a row each beside them, the log of those to judge, units of limits, their flows."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

FLOWS = ("worked_n", "worked_microdays", "due_checked", "due_differs")
CELL, WORKED = ("agency_code", "domain_code"), ("worked_s", "day_s")
INDEXES = (
    # name, columns, the rows it holds
    ("ix_time_finished", ("finished_on", *CELL, *WORKED), "finished_on IS NOT NULL"),
    ("ix_time_received", ("received_on", *CELL, "due_gap_wd"), "due_gap_wd IS NOT NULL"),
    ("ix_time_procedure", ("procedure_code", "finished_on", *CELL, *WORKED), "finished_on IS NOT NULL"),
)


def upgrade() -> None:
    """Empty tables: a store without the digest of its calendars has every dossier judged by the next ingest, which logs the cells."""
    op.create_table(
        "core_dossier_time",
        sa.Column("feed", sa.Text), sa.Column("source_id", sa.Text), sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False, server_default="") for name in (*CELL, "procedure_code")),
        sa.Column("received_on", sa.Integer), sa.Column("finished_on", sa.Integer), sa.Column("worked_s", sa.BigInteger),
        sa.Column("day_s", sa.Integer), sa.Column("elapsed_s", sa.BigInteger), sa.Column("expected_due_at", sa.BigInteger),
        sa.Column("due_gap_wd", sa.Integer), sa.PrimaryKeyConstraint("feed", "source_id"), sqlite_with_rowid=False,
    )
    for name, columns, rows in INDEXES:
        op.create_index(name, "core_dossier_time", list(columns), sqlite_where=sa.text(rows), postgresql_where=sa.text(rows))
    op.create_table(
        "ops_unjudged",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), sa.Identity(), primary_key=True),
        sa.Column("feed", sa.Text, nullable=False), sa.Column("source_id", sa.Text, nullable=False),
    )
    op.create_table(
        "ops_basis", sa.Column("name", sa.Text, primary_key=True), sa.Column("digest", sa.Text, nullable=False),
    )
    op.add_column("core_procedure", sa.Column("limit_unit", sa.Text, nullable=False, server_default="wd"))
    for flow in FLOWS:
        op.add_column("rollup_dossier_day", sa.Column(flow, sa.BigInteger, nullable=False, server_default="0"))
