"""The demo's servers and its pusher over real loopback HTTP: Open311, SensorThings, the portal's push protocol."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from config import FeedConfig
from data_sources.demo.pusher import PushError, live_loop, push_dossiers
from data_sources.demo.run import push_story
from data_sources.demo.sensorthings import expansions
from data_sources.demo.servers import make_upstream
from data_sources.demo.stations import streams
from data_sources.demo.story import Story, build
from store.engine import Store, open_store
from tests.servers import LiveServer, serve_asgi

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
SMALL = 0.02


class Clock:
    """A clock the test sets."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture(scope="module")
def story() -> Story:
    return build(7, NOW, scale=SMALL)


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture(scope="module")
def upstream(story: Story, clock: Clock) -> Iterator[httpx.Client]:
    with serve_asgi(make_upstream(story, clock)) as server, httpx.Client(base_url=server.url, timeout=30) as client:
        yield client


def _pages(client: httpx.Client, url: str) -> list[Any]:
    found: list[Any] = []
    while url:
        answer = client.get(url)
        assert answer.status_code == 200, answer.text
        found += answer.json()["value"]
        url = answer.json().get("@iot.nextLink", "")
    return found


# --- Open311 ----------------------------------------------------------------------------------------------

def test_pages_of_requests_hold_each_report_once(upstream: httpx.Client) -> None:
    found: list[dict[str, Any]] = []
    page = 1
    while chunk := upstream.get("/open311/requests.json", params={"page": page, "page_size": 50}).json():
        found += chunk
        page += 1
    ids = [item["service_request_id"] for item in found if item["service_request_id"]]
    assert len(ids) == len(set(ids)) == pytest.approx(120, rel=0.2)


@pytest.mark.parametrize(("params", "said"), [
    ({"start_date": "2026-05-01T00:00:00Z", "end_date": "2026-11-01T00:00:00Z"}, "90 days"),
    ({"start_date": "yesterday"}, "W3C time"),
    ({"status": "half"}, "open or closed"),
    ({"page": "0"}, "whole number"),
])
def test_a_wrong_request_gets_the_protocols_error_form(upstream: httpx.Client, params: dict[str, str], said: str) -> None:
    answer = upstream.get("/open311/requests.json", params=params)
    assert answer.status_code == 400
    assert [(error["code"], said in error["description"]) for error in answer.json()] == [(400, True)]


def test_requests_can_be_asked_for_by_status_code_and_change(upstream: httpx.Client) -> None:
    since = (NOW - timedelta(hours=24)).isoformat()
    wish = {"status": "open", "service_code": "MT01,HT02", "page_size": 1000}
    some = upstream.get("/open311/requests.json", params=wish).json()
    changed = upstream.get("/open311/requests.json", params={"updated_after": since, "page_size": 1000}).json()
    assert {item["service_code"] for item in some} == {"MT01", "HT02"} and {item["status"] for item in some} == {"open"}
    assert changed and all(datetime.fromisoformat(item["updated_datetime"]) > NOW - timedelta(hours=24) for item in changed)


def test_one_request_is_found_by_its_id_and_an_unknown_one_is_not(upstream: httpx.Client) -> None:
    first = upstream.get("/open311/requests.json", params={"page_size": 1}).json()[0]
    again = upstream.get(f"/open311/requests/{first['service_request_id']}.json")
    assert [item["service_request_id"] for item in again.json()] == [first["service_request_id"]]
    assert upstream.get("/open311/requests/nothing.json").status_code == 404


def test_extended_attributes_come_only_when_asked_for(upstream: httpx.Client) -> None:
    plain, wide = (upstream.get("/open311/requests.json", params={"extensions": wish}).json()[0] for wish in ("false", "true"))
    assert "extended_attributes" not in plain and wide["extended_attributes"]["detail_status"]


def test_discovery_names_this_server_and_services_have_groups(upstream: httpx.Client) -> None:
    endpoint = upstream.get("/open311/discovery.json").json()["endpoints"][0]
    services = upstream.get("/open311/services.json").json()
    assert endpoint["url"] == f"{str(upstream.base_url).rstrip('/')}/open311"
    assert len(services) == 14 and all(service["group"] for service in services)


def test_the_feedback_server_is_away_during_its_outage(story: Story) -> None:
    clock = Clock(NOW + timedelta(hours=1))
    with serve_asgi(make_upstream(story, clock)) as server:
        away = httpx.get(f"{server.url}/open311/requests.json").status_code
        clock.at = NOW + timedelta(hours=2)
        back = httpx.get(f"{server.url}/open311/requests.json").status_code
    assert (away, back) == (503, 200)


# --- SensorThings -----------------------------------------------------------------------------------------

def test_things_come_with_places_and_streams(upstream: httpx.Client) -> None:
    url = "/sta/v1.1/Things?$expand=Locations,Datastreams($expand=ObservedProperty)&$top=30"
    things = _pages(upstream, url)
    inner = [stream for thing in things for stream in thing["Datastreams"]]
    assert (len(things), len(inner)) == (70, 220)
    assert things[0]["Locations"][0]["location"]["type"] == "Point"
    assert all(stream["ObservedProperty"]["name"] and "symbol" in stream["unitOfMeasurement"] for stream in inner)


def test_streams_come_with_their_thing(upstream: httpx.Client) -> None:
    url = "/sta/v1.1/Datastreams?$expand=Thing($expand=Locations),ObservedProperty&$top=1000&$count=true"
    answer = upstream.get(url).json()
    assert answer["@iot.count"] == len(answer["value"]) == 220
    assert answer["value"][0]["Thing"]["Locations"]


def test_observations_page_through_a_window_in_time_order_without_loss(upstream: httpx.Client) -> None:
    window = "$filter=phenomenonTime ge 2026-11-10T00:00:00Z and phenomenonTime lt 2026-11-11T00:00:00Z"
    url = f"/sta/v1.1/Observations?$expand=Datastream($select=@iot.id)&{window}&$orderby=phenomenonTime asc&$count=true"
    whole = upstream.get(f"{url}&$top=10000").json()
    paged = _pages(upstream, f"{url}&$top=313")
    times = [item["phenomenonTime"] for item in paged]
    assert paged == whole["value"] and len(paged) == whole["@iot.count"] == pytest.approx(5280, rel=0.03)
    assert times == sorted(times) and times[0] >= "2026-11-10" and times[-1] < "2026-11-11"


def test_data_arrays_hold_the_same_observations(upstream: httpx.Client) -> None:
    url = "/sta/v1.1/Observations?$expand=Datastream($select=@iot.id)&$top=500&$filter=phenomenonTime ge 2026-11-10T00:00:00Z"
    plain = {(o["@iot.id"], o["phenomenonTime"], o["result"]) for o in upstream.get(url).json()["value"]}
    arrays = upstream.get(f"{url}&$resultFormat=dataArray").json()["value"]
    assert {tuple(row) for block in arrays for row in block["dataArray"]} == plain
    assert arrays[0]["components"] == ["@iot.id", "phenomenonTime", "result"]


def test_the_newest_observation_of_one_stream_comes_first_when_asked(upstream: httpx.Client) -> None:
    url = "/sta/v1.1/Datastreams(20)/Observations?$top=3&$orderby=phenomenonTime desc"
    times = [item["phenomenonTime"] for item in upstream.get(url).json()["value"]]
    assert times == sorted(times, reverse=True) and times[0] > "2026-11-20T00"


def test_nothing_later_than_the_clock_is_shown(story: Story) -> None:
    clock = Clock(NOW)
    query = "/sta/v1.1/Observations?$top=10000&$filter=phenomenonTime ge 2026-11-20T02:00:00Z"
    with serve_asgi(make_upstream(story, clock)) as server, httpx.Client(base_url=server.url) as client:
        before = _pages(client, query)
        clock.at = NOW + timedelta(minutes=30)
        after = _pages(client, query)
    assert max(item["phenomenonTime"] for item in before) <= "2026-11-20T03:00:00Z"
    assert len(before) < len(after)


@pytest.mark.parametrize("query", [
    "Observations?$filter=result gt 5", "Observations?$orderby=result", "Observations?$top=many", "Things?$expand=Locations(",
    "Observations?$skiptoken=rubbish",
])
def test_a_query_beyond_the_server_is_refused(upstream: httpx.Client, query: str) -> None:
    answer = upstream.get(f"/sta/v1.1/{query}")
    assert answer.status_code == 400 and answer.json()["type"] == "error"


def test_unknown_entities_are_not_found(upstream: httpx.Client) -> None:
    assert [upstream.get(f"/sta/v1.1/{path}").status_code for path in ("Datastreams(999)", "Cats")] == [404, 404]


def test_nested_expansions_are_taken_apart() -> None:
    assert expansions("Thing($expand=Locations),ObservedProperty($select=name)") == {"Thing": "Locations", "ObservedProperty": ""}


def test_observation_ids_name_stream_and_hour(upstream: httpx.Client) -> None:
    found = upstream.get("/sta/v1.1/Observations?$top=300").json()["value"]
    assert {item["@iot.id"] % 1000 for item in found} <= {stream.number for stream in streams()}
    assert len({item["@iot.id"] for item in found}) == 300


# --- areas ------------------------------------------------------------------------------------------------

def test_areas_of_today_and_of_before_the_reform_are_served(upstream: httpx.Client) -> None:
    wishes: tuple[dict[str, str], ...] = ({}, {"at": "2025-06-30"}, {"level": "province"})
    counts = [len(upstream.get("/areas.geojson", params=wish).json()["features"]) for wish in wishes]
    assert counts == [50, 120, 1]
    assert upstream.get("/areas.geojson", params={"at": "soon"}).status_code == 400


# --- the pusher -------------------------------------------------------------------------------------------

class Receiver:
    """A one-stop receiver: real sessions, which end after `calls_per_session` calls; `down` answers of 503 first."""

    def __init__(self, calls_per_session: int = 1000, down: int = 0) -> None:
        self.calls_per_session, self.down = calls_per_session, down
        self.logins = self.left = 0
        self.calls: list[tuple[str, str, int]] = []
        self.dossiers: dict[str, str] = {}
        self.heard = threading.Condition()

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/ingest/one_stop/login")
        def login(body: dict[str, Any]) -> Any:
            if body != {"username": "demo", "password": "secret"}:
                return {"error_code": -1, "message": "wrong name or password"}
            self.logins, self.left = self.logins + 1, self.calls_per_session
            return {"session": f"s{self.logins}", "error_code": 0}

        @app.post("/ingest/one_stop")
        async def receive(request: Request) -> Any:
            if self.down:
                self.down -= 1
                return Response(status_code=503)
            return self._take(await request.json())

        return app

    def _take(self, body: dict[str, Any]) -> dict[str, Any]:
        if body["session"] != f"s{self.logins}" or not self.left:
            return {"error_code": "-2", "message": "session expired"}
        self.left -= 1
        with self.heard:
            self.calls.append((body["service"], body["isUpdating"], len(body["data"])))
            for item in body["data"]:
                if body["service"] == "DongBoHoSoMC" and isinstance(item, dict) and item["MaHoSo"]:
                    self.dossiers[item["MaHoSo"]] = item["TrangThaiHoSo"]
            self.heard.notify_all()
        return {"error_code": "0", "message": ""}


@pytest.fixture
def receive() -> Iterator[Callable[[Receiver], LiveServer]]:
    stack: list[Any] = []

    def start(receiver: Receiver) -> LiveServer:
        context = serve_asgi(receiver.app())
        stack.append(context)
        return context.__enter__()

    yield start
    for context in stack:
        context.__exit__(None, None, None)


def test_the_history_is_pushed_whole_dossiers_before_steps(story: Story, receive: Callable[[Receiver], LiveServer]) -> None:
    receiver = Receiver()
    heard: list[int] = []
    done = push_dossiers(
        story, f"{receive(receiver).url}/ingest/one_stop", "demo", "secret", story.start, NOW, batch=500,
        progress=lambda so_far: heard.append(so_far.dossiers + so_far.steps))
    services = [call[0] for call in receiver.calls]
    assert sum(call[2] for call in receiver.calls) == done.dossiers + done.steps == heard[-1]
    assert services == sorted(services, reverse=True) and set(services) == {"DongBoHoSoMC", "CapNhatTienDoHoSoMC"}
    assert len(receiver.dossiers) > 0.98 * done.dossiers and receiver.logins == 1


def test_an_expired_session_is_renewed_and_nothing_is_lost(story: Story, receive: Callable[[Receiver], LiveServer]) -> None:
    receiver = Receiver(calls_per_session=3)
    done = push_dossiers(
        story, f"{receive(receiver).url}/ingest/one_stop", "demo", "secret", story.start, NOW, batch=300)
    assert sum(call[2] for call in receiver.calls) == done.dossiers + done.steps
    assert receiver.logins > 2


def test_a_server_that_is_away_for_a_moment_is_waited_for(story: Story, receive: Callable[[Receiver], LiveServer]) -> None:
    receiver = Receiver(down=1)
    done = push_dossiers(
        story, f"{receive(receiver).url}/ingest/one_stop", "demo", "secret", NOW - timedelta(days=1), NOW)
    assert done.dossiers and receiver.down == 0


def test_a_server_that_stays_away_is_reported(story: Story) -> None:
    with pytest.raises(PushError, match="no answer within"):
        push_dossiers(
            story, "http://127.0.0.1:9/ingest/one_stop", "demo", "secret", NOW - timedelta(days=1), NOW, patience_s=0.1)


def test_a_wrong_password_is_reported(story: Story, receive: Callable[[Receiver], LiveServer]) -> None:
    with pytest.raises(PushError, match="login was refused: error_code -1"):
        push_dossiers(
            story, f"{receive(Receiver()).url}/ingest/one_stop", "demo", "wrong", NOW - timedelta(days=1), NOW)


def test_the_living_day_is_pushed_until_stopped(receive: Callable[[Receiver], LiveServer]) -> None:
    story, clock, stop, receiver = build(7, NOW, scale=0.5), Clock(NOW + timedelta(minutes=30)), threading.Event(), Receiver()
    url = f"{receive(receiver).url}/ingest/one_stop"
    reached: list[datetime] = []

    def run() -> None:
        reached.append(live_loop(story, url, "demo", "secret", clock=clock, stop=stop, since=NOW, every_s=0.05))

    thread = threading.Thread(target=run)
    thread.start()
    with receiver.heard:
        assert receiver.heard.wait_for(lambda: any(call[0] == "CapNhatTienDoHoSoMC" for call in receiver.calls), timeout=20)
        seen = len(receiver.calls)
        clock.at = NOW + timedelta(minutes=90)
        assert receiver.heard.wait_for(lambda: len(receiver.calls) > seen + 1, timeout=20)
    stop.set()
    thread.join(timeout=20)
    assert not thread.is_alive() and reached[0] >= NOW + timedelta(minutes=30)
    assert {call[1] for call in receiver.calls if call[0] == "DongBoHoSoMC"} == {"False", "True"}


def test_each_store_is_given_the_whole_story_once(
    receive: Callable[[Receiver], LiveServer], make_database: Callable[..., str], migrated: Callable[[str], str],
) -> None:
    story = build(7, NOW, scale=0.02)
    stores = [open_store(make_database("sqlite", migrated("sqlite")), ZoneInfo("Asia/Ho_Chi_Minh")) for _ in range(2)]

    def given(store: Store) -> int:
        receiver, stop, asked = Receiver(), threading.Event(), itertools.count()
        feed = FeedConfig(key="one_stop", role="one_stop", protocol="portal", username="demo", password="secret")

        def clock() -> datetime:
            if next(asked):
                stop.set()  # the living day has begun
            return NOW

        push_story(story, f"{receive(receiver).url}/ingest/one_stop", feed, store, stop, clock, lambda _: None)
        return len(receiver.dossiers)

    first, again, other = given(stores[0]), given(stores[0]), given(stores[1])
    assert first == other > 500 and again < first / 10
    for store in stores:
        store.dispose()
