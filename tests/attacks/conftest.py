"""What the attack tests share: the application over a store of two sides with users of every role, served for real."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from dash import Dash

from api.limits import GATE_BOUNDS, GateLimits, Rate
from app import make_app
from auth import COOKIE
from auth.passwords import hash_password
from store.engine import Store
from store.keys import PROGRAM, add_key
from store.people import NewUser, add_user
from tests.rights_city import AT, CONFIG, IN, NOW, OUT, Caller, make_people, make_province
from tests.servers import serve_asgi

PASSWORD = "bảy con vịt qua cầu khỉ"
FEED_KEY = "tck_of-feedback-and-of-nothing-else"
# so many requests come from one address here that the gate's own bounds would answer most of them
WIDE = replace(GATE_BOUNDS, anonymous=Rate(1000, 100_000), acting=Rate(1000, 100_000))


@dataclass(frozen=True)
class World:
    """The running application; `client(role)` asks as a browser of its own pages would."""

    url: str
    app: Dash
    store: Store
    people: tuple[Caller, ...]
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2])

    def caller(self, role: str, *limits: str) -> Caller:
        """The user with this role and these limits; '' = nobody."""
        return next(one for one in self.people if (one.role, one.limits) == (role, limits))

    def client(self, role: str = "", *limits: str, origin: str | None = "own", **more: str) -> httpx.Client:
        """A client of that user; `origin` as its pages send it, None = none; `more` = further headers."""
        token = self.caller(role, *limits).token
        headers = {"Origin": self.url if origin == "own" else origin} if origin else {}
        cookies = {COOKIE: token} if token else None
        made = httpx.Client(base_url=self.url, cookies=cookies, headers={**headers, **more}, timeout=60)
        self.clients.append(made)
        return made


def opened(page: str, path: str, query: dict[str, str]) -> dict[str, Any]:
    """The store that says which address a page was opened with."""
    return {"id": {"type": "desk-opened", "page": page}, "property": "data", "value": {"path": path, "query": query}}


def ask(client: httpx.Client, key: str, inputs: list[Any], states: list[Any]) -> httpx.Response:
    """Call a callback as Dash's own script does."""
    named = [part.rpartition(".") for part in key.strip(".").split("...")]
    outputs = [{"id": json.loads(name) if name.startswith("{") else name, "property": which} for name, _, which in named]
    body = {"output": key, "outputs": outputs if key.startswith("..") else outputs[0], "inputs": inputs, "state": states}
    return client.post("/_dash-update-component", json={**body, "changedPropIds": []})


def fill(client: httpx.Client, page: str, path: str, **query: str) -> httpx.Response:
    """What a page is filled with when it is opened at this path with this query."""
    inputs = [opened(page, path, query), {"id": f"{page}-refresh", "property": "data", "value": 0}]
    return ask(client, f"..{page}-bar.children...{page}-body.children..", inputs, [])


@contextmanager
def run_world(url: str, limits: GateLimits = WIDE, **config: Any) -> Iterator[World]:
    """A world over the empty database at `url`; a user "lan" may sign in with PASSWORD."""
    store = make_province(url, (IN, OUT))
    people = make_people(store)
    add_user(store, NewUser("lan", "operator", "Lan"), hash_password(PASSWORD), PROGRAM, AT)
    add_key(store, "feedback", FEED_KEY, "", PROGRAM, AT)
    app = make_app(replace(CONFIG, store_url=url, **config), store, now=lambda: NOW, limits=limits)
    with serve_asgi(app.server) as live:
        world = World(live.url, app, store, people)
        yield world
        for client in world.clients:
            client.close()
    store.dispose()


@pytest.fixture(scope="module")
def world(make_database: Callable[..., str]) -> Iterator[World]:
    """One for the tests of a module; they leave it as they found it."""
    with run_world(make_database("sqlite")) as made:
        yield made


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def both(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[World]:
    """The same, on each engine."""
    with run_world(make_database(request.param)) as made:
        yield made
