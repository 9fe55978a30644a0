"""Sessions of signed-in browsers. Only digests of their tokens are kept; openings and endings are in the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from store.audit import Entry, append
from store.engine import Store
from store.keys import By, digest
from store.people import USER_COLUMNS, User, drop_sessions, login_of, user_of

_SESSION = "s.token_hash, s.user_id, s.opened_at, s.seen_at, s.expires_at, s.address, s.browser"


@dataclass(frozen=True)
class Session:
    """One signed-in browser. token_hash = digest of what its cookie holds."""

    token_hash: str
    user_id: int
    opened_at: int
    seen_at: int
    expires_at: int
    address: str
    browser: str


@dataclass(frozen=True)
class LastSeen:
    """When a user last used the program (instant, None = never signed in), and how many sessions it has open."""

    at: int | None
    sessions: int


def open_session(store: Store, user: User, token: str, expires_at: int, by: By, browser: str, now: int, *, replaces: str = "") -> bool:
    """Keep a new session; the one the browser had (`replaces`, a token) ends. False when the user was disabled meanwhile."""

    def work(connection: Connection) -> bool:
        current = login_of(connection, user.username)
        if current is None or current[0].disabled_at is not None:
            return False
        connection.execute(
            text("DELETE FROM ops_session WHERE expires_at <= :now OR token_hash = :old"), {"now": now, "old": digest(replaces)}
        )
        connection.execute(
            text(
                "INSERT INTO ops_session (token_hash, user_id, opened_at, seen_at, expires_at, address, browser) "
                "VALUES (:hash, :user, :now, :now, :expires, :address, :browser)"
            ),
            {
                "hash": digest(token), "user": user.id, "now": now, "expires": expires_at, "address": by.address,
                "browser": browser[:200],
            },
        )
        append(connection, Entry(now, by.actor, "sign_in.ok", "user", user.username, {}, by.address))
        return True

    return store.write(work)


def find_session(store: Store, token: str, now: int) -> tuple[Session, User] | None:
    """The session of this token with its user, unless it has expired or the user is disabled. Idleness is the caller's to judge."""
    with store.reading() as connection:
        row = connection.execute(
            text(
                f"SELECT {_SESSION}, {USER_COLUMNS} FROM ops_session s JOIN ops_user u ON u.id = s.user_id "
                "WHERE s.token_hash = :hash AND s.expires_at > :now AND u.disabled_at IS NULL"
            ),
            {"hash": digest(token), "now": now},
        ).mappings().first()
    return (_session(row), user_of(row)) if row else None


def touch_session(store: Store, session: Session, now: int) -> None:
    """Note that a session was used."""
    with store.writing() as connection:
        connection.execute(
            text("UPDATE ops_session SET seen_at = :now WHERE token_hash = :hash AND seen_at < :now"),
            {"now": now, "hash": session.token_hash},
        )


def renew_session(store: Store, session: Session, token: str) -> None:
    """Give a session another token; the old one opens nothing any more."""
    with store.writing() as connection:
        connection.execute(
            text("UPDATE ops_session SET token_hash = :new WHERE token_hash = :old"), {"new": digest(token), "old": session.token_hash}
        )


def list_sessions(store: Store, user_id: int, now: int) -> tuple[Session, ...]:
    """A user's sessions that have not expired, last used first."""
    with store.reading() as connection:
        rows = connection.execute(
            text(f"SELECT {_SESSION} FROM ops_session s WHERE s.user_id = :user AND s.expires_at > :now ORDER BY s.seen_at DESC"),
            {"user": user_id, "now": now},
        ).mappings().all()
    return tuple(_session(row) for row in rows)


def last_seen(store: Store, now: int) -> dict[str, LastSeen]:
    """By user name, for everyone who has signed in: by the sessions, and where they have ended by the audit trail."""
    with store.reading() as connection:
        entered = connection.execute(text("SELECT subject, max(at) FROM ops_audit WHERE action = 'sign_in.ok' GROUP BY subject")).all()
        used = connection.execute(
            text(
                "SELECT u.username, max(s.seen_at), sum(CASE WHEN s.expires_at > :now THEN 1 ELSE 0 END) FROM ops_session s "
                "JOIN ops_user u ON u.id = s.user_id GROUP BY u.username"
            ),
            {"now": now},
        ).all()
    found = {row[0]: LastSeen(int(row[1]), 0) for row in entered}
    for username, at, count in used:
        found[username] = LastSeen(max(int(at), found.get(username, LastSeen(None, 0)).at or 0), int(count))
    return found


def close_session(store: Store, user: User, token_hash: str, by: By, now: int, action: str = "session.close") -> bool:
    """End one session of this user; False when it is none of theirs. action "sign_out" = its own browser ends it."""

    def work(connection: Connection) -> bool:
        done = connection.execute(
            text("DELETE FROM ops_session WHERE token_hash = :hash AND user_id = :user"), {"hash": token_hash, "user": user.id}
        )
        if done.rowcount:
            append(connection, Entry(now, by.actor, action, "user", user.username, {"sessions": 1}, by.address))
        return bool(done.rowcount)

    return store.write(work)


def close_sessions(store: Store, user: User, by: By, now: int, *, keep: str = "") -> int:
    """End all sessions of a user but `keep` (a token hash); returns how many."""

    def work(connection: Connection) -> int:
        ended = drop_sessions(connection, user.id, keep)
        if ended:
            append(connection, Entry(now, by.actor, "session.close", "user", user.username, {"sessions": ended}, by.address))
        return ended

    return store.write(work)


def _session(row: Mapping[Any, Any]) -> Session:
    return Session(**{name.removeprefix("s."): row[name.removeprefix("s.")] for name in _SESSION.split(", ")})
