"""Reports reopened, rated, sent back, given more time, closed at once; their flows and indexes."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

QUARTER, HOUR = 900_000_000, 3_600_000_000
CELL = ("agency_code", "area_code", "category_code")
FLOWS = (
    "duplicates_known", "accepted", "refused", "undecided", "handled", "return_known", "returned", "extension_known", "extended",
    "closed_timed", "closed_within_hour", "rating_known", "rated", "satisfied", "reopen_known", "closed_reopened", "truly_resolved",
    "quality_known_in", "quality_known_out", "reopened", "reopened_open",
)
INDEXES = (
    # name, columns, the rows it holds ("" = all), was there before
    (
        "ix_report_closed",
        (
            "closed_on", *CELL, "closed_at", "received_at", "received_on", "status", "is_ended_before_start", "is_within_hour", "rating",
            "reopened_count",
        ),
        "", True,
    ),
    (
        "ix_report_received", ("received_on", *CELL, "closed_on", "status", "is_ended_before_start", "rating", "reopened_count"), "", True,
    ),
    ("ix_report_reopened", ("reopened_on", *CELL, "closed_on"), "reopened_on IS NOT NULL OR reopened_count > 0", False),
    ("ix_report_hasty", ("closed_on", *CELL), "is_within_hour", False),
    (
        "ix_report_open",
        (
            "due_at", "feed", "source_id", *CELL, "closed_on", "received_on", "is_ended_before_start", "rating", "reopened_count",
        ),
        "closed_on IS NULL", True,
    ),
)


def upgrade() -> None:
    """New columns, filled where the rows themselves know; indexes; every cell of reports logged, so that the fold counts anew."""
    for table in ("core_report", "core_report_version"):
        for column in _columns():
            op.add_column(table, column)
        op.execute(  # of dates without times nobody knows: store/reported.py
            f"UPDATE {table} SET is_within_hour = (closed_at - received_at >= 0 AND closed_at - received_at < {HOUR}) "
            f"WHERE closed_at IS NOT NULL AND received_at IS NOT NULL AND NOT (closed_at % {QUARTER} = 0 AND received_at % {QUARTER} = 0) "
            "AND coalesce(resolution, '') <> 'gone_from_snapshot'"
        )
        # a feed that has marked one duplicate marks them
        op.execute(f"UPDATE {table} SET knows_duplicates = true WHERE feed IN (SELECT DISTINCT feed FROM core_report WHERE is_duplicate)")
    for flow in FLOWS:
        op.add_column("rollup_report_day", sa.Column(flow, sa.BigInteger, nullable=False, server_default="0"))
    for name, columns, rows, is_old in INDEXES:
        if is_old:
            op.drop_index(name, table_name="core_report")
        where = sa.text(rows) if rows else None
        op.create_index(name, "core_report", list(columns), sqlite_where=where, postgresql_where=where)
    op.execute(
        "INSERT INTO ops_dirty (topic, bucket, k1, k2, k3) SELECT 'reports', day, agency_code, area_code, category_code FROM rollup_report_day"
    )


def _columns() -> tuple[sa.Column, ...]:
    return (
        sa.Column("knows_duplicates", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("rating", sa.SmallInteger), sa.Column("reopened_count", sa.Integer), sa.Column("reopened_at", sa.BigInteger),
        sa.Column("reopened_on", sa.Integer), sa.Column("returned_count", sa.Integer), sa.Column("extension_count", sa.Integer),
        sa.Column("is_within_hour", sa.Boolean),
    )
