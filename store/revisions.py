"""Counters of the store's state, per topic and in all. Every answer carries them; a change is announced on commit."""

from __future__ import annotations

from sqlalchemy import Connection, text

from store.schema import TOPICS

CHANNEL = "toancanh"


def bump(connection: Connection, topic: str, now: int) -> None:
    """Move a topic's revision on, in the caller's transaction. PostgreSQL listeners hear of it at commit."""
    connection.execute(
        text(
            "INSERT INTO ops_revision (topic, revision, bumped_at) VALUES (:topic, 1, :now) "
            "ON CONFLICT (topic) DO UPDATE SET revision = ops_revision.revision + 1, bumped_at = excluded.bumped_at"
        ),
        {"topic": topic, "now": now},
    )
    if connection.dialect.name != "sqlite":
        connection.execute(text("SELECT pg_notify(:channel, :topic)"), {"channel": CHANNEL, "topic": topic})


def revisions(connection: Connection) -> dict[str, int]:
    """Revision of every topic; topics never touched are 0."""
    found: dict[str, int] = dict(connection.execute(text("SELECT topic, revision FROM ops_revision")).all())
    return {topic: int(found.get(topic, 0)) for topic in TOPICS}


def total(counters: dict[str, int]) -> int:
    """The revision of the whole store."""
    return sum(counters.values())
