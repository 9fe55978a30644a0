"""Attack: requests that are not what they seem.

Foreign pages, planted sessions, redirects, hosts, methods, caches, guessed keys, monsters.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from api.limits import GATE_BOUNDS, Rate
from api.routes import ROUTES
from auth import COOKIE, make_api_key
from store.keys import PROGRAM, NewApiKey, add_api_key, digest
from store.sessions import find_session
from tests.attacks.conftest import FEED_KEY, PASSWORD, World, run_world
from tests.rights_city import AT

EVIL = "https://evil.example"
UNSAFE = tuple(sorted({route.path for route in ROUTES if route.method != "GET" and not route.path.startswith("/ingest")} | {
    "/_dash-update-component"
}))
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


# ---- cross-site requests ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", UNSAFE)
@pytest.mark.parametrize("headers", [
    {"Origin": EVIL}, {"Origin": "null"}, {}, {"Referer": f"{EVIL}/"}, {"Origin": EVIL, "Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "cross-site"}, {"Origin": EVIL, "Sec-Fetch-Site": "same-origin"}, {"Authorization": "Bearer x"},
], ids=str)
def test_no_other_sites_page_changes_anything(world: World, path: str, headers: dict[str, str]) -> None:
    signed = world.caller("operator")
    with world.client("operator", origin=None) as client:
        for media, body in ((FORM, "do=end_others&session=x"), (JSON, "{}"), ("text/plain", '{"output": "x"}'), ("", "")):
            answer = client.post(path, content=body, headers={**headers, **({"Content-Type": media} if media else {})})
            assert answer.status_code == 403, (media, answer.status_code)
    assert find_session(world.store, signed.token, AT) is not None


def test_the_same_requests_from_our_own_page_are_heard(world: World) -> None:
    with world.client("operator") as client:
        assert client.post("/_dash-update-component", json={}).status_code == 400  # heard, and not understood
        assert client.post("/_dash-update-component", content="{}", headers={"Content-Type": "text/plain"}).status_code == 415


def test_every_unsafe_method_of_every_address_needs_our_own_page(world: World) -> None:
    with world.client("operator", origin=None) as client:
        for path in ("/", "/api/v1/kpis", "/live/wall", "/account", "/_dash-layout", "/metrics", "/feeds/one_stop"):
            for method in ("POST", "PUT", "PATCH", "DELETE"):
                assert client.request(method, path).status_code == 403, (method, path)
                answer = client.request(method, path, headers={"Origin": world.url})
                assert answer.status_code in (404, 405, 415), (method, path, answer.status_code)


def test_a_session_opens_no_feed(world: World) -> None:
    with world.client("operator") as client:
        assert client.post("/ingest/feedback", content="[]", headers={"Content-Type": "text/plain"}).status_code == 401


# ---- signing in ---------------------------------------------------------------------------------------------------------------
def sign_in(world: World, following: str = "", planted: str = "") -> httpx.Response:
    """Sign in as a person does: open the form, send it."""
    query = {"next": following} if following else {}
    with httpx.Client(base_url=world.url, headers={"Origin": world.url}, timeout=60) as client:
        if planted:
            client.cookies.set(COOKIE, planted, domain="127.0.0.1")
        form = client.get("/sign-in", params=query)
        token = re.search(r'name="csrf" value="([^"]+)"', form.text)
        assert token, form.text[-500:]
        return client.post("/sign-in", params=query, data={"csrf": token[1], "username": "lan", "password": PASSWORD})


def test_a_planted_session_never_becomes_somebodys(world: World) -> None:
    planted = "planted-by-the-attacker-who-waits"
    answer = sign_in(world, planted=planted)
    assert answer.status_code == 303
    own = answer.cookies[COOKIE]
    assert own != planted and find_session(world.store, own, AT) is not None
    assert find_session(world.store, planted, AT) is None
    attributes = answer.headers["set-cookie"].lower()
    assert "httponly" in attributes and "samesite=lax" in attributes


@pytest.mark.parametrize("wanted", [
    "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "https:evil.example",
    "//evil%2eexample", "/\t/evil.example", "/%09/evil.example", "javascript:alert(1)", "data:text/html,x",
    "/%5cevil.example", " //evil.example", "/\r\nX: y",
])
def test_signing_in_leads_nowhere_else(world: World, wanted: str) -> None:
    answer = sign_in(world, following=wanted)
    assert answer.status_code == 303
    there = httpx.URL(world.url).join(answer.headers["location"])
    assert (there.host, there.port, there.scheme) == ("127.0.0.1", world.port, "http")
    assert re.match(r"/(?![/\\])", answer.headers["location"]) and "x" not in answer.headers


@pytest.mark.parametrize("path", ["//evil.example", "//evil.example/..", "/\\evil.example", "/%2f/evil.example", "/https://evil.example"])
def test_being_sent_to_sign_in_leads_nowhere_else(world: World, path: str) -> None:
    answer = httpx.get(httpx.URL(world.url).copy_with(raw_path=path.encode()))
    assert answer.status_code in (303, 400, 404)
    assert answer.headers.get("location", "/").startswith(("/sign-in", "/")) and "//" not in answer.headers.get("location", "")


# ---- who it says it is --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("host", [
    "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "evil.example:80", "127.0.0.1@evil.example",
])
def test_no_other_name_is_answered(world: World, host: str) -> None:
    with world.client("operator", Host=host) as client:
        for path in ("/", "/sign-in", "/api/v1/kpis", "/live/ticks", "/assets/desk.css"):
            answer = client.get(path)
            assert answer.status_code == 421 and "evil" not in answer.text and "location" not in answer.headers, path


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Forwarded"])
def test_nobody_may_speak_for_another_address(world: World, name: str) -> None:
    for value in ("127.0.0.1", "evil.example", "for=127.0.0.1;host=evil.example"):
        with world.client("operator", **{name: value}) as client:
            for path in ("/", "/api/v1/kpis", "/sign-in", "/healthz"):
                assert client.get(path).status_code == 400


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL"])
def test_no_header_changes_method_or_address(world: World, name: str) -> None:
    with world.client("operator", **{name: "DELETE" if "ethod" in name else "/api/v1/audit"}) as client:
        assert client.get("/api/v1/kpis").status_code == 400
        assert client.post("/account", data={"_method": "DELETE"}).status_code == 400


def test_a_form_field_changes_no_method(world: World) -> None:
    with world.client("operator") as client:
        assert client.get("/api/v1/kpis?_method=POST").status_code == 400
        assert client.request("TRACE", "/").status_code in (400, 403, 405)
        assert client.options("/api/v1/kpis").status_code in (403, 404, 405)


# ---- caches -------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", [
    "/", "/account", "/sign-in", "/api/v1/kpis", "/api/v1/feeds.csv", "/_dash-layout", "/metrics", "/nothing.css", "/api/v1/kpis/x.css",
])
def test_nothing_private_may_be_kept_whatever_the_address_looks_like(world: World, path: str) -> None:
    for query in ("", "?m=1", "?x.css", "?utm=1"):
        with world.client("operator") as client:
            assert client.get(path + query).headers["cache-control"] == "no-store"
        with world.client() as nobody:
            assert nobody.get(path + query).headers["cache-control"] == "no-store"


def test_a_path_that_ends_like_a_file_is_no_file(world: World) -> None:
    with world.client("operator") as client:
        for path in ("/account/x.css", "/dossiers/x/y.js", "/account%2fx.css", "/account;x.css"):
            assert client.get(path).status_code == 404


# ---- keys ---------------------------------------------------------------------------------------------------------------------
def test_wrong_keys_are_told_alike(world: World) -> None:
    right, old = make_api_key(), make_api_key()
    add_api_key_of(world, right, None)
    add_api_key_of(world, old, AT - 1)
    with httpx.Client(base_url=world.url) as client:
        assert client.get("/api/v1/kpis", headers={"Authorization": f"Bearer {right}"}).status_code == 200
        near = right[:-1] + ("1" if right[-1] == "0" else "0")
        wrong = (near, old, "tca_", "tca_" + "a" * 43, "x", right.upper(), right + "x")
        found = [client.get("/api/v1/kpis", headers={"Authorization": f"Bearer {key}"}) for key in wrong]
    assert {answer.status_code for answer in found} == {401}
    assert len({answer.text for answer in found}) == 1


def add_api_key_of(world: World, key: str, expires_at: int | None) -> None:
    """An analyst's API key."""
    add_api_key(world.store, NewApiKey("probe", "analyst", expires_at=expires_at), key, PROGRAM, AT - 10)


def test_wrong_feed_keys_are_told_alike_and_never_in_what_they_miss(world: World) -> None:
    with httpx.Client(base_url=world.url, headers={"Content-Type": "application/json"}) as client:
        wrong = ("tck_", "tck_" + "a" * 43, FEED_KEY[:-1], FEED_KEY + "x", FEED_KEY.upper(), "x")
        found = [client.post("/ingest/feedback", content=b"[]", headers={"X-Feed-Key": key}) for key in wrong]
        assert {(answer.status_code, answer.text) for answer in found} == {(403, found[0].text)}
        other = client.post("/ingest/air", content=b"[]", headers={"X-Feed-Key": FEED_KEY})
    assert other.status_code == 403 and other.text.replace("air", "feedback") == found[0].text


def test_no_secret_is_in_the_store(world: World) -> None:
    path = Path(str(world.store.engine.url.database))
    kept = b"".join(part.read_bytes() for part in (path, path.with_name(path.name + "-wal")) if part.exists())
    token = world.caller("operator").token
    assert digest(token).encode() in kept
    for secret in (token, FEED_KEY, PASSWORD):
        assert secret.encode() not in kept


def test_guessing_is_slowed_down(make_database: Callable[..., str]) -> None:
    with run_world(make_database("sqlite"), replace(GATE_BOUNDS, anonymous=Rate(0.01, 5))) as world:
        with httpx.Client(base_url=world.url) as client:
            codes = [client.get("/api/v1/kpis", headers={"Authorization": f"Bearer tca_{n}"}).status_code for n in range(8)]
            assert codes == [401] * 5 + [429] * 3
            assert client.get("/", headers={"Cookie": f"{COOKIE}=guess"}).status_code == 429
        with world.client("operator") as signed:
            assert signed.get("/api/v1/kpis").status_code == 200, "who is signed in at the same address goes on"


# ---- one's own things ---------------------------------------------------------------------------------------------------------
def test_nobody_ends_anothers_session(world: World) -> None:
    victim = world.caller("admin")
    wanted = digest(victim.token)
    with world.client("operator") as client:
        form = client.get("/account")
        token = re.search(r'name="csrf" value="([^"]+)"', form.text)
        assert token and wanted[:16] not in form.text
        for guess in (wanted[:16], wanted, "", "%", "' OR '1'='1"):
            client.post("/account", data={"csrf": token[1], "do": "end", "session": guess})
        client.post("/account", data={"csrf": token[1], "do": "end_others"})
    assert find_session(world.store, victim.token, AT) is not None


def test_a_form_of_another_session_is_refused(world: World) -> None:
    with world.client("viewer") as other, world.client("operator") as client:
        token = re.search(r'name="csrf" value="([^"]+)"', other.get("/account").text)
        assert token
        answer = client.post("/account", data={"csrf": token[1], "do": "end_others"})
    assert answer.status_code == 403


def test_a_cursor_of_someone_with_more_rights_shows_nothing_more(world: World) -> None:
    with world.client("operator") as whole, world.client("operator", "agency", "area") as limited:
        for path in ("/api/v1/dossiers", "/api/v1/reports", "/api/v1/readings?period=2026-11-18..2026-11-20"):
            first = whole.get(path, params={**dict(httpx.URL(path).params), "limit": 2}).json()
            for _ in range(12):
                if not first.get("next"):
                    break
                params = {**dict(httpx.URL(path).params), "limit": 2, "cursor": first["next"]}
                said = limited.get(path, params=params).text
                assert "zagout" not in said and "zarout" not in said
                first = whole.get(path, params=params).json()


# ---- monsters -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("path", "media"), [("/sign-in", FORM), ("/account", FORM), ("/_dash-update-component", JSON)])
def test_bodies_beyond_their_bounds_are_not_read(world: World, path: str, media: str) -> None:
    def endless() -> object:
        for _ in range(40):
            yield b"x" * 100_000

    with world.client("operator") as client:
        told = client.post(path, content=b"x" * 2_000_000, headers={"Content-Type": media})
        assert told.status_code == 413
        assert client.post(path, content=endless(), headers={"Content-Type": media}).status_code == 413


def test_a_bomb_is_not_unpacked(world: World) -> None:
    bomb = gzip.compress(b"[" + b" " * 80_000_000 + b"]")
    headers = {"X-Feed-Key": FEED_KEY, "Content-Encoding": "gzip", "Content-Type": "application/json"}
    answer = httpx.post(f"{world.url}/ingest/feedback", content=bomb, headers=headers, timeout=60)
    assert answer.status_code == 413
    plain = {**headers, "Content-Encoding": "identity"}
    assert httpx.post(f"{world.url}/ingest/feedback", content=b"[" * 100_000, headers=plain, timeout=60).status_code == 400


def test_a_bomb_for_a_form_or_a_callback_stays_packed(world: World) -> None:
    bomb = gzip.compress(b"{" + b" " * 10_000_000 + b"}")
    with world.client("operator") as client:
        answer = client.post("/_dash-update-component", content=bomb, headers={"Content-Type": JSON, "Content-Encoding": "gzip"})
        assert answer.status_code == 400
