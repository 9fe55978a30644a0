"""Re-sends what was refused: payloads of rejects are parsed with the current mapping and landed; what fails again stays.

Only faithful payloads are sent again. One from which letters were cut (NUL, half letters, long texts) or that is no item of the
source would land as something the source never said: it waits for the source itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from config import FeedConfig
from data_sources.mapping import COLUMN
from data_sources.one_stop import portal
from data_sources.rejects import MAX_TEXT
from data_sources.sync import Sync
from store.days import instant
from store.rejects import STORED, KeptReject, count_again, newest_id, resolve, resolve_same, save_rejects, waiting
from store.revisions import bump
from store.rows import Parsed, ReadingRow, Reject

CHUNK = 1000
PARTS = ("dossiers", "steps", "reports", "stations", "datastreams", "readings", "areas")


@dataclass(frozen=True)
class Resent:
    """Rejects looked at, those whose item has landed, those that failed again, those that only the source can send again."""

    looked_at: int = 0
    landed: int = 0
    failed: int = 0
    unsendable: int = 0


@dataclass
class _Round:
    """One chunk: items that parse, and what became of the rejects of each item."""

    parsed: list[tuple[Parsed, list[KeptReject]]] = field(default_factory=list)
    failed: list[tuple[Sequence[Reject], list[KeptReject]]] = field(default_factory=list)
    unsendable: int = 0


def resend(
    sync: Sync, feed: FeedConfig, now: datetime, reason: str = "", progress: Callable[[Resent], None] | None = None
) -> Resent:
    """Send the open rejects of a feed again, in the order they came. Reading twice changes nothing but their counters.

    `reason` chooses; all faults of a chosen item count, since an item lands whole or not at all.
    """
    total, after = Resent(), 0
    with sync.store.reading() as connection:
        last = newest_id(connection, feed.key)  # what this run itself adds lies behind it and is left alone
    while True:
        with sync.store.reading() as connection:
            chunk = [one for one in waiting(connection, feed.key, reason, after, CHUNK) if one.id <= last]
        if not chunk:
            return total
        after = chunk[-1].id
        for kind, kept in _by_kind(chunk).items():
            one = _resend_chunk(sync, feed, kind, kept, now)
            total = Resent(
                total.looked_at + one.looked_at, total.landed + one.landed, total.failed + one.failed,
                total.unsendable + one.unsendable,
            )
        if progress:
            progress(total)


def _by_kind(rejects: Iterable[KeptReject]) -> dict[str, list[KeptReject]]:
    found: dict[str, list[KeptReject]] = {}
    for one in rejects:
        found.setdefault(one.kind, []).append(one)
    return found


def _resend_chunk(sync: Sync, feed: FeedConfig, kind: str, rejects: Sequence[KeptReject], now: datetime) -> Resent:
    items: dict[tuple[str, str], list[KeptReject]] = {}
    for one in rejects:
        items.setdefault((one.item, one.payload), []).append(one)
    work = _Round()
    for own in items.values():
        _sort(sync, feed, kind, own, now, work)
    landed = _land(sync, feed, kind, work, now)
    _settle(sync, feed, kind, work, now)
    return Resent(len(rejects), landed, sum(len(own) for _, own in work.failed), work.unsendable)


def _sort(sync: Sync, feed: FeedConfig, kind: str, own: list[KeptReject], now: datetime, work: _Round) -> None:
    """Parse one item again and put it where it belongs."""
    item = _faithful(own)
    if item is not None and kind == STORED:
        reading = _reading(item) if own[0].reason == "unknown_station" else None
        batch = Parsed(readings=(reading,)) if reading else None
    else:
        batch = sync.parse_again(feed, item, kind, now) if item is not None and _is_whole_item(feed, kind, item) else None
    if batch is None:
        work.unsendable += len(own)
    elif batch.rejects or not any(getattr(batch, name) for name in PARTS):
        work.failed.append((batch.rejects, own))
    else:
        work.parsed.append((batch, own))


def _is_whole_item(feed: FeedConfig, kind: str, item: Mapping[str, Any]) -> bool:
    """Is a reject's payload of this feed the whole item? Elsewhere it is a part: an observation that names neither unit nor
    property, a feature without its shape, a cell, a line of a log, a step without the office's words."""
    parts = feed.protocol in ("sensorthings", "geojson") or kind in (portal.PROGRESS, portal.STATUS)
    return not (parts or feed.options.get("group_by") or COLUMN in item)


def _faithful(own: Sequence[KeptReject]) -> Mapping[str, Any] | None:
    """The item as the source sent it (without persons' data); None when it was not kept whole."""
    try:
        item = json.loads(own[0].payload)
    except ValueError:
        return None
    if not isinstance(item, dict) or not item:
        return None
    if any(one.reason == "bad_text" and one.value[:1] not in ("[", "{") for one in own):
        return None  # its unreadable letters were left out when it was kept
    return None if _was_cut(item) else item


def _was_cut(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_was_cut(inner) for inner in value.values())
    if isinstance(value, list):
        return any(_was_cut(inner) for inner in value)
    return isinstance(value, str) and (len(value) >= MAX_TEXT or value == "...")


def _reading(item: Mapping[str, Any]) -> ReadingRow | None:
    """A reading that had no datastream when it came: it is kept as it was to be stored."""
    stream, at, value = item.get("datastream_id"), item.get("observed_at"), item.get("value")
    if isinstance(stream, str) and isinstance(at, int) and isinstance(value, (int, float)):
        return ReadingRow(stream, at, float(value))
    return None


def _land(sync: Sync, feed: FeedConfig, kind: str, work: _Round, now: datetime) -> int:
    """Land what parsed; what is refused on landing goes over to the failed. Returns how many rejects have landed."""
    if not work.parsed:
        return 0
    rows: dict[str, Any] = {name: tuple(row for one, _ in work.parsed for row in getattr(one, name)) for name in PARTS}
    result = sync.land_parsed(feed, Parsed(**rows, item_count=len(work.parsed)), "" if kind == STORED else kind, now)
    refused = {one.item for one in result.rejects}
    landed: list[KeptReject] = []
    for batch, own in work.parsed:
        if refused.isdisjoint({own[0].item, *_names(batch)}):
            landed += own
        else:
            work.failed.append(((), own))
    with sync.store.writing() as connection:
        resolve_same(connection, feed.key, {(one.item, one.payload) for one in landed}, instant(now))
    return len(landed)


def _names(batch: Parsed) -> set[str]:
    """The rows as a reject of the store names them."""
    named = {row.source_id for row in batch.dossiers} | {row.source_id for row in batch.reports}
    return named | {row.source_id for row in batch.datastreams} | {row.datastream_id for row in batch.readings}


def _settle(sync: Sync, feed: FeedConfig, kind: str, work: _Round, now: datetime) -> None:
    """The same fault again moves its counter, a fault that is gone is resolved, a new one is kept."""
    at = instant(now)
    with sync.store.writing() as connection:
        for new, own in work.failed:
            faults, known = {(one.field, one.reason) for one in new}, {(one.field, one.reason) for one in own}
            again = [one.id for one in own if not faults or (one.field, one.reason) in faults]
            if kind != STORED:  # those the landing itself has counted
                count_again(connection, again, at)
            resolve(connection, [one.id for one in own if one.id not in again], at)
            fresh = [one for one in new if (one.field, one.reason) not in known]
            payload = json.loads(own[0].payload)
            save_rejects(connection, feed.key, [replace(one, item=own[0].item, payload=payload) for one in fresh], at, kind)
        bump(connection, "operations", at)
