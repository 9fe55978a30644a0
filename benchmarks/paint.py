"""First paint and bytes on the wire of the wall and the desk with a cold cache, beside a bare Dash page with the whole plotly bundle.

All in one run, in turn, from the same machine, in fresh browser contexts. Bytes are those the browser received, compressed, headers in.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, sync_playwright

from benchmarks.databases import Databases
from benchmarks.results import Figure, interleaved, ratio
from benchmarks.wallserver import Portal, program
from tests.conftest import CHROMIUM_ARGS, chromium_path
from tests.servers import Spawned, free_port

# what a reader came for: the first figures of ours, the plot of the bare page
CONTENT = """() => document.querySelector('.js-plotly-plot .main-svg') ||
  [...document.querySelectorAll("[id$='-value'], .d-value")].some(node => /[0-9]/.test(node.textContent))"""
BARE = """
import sys
import dash
import plotly.graph_objects as go
app = dash.Dash(__name__)
app.layout = dash.html.Div([dash.html.H1("Bare page"), dash.dcc.Graph(figure=go.Figure(go.Bar(x=[1, 2, 3], y=[4, 1, 2])))])
app.enable_dev_tools(debug=False)
app.server.route("/readyz")(lambda: "ok")
app.run(host="127.0.0.1", port=int(sys.argv[sys.argv.index("--port") + 1]), debug=False)
"""


@dataclass
class Loaded:
    """One cold load: first contentful paint and first figures (or plot) in ms, and the bytes of every response."""

    paint_ms: float
    content_ms: float
    sizes: dict[str, int]

    @property
    def total(self) -> int:
        """All bytes."""
        return sum(self.sizes.values())


def run(made: Databases, quick: bool) -> Iterator[Figure]:
    """The figures; the store's engine plays no part."""
    with program(made, 5 if quick else 20) as running, _bare_page(made.folder) as bare, sync_playwright() as playwright:
        Portal(running.url).push()
        chromium = playwright.chromium.launch(executable_path=chromium_path(), args=list(CHROMIUM_ARGS))
        pages = {"wall": f"{running.url}/wall", "desk": f"{running.url}/", "bare Dash page": f"{bare.url}/"}
        loads: dict[str, list[Loaded]] = {name: [] for name in pages}

        def paint(name: str) -> float:
            loads[name].append(_load(chromium, pages[name]))
            return loads[name][-1].content_ms

        found = interleaved({name: lambda name=name: paint(name) for name in pages}, 3 if quick else 9)  # type: ignore[misc]
        chromium.close()
    for name in pages:
        total = statistics.median(one.total for one in loads[name])
        painted = statistics.median(one.paint_ms for one in loads[name])
        yield Figure("paint", "-", f"{name}: first contentful paint", painted, "ms")
        yield Figure("paint", "-", f"{name}: first figures or plot", statistics.median(found[name]), "ms")
        yield Figure("paint", "-", f"{name}: bytes on the wire", total / 1000, "kB", "", _parts(loads[name][-1]))
    for name in ("wall", "desk"):
        value, spread = ratio(found[name], found["bare Dash page"])
        yield Figure("paint", "-", f"{name} / bare Dash page: first figures or plot", value, "", "", spread)
        share = loads[name][-1].total / loads["bare Dash page"][-1].total
        yield Figure("paint", "-", f"{name} / bare Dash page: bytes", share, "")


@contextmanager
def _bare_page(folder: Path) -> Iterator[Spawned]:
    """A Dash program of seven lines, as its makers deliver it: no compression, the whole plotly.js."""
    path = folder / "bare.py"
    path.write_text(BARE, encoding="utf-8")
    port = free_port()
    running = Spawned((sys.executable, str(path), "--port", str(port)), env={}, port=port)
    try:
        running.wait_ready()
        yield running
    finally:
        running.close()


def _load(browser: Browser, url: str) -> Loaded:
    """Load a page in a fresh context and let it come to rest."""
    context = browser.new_context(viewport={"width": 1920, "height": 1080}, locale="vi-VN")
    page = context.new_page()
    protocol = context.new_cdp_session(page)
    protocol.send("Network.enable")
    names: dict[str, str] = {}
    sizes: dict[str, int] = {}

    def note(event: dict[str, Any]) -> None:
        path = urlsplit(names.get(event["requestId"], "")).path
        sizes[path] = sizes.get(path, 0) + int(event["encodedDataLength"])

    protocol.on("Network.requestWillBeSent", lambda event: names.update({event["requestId"]: event["request"]["url"]}))
    protocol.on("Network.loadingFinished", note)
    page.goto(url, wait_until="commit")
    page.wait_for_function(CONTENT, timeout=30_000)
    content = page.evaluate("performance.now()")
    page.wait_for_timeout(2000)  # what still comes after the first figures counts as well
    paints = page.evaluate("performance.getEntriesByName('first-contentful-paint').map(entry => entry.startTime)")
    context.close()
    return Loaded(float(paints[0]), float(content), sizes)


def _parts(loaded: Loaded) -> str:
    """The five largest parts, and the number of the rest."""
    ordered = sorted(loaded.sizes.items(), key=lambda item: -item[1])
    named = [f"{path.rsplit('/', 1)[-1][:40] or '/'} {size / 1000:.0f}" for path, size in ordered[:5]]
    return ", ".join(named) + f"; {len(ordered)} responses"
