"""Users, sessions, API keys, the audit trail; feed keys know who made them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KEEP_SQLITE = """
CREATE TRIGGER ops_audit_no_{what} BEFORE {what} ON ops_audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END
"""
# REPLACE would delete without asking the trigger on DELETE
KEEP_SQLITE_PLACES = """
CREATE TRIGGER ops_audit_no_REPLACE BEFORE INSERT ON ops_audit WHEN EXISTS (SELECT 1 FROM ops_audit WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END
"""
KEEP_POSTGRESQL = """
CREATE FUNCTION ops_audit_keep() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$;
CREATE TRIGGER ops_audit_keep BEFORE UPDATE OR DELETE ON ops_audit FOR EACH ROW EXECUTE FUNCTION ops_audit_keep();
CREATE TRIGGER ops_audit_keep_all BEFORE TRUNCATE ON ops_audit EXECUTE FUNCTION ops_audit_keep();
"""


def upgrade() -> None:
    """Add four tables and a column; guard the audit trail by triggers."""
    op.create_table(
        "ops_user",
        sa.Column("id", NUMBER, sa.Identity(), primary_key=True),
        sa.Column("username", sa.Text(), nullable=False, unique=True),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("agencies", sa.Text()),
        sa.Column("areas", sa.Text()),
        sa.Column("password_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("is_temporary", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("password_at", sa.BigInteger()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), server_default="", nullable=False),
        sa.Column("disabled_at", sa.BigInteger()),
    )
    op.create_table(
        "ops_session",
        sa.Column("token_hash", sa.Text(), primary_key=True),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("browser", sa.Text(), server_default="", nullable=False),
    )
    op.create_index("ix_session_user", "ops_session", ["user_id"])
    op.create_table(
        "ops_api_key",
        sa.Column("id", NUMBER, sa.Identity(), primary_key=True),
        sa.Column("key_hash", sa.Text(), nullable=False, unique=True),
        sa.Column("label", sa.Text(), server_default="", nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("agencies", sa.Text()),
        sa.Column("areas", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), server_default="", nullable=False),
        sa.Column("expires_at", sa.BigInteger()),
        sa.Column("revoked_at", sa.BigInteger()),
    )
    op.add_column("ops_feed_key", sa.Column("created_by", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "ops_audit",
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), server_default="", nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
    )
    op.create_index("ix_audit_actor", "ops_audit", ["actor", "seq"])
    op.create_index("ix_audit_subject", "ops_audit", ["kind", "subject", "seq"])
    op.create_index("ix_audit_action", "ops_audit", ["action", "seq"])
    op.create_index("ix_audit_at", "ops_audit", ["at"])
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(KEEP_SQLITE.format(what=what))
        op.execute(KEEP_SQLITE_PLACES)
    else:
        op.execute(KEEP_POSTGRESQL)
