"""JSON over HTTP for feeds that are read: bounded time, retries and bodies, one origin, errors with a remedy.

Knows nothing of a feed's items. Every fault is a FeedError; secrets never appear in its message.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

import httpx

from config import FeedConfig
from data_sources.feed import FeedError

RETRIED_STATUSES = (429, 500, 502, 503, 504)
REDIRECTS = (301, 302, 303, 307, 308)
MAX_REDIRECTS = 5
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SECRET_PARAMS = ("api_key", "apikey", "key", "token", "access_token", "password")
REMEDIES = {
    400: "check the feed's options against what this server supports",
    401: "set the feed's username and password (or api key)",
    403: "set the feed's username and password (or api key), or ask the owner for access",
    404: "check the feed's url",
    429: "raise schedule_s or ask the owner for a higher limit",
}


class HttpStatusError(FeedError):
    """The server answered with an error status; `status` holds it, so that a client may fall back."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class HttpSource:
    """One feed's connection; a context manager.

    Options of the feed: timeout_s (30), retries (4), retry_wait_s (1, doubled each time), max_wait_s (60),
    max_body_mb (64), headers (table). `sleep` is what waits between tries. Redirects stay on the same origin
    (http may become https).
    """

    def __init__(self, manifest: FeedConfig, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.feed = manifest.key
        self._sleep = sleep
        options = manifest.options
        self._retries = int(options.get("retries", 4))
        self._wait_s = float(options.get("retry_wait_s", 1.0))
        self._max_wait_s = float(options.get("max_wait_s", 60.0))
        self._max_body = int(float(options.get("max_body_mb", 64)) * 1_000_000)
        basic = (manifest.username, manifest.password) if manifest.username else None
        self._client = httpx.Client(
            timeout=float(options.get("timeout_s", 30.0)), auth=basic, follow_redirects=False,
            headers={"Accept": "application/json", **dict(options.get("headers", {}))},
            trust_env=_origin(manifest.url)[1] not in LOOPBACK,  # a proxy never serves this machine itself
        )

    def __enter__(self) -> HttpSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get_json(self, url: str, params: Mapping[str, str] | None = None) -> Any:
        """The decoded JSON body. Raises FeedError (HttpStatusError for an error status) naming the remedy."""
        full = _with_params(url, params or {})
        body = self._get_with_retries(full)
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as fault:
            start = body[:80].decode("utf-8", "replace")
            what = f"the answer is no JSON ({fault}); it starts {start!r}; check the feed's url"
            raise self._error(full, what) from fault

    def _get_with_retries(self, url: str) -> bytes:
        wait = self._wait_s
        for attempt in range(self._retries + 1):
            is_last = attempt == self._retries
            try:
                response, body = self._get(url)
            except (httpx.InvalidURL, httpx.UnsupportedProtocol) as fault:
                raise self._error(url, f"this is no usable URL ({fault}); check the feed's url") from fault
            except httpx.TransportError as fault:
                if is_last:
                    what = f"no answer after {attempt + 1} tries ({type(fault).__name__}: {fault})"
                    raise self._error(url, f"{what}; is the server up and the url right?") from fault
                self._sleep(min(wait, self._max_wait_s))
            else:
                if response.status_code < 300:
                    return body
                if response.status_code not in RETRIED_STATUSES or is_last:
                    raise self._status_error(url, response, body)
                self._sleep(self._asked_wait(url, response, wait))
            wait *= 2
        raise AssertionError("unreachable")

    def _get(self, url: str) -> tuple[httpx.Response, bytes]:
        for _ in range(MAX_REDIRECTS + 1):
            with self._client.stream("GET", url) as response:
                if response.status_code not in REDIRECTS:
                    return response, self._read(url, response)
                url = self._redirect(url, response.headers.get("location", ""))
        raise self._error(url, f"more than {MAX_REDIRECTS} redirects; check the feed's url")

    def _read(self, url: str, response: httpx.Response) -> bytes:
        body = bytearray()
        try:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > self._max_body:
                    what = f"the answer is larger than {self._max_body / 1_000_000:g} MB"
                    raise self._error(url, f"{what}; lower page_size or raise max_body_mb")
        except httpx.DecodingError as fault:
            raise self._error(url, f"the answer's compression is broken ({fault})") from fault
        return bytes(body)

    def _redirect(self, url: str, location: str) -> str:
        target = urljoin(url, location)
        if location and (same_origin(url, target) or _is_upgrade(url, target)):
            return target
        what = f"redirects to {_public(target)}, another origin, which is not followed"
        raise self._error(url, f"{what}; set that url if it is right")

    def _asked_wait(self, url: str, response: httpx.Response, wait: float) -> float:
        asked = retry_after_s(response.headers)
        if asked is None:
            return min(wait, self._max_wait_s)
        if asked > self._max_wait_s:
            what = f"the server asks to wait {asked:.0f} s (max_wait_s is {self._max_wait_s:g})"
            raise self._error(url, f"{what}; the next run tries again")
        return asked

    def _status_error(self, url: str, response: httpx.Response, body: bytes) -> HttpStatusError:
        status = response.status_code
        remedy = REMEDIES.get(status, "try later or ask the owner")
        message = f"answered HTTP {status}: {described_error(body)}; {remedy}"
        return HttpStatusError(str(self._error(url, message)), status)

    def _error(self, url: str, message: str) -> FeedError:
        return FeedError(f"feed {self.feed}: {_public(url)}: {message}")


def same_origin(one: str, other: str) -> bool:
    """True when both URLs have the same scheme, host and port."""
    return _origin(one) == _origin(other)


def described_error(body: bytes) -> str:
    """What an error body says: `code: description` (Open311), `message` (SensorThings), or plain text."""
    text = body[:2000].decode("utf-8", "replace").strip()
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return text[:200] or "no text"
    errors = found if isinstance(found, list) else [found]
    said = [_one_error(error) for error in errors if isinstance(error, Mapping)]
    return "; ".join(filter(None, said))[:500] or text[:200] or "no text"


def _one_error(error: Mapping[str, Any]) -> str:
    text = error.get("description") or error.get("message") or error.get("detail") or error.get("error")
    return ": ".join(str(part) for part in (error.get("code"), text) if part not in (None, ""))


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds the server asks to wait: a number, or a date counted from the answer's own Date; else None."""
    asked = headers.get("retry-after", "").strip()
    if asked.isdigit():
        return float(asked)
    try:
        until = parsedate_to_datetime(asked) - parsedate_to_datetime(headers.get("date", ""))
        return max(0.0, until.total_seconds())
    except (TypeError, ValueError, IndexError):
        return None


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return ("", url, None)
    return (parts.scheme, (parts.hostname or "").lower(), port)


def _is_upgrade(url: str, target: str) -> bool:
    (scheme, host, _), (new_scheme, new_host, new_port) = _origin(url), _origin(target)
    return (scheme, new_scheme, new_port) == ("http", "https", 443) and host == new_host


def _with_params(url: str, params: Mapping[str, str]) -> str:
    # httpx would drop the query a URL already has; an opaque next link must stay as it is.
    if not params:
        return url
    query = urlencode(params, quote_via=quote, safe="$,:()@;/")
    return f"{url}{'&' if '?' in url else '?'}{query}"


def _public(url: str) -> str:
    """The URL without user names, passwords and keys."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(unreadable URL)"
    pairs = parse_qsl(parts.query)
    query = [(name, "***" if name.lower() in SECRET_PARAMS else value) for name, value in pairs]
    return urlunsplit((parts.scheme, host + port, parts.path, urlencode(query, safe="*$,:()@;/ "), ""))
