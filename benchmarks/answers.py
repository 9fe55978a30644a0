"""KPI API answers a second with 1, 8 and 32 clients, beside the same question asked of the core rows by hand-written SQL.

Both through HTTP: the API is the running program's, the other a bare ASGI application over the same store, in a process of its own.
Both are asked for dossiers received, finished and on time over 30 days and over the 30 before.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import httpx
import uvicorn
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from benchmarks import province
from benchmarks.databases import Databases
from benchmarks.results import Figure, interleaved, percentile, ratio
from benchmarks.wallserver import Portal, program
from store.days import number_of
from store.engine import open_store
from tests.servers import ROOT, Spawned, free_port

CLIENTS = (1, 8, 32)
KEYS = "dossiers_received,dossiers_finished,dossiers_on_time_pct"
RAW = (
    "SELECT sum(CASE WHEN received_on BETWEEN :a AND :b THEN 1 ELSE 0 END), "
    "sum(CASE WHEN finished_on BETWEEN :a AND :b THEN 1 ELSE 0 END), "
    "sum(CASE WHEN finished_on BETWEEN :a AND :b AND finished_at <= due_at THEN 1 ELSE 0 END) FROM core_dossier "
    "WHERE (received_on BETWEEN :a AND :b OR finished_on BETWEEN :a AND :b) AND standing IN (1, 4)"
)


def run(made: Databases, quick: bool) -> Iterator[Figure]:
    """The figures of one engine."""
    seconds = 1.0 if quick else 3.0
    last = province.NOW.date()
    period = f"{last - timedelta(days=29)}..{last}"
    with program(made, 10 if quick else 36) as running:
        Portal(running.url).push()
        url = running.command[running.command.index("--store") + 1]
        with _raw_server(url, last) as raw:
            asked = {
                "API": f"{running.url}/api/v1/kpis?keys={KEYS}&period={period}", "SQL on core rows": f"{raw.url}/",
            }
            for clients in CLIENTS:
                times: dict[str, list[float]] = {name: [] for name in asked}

                def rate(name: str, clients: int = clients, times: dict[str, list[float]] = times) -> float:
                    found = asyncio.run(ask_for(asked[name], clients, seconds))
                    times[name] += found
                    return len(found) / seconds

                found = interleaved({name: lambda name=name: rate(name) for name in asked}, 2 if quick else 5)  # type: ignore[misc]
                value, spread = ratio(found["API"], found["SQL on core rows"])
                rates = (f"{name} {percentile(found[name], 0.5):.0f}/s p95 {percentile(times[name], 0.95):.0f} ms" for name in asked)
                note = f"{', '.join(rates)}; {spread}"
                yield Figure("answers", made.engine, f"answers/s of the API / SQL on core rows, {clients} clients", value, "", "", note)


async def ask_for(url: str, clients: int, seconds: float) -> list[float]:
    """Milliseconds of every answer that `clients` got in that time, each asking again at once."""
    times: list[float] = []
    until = time.perf_counter() + seconds
    async with httpx.AsyncClient(timeout=30, trust_env=False, limits=httpx.Limits(max_connections=clients)) as http:

        async def one() -> None:
            while (began := time.perf_counter()) < until:
                answer = await http.get(url)
                answer.raise_for_status()
                times.append((time.perf_counter() - began) * 1000)

        await asyncio.gather(*(one() for _ in range(clients)))
    return times


@contextmanager
def _raw_server(store_url: str, last: date) -> Iterator[Spawned]:
    port = free_port()
    given = json.dumps({"store": store_url, "last": last.isoformat(), "port": port})
    running = Spawned((sys.executable, "-m", "benchmarks.answers", given), env={"PYTHONPATH": str(ROOT)}, port=port)
    try:
        running.wait_ready()
        yield running
    finally:
        running.close()


def _serve_raw(given: dict[str, Any]) -> None:
    """The bare application: one statement over core rows, in a thread, as JSON."""
    store = open_store(given["store"], province.TZ)
    last = number_of(date.fromisoformat(given["last"]))

    def ask() -> list[float | None]:
        with store.reading() as connection:
            received, finished, on_time = connection.execute(text(RAW), {"a": last - 29, "b": last}).one()
            connection.execute(text(RAW), {"a": last - 59, "b": last - 30}).one()
        return [int(received or 0), int(finished or 0), 100 * int(on_time or 0) / finished if finished else None]

    async def answer(request: Request) -> JSONResponse:
        return JSONResponse(await asyncio.to_thread(ask))

    async def ready(request: Request) -> JSONResponse:
        return JSONResponse({})

    app = Starlette(routes=[Route("/", answer), Route("/readyz", ready)])
    uvicorn.run(app, host="127.0.0.1", port=given["port"], log_level="warning")


if __name__ == "__main__":
    _serve_raw(json.loads(sys.argv[1]))
