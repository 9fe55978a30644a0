"""Where a request says it comes from and goes to: host, proxy, origin. Pure over its headers; each check returns its fault or ''."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from auth.addresses import FORWARDED, LOCAL_NAMES, host_name
from config import WebConfig

SAFE = ("GET", "HEAD", "OPTIONS")
# a second method, address or path inside a request: no part of ours reads them, and nothing before us may believe we do
DISGUISES = ("x-http-method-override", "x-http-method", "x-method-override", "x-original-url", "x-rewrite-url")


@dataclass(frozen=True)
class Peer:
    """Who is on the other end, after a trusted proxy's word: address and scheme."""

    address: str
    scheme: str


def bad_host(host: str, web: WebConfig) -> str:
    """Why this Host is not ours: neither local, nor of public_url, nor (without public_url) a bare address.

    A name that somebody else resolves to us (DNS rebinding) is not ours; a bare address cannot be rebound.
    """
    name = host_name(host)
    ours = host_name(urlsplit(web.public_url).netloc) if web.public_url else ""
    if name in LOCAL_NAMES or (ours and name == ours) or (not ours and _is_address(name)):
        return ""
    return "the request names a host that is not this server's"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def bad_disguise(headers: Mapping[str, str]) -> str:
    """Why the headers pretend to be another request; '' when they do not."""
    return next((f"{name} is not read here" for name in DISGUISES if name in headers), "")


def peer_of(address: str, scheme: str, headers: Mapping[str, str], web: WebConfig) -> Peer | None:
    """The caller as a trusted proxy tells it, or as the connection does; None when someone else speaks like a proxy.

    Of X-Forwarded-For the last hop that is no trusted proxy counts: what stands before it the client may have invented.
    A proxy that does not say for whom it asks stands for nobody: what it passes on must not look like this machine's own.
    """
    told = any(name in headers for name in FORWARDED)
    if address not in web.proxies:
        return None if told else Peer(address, scheme)
    proto = headers.get("x-forwarded-proto", "").strip().lower()
    hops = [hop.strip() for hop in headers.get("x-forwarded-for", "").split(",")]
    client = next((hop for hop in reversed(hops) if hop not in web.proxies), "")
    return Peer(client if _is_address(client) else "", proto if proto in ("http", "https") else scheme)


def bad_origin(method: str, headers: Mapping[str, str], *, has_key: bool) -> str:
    """Why this request may not change anything (CSRF); '' when its own page, or a program with a key and no cookie, sent it."""
    if method in SAFE:
        return ""
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return "another site's page sent this request"
    said = headers.get("origin", "")
    if not said and not headers.get("referer"):
        return "" if has_key and "cookie" not in headers else "the request does not say which page sent it"
    found = urlsplit(said or headers["referer"])
    if found.scheme in ("http", "https") and found.netloc and found.netloc.lower() == headers.get("host", "").lower():
        return ""
    return "another site's page sent this request"


def foreign_reader(headers: Mapping[str, str]) -> bool:
    """Does another site's page want to read this (a push stream)? Browsers say so; programs say nothing."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return True
    said = urlsplit(headers.get("origin", ""))
    return bool(headers.get("origin")) and said.netloc.lower() != headers.get("host", "").lower()
