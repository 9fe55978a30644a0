"""Covering indexes that hold procedure and channel, so that /explore breaks flows down by them from an index; versions by landing."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

CELL = ("agency_code", "domain_code", "standing")
FINE = ("procedure_code", "channel")
REPORT_CELL = ("agency_code", "area_code", "category_code")
INDEXES = (
    # name, table, columns, the rows it holds ("" = all)
    ("ix_dossier_received", "core_dossier", ("received_on", *CELL, "channel", "due_at", "facts", "procedure_code", "received_at"), ""),
    (
        "ix_dossier_finished", "core_dossier",
        (
            "finished_on", *CELL, "finished_at", "due_at", "due_on", "status", "supplement_count", "received_on", "facts",
            "second_supplement_on", *FINE,
        ),
        "finished_on IS NOT NULL",
    ),
    ("ix_dossier_passed", "core_dossier", ("passed_on", *CELL, "due_at", "verdict_at", "second_supplement_on", *FINE), ""),
    ("ix_dossier_passed_day", "core_dossier", ("passed_day_on", *CELL, "due_on", "verdict_on", *FINE), ""),
    (
        "ix_dossier_second_supplement", "core_dossier",
        ("second_supplement_on", *CELL, "due_at", "verdict_at", "passed_on", *FINE), "second_supplement_on IS NOT NULL",
    ),
    (
        "ix_dossier_open", "core_dossier",
        (
            "due_at", "feed", "source_id", "verdict_at", "due_on", "verdict_on", "agency_code", "domain_code", "finished_on", "standing",
            "passed_on", "second_supplement_on", *FINE,
        ),
        "finished_on IS NULL AND standing = 1",
    ),
    (
        "ix_time_finished", "core_dossier_time",
        ("finished_on", "agency_code", "domain_code", "worked_s", "day_s", "procedure_code"), "finished_on IS NOT NULL",
    ),
    (
        "ix_time_received", "core_dossier_time", ("received_on", "agency_code", "domain_code", "due_gap_wd", "procedure_code"),
        "due_gap_wd IS NOT NULL",
    ),
    (
        "ix_report_received", "core_report",
        (
            "received_on", *REPORT_CELL, "closed_on", "status", "is_ended_before_start", "rating", "reopened_count", "channel",
            "received_at",
        ),
        "",
    ),
    (
        "ix_report_closed", "core_report",
        (
            "closed_on", *REPORT_CELL, "closed_at", "received_at", "received_on", "status", "is_ended_before_start", "is_within_hour",
            "rating", "reopened_count", "channel", "due_at",
        ),
        "",
    ),
    (
        "ix_report_open", "core_report",
        (
            "due_at", "feed", "source_id", *REPORT_CELL, "closed_on", "received_on", "is_ended_before_start", "rating", "reopened_count",
            "channel",
        ),
        "closed_on IS NULL",
    ),
)
NEW = (
    ("ix_dossier_version_landed", "core_dossier_version", ("landed_at",)), ("ix_report_version_landed", "core_report_version", ("landed_at",)),
)


def upgrade() -> None:
    """Make eleven indexes anew, and two more."""
    for name, table, columns, rows in INDEXES:
        where = sa.text(rows) if rows else None
        op.drop_index(name, table_name=table)
        op.create_index(name, table, list(columns), sqlite_where=where, postgresql_where=where)
    for name, table, newest in NEW:
        op.create_index(name, table, list(newest))
