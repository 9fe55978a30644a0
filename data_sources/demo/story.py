"""The demo's story: one seed and one first `now` make 90 days of history and every day after it, asked for in windows of time.

Keep the first `now` (the birth) with the store: the same birth gives the same story after a restart, the clock just runs on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from data_sources.demo import dossier_wire, dossiers, readings, reports
from data_sources.demo.catalogue import Catalogue, catalogue
from data_sources.demo.workdays import DAY_S, ZONE_S, WorkAxis, work_axis


@dataclass(frozen=True)
class Events:
    """What changed in (since, until]: dossier and progress objects as pushed, reports as served.

    Readings are (stream number, UTC seconds, value).
    """

    dossiers: list[Any]
    progress: list[dict[str, Any]]
    reports: list[dict[str, Any]]
    readings: list[tuple[int, int, float]]


@dataclass(frozen=True)
class Story:
    """All that happens in the province. Frozen; days are made when first asked for and kept."""

    seed: int
    birth: datetime
    days: int
    scale: float
    catalogue: Catalogue
    _kept: dict[tuple[str, int], Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def start(self) -> datetime:
        """The first instant of the history."""
        return self.birth - timedelta(days=self.days)

    @property
    def birth_hour(self) -> float:
        """Birth in hours since 1970 UTC: what episodes are placed by."""
        return self.birth.timestamp() / 3600

    def dossiers_until(self, until: int) -> dossiers.Dossiers:
        """Columns of all dossiers filed from the start up to `until` (local seconds)."""
        found: dossiers.Dossiers = self._until("dossiers", until, dossiers.join)
        return found

    def reports_until(self, until: int) -> reports.Reports:
        """Columns of all reports sent from the start up to `until` (local seconds)."""
        found: reports.Reports = self._until("reports", until, reports.join)
        return found

    def dossier_batches(self, start: datetime, end: datetime, size: int) -> Iterator[list[Any]]:
        """DongBoHoSoMC objects of dossiers that changed in (start, end], as known at `end`, in order of last change."""
        rows, last = self._changed_dossiers(start, end)
        for at in range(0, len(rows), size):
            yield dossier_wire.dossier_objects(rows.take(np.arange(at, min(at + size, len(rows)))), last, self.catalogue)

    def progress_batches(self, start: datetime, end: datetime, size: int) -> Iterator[list[dict[str, Any]]]:
        """CapNhatTienDoHoSoMC objects of the steps taken in (start, end], in time order."""
        since, until = local_seconds(start), local_seconds(end)
        every = dossier_wire.progress_objects(self.dossiers_until(until), since, until, self.catalogue)
        for at in range(0, len(every), size):
            yield every[at:at + size]

    def new_and_updated(self, start: datetime, end: datetime) -> tuple[list[Any], list[Any]]:
        """The living day's two pushes: dossiers filed in (start, end], and older ones that changed in it."""
        rows, until = self._changed_dossiers(start, end)
        fresh = rows.filed > local_seconds(start)
        halves = (rows.take(np.flatnonzero(mask)) for mask in (fresh, ~fresh))
        new, old = (dossier_wire.dossier_objects(half, until, self.catalogue) for half in halves)
        return new, old

    def events_between(self, start: datetime, end: datetime) -> Events:
        """Everything that changed in (start, end]."""
        new, old = self.new_and_updated(start, end)
        progress = [step for batch in self.progress_batches(start, end, 10_000) for step in batch]
        until = local_seconds(end)
        sent = self.reports_until(until)
        changed = np.flatnonzero(reports.updated_at(sent, until) > local_seconds(start))
        objects = reports.report_objects(sent.take(changed), until, self.catalogue)
        return Events(new + old, progress, objects, self._readings_between(start, end))

    def _readings_between(self, start: datetime, end: datetime) -> list[tuple[int, int, float]]:
        since, until = int(start.timestamp()), int(end.timestamp())
        grid = readings.readings_grid(since // 3600 - 1, until // 3600 + 1, self.birth_hour, self.seed)
        seen = (grid.seen_s > since) & (grid.seen_s <= until) & np.isfinite(grid.values)
        order = np.broadcast_to(grid.order, seen.shape)[seen]
        return list(zip(order.tolist(), grid.at_s[seen].tolist(), grid.values[seen].tolist(), strict=True))

    def _changed_dossiers(self, start: datetime, end: datetime) -> tuple[dossiers.Dossiers, int]:
        since, until = local_seconds(start), local_seconds(end)
        every = self.dossiers_until(until)
        last = dossiers.last_event(every, until)
        rows = np.flatnonzero(last > since)
        return every.take(rows[np.argsort(last[rows], kind="stable")]), until

    def _until(self, kind: str, until: int, join: Any) -> Any:
        """Blocks of all days up to `until` joined (kept per last day), cut at the story's first instant and at `until`."""
        last_day, first = until // DAY_S, local_seconds(self.start)
        joined = self._kept.get((f"{kind} joined", last_day))
        if joined is None:
            joined = join([self._block(kind, day) for day in range(first // DAY_S, max(last_day, first // DAY_S) + 1)])
            for key in [key for key in list(self._kept) if key[0] == f"{kind} joined"]:
                self._kept.pop(key, None)
            self._kept[(f"{kind} joined", last_day)] = joined
        at = joined.filed if kind == "dossiers" else joined.sent
        return joined.take(np.flatnonzero((at > first) & (at <= until)))

    def _block(self, kind: str, day: int) -> Any:
        block = self._kept.get((kind, day))
        if block is None:
            if kind == "dossiers":
                block = dossiers.day_block(day, self.catalogue, self._axis(), self.seed, self.scale)
            else:
                block = reports.day_block(day, self.catalogue, self.birth_hour, self.seed, self.scale)
            self._kept[(kind, day)] = block
        return block

    def _axis(self) -> WorkAxis:
        return work_axis(self.start.year - 1, self.birth.year + 2)


def build(seed: int, now: datetime, days: int = 90, scale: float = 1.0) -> Story:
    """The story whose history ends at `now` (aware).

    Scale 1 and 90 days: about 54k dossiers, 220k steps, 6k reports, 470k readings. Raises ValueError without a zone.
    """
    if now.tzinfo is None:
        raise ValueError("now must carry a time zone, e.g. datetime.now(UTC)")
    return Story(seed, now, days, scale, catalogue())


def local_seconds(at: datetime) -> int:
    """An aware instant as seconds on the province's wall clock (UTC+7, no summer time)."""
    return int(at.timestamp()) + ZONE_S
