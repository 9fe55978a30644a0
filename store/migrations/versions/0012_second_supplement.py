"""When a dossier was asked for more papers the second time: from then on it is late by decision 766."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

CELL = ("agency_code", "domain_code", "standing")
INDEXES = (
    # name, columns, the rows it holds ("" = all), was there before
    (
        "ix_dossier_finished",
        (
            "finished_on", *CELL, "finished_at", "due_at", "due_on", "status", "supplement_count", "received_on", "facts",
            "second_supplement_on",
        ),
        "finished_on IS NOT NULL", True,
    ),
    ("ix_dossier_passed", ("passed_on", *CELL, "due_at", "verdict_at", "second_supplement_on"), "", True),
    (
        "ix_dossier_open",
        (
            "due_at", "feed", "source_id", "verdict_at", "due_on", "verdict_on", "agency_code", "domain_code", "finished_on", "standing",
            "passed_on", "second_supplement_on",
        ),
        "finished_on IS NULL AND standing = 1", True,
    ),
    (
        "ix_dossier_second_supplement", ("second_supplement_on", *CELL, "due_at", "verdict_at", "passed_on"),
        "second_supplement_on IS NOT NULL", False,
    ),
)
# Where every request left a stop of its own, the second stop is the second request. While a dossier waits the last one may be for
# another reason than papers; what is not known here comes with the dossier's next delivery.
SECOND_STOP = (
    "SELECT p.{column} FROM core_dossier_stop p WHERE p.feed = core_dossier.feed AND p.source_id = core_dossier.source_id "
    "ORDER BY p.stopped_at LIMIT 1 OFFSET 1"
)
KNOWN = (
    "supplement_count > 1 AND standing = 1 AND status NOT IN (5, 6, 8) AND supplement_count = "
    "(SELECT count(*) FROM core_dossier_stop p WHERE p.feed = core_dossier.feed AND p.source_id = core_dossier.source_id)"
)


def upgrade() -> None:
    """Nobody asked twice: late by 766 as overdue, whose flows there are. The cells of the others are logged, so that the fold counts anew."""
    for table in ("core_dossier", "core_dossier_version"):
        op.add_column(table, sa.Column("second_supplement_at", sa.BigInteger))
        op.add_column(table, sa.Column("second_supplement_on", sa.Integer))
    op.execute(
        f"UPDATE core_dossier SET second_supplement_at = ({SECOND_STOP.format(column='stopped_at')}), "
        f"second_supplement_on = ({SECOND_STOP.format(column='stopped_on')}) WHERE {KNOWN}"
    )
    for bound, beyond in (("received_on", "<"), ("finished_on", ">")):
        op.execute(f"UPDATE core_dossier SET second_supplement_on = {bound} WHERE second_supplement_on {beyond} {bound}")
    for flow in ("late_766", "late_766_ended"):
        op.add_column("rollup_dossier_day", sa.Column(flow, sa.BigInteger, nullable=False, server_default="0"))
    op.execute("UPDATE rollup_dossier_day SET late_766 = due_passed, late_766_ended = overdue_ended WHERE due_passed + overdue_ended > 0")
    for name, columns, rows, is_old in INDEXES:
        if is_old:
            op.drop_index(name, table_name="core_dossier")
        where = sa.text(rows) if rows else None
        op.create_index(name, "core_dossier", list(columns), sqlite_where=where, postgresql_where=where)
    for day in ("second_supplement_on", "passed_on", "finished_on"):
        op.execute(
            f"INSERT INTO ops_dirty (topic, bucket, k1, k2) SELECT DISTINCT 'dossiers', {day}, agency_code, domain_code FROM core_dossier "
            f"WHERE second_supplement_on IS NOT NULL AND {day} IS NOT NULL"
        )
