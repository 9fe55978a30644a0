"""Indexes of the days on which dossiers become overdue hold those that may have: late ones and those whose clock is running.

Three in four end in time and are never counted on such a day: the fold read them for nothing, and each landing wrote them down.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

CELL, FINE = ("agency_code", "domain_code", "standing"), ("procedure_code", "channel")
INDEXES = (
    (
        "ix_dossier_passed", ("passed_on", *CELL, "due_at", "verdict_at", "second_supplement_on", *FINE),
        "standing = 1 AND (verdict_at IS NULL OR due_at < verdict_at)",
    ),
    (
        "ix_dossier_passed_day", ("passed_day_on", *CELL, "due_on", "verdict_on", *FINE),
        "standing = 1 AND (verdict_on IS NULL OR due_on < verdict_on)",
    ),
)


def upgrade() -> None:
    """Make both anew."""
    for name, columns, rows in INDEXES:
        op.drop_index(name, table_name="core_dossier")
        op.create_index(name, "core_dossier", list(columns), sqlite_where=sa.text(rows), postgresql_where=sa.text(rows))
