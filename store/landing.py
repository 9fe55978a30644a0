"""Lands one parsed batch in ONE transaction: rows, rejects, dirty cells, latest values, the feed's cursor and counters.

Called by sync for pulled and pushed feeds alike. Landing the same batch twice changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, text

from store import schema
from store.areas import land_areas
from store.catalogue import Resolver, make_resolver
from store.days import DayClock
from store.engine import Store
from store.measured import datastream_ids, land_datastreams, land_readings, land_stations, newest_reading
from store.revisions import bump
from store.rows import REPORT_STATUSES, DossierRow, Parsed, ReadingRow, Reject, ReportRow, StepRow
from store.stage import fill_stage
from store.versioned import DOSSIERS, REPORTS, land_versioned

STANDING_COUNTED, STANDING_NEW, STANDING_REFUSED, STANDING_ENDED_BEFORE_START = 1, 2, 3, 4
DONE_STATUSES = (7, 9, 10)


@dataclass(frozen=True)
class Landed:
    """What became of a batch: items seen, rows landed, rows that changed something, rejects with reasons."""

    items: int = 0
    landed: int = 0
    changed: int = 0
    rejects: tuple[Reject, ...] = ()


@dataclass(frozen=True)
class Landing:
    """The circumstances of a batch: which feed, when, its new cursor, where its points lie (source id -> area code)."""

    feed: str
    role: str
    now: int
    cursor: str | None = None
    places: Mapping[str, str] = field(default_factory=dict)
    track: bool = True


def land(store: Store, batch: Parsed, landing: Landing) -> Landed:
    """Land a batch; returns only after commit. Raises the database's error when nothing of it was kept."""
    return store.write(lambda connection: land_in(connection, store.days, batch, landing))


def land_in(connection: Connection, days: DayClock, batch: Parsed, landing: Landing) -> Landed:
    """The same inside a transaction of the caller."""
    work = _Work(connection, days, landing, make_resolver(connection))
    connection.execute(
        text("INSERT INTO ops_feed (feed, role) VALUES (:feed, :role) ON CONFLICT (feed) DO NOTHING"),
        {"feed": landing.feed, "role": landing.role},
    )
    land_areas(connection, landing.feed, batch.areas)
    stations = {row.source_id: work.resolver.area(row.area) or landing.places.get(row.source_id, "") for row in batch.stations}
    work.resolver.save()
    land_stations(connection, landing.feed, batch.stations, stations)
    land_datastreams(connection, landing.feed, batch.datastreams)
    changed = work.dossiers(batch.dossiers) + work.steps(batch.steps) + work.reports(batch.reports) + work.readings(batch.readings)
    rejects = (*batch.rejects, *work.rejects)
    save_rejects(connection, landing.feed, rejects, landing.now)
    landed = work.landed + len(batch.stations) + len(batch.datastreams) + len(batch.areas)
    result = Landed(batch.item_count, landed, changed, rejects)
    _note_load(connection, landing, result, work.newest)
    for topic in work.topics(batch):
        bump(connection, topic, landing.now)
    return result


@dataclass
class _Work:
    connection: Connection
    days: DayClock
    landing: Landing
    resolver: Resolver
    rejects: list[Reject] = field(default_factory=list)
    landed: int = 0
    newest: int | None = None

    def topics(self, batch: Parsed) -> list[str]:
        """Topics this batch can have changed; operations always, since ages and counters move."""
        touched = {"dossiers": batch.dossiers or batch.steps, "reports": batch.reports, "readings": batch.readings or batch.stations}
        return [topic for topic, rows in touched.items() if rows] + ["operations"]

    def _saw(self, at: int | None) -> None:
        if at is not None and at <= self.landing.now and (self.newest is None or at > self.newest):
            self.newest = at

    def _receipt_start(self, count: int) -> int:
        """First of `count` receipt numbers of this feed; the row lock orders concurrent writers of one feed."""
        end = self.connection.execute(
            text("UPDATE ops_feed SET sequence = sequence + :n WHERE feed = :feed RETURNING sequence"),
            {"n": count, "feed": self.landing.feed},
        ).scalar_one()
        return int(end) - count

    def dossiers(self, rows: tuple[DossierRow, ...]) -> int:
        if not rows:
            return 0
        kept = [row for row in rows if self._dossier_lands(row)]
        keep_repeats = any(row.version is not None for row in kept)
        start = 0 if all(row.version is not None for row in kept) else self._receipt_start(len(kept))
        newest: dict[str, tuple[Any, ...]] = {}
        stops: dict[str, DossierRow] = {}
        for number, row in enumerate(kept, start):
            values = self._dossier_values(row, number)
            if row.source_id not in newest or values[-2:] > newest[row.source_id][-2:]:
                newest[row.source_id], stops[row.source_id] = values, row
        self.resolver.save()
        self.landed += len(kept)
        changed = land_versioned(
            self.connection, DOSSIERS, self.landing.feed, newest.values(), self.landing.now, self.days, keep_repeats=keep_repeats,
            track=self.landing.track,
        )
        if changed:
            self._stops(stops)
        return changed

    def _dossier_lands(self, row: DossierRow) -> bool:
        problem = ""
        if row.received_at is None and row.filed_at is None:
            problem = "received_at"
        elif row.status in DONE_STATUSES and row.finished_at is None:
            problem = "finished_at"
        if problem:
            self.rejects.append(Reject(row.source_id, problem, "missing_field", "", {"source_id": row.source_id, "status": row.status}))
        return not problem

    def _dossier_values(self, row: DossierRow, number: int) -> tuple[Any, ...]:
        on = self.days.on
        received = row.received_at if row.status not in (1, 3) else None
        finished = row.finished_at if row.status not in (1, 3) else None
        if row.status in (1, 3):
            standing = STANDING_NEW if row.status == 1 else STANDING_REFUSED
        else:
            received = received if received is not None else row.filed_at
            before = finished is not None and received is not None and finished < received
            standing = STANDING_ENDED_BEFORE_START if before else STANDING_COUNTED
        stopped = next((stop.stopped_at for stop in row.stops if stop.resumed_at is None), None) if finished is None else None
        verdict = finished if finished is not None else stopped
        filed = row.filed_at if row.filed_at is not None else row.received_at
        for at in (filed, received, finished, row.handed_at, row.version):
            self._saw(at)
        domain = self.resolver.domain(row.domain_code, row.domain_name)
        content = (
            self.resolver.agency(row.agency), self.resolver.procedure(row.procedure_code, row.procedure_name, domain), domain,
            row.channel, row.status, filed, received, row.due_at, finished, row.handed_at, row.refused_at, stopped, verdict,
            row.supplement_count, row.is_digitised, row.is_paid_online, row.alias, on(filed), on(received), on(row.due_at),
            on(finished), on(verdict), _later(on(row.due_at), on(received)), _later(_next(on(row.due_at)), on(received)), standing,
        )
        version = row.version if row.version is not None else number
        return (row.source_id, *content, version, _digest((content, row.stops)))

    def _stops(self, rows: dict[str, DossierRow]) -> None:
        """Replace the stops of the staged dossiers, logging the days of the old and the new ones."""
        staged = []
        for row in rows.values():
            for stop in {s.stopped_at: s for s in row.stops}.values():
                staged.append((row.source_id, stop.stopped_at, stop.resumed_at, self.days.on(stop.stopped_at), self.days.on(stop.resumed_at)))
        columns = ("source_id", "stopped_at", "resumed_at", "stopped_on", "resumed_on")
        fill_stage(self.connection, "stage_stops", schema.dossier_stop, columns, staged)
        feed = {"feed": self.landing.feed}
        old = "core_dossier_stop p WHERE p.feed = :feed AND p.source_id IN (SELECT source_id FROM stage_dossiers)"
        if self.landing.track:
            self.connection.execute(text(_STOP_CELLS.format(source=f"FROM {old}")), feed)
        self.connection.execute(text(f"DELETE FROM {old.replace(' p ', ' AS p ')}"), feed)
        self.connection.execute(
            text(
                "INSERT INTO core_dossier_stop (feed, source_id, stopped_at, resumed_at, stopped_on, resumed_on, agency_code, domain_code) "
                "SELECT :feed, t.source_id, t.stopped_at, t.resumed_at, t.stopped_on, t.resumed_on, s.agency_code, s.domain_code "
                "FROM stage_stops t JOIN stage_dossiers s ON s.source_id = t.source_id WHERE s.standing = 1"
            ),
            feed,
        )
        if self.landing.track:
            self.connection.execute(text(_STOP_CELLS.format(source=f"FROM {old}")), feed)

    def steps(self, rows: tuple[StepRow, ...]) -> int:
        if not rows:
            return 0
        unique = {(row.dossier_id, row.at, row.name): row for row in rows}
        staged = [(row.dossier_id, row.at, row.name, row.department, row.status) for row in unique.values()]
        fill_stage(self.connection, "stage_steps", schema.dossier_step, ("source_id", "at", "name", "department", "status"), staged)
        for row in rows:
            self._saw(row.at)
        self.landed += len(rows)
        return self.connection.execute(
            text(
                "INSERT INTO core_dossier_step (feed, source_id, at, name, department, status) SELECT :feed, source_id, at, name, "
                "department, status FROM stage_steps WHERE true ON CONFLICT DO NOTHING"
            ),
            {"feed": self.landing.feed},
        ).rowcount

    def reports(self, rows: tuple[ReportRow, ...]) -> int:
        if not rows:
            return 0
        kept = [row for row in rows if self._report_lands(row)]
        keep_repeats = any(row.version is not None for row in kept)
        start = 0 if all(row.version is not None for row in kept) else self._receipt_start(len(kept))
        newest: dict[str, tuple[Any, ...]] = {}
        for number, row in enumerate(kept, start):
            values = self._report_values(row, number)
            if row.source_id not in newest or values[-2:] > newest[row.source_id][-2:]:
                newest[row.source_id] = values
        self.resolver.save()
        self.landed += len(kept)
        return land_versioned(
            self.connection, REPORTS, self.landing.feed, newest.values(), self.landing.now, self.days, keep_repeats=keep_repeats,
            track=self.landing.track,
        )

    def _report_lands(self, row: ReportRow) -> bool:
        problem = ""
        if row.received_at is None:
            problem = "received_at"
        elif not REPORT_STATUSES.get(row.status, True) and row.closed_at is None:
            problem = "closed_at"
        if problem:
            self.rejects.append(Reject(row.source_id, problem, "missing_field", "", {"source_id": row.source_id, "status": row.status}))
        return not problem

    def _report_values(self, row: ReportRow, number: int) -> tuple[Any, ...]:
        on = self.days.on
        is_open = REPORT_STATUSES.get(row.status, True)
        closed = None if is_open else row.closed_at
        area = self.resolver.area(row.area) or self.landing.places.get(row.source_id, "")
        for at in (row.received_at, row.updated_at, closed):
            self._saw(at)
        content = (
            self.resolver.category(row.category, row.category_name, row.category_group), self.resolver.agency(row.agency), area,
            row.status, is_open, row.channel, row.received_at, row.updated_at, row.due_at, closed, row.lon, row.lat, row.description,
            row.resolution, row.is_duplicate, row.is_urgent, on(row.received_at), on(row.due_at), on(closed),
            _later(on(row.due_at), on(row.received_at)), closed is not None and closed < (row.received_at or closed),
        )
        version = row.version if row.version is not None else number
        return (row.source_id, *content, version, _digest(content))

    def readings(self, rows: tuple[ReadingRow, ...]) -> int:
        if not rows:
            return 0
        ids = datastream_ids(self.connection, self.landing.feed)
        known = [row for row in rows if row.datastream_id in ids]
        for row in rows:
            if row.datastream_id not in ids:
                payload = {"datastream_id": row.datastream_id, "observed_at": row.observed_at, "value": row.value}
                self.rejects.append(Reject(row.datastream_id, "datastream_id", "unknown_station", row.datastream_id, payload))
        self.landed += len(known)
        self._saw(newest_reading(row for row in known if row.observed_at <= self.landing.now))
        return land_readings(self.connection, known, ids, self.landing.now, track=self.landing.track)


_STOP_CELLS = (
    "INSERT INTO ops_dirty (topic, bucket, k1, k2) SELECT DISTINCT 'dossiers', cells.bucket, cells.agency_code, cells.domain_code FROM "
    "(SELECT p.stopped_on AS bucket, p.agency_code, p.domain_code {source} "
    "UNION SELECT p.resumed_on, p.agency_code, p.domain_code {source}) cells WHERE cells.bucket IS NOT NULL"
)


def _later(due_on: int | None, received_on: int | None) -> int | None:
    return None if due_on is None else max(due_on, received_on or due_on)


def _next(on: int | None) -> int | None:
    return None if on is None else on + 1


def _digest(content: object) -> str:
    return hashlib.blake2b(repr(content).encode(), digest_size=12).hexdigest()


def save_rejects(connection: Connection, feed: str, rejects: Iterable[Reject], now: int) -> None:
    """Keep rejects; the same fault of the same item seen again only moves its counter and last time."""
    rows = []
    for reject in rejects:
        payload = json.dumps(reject.payload, ensure_ascii=False, default=str, sort_keys=True)
        digest = _digest((reject.item, reject.field, reject.reason, reject.value, payload))
        rows.append({
            "feed": feed, "digest": digest, "item": reject.item[:200], "field": reject.field[:100], "reason": reject.reason,
            "value": reject.value[:200], "payload": payload[:8000], "now": now,
        })
    if rows:
        connection.execute(
            text(
                "INSERT INTO ops_reject (feed, digest, item, field, reason, value, payload, first_at, last_at, times) VALUES (:feed, "
                ":digest, :item, :field, :reason, :value, :payload, :now, :now, 1) ON CONFLICT (feed, digest) DO UPDATE SET "
                "last_at = excluded.last_at, times = ops_reject.times + 1, resolved_at = NULL"
            ),
            rows,
        )


def _note_load(connection: Connection, landing: Landing, result: Landed, newest: int | None) -> None:
    values = {
        "feed": landing.feed, "now": landing.now, "cursor": landing.cursor, "newest": newest, "items": result.items,
        "landed": result.landed, "changed": result.changed, "rejected": len(result.rejects),
    }
    connection.execute(
        text(
            "UPDATE ops_feed SET cursor = coalesce(:cursor, cursor), loaded_at = :now, attempted_at = :now, error = '', "
            "newest_at = CASE WHEN newest_at IS NULL OR newest_at < CAST(:newest AS BIGINT) THEN coalesce(CAST(:newest AS BIGINT), "
            "newest_at) ELSE newest_at END, landed = landed + :landed, changed = changed + :changed, rejected = rejected + :rejected "
            "WHERE feed = :feed"
        ),
        {name: value for name, value in values.items() if name != "items"},
    )
    connection.execute(
        text(
            "INSERT INTO ops_load (feed, at, items, landed, changed, rejected) VALUES (:feed, :now, :items, :landed, :changed, :rejected)"
        ),
        {name: value for name, value in values.items() if name not in ("cursor", "newest")},
    )


def without_rejects(batch: Parsed) -> Parsed:
    """The batch with its good rows only."""
    return replace(batch, rejects=())
