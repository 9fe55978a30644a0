"""What a weekly meeting writes down: follow-ups with their history, annotations; issued briefs, never changed, and their sending."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEEP_SQLITE = """
CREATE TRIGGER ops_brief_no_{what} BEFORE {what} ON ops_brief
BEGIN SELECT RAISE(ABORT, 'an issued brief is never changed'); END
"""
# REPLACE would delete without asking the trigger on DELETE
KEEP_SQLITE_PLACES = """
CREATE TRIGGER ops_brief_no_REPLACE BEFORE INSERT ON ops_brief WHEN EXISTS (SELECT 1 FROM ops_brief WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'an issued brief is never changed'); END
"""
KEEP_POSTGRESQL = """
CREATE FUNCTION ops_brief_keep() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'an issued brief is never changed'; END $$;
CREATE TRIGGER ops_brief_keep BEFORE UPDATE OR DELETE ON ops_brief FOR EACH ROW EXECUTE FUNCTION ops_brief_keep();
CREATE TRIGGER ops_brief_keep_all BEFORE TRUNCATE ON ops_brief EXECUTE FUNCTION ops_brief_keep();
"""


def upgrade() -> None:
    """Add five tables; guard the briefs by triggers."""
    _followups()
    _annotations()
    _briefs()
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(KEEP_SQLITE.format(what=what))
        op.execute(KEEP_SQLITE_PLACES)
    else:
        op.execute(KEEP_POSTGRESQL)


def _text(name: str) -> sa.Column:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _followups() -> None:
    op.create_table(
        "ops_followup",
        sa.Column("id", NUMBER, sa.Identity(), primary_key=True),
        sa.Column("week", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        *(_text(name) for name in ("agency_code", "who")),
        sa.Column("due_on", sa.Integer(), nullable=False),
        *(_text(name) for name in ("key", "made_by")),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_followup_week", "ops_followup", ["week"])
    op.create_table(
        "ops_followup_event",
        sa.Column("id", NUMBER, sa.Identity(), primary_key=True),
        sa.Column("followup_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        _text("actor"),
        sa.Column("kind", sa.Text(), nullable=False),
        _text("note"),
        sa.Column("due_on", sa.Integer()),
    )
    op.create_index("ix_followup_event", "ops_followup_event", ["followup_id", "id"])


def _annotations() -> None:
    op.create_table(
        "ops_annotation",
        sa.Column("id", NUMBER, sa.Identity(), primary_key=True),
        *(_text(name) for name in ("key", "agency_code", "area_code")),
        sa.Column("from_on", sa.Integer(), nullable=False),
        sa.Column("to_on", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        _text("said_by"),
        sa.Column("said_at", sa.BigInteger(), nullable=False),
        _text("withdrawn_by"),
        sa.Column("withdrawn_at", sa.BigInteger()),
        _text("withdrawn_why"),
    )
    op.create_index("ix_annotation_days", "ops_annotation", ["to_on", "from_on"])


def _briefs() -> None:
    op.create_table(
        "ops_brief",
        sa.Column("id", NUMBER, sa.Identity(), primary_key=True),
        sa.Column("week", sa.Text(), nullable=False),
        sa.Column("lang", sa.Text(), nullable=False),
        _text("issued_by"),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("pdf", sa.LargeBinary(), nullable=False),
        sa.Column("xlsx", sa.LargeBinary(), nullable=False),
        sa.Column("replaces", sa.BigInteger()),
    )
    op.create_index("ix_brief_week", "ops_brief", ["week", "lang", "id"])
    op.create_table(
        "ops_brief_sending",
        sa.Column("id", NUMBER, sa.Identity(), primary_key=True),
        sa.Column("brief_id", sa.BigInteger()),
        sa.Column("week", sa.Text(), nullable=False),
        _text("lang"),
        _text("address"),
        sa.Column("tried_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        _text("error"),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
    )
    op.create_index("ix_brief_sending_week", "ops_brief_sending", ["week", "lang", "id"])
    op.create_index("ix_brief_sending_at", "ops_brief_sending", ["tried_at"])
