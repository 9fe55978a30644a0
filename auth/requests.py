"""Makes the Scope of a request: its API key, else its session cookie, else this machine's while there are no users at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request

from auth.addresses import FORWARDED, LOCAL_NAMES, host_name, is_loopback
from auth.keys import API_KEY_PREFIX
from config import Config, SignInConfig
from scope import DEMO_SCOPE, Forbidden, Scope, scope_of
from store.areas import codes_below
from store.days import MICROSECONDS, instant
from store.engine import Store
from store.keys import find_api_key
from store.people import User, has_users
from store.sessions import Session, find_session, touch_session
from store.watch import is_away

COOKIE = "toancanh_session"
# set by assets/session.js while nobody touches the page: what it fetches by itself then is no use of the session
UNATTENDED = "toancanh_unattended"
KEY_ROOMS = ("/api/", "/live/", "/metrics")
TOUCH_S = 60


class NotLocal(Forbidden):
    """The caller is not on this machine, and there are no accounts yet."""

    def __init__(self, why: str) -> None:
        super().__init__("sign_in", why)
        self.why = why

    def __str__(self) -> str:
        return f"{self.why}: without sign-in this server answers only its own machine, under the name 127.0.0.1 or localhost"


class NotSignedIn(Forbidden):
    """There are users, and the request has no valid session or key. `go_to` = the page where a person mends it."""

    go_to = "/sign-in"

    def __init__(self, why: str = "this request has no session and no key") -> None:
        super().__init__("sign_in", why)
        self.why = why

    def __str__(self) -> str:
        return self.why


class PasswordDue(NotSignedIn):
    """The session is good, but its password was set by someone else and must be changed first."""

    go_to = "/account"


@dataclass(frozen=True)
class SignedIn:
    """A session that is good now, its user, and the token its browser holds."""

    user: User
    session: Session
    token: str


def scope_for(headers: Mapping[str, str], client_host: str, config: Config) -> Scope:
    """The rights of whoever sent a request with these headers (lower-case names) from this address, while there are no users.

    Raises NotLocal (a Forbidden) unless the client is on this machine and asked for it by a local name: a page of another site
    that resolves its own name to 127.0.0.1 (DNS rebinding) sends that name as Host.
    """
    if not is_loopback(client_host):
        raise NotLocal("the request comes from another machine")
    if host_name(headers.get("host", "")) not in LOCAL_NAMES:
        raise NotLocal("the request names another host")
    if any(name in headers for name in FORWARDED):
        raise NotLocal("the request was passed on by a proxy")
    return DEMO_SCOPE


def scope_reader(config: Config, store: Store, now: Callable[[], datetime]) -> Callable[[Request | None], Scope]:
    """A function from a request to the rights of its sender; no request, no rights.

    It asks the store at every request, so that a new first user, a disabled one, an ended session or key counts at once.
    The function raises NotSignedIn, PasswordDue or NotLocal (all Forbidden), or what the store raises when it is away.
    """
    there_are_users = _remembering(store)

    def read(request: Request | None) -> Scope:
        if request is None:
            return Scope()
        at = instant(now())
        key = _api_key(request)
        if key:
            return _key_scope(store, key, at)
        found = signed_in(config, store, request, at)
        if found:
            if found.user.is_temporary:
                raise PasswordDue("the password of this account must be changed first")
            return user_scope(store, found.user)
        if there_are_users():
            raise NotSignedIn()
        return scope_for(_headers(request), _peer(request), config)

    def read_or_watch(request: Request | None) -> Scope:
        try:
            return read(request)
        except Exception as fault:
            return _watch_only(fault, request, config)

    return read_or_watch


def signed_in(config: Config, store: Store, request: Request, now: int) -> SignedIn | None:
    """The session of a request's cookie, if it is good at this instant; notes, at most once a minute, that it was used."""
    token = request.cookies.get(COOKIE, "")
    found = find_session(store, token, now) if token else None
    if found is None:
        return None
    session, user = found
    idle = idle_of(config.sign_in, user)
    if now - session.seen_at >= idle * MICROSECONDS:
        return None
    if UNATTENDED not in request.cookies and now - session.seen_at >= min(TOUCH_S, idle // 2) * MICROSECONDS:
        touch_session(store, session, now)
    return SignedIn(user, session, token)


def is_open_to(config: Config, store: Store, request: Request) -> bool:
    """Is this the machine itself, while there are no users? Then, and only then, the first one may be made without sign-in."""
    try:
        return not has_users(store) and bool(scope_for(_headers(request), _peer(request), config))
    except NotLocal:
        return False


def user_scope(store: Store, user: User) -> Scope:
    """The rights of a user: its role's, within its agencies and areas. Area codes are not dotted: all below one are listed."""
    return scope_of(user.role, user.agencies, _areas(store, user.areas), f"user:{user.username}")


def idle_of(config: SignInConfig, user: User) -> int:
    """Seconds after which an unused session of this user ends; a display is used without hands."""
    return config.display_idle_s if user.role == "display" else config.idle_s


def _key_scope(store: Store, key: str, now: int) -> Scope:
    found = find_api_key(store, key, now) if key.startswith(API_KEY_PREFIX) else None
    if found is None:
        raise NotSignedIn("this key does not open the API, or no longer")
    return scope_of(found.role, found.agencies, _areas(store, found.areas), f"key:{found.label}#{found.id}")


def _areas(store: Store, codes: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if not codes:
        return codes
    with store.reading() as connection:
        return codes_below(connection, codes)


def _api_key(request: Request) -> str:
    """The key of a request for the API, the streams or the figures; elsewhere keys open nothing."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    is_key = scheme.lower() == "bearer" and request.url.path.startswith(KEY_ROOMS)
    return token.strip() if is_key else ""


def _remembering(store: Store) -> Callable[[], bool]:
    """has_users, asked until it is true: users are disabled, never deleted. While the store is away what it said last holds."""
    said: list[bool] = []

    def ask() -> bool:
        if said[-1:] == [True]:
            return True
        try:
            said[:] = [has_users(store)]
        except Exception as fault:
            if not said or not is_away(fault):
                raise
        return said[-1]

    return ask


def _watch_only(fault: Exception, request: Request | None, config: Config) -> Scope:
    """While the store is away nobody can be known; this machine may still read in /metrics that it is away."""
    if request is None or request.url.path != "/metrics" or not is_away(fault):
        raise fault
    scope_for(_headers(request), _peer(request), config)
    return Scope(frozenset({"see.feeds"}), actor="local")


def _headers(request: Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _peer(request: Request) -> str:
    return request.client.host if request.client else ""
