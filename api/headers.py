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
BUNDLED_BY = (("dash", "4.4.1"), ("dash-leaflet", "1.1.3"), ("dash-ag-grid", "35.3.0"))
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
    # the grid's theme, a sheet a part
    "aTEqNO8pr3xddsv/BiDXSYbn+Lp6VEfi4SA2TqFU6qU=",
    "on52mt3dH6YoAuNDO22DyCvqggdWPuqP3pQ+XPIGFYw=",
    "OuRrlCkNoyXgmSVwU0BT+5yVQA+KqyfRd/dFEA+8nSg=",
    "+soAzMi22c6suKR3qsxWNi891PI7bDqCrR58dYzu+nw=",
    "up4oMJUfLusqRzByKS+Wh8lEIoNust+QaA5gwa/WiSQ=",
    "QGsVmmjIgmPlvak+CaOVC1AZM/hIkIqZKWGXHb2+xSw=",
    "tCA1/E6bJDm3xAeb5pTo9IhH67gJxQumi2rIffOYjEM=",
    "RlOoLMMZXEFHzuOJyJCBK08d6ipmlX2JEJCatv9j61o=",
    "Og5SyHytXfIhbYbsjWyPWbJTWcVop/ta3Fzt/+9+FlQ=",
    "obSG11sB9ozolIz3//Xup/dwqSp2aI9tDRc8bvBVRtE=",
    "X8ikrSrJ8KtgOpLNU+7+1v0CW0DSFOAZvNtX0ExB1vs=",
    "FQ++KHv7Ig7R6XP9C2X0S4uD1OrwUSTWAFpWBRiFjK0=",
    "DdD72VU8ifkvS+36YRX6FCNrQEh7mA/MWb6yyVzsuyA=",
    "WdVLWYvwxpx/Qjnw+uNg8EmsPpZgGU1w0CMT2IsUrJ8=",
    "YK9eUhPhSb6QQKWujWP9V/2YXlJkbLBVjuQ4j584TJs=",
    "YB4WrdnDV8xs96s/xHM89rmrGCwBdq9PZmznzhQ86eA=",
    "IpHnH5jvYqms3n+z/NMON95+gcdwsd1enDoGgvF9Opg=",
    "3dv8bVnKPc6YTDex/98SX/y5OlgOjjkSaSoSKx2fRXg=",
    "44HhUkvyQGuFugxWgbTeWU1GuCs6bz88I9FcVajY/6k=",
    "U2M2ZJvlBYzAoqENSzfQQBH8cSviqExUmG3s8gmGaIE=",
    "4vhMu/ZnT/fZI05+7opbuaEITDhP+Sgig7SBJhiIrt8=",
    "g/jaOuV/qTLpkqu0OtbzZSQui9inv22j1OGRUdrz8x8=",
    "0//Y//yOB4hYUnQtJ4nufkQeLD6qQJmlXvjd8WWgMOs=",
    "4A9WusJPNXvACV0C20kpw9zHDGVaOdQd2/ruaIQXRFY=",
    "dxrEw072G3f1/tpHBm1e2ADZjuldGd2jgWpjTS4CnLc=",
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
