"""The one loop of every feed: read a batch, parse it, place it, land it with its cursor. Pull and push land the same way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import text

from config import Config, FeedConfig
from data_sources.areas.place import Placer
from data_sources.feed import FeedError, RawBatch
from data_sources.registry import protocol_of
from data_sources.shift import newest_event, shifted, whole_weeks
from store.areas import read_areas
from store.days import instant
from store.engine import Store
from store.landing import Landed, Landing, land
from store.revisions import bump
from store.rows import Parsed

Progress = Callable[[str, Landed], None]


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
        total = Landed()
        try:
            shift = self._shift_days(feed, now)
            for raw in protocol.client(feed, self._cursor(feed), now):
                landed = self.accept(feed, raw, now, shift)
                total = Landed(
                    total.items + landed.items, total.landed + landed.landed, total.changed + landed.changed,
                    total.rejects + landed.rejects[: max(0, 1000 - len(total.rejects))],
                )
                if progress:
                    progress(feed.key, total)
        except FeedError as error:
            self._note(feed, now, str(error))
            raise
        self._note(feed, now, "")
        return total

    def accept(self, feed: FeedConfig, raw: RawBatch, now: datetime, shift: int = 0) -> Landed:
        """Parse and land one batch, pulled or pushed; returns after commit."""
        batch = protocol_of(feed).parse(feed, raw, now)
        if shift:
            batch = shifted(batch, shift, self.store.days)
        landing = Landing(feed.key, feed.role, instant(now), raw.cursor, self._places(batch, now))
        return land(self.store, batch, landing)

    def push(self, feed: FeedConfig, items: Sequence[Any], now: datetime, kind: str = "") -> Landed:
        """Land pushed items; `kind` = the service or item kind where a protocol has several."""
        return self.accept(feed, RawBatch(items, kind=kind), now)

    def _cursor(self, feed: FeedConfig) -> str | None:
        with self.store.reading() as connection:
            found = connection.execute(text("SELECT cursor FROM ops_feed WHERE feed = :feed"), {"feed": feed.key}).scalar()
        return str(found) if found is not None else None

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
            seen = tuple(connection.execute(text("SELECT count(*), coalesce(sum(length(geometry)), 0) FROM core_area")).one())
            if self._placer is None or self._placer[0] != seen:
                self._placer = (seen, Placer(read_areas(connection)))
        return self._placer[1]

    def _shift_days(self, feed: FeedConfig, now: datetime) -> int:
        """Days to move this feed's dates by; settled at its first reading and kept."""
        if not self.config.shift_to_now:
            return 0
        name = f"shift:{feed.key}"
        with self.store.reading() as connection:
            known = connection.execute(text("SELECT at FROM ops_clock WHERE name = :name"), {"name": name}).scalar()
        if known is not None:
            return int(known)
        protocol = protocol_of(feed)
        assert protocol.client is not None
        newest = newest_event(protocol.parse(feed, raw, now) for raw in protocol.client(feed, None, now))
        days = whole_weeks(newest, instant(now)) if newest else 0
        with self.store.writing() as connection:
            connection.execute(text("INSERT INTO ops_clock (name, at) VALUES (:name, :at)"), {"name": name, "at": days})
        return days

    def _note(self, feed: FeedConfig, now: datetime, error: str) -> None:
        """Write down an attempt: when, and why it failed. A changed state is announced."""
        values = {"feed": feed.key, "role": feed.role, "now": instant(now), "error": error}
        with self.store.writing() as connection:
            before = connection.execute(text("SELECT error FROM ops_feed WHERE feed = :feed"), {"feed": feed.key}).scalar()
            connection.execute(
                text(
                    "INSERT INTO ops_feed (feed, role, attempted_at, error, error_at) VALUES (:feed, :role, :now, :error, "
                    "CASE WHEN :error = '' THEN NULL ELSE CAST(:now AS BIGINT) END) ON CONFLICT (feed) DO UPDATE SET "
                    "attempted_at = excluded.attempted_at, error = excluded.error, "
                    "error_at = CASE WHEN :error = '' THEN ops_feed.error_at ELSE excluded.error_at END"
                ),
                values,
            )
            if (before or "") != error:
                bump(connection, "operations", instant(now))
