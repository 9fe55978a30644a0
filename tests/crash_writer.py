"""The process that test_crash.py kills: imports once, then forks a writer for every line "url first_batch" on its input.

A writer lands numbered batches through the real Sync and land, folding in a second thread, and says "start n" before and "ack n"
after each commit. It never ends by itself.
"""

from __future__ import annotations

import os
import sys
import threading
from datetime import UTC, datetime, timedelta
from itertools import count

from config import Config, FeedConfig
from data_sources.sync import Sync
from metrics.rollups import clock_step, fold
from store.days import instant
from store.engine import Store, open_store
from store.landing import Landing, land
from store.rows import DatastreamRow, Parsed, ReadingRow, ReportRow, StationRow

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
FEED = FeedConfig("one_stop", "one_stop", "portal", version="event")
CONFIG = Config("Crash", feeds=(FEED,))
SIZE = 60


def say(words: str) -> None:
    """One line to the parent, at once."""
    os.write(1, f"{words}\n".encode())


def wire(batch: int, number: int) -> dict[str, object]:
    """A dossier as the portal sends it. Every third is one of forty that all batches bring anew; some end, some wait."""
    key = f"shared-{(batch * SIZE + number) % 40}" if number % 3 == 0 else f"b{batch}-{number}"
    start = datetime(2026, 11, 2 + number % 9, 9 + batch % 7)
    done = (batch + number) % 4 == 0
    stamp = "%Y%m%d%H%M%S"
    asked = [{"HoSoBoSungId": 1, "NgayBoSung": f"{start + timedelta(days=1):%Y-%m-%dT%H:%M:%S}", "NgayTiepNhanBoSung": ""}]
    return {
        "MaHoSo": key, "MaTTHC": "1.000001", "MaLinhVuc": f"L{number % 3}", "DonViXuLy": f"Sở {number % 4}", "KenhThucHien": "2",
        "NgayNopHoSo": f"{start:{stamp}}", "NgayTiepNhan": f"{start:{stamp}}", "NgayHenTra": f"{start + timedelta(days=5):{stamp}}",
        "NgayKetThucXuLy": f"{start + timedelta(days=3 + number % 5):{stamp}}" if done else "",
        "TrangThaiHoSo": "9" if done else "5" if number % 7 == 0 else "4",
        "DanhSachHoSoBoSung": asked if number % 7 == 0 and not done else [],
    }


def mixed(batch: int) -> Parsed:
    """Reports and readings of a batch, and the description of what measures."""
    at = instant(NOW)
    hour = 3_600_000_000
    reports = tuple(
        ReportRow(
            f"b{batch}-{n}", category="c", agency="A", area="X", status="closed" if n % 2 else "new", received_at=at - 90 * hour,
            due_at=at - 20 * hour, closed_at=at - n * hour if n % 2 else None, version=batch,
        )
        for n in range(SIZE)
    )
    readings = tuple(ReadingRow("d", at - (batch * SIZE + n) * 60_000_000, float(n)) for n in range(SIZE))
    return Parsed((), (), reports, (StationRow("s", "s", area="X"),), (DatastreamRow("d", "s", "pm25"),), readings)


def land_batch(store: Store, sync: Sync, batch: int) -> None:
    """Even batches are pushed dossiers, odd ones reports with readings."""
    if batch % 2:
        land(store, mixed(batch), Landing("other", "sensors", instant(NOW)))
    else:
        sync.push(FEED, [wire(batch, n) for n in range(SIZE)], NOW, "DongBoHoSoMC")


def keep_folding(store: Store) -> None:
    """Clock and fold, in small rounds so that many commits are in flight."""
    for step in count():
        clock_step(store, instant(NOW) - 10**12 + step * 10**9)
        fold(store, instant(NOW), limit=40)


def write(url: str, first: int) -> None:
    """Land batches until killed."""
    store = open_store(url, CONFIG.tz)
    threading.Thread(target=keep_folding, args=(store,), daemon=True).start()
    sync = Sync(store, CONFIG)
    for batch in count(first):
        say(f"start {batch}")
        land_batch(store, sync, batch)
        say(f"ack {batch}")


def main() -> None:
    """Fork a writer for each line of input; wait for its end."""
    say("ready")
    for line in sys.stdin:
        url, first = line.split()
        child = os.fork()
        if child == 0:
            try:
                write(url, int(first))
            except BaseException as error:
                say(f"failed {error!r}")
            finally:
                os._exit(1)
        say(f"pid {child}")
        os.waitpid(child, 0)
        say("dead")


if __name__ == "__main__":
    main()
