"""The tables of the leaders' week: follow-ups and annotations that people write, briefs as they were issued, and their sending."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from store.columns import metadata, number_column, text_column

# week: of the brief it was promised in (2026-W46); who: a post or a unit, never a private person's data; key: a KPI, '' = of none
followup = Table(
    "ops_followup", metadata, number_column("id"), Column("week", Text, nullable=False), Column("what", Text, nullable=False),
    text_column("agency_code"), text_column("who"), Column("due_on", Integer, nullable=False), text_column("key"), text_column("made_by"),
    Column("made_at", BigInteger, nullable=False),
)
Index("ix_followup_week", followup.c.week)
# Append-only: the last done, reopened or dropped is the state, the last made or moved says by when (store/followups.py).
followup_event = Table(
    "ops_followup_event", metadata, number_column("id"), Column("followup_id", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False), text_column("actor"), Column("kind", Text, nullable=False), text_column("note"),
    Column("due_on", Integer),
)
Index("ix_followup_event", followup_event.c.followup_id, followup_event.c.id)
# key '' = of all KPIs; the days from_on..to_on, both included. Nothing is taken away: a withdrawn one stays with who, when and why.
annotation = Table(
    "ops_annotation", metadata, number_column("id"), text_column("key"), text_column("agency_code"), text_column("area_code"),
    Column("from_on", Integer, nullable=False), Column("to_on", Integer, nullable=False), Column("body", Text, nullable=False),
    text_column("said_by"), Column("said_at", BigInteger, nullable=False), text_column("withdrawn_by"),
    Column("withdrawn_at", BigInteger), text_column("withdrawn_why"),
)
Index("ix_annotation_days", annotation.c.to_on, annotation.c.from_on)
# Append-only: triggers refuse UPDATE and DELETE. content: what it says, as JSON of no language; sha256 of that; replaces: an earlier one.
brief = Table(
    "ops_brief", metadata, number_column("id"), Column("week", Text, nullable=False), Column("lang", Text, nullable=False),
    text_column("issued_by"), Column("issued_at", BigInteger, nullable=False), Column("as_of", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False), Column("sha256", Text, nullable=False), Column("content", Text, nullable=False),
    Column("pdf", LargeBinary, nullable=False), Column("xlsx", LargeBinary, nullable=False), Column("replaces", BigInteger),
)
Index("ix_brief_week", brief.c.week, brief.c.lang, brief.c.id)
# Append-only: a row when a try begins, one how it ended. state: trying | sent | failed | refused | held (store/sending.py); week may be a
# day, of reminders; brief_id NULL = a notice or a reminder.
brief_sending = Table(
    "ops_brief_sending", metadata, number_column("id"), Column("brief_id", BigInteger), Column("week", Text, nullable=False),
    text_column("lang"), text_column("address"), Column("tried_at", BigInteger, nullable=False), Column("state", Text, nullable=False),
    text_column("error"), Column("attempt", Integer, nullable=False, server_default="0"),
)
Index("ix_brief_sending_week", brief_sending.c.week, brief_sending.c.lang, brief_sending.c.id)
Index("ix_brief_sending_at", brief_sending.c.tried_at)
