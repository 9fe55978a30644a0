"""All KPIs of one period over HTTP, asked by 8 clients without pause while the one-stop system pushes: the API of the running program.

2M dossiers in 640 days (as many a day as a large province has). Each push is a commit, a fold and a new revision, so answers are worked
out anew all the time. "Quiet" is the same without pushes: what revisions that do not move cost.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.answers import ask_for
from benchmarks.databases import Databases
from benchmarks.results import Figure, percentile
from benchmarks.wallserver import Portal, program
from tests.servers import Spawned

CLIENTS, DAYS, SCALE = 8, 640, 5.25
PERIODS = ("last_week", "last_month")
EVERY_S = 0.5


def run(made: Databases, quick: bool) -> Iterator[Figure]:
    """The figures of one engine."""
    with program(made, 20 if quick else DAYS, SCALE) as running:
        yield from asked_of(running, made.engine, 3.0 if quick else 20.0)


def asked_of(running: Spawned, engine: str, seconds: float) -> Iterator[Figure]:
    """The figures of a running program: each period quiet, then while ingest runs, so many seconds each."""
    portal = Portal(running.url)
    portal.push()
    for period in PERIODS:
        url = f"{running.url}/api/v1/kpis?period={period}"
        asyncio.run(ask_for(url, 1, 1.0))
        for what, pushes in (("quiet", False), ("while ingest runs", True)):
            with pushing(portal, pushes):
                times = asyncio.run(ask_for(url, CLIENTS, seconds))
            note = f"p50 {percentile(times, 0.5):.0f} ms, slowest {max(times):.0f} ms, {len(times) / seconds:.0f} answers/s"
            goal = "<= 100" if pushes else ""
            yield Figure("catalogue", engine, f"all KPIs, {period}, {CLIENTS} clients, {what}: p95", percentile(times, 0.95), "ms",
                         goal, note)


@contextmanager
def pushing(portal: Portal, is_on: bool) -> Iterator[None]:
    """A dossier every half second from another thread, each a commit of its own."""
    stop = threading.Event()

    def push() -> None:
        while not stop.wait(EVERY_S):
            portal.push()

    thread = threading.Thread(target=push if is_on else (lambda: None))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
