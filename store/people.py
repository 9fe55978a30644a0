"""Users. Of their passwords only hashes are kept; every change is in the audit trail.

Rows only, no judgement of passwords: auth/ makes hashes and decides who may enter. Sessions are in store/sessions.py, API keys in
store/keys.py.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from store.audit import Entry, append
from store.engine import Store
from store.keys import By
from store.rights import PeopleFault, codes_kept, codes_read, require_rights

# letters of any language, digits, . _ @ - inside; no spaces, so that a name in a log is one word
USERNAME = re.compile(r"[^\W_][\w.@-]{0,63}")
USER_COLUMNS = "u.id, u.username, u.name, u.role, u.agencies, u.areas, u.is_temporary, u.disabled_at, u.created_at"


@dataclass(frozen=True)
class User:
    """One person, or one display. agencies, areas: codes whose subtrees are visible, None = all. Times are instants."""

    id: int
    username: str
    name: str
    role: str
    agencies: tuple[str, ...] | None
    areas: tuple[str, ...] | None
    is_temporary: bool
    disabled_at: int | None
    created_at: int


@dataclass(frozen=True)
class NewUser:
    """What a user is to be."""

    username: str
    role: str
    name: str = ""
    agencies: tuple[str, ...] | None = None
    areas: tuple[str, ...] | None = None


def fold_username(typed: str) -> str:
    """A user name as it is kept and compared: composed letters, lower case, no space around."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", typed.strip()).lower())


def has_users(store: Store) -> bool:
    """Is there any user, enabled or not? One look at an index; while there are none the program is open to its own machine."""
    with store.reading() as connection:
        return connection.execute(text("SELECT id FROM ops_user LIMIT 1")).first() is not None


def has_admin(store: Store) -> bool:
    """Is there an enabled user with the role admin?"""
    with store.reading() as connection:
        return _admins(connection, but="") > 0


def add_user(
    store: Store, new: NewUser, password_hash: str, by: By, now: int, *, is_temporary: bool = False, is_first: bool = False
) -> User:
    """Keep a new user. is_first: only while there are none at all. Raises PeopleFault (name, role, limits, taken, not the first)."""
    username, name = fold_username(new.username), _clean(new.name)
    if not USERNAME.fullmatch(username):
        raise PeopleFault("people.bad_username")
    require_rights(new.role, new.agencies, new.areas)

    def work(connection: Connection) -> User:
        if is_first:
            _alone(connection)
            if connection.execute(text("SELECT id FROM ops_user LIMIT 1")).first():
                raise PeopleFault("people.not_first")
        added = connection.execute(
            text(
                "INSERT INTO ops_user (username, name, role, agencies, areas, password_hash, is_temporary, password_at, created_at, "
                "created_by) VALUES (:username, :name, :role, :agencies, :areas, :hash, :temporary, :now, :now, :by) "
                "ON CONFLICT (username) DO NOTHING RETURNING id"
            ),
            {
                "username": username, "name": name, "role": new.role, "agencies": codes_kept(new.agencies),
                "areas": codes_kept(new.areas), "hash": password_hash, "temporary": is_temporary, "now": now, "by": by.actor,
            },
        ).first()
        if added is None:
            raise PeopleFault("people.username_taken", username=username)
        detail = {"role": new.role, "agencies": new.agencies, "areas": new.areas}
        append(connection, Entry(now, by.actor, "user.add", "user", username, detail, by.address))
        return User(added[0], username, name, new.role, new.agencies, new.areas, is_temporary, None, now)

    return store.write(work)


def list_users(store: Store) -> tuple[User, ...]:
    """All users by name, disabled ones too."""
    with store.reading() as connection:
        rows = connection.execute(text(f"SELECT {USER_COLUMNS} FROM ops_user u ORDER BY u.username")).mappings().all()
    return tuple(user_of(row) for row in rows)


def find_user(store: Store, username: str) -> User | None:
    """The user of this name in any writing, or None."""
    found = find_login(store, username)
    return found[0] if found else None


def find_login(store: Store, username: str) -> tuple[User, str] | None:
    """The user of this name and the hash of its password, or None."""
    with store.reading() as connection:
        return login_of(connection, fold_username(username))


def change_user(store: Store, changed: User, by: By, now: int) -> User:
    """Keep name, role, agencies and areas of `changed` (found by its user name). Takes effect at that user's next request.

    Raises PeopleFault: unknown user or role, limits the role knows not, or the last enabled admin would be one no more.
    """
    require_rights(changed.role, changed.agencies, changed.areas)

    def work(connection: Connection) -> User:
        before = _require(connection, changed.username)
        if before.role == "admin" and changed.role != "admin" and before.disabled_at is None:
            _require_other_admin(connection, before.username)
        connection.execute(
            text("UPDATE ops_user SET name = :name, role = :role, agencies = :agencies, areas = :areas WHERE id = :id"),
            {
                "name": _clean(changed.name), "role": changed.role, "agencies": codes_kept(changed.agencies),
                "areas": codes_kept(changed.areas), "id": before.id,
            },
        )
        fields = {name: (getattr(before, name), getattr(changed, name)) for name in ("role", "agencies", "areas")}
        detail: dict[str, Any] = {name: list(pair) for name, pair in fields.items() if pair[0] != pair[1]}
        append(connection, Entry(now, by.actor, "user.change", "user", before.username, detail, by.address))
        return _require(connection, before.username)

    return store.write(work)


def disable_user(store: Store, username: str, by: By, now: int) -> User:
    """Let a user in no more; its sessions end with it. Raises PeopleFault for the last enabled admin or an unknown user."""

    def work(connection: Connection) -> User:
        before = _require(connection, username)
        if before.disabled_at is not None:
            return before
        if before.role == "admin":
            _require_other_admin(connection, before.username)
        connection.execute(text("UPDATE ops_user SET disabled_at = :now WHERE id = :id"), {"now": now, "id": before.id})
        ended = drop_sessions(connection, before.id, "")
        append(connection, Entry(now, by.actor, "user.disable", "user", before.username, {"sessions": ended}, by.address))
        return _require(connection, before.username)

    return store.write(work)


def enable_user(store: Store, username: str, by: By, now: int) -> User:
    """Let a disabled user in again."""

    def work(connection: Connection) -> User:
        before = _require(connection, username)
        if before.disabled_at is not None:
            connection.execute(text("UPDATE ops_user SET disabled_at = NULL WHERE id = :id"), {"id": before.id})
            append(connection, Entry(now, by.actor, "user.enable", "user", before.username, {}, by.address))
        return _require(connection, before.username)

    return store.write(work)


def set_password(
    store: Store, username: str, password_hash: str, by: By, now: int, *, is_temporary: bool = False, keep: str = ""
) -> int:
    """Keep a new password hash and end the user's sessions but `keep` (a token hash); returns how many ended.

    is_temporary = set by someone else: it must be changed at the next sign-in. Raises PeopleFault for an unknown user.
    """

    def work(connection: Connection) -> int:
        found = _require(connection, username)
        connection.execute(
            text("UPDATE ops_user SET password_hash = :hash, is_temporary = :temporary, password_at = :now WHERE id = :id"),
            {"hash": password_hash, "temporary": is_temporary, "now": now, "id": found.id},
        )
        ended = drop_sessions(connection, found.id, keep)
        action = "user.password_reset" if is_temporary else "password.change"
        append(connection, Entry(now, by.actor, action, "user", found.username, {"sessions": ended}, by.address))
        return ended

    return store.write(work)


def rehash_password(store: Store, username: str, old_hash: str, new_hash: str) -> None:
    """Replace the hash of an unchanged password by a costlier one, unless the password was changed meanwhile."""
    with store.writing() as connection:
        connection.execute(
            text("UPDATE ops_user SET password_hash = :new WHERE username = :username AND password_hash = :old"),
            {"new": new_hash, "old": old_hash, "username": username},
        )


def drop_sessions(connection: Connection, user_id: int, keep: str) -> int:
    """End a user's sessions but `keep` (a token hash), inside the caller's transaction; returns how many."""
    done = connection.execute(
        text("DELETE FROM ops_session WHERE user_id = :user AND token_hash <> :keep"), {"user": user_id, "keep": keep}
    )
    return int(done.rowcount)


def login_of(connection: Connection, username: str) -> tuple[User, str] | None:
    """The user of this folded name with the hash of its password, inside the caller's transaction."""
    row = connection.execute(
        text(f"SELECT {USER_COLUMNS}, u.password_hash FROM ops_user u WHERE u.username = :username"), {"username": username}
    ).mappings().first()
    return (user_of(row), str(row["password_hash"])) if row else None


def _require(connection: Connection, username: str) -> User:
    found = login_of(connection, fold_username(username))
    if found is None:
        raise PeopleFault("people.unknown_user", username=username)
    return found[0]


def _clean(name: str) -> str:
    """A shown name without what cannot be seen."""
    return "".join(letter for letter in unicodedata.normalize("NFC", name) if letter.isprintable()).strip()[:100]


def _require_other_admin(connection: Connection, username: str) -> None:
    _alone(connection)
    if not _admins(connection, but=username):
        raise PeopleFault("people.last_admin")


def _alone(connection: Connection) -> None:
    """Keep others from changing users until we commit, or two could both be first, or both remove the last admin but one."""
    if connection.dialect.name != "sqlite":
        connection.execute(text("LOCK TABLE ops_user IN SHARE ROW EXCLUSIVE MODE"))


def _admins(connection: Connection, but: str) -> int:
    statement = text("SELECT count(*) FROM ops_user WHERE role = 'admin' AND disabled_at IS NULL AND username <> :but")
    return int(connection.execute(statement, {"but": but}).scalar_one())


def user_of(row: Mapping[Any, Any]) -> User:
    """The user in a row of USER_COLUMNS."""
    return User(
        row["id"], row["username"], row["name"], row["role"], codes_read(row["agencies"]), codes_read(row["areas"]),
        bool(row["is_temporary"]), row["disabled_at"], row["created_at"],
    )
