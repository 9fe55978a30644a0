"""What administrators ask and change: users, feed keys, API keys. Every function checks its permission and leaves an audit entry.

The rows and their entries are written by store/people.py and store/keys.py, one transaction each. Who may do this sees the whole
province: an administrator limited to some agencies could otherwise give others what it has not itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from auth.keys import make_api_key, make_feed_key
from auth.passwords import hash_password, make_temporary
from config import Config
from scope import Forbidden, Scope
from store import keys, people, sessions
from store.engine import Store
from store.keys import ApiKey, By, FeedKey, NewApiKey
from store.people import NewUser, User
from store.rights import PeopleFault
from store.sessions import LastSeen

KEY_ROLES = ("viewer", "leader", "analyst", "operator", "feed_owner", "auditor", "admin")
MOST_LABEL = 80


@dataclass(frozen=True)
class Admin:
    """Someone's hand on users and keys: the store, its rights, the city file, where the request came from, the instant."""

    store: Store
    scope: Scope
    config: Config
    address: str
    now: int

    @property
    def by(self) -> By:
        """Who the audit trail names."""
        return By(self.scope.actor, self.address)

    def require(self, permission: str) -> None:
        """Raise Forbidden without the permission over the whole province."""
        self.scope.require(permission)
        if self.scope.is_limited:
            raise Forbidden(permission, self.scope.actor)

    def is_self(self, username: str) -> bool:
        """Is this the administrator's own account?"""
        return self.scope.actor == f"user:{people.fold_username(username)}"


# ---- users ----------------------------------------------------------------------------------------------------------
def list_people(admin: Admin) -> tuple[User, ...]:
    """All users by name, disabled ones too."""
    admin.require("manage.users")
    return people.list_users(admin.store)


def seen(admin: Admin) -> Mapping[str, LastSeen]:
    """By user name: when the user last used the program, and how many sessions are open."""
    admin.require("manage.users")
    return sessions.last_seen(admin.store, admin.now)


def person(admin: Admin, username: str) -> User:
    """One user. Raises PeopleFault for an unknown name."""
    admin.require("manage.users")
    found = people.find_user(admin.store, username)
    if found is None:
        raise PeopleFault("people.unknown_user", username=username)
    return found


def add_person(admin: Admin, new: NewUser) -> tuple[User, str]:
    """A new user and its temporary password, which nobody can read again. Raises PeopleFault."""
    admin.require("manage.users")
    password = make_temporary()
    return people.add_user(admin.store, new, hash_password(password), admin.by, admin.now, is_temporary=True), password


def change_person(admin: Admin, changed: User) -> User:
    """Keep name, role and limits; they count from the user's next request on. Raises PeopleFault; nobody changes its own rights."""
    admin.require("manage.users")
    before = person(admin, changed.username)
    if admin.is_self(before.username) and _rights(before) != _rights(changed):
        raise PeopleFault("admin.own_rights")
    return people.change_user(admin.store, replace(changed, username=before.username), admin.by, admin.now)


def disable_person(admin: Admin, username: str) -> User:
    """Let a user in no more and end its sessions. Raises PeopleFault for oneself and for the last enabled administrator."""
    admin.require("manage.users")
    if admin.is_self(username):
        raise PeopleFault("admin.own_account")
    return people.disable_user(admin.store, username, admin.by, admin.now)


def enable_person(admin: Admin, username: str) -> User:
    """Let a disabled user in again."""
    admin.require("manage.users")
    return people.enable_user(admin.store, username, admin.by, admin.now)


def reset_password(admin: Admin, username: str) -> str:
    """A new temporary password; the user's sessions end. One's own is changed under /account. Raises PeopleFault."""
    admin.require("manage.users")
    if admin.is_self(username):
        raise PeopleFault("admin.own_password")
    password = make_temporary()
    people.set_password(admin.store, username, hash_password(password), admin.by, admin.now, is_temporary=True)
    return password


def end_sessions(admin: Admin, username: str) -> int:
    """End a user's sessions; how many there were."""
    return sessions.close_sessions(admin.store, person(admin, username), admin.by, admin.now)


def _rights(user: User) -> tuple[object, ...]:
    return user.role, user.agencies, user.areas


# ---- feed keys ------------------------------------------------------------------------------------------------------
def list_feed_keys(admin: Admin) -> tuple[FeedKey, ...]:
    """The keys of all feeds, oldest first; ended ones too."""
    admin.require("manage.keys")
    return keys.list_keys(admin.store)


def add_feed_key(admin: Admin, feed: str, label: str) -> str:
    """A new key of a feed, shown once. Raises PeopleFault for a feed the city file has not, or a label too long."""
    admin.require("manage.keys")
    if feed not in [row.key for row in admin.config.feeds]:
        raise PeopleFault("admin.unknown_feed", feed=feed)
    key = make_feed_key()
    keys.add_key(admin.store, feed, key, _label(label), admin.by, admin.now)
    return key


def rotate_feed_key(admin: Admin, number: int, grace_s: int) -> str:
    """A new key in the place of one that opens for `grace_s` seconds more. Raises PeopleFault when it opens nothing any more."""
    admin.require("manage.keys")
    key = make_feed_key()
    if keys.rotate_key(admin.store, number, key, grace_s, admin.by, admin.now) is None:
        raise PeopleFault("admin.key_gone")
    return key


def revoke_feed_key(admin: Admin, number: int) -> None:
    """A feed key opens nothing from now on. Raises PeopleFault when it did not before."""
    admin.require("manage.keys")
    if not keys.revoke_key(admin.store, number, admin.by, admin.now):
        raise PeopleFault("admin.key_gone")


# ---- API keys -------------------------------------------------------------------------------------------------------
def list_api_keys(admin: Admin) -> tuple[ApiKey, ...]:
    """All API keys, oldest first; ended ones too."""
    admin.require("manage.keys")
    return keys.list_api_keys(admin.store)


def add_api_key(admin: Admin, new: NewApiKey) -> str:
    """A new API key, shown once. Raises PeopleFault (label, role, limits)."""
    admin.require("manage.keys")
    if not _label(new.label):
        raise PeopleFault("admin.no_label")
    if new.role not in KEY_ROLES:
        raise PeopleFault("people.unknown_role", role=new.role, roles=", ".join(KEY_ROLES))
    key = make_api_key()
    keys.add_api_key(admin.store, replace(new, label=_label(new.label)), key, admin.by, admin.now)
    return key


def rotate_api_key(admin: Admin, number: int, grace_s: int) -> str:
    """A new API key in the place of one that opens for `grace_s` seconds more. Raises PeopleFault when it opens nothing any more."""
    admin.require("manage.keys")
    key = make_api_key()
    if keys.rotate_api_key(admin.store, number, key, grace_s, admin.by, admin.now) is None:
        raise PeopleFault("admin.key_gone")
    return key


def revoke_api_key(admin: Admin, number: int) -> None:
    """An API key opens nothing from now on. Raises PeopleFault when it did not before."""
    admin.require("manage.keys")
    if not keys.revoke_api_key(admin.store, number, admin.by, admin.now):
        raise PeopleFault("admin.key_gone")


def _label(text: str) -> str:
    label = " ".join(text.split())
    if len(label) > MOST_LABEL:
        raise PeopleFault("admin.long_label", most=MOST_LABEL)
    return label
