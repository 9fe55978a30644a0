"""Retention once a day: every job of store/retention.py in small batches with rests between them, each told in the audit trail."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from config import Config
from store import audit
from store.days import DAY, instant, moment
from store.engine import Store
from store.retention import JOBS, drop_readings, first_hour_kept, last_run, move_watermark, note_run, run_batch

log = logging.getLogger("toancanh.retention")
REST_S = 0.05  # between batches: whoever brings rows gets the writer


@dataclass(frozen=True)
class Done:
    """What one job took away: its table, how many rows, and up to which instant."""

    job: str
    table: str
    rows: int
    before: int


def is_due(store: Store, now: datetime) -> bool:
    """Has a day gone by since retention last ran?"""
    return instant(now) - last_run(store) >= DAY


def run(store: Store, config: Config, now: datetime, stop: threading.Event | None = None) -> tuple[Done, ...]:
    """Take away what has had its time, and note the run. `stop` ends it between two batches; the next run goes on."""
    stop = stop or threading.Event()
    found = tuple(_jobs(store, config, now, stop))
    for done in found:
        if done.rows:
            _tell(store, done, instant(now))
    if not stop.is_set():
        store.write(lambda connection: note_run(connection, instant(now)))
    log.info("retention: %s", ", ".join(f"{done.rows} of {done.job}" for done in found if done.rows) or "nothing had to go")
    return found


def _jobs(store: Store, config: Config, now: datetime, stop: threading.Event) -> Iterator[Done]:
    for job in JOBS:
        keep = job.keep(config.retention)
        if keep is None or stop.is_set():
            continue
        before = instant(config.clock(now) if job.is_city_time else now) - keep * 1_000_000
        rows, after = run_batch(store, job, before)
        while after and not stop.wait(REST_S):
            more, after = run_batch(store, job, before, after)
            rows += more
        yield Done(job.name, job.table, rows, before)
    if config.retention.readings_s is not None and not stop.is_set():
        yield _readings(store, instant(config.clock(now)) - config.retention.readings_s * 1_000_000, stop)


def _readings(store: Store, before: int, stop: threading.Event) -> Done:
    if not move_watermark(store, first_hour_kept(store, before)):
        log.info("retention: readings wait for the fold")
        return Done("readings", "core_reading", 0, before)
    rows = 0
    while (gone := drop_readings(store)) >= 0:
        rows += gone
        if stop.wait(REST_S):
            break
    return Done("readings", "core_reading", rows, before)


def _tell(store: Store, done: Done, now: int) -> None:
    detail = {"rows": done.rows, "before": moment(done.before).isoformat(timespec="seconds")}
    audit.record(store, audit.Entry(now, "system", "retention", done.table, done.job, detail))
