"""Signing in and out, changing a password, making the first user. Each outcome is in the audit trail, and is counted from there.

Wrong passwords are bounded three ways within `window_s`: `attempts` per user name and address; five times as many per address,
whatever the names; and from ten times as many per user name on, a growing wait of at most a minute between any two attempts. Only
the last concerns a user at other addresses, and not at those where that user has lately signed in: nobody can lock others out.
All functions hash a password: about 0.1 s and 64 MiB each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from auth.addresses import place_of
from auth.keys import make_session
from auth.passwords import check_password, hash_password, is_outdated, is_password
from auth.requests import SignedIn
from config import Config, SignInConfig
from store.attempts import Attempts, count_attempts, last_entry, last_lock
from store.audit import Entry, record
from store.days import DAY, MICROSECONDS
from store.engine import Store
from store.keys import By, digest
from store.people import USERNAME, NewUser, User, add_user, find_login, fold_username, rehash_password, set_password
from store.rights import PeopleFault
from store.sessions import close_session, open_session, renew_session

PER_PLACE, PER_USER = 5, 10
LONGEST_WAIT_S = 60
FAMILIAR = 30 * DAY
FIRST = "first-run"


class SignInRefused(PeopleFault):
    """No entry. Wrong name, wrong password and disabled are told alike; `wait_s` > 0 = too many attempts, come again later."""

    def __init__(self, key: str, wait_s: int = 0, **words: Any) -> None:
        super().__init__(key, **words)
        self.wait_s = wait_s


@dataclass(frozen=True)
class Attempt:
    """What was typed, and where. `token` = the session the browser still holds, if any."""

    username: str
    password: str
    address: str
    browser: str = ""
    token: str = ""


def sign_in(store: Store, config: Config, attempt: Attempt, now: int) -> str:
    """The token of a new session; the browser's old one ends. Raises SignInRefused."""
    username, place = fold_username(attempt.username), place_of(attempt.address)
    found = find_login(store, username) if USERNAME.fullmatch(username) else None
    subject = username if found else f"?{digest(username)[:16]}"  # what was typed may be a password in the wrong field
    _require_few(store, config.sign_in, subject, place, now)
    is_right = is_password(found[1] if found else "", attempt.password)
    if not found or not is_right or found[0].disabled_at is not None:
        why = "unknown" if not found else "disabled" if is_right else "wrong"
        record(store, Entry(now, "", "sign_in.failed", "user", subject, {"why": why}, place))
        raise SignInRefused("sign_in.wrong")
    user, kept = found
    if is_outdated(kept):
        rehash_password(store, username, kept, hash_password(attempt.password))
    token, by = make_session(), By(f"user:{username}", place)
    if not open_session(store, user, token, _ends_at(config.sign_in, user, now), by, attempt.browser, now, replaces=attempt.token):
        raise SignInRefused("sign_in.wrong")
    return token


def sign_out(store: Store, signed: SignedIn, address: str, now: int) -> None:
    """End the session."""
    close_session(store, signed.user, signed.session.token_hash, _by(signed, address), now, "sign_out")


def change_password(store: Store, config: Config, signed: SignedIn, old: str, new: str, address: str, now: int) -> str:
    """Keep a new password; all other sessions of the user end, this one gets a new token, which is returned.

    Raises SignInRefused when the old password is wrong (counted like a sign-in), PeopleFault when the new one will not do.
    """
    username, place = signed.user.username, place_of(address)
    _require_few(store, config.sign_in, username, place, now)
    found = find_login(store, username)
    if not is_password(found[1] if found else "", old):
        record(store, Entry(now, f"user:{username}", "sign_in.failed", "user", username, {"why": "change"}, place))
        raise SignInRefused("password.wrong_old")
    check_password(new, username)
    if found and is_password(found[1], new):
        raise PeopleFault("password.same")
    token = make_session()
    set_password(store, username, hash_password(new), _by(signed, address), now, keep=signed.session.token_hash)
    renew_session(store, signed.session, token)
    return token


def make_first_user(store: Store, username: str, name: str, password: str, address: str, now: int) -> User:
    """The first administrator. Raises PeopleFault when there are users already, or the name or password will not do."""
    check_password(password, fold_username(username))
    new = NewUser(username, "admin", name)
    return add_user(store, new, hash_password(password), By(FIRST, place_of(address)), now, is_first=True)


def _by(signed: SignedIn, address: str) -> By:
    return By(f"user:{signed.user.username}", place_of(address))


def _ends_at(config: SignInConfig, user: User, now: int) -> int:
    return now + (config.display_s if user.role == "display" else config.session_s) * MICROSECONDS


def _require_few(store: Store, config: SignInConfig, subject: str, place: str, now: int) -> None:
    """Raise SignInRefused, and note the lock once a window, after too many failures."""
    window = config.window_s * MICROSECONDS
    failed = count_attempts(store, subject, place, now - window)
    free_at, slow_until = _locked_until(failed, config), _slow_until(failed, config)
    if slow_until > now and now - last_entry(store, subject, place) >= FAMILIAR:
        free_at = max(free_at, slow_until)
    if free_at <= now:
        return
    if now - last_lock(store, subject, place) > window:
        record(store, Entry(now, "", "sign_in.locked", "user", subject, {}, place))
    wait_s = -(-(free_at - now) // MICROSECONDS)
    raise SignInRefused("sign_in.wait", wait_s, minutes=-(-wait_s // 60))


def _locked_until(failed: Attempts, config: SignInConfig) -> int:
    """When the first of the counted failures, of the name at this address or of the address, is forgotten; 0 = not locked."""
    bounds = ((failed.pair, config.attempts, failed.pair_first), (failed.place, PER_PLACE * config.attempts, failed.place_first))
    return max(first + config.window_s * MICROSECONDS if count >= most else 0 for count, most, first in bounds)


def _slow_until(failed: Attempts, config: SignInConfig) -> int:
    """When the next attempt on a name that many addresses guess at may be made; 0 = at once."""
    beyond = failed.user - PER_USER * config.attempts
    wait_s = min(LONGEST_WAIT_S, 2 ** min(beyond, 10)) if beyond >= 0 else 0
    return failed.user_last + wait_s * MICROSECONDS if wait_s else 0
