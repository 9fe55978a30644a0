"""Reads an OGC SensorThings 1.1 server: Things with Locations and Datastreams, then Observations since the cursor.

Next links are opaque: followed as sent, on the same origin only, each once. Observations come in windows of
time, so that memory stays bounded whatever the history. Source: OGC 18-088 (SensorThings API Part 1:
Sensing 1.1)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urljoin

from config import FeedConfig
from data_sources.feed import FeedError, RawBatch
from data_sources.http_source import HttpSource, HttpStatusError, same_origin
from data_sources.instants import EPOCH, to_micros
from data_sources.options import HTTP_OPTIONS, NUMBER, check_options, start_of
from data_sources.sensors.observed import instant_of, newest_instant

MAX_PAGES = 100_000
WIDEST = timedelta(days=366)
OPTIONS: dict[str, tuple[type, ...]] = {
    **HTTP_OPTIONS, "page_size": (int,), "window_h": NUMBER, "observations": (str,), "result_format": (str,),
}
NEXT = "@iot.nextLink"
_DATASTREAM_LINK = re.compile(r"Datastreams\(('?)(.+?)\1\)")
OBSERVATION_FIELDS = "phenomenonTime,result"
THINGS_EXPAND = "Locations,Datastreams($expand=ObservedProperty)"


def read(manifest: FeedConfig, cursor: str | None, now: datetime) -> Iterator[RawBatch]:
    """Batches of kind "things" (Thing entities), then of kind "observations", oldest window first.

    An item of "observations" is a block of one datastream: {"Datastream": entity as listed with its Thing,
    "value": [observations as sent]} or, from a dataArray answer, {"Datastream", "components", "dataArray"}.
    The cursor (ISO, UTC) is the newest phenomenonTime landed, moved at the end of each window; reading
    starts `lag_s` before it. Options: observations = "collection" | "per_datastream", result_format =
    "auto" | "plain", page_size (1000), window_h (24, doubled while windows are empty). Raises FeedError
    naming feed, URL and remedy.
    """
    check_options(manifest, OPTIONS)
    with HttpSource(manifest) as source:
        reader = _Reader(manifest, source, cursor, now.astimezone(UTC))
        yield from reader.things()
        yield from reader.observations()


class _Reader:
    """One run over one server."""

    def __init__(self, manifest: FeedConfig, source: HttpSource, cursor: str | None, now: datetime) -> None:
        self.manifest, self.source, self.now = manifest, source, now
        self.base = manifest.url.rstrip("/")
        options = manifest.options
        self.top = str(int(options.get("page_size", 1000)))
        self.width = max(timedelta(hours=float(options.get("window_h", 24))), timedelta(minutes=1))
        self.is_collection = options.get("observations", "collection") == "collection"
        self.asks_array = options.get("result_format", "auto") != "plain"
        self.landed = _instant(cursor)
        self.datastreams: dict[str, Mapping[str, Any]] = {}

    def things(self) -> Iterator[RawBatch]:
        """All Things, their Datastreams complete even where the server pages inside the expansion."""
        params = {"$expand": THINGS_EXPAND, "$top": self.top}
        for page in self._pages(f"{self.base}/Things", params):
            items = [self._completed(thing) for thing in page["value"]]
            yield RawBatch(items, None, "things")

    def _completed(self, thing: Any) -> Any:
        if not isinstance(thing, Mapping):
            return thing
        streams = _entities(thing.get("Datastreams"))
        if link := thing.get(f"Datastreams{NEXT}"):
            for page in self._pages(self._next(self.base, link), {}):
                streams += _entities(page["value"])
        for stream in streams:
            if "@iot.id" in stream:
                self.datastreams[str(stream["@iot.id"])] = stream
        return {**thing, "Datastreams": streams}

    def observations(self) -> Iterator[RawBatch]:
        """Windows from the cursor (less the lag) to now; the last one is open, so that wrong clocks show."""
        start, width = self._start(), self.width
        while True:
            stop = start + width
            is_last = stop >= self.now
            is_empty = True
            for batch in self._window(start, None if is_last else stop):
                is_empty = False
                yield batch
            if is_last:
                return
            start, width = stop, min(width * 2, WIDEST) if is_empty else self.width

    def _start(self) -> datetime:
        if self.landed is not None:
            return self.landed - timedelta(seconds=self.manifest.lag_s)
        return start_of(self.manifest) or self.now - timedelta(days=7)

    def _window(self, start: datetime, stop: datetime | None) -> Iterator[RawBatch]:
        """The blocks of one window; the cursor on the last batch only, none when a fault cuts it short."""
        newest, held = self.landed, None
        try:
            for blocks in self._answers(start, stop):
                if held is not None:
                    yield RawBatch(held, None, "observations")
                held = blocks
                newest = _later(newest, newest_instant(blocks, to_micros(self.now)))
        except FeedError:
            if held is not None:
                yield RawBatch(held, None, "observations")
            raise
        if held is not None:
            self.landed = newest
            yield RawBatch(held, newest.isoformat() if newest else None, "observations")

    def _answers(self, start: datetime, stop: datetime | None) -> Iterator[list[dict[str, Any]]]:
        sought = f"phenomenonTime ge {_iso(start)}" + (f" and phenomenonTime lt {_iso(stop)}" if stop else "")
        params = {"$filter": sought, "$orderby": "phenomenonTime asc", "$top": self.top}
        if self.is_collection:
            params["$expand"] = "Datastream($select=@iot.id)"
            yield from self._blocks(f"{self.base}/Observations", params, "")
            return
        params["$select"] = OBSERVATION_FIELDS
        for key, stream in self.datastreams.items():
            yield from self._blocks(f"{self.base}/Datastreams({_literal(stream['@iot.id'])})/Observations", params, key)

    def _blocks(self, url: str, params: Mapping[str, str], key: str) -> Iterator[list[dict[str, Any]]]:
        for page in self._observation_pages(url, params):
            if blocks := self._grouped(page["value"], key):
                yield blocks

    def _observation_pages(self, url: str, params: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
        """Pages in dataArray form where the server knows it; a server that refuses the wish is asked plainly."""
        if self.asks_array:
            pages = self._pages(url, {**params, "$resultFormat": "dataArray"})
            try:
                first = next(pages, None)
            except HttpStatusError as fault:
                if fault.status not in (400, 404, 406, 500, 501):
                    raise
                self.asks_array = False
            else:
                if first is not None:
                    yield first
                    yield from pages
                return
        yield from self._pages(url, params)

    def _grouped(self, value: Sequence[Any], key: str) -> list[dict[str, Any]]:
        """One block a datastream, in the order they first appear. What belongs to none goes under {}."""
        blocks: dict[str, dict[str, Any]] = {}
        arrays: list[dict[str, Any]] = []
        for item in value:
            own = key or _datastream_id(item)
            if isinstance(item, Mapping) and "dataArray" in item:
                arrays.append({**item, "Datastream": self._entity(own)})
            elif own in blocks:
                blocks[own]["value"].append(item)
            else:
                blocks[own] = {"Datastream": self._entity(own), "value": [item]}
        return arrays + list(blocks.values())

    def _entity(self, key: str) -> Mapping[str, Any]:
        return self.datastreams.get(key) or ({"@iot.id": key} if key else {})

    def _pages(self, url: str, params: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
        """All pages of a collection, each {"value": [...]}; an array without envelope counts as one page."""
        seen: set[str] = set()
        for _ in range(MAX_PAGES):
            found = self.source.get_json(url, params)
            page = {"value": found} if isinstance(found, list) else found
            if not isinstance(page, Mapping) or not isinstance(page.get("value"), list):
                raise self._error(url, "the answer is no SensorThings collection; check the feed's url")
            yield page
            link = page.get(NEXT)
            if not link:
                return
            url, params = self._next(url, link), {}
            if url in seen:
                raise self._error(url, f"{NEXT} leads in a circle; report it to the server's owner")
            seen.add(url)
        raise self._error(url, f"more than {MAX_PAGES} pages; raise page_size or set a later start")

    def _next(self, url: str, link: Any) -> str:
        target = urljoin(url, str(link))
        if not same_origin(target, self.base):
            what = f"{NEXT} points to another origin ({target.split('?')[0]})"
            raise self._error(url, f"{what}; have the owner set the server's public address, or set url to that one")
        return target

    def _error(self, url: str, message: str) -> FeedError:
        return FeedError(f"feed {self.manifest.key}: {url.split('?')[0]}: {message}")


def _entities(value: Any) -> list[dict[str, Any]]:
    return [dict(entity) for entity in value if isinstance(entity, Mapping)] if isinstance(value, list) else []


def _datastream_id(item: Any) -> str:
    """The id of the datastream an observation or block belongs to: expanded, or in its navigation link."""
    if not isinstance(item, Mapping):
        return ""
    stream = item.get("Datastream")
    if isinstance(stream, Mapping) and "@iot.id" in stream:
        return str(stream["@iot.id"])
    match = _DATASTREAM_LINK.search(str(item.get("Datastream@iot.navigationLink", "")))
    return match[2].replace("''", "'") if match else ""


def _literal(key: Any) -> str:
    """An id as it stands in a URL: a bare number, or a quoted and escaped text."""
    if isinstance(key, int):
        return str(key)
    doubled = str(key).replace("'", "''")
    return f"'{quote(doubled, safe='')}'"


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _instant(text: str | None) -> datetime | None:
    micros = instant_of(text) if text else None
    return None if micros is None else EPOCH + timedelta(microseconds=micros)


def _later(one: datetime | None, micros: int | None) -> datetime | None:
    if micros is None:
        return one
    other = EPOCH + timedelta(microseconds=micros)
    return other if one is None else max(one, other)
