"""Makes a Scope out of who is asking, and the keys feeds push with.

Today there is one way in: without sign-in, from this machine only. Users, OIDC and display tokens come here later; nobody else
decides who may see what.
"""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime

from starlette.requests import Request

from config import Config, FeedConfig
from scope import DEMO_SCOPE, Forbidden, Scope
from store.engine import Store

LOCAL_NAMES = ("127.0.0.1", "localhost", "[::1]")
# a proxy on this machine makes every client look local, whatever Host it sends on
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
KEY_BYTES = 32
SESSION_S = 8 * 3600


class NotLocal(Forbidden):
    """The caller is not on this machine, and there are no accounts yet."""

    def __init__(self, why: str) -> None:
        super().__init__("sign_in", why)
        self.why = why

    def __str__(self) -> str:
        return f"{self.why}: without sign-in this server answers only its own machine, under the name 127.0.0.1 or localhost"


def scope_for(headers: Mapping[str, str], client_host: str, config: Config) -> Scope:
    """The rights of whoever sent a request with these headers (lower-case names) from this address.

    Raises NotLocal (a Forbidden) unless the client is on this machine and asked for it by a local name: a page of another site
    that resolves its own name to 127.0.0.1 (DNS rebinding) sends that name as Host. `config` will name the accounts.
    """
    if not is_loopback(client_host):
        raise NotLocal("the request comes from another machine")
    if host_name(headers.get("host", "")) not in LOCAL_NAMES:
        raise NotLocal("the request names another host")
    if any(name in headers for name in FORWARDED):
        raise NotLocal("the request was passed on by a proxy")
    return DEMO_SCOPE


def is_loopback(address: str) -> bool:
    """Is this the address of the machine itself? An IPv4 address written as IPv6 counts as what it means."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return bool((mapped or found).is_loopback)


def host_name(host: str) -> str:
    """The name in a Host header, without port, in lower case."""
    name = host.strip().lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]" if "]" in name else ""
    return name.partition(":")[0]


def make_feed_key() -> str:
    """A new feed key: 256 random bits. Show it once; the store keeps only its digest."""
    return "tck_" + secrets.token_urlsafe(KEY_BYTES)


def make_session() -> str:
    """A new portal session token."""
    return secrets.token_urlsafe(KEY_BYTES)


def is_feed_login(feed: FeedConfig, username: str, password: str) -> bool:
    """Do these open the feed's portal login? A feed without a configured password has none. Takes the same time either way."""
    given = f"{username}\0{password}".encode("utf-8", "surrogatepass")
    wanted = f"{feed.username}\0{feed.password}".encode("utf-8", "surrogatepass")
    is_same = hmac.compare_digest(given, wanted)
    return is_same and bool(feed.username) and bool(feed.password)


def scope_reader(config: Config, store: Store, now: Callable[[], datetime]) -> Callable[[Request | None], Scope]:
    """A function from a request to the rights of its sender; no request, no rights. `store` and `now` will serve sessions.

    The function raises NotLocal as scope_for does.
    """
    def read(request: Request | None) -> Scope:
        if request is None:
            return Scope()
        headers = {name.lower(): value for name, value in request.headers.items()}
        return scope_for(headers, request.client.host if request.client else "", config)

    return read
