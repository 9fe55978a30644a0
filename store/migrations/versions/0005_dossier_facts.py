"""What decision 766 and the one-stop extras ask of a dossier: its facts as one integer, the catalogue's dates and limits, their flows."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

DOSSIERS = ("core_dossier", "core_dossier_version")
FLOWS = (
    "level_known", "level_full", "level_partial", "online_level_known", "online_full", "online_partial", "fee_known", "with_fee",
    "fee_paid_known", "fee_paid", "digitised_known", "digitised", "identified_known", "identified",
    "e_result_known", "e_result", "whole_known", "digitised_whole", "shared_known", "shared", "apology_known", "apology",
    "dislike_known", "disliked", "supplement_asked", "finished_same_day",
)
PROCEDURE = (
    ("central_limit_days", sa.Float), ("has_fee", sa.Boolean), ("decision_on", sa.Integer), ("effective_on", sa.Integer),
    ("published_on", sa.Integer), ("has_all_parts", sa.Boolean),
)
CELL = ("agency_code", "domain_code", "standing")
INDEXES = (
    # name, columns, the rows it holds
    ("ix_dossier_received", ("received_on", *CELL, "channel", "due_at", "facts"), None),
    (
        "ix_dossier_finished",
        ("finished_on", *CELL, "finished_at", "due_at", "due_on", "status", "supplement_count", "received_on", "facts"),
        "finished_on IS NOT NULL",
    ),
    (
        "ix_dossier_procedure", ("procedure_code", "received_on", "channel", "facts", "agency_code"),
        "(channel = 'online' OR (facts & 128) <> 0)",
    ),
)


def upgrade() -> None:
    """The two facts that had columns of their own move into the integer; every cell is logged, so that the next fold counts anew."""
    for table in DOSSIERS:
        op.add_column(table, sa.Column("facts", sa.Integer, nullable=False, server_default="0"))
        op.execute(
            f"UPDATE {table} SET facts = CASE WHEN is_digitised IS NULL THEN 0 WHEN is_digitised THEN 12 ELSE 4 END"
            " + CASE WHEN is_paid_online IS NULL THEN 0 WHEN is_paid_online THEN 48 ELSE 16 END"
            " WHERE is_digitised IS NOT NULL OR is_paid_online IS NOT NULL"
        )
        for column in ("is_digitised", "is_paid_online"):
            op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
    for name, kind in PROCEDURE:
        op.add_column("core_procedure", sa.Column(name, kind))
    op.execute(
        "UPDATE core_procedure SET level = CASE level WHEN '4' THEN 'full' WHEN '3' THEN 'partial' "
        "WHEN '2' THEN 'information' WHEN '1' THEN 'information' ELSE '' END"
    )
    for flow in FLOWS:
        op.add_column("rollup_dossier_day", sa.Column(flow, sa.BigInteger, nullable=False, server_default="0"))
    for name, columns, rows in INDEXES:
        if name != "ix_dossier_procedure":
            op.drop_index(name, table_name="core_dossier")
        where = sa.text(rows) if rows else None
        op.create_index(name, "core_dossier", list(columns), sqlite_where=where, postgresql_where=where)
    op.execute(
        "INSERT INTO ops_dirty (topic, bucket, k1, k2) SELECT 'dossiers', day, agency_code, domain_code FROM rollup_dossier_day"
    )
