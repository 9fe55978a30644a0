"""Attack: push streams without rights, for other sites, without end, without bound."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest

from api.live import Pace
from api.routes import Api
from api.streams import Seats, StreamLimits
from store.keys import PROGRAM
from store.people import User, change_user, disable_user, find_user
from store.sessions import close_sessions
from tests.attacks.conftest import World, run_world
from tests.rights_city import AT

STREAMS = ("/live/wall", "/live/ticks")


@pytest.fixture
def hurried(make_database: Callable[..., str]) -> Iterator[World]:
    """A world whose streams beat, and ask for rights again, three times a second."""
    with run_world(make_database("sqlite")) as world:
        hub_of(world).hub.pace = Pace(least=0.2, frame=30.0, beat=0.3)
        yield world


def hub_of(world: World) -> Api:
    """The API of the world's application."""
    found: Api = world.app.server.state.api
    return found


@pytest.mark.parametrize("path", STREAMS)
def test_no_stream_without_the_right(world: World, path: str) -> None:
    for role, status in (("", 401), ("auditor" if path == "/live/wall" else "display", 403)):
        with world.client(role) as client, client.stream("GET", path) as answer:
            assert answer.status_code == status
    with world.client("analyst", "agency", "area") as limited, limited.stream("GET", path) as answer:
        assert answer.status_code == (403 if path == "/live/wall" else 200)


@pytest.mark.parametrize("path", STREAMS)
@pytest.mark.parametrize("headers", [
    {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "null"},
])
def test_no_stream_for_another_sites_page(world: World, path: str, headers: dict[str, str]) -> None:
    with world.client("operator", origin=None, **headers) as client, client.stream("GET", path) as answer:
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers


def user_of(world: World) -> User:
    """Who watches."""
    found = find_user(world.store, "operator")
    assert found
    return found


def end_sessions(world: World) -> None:
    """Signed out everywhere."""
    assert close_sessions(world.store, user_of(world), PROGRAM, AT)


def disable(world: World) -> None:
    """The account is shut."""
    assert disable_user(world.store, "operator", PROGRAM, AT)


def take_rights(world: World) -> None:
    """Another role."""
    change_user(world.store, replace(user_of(world), role="auditor"), PROGRAM, AT)


def narrow_rights(world: World) -> None:
    """Only one agency from now on."""
    change_user(world.store, replace(user_of(world), agencies=("H99.1",)), PROGRAM, AT)


@pytest.mark.parametrize("happening", [end_sessions, disable, take_rights, narrow_rights])
def test_a_stream_ends_with_the_rights_of_its_opener(hurried: World, happening: Callable[[World], None]) -> None:
    ended = threading.Event()
    with hurried.client("operator") as client, hurried.client("viewer") as other, \
            client.stream("GET", "/live/wall") as answer, other.stream("GET", "/live/wall") as still:
        assert answer.status_code == still.status_code == 200
        lines, others = answer.iter_lines(), still.iter_lines()
        assert any("event: beat" in next(lines) for _ in range(5))

        def read() -> None:
            for _ in lines:
                pass
            ended.set()

        threading.Thread(target=read, daemon=True).start()
        assert not ended.wait(1), "it lasts while the rights do"
        happening(hurried)
        assert ended.wait(30)
        assert any("event: beat" in next(others) for _ in range(50)), "nobody else's ends"
    with hurried.client("operator") as again, again.stream("GET", "/live/wall") as answer:
        assert answer.status_code in (401, 403)


def refuse(client: httpx.Client, path: str) -> None:
    """There is no room for one more."""
    with client.stream("GET", path) as answer:
        assert answer.status_code == 503 and int(answer.headers["retry-after"]) > 0


def test_streams_are_bounded_and_their_seats_given_back(hurried: World) -> None:
    hub_of(hurried).hub._seats = Seats(StreamLimits(in_all=3, per_address=3, per_caller=2))
    with hurried.client("operator") as client, hurried.client("viewer") as other:
        with client.stream("GET", "/live/ticks") as first, client.stream("GET", "/live/ticks") as second:
            reading = [opened.iter_lines() for opened in (first, second)]  # closed when let go of
            assert all(next(lines) for lines in reading)
            refuse(client, "/live/ticks")
            with other.stream("GET", "/live/ticks") as third:
                reading.append(third.iter_lines())
                assert third.status_code == 200 and next(reading[-1])
                refuse(other, "/live/wall")  # as many as there may be in all
        free = threading.Event()

        def look() -> None:
            while hub_of(hurried).hub._seats.held:
                threading.Event().wait(0.05)
            free.set()

        threading.Thread(target=look, daemon=True).start()
        assert free.wait(20)
        with client.stream("GET", "/live/ticks") as again:
            assert again.status_code == 200


def test_a_stream_read_by_a_program_needs_its_key(world: World) -> None:
    with httpx.Client(base_url=world.url, headers={"Authorization": "Bearer tca_guess"}) as client:
        assert client.get("/live/ticks").status_code == 401
