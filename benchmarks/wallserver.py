"""What the live benchmarks need around the product: the real program over a filled store, a portal that pushes, many light screens."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from benchmarks import province
from benchmarks.databases import Databases, filled
from metrics.rollups import clock_step, rebuild
from store.engine import Store
from tests.servers import Spawned, spawn_cli

CITY = """
[city]
name = "Tỉnh An Hải"
simulated = true
[wall]
dwell_s = 3600
[targets]
dossiers_on_time_pct = 95
[[feeds]]
key = "one_stop"
role = "one_stop"
protocol = "portal"
title = "Hồ sơ một cửa"
version = "event"
cadence_s = 900
username = "bench"
password = "bench-only"
[[feeds]]
key = "feedback"
role = "feedback"
protocol = "csv"
title = "Phản ánh hiện trường"
path = "reports.csv"
schedule_s = "1d"
cadence_s = 900
[feeds.fields]
source_id = { from = "id" }
received_at = { from = "at" }
[[feeds]]
key = "sensors"
role = "sensors"
protocol = "csv"
title = "Quan trắc"
path = "readings.csv"
schedule_s = "1d"
cadence_s = 3600
[feeds.fields]
station_id = { from = "id" }
property = { from = "property" }
observed_at = { from = "at" }
value = { from = "value" }
"""


@contextmanager
def program(made: Databases, days: int, scale: float = province.SCALE) -> Iterator[Spawned]:
    """`cli.py run` (web and ingest processes) over a store with `days` days of history, its rolled-up past included."""
    url = filled(made, lambda store: _history(store, days, scale))
    with running_over(url) as running:
        yield running
    made.drop(url)


@contextmanager
def running_over(url: str) -> Iterator[Spawned]:
    """The same over a store that is there already; it is left as the run made it."""
    with tempfile.TemporaryDirectory(prefix="toancanh-city-") as folder:
        (Path(folder) / "city.toml").write_text(CITY, encoding="utf-8")
        (Path(folder) / "reports.csv").write_text("id,at\n", encoding="utf-8")
        (Path(folder) / "readings.csv").write_text("id,property,at,value\n", encoding="utf-8")
        running = spawn_cli("run", "--city", str(Path(folder) / "city.toml"), "--store", url)
        try:
            yield running
        finally:
            running.close()


def _history(store: Store, days: int, scale: float) -> None:
    province.fill(store, days, scale=scale)
    clock_step(store, province.now_at())
    rebuild(store, province.now_at())


class Portal:
    """The province's one-stop system: logs in, pushes dossiers in the wire format."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(timeout=30, trust_env=False)
        self._url = f"{url}/ingest/one_stop"
        answer = self._http.post(f"{self._url}/login", json={"username": "bench", "password": "bench-only"}).json()
        self._session = answer["session"]
        self._sent = 0

    def push(self) -> float:
        """Send one new dossier received a minute ago; the epoch second at which the commit was acknowledged."""
        self._sent += 1
        now = datetime.now(province.TZ)
        dossier = {
            "MaHoSo": f"BENCH-{os.getpid()}-{self._sent:06}", "MaTTHC": "1.004193", "TenTTHC": "Cấp giấy phép", "MaLinhVuc": "XD",
            "TenLinhVuc": "Xây dựng", "KenhThucHien": "2", "NgayTiepNhan": _stamp(now - timedelta(minutes=1)),
            "NgayHenTra": _stamp(now + timedelta(days=5)), "TrangThaiHoSo": "4", "DonViXuLy": "H99.20", "NgayKetThucXuLy": "",
            "DanhSachHoSoBoSung": [],
        }
        body: dict[str, Any] = {
            "session": self._session, "madonvi": "H99", "service": "DongBoHoSoMC", "isUpdating": "False", "data": [dossier],
        }
        answer = self._http.post(self._url, json=body).json()
        acknowledged = time.time()
        if str(answer["error_code"]) not in ("0", "00"):
            raise RuntimeError(f"the push was refused: {answer}")
        return acknowledged


def _stamp(at: datetime) -> str:
    return at.strftime("%Y%m%d%H%M%S")


@dataclass(frozen=True)
class Heard:
    """One frame at one screen: which screen, when (epoch seconds), how many bytes."""

    screen: int
    at: float
    size: int


@contextmanager
def screens(url: str, count: int, heard: list[Heard]) -> Iterator[None]:
    """`count` light screens on GET /live/wall in a process of their own; what they heard is in `heard` after the block."""
    if not count:
        yield
        return
    context = multiprocessing.get_context("spawn")
    ready, stop = context.Event(), context.Event()
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_listen_all, args=(url, count, ready, stop, theirs), daemon=True)
    process.start()
    try:
        if not ready.wait(60):
            raise RuntimeError(f"{count} screens could not connect")
        yield
        stop.set()
        if mine.poll(20):
            heard += mine.recv()
    finally:
        stop.set()
        process.join(5)
        if process.is_alive():
            process.kill()


def _listen_all(url: str, count: int, ready: Event, stop: Event, answer: Any) -> None:
    heard: list[Heard] = []

    async def run() -> None:
        first = [asyncio.Event() for _ in range(count)]
        tasks = [asyncio.create_task(_listen(url, number, first[number], heard)) for number in range(count)]
        await asyncio.gather(*(event.wait() for event in first))
        ready.set()
        while not stop.is_set():
            await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()

    asyncio.run(run())
    answer.send(heard)


async def _listen(url: str, number: int, first: asyncio.Event, heard: list[Heard]) -> None:
    """Read one event stream; server-sent events come as chunks whose lines we only look at."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=4_000_000)
    writer.write(f"GET /live/wall HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: text/event-stream\r\n\r\n".encode())
    await writer.drain()
    while line := await reader.readline():
        if line.startswith(b"data: {\"seq\""):
            heard.append(Heard(number, time.time(), len(line)))
            first.set()


def cpu_seconds(pid: int) -> float:
    """CPU time a process has used so far, user and system."""
    parts = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")
