"""Push streams over real HTTP on both engines: frames, deltas, slow screens, a store that goes away and comes back."""

from __future__ import annotations

import json
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from api.live import Pace
from api.routes import Api, mount
from api.streams import Seats, StreamLimits
from auth import scope_reader
from components.context import AppContext
from config import Config, FeedConfig
from metrics.city import City
from scope import Scope, scope_of
from store.engine import Store, open_store
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import DossierRow, Parsed
from store.watch import watch
from tests import servers
from tests.servers import LiveServer

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
CONFIG = Config(name="T", feeds=(FeedConfig("one_stop", "one_stop", "portal"),))
PACE = Pace(least=0.2, frame=60.0, beat=60.0)


def now() -> datetime:
    return datetime.now(UTC)


def count_frame(city: City, lang: str) -> Mapping[str, Any]:
    """A scene of two tiles: how many dossiers there are, and one that never changes."""
    with city.store.reading() as connection:
        count = connection.execute(text("SELECT count(*) FROM core_dossier")).scalar_one()
    return {
        "props": {"count": {"children": f"{count}"}, "still": {"children": lang}},
        "ages": {"count": {"at": None, "cadence_s": 60}},
    }


class Stream:
    """One open event stream, read by a thread; `next(kind)` waits for the next event of a kind."""

    def __init__(self, url: str, **options: Any) -> None:
        self.events: queue.Queue[tuple[str, Any]] = queue.Queue()
        self._client = httpx.Client(timeout=httpx.Timeout(10, read=None))
        self._response = self._client.send(self._client.build_request("GET", url, **options), stream=True)
        self.status, self.headers = self._response.status_code, self._response.headers
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        kind = "message"
        try:
            for line in self._response.iter_lines():
                if line.startswith("event: "):
                    kind = line[7:]
                elif line.startswith("data: "):
                    self.events.put((kind, json.loads(line[6:])))
                    kind = "message"
        except (httpx.TransportError, httpx.StreamError, OSError):
            pass
        self.events.put(("end", None))

    def next(self, kind: str = "message", timeout: float = 20) -> Any:
        """The next event of this kind, others skipped; AssertionError when none comes."""
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            try:
                found, data = self.events.get(timeout=left)
            except queue.Empty:
                break
            assert found != "end" or kind == "end", "the stream has ended"
            if found == kind:
                return data
        raise AssertionError(f"no event {kind!r} within {timeout} s")

    def until(self, is_so: Callable[[Any], bool], kind: str = "message", timeout: float = 20) -> Any:
        """The first event of this kind for which `is_so` holds."""
        deadline = time.monotonic() + timeout
        while True:
            found = self.next(kind, max(0.1, deadline - time.monotonic()))
            if is_so(found):
                return found

    def close(self) -> None:
        """End it from our side; the reading thread only wakes when the socket is shut down."""
        with suppress(OSError):
            self._response.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._response.close()
        self._client.close()


@dataclass
class Stage:
    """A running hub over a store; `open` opens streams that are closed at the end."""

    url: str
    api: Api
    store: Store
    streams: list[Stream] = field(default_factory=list)

    def open(self, path: str = "/live/wall", **options: Any) -> Stream:
        self.streams.append(Stream(self.url + path, **options))
        return self.streams[-1]

    def land(self, *ids: str) -> None:
        rows = tuple(DossierRow(key, status=4, received_at=1_800_000_000_000_000, version=1) for key in ids)
        land(self.store, Parsed(dossiers=rows, item_count=len(rows)), Landing("one_stop", "one_stop", 1_800_000_000_000_000))


def set_stage(
    live_server: Callable[..., LiveServer], store: Store, *, pace: Pace = PACE, frame: Any = count_frame, scope: Any = None
) -> Stage:
    server = FastAPI()
    local = scope_reader(CONFIG, store, now)
    api = mount(server, AppContext(CONFIG, store, now, (lambda request: scope) if scope else local), build_frame=frame, pace=pace)
    return Stage(live_server(server).url, api, store)


@pytest.fixture
def store(engine_url: str) -> Iterator[Store]:
    store = open_store(engine_url, TZ)
    migrate(store)
    yield store
    store.dispose()


@pytest.fixture
def sqlite_store(sqlite_database: str) -> Iterator[Store]:
    store = open_store(sqlite_database, TZ)
    migrate(store)
    yield store
    store.dispose()


@pytest.fixture
def staged(live_server: Callable[..., LiveServer]) -> Iterator[Callable[..., Stage]]:
    """staged(store, pace=, frame=, scope=) -> Stage; its streams are closed before its server stops."""
    stages: list[Stage] = []

    def make(store: Store, **options: Any) -> Stage:
        stages.append(set_stage(live_server, store, **options))
        return stages[-1]

    yield make
    for stage in stages:
        for stream in stage.streams:
            stream.close()


def test_a_screen_gets_the_whole_frame_first_then_only_what_changed(staged: Callable[..., Stage], store: Store) -> None:
    stage = staged(store)
    stream = stage.open()
    assert stream.headers["content-type"].startswith("text/event-stream") and "no-cache" in stream.headers["cache-control"]
    first = stream.next()
    assert first["props"] == {"count": {"children": "0"}, "still": {"children": "vi"}}
    assert set(first) == {"seq", "build", "revision", "server_at", "as_of", "props", "ages"}
    stage.land("1")
    second = stream.until(lambda frame: frame["props"])
    assert second["props"] == {"count": {"children": "1"}}
    assert second["ages"] == first["ages"]
    assert second["revision"] > first["revision"] and second["seq"] > first["seq"]


def test_a_change_reaches_the_screen_at_once(staged: Callable[..., Stage], store: Store) -> None:
    stage = staged(store, pace=Pace(least=0.01, frame=60, beat=60))
    stream = stage.open()
    stream.next()
    taken = []
    for number in range(5):
        began = time.monotonic()
        stage.land(f"{number}")
        stream.until(lambda frame, n=number: frame["props"].get("count") == {"children": f"{n + 1}"})
        taken.append(time.monotonic() - began)
    assert sorted(taken)[2] < 0.5, taken


def test_a_later_screen_gets_the_whole_frame_with_the_time_of_now(staged: Callable[..., Stage], sqlite_store: Store) -> None:
    stage = staged(sqlite_store)
    first = stage.open().next()
    later = stage.open().next()
    assert later["props"] == first["props"]
    assert later["server_at"] > first["server_at"]


def test_frames_are_built_once_for_all_screens_of_a_language(staged: Callable[..., Stage], sqlite_store: Store) -> None:
    built: list[str] = []

    def frame(city: City, lang: str) -> Mapping[str, Any]:
        built.append(lang)
        return count_frame(city, lang)

    stage = staged(sqlite_store, frame=frame)
    streams = [stage.open() for _ in range(10)] + [stage.open("/live/wall?lang=en")]
    for stream in streams:
        stream.next()
    built.clear()
    stage.land("1")
    for stream in streams:
        stream.until(lambda found: found["props"].get("count") == {"children": "1"})
    assert set(built) == {"en", "vi"}
    assert len(built) <= 4  # a landing can be two revisions; never one frame a screen


def test_a_burst_of_changes_becomes_few_frames_and_the_last_one_counts(staged: Callable[..., Stage], store: Store) -> None:
    stage = staged(store, pace=Pace(least=0.5, frame=60, beat=60))
    stream = stage.open()
    first = stream.next()["seq"]
    began = time.monotonic()
    for number in range(30):
        stage.land(f"{number}")
    last = stream.until(lambda frame: frame["props"].get("count") == {"children": "30"})
    assert last["seq"] - first <= (time.monotonic() - began) / 0.5 + 2


def test_time_alone_makes_frames_and_signs_of_life(staged: Callable[..., Stage], sqlite_store: Store) -> None:
    stream = staged(sqlite_store, pace=Pace(least=0.05, frame=0.2, beat=0.1)).open()
    frames = [stream.next()["seq"] for _ in range(3)]
    assert frames == sorted(set(frames))
    beat = stream.next("beat")
    assert beat["store"] == "ok" and abs(beat["server_at"] / 1e6 - time.time()) < 60


def test_a_slow_screen_skips_to_a_whole_frame(staged: Callable[..., Stage], sqlite_store: Store) -> None:
    stage = staged(sqlite_store)
    hub = stage.api.hub
    stage.open().next()
    import asyncio

    from api.live import Listener, View  # the hub's own part, to hold a queue nobody empties

    slow = Listener(View("vi", True), asyncio.Queue(2), lambda: True)
    hub._listeners.add(slow)
    for _ in range(5):
        hub._send(b"data: {}\n\n", View("vi", True))
    held = [slow.queue.get_nowait() for _ in range(slow.queue.qsize())]
    hub._listeners.discard(slow)
    assert json.loads(held[0].removeprefix(b"data: "))["props"].keys() == {"count", "still"}


def test_a_screen_that_comes_when_nothing_is_to_draw_still_gets_the_last_frame(
    staged: Callable[..., Stage], sqlite_store: Store
) -> None:
    import asyncio

    from api.live import Listener, View

    stage = staged(sqlite_store)
    hub = stage.api.hub
    first = stage.open().next()
    late = Listener(View("vi", True), asyncio.Queue(4), lambda: True)

    def join() -> None:
        hub._listeners.add(late)
        hub._changed.set()

    hub._tasks[0].get_loop().call_soon_threadsafe(join)
    wait_for(lambda: late.has_whole)
    frames = [late.queue.get_nowait() for _ in range(late.queue.qsize())]
    hub._listeners.discard(late)
    assert json.loads(frames[-1].removeprefix(b"data: "))["props"] == first["props"]


def test_ticks_tell_the_revision_of_each_topic(staged: Callable[..., Stage], store: Store) -> None:
    stage = staged(store)
    stream = stage.open("/live/ticks")
    first = stream.next("tick")
    stage.land("1")
    second = stream.until(lambda tick: tick["dossiers"] > first["dossiers"], "tick")
    assert second["reports"] == first["reports"]


def test_a_frame_that_fails_leaves_the_last_one_and_the_stream(staged: Callable[..., Stage], sqlite_store: Store) -> None:
    fails = threading.Event()

    def frame(city: City, lang: str) -> Mapping[str, Any]:
        if fails.is_set():
            raise RuntimeError("a bug in a scene")
        return count_frame(city, lang)

    stage = staged(sqlite_store, frame=frame)
    stream = stage.open()
    stream.next()
    fails.set()
    stage.land("1")
    wait_for(lambda: 'toancanh_frames_total{outcome="failed"} 1.0' in httpx.get(f"{stage.url}/metrics").text)
    fails.clear()
    stage.land("2")
    assert stream.next()["props"]["count"] == {"children": "2"}


def test_streams_need_rights_and_a_local_name(staged: Callable[..., Stage], sqlite_store: Store) -> None:
    stage = staged(sqlite_store)
    assert httpx.get(f"{stage.url}/live/wall", headers={"Host": "evil.example"}).status_code == 403
    assert httpx.get(f"{staged(sqlite_store, scope=Scope(actor='x')).url}/live/ticks").status_code == 403


def test_a_viewers_wall_is_drawn_without_the_right_to_small_counts(staged: Callable[..., Stage], sqlite_store: Store) -> None:
    def told(city: City, lang: str) -> Mapping[str, Any]:
        return {"props": {"small": {"children": str(city.scope.permits("see.small_counts"))}}, "ages": {}}

    seen = {}
    for role in ("viewer", "display", "leader"):
        stage = staged(sqlite_store, frame=told, scope=scope_of(role, actor=role))
        seen[role] = stage.open().next()["props"]["small"]["children"]
    assert seen == {"viewer": "False", "display": "True", "leader": "True"}


def test_where_there_are_no_accounts_screens_are_not_taken_for_one_caller(staged: Callable[..., Stage], sqlite_store: Store) -> None:
    stage = staged(sqlite_store)
    stage.api.hub._seats = Seats(StreamLimits(per_address=6, per_caller=2))
    for _ in range(6):
        assert stage.open().next()["seq"] >= 0
    assert stage.open().status == 503, "as many as one address may have, each counted once"


def test_a_closed_stream_is_forgotten(staged: Callable[..., Stage], sqlite_store: Store) -> None:
    stage = staged(sqlite_store, pace=Pace(least=0.05, frame=60, beat=0.05))
    stream = stage.open()
    stream.next()
    assert 'toancanh_push_clients{stream="wall"} 1.0' in httpx.get(f"{stage.url}/metrics").text
    stream.close()
    wait_for(lambda: not stage.api.hub._listeners)
    assert 'toancanh_push_clients{stream="wall"} 0.0' in httpx.get(f"{stage.url}/metrics").text


def test_streams_work_again_after_the_server_was_restarted(
    live_server: Callable[..., LiveServer],
    sqlite_store: Store,
) -> None:
    server = FastAPI()
    mount(
        server, AppContext(CONFIG, sqlite_store, now, scope_reader(CONFIG, sqlite_store, now)), build_frame=count_frame, pace=PACE
    )
    running = live_server(server)
    first = Stream(f"{running.url}/live/wall")
    first.next()
    running.stop()
    first.next("end")
    first.close()
    running.start()
    second = Stream(f"{running.url}/live/wall")
    assert second.next()["props"]["count"] == {"children": "0"}
    Stage("", None, sqlite_store).land("1")  # type: ignore[arg-type]
    assert second.until(lambda frame: frame["props"])["props"]["count"] == {"children": "1"}
    second.close()


def test_a_store_that_goes_away_is_said_and_its_return_shown(staged: Callable[..., Stage], tmp_path: Any) -> None:
    folder, elsewhere = tmp_path / "data", tmp_path / "unmounted"
    folder.mkdir()
    store = open_store(f"sqlite:///{folder}/city.sqlite", TZ)
    migrate(store)
    stage = staged(store, pace=Pace(least=0.05, frame=60, beat=0.2))
    # a server that has never reached its store cannot know whether there are users: it lets nobody watch
    assert httpx.get(f"{stage.url}/metrics").status_code == 200
    store.dispose()
    folder.rename(elsewhere)
    stream = stage.open()
    assert stream.until(lambda beat: beat["store"] == "away", "beat")
    elsewhere.rename(folder)
    assert stream.until(lambda beat: beat["store"] == "ok", "beat")
    stage.land("1")
    assert stream.until(lambda frame: frame["props"].get("count") == {"children": "1"})
    store.dispose()


def test_postgresql_gone_and_back_keeps_the_stream_and_catches_up(staged: Callable[..., Stage]) -> None:
    with servers.postgres_server() as server:
        store = open_store(server.url(), TZ)
        migrate(store)
        stage = staged(store, pace=Pace(least=0.05, frame=60, beat=0.2))
        stream = stage.open()
        stream.next()
        servers.restart(server, "stop")
        assert stream.until(lambda beat: beat["store"] == "away", "beat")
        servers.restart(server, "start")
        assert stream.until(lambda beat: beat["store"] == "ok", "beat", 40)
        stage.land("1")
        assert stream.until(lambda frame: frame["props"].get("count") == {"children": "1"})
        for opened in stage.streams:
            opened.close()
        store.dispose()


def test_closing_the_hub_ends_every_stream(staged: Callable[..., Stage], sqlite_store: Store) -> None:
    stage = staged(sqlite_store)
    streams = [stage.open(), stage.open("/live/ticks")]
    streams[0].next()
    streams[1].next("tick")
    stage.api.hub.close()
    for stream in streams:
        stream.next("end")


@pytest.mark.parametrize("changes", [1, 20])
def test_the_watcher_tells_the_state_at_once_and_the_last_change(store: Store, changes: int) -> None:
    import asyncio

    stage = Stage("", None, store)  # type: ignore[arg-type]

    async def hear() -> tuple[dict[str, int], dict[str, int]]:
        heard = watch(store)
        first = await anext(heard)
        await asyncio.to_thread(lambda: [stage.land(f"{n}") for n in range(changes)])
        last = await anext(heard)
        while last["dossiers"] < first["dossiers"] + changes:
            last = await anext(heard)
        await heard.aclose()  # type: ignore[attr-defined]
        return first, last

    with ThreadPoolExecutor(1) as aside:  # a browser's loop may run in this thread
        first, last = aside.submit(lambda: asyncio.run(asyncio.wait_for(hear(), 30))).result()
    assert last["dossiers"] == first["dossiers"] + changes


def wait_for(is_so: Callable[[], bool], timeout: float = 10) -> None:
    """Ask until it is so; AssertionError when it does not become so."""
    deadline = time.monotonic() + timeout
    while not is_so():
        assert time.monotonic() < deadline, "it did not become so"
        time.sleep(0.02)
