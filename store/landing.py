"""Lands one parsed batch in ONE transaction: rows, rejects, dirty cells, latest values, the feed's cursor and counters.

Called by sync for pulled and pushed feeds alike. Landing the same batch twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, text

from store import schema
from store.areas import land_areas
from store.catalogue import Resolver, make_resolver
from store.cells import STOP, log_stops
from store.days import HOUR, DayClock
from store.engine import Store
from store.facts import pack
from store.indicators import INDICATORS, stage_values
from store.judged import log_unjudged
from store.measured import datastream_ids, land_datastreams, land_readings, land_stations, newest_reading
from store.refused import land_halving
from store.rejects import STORED, digest_of, resolve_landed, save_rejects, trim
from store.report_text import put_words
from store.reported import missing_field, note_seen, report_cells
from store.retention import readings_from
from store.revisions import bump
from store.rows import REPORT_STATUSES, DossierRow, IndicatorRow, Parsed, ReadingRow, Reject, ReportRow, StepRow
from store.stage import fill_stage
from store.versioned import DOSSIERS, REPORTS, Kind, land_versioned
from store.withdrawn import drop_superseded, drop_withdrawn, land_tombstones, lock_feeds_apart, take_over

STANDING_COUNTED, STANDING_NEW, STANDING_REFUSED, STANDING_ENDED_BEFORE_START = 1, 2, 3, 4
DONE_STATUSES, KEY_MAX = (7, 9, 10), 200


@dataclass(frozen=True)
class Landed:
    """What became of a batch: items seen, rows landed, rows that changed something, rejects with reasons."""

    items: int = 0
    landed: int = 0
    changed: int = 0
    rejects: tuple[Reject, ...] = ()


@dataclass(frozen=True)
class Landing:
    """The circumstances of a batch: which feed, when, its new cursor, where its points lie (source id -> area code).

    `supersedes` are feeds whose rows give way to this one's, `superseded_by` those it gives way to.
    """

    feed: str
    role: str
    now: int
    cursor: str | None = None
    places: Mapping[str, str] = field(default_factory=dict)
    track: bool = True
    kind: str = ""  # of the items, where a protocol has several: a re-send of rejects needs it
    supersedes: tuple[str, ...] = ()
    superseded_by: tuple[str, ...] = ()
    has_tombstones: bool = False
    reject_limit: int = 100_000
    watched: frozenset[str] = frozenset()  # facts of reports that this feed's deliveries would show (store/reported.py)

    @property
    def takes_out(self) -> bool:
        """Can this landing take rows out, its own or another feed's?"""
        return bool(self.supersedes or self.superseded_by or self.has_tombstones)


def land(store: Store, batch: Parsed, landing: Landing) -> Landed:
    """Land a batch; returns only after commit. Raises the database's error when nothing of it was kept."""
    return store.write(lambda connection: land_in(connection, store.days, batch, landing))


def land_in(connection: Connection, days: DayClock, batch: Parsed, landing: Landing) -> Landed:
    """The same inside a transaction of the caller. Rows the database refuses become rejects; the others land."""
    connection.execute(
        text("INSERT INTO ops_feed (feed, role) VALUES (:feed, :role) ON CONFLICT (feed) DO NOTHING"),
        {"feed": landing.feed, "role": landing.role},
    )
    if landing.takes_out:
        lock_feeds_apart(connection)
    parts, refused = land_halving(connection, batch, lambda part: _land_rows(connection, days, part, landing))
    left_out = [*(reject for part in parts for reject in part.rejects), *refused]
    resolve_landed(connection, landing.feed, {one for part in parts for one in part.named}, landing.now, landing.kind)
    save_rejects(connection, landing.feed, batch.rejects, landing.now, landing.kind)
    save_rejects(connection, landing.feed, left_out, landing.now, STORED)
    if batch.rejects or left_out:
        trim(connection, landing.feed, landing.reject_limit)
    result = Landed(
        batch.item_count, sum(part.landed for part in parts), sum(part.changed for part in parts), (*batch.rejects, *left_out)
    )
    _note_load(connection, landing, result, max((part.newest for part in parts if part.newest is not None), default=None))
    for topic in _topics(batch):
        bump(connection, topic, landing.now)
    return result


def _land_rows(connection: Connection, days: DayClock, batch: Parsed, landing: Landing) -> _Work:
    """Land the rows of a batch or of a part of one; what became of them is in the result."""
    work = _Work(connection, days, landing, make_resolver(connection))
    land_areas(connection, landing.feed, batch.areas)
    stations = {row.source_id: work.resolver.area(row.area) or landing.places.get(row.source_id, "") for row in batch.stations}
    work.resolver.save()
    land_stations(connection, landing.feed, batch.stations, stations)
    land_datastreams(connection, landing.feed, batch.datastreams)
    work.changed = work.dossiers(batch.dossiers) + work.steps(batch.steps)
    work.changed += work.reports(batch.reports) + work.readings(batch.readings) + work.indicators(batch.indicators)
    work.landed += len(batch.stations) + len(batch.datastreams) + len(batch.areas)
    work.named.update(row.source_id for row in batch.stations)
    work.named.update(row.source_id for row in batch.datastreams)
    work.named.update(row.code for row in batch.areas)
    return work


def _topics(batch: Parsed) -> list[str]:
    """Topics this batch can have changed; operations always, since ages and counters move."""
    touched = {
        "dossiers": batch.dossiers or batch.steps, "reports": batch.reports, "readings": batch.readings or batch.stations,
        "indicators": batch.indicators,
    }
    return [topic for topic, rows in touched.items() if rows] + ["operations"]


@dataclass
class _Work:
    connection: Connection
    days: DayClock
    landing: Landing
    resolver: Resolver
    rejects: list[Reject] = field(default_factory=list)
    landed: int = 0
    changed: int = 0
    newest: int | None = None
    named: set[str] = field(default_factory=set)  # what has landed, as rejects name it

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
            values = self._dossier_values(row, number) if not row.is_deleted else _tombstone(row, number)
            if row.source_id not in newest or values[-2:] > newest[row.source_id][-2:]:
                newest[row.source_id], stops[row.source_id] = values, row
        gone = _split(newest)
        self.resolver.save()
        changed = self._versioned(DOSSIERS, newest, keep_repeats, len(kept))
        if changed:
            self._stops({name: row for name, row in stops.items() if name in newest})
            log_unjudged(self.connection, self.landing.feed, "stage_dossiers")
        return changed + self._tombstones(DOSSIERS, gone)

    def _versioned(self, kind: Kind, newest: Mapping[str, tuple[Any, ...]], keep_repeats: bool, count: int) -> int:
        self.landed += count
        self.named.update(newest)
        return land_versioned(
            self.connection, kind, self.landing.feed, newest.values(), self.landing.now, self.days, keep_repeats=keep_repeats,
            track=self.landing.track, sift=(lambda stage: self._sift(kind, stage)) if self.landing.takes_out else None,
            settle=self._see if kind is REPORTS else None,
        )

    def _see(self, stage: str) -> None:
        note_seen(self.connection, self.landing.feed, stage, self.landing.watched)
        put_words(self.connection, self.landing.feed, stage)

    def _sift(self, kind: Kind, stage: str) -> None:
        """Keep from landing what is taken back or superseded; take out what the staged rows supersede."""
        now = self.landing.now
        drop_withdrawn(self.connection, kind, self.landing.feed, stage)
        drop_superseded(self.connection, kind, self.landing.feed, stage, self.landing.superseded_by, now)
        take_over(self.connection, kind, self.landing.feed, stage, self.landing.supersedes, now)

    def _tombstones(self, kind: Kind, gone: Mapping[str, int]) -> int:
        self.named.update(gone)
        return land_tombstones(self.connection, kind, self.landing.feed, gone.items(), self.landing.now) if gone else 0

    def _key_fits(self, key: str) -> bool:
        """An id longer than an index takes is refused on either engine, not on PostgreSQL alone."""
        if len(key) > KEY_MAX:
            self.rejects.append(Reject(key[:KEY_MAX], "source_id", "too_long", key[:KEY_MAX], {"source_id": key[:KEY_MAX]}))
        return len(key) <= KEY_MAX

    def _lands(self, row: DossierRow | ReportRow, missing: str) -> bool:
        """Does the row land? `missing` = the field it cannot do without; a tombstone can."""
        if row.is_deleted or len(row.source_id) > KEY_MAX:
            return self._key_fits(row.source_id)
        if missing:
            self.rejects.append(Reject(row.source_id, missing, "missing_field", "", {"source_id": row.source_id, "status": row.status}))
        return not missing

    def _dossier_lands(self, row: DossierRow) -> bool:
        if row.received_at is None and row.filed_at is None:
            return self._lands(row, "received_at")
        return self._lands(row, "finished_at" if row.status in DONE_STATUSES and row.finished_at is None else "")

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
        second = row.second_supplement_at
        content = (
            self.resolver.agency(row.agency), self.resolver.procedure(row.procedure_code, row.procedure_name, domain), domain,
            row.channel, row.status, filed, received, row.due_at, finished, row.handed_at, row.refused_at, stopped, verdict,
            max(row.supplement_count, 0 if second is None else 2), row.alias, self._facts(row), on(filed), on(received), on(row.due_at),
            on(finished), on(verdict), _later(on(row.due_at), on(received)), _later(_next(on(row.due_at)), on(received)), standing,
        )
        version = row.version if row.version is not None else number
        told = (content, row.stops) if second is None else (content, row.stops, second)  # what has none keeps the digest it always had
        return (row.source_id, *content, second, _within(on(second), on(received), on(finished)), version, digest_of(told))

    def _facts(self, row: DossierRow) -> int:
        """What the source told of the dossier; its level is the catalogue's where the source is silent."""
        level = row.level or self.resolver.levels.get(row.procedure_code, "")
        return pack(level, (
            row.is_digitised, row.is_paid_online, row.has_fee, row.has_component_file, row.has_e_result, row.is_shared,
            row.is_identified, row.has_apology, row.is_disliked,
        ))

    def _stops(self, rows: dict[str, DossierRow]) -> None:
        """Replace the stops of the staged dossiers, logging the days of the old and the new ones."""
        staged = []
        for row in rows.values():
            for stop in {s.stopped_at: s for s in row.stops}.values():
                on, off = self.days.on(stop.stopped_at), self.days.on(stop.resumed_at)
                staged.append((row.source_id, stop.stopped_at, stop.resumed_at, on, off))
        columns = ("source_id", "stopped_at", "resumed_at", "stopped_on", "resumed_on")
        fill_stage(self.connection, "stage_stops", schema.dossier_stop, columns, staged)
        feed = {"feed": self.landing.feed}
        staged_ids = "SELECT source_id FROM stage_dossiers"
        gone = text(f"DELETE FROM core_dossier_stop WHERE feed = :feed AND source_id IN ({staged_ids}) RETURNING {STOP}")
        before = self.connection.execute(gone, feed).all()
        after = self.connection.execute(
            text(
                "INSERT INTO core_dossier_stop (feed, source_id, stopped_at, resumed_at, stopped_on, resumed_on, agency_code, domain_code) "
                "SELECT :feed, t.source_id, t.stopped_at, t.resumed_at, t.stopped_on, t.resumed_on, s.agency_code, s.domain_code "
                f"FROM stage_stops t JOIN stage_dossiers s ON s.source_id = t.source_id WHERE s.standing = 1 RETURNING {STOP}"
            ),
            feed,
        ).all()
        if self.landing.track:
            log_stops(self.connection, before, after)

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
        kept = [row for row in rows if self._lands(row, missing_field(row))]
        keep_repeats = any(row.version is not None for row in kept)
        start = 0 if all(row.version is not None for row in kept) else self._receipt_start(len(kept))
        newest: dict[str, tuple[Any, ...]] = {}
        for number, row in enumerate(kept, start):
            values = self._report_values(row, number) if not row.is_deleted else _tombstone(row, number)
            if row.source_id not in newest or values[-2:] > newest[row.source_id][-2:]:
                newest[row.source_id] = values
        gone = _split(newest)
        self.resolver.save()
        return self._versioned(REPORTS, newest, keep_repeats, len(kept)) + self._tombstones(REPORTS, gone)

    def _report_values(self, row: ReportRow, number: int) -> tuple[Any, ...]:
        for at in (row.received_at, row.updated_at, None if REPORT_STATUSES.get(row.status, True) else row.closed_at):
            self._saw(at)
        place = self.resolver.area(row.area) or self.landing.places.get(row.source_id, "")
        cells, digest = report_cells(row, self.resolver, self.days.on, place, self.landing.now, self.landing.watched)
        return (row.source_id, *cells, row.version if row.version is not None else number, digest)

    def indicators(self, rows: tuple[IndicatorRow, ...]) -> int:
        if not rows:
            return 0
        kept = [row for row in rows if self._key_fits(row.source_id)]
        newest = stage_values(self.connection, self.resolver, kept, self._receipt_start(len(kept)))
        for row in kept:
            self._saw(self.days.starts_at(row.end_on + 1) - 1)
        return self._versioned(INDICATORS, newest, any(row.version is not None for row in kept), len(kept))

    def readings(self, rows: tuple[ReadingRow, ...]) -> int:
        if not rows:
            return 0
        ids = datastream_ids(self.connection, self.landing.feed)
        known = [row for row in rows if row.datastream_id in ids]
        kept_from = readings_from(self.connection) * HOUR
        if kept_from:  # the sums of those hours could not be made anew: see store/retention.py
            self.rejects += [
                Reject(row.datastream_id, "observed_at", "too_old", str(row.observed_at)) for row in known if row.observed_at < kept_from
            ]
            known = [row for row in known if row.observed_at >= kept_from]
        for row in rows:
            if row.datastream_id not in ids:
                payload = {"datastream_id": row.datastream_id, "observed_at": row.observed_at, "value": row.value}
                self.rejects.append(Reject(row.datastream_id, "datastream_id", "unknown_station", row.datastream_id, payload))
        self.landed += len(known)
        self._saw(newest_reading(row for row in known if row.observed_at <= self.landing.now))
        return land_readings(self.connection, known, ids, self.landing.now, track=self.landing.track)


TOMBSTONE = "~"  # in place of a hash: greater than any, so that of equal versions the tombstone wins


def _tombstone(row: DossierRow | ReportRow, number: int) -> tuple[Any, ...]:
    return (row.source_id, row.version if row.version is not None else number, TOMBSTONE)


def _split(newest: dict[str, tuple[Any, ...]]) -> dict[str, int]:
    """Take the tombstones out of the newest rows; their ids and versions."""
    gone = {name: int(values[-2]) for name, values in newest.items() if values[-1] == TOMBSTONE}
    for name in gone:
        del newest[name]
    return gone


def _later(due_on: int | None, received_on: int | None) -> int | None:
    return None if due_on is None else max(due_on, received_on or due_on)


def _within(on: int | None, first_on: int | None, last_on: int | None) -> int | None:
    """A day moved into a stretch of days: outside its dossier's own nothing is counted."""
    if on is None:
        return None
    on = on if first_on is None else max(on, first_on)
    return on if last_on is None else min(on, last_on)


def _next(on: int | None) -> int | None:
    return None if on is None else on + 1


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
