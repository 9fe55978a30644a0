"""What lists are searched by: reports' words without accents, and dossiers of a procedure by the day they were received."""

import sqlalchemy as sa
from alembic import op

from store.report_text import words_of

revision = "0014"
down_revision = "0013"

BATCH = 5_000
GONE = "(new.description IS NULL OR new.description = '') AND (new.resolution IS NULL OR new.resolution = '')"
DROP_WORDS = "DELETE FROM core_report_text WHERE feed = old.feed AND source_id = old.source_id"
# a text that is taken out of a report, or goes with it, goes from its words too, whoever takes it
SQLITE = (
    f"CREATE TRIGGER core_report_text_gone AFTER DELETE ON core_report BEGIN {DROP_WORDS}; END",
    f"CREATE TRIGGER core_report_text_emptied AFTER UPDATE OF description, resolution ON core_report WHEN {GONE} BEGIN {DROP_WORDS}; END",
)
POSTGRESQL = (
    f"CREATE FUNCTION core_report_text_drop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {DROP_WORDS}; RETURN NULL; END $$",
    "CREATE TRIGGER core_report_text_gone AFTER DELETE ON core_report FOR EACH ROW EXECUTE FUNCTION core_report_text_drop()",
    "CREATE TRIGGER core_report_text_emptied AFTER UPDATE OF description, resolution ON core_report FOR EACH ROW "
    f"WHEN ({GONE}) EXECUTE FUNCTION core_report_text_drop()",
)


def upgrade() -> None:
    """Add an index, a table with its triggers, and the words of the reports that are there."""
    op.create_index("ix_dossier_of_procedure", "core_dossier", ["procedure_code", "received_on", "received_at"])
    op.create_table(
        "core_report_text",
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("feed", "source_id"),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    for statement in SQLITE if connection.dialect.name == "sqlite" else POSTGRESQL:
        connection.exec_driver_sql(statement)
    _fill(connection)


def _fill(connection: sa.Connection) -> None:
    after = ("", "")
    page = sa.text(
        "SELECT feed, source_id, description, resolution FROM core_report WHERE (feed, source_id) > (:feed, :id) "
        "ORDER BY feed, source_id LIMIT :size"
    )
    while rows := connection.execute(page, {"feed": after[0], "id": after[1], "size": BATCH}).all():
        found = [{"feed": row[0], "id": row[1], "words": words} for row in rows if (words := words_of(row[2], row[3]))]
        if found:
            connection.execute(sa.text("INSERT INTO core_report_text (feed, source_id, words) VALUES (:feed, :id, :words)"), found)
        after = (rows[-1][0], rows[-1][1])
