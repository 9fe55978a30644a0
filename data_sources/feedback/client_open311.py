"""Reads an Open311 GeoReport v2 server (GET requests.json), or a saved answer, in bounded windows and pages.

The core protocol has no paging and no "changed since"; a span is at most 90 days and may be cut at 1,000.
So: windows of <= 90 days; `page` until one is empty or brings nothing new; when a server ignores `page` and
its answer is full, the window is halved. Changes to requests older than the cursor are seen only through
`lag_s` (re-read each time), or with options.updated_after = true on servers that have it. Source:
wiki.open311.org/GeoReport_v2
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from config import FeedConfig
from data_sources.feed import FeedError, RawBatch
from data_sources.http_source import HttpSource, HttpStatusError, described_error, same_origin
from data_sources.instants import EPOCH, instant_reader, to_micros
from data_sources.json_file import file_cursor, read_json
from data_sources.mapping import DEFAULT_ZONE
from data_sources.options import HTTP_OPTIONS, NUMBER, check_options, start_of

MAX_SPAN = timedelta(days=90)  # GeoReport v2: "span of 90 days or less"
MAX_ANSWER = 1000  # GeoReport v2: the first 1000 requests when no paging is known
MIN_SPAN = timedelta(minutes=1)
MAX_PAGES = 10_000
OPTIONS: dict[str, tuple[type, ...]] = {
    **HTTP_OPTIONS, "page_size": (int,), "paging": (bool,), "window_days": NUMBER, "updated_after": (bool,),
    "discovery": (str,), "jurisdiction_id": (str,), "status": (str,), "service_code": (str,), "extensions": (bool,),
    "api_key_param": (str,), "params": (dict,),
}
LIST_KEYS = ("service_requests", "requests", "results", "data")
Fetch = Callable[[str, Mapping[str, str]], Any]
Span = tuple[datetime, datetime]


def read(manifest: FeedConfig, cursor: str | None, now: datetime) -> Iterator[RawBatch]:
    """Batches of service requests as sent, of kind "requests", oldest window first.

    The cursor (ISO, UTC) is the newest instant landed so far; it moves with the last page of a window, for
    the order inside one is the server's own. Raises FeedError naming feed, URL and remedy.
    """
    check_options(manifest, OPTIONS)
    if manifest.path:
        yield from _read_file(manifest, cursor)
        return
    with HttpSource(manifest) as source:
        base = _endpoint(manifest, source)
        url = base if base.endswith(".json") else f"{base.rstrip('/')}/requests.json"
        reader = _Reader(manifest, source.get_json, url, cursor, now)
        yield from reader.updates() if reader.follows_updates else reader.windows()


def _read_file(manifest: FeedConfig, cursor: str | None) -> Iterator[RawBatch]:
    seen = file_cursor(manifest)
    if seen is not None and seen == cursor:
        return
    items = _items(manifest, manifest.path, read_json(manifest))
    size = int(manifest.options.get("page_size", 1000))
    for offset in range(0, len(items), size):
        is_last = offset + size >= len(items)
        yield RawBatch(items[offset : offset + size], seen if is_last else None, "requests", offset)


def _endpoint(manifest: FeedConfig, source: HttpSource) -> str:
    """The feed's url, or the production v2 endpoint its discovery document names (same origin only)."""
    discovery = str(manifest.options.get("discovery", ""))
    if not discovery:
        return manifest.url
    document = source.get_json(discovery)
    endpoints = document.get("endpoints", []) if isinstance(document, Mapping) else []
    usable = [str(endpoint["url"]) for endpoint in endpoints if _is_production_v2(endpoint)]
    where = f"feed {manifest.key}: {discovery}"
    if not usable:
        raise FeedError(f"{where}: names no production GeoReport v2 endpoint; set url instead")
    if not same_origin(usable[0], discovery):
        raise FeedError(f"{where}: names {usable[0]} on another host; set url if it is right")
    return usable[0]


def _is_production_v2(endpoint: Any) -> bool:
    if not isinstance(endpoint, Mapping) or not endpoint.get("url"):
        return False
    is_v2 = "v2" in str(endpoint.get("specification", "v2"))
    return is_v2 and endpoint.get("type", "production") == "production"


class _Reader:
    """One run over one server: what was asked, what was seen, how far it got."""

    def __init__(self, manifest: FeedConfig, fetch: Fetch, url: str, cursor: str | None, now: datetime):
        self.where = f"feed {manifest.key}: {url}"
        self.manifest, self.fetch, self.url, self.now = manifest, fetch, url, now.astimezone(UTC)
        options = manifest.options
        self.page_size = int(options.get("page_size", 100))
        self.pages_by = "page" if options.get("paging", True) else ""
        days = float(options.get("window_days", 90))
        self.span = min(MAX_SPAN, max(MIN_SPAN, timedelta(days=days)))
        self.read_instant = instant_reader(("iso",), ZoneInfo(manifest.zone or DEFAULT_ZONE))
        self.follows_updates = bool(options.get("updated_after")) and _instant(cursor) is not None
        self.newest = self.landed = _instant(cursor)

    def windows(self) -> Iterator[RawBatch]:
        """All requests sent in since the cursor (less the lag) or the manifest's start."""
        start = self._start()
        for span in _spans(start, self.now, self.span):
            yield from self._window(span)

    def updates(self) -> Iterator[RawBatch]:
        """All requests changed since the cursor less the lag, whatever their age."""
        assert self.landed is not None
        since = self.landed - timedelta(seconds=self.manifest.lag_s)
        yield from self._held(self._pages({"updated_after": _w3c(since)}))

    def _start(self) -> datetime:
        if self.landed is not None:
            return self.landed - timedelta(seconds=self.manifest.lag_s)
        return start_of(self.manifest) or self.now - MAX_SPAN

    def _window(self, span: Span) -> Iterator[RawBatch]:
        params = {"start_date": _w3c(span[0]), "end_date": _w3c(span[1])}
        self.newest = self.landed
        try:
            yield from self._held(self._pages(params))
        except _CutShort:
            middle = span[0] + (span[1] - span[0]) / 2
            if middle - span[0] < MIN_SPAN:
                what = f"{MAX_ANSWER} requests or more within a minute and the server ignores `page`"
                raise FeedError(f"{self.where}: {what}; ask the owner for paging") from None
            yield from self._window((span[0], middle))
            yield from self._window((middle, span[1]))

    def _held(self, pages: Iterator[list[Any]]) -> Iterator[RawBatch]:
        """Pages, the cursor on the last one only; what was read before a fault lands without a cursor."""
        held: list[Any] | None = None
        try:
            for page in pages:
                if held is not None:
                    yield RawBatch(held, None, "requests")
                held = page
        except FeedError:
            if held is not None:
                yield RawBatch(held, None, "requests")
            raise
        if held is not None:
            self.landed = self.newest
            yield RawBatch(held, self.landed.isoformat() if self.landed else None, "requests")

    def _pages(self, params: Mapping[str, str]) -> Iterator[list[Any]]:
        seen: set[str] = set()
        for page in range(1, MAX_PAGES + 1):
            items = self._page(params, page)
            ids = [_id_of(item) for item in items]
            fresh = [item for item, key in zip(items, ids, strict=True) if not key or key not in seen]
            if page > 1 and not (set(filter(None, ids)) - seen):
                if page == 2 and items and len(items) == len(seen) >= MAX_ANSWER:
                    raise _CutShort  # the same full answer twice: the server knows no pages
                return
            seen.update(filter(None, ids))
            self._note(fresh)
            if not fresh:
                return
            yield fresh
            if not self.pages_by:
                if len(items) >= MAX_ANSWER:
                    raise _CutShort
                return
        raise FeedError(f"{self.where}: more than {MAX_PAGES} pages; shorten window_days")

    def _page(self, params: Mapping[str, str], page: int) -> list[Any]:
        asked = {**_fixed_params(self.manifest), **params}
        if self.pages_by:
            asked.update(page=str(page), page_size=str(self.page_size))
        try:
            return _items(self.manifest, self.url, self.fetch(self.url, asked))
        except HttpStatusError as fault:
            if fault.status == 404 and page > 1:
                return []  # some servers say "not found" past the last page
            raise

    def _note(self, items: Sequence[Any]) -> None:
        """Remember the newest instant seen; never one after now, which would hide what is still to come."""
        names = ["requested_datetime"]
        if self.manifest.options.get("updated_after"):
            names.append("updated_datetime")
        for item in items:
            for name in names:
                sent = item.get(name) if isinstance(item, Mapping) else None
                micros = self.read_instant(sent.strip()) if isinstance(sent, str) else None
                if micros is not None and micros <= to_micros(self.now):
                    moment = _moment(micros)
                    self.newest = moment if self.newest is None else max(self.newest, moment)


class _CutShort(Exception):
    """A window's answer was cut at the server's limit."""


def _fixed_params(manifest: FeedConfig) -> dict[str, str]:
    options = manifest.options
    names = ("jurisdiction_id", "status", "service_code")
    params = {name: str(options[name]) for name in names if options.get(name)}
    if options.get("extensions"):
        params["extensions"] = "true"
    if manifest.password and not manifest.username:
        params[str(options.get("api_key_param", "api_key"))] = manifest.password
    return params | {str(name): str(value) for name, value in dict(options.get("params", {})).items()}


def _items(manifest: FeedConfig, where: str, answer: Any) -> list[Any]:
    """The requests in an answer: an array, one object, or an object around the array. Raises FeedError."""
    found = answer
    if isinstance(found, Mapping):
        wrapped = next((found[key] for key in LIST_KEYS if isinstance(found.get(key), list)), None)
        found = wrapped if wrapped is not None else [found]
    if not isinstance(found, list):
        raise FeedError(f"feed {manifest.key}: {where}: the answer is no list of requests; check the url")
    if found and all(_is_error(item) for item in found):
        said = described_error(json.dumps(found[:5]).encode())
        raise FeedError(f"feed {manifest.key}: {where}: the server says: {said}; check the feed's options")
    return found


def _is_error(item: Any) -> bool:
    is_table = isinstance(item, Mapping)
    return is_table and {"code", "description"} <= item.keys() and "service_request_id" not in item


def _id_of(item: Any) -> str:
    """The request's id, its token while it has none, "" for what is no request at all."""
    if not isinstance(item, Mapping):
        return ""
    return str(item.get("service_request_id") or item.get("token") or "")


def _spans(start: datetime, end: datetime, width: timedelta) -> Iterator[Span]:
    while start < end:
        stop = min(start + width, end)
        yield start, stop
        start = stop


def _w3c(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


def _instant(cursor: str | None) -> datetime | None:
    """The instant of a stored cursor; None for none, or for one another client wrote (a file's)."""
    micros = instant_reader(("iso",), ZoneInfo("UTC"))(cursor) if cursor else None
    return None if micros is None else _moment(micros)
