"""The map under 50,000 open reports, in a real Chromium: long tasks and the longest frame of a pan, how soon its answer is drawn.

Beside it the same with 500 reports: what a reader feels must not follow what is stored. Reports lie in the demo's communes.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from playwright.sync_api import Browser, CDPSession, Page, TimeoutError, sync_playwright
from shapely.geometry import mapping

from app import make_app
from benchmarks import province
from benchmarks.databases import Databases, analyse
from benchmarks.results import Figure
from data_sources.demo.geography import geography
from data_sources.demo.stations import points_in
from metrics.rollups import clock_step, fold, log_everything
from store.days import DAY, HOUR, moment
from store.engine import Store, open_store
from store.landing import Landing, land
from store.rows import AreaRow, Parsed, ReportRow
from tests.conftest import CHROMIUM_ARGS, chromium_path
from tests.servers import LiveServer

MANY, FEW = 50_000, 500
PANS = ((450, 40), (-450, 90), (60, -300), (-400, 200), (420, 130), (-380, -240))  # further than what is read around the view
WATCH = """() => {
  window.tc = {tasks: [], frames: [], took: []};
  performance.setResourceTimingBufferSize(10000);
  new PerformanceObserver(list => list.getEntries().forEach(e => tc.tasks.push(e.duration))).observe({type: 'longtask', buffered: false});
  let last = performance.now();
  (function frame(now) { tc.frames.push(now - last); last = now; requestAnimationFrame(frame); })(last);
  new MutationObserver(() => requestAnimationFrame(() => {
    const asked = performance.getEntriesByType('resource').filter(e => e.name.includes('_dash-update-component')).pop();
    tc.took.push(performance.now() - asked.startTime);
  })).observe(document.getElementById('map-answered'), {childList: true});
}"""
TOKEN = "() => { const n = document.querySelector('#map-answered [data-token]'); return n ? n.dataset.token : '' }"


@dataclass
class Panned:
    """What was seen of many pans: ms each."""

    frames: list[float]
    tasks: list[float]
    answers: list[float]
    sizes: list[int]
    counts: list[int]
    cpu_ms: float = 0.0


def run(made: Databases, quick: bool) -> Iterator[Figure]:
    """The figures of one engine."""
    sizes = {"few": FEW, "many": 5_000 if quick else MANY}
    found: dict[str, Panned] = {}
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path(), args=list(CHROMIUM_ARGS))
        for name, size in sizes.items():
            store = open_store(made.make(), province.TZ)
            _fill(store, size)
            found[name] = _pans(store, chromium, 2 if quick else 5)
            store.dispose()
        chromium.close()
    yield from _figures(made.engine, sizes["many"], found["few"], found["many"])


def _figures(engine: str, size: int, few: Panned, many: Panned) -> Iterator[Figure]:
    what = f"map, {size:,} open reports".replace(",", " ")
    yield Figure("map", engine, f"{what}: CPU of the page's main thread a pan, answer and zooming included", many.cpu_ms, "ms")
    yield Figure("map", engine, f"{what}: the same over that of {FEW} reports", many.cpu_ms / few.cpu_ms, "", "<= 2")
    yield Figure("map", engine, f"{what}: longest frame of a pan, median", statistics.median(many.frames), "ms", "<= 50")
    yield Figure("map", engine, f"{what}: longest frame of a pan, worst", max(many.frames), "ms")
    tasks = len(many.tasks) / len(many.frames)
    yield Figure("map", engine, f"{what}: long tasks (over 50 ms) a pan, drawing its answer included", tasks, "")
    yield Figure("map", engine, f"{what}: longest long task", max(many.tasks, default=0.0), "ms")
    yield Figure("map", engine, f"{what}: view asked for to drawn, median", statistics.median(many.answers), "ms", "<= 500")
    yield Figure("map", engine, f"{what}: view asked for to drawn, worst", max(many.answers), "ms")
    yield Figure("map", engine, f"{what}: answer, largest", max(many.sizes) / 1024, "KiB", note=f"{max(many.counts)} reports in it")
    over = statistics.median(many.answers) / statistics.median(few.answers)
    note = f"{len(many.answers)} answers in {len(many.frames)} pans"
    yield Figure("map", engine, f"{what}: view asked for to drawn, over {FEW} reports", over, "", note=note)


def _fill(store: Store, size: int) -> None:
    """Communes with polygons; open reports due from 10 days ago to 10 days on."""
    rng, now = np.random.default_rng(province.SEED), province.now_at()
    communes = geography().communes
    areas = tuple(AreaRow(a.code, a.name, a.name, level="commune", geometry=dict(mapping(a.geometry))) for a in communes)
    land(store, Parsed(areas=areas), Landing("areas", "areas", now))
    pools = [points_in(area, size // len(communes) + 1, rng) for area in communes]
    due = now + (rng.uniform(-10, 10, size) * DAY).astype(np.int64)
    rows = tuple(
        ReportRow(
            f"P{n:06}", "road", communes[n % 50].code, area=communes[n % 50].code, status="in_progress", channel="app",
            received_at=int(due[n]) - 5 * DAY - HOUR, due_at=int(due[n]), lon=float(pools[n % 50][n // 50][0]),
            lat=float(pools[n % 50][n // 50][1]),
        )
        for n in range(size)
    )
    for start in range(0, size, 20_000):
        part = rows[start : start + 20_000]
        land(store, Parsed(reports=part, item_count=len(part)), Landing("feedback", "feedback", now, track=False))
    clock_step(store, now)
    store.write(lambda connection: log_everything(connection, store.days))
    fold(store, now, limit=2**31 - 1)
    analyse(store)


def _pans(store: Store, chromium: Browser, rounds: int) -> Panned:
    now = moment(province.now_at())
    served = LiveServer(make_app(province.city(), store, now=lambda: now).server).start()
    page = chromium.new_context(viewport={"width": 1440, "height": 900}, timezone_id=str(ZoneInfo("Asia/Ho_Chi_Minh"))).new_page()
    seen = Panned([], [], [], [], [])
    busy = page.context.new_cdp_session(page)
    busy.send("Performance.enable", {"timeDomain": "threadTicks"})  # the main thread's CPU: a busy machine does not inflate it
    page.on("response", lambda answer: _note(seen, answer.request.post_data or "", answer))
    try:
        page.goto(f"{served.url}/map")
        page.wait_for_selector("#map-answered [data-token]", timeout=60_000)
        page.evaluate(WATCH)
        before = _busy_s(busy)
        for _ in range(rounds):
            page.click("[data-map=home]")
            for step in range(3):
                page.wait_for_timeout(400)
                for by in PANS[2 * step : 2 * step + 2]:
                    _pan(page, by, seen)
                page.click("[data-map=in]")
        seen.cpu_ms = 1000 * (_busy_s(busy) - before) / len(seen.frames)
    finally:
        page.context.close()
        served.stop()
    return seen


def _busy_s(session: CDPSession) -> float:
    """Seconds of CPU the page's main thread has spent on tasks."""
    return next(float(row["value"]) for row in session.send("Performance.getMetrics")["metrics"] if row["name"] == "TaskDuration")


def _note(seen: Panned, asked: str, answer: Any) -> None:
    if "map-spots" in asked and '"changedPropIds":["map-asked.data"]' in asked:
        body = answer.body()
        seen.sizes.append(len(body))
        told: Mapping[str, Any] = json.loads(body).get("response", {})
        features: Sequence[Mapping[str, Any]] = told.get("map-spots", {}).get("data", {}).get("features", ())
        seen.counts.append(sum(feature["properties"]["n"] for feature in features))


def _pan(page: Page, by: tuple[int, int], seen: Panned) -> None:
    """Drag the map; frames while it is dragged, tasks until its answer is drawn, if one is asked for."""
    box = page.locator("#map").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    before = page.evaluate(TOKEN)
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate("() => { tc.frames = []; tc.tasks = []; }")
    page.mouse.move(x + by[0], y + by[1], steps=20)
    seen.frames.append(float(page.evaluate("() => Math.max(...tc.frames)")))
    page.mouse.up()
    with suppress(TimeoutError):  # the pan stayed inside what was known: nothing was asked
        page.wait_for_selector(f"#map-answered [data-token]:not([data-token='{before}'])", timeout=1_500)
    page.wait_for_timeout(100)
    told = page.evaluate("() => { const told = {tasks: tc.tasks, took: tc.took}; tc.took = []; return told }")
    seen.tasks += told["tasks"]
    seen.answers += told["took"]
