"""From commit to pixel: a dossier is pushed to the running program, and the open wall's figure of dossiers received today changes.

The clock starts when the push is acknowledged (so after its commit) and stops when Chromium's DOM has the new text: fold, frame, push
and drawing are inside. Beside the wall hang N-1 light screens on the same stream. Pushes come 1.3-2.1 s apart, since the wall takes
at most one frame a second. CPU is that of the web process, of one core.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from playwright.sync_api import Page, sync_playwright

from benchmarks.databases import Databases
from benchmarks.results import Figure, percentile
from benchmarks.wallserver import Heard, Portal, cpu_seconds, program, screens
from tests.conftest import CHROMIUM_ARGS, chromium_path
from tests.servers import Spawned

GOAL_MS, GOAL_CPU = "<= 250", "<= 5"
FIGURE = "one_stop-dossiers_received-value"  # from the day roll-up, so the fold is inside
WATCH = """id => {
  window.seen = [];
  const node = document.getElementById(id);
  new MutationObserver(() => window.seen.push([performance.timeOrigin + performance.now(), node.textContent]))
    .observe(node, {childList: true, characterData: true, subtree: true});
}"""


def run(made: Databases, quick: bool) -> Iterator[Figure]:
    """The figures of one engine."""
    pushes = 5 if quick else 40
    loads: dict[int, float] = {}
    with program(made, 5 if quick else 36) as running, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path(), args=list(CHROMIUM_ARGS))
        portal = Portal(running.url)
        portal.push()  # the history ends in the past; without news of today today's figures are unknown
        wall = _open(chromium.new_page(viewport={"width": 1920, "height": 1080}), running.url)
        for clients in (1, 20, 100):
            heard: list[Heard] = []
            with screens(running.url, clients - 1, heard):
                waits, sent, loads[clients] = _measure(running, wall, portal, pushes)
            note = f"p50 {percentile(waits, 0.5):.0f} ms of {len(waits)}; web CPU {loads[clients]:.1f} % of a core"
            if heard:
                reached = _reached(sent, heard)
                note += f"; other screens p95 {percentile(reached, 0.95):.0f} ms"
            yield Figure("live", made.engine, f"commit to pixel, {clients} clients, p95", percentile(waits, 0.95), "ms", GOAL_MS, note)
        chromium.close()
    push = max(0.0, loads[100] - loads[1])
    yield Figure("live", made.engine, "push to 99 more screens", push, "% of a core", GOAL_CPU, "web CPU with 100 less with 1, same pushes")


def _open(page: Page, url: str) -> Page:
    page.goto(f"{url}/wall/one_stop?rotate=0")
    page.wait_for_function("id => /[0-9]/.test(document.getElementById(id)?.textContent || '')", arg=FIGURE, timeout=60_000)
    page.evaluate(WATCH, FIGURE)
    return page


def _measure(running: Spawned, wall: Page, portal: Portal, pushes: int) -> tuple[list[float], list[float], float]:
    """(milliseconds of each push, when each was acknowledged, CPU per cent of the web process meanwhile)."""
    draw = random.Random(1)
    waits, sent = [], []
    time.sleep(2)
    used, began = cpu_seconds(running.process.pid), time.time()
    for _ in range(pushes):
        before = wall.evaluate("window.seen.length")
        acknowledged = portal.push()
        wall.wait_for_function("n => window.seen.length > n", arg=before, timeout=20_000)
        waits.append(max(0.0, wall.evaluate("n => window.seen[n][0]", before) - acknowledged * 1000))
        sent.append(acknowledged)
        time.sleep(draw.uniform(1.3, 2.1))
    return waits, sent, 100 * (cpu_seconds(running.process.pid) - used) / (time.time() - began)


def _reached(sent: list[float], heard: list[Heard]) -> list[float]:
    """Milliseconds from each acknowledgement to the next frame at each light screen."""
    found = []
    for screen in {one.screen for one in heard}:
        times = sorted(one.at for one in heard if one.screen == screen)
        for acknowledged in sent:
            later = next((at for at in times if at >= acknowledged), None)
            if later is not None:
                found.append((later - acknowledged) * 1000)
    return found
