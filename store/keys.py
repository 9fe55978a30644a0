"""Feed keys and portal sessions: who may push into which feed. Only SHA-256 digests are kept.

A key is 256 random bits, so a plain digest is enough: there is nothing to guess, hence nothing to slow down.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from sqlalchemy import text

from store.engine import Store


@dataclass(frozen=True)
class FeedKey:
    """One key of a feed; the key itself was shown once, at creation, and is not stored."""

    id: int
    feed: str
    label: str
    created_at: int
    revoked_at: int | None


def digest(token: str) -> str:
    """What is stored of a key or session token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def add_key(store: Store, feed: str, key: str, label: str, now: int) -> int:
    """Keep a new key of a feed; returns its number, by which it is revoked."""
    with store.writing() as connection:
        added = connection.execute(
            text("INSERT INTO ops_feed_key (feed, key_hash, label, created_at) VALUES (:feed, :hash, :label, :now) RETURNING id"),
            {"feed": feed, "hash": digest(key), "label": label, "now": now},
        )
        return int(added.scalar_one())


def list_keys(store: Store, feed: str = "") -> tuple[FeedKey, ...]:
    """All keys, or those of one feed, oldest first; revoked ones too."""
    where = " WHERE feed = :feed" if feed else ""
    with store.reading() as connection:
        statement = text(f"SELECT id, feed, label, created_at, revoked_at FROM ops_feed_key{where} ORDER BY id")
        rows = connection.execute(statement, {"feed": feed} if feed else {}).all()
    return tuple(FeedKey(*row) for row in rows)


def revoke_key(store: Store, key_id: int, now: int) -> bool:
    """Revoke a key from now on; False when there is none of this number or it was revoked before."""
    with store.writing() as connection:
        done = connection.execute(
            text("UPDATE ops_feed_key SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL"), {"now": now, "id": key_id}
        )
        return done.rowcount == 1


def check_key(store: Store, feed: str, key: str) -> FeedKey | None:
    """The valid key of this feed that `key` is, or None. Looked up by digest, compared in constant time."""
    wanted = digest(key)
    with store.reading() as connection:
        row = connection.execute(
            text("SELECT id, feed, label, created_at, revoked_at, key_hash FROM ops_feed_key WHERE key_hash = :hash"),
            {"hash": wanted},
        ).first()
    if row is None or not hmac.compare_digest(row[5], wanted):
        return None
    found = FeedKey(row[0], row[1], row[2], row[3], row[4])
    return found if found.feed == feed and found.revoked_at is None else None


def open_session(store: Store, feed: str, token: str, now: int, expires_at: int) -> None:
    """Keep a portal session until it expires; sessions that have expired are dropped on the way."""
    with store.writing() as connection:
        connection.execute(text("DELETE FROM ops_feed_session WHERE expires_at <= :now"), {"now": now})
        connection.execute(
            text("INSERT INTO ops_feed_session (session_hash, feed, expires_at) VALUES (:hash, :feed, :expires)"),
            {"hash": digest(token), "feed": feed, "expires": expires_at},
        )


def has_session(store: Store, feed: str, token: str, now: int) -> bool:
    """Is this a session of this feed that has not expired?"""
    with store.reading() as connection:
        found = connection.execute(
            text("SELECT feed FROM ops_feed_session WHERE session_hash = :hash AND expires_at > :now"),
            {"hash": digest(token), "now": now},
        ).scalar()
    return found is not None and hmac.compare_digest(str(found), feed)
