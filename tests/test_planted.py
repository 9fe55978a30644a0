"""A province with persons planted in every field, crawled as a display and as a viewer: none of them is found, anywhere.

Phones, ids and e-mail addresses, and whatever is personal or unknown, are not in the store either.
"""

from __future__ import annotations

import itertools
import json
import logging
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

import dash
import httpx
import pytest
from playwright.sync_api import Browser
from sqlalchemy import inspect, text

from api.routes import ROUTES
from api.tables import TABLE_FORMATS
from app import make_app
from auth import COOKIE, make_session
from metrics.city import feeds, open_city
from metrics.city.records import dossiers, reports
from scope import Scope, scope_of
from store.days import DAY
from store.engine import Store, open_store
from store.keys import PROGRAM, add_key
from store.migrate import migrate
from store.people import NewUser, add_user
from store.sessions import open_session
from tests import planted_city
from tests.planted_city import AT, FEEDS, KEY_CARD, NOW, POINT, SECRETS, TZ, WORDS_OF_PEOPLE, config_of
from tests.rights_city import words_of
from tests.servers import serve_asgi
from tests.test_live import Stream

ROLES = ("display", "viewer")
ITEMS = {"/dossiers": "portal~H1-261101-0001", "/reports": "app~R-1", "/stations": "air~s1", "/feeds": "app", "/wall": "overview"}


def forms(body: str) -> tuple[str, str]:
    """The text without accents, signs and blanks; and its digits alone, one run of signs and digits after the other."""
    told = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), body)
    apart = unicodedata.normalize("NFKD", told.replace("đ", "d").replace("Đ", "d"))
    folded = "".join(one for one in apart if not unicodedata.combining(one))
    return re.sub(r"[\W_]+", "", folded).lower(), re.sub(r"[^\d]+", "", re.sub(r"[^\d .+\-/]", "x", folded).replace("x", "\n"))


_forms_of_secret = lru_cache(maxsize=None)(forms)  # looked for in every answer


def found_in(body: str, secrets: tuple[str, ...]) -> list[str]:
    """The secrets a text holds, as they are, or folded, or spelt with other signs between their digits."""
    folded, _ = forms(body)
    runs = [re.sub(r"\D", "", run) for run in re.findall(r"[\d .+\-/()]{7,}", unicodedata.normalize("NFKC", body))]
    hit = []
    for secret in secrets:
        plain, digits = _forms_of_secret(secret)
        is_number = len(digits) >= 7 and not re.search(r"[a-z]", plain)
        if secret in body or (not is_number and len(plain) > 4 and plain in folded) or (is_number and any(digits in run for run in runs)):
            hit.append(secret)
    return hit


@dataclass
class World:
    """The running province, its file, the sessions of its people, and what was answered to those who pushed."""

    url: str
    store: Store
    path: Path
    tokens: dict[str, str]
    pushed: list[str]
    logged: str
    seen: dict[str, str] = field(default_factory=dict)

    def client(self, role: str) -> httpx.Client:
        """Somebody of this role."""
        headers = {"Origin": self.url, "Sec-Fetch-Site": "same-origin", "Accept-Language": "vi"}
        return httpx.Client(base_url=self.url, cookies={COOKIE: self.tokens[role]}, headers=headers, timeout=60)


@pytest.fixture(scope="module")
def world(make_database: Callable[..., str]) -> Iterator[World]:
    url = make_database("sqlite")
    store = open_store(url, TZ)
    migrate(store)
    planted_city.put_lists(store)
    keys = {feed.key: f"tck_{feed.key}" for feed in FEEDS}
    for feed, key in keys.items():
        add_key(store, feed, key, "", PROGRAM, AT)
    tokens = {}
    for role in (*ROLES, "analyst"):
        user = add_user(store, NewUser(role, role, "", None, None), "no password opens this", PROGRAM, AT)
        tokens[role] = make_session()
        assert open_session(store, user, tokens[role], AT + DAY, PROGRAM, "crawl", AT)
    records: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(handler.format(record))  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    app = make_app(config_of(url), store, now=lambda: NOW)
    with serve_asgi(app.server) as server:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            pushed = planted_city.push_all(client, keys)
        planted_city.settle(store)
        httpx.get(f"{server.url}/healthz")
        yield World(server.url, store, Path(url.removeprefix("sqlite:///")), tokens, pushed, "\n".join(records))
    logging.getLogger().removeHandler(handler)
    store.dispose()


def assert_clean(where: str, body: str, extra: tuple[str, ...] = (*WORDS_OF_PEOPLE, *POINT, KEY_CARD)) -> None:
    assert not (hit := found_in(body, (*SECRETS, *extra))), (where, hit)


# --- the measure itself ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "secret"),
    [
        ("tel 0912 845 671", "0912845671"), ("(+84)912.845.671", "912845671"), ("nguyen thi kin dao", "Nguyễn Thị Kín Đáo"),
        ("Nguy\\u1ec5n Th\\u1ecb K\\u00edn \\u0110\\u00e1o", "Nguyễn Thị Kín Đáo"), ("０９１２８４５６７１", "0912845671"),
        ("HOP.THU.MAT@RIENG", "hop.thu.mat"), ("27 NGO 83", "27 ngõ 83"),
    ],
)
def test_the_search_finds_a_secret_in_other_letters(body: str, secret: str) -> None:
    assert found_in(body, (secret,)) == [secret]


def test_what_is_planted_would_be_found_in_what_is_sent() -> None:
    sent = json.dumps([planted_city.dossiers(), planted_city.requests(), planted_city.things()], ensure_ascii=False)
    assert set(found_in(sent, (*SECRETS, *WORDS_OF_PEOPLE, *POINT))) == {*SECRETS, *WORDS_OF_PEOPLE, *POINT}


# --- the store ------------------------------------------------------------------------------------------------


def test_every_kind_has_landed_and_been_refused(world: World) -> None:
    with world.store.reading() as connection:
        for table in ("core_dossier", "core_dossier_step", "core_report", "core_station", "core_reading", "core_area"):
            assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() > 0, table
        refused = dict(connection.execute(text("SELECT feed, count(*) FROM ops_reject GROUP BY feed")).all())
    assert all(refused.get(feed.key, 0) > 0 for feed in FEEDS), refused


def test_no_phone_id_mail_home_or_personal_field_is_in_any_table(world: World) -> None:
    with world.store.reading() as connection:
        for table in inspect(connection).get_table_names():
            for row in connection.execute(text(f"SELECT * FROM {table}")):
                assert not (hit := found_in(repr(tuple(row)), SECRETS)), (table, hit, row)


def test_nor_in_the_bytes_of_its_files(world: World) -> None:
    for path in world.path.parent.glob(world.path.name + "*"):
        body = path.read_bytes().decode("utf-8", "replace")
        assert not [secret for secret in SECRETS if secret in body], path


def test_who_pushes_is_told_without_persons(world: World) -> None:
    for answer in world.pushed:
        assert not (hit := found_in(answer, SECRETS)), (hit, answer)


def test_no_log_line_tells_of_a_person(world: World) -> None:
    assert not found_in(world.logged, (*SECRETS, *WORDS_OF_PEOPLE))


def test_words_of_people_reach_readers_of_free_text_alone(world: World) -> None:
    def told(scope: Scope) -> str:
        city = open_city(world.store, config_of(""), scope, NOW)
        single = (reports.one(city, "app", "R-1"), dossiers.one(city, "portal", "H1-261101-0001"))
        rows = (reports.read(city).rows, dossiers.read(city).rows, single)
        kept = [feeds.rejects(city, feed.key) for feed in FEEDS] if scope.permits("see.rejects") else []
        return repr((rows, kept))

    assert found_in(told(scope_of("analyst")), WORDS_OF_PEOPLE) == list(WORDS_OF_PEOPLE)
    assert not found_in(told(scope_of("analyst")), (*SECRETS, KEY_CARD))
    assert not found_in(told(scope_of("leader")), (*SECRETS, *WORDS_OF_PEOPLE, *POINT, KEY_CARD))
    assert found_in(told(scope_of("analyst")), POINT) == list(POINT)


# --- the crawl ------------------------------------------------------------------------------------------------


def addresses() -> list[str]:
    """Every GET address of the API in every form, lists and single things."""
    found = []
    for route in ROUTES:
        if route.method != "GET" or route.path.startswith("/live"):
            continue
        path = route.path.replace("{key:path}", "H1-261101-0001" if "dossier" in route.path else "R-1").replace("{key}", "1")
        query = "?key=dossiers_received&by=agency" if "series" in path else ""
        found += [path + query, *(f"{path}.{form}{query}" for form in TABLE_FORMATS if route.has_tables)]
    found += [f"/api/v1/series?key={key}&by={by}&period=last_30d" for key, by in itertools.product(
        ("reports_open", "dossiers_open"), ("agency", "area", "domain", "category"))]
    return found


@pytest.mark.parametrize("role", ROLES)
def test_no_address_of_the_api_tells_a_person(world: World, role: str) -> None:
    with world.client(role) as client:
        for address in addresses():
            answer = client.get(address)
            form = address.partition("?")[0].rpartition(".")[2]
            is_file = answer.status_code == 200 and form in ("xlsx", "parquet")
            assert_clean(f"{role} {address}", words_of(answer.content, form) if is_file else answer.text)


@pytest.mark.parametrize("role", ROLES)
def test_no_frame_of_a_push_stream_tells_a_person(world: World, role: str) -> None:
    for path in ("/live/wall", "/live/wall?lang=en", "/live/ticks"):
        stream = Stream(world.url + path, headers={"Cookie": f"{COOKIE}={world.tokens[role]}"})
        try:
            if stream.status == 200:
                frame = stream.next("tick" if "ticks" in path else "message", 60)
                assert_clean(f"{role} {path}", json.dumps(frame, ensure_ascii=False))
                assert "ticks" in path or frame["props"]
            else:
                assert (role, path) == ("display", "/live/ticks")
        finally:
            stream.close()


def pages() -> list[str]:
    """Every page of the registry, with an item where it has one."""
    found = []
    for page in dash.page_registry.values():
        template = page.get("path_template")
        base = (template or page["path"]).partition("/<")[0]
        found.append(f"{base}/{quote(ITEMS.get(base, 'x'), safe='~')}" if template else page["path"])
    return sorted(found)


@pytest.mark.parametrize("role", ROLES)
def test_no_page_in_a_browser_tells_a_person(world: World, role: str, browser: Browser) -> None:
    context = browser.new_context(locale="vi-VN", viewport={"width": 1600, "height": 1000})
    context.add_cookies([{"name": COOKIE, "value": world.tokens[role], "url": world.url}])
    opened = 0
    for path in (*pages(), "/?period=last_30d", "/?agency=H1", "/account"):
        page = context.new_page()
        answers: list[str] = []
        page.on("response", lambda got, kept=answers: kept.append(_body(got)) if "_dash" in got.url else None)
        answered = page.goto(world.url + path, wait_until="domcontentloaded")
        assert answered is not None
        if answered.status == 200:
            page.wait_for_selector(".d-content, .d-notice, .scene .panel, form", timeout=30_000)
            opened += 1
        assert_clean(f"{role} {path}", page.content() + page.inner_text("body"))
        for body in answers:
            assert_clean(f"{role} {path}: an answer", body)
        page.close()
    context.close()
    assert opened >= (2 if role == "display" else 6)


def _body(got: object) -> str:
    try:
        return str(got.text())  # type: ignore[attr-defined]
    except Exception:  # a redirect or an answer the page has left behind has no body
        return ""
