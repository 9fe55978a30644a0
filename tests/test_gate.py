"""The gate over real HTTP: what no row names is refused, who may pass, from where; security headers on every answer."""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import dash
import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse

import api.wire
from api.gate import Gate, Row, once, page_rows
from api.headers import ALWAYS, BUNDLED_BY, Policy, cache_control, hash_of, style_sources
from api.limits import GATE_BOUNDS, GateLimits, Rate
from api.origin import bad_host, bad_origin, foreign_reader, peer_of
from api.routes import FORMS, ROUTES
from app import make_app
from auth import COOKIE
from components.context import AppContext
from config import WebConfig
from scope import Scope, scope_of
from store.engine import Store, open_store
from store.migrate import migrate
from tests.rights_city import CONFIG, IN, NOW, TZ, Caller, make_people, make_province
from tests.servers import LiveServer, serve_asgi

LOCAL = WebConfig()
SAID_BY_PROXIES = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
BEHIND = WebConfig(public_url="https://ioc.example.vn", proxies=("10.0.0.1", "10.0.0.2"))


# ---- the application as it is made ------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class World:
    """The running application with users; `client(role)` is signed in."""

    url: str
    server: FastAPI
    people: tuple[Caller, ...]

    def client(self, role: str = "", *limits: str) -> httpx.Client:
        """A browser's requests of the user with this role and these limits; '' = nobody."""
        caller = next(one for one in self.people if (one.role, one.limits) == (role, limits))
        cookies = {COOKIE: caller.token} if caller.token else None
        return httpx.Client(base_url=self.url, cookies=cookies, headers={"Origin": self.url, "Accept": "text/html"}, timeout=60)


@pytest.fixture(scope="module")
def world(make_database: Callable[..., str]) -> Iterator[World]:
    url = make_database("sqlite")
    store = make_province(url, (IN,))
    people = make_people(store)
    server = make_app(replace(CONFIG, store_url=url), store, now=lambda: NOW).server
    with serve_asgi(server) as live:
        httpx.get(live.url)  # Dash adds its own routes with the first page
        yield World(live.url, server, people)
    store.dispose()


def gate_of(server: FastAPI) -> Gate:
    """A gate with the rows of the application."""
    made = next(row for row in server.user_middleware if row.cls is Gate)
    return Gate(server, *made.args, **made.kwargs)


def test_every_route_and_every_page_is_named_by_a_row(world: World) -> None:
    gate = gate_of(world.server)
    paths = {str(getattr(route, "path", "")) for route in world.server.routes} - {"/{path:path}", "{path:path}", "/_dash-ws-callback"}
    paths |= {str(page.get("path_template") or page["path"]) for page in dash.page_registry.values()}
    examples = {re.sub(r"\{\w+:path\}", "a/b", re.sub(r"<\w+>|\{\w+\}", "x", path)) for path in paths}
    assert len(examples) > 50
    assert {path for path in examples if path != "/assets" and gate.row_of(path) is None} == set()


def test_each_form_is_one_page_row_that_reads_a_small_body_and_lets_anyone_in(world: World) -> None:
    forms = {route.path for route in ROUTES if route.handler in FORMS}
    assert forms >= {"/sign-in", "/first-run", "/sign-out", "/account"}
    rows = [row for _, row in gate_of(world.server).rows if row.path in forms]
    assert sorted(rows, key=lambda row: row.path) == [Row(path, "", "page", GATE_BOUNDS.form_bytes) for path in sorted(forms)]


def test_an_address_without_a_row_is_refused_even_where_a_route_would_answer() -> None:
    calls: list[Request | None] = []
    with small_server(calls, [Row("/open", "")]) as url:
        assert httpx.get(f"{url}/open").status_code == 200
        assert httpx.get(f"{url}/closed").status_code == 404
        assert httpx.get(f"{url}/closed", headers={"Accept": "text/html"}).status_code == 404
        assert httpx.request("DELETE", f"{url}/closed", headers={"Origin": url}).status_code == 404
    assert calls == []


def test_a_page_without_a_permission_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="names no permission"):
        page_rows({"pages.new": {"path": "/new"}})


def test_websockets_are_not_spoken(world: World) -> None:
    with world.client("operator") as client:
        shake = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "A" * 22 + "=="}
        assert client.get("/_dash-ws-callback", headers=shake).status_code == 404


# ---- who may pass -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["/", "/dossiers?state=overdue&q=a b", "/wall/one_stop", "/feeds/one_stop"])
def test_a_page_sends_strangers_to_sign_in_and_back_to_itself(world: World, path: str) -> None:
    with world.client() as client:
        answer = client.get(path)
        assert answer.status_code == 303
        there = httpx.URL(answer.headers["location"])
        assert (there.path, there.host) == ("/sign-in", "")
        wanted = there.params.get("next", "/")
        assert httpx.URL(wanted) == httpx.URL(path) and wanted.startswith("/") and not wanted.startswith("//")


@pytest.mark.parametrize("path", ["/api/v1/kpis", "/metrics", "/live/ticks", "/_dash-layout", "/api/nothing"])
def test_what_is_no_page_tells_strangers_what_to_do(world: World, path: str) -> None:
    with world.client() as client:
        answer = client.get(path)
    assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
    assert "/sign-in" in answer.json()["error"]["remedy"]


def test_without_the_right_a_page_is_refused_in_our_own_look(world: World) -> None:
    with world.client("viewer") as client:
        answer = client.get("/dossiers?x=<script>alert(1)</script>")
    assert answer.status_code == 403 and "/assets/desk.css" in answer.text
    assert "Tài khoản này không có quyền" in answer.text and "alert(1)" not in answer.text


def test_the_wall_is_for_rights_over_the_whole_province(world: World) -> None:
    with world.client("operator", "agency", "area") as limited, world.client("display") as whole:
        for path in ("/wall", "/wall/one_stop", "/live/wall"):
            assert limited.get(path).status_code == 403
        assert limited.get("/live/wall").json()["error"]["code"] == "whole_province"
        assert whole.get("/wall").status_code == 200


def test_rights_are_asked_once_a_request_and_never_for_assets() -> None:
    calls: list[Request | None] = []
    with small_server(calls, [Row("/mine", "see.desk"), Row("/open", "", "asset")]) as url:
        assert httpx.get(f"{url}/mine").text == "viewer"  # the route itself asks again
        assert len(calls) == 1
        httpx.get(f"{url}/open")
        assert len(calls) == 1


# ---- where from -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("host", "web", "welcome"), [
    ("127.0.0.1:8050", LOCAL, True), ("localhost", LOCAL, True), ("[::1]:8050", LOCAL, True), ("10.1.2.3", LOCAL, True),
    ("rebound.example", LOCAL, False), ("localhost.example", LOCAL, False), ("", LOCAL, False), ("127.0.0.1.nip.io", LOCAL, False),
    ("ioc.example.vn", BEHIND, True), ("IOC.example.vn:443", BEHIND, True), ("localhost:8050", BEHIND, True),
    ("10.1.2.3", BEHIND, False), ("ioc.example.vn.evil.example", BEHIND, False), ("evil.example", BEHIND, False),
])
def test_only_our_own_names_are_answered(host: str, web: WebConfig, welcome: bool) -> None:
    assert (bad_host(host, web) == "") is welcome


@pytest.mark.parametrize(("peer", "headers", "address"), [
    ("10.9.9.9", {}, "10.9.9.9"),
    ("10.9.9.9", {"x-forwarded-for": "1.2.3.4"}, None), ("10.9.9.9", {"forwarded": "for=1.2.3.4"}, None),
    ("10.9.9.9", {"x-forwarded-proto": "https"}, None), ("127.0.0.1", {"x-real-ip": "1.2.3.4"}, None),
    *(("10.9.9.9", {name: "x"}, None) for name in SAID_BY_PROXIES),
    ("10.0.0.1", {"x-forwarded-for": "1.2.3.4"}, "1.2.3.4"),
    ("10.0.0.1", {"x-forwarded-for": "127.0.0.1, 1.2.3.4"}, "1.2.3.4"),
    ("10.0.0.1", {"x-forwarded-for": "6.6.6.6, 1.2.3.4, 10.0.0.2"}, "1.2.3.4"),
    ("10.0.0.1", {"x-forwarded-for": "not an address"}, ""), ("10.0.0.1", {}, ""), ("10.0.0.1", {"x-forwarded-for": "10.0.0.2"}, ""),
])
def test_only_named_proxies_speak_for_others(peer: str, headers: dict[str, str], address: str | None) -> None:
    found = peer_of(peer, "http", headers, BEHIND)
    assert (found.address if found else None) == address


def test_nothing_behind_the_gate_reads_what_a_proxy_says() -> None:
    with small_server([], [Row("/told", "")], web=WebConfig(proxies=("127.0.0.1",))) as url:
        told = httpx.get(f"{url}/told", headers={"X-Other": "1", **dict.fromkeys(SAID_BY_PROXIES, "1.2.3.4")}).text.split()
    assert "x-other" in told and not set(told) & set(SAID_BY_PROXIES)


SITE = {"host": "ioc.example.vn"}


@pytest.mark.parametrize(("method", "headers", "has_key", "passes"), [
    ("GET", {}, False, True), ("HEAD", {"origin": "https://evil.example"}, False, True),
    ("POST", {"origin": "https://ioc.example.vn"}, False, True), ("POST", {"origin": "https://IOC.example.vn"}, False, True),
    ("POST", {"referer": "https://ioc.example.vn/account"}, False, True),
    ("POST", {}, False, False), ("POST", {"origin": "null"}, False, False), ("POST", {"origin": "https://evil.example"}, False, False),
    ("POST", {"origin": "https://ioc.example.vn.evil.example"}, False, False),
    ("POST", {"origin": "https://ioc.example.vn:444"}, False, False),
    ("POST", {"origin": "https://evil.example", "referer": "https://ioc.example.vn/"}, False, False),
    ("POST", {"referer": "https://evil.example/?https://ioc.example.vn/"}, False, False),
    ("POST", {"referer": "https://ioc.example.vn@evil.example/"}, False, False),
    ("POST", {"origin": "https://ioc.example.vn", "sec-fetch-site": "cross-site"}, False, False),
    ("POST", {"origin": "https://ioc.example.vn", "sec-fetch-site": "same-site"}, False, False),
    ("POST", {"origin": "https://ioc.example.vn", "sec-fetch-site": "none"}, False, False),
    ("POST", {}, True, True), ("POST", {"cookie": "a=b"}, True, False), ("DELETE", {}, False, False), ("BREW", {}, False, False),
])
def test_only_our_own_pages_and_programs_with_keys_change_anything(
    method: str, headers: dict[str, str], has_key: bool, passes: bool
) -> None:
    assert (bad_origin(method, {**SITE, **headers}, has_key=has_key) == "") is passes


@pytest.mark.parametrize(("headers", "foreign"), [
    ({}, False), ({"sec-fetch-site": "same-origin"}, False), ({"sec-fetch-site": "none"}, False),
    ({"sec-fetch-site": "cross-site"}, True), ({"sec-fetch-site": "same-site"}, True), ({"origin": "https://evil.example"}, True),
    ({"origin": "https://ioc.example.vn"}, False), ({"origin": "null"}, True),
])
def test_streams_are_read_by_our_own_pages(headers: dict[str, str], foreign: bool) -> None:
    assert foreign_reader({**SITE, **headers}) is foreign


# ---- how much ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("request_", "status"), [
    ({"method": "POST", "path": "/form", "content": b"a=" + b"x" * 200, "form": True}, 413),
    ({"method": "POST", "path": "/form", "content": b"a=1", "form": True}, 200),
    ({"method": "POST", "path": "/form", "content": b'{"a": 1}', "json": True}, 415),
    ({"method": "POST", "path": "/call", "content": b"a=1", "form": True}, 415),
    ({"method": "POST", "path": "/call", "content": b"{}", "plain": True}, 415),
    ({"method": "GET", "path": "/form", "content": b"a=1"}, 413),
    ({"method": "POST", "path": "/open", "content": b"a=1"}, 413),
    ({"method": "GET", "path": "/open?" + "q" * 5000}, 414),
    ({"method": "GET", "path": "/open", "headers": {f"x-{n}": "1" for n in range(120)}}, 431),
    ({"method": "GET", "path": "/open", "headers": {"x": "1" * 40_000}}, 431),
    ({"method": "GET", "path": "/open", "headers": {"X-HTTP-Method-Override": "DELETE"}}, 400),
    ({"method": "GET", "path": "/open", "headers": {"X-Original-URL": "/closed"}}, 400),
    ({"method": "GET", "path": "/open", "headers": {"X-Forwarded-For": "127.0.0.1"}}, 400),
    ({"method": "GET", "path": "/a%00b"}, 400),
])
def test_requests_beyond_their_bounds_are_refused(request_: dict[str, Any], status: int) -> None:
    types = {"form": "application/x-www-form-urlencoded", "json": "application/json", "plain": "text/plain"}
    rows = [Row("/form", "", "page", 100), Row("/call", "see.desk", body_bytes=100), Row("/open", "")]
    with small_server([], rows) as url:
        media = [("Content-Type", types[kind]) for kind in types if request_.get(kind)]
        headers = {"Origin": url, **dict(media), **request_.get("headers", {})}
        answer = httpx.request(request_["method"], url + request_["path"], content=request_.get("content"), headers=headers)
    assert answer.status_code == status


def test_a_slow_body_is_given_up() -> None:
    with small_server([], [Row("/form", "", "page", 100)], replace(GATE_BOUNDS, body_s=0.3)) as url:
        port = int(url.rpartition(":")[2])
        head = f"POST /form HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {url}\r\nContent-Length: 9\r\n"
        with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
            line.sendall(f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\na=".encode())
            assert line.recv(4000).startswith(b"HTTP/1.1 408")


def test_slow_and_endless_headers_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.wire, "HEADERS_S", 0.5)
    with small_server([], [Row("/open", "")]) as url:
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=20) as slow:
            slow.sendall(b"GET /open HTTP/1.1\r\nHost: 127.0.0.1\r\nX:")
            assert slow.recv(4000).startswith(b"HTTP/1.1 408")
        with socket.create_connection(("127.0.0.1", port), timeout=20) as endless:
            endless.sendall(b"GET /open HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"x" * (api.wire.HEAD_BYTES + 1))
            assert endless.recv(4000).startswith(b"HTTP/1.1 431")


def test_strangers_are_slowed_down() -> None:
    limits = replace(GATE_BOUNDS, anonymous=Rate(0.01, 3))
    with small_server([], [Row("/open", "")], limits) as url:
        found = [httpx.get(f"{url}/open") for _ in range(5)]
    assert [answer.status_code for answer in found] == [200, 200, 200, 429, 429]
    assert int(found[-1].headers["retry-after"]) > 0


# ---- what every answer says -------------------------------------------------------------------------------------------------
EVERY = (
    ("", "/"), ("operator", "/"), ("operator", "/wall"), ("viewer", "/dossiers"), ("operator", "/nothing"), ("", "/nothing"),
    ("", "/sign-in"),
    ("operator", "/account"), ("operator", "/api/v1/kpis"), ("operator", "/api/v1/feeds.csv"), ("operator", "/api/v1/kpis?wrong=1"),
    ("", "/api/v1/kpis"), ("", "/assets/desk.css"), ("", "/assets/nothing.css"), ("", "/healthz"), ("", "/readyz"), ("viewer", "/metrics"),
    ("operator", "/_dash-layout"), ("", "/_dash-component-suites/dash/nothing.js"), ("", "/_favicon.ico"), ("", "/ingest/one_stop"),
)


@pytest.mark.parametrize(("role", "path"), EVERY)
def test_every_answer_carries_the_security_headers(world: World, role: str, path: str) -> None:
    with world.client(role) as client:
        answer = client.get(path)
    assert {name: answer.headers.get_list(name) for name, _ in ALWAYS} == {name: [value] for name, value in ALWAYS}
    policies = answer.headers.get_list("content-security-policy")
    assert len(policies) == 1 and "frame-ancestors 'none'" in policies[0] and "unsafe" not in policies[0] and "*" not in policies[0]
    assert "server" not in answer.headers and "x-powered-by" not in answer.headers
    if not path.startswith(("/assets/", "/_dash-component", "/_favicon")):
        assert answer.headers["cache-control"] == "no-store"
    assert len(answer.headers.get_list("cache-control")) == 1


@pytest.mark.parametrize("stream", ["/live/wall", "/live/ticks"])
def test_streams_carry_the_security_headers(world: World, stream: str) -> None:
    with world.client("operator") as client, client.stream("GET", stream) as answer:
        assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_scripts_run_by_hash_alone(world: World) -> None:
    with world.client("operator") as client:
        policy = client.get("/").headers["content-security-policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src")).split()[1:]
    assert scripts[0] == "'self'" and len(scripts) > 1 and all(source.startswith("'sha256-") for source in scripts[1:])
    assert "connect-src 'self'" in policy.split("; ") and "default-src 'none'" in policy.split("; ")


def test_https_is_kept_once_the_public_address_has_it(make_database: Callable[..., str]) -> None:
    store = open_store(make_database("sqlite"), TZ)
    migrate(store)
    config = replace(CONFIG, web=WebConfig(public_url="https://ioc.example.vn"))
    with serve_asgi(make_app(config, store, now=lambda: NOW).server) as live:
        assert "max-age=" in httpx.get(f"{live.url}/healthz").headers["strict-transport-security"]
    store.dispose()


@pytest.mark.parametrize(("kind", "path", "query", "given", "wanted"), [
    ("asset", "/assets/desk.css", b"m=1", (), "public, max-age=31536000, immutable"), ("asset", "/assets/desk.css", b"", (), "no-cache"),
    ("asset", "/assets/desk.css", b"x=1&m=1", (), "no-cache"), ("asset", "/assets/fonts/a.woff2", b"", (), "public, max-age=86400"),
    ("asset", "/_dash-component-suites/a.js", b"", ((b"cache-control", b"public"),), ""), ("page", "/", b"m=1", (), "no-store"),
    ("data", "/api/v1/kpis", b"", ((b"cache-control", b"public"),), "no-store"),
])
def test_only_what_is_no_secret_is_kept(kind: str, path: str, query: bytes, given: tuple[tuple[bytes, bytes], ...], wanted: str) -> None:
    assert cache_control(given, kind, query, path) == wanted


# ---- when something fails ---------------------------------------------------------------------------------------------------
def test_a_fault_leaves_a_reference_and_nothing_of_itself(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR), small_server([], [Row("/broken", ""), Row("/page", "", "page")]) as url:
        found = [httpx.get(f"{url}/broken"), httpx.get(f"{url}/page")]
    for answer in found:
        assert answer.status_code == 500 and "secret" not in answer.text and "Traceback" not in answer.text and ".py" not in answer.text
    reference = found[0].json()["error"]["message"].rpartition(" ")[2]
    assert re.fullmatch("[0-9a-f]{8}", reference) and reference in caplog.text and "secret table" in caplog.text
    shown = re.search("Mã tham chiếu: ([0-9a-f]{8})", found[1].text)
    assert shown and shown[1] in caplog.text


def test_a_callback_that_makes_no_sense_is_told_so(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with world.client("operator") as client:
        for body in ({}, [], {"output": "x.children"}, {"output": "..a.b...c.d..", "inputs": 1}, "text", {"output": {"a": 1}}):
            answer = client.post("/_dash-update-component", json=body)
            assert answer.status_code == 400 and answer.json()["error"]["code"] == "bad_callback", body
    assert "Traceback" not in caplog.text


# ---- a small application behind a gate of its own ----------------------------------------------------------------------------
class small_server:
    """A server with a few routes; everybody is a viewer. Context manager giving its address."""

    def __init__(
        self, calls: list[Request | None], rows: list[Row], limits: GateLimits = GATE_BOUNDS, web: WebConfig = LOCAL
    ) -> None:
        def read(request: Request | None) -> Scope:
            calls.append(request)
            return scope_of("viewer", actor="viewer")

        store = Store.__new__(Store)  # never asked
        context = AppContext(replace(CONFIG, web=web), store, lambda: NOW, once(read))
        server = FastAPI(openapi_url=None)

        async def open_(request: Request) -> PlainTextResponse:
            return PlainTextResponse((await request.body()).decode() or "open")

        async def mine(request: Request) -> PlainTextResponse:
            return PlainTextResponse(context.scope_of(request).actor)

        async def told(request: Request) -> PlainTextResponse:
            return PlainTextResponse(" ".join(request.headers))

        async def broken(request: Request) -> PlainTextResponse:
            raise RuntimeError("no such column in the secret table")

        for path, work in (("/open", open_), ("/form", open_), ("/call", open_), ("/mine", mine), ("/closed", open_),
                           ("/broken", broken), ("/page", broken), ("/told", told)):
            server.add_api_route(path, work, methods=["GET", "POST", "DELETE"])
        server.add_middleware(Gate, context=context, rows=rows, policy=Policy(), limits=limits)
        self._serving = serve_asgi(server)

    def __enter__(self) -> str:
        live: LiveServer = self._serving.__enter__()
        return live.url

    def __exit__(self, *fault: Any) -> None:
        self._serving.__exit__(*fault)


def test_sheets_of_known_versions_are_named_and_of_others_let_pass() -> None:
    known = style_sources("body{}", dict(BUNDLED_BY).__getitem__)
    assert known[0] == hash_of("body{}") and all(source.startswith("'sha256-") for source in known)
    assert style_sources("body{}", lambda name: "99.0") == ("'unsafe-inline'",)
