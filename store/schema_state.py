"""Tables of the store's own state: what to recompute, feeds, rejects, keys, people, audit."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text, UniqueConstraint, text

from store.columns import at_column as _at
from store.columns import count_column as _count
from store.columns import metadata
from store.columns import number_column as _number
from store.columns import text_column as _text

# Cells to recompute. dossiers: k1 agency k2 domain; reports: k1 agency k2 area k3 category;
# readings: bucket = hour, ref = datastream id, k1 k2 = area and property it had. Append-only; the fold deletes what it has taken.
dirty = Table(
    "ops_dirty", metadata, _number("seq"), Column("topic", Text, nullable=False), Column("bucket", Integer, nullable=False),
    _text("k1"), _text("k2"), _text("k3"), Column("ref", Integer, nullable=False, server_default="0"),
    sqlite_autoincrement=True,  # a number is never given twice: a round that took rows must not take later ones for them
)
Index("ix_dirty_topic", dirty.c.topic, dirty.c.seq)
revision = Table("ops_revision", metadata, Column("topic", Text, primary_key=True), _count("revision"), Column("bumped_at", BigInteger))
clock = Table("ops_clock", metadata, Column("name", Text, primary_key=True), Column("at", BigInteger, nullable=False))
feed = Table(
    "ops_feed", metadata, Column("feed", Text, primary_key=True), _text("role"), _text("cursor", null=True), _at("attempted_at"),
    _at("loaded_at"), _at("newest_at"), _text("error"), _at("error_at"), _count("landed"), _count("changed"), _count("rejected"),
    _count("sequence"), _count("dropped_rejects"),
)
load = Table(
    "ops_load", metadata, _number("id"), Column("feed", Text, nullable=False), Column("at", BigInteger, nullable=False),
    _count("items"), _count("landed"), _count("changed"), _count("rejected"), _text("error"),
)
Index("ix_load_feed", load.c.feed, load.c.id)
reject = Table(
    "ops_reject", metadata, _number("id"), Column("feed", Text, nullable=False), Column("digest", Text, nullable=False),
    _text("item"), _text("field"), _text("reason"), _text("value"), _text("payload"), Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False), _count("times"), Column("resolved_at", BigInteger), _text("kind"),
    UniqueConstraint("feed", "digest"),
)
Index("ix_reject_feed_reason", reject.c.feed, reject.c.reason)
_WAITING = text("resolved_at IS NULL")
Index("ix_reject_open", reject.c.feed, reject.c.item, sqlite_where=_WAITING, postgresql_where=_WAITING)
# revoked_at may lie ahead: a rotated key still opens until then
feed_key = Table(
    "ops_feed_key", metadata, _number("id"), Column("feed", Text, nullable=False), Column("key_hash", Text, nullable=False, unique=True),
    _text("label"), Column("created_at", BigInteger, nullable=False), Column("revoked_at", BigInteger), _text("created_by"),
)
feed_session = Table(
    "ops_feed_session", metadata, Column("session_hash", Text, primary_key=True), Column("feed", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

# ---- people ---------------------------------------------------------------------------------------------------------
# agencies, areas: JSON list of codes whose subtrees are visible, NULL = all. Only digests of keys and session tokens are kept.
user = Table(
    "ops_user", metadata, _number("id"), Column("username", Text, nullable=False, unique=True), _text("name"),
    Column("role", Text, nullable=False), _text("agencies", null=True), _text("areas", null=True), _text("password_hash"),
    Column("is_temporary", Boolean, nullable=False, server_default=text("false")),  # must be changed at the next sign-in
    Column("password_at", BigInteger), Column("created_at", BigInteger, nullable=False), _text("created_by"),
    Column("disabled_at", BigInteger),
)
session = Table(
    "ops_session", metadata, Column("token_hash", Text, primary_key=True), Column("user_id", BigInteger, nullable=False),
    Column("opened_at", BigInteger, nullable=False), Column("seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False), _text("address"), _text("browser"),
)
Index("ix_session_user", session.c.user_id)
api_key = Table(
    "ops_api_key", metadata, _number("id"), Column("key_hash", Text, nullable=False, unique=True), _text("label"),
    Column("role", Text, nullable=False), _text("agencies", null=True), _text("areas", null=True),
    Column("created_at", BigInteger, nullable=False), _text("created_by"), Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
)
# Append-only: triggers refuse UPDATE and DELETE; hash = digest of the row and of the hash before it (store/audit.py).
audit = Table(
    "ops_audit", metadata, Column("seq", BigInteger, primary_key=True, autoincrement=False), Column("at", BigInteger, nullable=False),
    _text("actor"), _text("address"), Column("action", Text, nullable=False), _text("kind"), _text("subject"), _text("detail"),
    Column("hash", Text, nullable=False),
)
Index("ix_audit_actor", audit.c.actor, audit.c.seq)
Index("ix_audit_subject", audit.c.kind, audit.c.subject, audit.c.seq)
Index("ix_audit_action", audit.c.action, audit.c.seq)
Index("ix_audit_at", audit.c.at)
