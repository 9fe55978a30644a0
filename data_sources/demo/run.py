"""Runs the demo province's own systems beside the product: its two servers, and its one-stop system that pushes dossiers.

The story's first instant is kept under var/demo, so that a restart goes on with the same province; how far a store has been given it
is kept in that store, so that a new one is given all of it.
"""

from __future__ import annotations

import json
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn

from config import Config, FeedConfig
from data_sources.demo.catalogue import write_catalogue_csvs
from data_sources.demo.meeting import write_meetings
from data_sources.demo.pusher import Pushed, live_loop, push_dossiers
from data_sources.demo.servers import make_upstream
from data_sources.demo.story import Story, build
from store.days import instant, moment
from store.engine import Store
from store.feed_state import keep_pushed_until, pushed_until

SEED = 20260701
HISTORY_DAYS = 90


@dataclass(frozen=True)
class Birth:
    """What a demo keeps between runs: its first instant and its portal account."""

    at: datetime
    user: str
    password: str


def demo_environment(var: Path, now: datetime, port: int) -> Mapping[str, str]:
    """Variables that examples/demo/city.toml asks for; makes and keeps the birth record and the catalogues at first use."""
    folder = var / "demo"
    birth = _birth(folder, now)
    if not (folder / "agencies.csv").exists():
        write_catalogue_csvs(folder)
    return {
        "TOANCANH_DEMO_DIR": str(folder.resolve()),
        "TOANCANH_DEMO_URL": f"http://127.0.0.1:{port}",
        "TOANCANH_DEMO_START": (birth.at - timedelta(days=HISTORY_DAYS)).isoformat(),
        "TOANCANH_DEMO_USER": birth.user,
        "TOANCANH_DEMO_PASSWORD": birth.password,
    }


def fill_meetings(store: Store, var: Path, now: datetime) -> None:
    """What the province's weekly meetings wrote down before its first day, into a store that has none of it."""
    write_meetings(store, _birth(var / "demo", now).at)


def _birth(folder: Path, now: datetime) -> Birth:
    path = folder / "birth.json"
    if path.exists():
        kept = json.loads(path.read_text(encoding="utf-8"))
        return Birth(datetime.fromisoformat(kept["at"]), kept["user"], kept["password"])
    folder.mkdir(parents=True, exist_ok=True)
    birth = Birth(now.astimezone(UTC).replace(microsecond=0), "demo", secrets.token_urlsafe(18))
    path.write_text(json.dumps({**vars(birth), "at": birth.at.isoformat()}), encoding="utf-8")
    return birth


def run_demo(
    config: Config, store: Store, push_url: str, var: Path, stop: threading.Event, clock: Callable[[], datetime],
    say: Callable[[str], None],
) -> None:
    """Serve Open311, SensorThings and areas; push dossiers to `push_url` (empty = do not); until `stop`."""
    birth = _birth(var / "demo", clock())
    story = build(SEED, birth.at, HISTORY_DAYS)
    port = urlsplit(config.feed("reports").url).port or 80
    server = uvicorn.Server(uvicorn.Config(make_upstream(story, clock), host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True, name="upstream")
    thread.start()
    if push_url:
        push_story(story, f"{push_url}/ingest/one_stop", config.feed("one_stop"), store, stop, clock, say)
    stop.wait()
    server.should_exit = True
    thread.join(5)


def push_story(
    story: Story, url: str, feed: FeedConfig, store: Store, stop: threading.Event, clock: Callable[[], datetime],
    say: Callable[[str], None],
) -> None:
    """All history first, then the living day, until `stop`. A store that was given some of it goes on where it was left."""
    reached = pushed_until(store, feed.key)
    since = story.start if reached is None else moment(reached)
    until = clock()
    push_dossiers(story, url, feed.username, feed.password, since, until, progress=_bar(say), stop=stop)
    keep_pushed_until(store, feed.key, instant(until))
    while not stop.is_set():
        until = live_loop(
            story, url, feed.username, feed.password, clock=clock, stop=stop, since=until, on_error=lambda error: say(f"demo: {error}"),
            on_push=lambda *_: None,
        )
        keep_pushed_until(store, feed.key, instant(until))


DOSSIERS, STEPS = 54_000, 220_000  # what the story is calibrated to; the bar's full length


def _bar(say: Callable[[str], None]) -> Callable[[Pushed], None]:
    """A progress line at every tenth."""
    shown = [-1]

    def progress(pushed: Pushed) -> None:
        share = (pushed.dossiers + pushed.steps) / (DOSSIERS + STEPS)
        tenth = min(10, int(share * 10))
        if tenth > shown[0]:
            shown[0] = tenth
            say(
                f"demo [{'#' * tenth}{'.' * (10 - tenth)}] {pushed.dossiers:,} dossiers, {pushed.steps:,} steps pushed in "
                f"{pushed.seconds:.0f} s".replace(",", ".")
            )

    return progress


def free_port() -> int:
    """A loopback port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
