"""Ingest with roll-ups against without: the same batches landed, a fold process at work beside them or none at all.

The number is rows over the time until the last batch is committed AND nothing is left to fold; the time to the last commit alone is
reported beside it. Without = no dirty log, no fold. The fold is the one `cli.py ingest` runs, in a process of its own.
"""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.synchronize import Event

from benchmarks import province
from benchmarks.databases import Databases, filled, opened
from benchmarks.results import Figure, interleaved, ratio
from metrics.rollups import backlog, clock_step, rebuild
from pipeline import Ingest
from store.days import moment
from store.engine import Store
from store.landing import Landing, land
from store.rows import Parsed

GOAL = ">= 0.85"


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
    dossiers = [Parsed(dossiers=rows, item_count=len(rows)) for rows in province.dossier_batches(4 if quick else 12)]
    return (
        Load("dossiers", "one_stop", "one_stop", dossiers),
        Load("readings each minute", "sensors", "sensors", _readings(1, 4 if quick else 24)),
        Load("readings each 24 minutes", "sensors", "sensors", _readings(24, 4 if quick else 24)),
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
        commits: dict[str, list[float]] = {"with": [], "without": []}

        def measure(kind: str, load: Load = load, commits: dict[str, list[float]] = commits) -> float:
            commit, whole = _once(made, base, load, kind == "with")
            commits[kind].append(load.rows / commit)
            return load.rows / whole

        found = interleaved({kind: lambda kind=kind: measure(kind) for kind in commits}, 3 if quick else 5)  # type: ignore[misc]
        value, spread = ratio(found["with"], found["without"])
        yield Figure("ingest", made.engine, f"{load.name}: rows/s with roll-ups / without", value, "", GOAL, f"all folded; {spread}")
        value, spread = ratio(commits["with"], commits["without"])
        yield Figure("ingest", made.engine, f"{load.name}: the same to the last commit", value, "", "", spread)
        for kind in commits:
            yield Figure("ingest", made.engine, f"{load.name}: rate {kind} roll-ups", sorted(found[kind])[len(found[kind]) // 2], "rows/s")
    made.drop(base)


def _history(store: Store, days: int) -> None:
    province.fill(store, days)
    clock_step(store, province.now_at())
    rebuild(store, province.now_at())


def _once(made: Databases, base: str, load: Load, track: bool) -> tuple[float, float]:
    """(seconds to the last commit, seconds until all is folded) of one run on a copy of the history."""
    url = made.copy(base)
    try:
        with opened(url) as store:
            if not track:
                return (_land(store, load, track),) * 2
            with folding(url):
                began = time.perf_counter()
                committed = _land(store, load, track)
                while backlog(store):
                    time.sleep(0.005)
                return committed, time.perf_counter() - began
    finally:
        made.drop(url)


def _land(store: Store, load: Load, track: bool) -> float:
    began = time.perf_counter()
    for number, batch in enumerate(load.batches, 1):
        land(store, batch, Landing(load.feed, load.role, province.now_at() + number * 1_000_000, track=track))
    return time.perf_counter() - began


@contextmanager
def folding(url: str) -> Iterator[None]:
    """The ingest loop on a store in a process of its own, ready when the block begins."""
    context = multiprocessing.get_context("spawn")
    ready, stop = context.Event(), context.Event()
    process = context.Process(target=_fold_until, args=(url, ready, stop), daemon=True)
    process.start()
    try:
        if not ready.wait(60):
            raise RuntimeError("the fold process did not start")
        yield
    finally:
        stop.set()
        process.join(30)
        if process.is_alive():
            process.kill()


def _fold_until(url: str, ready: Event, stop: Event) -> None:
    config = replace(province.city(), feeds=())  # nothing to pull: only the clock and the fold
    with opened(url) as store:
        work = Ingest(store, config, lambda: moment(province.now_at()))
        work.turn()
        thread = threading.Thread(target=work.run)
        thread.start()
        ready.set()
        stop.wait()
        work.stop.set()
        thread.join()
