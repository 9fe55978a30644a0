"""What a request may be: its size on the wire and inflated, its depth, its rate, how long its body may take.

Bodies are read up to the limit and no further.
"""

from __future__ import annotations

import asyncio
import json
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from api.errors import ApiError

MB = 1_000_000
UTF8_NAMES = ("", "utf-8", "utf8", "us-ascii", "ascii")


@dataclass(frozen=True)
class Limits:
    """Bounds of pushes. rate_per_s and burst hold per key; waiting_* bound what is queued before the one writer."""

    body_bytes: int = 16 * MB
    inflated_bytes: int = 64 * MB
    depth: int = 32
    items: int = 200_000
    rate_per_s: float = 100.0
    burst: int = 500
    waiting_requests: int = 32
    waiting_bytes: int = 128 * MB


BOUNDS = Limits()


@dataclass(frozen=True)
class Rate:
    """Requests a second, and how many may come at once; for one caller."""

    rate_per_s: float
    burst: int


@dataclass(frozen=True)
class GateLimits:
    """Bounds of everything that is no push. `anonymous` holds per address without a session, `acting` per caller that posts.

    Seconds: `body_s` for a small body, `push_s` for a pushed one. Streams: open at once, per caller, per address, in all.
    """

    path_bytes: int = 4_000
    headers: int = 100
    header_bytes: int = 32_000
    form_bytes: int = 16_000
    callback_bytes: int = MB
    body_s: float = 20.0
    push_s: float = 300.0
    anonymous: Rate = Rate(20.0, 200)
    acting: Rate = Rate(30.0, 300)


GATE_BOUNDS = GateLimits()


class RateLimiter:
    """One token bucket per name; the names least lately seen are forgotten, since a full bucket is where everyone starts."""

    MAX_NAMES = 10_000

    def __init__(
        self, limits: Limits | Rate, clock: Callable[[], float] = time.monotonic, whose: str = "with this key"
    ) -> None:
        self._limits, self._clock, self._whose = limits, clock, whose
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str) -> None:
        """Take one token. Raises ApiError 429 with Retry-After when there is none."""
        now = self._clock()
        tokens, seen = self._buckets.pop(name, (float(self._limits.burst), now))
        tokens = min(float(self._limits.burst), tokens + (now - seen) * self._limits.rate_per_s)
        allowed = tokens >= 1
        self._buckets[name] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > self.MAX_NAMES:
            self._buckets.popitem(last=False)
        if not allowed:
            wait = max(1, round((1 - tokens) / self._limits.rate_per_s + 0.5))
            raise ApiError(
                429,
                "too_many_requests",
                f"more than {self._limits.rate_per_s:g} requests a second {self._whose}",
                remedy="send fewer and fuller requests, or wait as Retry-After says",
                headers={"Retry-After": str(wait)},
            )


async def read_body(request: Request, limits: Limits) -> bytes:
    """The body, inflated when sent with gzip. Raises ApiError 413 past a limit, 415 for another encoding, 400 when broken."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limits.body_bytes:
        raise _too_large("the body", limits.body_bytes)
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip"):
        raise ApiError(
            415,
            "encoding",
            f"content-encoding {encoding[:40]!r} is not read here",
            field="content-encoding",
            remedy="send gzip or nothing",
        )
    parts, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limits.body_bytes:
                raise _too_large("the body", limits.body_bytes)
            parts.append(chunk)
    except ClientDisconnect as gone:
        raise _cut() from gone
    body = b"".join(parts)
    return inflate(body, limits.inflated_bytes) if encoding == "gzip" else body


async def read_whole(receive: Receive, declared: str, limit: int, seconds: float) -> bytes:
    """A small body, whole. Raises ApiError 413 past the limit, 408 when it takes longer than `seconds`, 400 when it is cut off."""
    if declared.isdigit() and int(declared) > limit:
        raise _too_large("the body", limit)
    parts, size, more = [], 0, True
    try:
        async with asyncio.timeout(seconds):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _cut()
                parts.append(message.get("body", b""))
                size, more = size + len(parts[-1]), message.get("more_body", False)
                if size > limit:
                    raise _too_large("the body", limit)
    except TimeoutError as late:
        raise _too_slow(seconds) from late
    return b"".join(parts)


def read_again(body: bytes, receive: Receive) -> Receive:
    """A receive that gives a body already read, then what comes after it."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def given() -> Message:
        return waiting.pop() if waiting else await receive()

    return given


def read_in_time(receive: Receive, seconds: float) -> Receive:
    """A receive whose body must have ended within `seconds` from now; then it raises ApiError 408."""
    until, more = time.monotonic() + seconds, True

    async def given() -> Message:
        nonlocal more
        if not more:
            return await receive()
        try:
            async with asyncio.timeout(max(0.0, until - time.monotonic())):
                message = await receive()
        except TimeoutError as late:
            raise _too_slow(seconds) from late
        more = message.get("more_body", False)
        return message

    return given


def _cut() -> ApiError:
    return ApiError(400, "cut_body", "the connection ended before the body did", field="body", remedy="send it again")


def _too_slow(seconds: float) -> ApiError:
    return ApiError(
        408,
        "too_slow",
        f"the body did not arrive within {seconds:g} s",
        field="body",
        remedy="send it again over a better line, or in smaller parts",
        headers={"Connection": "close"},
    )


def inflate(body: bytes, limit: int) -> bytes:
    """The bytes inside a gzip body, several members too; never more than the limit in memory. Raises ApiError 413 or 400."""
    parts, size, rest = [], 0, body
    try:
        while rest:
            member = zlib.decompressobj(wbits=31)
            part = member.decompress(rest, limit - size + 1)
            size += len(part)
            if size > limit:
                raise _too_large("the inflated body", limit)
            if not member.eof:
                raise zlib.error("it ends too early")
            parts.append(part)
            rest = member.unused_data.lstrip(b"\0")
    except zlib.error as fault:
        raise ApiError(
            400, "bad_gzip", f"the body is no whole gzip: {fault}", field="body", remedy="send it again, or without gzip"
        ) from fault
    return b"".join(parts)


def _too_large(what: str, limit: int) -> ApiError:
    return ApiError(
        413,
        "too_large",
        f"{what} is larger than {limit // MB} MB" if limit >= MB else f"{what} is larger than {limit} bytes",
        field="body",
        remedy="split it into several requests",
        headers={"Connection": "close"},
    )


def read_json(body: bytes, limits: Limits) -> Any:
    """The JSON value of a UTF-8 body. Raises ApiError 400 with the position of the fault, or for too deep nesting."""
    try:
        found = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as fault:
        found = _lenient(body)
        if found is not None:
            return _not_deeper(found, limits)
        raise ApiError(
            400,
            "bad_json",
            f"no valid JSON at line {fault.lineno}, column {fault.colno}: {fault.msg[:200]}",
            field="body",
            remedy="send UTF-8 JSON",
        ) from fault
    return _not_deeper(found, limits)


def _lenient(body: bytes) -> Any:
    """What Python's own senders write beyond JSON, NaN and half letters: one such value is a reject, not a lost batch."""
    try:
        return json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None


def _not_deeper(found: Any, limits: Limits) -> Any:
    if _is_deeper(found, limits.depth):
        raise ApiError(
            400, "too_deep", f"the JSON is nested deeper than {limits.depth} levels", field="body", remedy="send flat items"
        )
    return found


def _is_deeper(value: Any, limit: int) -> bool:
    """Breadth first, so that depth costs no stack."""
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(limit):
        if not level:
            return False
        below: list[Any] = []
        for one in level:
            below += [inner for inner in (one.values() if isinstance(one, dict) else one) if isinstance(inner, (dict, list))]
        level = below
    return bool(level)


def require_utf8(content_type: str) -> None:
    """Raises ApiError 415 for a body announced in another encoding of letters."""
    for option in content_type.split(";")[1:]:
        name, _, value = option.partition("=")
        if name.strip().lower() == "charset" and value.strip().strip('"').lower() not in UTF8_NAMES:
            raise ApiError(
                415, "charset", f"charset {value.strip()[:40]!r} is not read here", field="content-type", remedy="send UTF-8"
            )
