"""Fills a store with a province of any size, fast: `python -m benchmarks fill --dossiers 2000000 --days 365 --store URL`.

The lives are the demo's, as columns; rows go in by COPY or executemany without indexes, and everything derived is made by one statement:
roll-ups of dossiers and reports by the fold itself, readings as roll-ups alone (their raw readings have had their time).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, Table, text

from benchmarks import province
from benchmarks.databases import analyse, opened
from benchmarks.fill_readings import fill_readings
from data_sources.demo.catalogue import catalogue
from data_sources.demo.dossiers import NEVER, Dossiers, day_block, last_event, status_at
from data_sources.demo.geography import geography
from data_sources.demo.stations import points_in
from data_sources.demo.workdays import DAY_S, HOURS, ZONE_S, work_axis
from metrics.judging import ask_anew
from metrics.rollups import clock_step, fold, log_everything
from store import facts, schema
from store.days import DAY
from store.engine import Store
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import AreaRow, Parsed, ReportRow

A_DAY = 600  # dossiers of scale 1
FEED = "one_stop"
CHANNELS = np.array(province.CHANNELS, dtype=object)
DERIVED = ("version", "hash", "first_landed_at", "landed_at")


@dataclass(frozen=True)
class Size:
    """How much to make, and how much of it lies in a day."""

    dossiers: int
    reports: int
    datastreams: int
    days: int


def fill(store: Store, size: Size) -> None:
    """Fill a new, migrated store; its history ends at province.NOW."""
    province.put_catalogues(store)
    ask_anew(store, province.city())  # while there is none: or the program judges every dossier again when it starts
    area_rows = tuple(AreaRow(a.code, a.name, a.name, lon=None, lat=None) for a in geography().communes)
    land(store, Parsed(areas=area_rows), Landing("areas", "areas", province.now_at()))
    _dossiers(store, size)
    rows = _reports(size)
    for start in range(0, len(rows), 20_000):
        part = rows[start : start + 20_000]
        land(store, Parsed(reports=part, item_count=len(part)), Landing("feedback", "feedback", province.now_at(), track=False))
    clock_step(store, province.now_at())
    store.write(lambda connection: log_everything(connection, store.days))
    fold(store, province.now_at(), limit=2**31 - 1)
    fill_readings(store, size.datastreams, size.days)
    analyse(store)


# ---- dossiers -----------------------------------------------------------------------------------------------------------
def _dossiers(store: Store, size: Size) -> None:
    land(store, Parsed(item_count=1), Landing(FEED, "one_stop", province.now_at()))  # the feed has spoken
    indexed = (schema.dossier, schema.dossier_time)
    for table in indexed:
        for index in table.indexes:
            index.drop(store.engine)
    with store.writing() as connection:
        for core, times, stops in _days(size):
            put_rows(connection, schema.dossier, _COLUMNS, core)
            put_rows(connection, schema.dossier_time, _TIME_COLUMNS, times)
            put_rows(connection, schema.dossier_stop, _STOP_COLUMNS, stops)
        kept = [column.name for column in schema.dossier_version.columns]
        connection.execute(text(
            f"INSERT INTO core_dossier_version ({', '.join(kept)}) SELECT {', '.join(kept)} FROM core_dossier ORDER BY feed, source_id"
        ))
    for table in indexed:
        for index in table.indexes:
            index.create(store.engine)


_COLUMNS = tuple(column.name for column in schema.dossier.columns if column.name not in ("refused_at", "alias"))
_TIME_COLUMNS = tuple(column.name for column in schema.dossier_time.columns)
_STOP_COLUMNS = ("feed", "source_id", "stopped_at", "resumed_at", "stopped_on", "resumed_on", "agency_code", "domain_code")
Rows = list[tuple[Any, ...]]


def _days(size: Size) -> Iterator[tuple[Rows, Rows, Rows]]:
    """Rows of dossiers, their times and stops, a filing day at a time."""
    axis = work_axis(2024, 2027)
    last, until = province.today_on(), province.local_now()
    scale = size.dossiers / size.days / A_DAY
    for day in range(last - size.days + 1, last + 1):
        block = day_block(day, catalogue(), axis, province.SEED, scale)
        block = block.take(np.flatnonzero(block.filed <= until))
        columns = _columns(block, until)
        core = list(zip(*(columns[name] for name in _COLUMNS), strict=True))
        yield core, _times(block, columns, axis), _stops(block, columns, until)


def _columns(block: Dossiers, until: int) -> dict[str, list[Any]]:
    """The columns of core_dossier, derived as the landing derives them."""
    lists, status = catalogue(), status_at(block, until)
    is_in = ~np.isin(status, (1, 3))
    done = np.isin(status, (7, 9, 10))
    received = np.where(is_in, np.where(block.received <= until, block.received, block.filed), NEVER)
    due, finished = np.where(is_in, block.due, NEVER), np.where(done, block.ended, NEVER)
    stopped = np.where((block.asked <= until) & (until < block.given), block.asked, NEVER)
    stopped = np.where((block.asked_again <= until) & (until < block.given_again), block.asked_again, stopped)
    stopped = np.where(done, NEVER, stopped)
    verdict = np.minimum(finished, stopped)
    second = np.where(block.asked_again <= until, block.asked_again, NEVER)
    standing = np.where(status == 1, 2, np.where(status == 3, 3, np.where(finished < received, 4, 1)))
    on = {name: _on(at) for name, at in (("received", received), ("due", due), ("finished", finished))}
    procedures = np.array([(p.code, p.domain_code) for p in lists.procedures], dtype=object)[block.procedure]
    count = len(block)
    told = {
        "feed": [FEED] * count, "source_id": [f"H{day:05}.{number:05}" for number, day in enumerate(block.day.tolist())],
        "agency_code": np.array([a.code for a in lists.agencies], dtype=object)[block.agency], "procedure_code": procedures[:, 0],
        "domain_code": procedures[:, 1], "channel": CHANNELS[block.channel], "status": status,
        "filed_at": _at(block.filed), "received_at": _at(received), "due_at": _at(due), "finished_at": _at(finished),
        "handed_at": _at(np.where(block.returned <= until, block.returned, NEVER)), "stopped_at": _at(stopped), "verdict_at": _at(verdict),
        "supplement_count": (block.asked <= until).astype(int) + (block.asked_again <= until), "facts": FACTS[block.token % len(FACTS)],
        "filed_on": _told(_on(block.filed)), **{f"{name}_on": _told(days) for name, days in on.items()},
        "verdict_on": _told(_on(verdict)), "passed_on": _told(_later(on["due"], on["received"], 0)),
        "passed_day_on": _told(_later(on["due"], on["received"], 1)), "standing": standing, "second_supplement_at": _at(second),
        "second_supplement_on": _told(np.where(second < NEVER, np.clip(_on(second), on["received"], on["finished"]), NEVER)),
        "version": _at(last_event(block, until)), "hash": [f"{one:015x}" for one in block.token.tolist()],
        "first_landed_at": _at(block.filed), "landed_at": _at(last_event(block, until)),
    }
    return {name: values if isinstance(values, list) else values.tolist() for name, values in told.items()}


def _facts() -> np.ndarray:
    rng = np.random.default_rng(province.SEED)
    draws = rng.random((251, len(facts.FACTS) + 1))
    return np.array([
        facts.pack(facts.LEVELS[1 + int(3 * row[0])], [None if one < 0.1 else bool(one < 0.6) for one in row[1:]]) for row in draws
    ])


FACTS = _facts()


def _at(local: np.ndarray) -> np.ndarray:
    """Instants of local seconds, None of NEVER."""
    return np.where(local < NEVER, ((local - ZONE_S) * 1_000_000).astype(object), None)


def _on(local: np.ndarray) -> np.ndarray:
    """Day numbers of local seconds; NEVER stays."""
    return np.where(local < NEVER, local // DAY_S, NEVER)


def _told(days: np.ndarray) -> np.ndarray:
    return np.where(days < NEVER, days.astype(object), None)


def _later(due: np.ndarray, received: np.ndarray, after: int) -> np.ndarray:
    return np.where(due < NEVER, np.where(received < NEVER, np.maximum(due + after, received), due + after), NEVER)


def _times(block: Dossiers, columns: dict[str, list[Any]], axis: Any) -> Rows:
    """Rows of core_dossier_time: working time from receipt to end, every twentieth due date one day off."""
    day_s = int(HOURS * 3600)
    worked = ((axis.position(np.minimum(block.ended, province.local_now())) - axis.position(np.minimum(block.received, block.ended)))
              * 3600).astype(int).tolist()
    off = (block.token % 20 == 0).astype(int).tolist()
    rows = []
    for number, standing in enumerate(columns["standing"]):
        if standing != 1:
            continue
        cell = {name: columns[name][number] for name in _TIME_COLUMNS if name in columns}
        is_done = cell["finished_on"] is not None
        cell |= {
            "worked_s": max(0, worked[number]) if is_done else None, "day_s": day_s, "elapsed_s": None,
            "expected_due_at": columns["due_at"][number], "due_gap_wd": off[number] if columns["due_at"][number] else None,
        }
        rows.append(tuple(cell[name] for name in _TIME_COLUMNS))
    return rows


def _stops(block: Dossiers, columns: dict[str, list[Any]], until: int) -> Rows:
    rows: Rows = []
    for start, end in ((block.asked, block.given), (block.asked_again, block.given_again)):
        resumed = np.where(end <= until, end, NEVER)
        spans = [one.tolist() for one in (_at(start), _at(resumed), _told(_on(start)), _told(_on(resumed)))]
        rows += [
            (FEED, columns["source_id"][n], *(span[n] for span in spans), columns["agency_code"][n], columns["domain_code"][n])
            for n in np.flatnonzero(start <= until).tolist() if columns["standing"][n] == 1
        ]
    return rows


def put_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Rows) -> None:
    """Rows into a table, as fast as the engine takes them."""
    raw = connection.connection.cursor()
    try:
        if connection.dialect.name == "sqlite":
            raw.executemany(f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", rows)
            return
        with raw.copy(f"COPY {table.name} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    finally:
        raw.close()


# ---- reports ------------------------------------------------------------------------------------------------------------
def _reports(size: Size) -> tuple[ReportRow, ...]:
    """Reports with points in their communes, channels and ratings."""
    rng = np.random.default_rng(province.SEED)
    communes = geography().communes
    pools = [points_in(area, 500, rng) for area in communes]
    handled_by = {a.area: a.code for a in catalogue().agencies if a.area}
    categories, now = catalogue().categories, province.now_at()
    rows = []
    for number in range(size.reports):
        place, category = int(rng.integers(len(communes))), categories[int(rng.integers(len(categories)))]
        lon, lat = pools[place][int(rng.integers(500))]
        received = now - int(rng.uniform(0.01, size.days) * DAY)
        closed = received + int(rng.gamma(2, category.limit_days * 0.7) * DAY)
        is_closed = closed < now
        rows.append(ReportRow(
            f"R{number:07}", category.code, category.name, agency=handled_by.get(communes[place].code, "H99.20"),
            status="resolved" if is_closed else "in_progress", channel=("app", "phone", "web")[number % 3], received_at=received,
            due_at=received + int(category.limit_days * DAY), closed_at=closed if is_closed else None, lon=float(lon), lat=float(lat),
            area=communes[place].code, is_duplicate=number % 29 == 0, is_urgent=number % 41 == 0, version=1,
            rating=int(number % 4) if is_closed else None, reopened_count=int(number % 17 == 0) if is_closed else None,
        ))
    return tuple(rows)


def main(given: argparse.Namespace) -> None:
    """The command: migrate the store of a URL and fill it."""
    size = Size(given.dossiers, given.reports, given.datastreams, given.days)
    with opened(given.store) as store:
        migrate(store)
        began = time.perf_counter()
        fill(store, size)
        print(f"{size} in {time.perf_counter() - began:.0f} s: {given.store}")
