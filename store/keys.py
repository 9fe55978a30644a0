"""Keys of machines: feed keys, portal sessions, API keys. Only SHA-256 digests are kept; every change is in the audit trail.

A key is 256 random bits, so a plain digest is enough: there is nothing to guess, hence nothing to slow down.
`revoked_at` may lie ahead: a key that was rotated still opens until then.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from store.audit import Entry, append
from store.engine import Store
from store.rights import codes_kept, codes_read, require_rights

_FEED_KEY = "id, feed, label, created_at, revoked_at, created_by"
_API_KEY = "id, label, role, agencies, areas, created_at, created_by, expires_at, revoked_at"


@dataclass(frozen=True)
class By:
    """Who makes a change, for the audit trail: a scope's actor, and the address the request came from."""

    actor: str
    address: str = ""


PROGRAM = By("cli")


@dataclass(frozen=True)
class FeedKey:
    """One key of a feed; the key itself was shown once, at creation, and is not stored."""

    id: int
    feed: str
    label: str
    created_at: int
    revoked_at: int | None
    created_by: str = ""

    def opens(self, now: int) -> bool:
        """Does it open its feed at this instant?"""
        return self.revoked_at is None or self.revoked_at > now


@dataclass(frozen=True)
class ApiKey:
    """A key that reads the API with the rights of a role, limited to agencies and areas (None = all)."""

    id: int
    label: str
    role: str
    agencies: tuple[str, ...] | None
    areas: tuple[str, ...] | None
    created_at: int
    created_by: str
    expires_at: int | None
    revoked_at: int | None

    def opens(self, now: int) -> bool:
        """Is it neither expired nor revoked at this instant?"""
        return all(end is None or end > now for end in (self.expires_at, self.revoked_at))


@dataclass(frozen=True)
class NewApiKey:
    """What an API key is to be: its label, role and limits; expires_at = instant, None = never."""

    label: str
    role: str
    agencies: tuple[str, ...] | None = None
    areas: tuple[str, ...] | None = None
    expires_at: int | None = None


def digest(token: str) -> str:
    """What is stored of a key or session token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


# ---- feed keys ------------------------------------------------------------------------------------------------------
def add_key(store: Store, feed: str, key: str, label: str, by: By, now: int) -> int:
    """Keep a new key of a feed; returns its number, by which it is revoked."""
    return store.write(lambda connection: _add_feed_key(connection, feed, key, label, by, now))


def _add_feed_key(connection: Connection, feed: str, key: str, label: str, by: By, now: int) -> int:
    added = connection.execute(
        text(
            "INSERT INTO ops_feed_key (feed, key_hash, label, created_at, created_by) "
            "VALUES (:feed, :hash, :label, :now, :by) RETURNING id"
        ),
        {"feed": feed, "hash": digest(key), "label": label, "now": now, "by": by.actor},
    )
    number = int(added.scalar_one())
    append(connection, Entry(now, by.actor, "feed_key.add", "feed_key", str(number), {"feed": feed}, by.address))
    return number


def list_keys(store: Store, feed: str = "") -> tuple[FeedKey, ...]:
    """All keys, or those of one feed, oldest first; revoked ones too."""
    where = " WHERE feed = :feed" if feed else ""
    with store.reading() as connection:
        rows = connection.execute(
            text(f"SELECT {_FEED_KEY} FROM ops_feed_key{where} ORDER BY id"), {"feed": feed} if feed else {}
        ).all()
    return tuple(FeedKey(*row) for row in rows)


def revoke_key(store: Store, key_id: int, by: By, now: int) -> bool:
    """Revoke a feed key from now on; False when there is none of this number or it opens no more."""
    return store.write(lambda connection: _end(connection, "feed_key", key_id, now, by, now))


def rotate_key(store: Store, key_id: int, key: str, grace_s: int, by: By, now: int) -> int | None:
    """A new key for the feed of an open one, which itself opens for `grace_s` seconds more; the new number, None = no such open key."""

    def work(connection: Connection) -> int | None:
        found = connection.execute(text("SELECT feed, label FROM ops_feed_key WHERE id = :id"), {"id": key_id}).first()
        if found is None or not _end(connection, "feed_key", key_id, now + grace_s * 1_000_000, by, now):
            return None
        return _add_feed_key(connection, found[0], key, found[1], by, now)

    return store.write(work)


def check_key(store: Store, feed: str, key: str, now: int) -> FeedKey | None:
    """The key of this feed that `key` is, if it opens now, or None. Looked up by digest, compared in constant time."""
    wanted = digest(key)
    with store.reading() as connection:
        row = connection.execute(
            text(f"SELECT {_FEED_KEY}, key_hash FROM ops_feed_key WHERE key_hash = :hash"), {"hash": wanted}
        ).first()
    if row is None or not hmac.compare_digest(row[-1], wanted):
        return None
    found = FeedKey(*row[:-1])
    return found if found.feed == feed and found.opens(now) else None


def _end(connection: Connection, kind: str, number: int, ends_at: int, by: By, now: int) -> bool:
    """Let a key open no longer than `ends_at`; False when there is none or it has ended by then already."""
    done = connection.execute(
        text(
            f"UPDATE ops_{kind} SET revoked_at = :ends WHERE id = :id AND (revoked_at IS NULL OR revoked_at > :ends) "
            "AND (revoked_at IS NULL OR revoked_at > :now)"
        ),
        {"ends": ends_at, "now": now, "id": number},
    )
    if done.rowcount != 1:
        return False
    append(connection, Entry(now, by.actor, f"{kind}.revoke", kind, str(number), {"ends_at": ends_at}, by.address))
    return True


# ---- API keys -------------------------------------------------------------------------------------------------------
def add_api_key(store: Store, new: NewApiKey, key: str, by: By, now: int) -> int:
    """Keep a new API key; returns its number. Raises PeopleFault for an unknown role, and for limits the role knows not."""
    require_rights(new.role, new.agencies, new.areas)
    return store.write(lambda connection: _add_api_key(connection, new, key, by, now))


def _add_api_key(connection: Connection, new: NewApiKey, key: str, by: By, now: int) -> int:
    added = connection.execute(
        text(
            "INSERT INTO ops_api_key (key_hash, label, role, agencies, areas, created_at, created_by, expires_at) "
            "VALUES (:hash, :label, :role, :agencies, :areas, :now, :by, :expires) RETURNING id"
        ),
        {
            "hash": digest(key), "label": new.label, "role": new.role, "agencies": codes_kept(new.agencies),
            "areas": codes_kept(new.areas), "now": now, "by": by.actor, "expires": new.expires_at,
        },
    )
    number = int(added.scalar_one())
    detail = {"role": new.role, "agencies": new.agencies, "areas": new.areas, "expires_at": new.expires_at}
    append(connection, Entry(now, by.actor, "api_key.add", "api_key", str(number), detail, by.address))
    return number


def list_api_keys(store: Store) -> tuple[ApiKey, ...]:
    """All API keys, oldest first; those that have ended too."""
    with store.reading() as connection:
        rows = connection.execute(text(f"SELECT {_API_KEY} FROM ops_api_key ORDER BY id")).mappings().all()
    return tuple(_api_key(row) for row in rows)


def find_api_key(store: Store, key: str, now: int) -> ApiKey | None:
    """The API key that `key` is, if it opens now, or None."""
    wanted = digest(key)
    with store.reading() as connection:
        row = connection.execute(
            text(f"SELECT {_API_KEY}, key_hash FROM ops_api_key WHERE key_hash = :hash"), {"hash": wanted}
        ).mappings().first()
    if row is None or not hmac.compare_digest(row["key_hash"], wanted):
        return None
    found = _api_key(row)
    return found if found.opens(now) else None


def revoke_api_key(store: Store, key_id: int, by: By, now: int) -> bool:
    """Revoke an API key from now on; False when there is none of this number or it was revoked before."""
    return store.write(lambda connection: _end(connection, "api_key", key_id, now, by, now))


def rotate_api_key(store: Store, key_id: int, key: str, grace_s: int, by: By, now: int) -> int | None:
    """A new key like an open one, which itself opens for `grace_s` seconds more; the new number, None = no such open key."""
    found = {row.id: row for row in list_api_keys(store)}.get(key_id)
    if found is None or not found.opens(now):
        return None
    new = NewApiKey(found.label, found.role, found.agencies, found.areas, found.expires_at)

    def work(connection: Connection) -> int | None:
        is_ended = _end(connection, "api_key", key_id, now + grace_s * 1_000_000, by, now)
        return _add_api_key(connection, new, key, by, now) if is_ended else None

    return store.write(work)


def _api_key(row: Mapping[Any, Any]) -> ApiKey:
    values = {name: row[name] for name in _API_KEY.split(", ")}
    return ApiKey(**{**values, "agencies": codes_read(row["agencies"]), "areas": codes_read(row["areas"])})


# ---- portal sessions ------------------------------------------------------------------------------------------------
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
