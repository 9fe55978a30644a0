"""The one loop of every feed: read a batch, parse it, place it, land it with its cursor. Pull and push land the same way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from config import Config, FeedConfig
from data_sources.areas.place import Placer
from data_sources.feed import FeedError, RawBatch
from data_sources.feedback.quality import watched
from data_sources.redact import redact
from data_sources.registry import protocol_of
from data_sources.shift import newest_event, shifted, whole_weeks
from store.areas import polygons_mark, read_areas
from store.days import instant
from store.engine import Store
from store.feed_state import cursor_of, keep_shift, kept_shift, note_attempt
from store.landing import Landed, Landing, land
from store.refused import is_refusal, told_by_store
from store.rows import Parsed
from store.snapshot import mark_absent
from store.versioned import DOSSIERS, REPORTS

Progress = Callable[[str, Landed], None]
# a reject named by its place only: nobody knows which thing it was
_NAMELESS = re.compile(r"(.* )?(row|feature) \d+")


@dataclass
class _Seen:
    """What a snapshot has named so far: ids, and how many items could not be named."""

    ids: set[str] = field(default_factory=set)
    nameless: int = 0

    def note(self, batch: Parsed) -> None:
        """Remember the things of a batch; a rejected one is there too, only not readable."""
        self.ids.update(row.source_id for row in batch.dossiers)
        self.ids.update(row.source_id for row in batch.reports)
        for reject in batch.rejects:
            if _NAMELESS.fullmatch(reject.item):
                self.nameless += 1
            else:
                self.ids.add(reject.item)


@dataclass
class Sync:
    """Reads feeds into one store. Keeps nothing but the placer over the areas it last saw."""

    store: Store
    config: Config
    _placer: tuple[object, Placer] | None = field(default=None, repr=False)

    def pull(self, feed: FeedConfig, now: datetime, progress: Progress | None = None) -> Landed:
        """Read everything new of one feed. A failure is noted on the feed and raised as FeedError; landed batches stay."""
        protocol = protocol_of(feed)
        if protocol.client is None:
            return Landed()
        total, doubt = Landed(), ""
        try:
            shift = self._shift_days(feed, now)
            seen = _Seen() if _is_snapshot(feed) else None
            for raw, is_last in _with_last(protocol.client(feed, cursor_of(self.store, feed.key), now), holds_back=seen is not None):
                batch = self._parsed(feed, raw, now, shift)
                if seen is not None:
                    seen.note(batch)
                    if is_last and raw.cursor is not None and (doubt := self._settle_absent(feed, seen, now)):
                        raw = replace(raw, cursor=None)  # read again, and told again, until it is made good
                landed = self._land(feed, batch, raw, now)
                total = Landed(
                    total.items + landed.items, total.landed + landed.landed, total.changed + landed.changed,
                    total.rejects + landed.rejects[: max(0, 1000 - len(total.rejects))],
                )
                if progress:
                    progress(feed.key, total)
            if doubt:
                raise FeedError(f"feed {feed.key}: {doubt}; nothing was closed")
        except FeedError as error:
            self._note(feed, now, str(error))
            raise
        self._note(feed, now, "")
        return total

    def accept(self, feed: FeedConfig, raw: RawBatch, now: datetime, shift: int = 0) -> Landed:
        """Parse and land one batch, pulled or pushed; returns after commit."""
        return self._land(feed, self._parsed(feed, raw, now, shift), raw, now)

    def parse_again(self, feed: FeedConfig, item: Any, kind: str, now: datetime) -> Parsed:
        """What the current mapping makes of one kept item."""
        shift = self._shift_days(feed, now) if protocol_of(feed).client else 0
        return self._parsed(feed, RawBatch([item], kind=kind), now, shift)

    def land_parsed(self, feed: FeedConfig, batch: Parsed, kind: str, now: datetime) -> Landed:
        """Land rows that were parsed elsewhere (a re-send of rejects); the feed's cursor stays."""
        return self._land(feed, batch, RawBatch((), kind=kind), now)

    def _parsed(self, feed: FeedConfig, raw: RawBatch, now: datetime, shift: int) -> Parsed:
        batch = protocol_of(feed).parse(feed, raw, now)
        return shifted(batch, shift, self.store.days) if shift else batch

    def _land(self, feed: FeedConfig, batch: Parsed, raw: RawBatch, now: datetime) -> Landed:
        landing = Landing(
            feed.key, feed.role, instant(now), raw.cursor, self._places(batch, now), kind=raw.kind, supersedes=feed.supersedes,
            superseded_by=tuple(other.key for other in self.config.feeds if feed.key in other.supersedes),
            has_tombstones="is_deleted" in feed.fields, reject_limit=feed.reject_limit,
            watched=watched(feed),
        )
        try:
            return land(self.store, batch, landing)
        except Exception as fault:
            if not is_refusal(fault):
                raise
            said = told_by_store(fault)
            raise FeedError(
                f"feed {feed.key}: the database refuses the whole batch, nothing of it has landed: {said}; correct the source's values"
            ) from fault

    def _settle_absent(self, feed: FeedConfig, seen: _Seen, now: datetime) -> str:
        """Mark what a whole snapshot no longer names; else why the snapshot is not to be believed, and what to do."""
        if seen.nameless:
            return f"{seen.nameless} items of the snapshot cannot be named; correct them (see the rejects)"
        kind = DOSSIERS if feed.role == "one_stop" else REPORTS
        found = self.store.write(
            lambda connection: mark_absent(
                connection, self.store.days, kind, feed.key, seen.ids, instant(now), feed.snapshot_min_share
            )
        )
        if found.is_marked:
            return ""
        return (
            f"the snapshot names {found.was_open - found.missing} of {found.was_open} open things; deliver it whole, "
            "or set snapshot_min_share = 0 in the city file if that many have really gone"
        )

    def push(self, feed: FeedConfig, items: Sequence[Any], now: datetime, kind: str = "") -> Landed:
        """Land pushed items; `kind` = the service or item kind where a protocol has several."""
        return self.accept(feed, RawBatch(items, kind=kind), now)

    def _places(self, batch: Parsed, now: datetime) -> dict[str, str]:
        """Area of every report and station that has a point and names no area: source id -> code."""
        today = self.store.days.on(instant(now)) or 0
        points = [
            (row.source_id, row.lon, row.lat, self.store.days.on(row.received_at) or today)
            for row in batch.reports if not row.area and row.lon is not None
        ]
        points += [(row.source_id, row.lon, row.lat, today) for row in batch.stations if not row.area and row.lon is not None]
        if not points:
            return {}
        ids, lons, lats, ons = zip(*points, strict=True)
        return {key: code for key, code in zip(ids, self._placer_now().place_many(lons, lats, ons), strict=True) if code}

    def _placer_now(self) -> Placer:
        """The placer over the store's polygons, made anew when they have changed."""
        with self.store.reading() as connection:
            seen = polygons_mark(connection)
            if self._placer is None or self._placer[0] != seen:
                self._placer = (seen, Placer(read_areas(connection)))
        return self._placer[1]

    def _shift_days(self, feed: FeedConfig, now: datetime) -> int:
        """Days to move this feed's dates by; settled at its first reading and kept."""
        if not self.config.shift_to_now:
            return 0
        known = kept_shift(self.store, feed.key)
        if known is not None:
            return known
        protocol = protocol_of(feed)
        assert protocol.client is not None
        newest = newest_event(protocol.parse(feed, raw, now) for raw in protocol.client(feed, None, now))
        days = whole_weeks(newest, instant(now)) if newest else 0
        keep_shift(self.store, feed.key, days)
        return days

    def _note(self, feed: FeedConfig, now: datetime, error: str) -> None:
        # what a server or a database says may quote what it was sent
        note_attempt(self.store, feed.key, feed.role, instant(now), redact(error))



def _is_snapshot(feed: FeedConfig) -> bool:
    """Is each delivery of this feed all there is? Only a file says so: a server is asked for what is new."""
    return feed.delivery == "snapshot" and bool(feed.path) and feed.role in ("one_stop", "feedback")


def _with_last(batches: Iterator[RawBatch], *, holds_back: bool) -> Iterator[tuple[RawBatch, bool]]:
    """Each batch, and whether it is the last of a reading that ended without a fault; for that one batch is held back."""
    held: RawBatch | None = None
    fault: FeedError | None = None
    try:
        for batch in batches:
            if held is not None:
                yield held, False
            held = batch if holds_back else None
            if not holds_back:
                yield batch, False
    except FeedError as error:
        fault = error
    if held is not None:
        yield held, fault is None
    if fault is not None:
        raise fault
