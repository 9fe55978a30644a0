"""Pushes: POST /ingest/{feed}. Who may push, what is in the body, landed by Sync; 200 after commit with counts and every reject.

A push always needs a feed key, or for portal feeds a session from /ingest/{feed}/login; where it comes from does not matter.
Landing runs off the event loop, one writer at a time on SQLite. The same push sent again changes nothing.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.errors import RETRY_AFTER_S, ApiError, dump, error_answer, error_of
from api.limits import Limits, RateLimiter, read_body, read_json, require_utf8
from api.observed import Observed
from api.parameters import language_of
from auth import SESSION_S, is_feed_login, make_session
from components.context import AppContext
from config import FeedConfig
from data_sources.feed import Client, FeedError, RawBatch
from data_sources.one_stop import portal
from data_sources.registry import protocol_of
from data_sources.sync import Sync
from metrics.city import open_city
from scope import Scope
from store.days import instant
from store.keys import check_key, has_session, open_session
from store.landing import Landed
from store.rows import Reject
from text import t

MAX_REJECTS_TOLD = 1000
WRITERS_POSTGRES = 4


@dataclass(frozen=True)
class Push:
    """One body understood: items of one kind, or the text of a CSV file."""

    items: Sequence[Any] = ()
    kind: str = ""
    csv: bytes | None = None


class Door:
    """Takes pushes for one application. The writer queue is bounded: what does not fit is told to come again."""

    def __init__(self, context: AppContext, observed: Observed, limits: Limits) -> None:
        self.context, self.observed, self.limits = context, observed, limits
        self._sync = Sync(context.store, context.config)
        self._rates = RateLimiter(limits)
        writers = 1 if context.store.is_sqlite else WRITERS_POSTGRES
        self._writers = ThreadPoolExecutor(writers, thread_name_prefix="ingest")
        self._waiting, self._bytes = 0, 0

    async def push(self, request: Request) -> Response:
        """POST /ingest/{feed}."""
        key = request.path_params["feed"]
        is_portal = False
        try:
            feed = self._feed(key)
            is_portal = feed.protocol == "portal"
            answer = await self._push(request, feed)
            status = 200
        except Exception as fault:  # every fault becomes an answer with its remedy
            told = error_of(fault, f"push into {key[:40]!r}")
            status = told.status
            answer = error_answer(told, portal.answer("1" if told.status < 500 else "-1", told.message) if is_portal else None)
        self.observed.pushed.labels(
            key if any(row.key == key for row in self.context.config.feeds) else "unknown", str(status)
        ).inc()
        return answer

    def _feed(self, key: str) -> FeedConfig:
        for feed in self.context.config.feeds:
            if feed.key == key:
                if not feed.enabled:
                    raise ApiError(
                        403,
                        "feed_off",
                        f"feed {key!r} is switched off",
                        field="feed",
                        remedy="set enabled = true in the city file",
                    )
                return feed
        raise ApiError(
            404, "unknown_feed", f"there is no feed {key[:40]!r}", field="feed", remedy="use a feed key of the city file"
        )

    async def _push(self, request: Request, feed: FeedConfig) -> Response:
        given = _given_key(request)
        host = request.client.host if request.client else ""
        if not given and feed.protocol != "portal":
            raise _no_key()
        if given:
            await self._check_key(feed, given, host)
        else:
            self._rates.take(f"{feed.key} {host}")  # before a body is read for someone unknown
        require_utf8(request.headers.get("content-type", ""))
        body = await read_body(request, self.limits)
        lang = language_of("", request.headers.get("accept-language", ""), self.context.config.language)
        return await self._in_turn(len(body), lambda: self._land(request, feed, body, given, lang))

    async def _check_key(self, feed: FeedConfig, given: str, host: str) -> None:
        found = await asyncio.to_thread(check_key, self.context.store, feed.key, given, instant(self.context.now()))
        if found is None:
            self._rates.take(f"wrong {host}")
            raise ApiError(403, "wrong_key", f"this key does not open feed {feed.key!r}", remedy="cli.py key add FEED makes one")
        self._rates.take(f"key {found.id}")

    async def _in_turn(self, size: int, work: Callable[[], Response]) -> Response:
        """Run `work` in the writer queue. Raises ApiError 503 when it is full."""
        if (
            self._waiting >= self.limits.waiting_requests
            or self._bytes + size > self.limits.waiting_bytes + self.limits.body_bytes
        ):
            raise ApiError(
                503,
                "busy",
                "too many pushes are waiting to be written; this one was not taken",
                remedy="send it again after the time in Retry-After",
                headers={"Retry-After": str(RETRY_AFTER_S)},
            )
        self._waiting, self._bytes = self._waiting + 1, self._bytes + size
        try:
            return await asyncio.get_running_loop().run_in_executor(self._writers, work)
        finally:
            self._waiting, self._bytes = self._waiting - 1, self._bytes - size

    def _land(self, request: Request, feed: FeedConfig, body: bytes, given: str, lang: str) -> Response:
        """Understand the body, land it, say what became of it. Runs in a writer's thread."""
        now = self.context.now()
        if feed.protocol == "portal":
            envelope = self._envelope(request, body)
            if not given and not (envelope.session and has_session(self.context.store, feed.key, envelope.session, instant(now))):
                raise _no_key()
            landed = self._take(feed, Push(envelope.items, envelope.service), now)
            return Response(dump(_portal_answer(feed, landed, self._revision(now), lang)), media_type="application/json")
        landed = self._take(feed, read_push(request.headers, request.query_params, feed, body, self.limits), now)
        return Response(dump(told(feed, landed, self._revision(now), lang)), media_type="application/json")

    def _envelope(self, request: Request, body: bytes) -> portal.Envelope:
        query = request.query_params
        return portal.read_envelope(
            read_json(body, self.limits),
            service=query.get("service", "")[:100],
            madonvi=query.get("MaDinhDanhDV", "")[:100],
        )

    def _take(self, feed: FeedConfig, push: Push, now: datetime) -> Landed:
        if push.csv is not None:
            return self._take_csv(feed, push.csv, now)
        if len(push.items) > self.limits.items:
            raise ApiError(
                413, "too_many_items", f"more than {self.limits.items} items", field="body", remedy="split the request"
            )
        return self._sync.push(feed, push.items, now, push.kind)

    def _take_csv(self, feed: FeedConfig, text: bytes, now: datetime) -> Landed:
        """A CSV body goes through the reader of CSV files, by way of a temporary one; the feed's own cursor is left alone."""
        client = protocol_of(feed).client
        assert client is not None
        total = Landed()
        with tempfile.TemporaryDirectory(prefix="toancanh-") as folder:
            path = Path(folder) / "push.csv"
            path.write_bytes(text)
            for raw in _batches(client, replace(feed, path=str(path)), now):
                one = self._sync.accept(feed, replace(raw, cursor=None), now)
                total = Landed(
                    total.items + one.items, total.landed + one.landed, total.changed + one.changed, total.rejects + one.rejects
                )
        return total

    def _revision(self, now: datetime) -> int:
        return open_city(self.context.store, self.context.config, Scope(), now).revision

    async def login(self, request: Request) -> Response:
        """POST /ingest/{feed}/login of the portal format: {username, password} -> {session, error_code: 0}."""
        try:
            feed = self._feed(request.path_params["feed"])
            if feed.protocol != "portal":
                raise ApiError(404, "no_login", f"feed {feed.key!r} has no login", remedy="push with a feed key")
            self._rates.take(f"login {request.client.host if request.client else ''}")
            asked = read_json(await read_body(request, replace(self.limits, body_bytes=10_000)), self.limits)
            username, password = (asked.get(name) if isinstance(asked, dict) else None for name in ("username", "password"))
            if not isinstance(username, str) or not isinstance(password, str):
                raise ApiError(
                    400, "bad_login", "username and password are missing", field="body", remedy="send {username, password}"
                )
            if not is_feed_login(feed, username, password):
                raise ApiError(
                    403, "wrong_login", "user name or password is wrong", remedy="see username and password of the feed"
                )
            session, now = make_session(), self.context.now()
            expires = instant(now + timedelta(seconds=SESSION_S))
            await self._in_turn(0, lambda: _opened(self.context, feed, session, instant(now), expires))
            return Response(
                dump({"session": session, "error_code": 0, "message": ""}),
                media_type="application/json",
                headers={"Cache-Control": "no-store"},
            )
        except Exception as fault:  # as in push
            told_fault = error_of(fault, "login")
            return error_answer(told_fault, {"error_code": 1 if told_fault.status < 500 else -1, "message": told_fault.message})


def _batches(client: Client, feed: FeedConfig, now: datetime) -> Iterator[RawBatch]:
    """The reader's batches; its faults speak of the body, not of our temporary file."""
    try:
        yield from client(feed, None, now)
    except FeedError as fault:
        raise FeedError(str(fault).replace(feed.path, "the body")) from fault


def _opened(context: AppContext, feed: FeedConfig, session: str, now: int, expires: int) -> Response:
    open_session(context.store, feed.key, session, now, expires)
    return Response()


def _given_key(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.headers.get("x-feed-key", "").strip()


def _no_key() -> ApiError:
    return ApiError(
        401,
        "no_key",
        "a push needs a feed key or a portal session that has not expired",
        remedy="send Authorization: Bearer KEY or X-Feed-Key: KEY (cli.py key add FEED), or log in again",
        headers={"WWW-Authenticate": "Bearer"},
    )


def read_push(headers: Mapping[str, str], query: Mapping[str, str], feed: FeedConfig, body: bytes, limits: Limits) -> Push:
    """Items of a body that is not the portal's: JSON, or CSV where the feed is one. Raises ApiError 400 or 415."""
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media in ("text/csv", "application/csv"):
        if feed.protocol != "csv":
            raise ApiError(
                415,
                "media_type",
                f"feed {feed.key!r} is read as {feed.protocol}, not csv",
                field="content-type",
                remedy="send application/json",
            )
        return Push(csv=body)
    if media not in ("", "application/json", "text/json") and not media.endswith("+json"):
        raise ApiError(
            415,
            "media_type",
            f"content-type {media[:60]!r} is not read here",
            field="content-type",
            remedy="send application/json" + (" or text/csv" if feed.protocol == "csv" else ""),
        )
    items = _items(read_json(body, limits))
    return Push(items, query.get("kind", "")[:40] or kind_of(feed, items))


_LISTS = ("items", "data", "service_requests", "features", "value")


def _items(found: Any) -> list[Any]:
    """The items of a JSON body: an array, an object around one (the names protocols use for it), or one object alone."""
    if isinstance(found, list):
        return found
    if not isinstance(found, dict):
        raise ApiError(
            400, "bad_body", "the body is neither an object nor an array", field="body", remedy="send an array of objects"
        )
    is_block = "dataArray" in found or "Datastream" in found  # one item of SensorThings that holds a list itself
    for name in () if is_block else _LISTS:
        if isinstance(found.get(name), list):
            inner: list[Any] = found[name]
            return inner
    return [found]


def kind_of(feed: FeedConfig, items: Sequence[Any]) -> str:
    """Things and observations of SensorThings are told apart by their fields; other protocols have one kind."""
    if feed.protocol != "sensorthings":
        return ""
    first = next((item for item in items if isinstance(item, dict)), {})
    is_thing = ("Datastreams" in first or "Locations" in first) and "dataArray" not in first
    return "things" if is_thing else "observations"


def told(feed: FeedConfig, landed: Landed, revision: int, lang: str) -> dict[str, Any]:
    """What became of a push."""
    return {
        "feed": feed.key,
        "items": landed.items,
        "landed": landed.landed,
        "changed": landed.changed,
        "rejected": len(landed.rejects),
        "rejects": [_reject(reject, lang) for reject in landed.rejects[:MAX_REJECTS_TOLD]],
        "revision": revision,
    }


def _reject(reject: Reject, lang: str) -> dict[str, str]:
    try:
        remedy = t(f"reject.{reject.reason}.remedy", lang)
    except KeyError:
        remedy = ""
    return {"item": reject.item, "field": reject.field, "reason": reject.reason, "remedy": remedy, "value": reject.value}


def _portal_answer(feed: FeedConfig, landed: Landed, revision: int, lang: str) -> dict[str, Any]:
    """The portal's own two fields, with ours beside them.

    An error only when nothing landed: a sender would repeat all of it for one bad row.
    """
    count = len(landed.rejects)
    refused = landed.landed == 0 and count > 0
    message = f"{landed.landed} landed, {count} rejected" if count else ""
    return {**portal.answer("1" if refused else "0", message), **told(feed, landed, revision, lang)}
