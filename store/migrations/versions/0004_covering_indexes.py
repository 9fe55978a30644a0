"""Indexes that answer the stock of open dossiers and reports alone, and ended dossiers apart from the open ones."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

INDEXES = (
    # name, table, columns, the rows it holds
    (
        "ix_dossier_finished", "core_dossier",
        ("finished_on", "agency_code", "domain_code", "standing", "finished_at", "due_at", "due_on", "status", "supplement_count"),
        "finished_on IS NOT NULL",
    ),
    (
        "ix_dossier_open", "core_dossier",
        (
            "due_at", "feed", "source_id", "verdict_at", "due_on", "verdict_on", "agency_code", "domain_code", "finished_on", "standing",
        ),
        "finished_on IS NULL AND standing = 1",
    ),
    (
        "ix_report_open", "core_report",
        ("due_at", "feed", "source_id", "agency_code", "area_code", "category_code", "closed_on"), "closed_on IS NULL",
    ),
)


def upgrade() -> None:
    """Make three indexes anew."""
    for name, table, columns, rows in INDEXES:
        op.drop_index(name, table_name=table)
        op.create_index(name, table, list(columns), sqlite_where=sa.text(rows), postgresql_where=sa.text(rows))
