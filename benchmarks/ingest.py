"""Ingest with roll-ups against without: the same batches landed, judged and folded beside it, or judged only, or neither.

The number is rows over the time until the last batch is committed AND nothing is left to judge or to fold; the time to the last commit
alone is reported beside it. With = all that `cli.py ingest` does, in a process of its own. Without = the same with no dirty log and no
fold. Landing alone = no such process at all: what working time and due dates cost (metrics/judging.py) is told by it.
"""

from __future__ import annotations

import multiprocessing
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from multiprocessing.synchronize import Event

from benchmarks import province
from benchmarks.databases import Databases, filled, opened
from benchmarks.results import Figure, interleaved, number, ratio
from benchmarks.wallserver import cpu_seconds
from metrics.judging import is_waiting, judge
from metrics.rollups import backlog, clock_step, rebuild
from pipeline import Ingest
from store.days import moment
from store.engine import Store
from store.landing import Landing, land
from store.rows import Parsed

GOAL = ">= 0.85"
KINDS = ("with", "without", "landing alone")


@dataclass(frozen=True)
class Load:
    """Batches of one feed and the history they land on."""

    name: str
    feed: str
    role: str
    batches: Sequence[Parsed]

    @property
    def rows(self) -> int:
        """Rows in all batches."""
        return sum(len(batch.dossiers) + len(batch.readings) for batch in self.batches)


def loads(quick: bool) -> tuple[Load, ...]:
    """Dossiers in batches of 1000 (half new, half later versions); readings in batches of 5000, as a live stream and as history."""
    dossiers = [Parsed(dossiers=rows, item_count=len(rows)) for rows in province.dossier_batches(4 if quick else 80)]
    return (
        Load("dossiers", "one_stop", "one_stop", dossiers),
        Load("readings each minute", "sensors", "sensors", _readings(1, 4 if quick else 360)),
        Load("readings each 24 minutes", "sensors", "sensors", _readings(24, 4 if quick else 60)),
    )


def _readings(minutes: int, count: int) -> list[Parsed]:
    """`count` batches: 25 minutes (or 10 hours) of 200 datastreams each."""
    start = province.now_at()
    rows = list(province.readings(start, start + count * 25 * minutes * 60_000_000, minutes))
    return [Parsed(readings=tuple(rows[n : n + 5000]), item_count=5000) for n in range(0, len(rows), 5000)]


def run(made: Databases, quick: bool) -> Iterator[Figure]:
    """The figures of one engine."""
    base = filled(made, lambda store: _history(store, 10 if quick else 36))
    for load in loads(quick):
        yield from _compare(made, base, load, 3 if quick else 4)
    made.drop(base)


def _compare(made: Databases, base: str, load: Load, rounds: int) -> Iterator[Figure]:
    """With against without, in turn."""
    runs: dict[str, list[Took]] = {kind: [] for kind in KINDS}

    def measure(kind: str) -> float:
        runs[kind].append(_once(made, base, load, kind))
        return load.rows / runs[kind][-1].whole

    found = interleaved({kind: partial(measure, kind) for kind in runs}, rounds)
    value, spread = ratio(found["with"], found["without"])
    rates = ", ".join(f"{kind} {number(statistics.median(found[kind]))} rows/s" for kind in runs)
    yield Figure("ingest", made.engine, f"{load.name}: rows/s with roll-ups / without, all folded", value, "", GOAL, f"{rates}; {spread}")
    value, spread = ratio([one.commit for one in runs["without"]], [one.commit for one in runs["with"]])
    yield Figure("ingest", made.engine, f"{load.name}: the same, to the last commit", value, "", "", spread)
    value, spread = ratio(found["with"], found["landing alone"])
    yield Figure("ingest", made.engine, f"{load.name}: judged and folded / landing alone", value, "", "", spread)
    if made.engine == "sqlite":  # of PostgreSQL most work is done in its own processes
        value, spread = ratio([one.cpu for one in runs["without"]], [one.cpu for one in runs["with"]])
        yield Figure("ingest", made.engine, f"{load.name}: CPU a row without roll-ups / with", value, "", "", spread)


def _history(store: Store, days: int) -> None:
    province.fill(store, days)
    clock_step(store, province.now_at())
    judge(store, replace(province.city(), feeds=()))
    rebuild(store, province.now_at())


@dataclass(frozen=True)
class Took:
    """Seconds of one run: to the last commit, until all is folded, and of CPU in the landing and the folding process."""

    commit: float
    whole: float
    cpu: float


def _once(made: Databases, base: str, load: Load, kind: str) -> Took:
    """One run on a copy of the history."""
    url = made.copy(base)
    try:
        with opened(url) as store:
            used = time.process_time()
            if kind == "landing alone":
                took = _land(store, load, track=False)
                return Took(took, took, time.process_time() - used)
            with working(url, has_fold=kind == "with") as worker:
                used, began, before = time.process_time(), time.perf_counter(), cpu_seconds(worker)
                committed = _land(store, load, track=kind == "with")
                while is_waiting(store) or (kind == "with" and backlog(store)):
                    time.sleep(0.02)
                whole = time.perf_counter() - began
                return Took(committed, whole, time.process_time() - used + cpu_seconds(worker) - before)
    finally:
        made.drop(url)


def _land(store: Store, load: Load, track: bool) -> float:
    began = time.perf_counter()
    for turn, batch in enumerate(load.batches, 1):
        newest = max((row.observed_at for row in batch.readings), default=0)  # what comes before its time is flagged
        at = max(province.now_at() + turn * 1_000_000, newest)
        land(store, batch, Landing(load.feed, load.role, at, track=track))
    return time.perf_counter() - began


@contextmanager
def working(url: str, has_fold: bool = True) -> Iterator[int]:
    """The ingest loop on a store in a process of its own, ready when the block begins; gives its process id."""
    context = multiprocessing.get_context("spawn")
    ready, stop = context.Event(), context.Event()
    process = context.Process(target=_work_until, args=(url, has_fold, ready, stop), daemon=True)
    process.start()
    try:
        if not ready.wait(60):
            raise RuntimeError("the ingest process did not start")
        yield process.pid or 0
    finally:
        stop.set()
        process.join(30)
        if process.is_alive():
            process.kill()


class Unfolded(Ingest):
    """The ingest loop without its fold."""

    def _fold(self, now: datetime) -> int:
        return 0


def _work_until(url: str, has_fold: bool, ready: Event, stop: Event) -> None:
    config = replace(province.city(), feeds=())  # nothing to pull: only the clock, the judging and the fold
    with opened(url) as store:
        work = (Ingest if has_fold else Unfolded)(store, config, lambda: moment(province.now_at()))
        work.turn()
        if work.retaining:  # what a start does once a day is not what a batch costs
            work.retaining.result()
        thread = threading.Thread(target=work.run)
        thread.start()
        ready.set()
        stop.wait()
        work.stop.set()
        thread.join()
