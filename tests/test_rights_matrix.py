"""The rights matrix: everything the program answers x every role x inside and outside its limits, over real HTTP with real sessions.

What may be asked is collected from the running application; who may is read from tests/rights_table.py. Nothing may stand in one only.
"""

from __future__ import annotations

import json
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import dash
import httpx
import pytest
from dash import Dash

import callbacks
from api.limits import GateLimits, Rate
from api.routes import ROUTES
from api.tables import TABLE_FORMATS
from app import make_app
from auth import COOKIE
from briefs import issue
from briefs.brief import Brief
from briefs.paper import html_of
from components.desk_duplicates import pair_code
from scope import ROLES
from store.keys import PROGRAM, NewApiKey, add_api_key, add_key
from tests.paper_week import pdf_text
from tests.rights_city import AT, CONFIG, IN, NOW, OUT, Caller, make_people, make_province, words_of
from tests.rights_table import COLUMNS, ITEMS, OTHERS, OWN_CALLBACKS, PATHS, QUERIES, Line, of_kind
from tests.servers import serve_asgi
from text import t

FORBIDDEN = t("error.forbidden", "vi")


@dataclass(frozen=True)
class World:
    """The running application, those who ask it, each with a client; `alone` = the same without the outer side."""

    app: Dash
    url: str
    clients: dict[Caller, httpx.Client]
    alone: httpx.Client
    feed_keys: dict[str, str]
    api_keys: dict[str, str]

    def each(self) -> Iterator[tuple[Caller, httpx.Client]]:
        """Every caller but nobody."""
        return ((caller, client) for caller, client in self.clients.items() if caller.role)

    @property
    def nobody(self) -> httpx.Client:
        """Who has no session."""
        return self.clients[Caller("")]

    def of(self, role: str, *limits: str) -> httpx.Client:
        """The client of one caller."""
        return next(client for caller, client in self.clients.items() if (caller.role, caller.limits) == (role, limits))


def _client(url: str, caller: Caller) -> httpx.Client:
    cookies = {COOKIE: caller.token} if caller.token else None
    headers = {"Origin": url, "Sec-Fetch-Site": "same-origin", "Accept-Language": "vi"}
    return httpx.Client(base_url=url, cookies=cookies, headers=headers, timeout=60)


@pytest.fixture(scope="module")
def papers() -> Iterator[None]:
    """A paper that reads the same, letter by letter, is set once: setting takes a second, and whose paper it is stands in the letters."""
    kept: dict[str, bytes] = {}
    typeset = issue.WRITERS["pdf"]

    def remembered(brief: Brief, lang: str) -> bytes:
        words = html_of(brief, lang)
        if words not in kept:
            kept[words] = typeset(brief, lang)
        return kept[words]

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(issue.WRITERS, "pdf", remembered)
        yield


@pytest.fixture(scope="module")
def world(papers: None, make_database: Callable[..., str]) -> Iterator[World]:
    urls = make_database("sqlite"), make_database("sqlite")
    store, lone = make_province(urls[0], (IN, OUT)), make_province(urls[1], (IN,))
    people, lonely = make_people(store), make_people(lone)
    keys = {feed: f"tck_{feed}" for feed in ("feedback", "air")}
    for feed, key in keys.items():
        add_key(store, feed, key, "", PROGRAM, AT)
    machines = {role: f"tca_{role}" for role in COLUMNS}
    for role, key in machines.items():
        add_api_key(store, NewApiKey(role, role), key, PROGRAM, AT)
    many = GateLimits(anonymous=Rate(1e6, 10**6), acting=Rate(1e6, 10**6))  # the matrix asks faster than people may
    app = make_app(replace(CONFIG, store_url=urls[0]), store, now=lambda: NOW, limits=many)
    other = make_app(replace(CONFIG, store_url=urls[1]), lone, now=lambda: NOW, limits=many)
    with serve_asgi(other.server) as second, serve_asgi(app.server) as first:
        clients = {caller: _client(first.url, caller) for caller in people}
        operator = next(caller for caller in lonely if (caller.role, caller.limits) == ("operator", ()))
        next(iter(clients.values())).get("/wall")  # Dash adds its own routes with the first page
        lonely_one = _client(second.url, operator)
        yield World(app, first.url, clients, lonely_one, keys, machines)
        for client in (*clients.values(), lonely_one):
            client.close()
    store.dispose()
    lone.dispose()


def wired() -> dict[str, tuple[str, str]]:
    """Every callback by its id: ("fill", page name) or ("callback", the id); from the tables of callbacks/."""
    found = {}
    for module in (import_module(f"callbacks.{row.name}") for row in pkgutil.iter_modules(callbacks.__path__)):
        for page in getattr(module, "PAGES", ()):
            found[f"..{page.name}-bar.children...{page.name}-body.children.."] = ("fill", page.name)
        for row in getattr(module, "CALLBACKS", ()):
            outputs = row.outputs if isinstance(row.outputs, list | tuple) else [row.outputs]
            own = str(outputs[0]) if outputs is not row.outputs else f"..{'...'.join(map(str, outputs))}.."
            found[own] = ("callback", str(outputs[0]))
    return found


def ask(client: httpx.Client, key: str, inputs: list[Any], states: list[Any], pressed: str = "") -> httpx.Response:
    """Call a callback as Dash's own script does."""
    outputs = list(key.strip(".").split("..."))
    listed = [{"id": _read_id(part.rsplit(".", 1)[0]), "property": part.rsplit(".", 1)[1]} for part in outputs]
    body = {
        "output": key, "outputs": listed if key.startswith("..") else listed[0], "inputs": inputs, "state": states,
        "changedPropIds": [pressed] if pressed else [],
    }
    return client.post("/_dash-update-component", json=body)


def _read_id(text: str) -> Any:
    return json.loads(text) if text.startswith("{") else text


def opened(page: str, path: str, **query: str) -> dict[str, Any]:
    """The store that says which address a page was opened with."""
    return {"id": {"type": "desk-opened", "page": page}, "property": "data", "value": {"path": path, "query": query}}


def fill(client: httpx.Client, page: str, path: str = "", **query: str) -> httpx.Response:
    """What a page is filled with."""
    inputs = [opened(page, path or PATHS.get(page, f"/{page}"), **query), {"id": f"{page}-refresh", "property": "data", "value": 0}]
    return ask(client, f"..{page}-bar.children...{page}-body.children..", inputs, [])


def _pressed(inputs: list[Any]) -> str:
    """The property whose change called the callback: the first input's."""
    first = inputs[0][0] if isinstance(inputs[0], list) else inputs[0]
    own = first["id"] if isinstance(first["id"], str) else json.dumps(first["id"], sort_keys=True, separators=(",", ":"))
    return f"{own}.{first['property']}"


def _listed(page: str, area: str, word: str) -> tuple[list[Any], list[Any], str]:
    """A list of administration: it is read when the page opens."""
    return [opened(page, PATHS.get(page, "/admin")), {"id": f"{area}-changed", "property": "data", "value": 0}], [], word


def _step(page: str, area: str, what: str, who: str) -> tuple[list[Any], list[Any], str]:
    """A button of administration that only asks."""
    press = {"id": {"type": f"{area}-do", "what": what, "who": who}, "property": "n_clicks", "value": 1}
    states = [[], [], opened(page, PATHS.get(page, "/admin")), {"id": f"{area}-changed", "property": "data", "value": 0}]
    return [[press]], states, "alertdialog"


PAIR = pair_code((("feedback", "PA0-zagin-zarin"), ("feedback", "PA1-zagin-zarin")))
# callbacks other than a page's own: what they are asked with, and a word of the answer to who may
PRESSED: dict[str, tuple[list[Any], list[Any], str]] = {
    "desk-url.search": (
        [[{"id": {"name": "q", "type": "desk-filter"}, "property": "value", "value": "H0"}]],
        [[{"id": {"name": "q", "type": "desk-filter"}, "property": "id", "value": {"name": "q", "type": "desk-filter"}}],
         [opened("dossiers", "/dossiers")]],
        "q=H0",
    ),
    "desk-url.href": (
        [[{"id": {"topic": "dossiers", "type": "desk-grid"}, "property": "columnState", "value": [{"colId": "c0", "sort": "desc"}]}],
         [{"id": {"topic": "dossiers", "type": "desk-grid"}, "property": "filterModel", "value": {}}]],
        [[{"id": {"topic": "dossiers", "type": "desk-grid"}, "property": "columnDefs",
           "value": [{"field": "c0", "context": {"sort": "due", "narrows": "due"}}]}],
         [{"id": {"topic": "dossiers", "type": "desk-grid"}, "property": "id", "value": {"topic": "dossiers", "type": "desk-grid"}}],
         [opened("dossiers", "/dossiers")]],
        "sort=-due",
    ),
    "desk-file.data": (
        [[{"id": {"feed": "one_stop", "type": "desk-file-asked"}, "property": "n_clicks", "value": 1}]],
        [[opened("feed", "/feeds/one_stop")]],
        "zrej",
    ),
    "wall-page.children": ([{"id": "wall-address", "property": "data", "value": {"scene": ""}}], [], "data-stream"),
    "audit-refresh.data": ([[{"id": {"page": "audit", "type": "audit-verify"}, "property": "n_clicks", "value": 1}]], [], "audit-refresh"),
    "signals-refresh.data": (  # a reason too short: told to who may, and nothing is kept
        [{"id": "signals-save", "property": "n_clicks", "value": 1}],
        [
            {"id": "signals-from", "property": "value", "value": "2026-W20"},
            {"id": "signals-to", "property": "value", "value": "2026-W31"},
            {"id": "signals-reason", "property": "value", "value": "x"},
            {"id": "signals-about", "property": "data", "value": {"key": "dossiers_received"}},
        ],
        "d-fault",
    ),
    "duplicates-refresh.data": (  # nothing was said of the two: told to who may, and nothing is kept
        [[{"id": {"do": "undo", "pair": PAIR, "type": "same-do"}, "property": "n_clicks", "value": 1}]],
        [opened("duplicates", "/duplicates")], "d-fault",
    ),
    "map-spots.data": (
        [{"id": "map-asked", "property": "data", "value": {"box": [90, 0, 120, 30], "zoom": 6, "day": "", "token": 7}}],
        [opened("map", "/map")], "data-token",
    ),
    "map-areas.hideout": ([{"id": "map-at", "property": "data", "value": {"day": "", "top": 0}}], [opened("map", "/map")], "palette"),
    "map-told.children": (
        [{"id": "map-picked", "property": "data", "value": {"kind": "area", "code": "00001"}}], [opened("map", "/map")], "m-links",
    ),
    "explore-go.href": (
        [[{"id": {"name": "period", "type": "explore-field"}, "property": "value", "value": "2026-10"}]],
        [[{"id": {"name": "period", "type": "explore-field"}, "property": "id", "value": {"name": "period", "type": "explore-field"}}],
         opened("explore", "/explore")],
        "period=2026-10",
    ),
    "explore-said.children": (  # a name too short: told to who may, and nothing is kept
        [[{"id": {"do": "save", "id": "0", "type": "explore-do"}, "property": "n_clicks", "value": 1}]],
        [{"id": "explore-view-name", "property": "value", "value": "x"}, {"id": "explore-view-shared", "property": "value", "value": []},
         [], {"id": "explore-drawn", "property": "data", "value": 0}, opened("explore", "/explore")],
        "d-said",
    ),
    "explore-stopped.children": (
        [{"id": "explore-stop", "property": "n_clicks", "value": 1}], [opened("explore", "/explore", read="zz")],
        t("explore.stopped", "vi"),
    ),
    "weekly-refresh.data": (  # a follow-up without words: told to who may, and nothing is kept
        [[{"id": {"do": "add", "id": "0", "type": "weekly-do"}, "property": "n_clicks", "value": 1}]],
        [[], [], opened("weekly", "/weekly", do="add")],
        "d-fault",
    ),
    "people-list.children": _listed("admin", "people", "data-user"),
    "people-sheet.children": _step("admin", "people", "ask_disable", "viewer"),
    "keys-list.children": _listed("admin_keys", "keys", "data-feed"),
    "keys-sheet.children": _step("admin_keys", "keys", "ask_revoke_feed", "1"),
}


# ---- nothing unlisted -------------------------------------------------------------------------------------------------
def test_the_table_has_a_column_for_every_role() -> None:
    assert tuple(role.key for role in ROLES) == COLUMNS


def test_every_page_has_a_line_and_every_line_a_page(world: World) -> None:
    paths = {str(page.get("path_template") or page["path"]) for page in dash.page_registry.values()}
    assert paths == {line.address for line in of_kind("page")}


def test_every_callback_belongs_to_a_wiring_row_and_every_row_has_a_line(world: World) -> None:
    rows = wired()
    own = {key for key in world.app.callback_map if any(name in key for name in OWN_CALLBACKS)}
    assert set(world.app.callback_map) - own == set(rows), "a callback without a wiring row, or the other way round"
    assert set(rows.values()) == {(line.kind, line.address) for line in of_kind("fill", "callback")}


def test_every_wiring_row_names_a_permission() -> None:
    for module in (import_module(f"callbacks.{row.name}") for row in pkgutil.iter_modules(callbacks.__path__)):
        rows = (*getattr(module, "PAGES", ()), *getattr(module, "CALLBACKS", ()))
        assert rows and all(row.permission for row in rows), module.__name__


def test_every_route_of_the_server_has_a_line(world: World) -> None:
    listed = set(OTHERS) | {line.address for line in of_kind("json", "paper", "stream")}
    listed |= {f"{line.address}.{form}" for line in of_kind("file") for form in TABLE_FORMATS}
    there = {str(getattr(route, "path", "")) for route in world.app.server.routes}
    assert there - {"{path:path}"} == listed  # Dash may add its own way to the pages, behind ours, which has every address


def test_every_row_of_the_api_has_its_lines() -> None:
    rows = {route.path for route in ROUTES if route.path not in OTHERS}
    assert rows == {line.address for line in of_kind("json", "paper", "stream")}
    assert {route.path for route in ROUTES if route.has_tables} == {line.address for line in of_kind("file")}


# ---- every cell ---------------------------------------------------------------------------------------------------------
def example(line: Line) -> str:
    """The line's address with the item inside the limits, and the first of its queries."""
    path = ITEMS.get(line.address, (line.address, ""))[0]
    query = QUERIES.get(line.address, ("",))[0]
    return f"{path}?{query}" if query else path


def expected(line: Line, caller: Caller) -> int:
    """200 or 403."""
    return 200 if line.admits(caller.role, caller.limits) else 403


@pytest.mark.parametrize("line", of_kind("page"), ids=lambda line: line.address)
def test_a_page_opens_for_its_roles_alone(world: World, line: Line) -> None:
    found = {caller.name: client.get(example(line)).status_code for caller, client in world.each()}
    assert found == {caller.name: expected(line, caller) for caller, _ in world.each()}
    nobody = world.nobody.get(example(line))
    assert (nobody.status_code, nobody.headers["location"].partition("?")[0]) == (303, "/sign-in")


@pytest.mark.parametrize("line", of_kind("fill"), ids=lambda line: line.address)
def test_a_page_is_filled_for_its_roles_alone_and_with_their_side_alone(world: World, line: Line) -> None:
    faults = []
    for caller, client in world.each():
        answer = fill(client, line.address)
        is_filled = answer.status_code == 200 and FORBIDDEN not in answer.json()["response"][f"{line.address}-body"].__str__()
        if is_filled != line.admits(caller.role, caller.limits):
            faults.append(f"{caller.name}: {answer.status_code}, filled {is_filled}")
        said = answer.text.replace(PATHS.get(line.address, "-").replace("/", "\\u002f"), "")  # what was asked for stands in the links
        faults += [f"{caller.name} sees {mark}" for mark in _marks(caller, line) if mark in said]
    assert not faults
    assert fill(world.nobody, line.address).status_code == 401


def _marks(caller: Caller, line: Line) -> tuple[str, ...]:
    """What may not be in an answer to this caller; to those who may not have it, nothing of the province at all."""
    admitted = line.admits(caller.role, caller.limits)
    words = () if caller.role in ("analyst", "operator") else ("zwords",)
    refused = () if caller.role in ("analyst", "operator", "feed_owner", "admin") and not caller.limits else ("zrej",)
    return (*caller.foreign(), *words, *refused) if admitted else ("zag", "zar", "zwords", "zrej")


@pytest.mark.parametrize("line", of_kind("callback"), ids=lambda line: line.address)
def test_a_callback_answers_its_roles_alone(world: World, line: Line) -> None:
    key = next(key for key, row in wired().items() if row == ("callback", line.address))
    inputs, states, word = PRESSED[line.address]
    faults = []
    for caller, client in world.each():
        answer = ask(client, key, inputs, states, _pressed(inputs))
        if (word in answer.text) != line.admits(caller.role, caller.limits):
            faults.append(f"{caller.name}: {answer.status_code} {answer.text[:200]}")
        faults += [f"{caller.name} sees {mark}" for mark in _marks(caller, line) if mark in answer.text]
    assert not faults
    assert ask(world.nobody, key, inputs, states, _pressed(inputs)).status_code == 401


@pytest.mark.parametrize("line", of_kind("json", "paper"), ids=lambda line: line.address)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_an_address_of_the_api_answers_its_roles_alone(world: World, line: Line, method: str) -> None:
    found = {caller.name: client.request(method, example(line)).status_code for caller, client in world.each()}
    assert found == {caller.name: expected(line, caller) for caller, _ in world.each()}
    assert world.nobody.request(method, example(line)).status_code == 401


@pytest.mark.parametrize("form", TABLE_FORMATS)
@pytest.mark.parametrize("line", of_kind("file"), ids=lambda line: line.address)
def test_a_file_leaves_for_its_roles_alone_and_with_their_side_alone(world: World, line: Line, form: str) -> None:
    faults = []
    path, _, query = example(line).partition("?")
    for caller, client in world.each():
        answer = client.get(f"{path}.{form}?{query}")
        if answer.status_code != expected(line, caller):
            faults.append(f"{caller.name}: {answer.status_code}")
        words = words_of(answer.content, form) if answer.status_code == 200 else answer.text
        faults += [f"{caller.name} sees {mark}" for mark in _marks(caller, line) if mark in words]
    assert not faults
    assert world.nobody.get(f"{path}.{form}?{query}").status_code == 401


@pytest.mark.parametrize("line", of_kind("stream"), ids=lambda line: line.address)
def test_a_stream_opens_for_its_roles_alone(world: World, line: Line) -> None:
    found = {}
    for caller, client in world.each():
        with client.stream("GET", line.address) as answer:
            found[caller.name] = answer.status_code
    assert found == {caller.name: expected(line, caller) for caller, _ in world.each()}
    with world.nobody.stream("GET", line.address) as answer:
        assert answer.status_code == 401


def test_the_walls_frame_holds_the_whole_province_and_no_words(world: World) -> None:
    with world.of("display").stream("GET", "/live/wall") as answer:
        frame = next(text for text in answer.iter_lines() if text.startswith('data: {"seq"'))
    assert "zarin" in frame and "zarout" in frame
    assert "zwords" not in frame and "zrej" not in frame
    assert "-zag" not in frame, "a dossier's number is on the wall"


def test_a_page_links_to_no_file_its_reader_would_be_refused(world: World) -> None:
    for line in of_kind("file"):
        page = {"/api/v1/dossiers": "dossiers", "/api/v1/reports": "reports", "/api/v1/stations": "stations", "/api/v1/feeds": "feeds",
                "/api/v1/audit": "audit", "/api/v1/indicators": "indices"}.get(line.address, "")
        href = f"{line.address}.csv".replace("/", "\\u002f")
        for caller, client in world.each() if page else ():
            is_filled = next(row for row in of_kind("fill") if row.address == page).admits(caller.role, caller.limits)
            assert (href in fill(client, page).text) == (is_filled and line.admits(caller.role, caller.limits)), (caller.name, page)


def test_a_page_links_to_no_page_its_reader_would_be_refused(world: World) -> None:
    pages = [line for line in of_kind("page") if "<" not in line.address]
    for caller, client in world.each():
        bar = str(fill(client, "desk").json()["response"]["desk-bar"])
        linked = {line.address for line in pages if f"'href': '{line.address}'" in bar} - {"/"}
        assert linked <= {line.address for line in pages if line.admits(caller.role, caller.limits)}, caller.name
        assert caller.role == "display" or linked, caller.name


# ---- inside and outside ---------------------------------------------------------------------------------------------------
QUESTIONS = tuple(
    (line, query) for line in of_kind("json") if line.address.startswith("/api/v1/") and "{" not in line.address
    for query in QUERIES.get(line.address, ("",))
)


@pytest.mark.parametrize(("line", "query"), QUESTIONS, ids=lambda value: getattr(value, "address", value))
def test_a_limited_caller_never_sees_the_other_side(world: World, line: Line, query: str) -> None:
    faults = []
    for caller, client in world.each():
        if line.admits(caller.role, caller.limits):
            said = client.get(f"{line.address}?{query}").text
            faults += [f"{caller.name} sees {mark}" for mark in _marks(caller, line) if mark in said]
    assert not faults


@pytest.mark.parametrize("form", ["pdf", "xlsx"])
def test_the_paper_of_a_limited_caller_has_their_side_alone(world: World, form: str, tmp_path: Path) -> None:
    read = {"pdf": lambda body: pdf_text(body, tmp_path), "xlsx": lambda body: words_of(body, "xlsx")}[form]
    limited, whole = (read(world.of("leader", *limits).get(f"/api/v1/weekly.{form}").content) for limits in (("agency", "area"), ()))
    assert "zagin" in limited and "zagout" not in limited and "zarout" not in limited
    assert "zagout" in whole


CUT = [row for row in QUESTIONS if row[0].admits("operator", ("agency",)) and "feeds" not in row[0].address]


@pytest.mark.parametrize(("line", "query"), CUT, ids=lambda value: getattr(value, "address", value))
def test_limits_answer_as_if_the_other_side_were_not_there(world: World, line: Line, query: str) -> None:
    """Every figure, not only every name: the answer is that of a province that has the inner side alone."""
    limited = world.of("operator", "agency", "area").get(f"{line.address}?{query}").json()
    assert _timeless(limited) == _timeless(world.alone.get(f"{line.address}?{query}").json())


def _timeless(said: Any) -> Any:
    """Without the revision, and without what a series says of a code it does not know."""
    if isinstance(said, dict):
        return {key: _timeless(value) for key, value in said.items() if key != "revision"}
    return [_timeless(value) for value in said] if isinstance(said, list) else said


@pytest.mark.parametrize("path", ["/api/v1/dossiers", "/api/v1/reports", "/api/v1/stations", "/api/v1/readings?period=2026-11-20"])
def test_whoever_has_no_limits_sees_both_sides(world: World, path: str) -> None:
    said = world.of("operator").get(path).text
    assert "zarin" in said and "zarout" in said


@pytest.mark.parametrize("address", [address for address in ITEMS if re.search("/(dossiers|reports)/{", address)])
def test_one_item_is_there_inside_the_limits_and_not_outside(world: World, address: str) -> None:
    inside, outside = ITEMS[address]
    for limits, wanted in (((), 200), (("agency", "area"), 404), (("agency",), 404), (("area",), 404)):
        client = world.of("operator", *limits)
        assert client.get(inside).status_code == 200, limits
        assert client.get(outside).status_code == wanted, limits


@pytest.mark.parametrize("page", ["dossier", "report", "station"])
def test_the_page_of_an_item_outside_the_limits_is_not_there(world: World, page: str) -> None:
    inside, outside = ITEMS[f"/{page}s/<item>"]
    mark = outside.rpartition("~")[2]
    limited, whole = world.of("operator", "agency", "area"), world.of("operator")
    assert t("error.not_found", "vi") in json.dumps(fill(limited, page, outside).json(), ensure_ascii=False)
    assert "zag" in fill(whole, page, outside).text or mark in fill(whole, page, outside).text
    assert t("error.not_found", "vi") not in json.dumps(fill(limited, page, inside).json(), ensure_ascii=False)


@pytest.mark.parametrize(("page", "query"), [
    ("desk", {"agency": "H99.2"}), ("dossiers", {"agency": "H99.2"}), ("dossiers", {"q": "H0-zagout"}), ("reports", {"area": "00002"}),
    ("reports", {"q": "PA0-zagout"}), ("stations", {"area": "00002"}),
])
def test_a_filter_does_not_reach_over_the_limits(world: World, page: str, query: dict[str, str]) -> None:
    limited, whole = world.of("operator", "agency", "area"), world.of("operator")
    seen = fill(limited, page, **query).text.replace(f'"{query.get("q")}"', "").replace(f'q={query.get("q")}', "")
    assert "zagout" not in seen and "zarout" not in seen
    assert "out" in fill(whole, page, **query).text


# ---- what no role decides about ---------------------------------------------------------------------------------------------
def test_no_role_opens_a_feed_without_its_key(world: World) -> None:
    for caller, client in world.clients.items():
        for feed in ("feedback", "air", "one_stop"):
            body = {"session": "guessed", "service": "DongBoHoSoMC", "data": []}
            assert client.post(f"/ingest/{feed}", json=body).status_code in (401, 403, 429), (caller.name, feed)
        assert client.post("/ingest/one_stop/login", json={"username": "portal", "password": "wrong"}).status_code in (401, 403, 429)
        assert client.post("/ingest/feedback/login", json={"username": "portal", "password": "wrong"}).status_code in (404, 429)
    assert "zrej" in fill(world.of("operator"), "feed").text, "nothing above was let in to change this"


def test_a_feed_key_opens_its_own_feed_alone(world: World) -> None:
    opened_ = {}
    for given, key in world.feed_keys.items():
        for feed in world.feed_keys:
            headers = {"Authorization": f"Bearer {key}", "X-Feed-Key": key, "Content-Type": "application/json"}
            opened_[given, feed] = httpx.post(f"{world.url}/ingest/{feed}", headers=headers, content=b"[]").status_code
    assert {pair: status == 403 for pair, status in opened_.items()} == {
        ("feedback", "feedback"): False, ("feedback", "air"): True, ("air", "feedback"): True, ("air", "air"): False,
    }


def test_the_forms_know_who_asks_and_do_nothing_without_their_token(world: World) -> None:
    forms = {path for path, who in OTHERS.items() if who == "form"}
    nobody = {path: world.nobody.get(path) for path in forms}
    assert {path: answer.status_code for path, answer in nobody.items()} == {
        "/sign-in": 200, "/sign-out": 303, "/first-run": 303, "/account": 303,
    }
    assert all(answer.headers["location"].startswith("/sign-in") for path, answer in nobody.items() if path != "/sign-in")
    for caller, client in world.each():
        mine = {path: client.get(path).status_code for path in forms}
        assert mine == {"/sign-in": 303, "/sign-out": 200, "/first-run": 303, "/account": 200}, caller.name
        posted = {path: client.post(path, data={"do": "end_others", "username": "viewer", "password": "x"}).status_code for path in forms}
        assert posted == {"/sign-in": 403, "/sign-out": 403, "/first-run": 303, "/account": 403}, caller.name
        assert client.get("/account").status_code == 200, "the session has not ended"


@pytest.mark.parametrize("role", COLUMNS)
def test_an_api_key_opens_what_its_role_reads_and_no_page(world: World, role: str) -> None:
    headers = {"Authorization": f"Bearer {world.api_keys[role]}"}
    with httpx.Client(base_url=world.url, headers=headers, timeout=60) as client:
        found = {line.address: client.get(example(line)).status_code for line in of_kind("json")}
        assert found == {line.address: expected(line, Caller(role)) for line in of_kind("json")}
        asked = {line.address: f"{example(line)}?".replace("?", ".csv?", 1).rstrip("?") for line in of_kind("file")}
        files = {address: client.get(path).status_code for address, path in asked.items()}
        assert files == {line.address: expected(line, Caller(role)) for line in of_kind("file")}
        assert {client.get(example(line)).status_code for line in of_kind("page")} == {303}
        assert fill(client, "desk").status_code == 401


@pytest.mark.parametrize("path", [path for path, who in OTHERS.items() if who == "anyone" and "{" not in path])
def test_what_says_nothing_of_the_city_is_open(world: World, path: str) -> None:
    wanted = {"/assets": "/assets/desk.css"}.get(path, path)
    assert world.nobody.get(wanted).status_code == 200


@pytest.mark.parametrize("path", [path for path, who in OTHERS.items() if who == "signed in"])
def test_what_dash_asks_for_is_for_who_is_signed_in(world: World, path: str) -> None:
    method = "POST" if "update" in path else "GET"
    assert world.nobody.request(method, path).status_code == 401
    assert all(client.request(method, path).status_code not in (401, 403, 500) for _, client in world.each())


@pytest.mark.parametrize("path", [path for path, who in OTHERS.items() if who == "lost"])
def test_an_address_that_is_not_there_tells_nobody_anything(world: World, path: str) -> None:
    wanted = path.replace("{rest:path}", "v9/secret")
    assert world.nobody.get(wanted).status_code in (401, 404)
    assert {client.get(wanted).status_code for _, client in world.each()} == {404}
    assert world.of("admin").get("/nowhere").status_code == 404


def test_callbacks_have_no_second_door(world: World) -> None:
    """Dash can serve callbacks over a WebSocket; nothing here uses it, so nobody may."""
    shake = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "A" * 22 + "=="}
    for client in (world.nobody, world.of("operator"), world.of("admin")):
        assert client.get("/_dash-ws-callback", headers=shake).status_code in (403, 404)
