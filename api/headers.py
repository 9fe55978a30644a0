"""The security headers of every answer. docs/security.md lists the exceptions with their reasons."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version

YEAR_S = 31_536_000
DAY_S = 86_400
NO_SENSORS = ("accelerometer", "camera", "geolocation", "gyroscope", "magnetometer", "microphone", "payment", "usb")
ALWAYS = (
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("permissions-policy", ", ".join(f"{name}=()" for name in NO_SENSORS)),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
)
# style sheets that these versions put into the page themselves, as they are in their bundles; the crawl of
# tests/attacks/test_browser.py names what a new version adds
BUNDLED_BY = (("dash", "4.4.1"), ("dash-leaflet", "1.1.3"))
BUNDLED_STYLES = (
    "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",  # the empty one, filled by rules afterwards
    "Su7lkWyrR39ozUimPZSARr9qtPsgwvk98P/VAGbG6v8=",
    "ceeoylCL0ld4NwOaXf4vG0Z8pEknXXuzJ5ZV0Ir6ft4=",
    "vEFWWSptvAnmTyDLqu3LdoYyHTq0QbynLLSzYwyFY4A=",
    "BvJwtF3ZgG8gcdZQ022TX/OW+AK0Sm8Fw++80SG4tXU=",
    "Do5Z9ZqsPvCQTUBQS9BnDm/2+on7omuzuLYk5sbA+2s=",
    "ITR5T9OwskhdqdsliUJRmgp9ltOFAHgXe1F7eRvGnmQ=",
    "0IJGrxhCP5NUIafylLkj5118xkZH1kp5FmNio7NOckI=",
    "Z8VokGxeiKThZOEmkdUgfW+jxbvItBwAXC8M1c4wqAM=",
    "VUA+tqvhK3niMn7AdszqidMFPRh9FLqxB2iINUrsiTw=",
    "Aq43X0SlmB69maWGob4rp/UuSHhwePalkRRExtsxOJ8=",
    "SkhFDxgIcEjMhRh19uSHWrkdnAlZ9rlskgr9yLsipa8=",
    "uDiOZWps1U7E8/0BTaQrclYMhVhRVE4dT0vb5X6nXOw=",
    "+QoPrsxO0auPnxSulD3bAr9CoDGgzv7YRfYE0vfxeQI=",
    "MJs2ke1SA6Cy3tTCZu2QH0rj0r//iNqU0idy9bM4leg=",
    "X2TqJwnIiE/ceDVeAdr7v7BOWBU6CEzE6qxlNzBzvBk=",
    "mKP5Nh9J+3FomkYQF5DWFgmUmC9oEOyh3LiTtE1PwKo=",
    "zmLg9fAzhthkQar0HsYlPE8MMx315AMYJ5uAXv1DH+k=",
)
# what is no page loads nothing, wherever a browser shows it
BARE_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True)
class Policy:
    """What pages may load: sources of inline scripts and style sheets; `is_https` = the public address is.

    `scripts` is asked for each page: Dash knows its inline scripts only after its first request.
    """

    scripts: Callable[[], tuple[str, ...]] = tuple
    styles: tuple[str, ...] = ()
    is_https: bool = False

    def pages(self) -> str:
        """The content security policy of a page."""
        return "; ".join((
            "default-src 'none'",
            _source("script-src", "'self'", *self.scripts()),
            _source("style-src-elem", "'self'", *self.styles),
            "style-src-attr 'none'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "worker-src 'self'",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "object-src 'none'",
            "frame-ancestors 'none'",
        ))


def _source(name: str, *sources: str) -> str:
    return " ".join((name, *sources))


def style_sources(own: str, version_of: Callable[[str], str] = version) -> tuple[str, ...]:
    """Sources for our own inline sheet and those the libraries bring.

    Of versions whose sheets are not listed any sheet is let pass: a newer library must not cost the screens their looks.
    """
    if any(version_of(name) != known for name, known in BUNDLED_BY):
        return ("'unsafe-inline'",)
    return (hash_of(own), *(f"'sha256-{known}'" for known in BUNDLED_STYLES))


def hash_of(inline: str) -> str:
    """The CSP source that names one inline script or style sheet."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode() + "'"


def secured(
    given: Sequence[tuple[bytes, bytes]], status: int, policy: Policy, kind: str, query: bytes, path: str
) -> list[tuple[bytes, bytes]]:
    """The headers of an answer with ours in place of what it said itself. `kind`: page, data or asset."""
    is_html = any(name.lower() == b"content-type" and b"html" in value for name, value in given)
    ours = [*ALWAYS, ("content-security-policy", policy.pages() if is_html else BARE_POLICY)]
    if policy.is_https:
        ours.append(("strict-transport-security", f"max-age={YEAR_S}"))
    caching = cache_control(given, kind if status < 400 else "page", query, path)
    if caching:
        ours.append(("cache-control", caching))
    replaced = {name.encode() for name, _ in ours} | {b"server", b"x-powered-by"}
    kept = [(name, value) for name, value in given if name.lower() not in replaced]
    return [*kept, *((name.encode(), value.encode()) for name, value in ours)]


def cache_control(given: Sequence[tuple[bytes, bytes]], kind: str, query: bytes, path: str) -> str:
    """How long an answer may be kept: never when private, a year when its address names its version; '' = as the answer says."""
    if kind != "asset":
        return "no-store"
    if path.startswith("/assets/fonts/"):
        return f"public, max-age={DAY_S}"
    if path.startswith("/assets/") and query.startswith(b"m="):
        return f"public, max-age={YEAR_S}, immutable"
    return "" if any(name.lower() == b"cache-control" for name, _ in given) else "no-cache"
