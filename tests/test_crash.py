"""kill -9 of a process that ingests, in mid-batch, again and again: nothing acknowledged is lost, nothing is torn, sums are right."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from random import Random

import pytest
from sqlalchemy import Connection, text

from metrics.rollups import backlog, drain, read_clock
from store.days import instant
from store.engine import Store, open_store
from store.migrate import migrate
from tests.crash_writer import CONFIG, NOW, SIZE
from tests.oracle_rollups import rollup_differences
from tests.servers import ROOT

ROUNDS = 10  # on each engine
OWN = sum(n % 3 != 0 for n in range(SIZE))  # dossiers of a batch that no other batch brings


class Writers:
    """The forking process; `run` starts a writer, lets it work, kills it, and tells what it acknowledged."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            (sys.executable, "-m", "tests.crash_writer"), cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        assert self.read() == "ready"

    def read(self) -> str:
        """The next line; fails when the process ended."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the writing process has ended"
        return line.strip()

    def run(self, url: str, first: int, batches: int, after_s: float) -> tuple[list[int], int, bool]:
        """Kill `after_s` seconds into the batch after `batches`: (acknowledged, last one started, was it cut short)."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{url} {first}\n")
        self.process.stdin.flush()
        acked, started, pid, killer = list[int](), first, 0, None
        while (line := self.read()) != "dead":
            word, number = line.split(maxsplit=1)
            assert word != "failed", line
            if word == "pid":
                pid = int(number)
            elif word == "ack":
                acked.append(int(number))
            else:
                started = int(number)
            if killer is None and pid and word == "start" and len(acked) >= batches:
                killer = threading.Timer(after_s, os.kill, (pid, signal.SIGKILL))
                killer.start()
        if killer:
            killer.join()
        return acked, started, started not in acked

    def close(self) -> None:
        """End of input ends it."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def writers() -> Iterator[Writers]:
    started = Writers()
    yield started
    started.close()


@pytest.mark.parametrize("engine", ("sqlite", "postgresql"))
def test_a_killed_ingest_loses_nothing_acknowledged_and_tears_nothing(
    engine: str, make_database: Callable[..., str], writers: Writers,
) -> None:
    url, random, cut, acknowledged = make_database(engine), Random(7), 0, list[int]()
    store = open_store(url, CONFIG.tz)
    migrate(store)
    first = 0
    for number in range(ROUNDS):
        acked, started, was_cut = writers.run(url, first, batches=1 + number % 3, after_s=random.uniform(0.0, 0.06))
        wait_for_the_dead(store)
        acknowledged, cut, first = acknowledged + acked, cut + was_cut, started + 1
        landed = counts(store, first)
        assert [batch for batch in acknowledged if batch not in landed] == []
        drain(store, instant(NOW))
        assert backlog(store) == 0
        with store.reading() as connection:
            assert rollup_differences(connection, CONFIG.tz, read_clock(connection)) == [], f"round {number}"
    assert len(acknowledged) >= ROUNDS
    assert cut >= ROUNDS // 2, f"only {cut} of {ROUNDS} kills met a batch in the making"
    store.dispose()


def wait_for_the_dead(store: Store) -> None:
    """On PostgreSQL the session of a killed client lives until it writes: wait for its end."""
    if store.is_sqlite:
        return
    others = text(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    store.engine.dispose()
    with store.engine.connect() as connection:
        connection.execute(others).all()


def counts(store: Store, before: int) -> set[int]:
    """Numbers of the batches that are in the store; fails when one is there in part."""
    found = set()
    with store.reading() as connection:
        for batch in range(before):
            seen = batch_counts(connection, batch)
            assert set(seen.values()) == {0} or all(seen.values()), f"batch {batch} is torn: {seen}"
            whole = {"core_dossier": OWN, "core_dossier_version": OWN} if batch % 2 == 0 else {
                "core_report": SIZE, "core_report_version": SIZE, "core_reading": SIZE,
            }
            if any(seen.values()):
                assert {name: seen[name] for name in whole} == whole, f"batch {batch} is torn: {seen}"
                found.add(batch)
    return found


def batch_counts(connection: Connection, batch: int) -> dict[str, int]:
    """Rows of a batch in every table it writes."""
    names = ("core_dossier", "core_dossier_version", "core_dossier_stop") if batch % 2 == 0 else ("core_report", "core_report_version")
    seen = {
        name: connection.execute(text(f"SELECT count(*) FROM {name} WHERE source_id LIKE :own"), {"own": f"b{batch}-%"}).scalar_one()
        for name in names
    }
    if batch % 2:
        newest = instant(NOW) - batch * SIZE * 60_000_000
        between = {"low": newest - (SIZE - 1) * 60_000_000, "high": newest}
        within = text("SELECT count(*) FROM core_reading WHERE observed_at BETWEEN :low AND :high")
        seen["core_reading"] = connection.execute(within, between).scalar_one()
    return seen
