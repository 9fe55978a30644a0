"""Signing in over real HTTP: who gets in, who does not, when a session ends, what the forms take."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from starlette.requests import Request

from api.routes import mount
from api.sign_in import HASHERS, MOST_WAITING, local_path, read_fields
from auth.keys import make_api_key
from auth.passwords import hash_password
from auth.requests import COOKIE, scope_reader
from auth.sign_in import Attempt, SignInRefused, sign_in
from components.context import AppContext
from components.forms import browser_name, el
from config import Config, SignInConfig, WebConfig
from store import audit
from store.areas import land_areas
from store.audit import AuditFilter
from store.days import instant
from store.engine import Store, open_store
from store.keys import By, NewApiKey, add_api_key, revoke_api_key
from store.migrate import migrate
from store.people import NewUser, add_user, change_user, disable_user, find_user, set_password
from store.rows import AreaRow
from tests.servers import LiveServer
from tests.small_city import CONFIG, NOW, TZ

PASSWORD, ANOTHER = "con mèo nằm trên mái", "con chó ngủ dưới sân"
SIGN_IN = SignInConfig(session_s=8 * 3600, idle_s=1800, attempts=3, window_s=900)
BY = By("cli:test")
AT = instant(NOW)


@pytest.fixture(scope="module")
def kept() -> str:
    """The hash of PASSWORD; made once, for it is slow on purpose."""
    return hash_password(PASSWORD)


@pytest.fixture
def store(sqlite_database: str) -> Iterator[Store]:
    opened = open_store(sqlite_database, TZ)
    migrate(opened)
    yield opened
    opened.dispose()


@dataclass
class Site:
    """A server over a store, with a clock the test moves."""

    store: Store
    config: Config
    kept: str
    url: str = ""
    now: Any = NOW
    clients: list[httpx.Client] = field(default_factory=list)

    def add(self, username: str = "lan", role: str = "analyst", **values: Any) -> None:
        """A user with the password PASSWORD; `values` go to NewUser, or is_temporary."""
        is_temporary = values.pop("is_temporary", False)
        add_user(self.store, NewUser(username, role, **values), self.kept, BY, instant(self.now), is_temporary=is_temporary)

    def browser(self, **headers: str) -> httpx.Client:
        """A browser of its own: it keeps cookies and follows nothing."""
        self.clients.append(httpx.Client(base_url=self.url, headers={"Origin": self.url, **headers}, timeout=30))
        return self.clients[-1]

    def passes(self, **time: float) -> None:
        """Let time go by."""
        self.now = self.now + timedelta(**time)

    def signed_in(self, username: str = "lan") -> httpx.Client:
        """A browser that has signed in."""
        client = self.browser()
        assert enter(client, username).status_code == 303
        return client


@pytest.fixture
def make_site(store: Store, kept: str, live_server: Callable[..., LiveServer]) -> Iterator[Callable[..., Site]]:
    """make_site(**of the configuration) -> Site without any user."""
    sites: list[Site] = []

    def make(**values: Any) -> Site:
        site = Site(store, replace(CONFIG, **{"sign_in": SIGN_IN, **values}), kept)
        server = FastAPI()
        context = AppContext(site.config, store, lambda: site.now, scope_reader(site.config, store, lambda: site.now))
        mount(server, context, build_frame=lambda city, lang: {"props": {}, "ages": {}})
        site.url = live_server(server).url
        sites.append(site)
        return site

    yield make
    for client in (client for site in sites for client in site.clients):
        client.close()


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    """A site with the user lan, an analyst."""
    made = make_site()
    made.add()
    return made


def form(client: httpx.Client, path: str, **values: str) -> httpx.Response:
    """Open the page at `path` and send its first form with these values."""
    token = re.search(r'name="csrf" value="([0-9a-f]*)"', client.get(path).text)
    return client.post(path, data={"csrf": token[1] if token else "", **values})


def enter(client: httpx.Client, username: str = "lan", password: str = PASSWORD, path: str = "/sign-in") -> httpx.Response:
    return form(client, path, username=username, password=password)


def is_in(client: httpx.Client) -> bool:
    """Does the API answer this browser?"""
    answer = client.get("/api/v1/dossiers")
    assert answer.status_code in (200, 401), answer.text
    return answer.status_code == 200


def new_password(client: httpx.Client, old: str = PASSWORD, new: str = ANOTHER, again: str = "") -> httpx.Response:
    return form(client, "/account", do="password", old=old, password=new, again=again or new)


def told(store: Store, action: str) -> list[audit.AuditRow]:
    return list(audit.read(store, AuditFilter(action=action), 100))


# --- in and out -------------------------------------------------------------------------------------------


def test_the_right_password_opens_the_api_and_sign_out_closes_it(site: Site) -> None:
    client = site.browser()
    assert not is_in(client)
    answer = enter(client, " LAN ")
    assert (answer.status_code, answer.headers["location"]) == (303, "/") and is_in(client)
    out = form(client, "/sign-out")
    assert out.status_code == 303 and not is_in(client)
    assert [row.action for row in audit.read(site.store, AuditFilter(), 2)] == ["sign_out", "sign_in.ok"]


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(site: Site, make_site: Callable[..., Site]) -> None:
    said = enter(site.browser()).headers["set-cookie"].lower()
    assert "httponly" in said and "samesite=lax" in said and "path=/" in said and "secure" not in said and "max-age" not in said
    public = make_site(web=WebConfig(public_url="https://toancanh.example"))
    answers = [public.browser().get("/sign-in")]
    assert all("secure" in answer.headers["set-cookie"].lower() for answer in answers)


def test_a_signed_out_token_opens_nothing_if_somebody_kept_it(site: Site) -> None:
    client = site.signed_in()
    token = client.cookies[COOKIE]
    form(client, "/sign-out")
    assert httpx.get(f"{site.url}/api/v1/dossiers", headers={"Cookie": f"{COOKIE}={token}"}).status_code == 401


def test_wrong_name_wrong_password_and_disabled_are_told_alike(site: Site) -> None:
    site.add("mai")
    disable_user(site.store, "mai", BY, AT)
    answers = [enter(site.browser(), *who) for who in (("lan", "wrong"), ("nobody", PASSWORD), ("mai", PASSWORD), ("\0'; --", "x"))]
    bodies = {re.sub(r'(name="csrf" value|name="username"[^>]* value)="[^"]*"', "", answer.text) for answer in answers}
    assert {answer.status_code for answer in answers} == {401} and len(bodies) == 1
    assert "Tên đăng nhập hoặc mật khẩu không đúng." in bodies.pop()
    assert [row.detail for row in reversed(told(site.store, "sign_in.failed"))] == [
        f'{{"why":"{why}"}}' for why in ("wrong", "unknown", "disabled", "unknown")
    ]


def test_what_was_typed_as_an_unknown_name_is_not_in_the_trail(site: Site) -> None:
    enter(site.browser(), "MatKhauCuaToi", "x")
    row = told(site.store, "sign_in.failed")[0]
    assert "matkhau" not in str(row).lower() and row.subject.startswith("?")


def test_each_sign_in_has_a_new_token_and_ends_the_one_the_browser_brought(site: Site) -> None:
    client = site.browser()
    client.cookies.set(COOKIE, "chosen-by-an-attacker")
    enter(client)
    first = client.cookies.get(COOKIE, domain="127.0.0.1")
    assert first and first != "chosen-by-an-attacker"
    again = site.browser(Cookie=f"{COOKIE}={first}")
    assert again.get("/sign-in").status_code == 303, "already signed in"
    token = sign_in(site.store, site.config, Attempt("lan", PASSWORD, "127.0.0.1", token=first), AT)
    assert token != first and not is_in(again)


def test_a_hash_of_old_parameters_is_made_anew_at_sign_in(site: Site) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=8192).hash(PASSWORD)
    set_password(site.store, "lan", weak, BY, AT)
    assert is_in(site.signed_in()) and is_in(site.signed_in())


# --- too many attempts ------------------------------------------------------------------------------------


def attempt(site: Site, username: str, password: str, address: str, at: float = 0) -> str:
    """'in', or the text key of the refusal; `at` = seconds after NOW."""
    try:
        sign_in(site.store, site.config, Attempt(username, password, address), AT + int(at * 1_000_000))
    except SignInRefused as no:
        return no.key
    return "in"


def test_after_too_many_wrong_passwords_even_the_right_one_waits(site: Site) -> None:
    client = site.browser()
    assert [enter(client, password=f"wrong {number}").status_code for number in range(3)] == [401] * 3
    locked = enter(client)
    assert locked.status_code == 429 and 0 < int(locked.headers["retry-after"]) <= 900 and "15 phút" in locked.text
    assert [enter(client).status_code, len(told(site.store, "sign_in.locked"))] == [429, 1]
    site.passes(seconds=901)
    assert enter(client).status_code == 303


def test_a_lock_holds_in_another_process_and_not_for_other_addresses_or_names(site: Site) -> None:
    site.add("mai")
    for _ in range(3):
        assert attempt(site, "lan", "wrong", "192.0.2.1") == "sign_in.wrong"
    reopened = open_store(str(site.store.engine.url), TZ)
    with pytest.raises(SignInRefused, match="Too many"):
        sign_in(reopened, site.config, Attempt("lan", PASSWORD, "192.0.2.1"), AT)
    reopened.dispose()
    assert attempt(site, "lan", PASSWORD, "192.0.2.2") == "in" and attempt(site, "mai", PASSWORD, "192.0.2.1") == "in"


def test_an_address_that_tries_many_names_is_locked(site: Site) -> None:
    tries = [attempt(site, f"name{number}", "x", "2001:db8::1") for number in range(15)]
    assert set(tries) == {"sign_in.wrong"}
    assert attempt(site, "lan", PASSWORD, "2001:db8::ffff") == "sign_in.wait", "its whole network counts as one place"
    assert attempt(site, "lan", PASSWORD, "2001:db8:0:1::1") == "in"


def test_many_addresses_slow_a_name_down_but_never_lock_out_where_it_is_known(site: Site) -> None:
    assert attempt(site, "lan", PASSWORD, "198.51.100.7") == "in"
    for number in range(30):
        audit.record(site.store, audit.Entry(AT, "", "sign_in.failed", "user", "lan", {}, f"192.0.2.{number}"))
    assert attempt(site, "lan", PASSWORD, "203.0.113.1", 0.5) == "sign_in.wait"
    assert attempt(site, "lan", PASSWORD, "198.51.100.7", 0.5) == "in"
    assert attempt(site, "lan", "wrong", "203.0.113.1", 2) == "sign_in.wrong", "the wait is a second at first"
    for number in range(30):
        audit.record(site.store, audit.Entry(AT, "", "sign_in.failed", "user", "lan", {}, f"192.0.2.{100 + number}"))
    assert attempt(site, "lan", PASSWORD, "203.0.113.2", 40) == "sign_in.wait"
    assert attempt(site, "lan", PASSWORD, "203.0.113.2", 63) == "in", "never longer than a minute"


def test_a_right_password_forgives_the_wrong_ones_before_it(site: Site) -> None:
    tries = [attempt(site, "lan", password, "192.0.2.1", at) for at, password in enumerate(("x", "x", PASSWORD, "x", "x", PASSWORD))]
    assert tries == ["sign_in.wrong", "sign_in.wrong", "in", "sign_in.wrong", "sign_in.wrong", "in"]


def test_guessing_the_old_password_in_an_open_session_is_bounded_too(site: Site) -> None:
    client = site.signed_in()
    assert [new_password(client, old=f"guess {number}").status_code for number in range(3)] == [422] * 3
    assert new_password(client).status_code == 429 and is_in(client)


def test_a_full_queue_turns_people_away_instead_of_filling_memory(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert HASHERS <= 4 and MOST_WAITING <= 64
    monkeypatch.setattr("api.sign_in.MOST_WAITING", 0)
    answer = enter(site.browser())
    assert answer.status_code == 503 and int(answer.headers["retry-after"]) > 0


# --- the end of a session ---------------------------------------------------------------------------------


def test_an_unused_session_ends_after_the_idle_time(site: Site) -> None:
    client = site.signed_in()
    site.passes(seconds=1799)
    assert is_in(client)
    site.passes(seconds=1799)
    assert is_in(client), "use counts"
    site.passes(seconds=1800)
    assert not is_in(client)


def test_what_an_untouched_page_fetches_by_itself_is_no_use(site: Site) -> None:
    client = site.signed_in()
    client.cookies.set("toancanh_unattended", "1")
    for _ in range(3):
        site.passes(seconds=599)
        assert is_in(client)
    site.passes(seconds=5)
    assert not is_in(client)


def test_a_session_in_use_ends_at_its_last_hour(site: Site) -> None:
    client = site.signed_in()
    for _ in range(19):
        site.passes(seconds=1500)
        assert is_in(client)
    site.passes(seconds=300)
    assert not is_in(client)


def test_a_display_stays_signed_in_for_months_and_sees_the_wall_alone(make_site: Callable[..., Site]) -> None:
    site = make_site()
    site.add("wall-1", "display")
    client = site.browser()
    answer = enter(client, "wall-1")
    assert answer.headers["location"] == "/wall" and "max-age" in answer.headers["set-cookie"].lower()
    site.passes(days=29)
    with client.stream("GET", "/live/wall") as stream:
        assert stream.status_code == 200
    assert client.get("/api/v1/dossiers").status_code == 403


def test_a_disabled_user_is_out_at_the_next_request(site: Site) -> None:
    client = site.signed_in()
    disable_user(site.store, "lan", BY, AT)
    assert not is_in(client)


def test_a_changed_role_counts_at_the_next_request(site: Site) -> None:
    client = site.signed_in()
    change_user(site.store, replace(find_user(site.store, "lan"), role="auditor"), BY, AT)
    assert client.get("/api/v1/dossiers").status_code == 403


# --- passwords --------------------------------------------------------------------------------------------


def test_a_new_password_ends_all_other_sessions_and_changes_the_token_of_this_one(site: Site) -> None:
    here, there = site.signed_in(), site.signed_in()
    before = here.cookies[COOKIE]
    assert new_password(here).status_code == 303
    assert is_in(here) and not is_in(there) and here.cookies[COOKIE] != before
    assert httpx.get(f"{site.url}/api/v1/dossiers", headers={"Cookie": f"{COOKIE}={before}"}).status_code == 401
    assert enter(site.browser()).status_code == 401 and enter(site.browser(), password=ANOTHER).status_code == 303


@pytest.mark.parametrize(
    ("old", "new", "again", "why"),
    [
        ("wrong", ANOTHER, ANOTHER, "Mật khẩu hiện tại không đúng"), (PASSWORD, ANOTHER, "else", "không giống nhau"),
        (PASSWORD, "short", "short", "ít nhất 12"), (PASSWORD, PASSWORD, PASSWORD, "phải khác"),
        (PASSWORD, "tôi là lan đây nhé", "", "tên đăng nhập"),
    ],
)
def test_a_password_is_changed_only_by_its_owner_and_to_a_good_one(site: Site, old: str, new: str, again: str, why: str) -> None:
    answer = new_password(site.signed_in(), old, new, again)
    assert answer.status_code == 422 and why in answer.text
    assert attempt(site, "lan", PASSWORD, "192.0.2.1") == "in"


def test_a_temporary_password_opens_nothing_until_it_is_changed(make_site: Callable[..., Site]) -> None:
    site = make_site()
    site.add(is_temporary=True)
    client = site.browser()
    assert enter(client, path="/sign-in?next=/dossiers").headers["location"] == "/account"
    assert not is_in(client)
    page = client.get("/account").text
    assert "Hãy đổi trước" in page and "Các phiên đang mở" not in page
    assert form(client, "/account", do="end_others").status_code == 403
    assert new_password(client).status_code == 303 and is_in(client)


# --- one's own sessions -----------------------------------------------------------------------------------


def test_the_account_lists_ones_sessions_and_ends_them_one_by_one_or_all(site: Site) -> None:
    here, phone, other = site.signed_in(), site.signed_in(), site.signed_in()
    site.add("mai")
    stranger = site.signed_in("mai")
    number = re.findall(r'name="session" value="([0-9a-f]+)"', here.get("/account").text)
    assert len(number) == 2 and len(re.findall(r'name="session"', stranger.get("/account").text)) == 0
    assert "Đã kết thúc 0 phiên" in form(stranger, "/account", do="end", session=number[0]).text, "a session of somebody else"
    form(here, "/account", do="end", session=number[0])
    assert sorted([is_in(phone), is_in(other)]) == [False, True] and is_in(here)
    assert "Đã kết thúc 1 phiên" in form(here, "/account", do="end_others").text
    assert [is_in(client) for client in (here, phone, other, stranger)] == [True, False, False, True]
    assert len(told(site.store, "session.close")) == 2


def test_ones_own_session_is_not_ended_by_its_number(site: Site) -> None:
    client = site.signed_in()
    own = audit_free_hash(site.store)
    form(client, "/account", do="end", session=own[:16])
    assert is_in(client)


def audit_free_hash(store: Store) -> str:
    with store.reading() as connection:
        found: str = connection.exec_driver_sql("SELECT token_hash FROM ops_session").scalar_one()
    return found


# --- forms ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/sign-in", "/account", "/sign-out"])
@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
def test_a_form_without_its_own_token_does_nothing(site: Site, path: str, token: str) -> None:
    client = site.browser() if path == "/sign-in" else site.signed_in()
    client.get(path)
    data = {"csrf": token, "username": "lan", "password": PASSWORD, "do": "end_others"}
    assert client.post(path, data=data).status_code == 403
    assert is_in(client) == (path != "/sign-in")


def test_a_form_token_of_one_session_does_not_serve_another(site: Site) -> None:
    one, two = site.signed_in(), site.signed_in()
    token = re.search(r'name="csrf" value="(\w+)"', one.get("/sign-out").text)[1]
    assert two.post("/sign-out", data={"csrf": token}).status_code == 403 and is_in(two)


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "javascript:alert(1)",
        "/\t/evil.example", "/\n/evil.example", " //evil.example", "evil.example", "/sign-in?next=/x", "/sign-out", "", "/\x7f/x",
        "//evil.example/%2f..", "http:/evil.example", "@evil.example",
    ],
)
def test_after_signing_in_nobody_is_sent_to_another_site(wanted: str) -> None:
    assert local_path(wanted) == "/"


@pytest.mark.parametrize("wanted", ["/dossiers", "/dossiers/H99%2F1?period=2026-11&lang=en", "/account", "/"])
def test_after_signing_in_one_goes_on_to_the_page_wanted(wanted: str) -> None:
    assert local_path(wanted) == wanted


def test_the_page_wanted_survives_a_wrong_password_and_a_change_of_language(site: Site) -> None:
    client = site.browser()
    path = "/sign-in?next=%2Fdossiers%3Fstate%3Doverdue&lang=en"
    failed = enter(client, password="wrong", path=path)
    assert "User name or password is wrong." in failed.text
    action = re.search(r'action="([^"]+)"', failed.text)[1].replace("&amp;", "&")
    assert enter(client, path=action).headers["location"] == "/dossiers?state=overdue"


def test_nothing_typed_into_a_form_becomes_markup(site: Site) -> None:
    nasty = '"><script>alert(1)</script>'
    answer = enter(site.browser(), nasty, "x", "/sign-in?next=" + "/%22%3E%3Cscript%3E")
    assert "<script" not in answer.text and "&lt;script&gt;" in answer.text
    assert el("p", "<b>", title='"') == '<p title="&quot;">&lt;b&gt;</p>'


@pytest.mark.parametrize(("body", "fields"), [(b"\xff", {}), (b"a=1&a=2", {"a": "1"}), (b"&".join([b"a=1"] * 30), {}), (b"{}", {"{}": ""})])
def test_a_body_that_is_no_small_form_has_no_fields(body: bytes, fields: dict[str, str]) -> None:
    assert read_fields(body) == fields


def test_an_oversize_form_is_not_read(site: Site) -> None:
    assert site.browser().post("/sign-in", data={"username": "x" * 30_000}).status_code == 413


def test_pages_speak_the_language_asked_for_or_the_browsers(site: Site) -> None:
    assert "User name" in site.browser(**{"Accept-Language": "en-GB"}).get("/sign-in").text
    assert "Tên đăng nhập" in site.browser(**{"Accept-Language": "en"}).get("/sign-in?lang=vi").text
    assert "Tên đăng nhập" in site.browser().get("/sign-in?lang=xx").text


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0", "Edge · Windows"),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36", "Chrome · Android"), ("curl/8", ""),
    ],
)
def test_a_browser_is_named_as_people_call_it(said: str, name: str) -> None:
    assert browser_name(said) == name


# --- the first administrator, and the open door -----------------------------------------------------------

FIRST = {"username": "chủ.trì", "name": "A", "password": PASSWORD, "again": PASSWORD}


def test_the_first_user_is_made_on_this_machine_and_closes_the_door_for_everyone(make_site: Callable[..., Site]) -> None:
    site = make_site()
    visitor, owner = site.browser(), site.browser()
    assert is_in(visitor) and owner.get("/sign-in").headers["location"] == "/first-run"
    done = form(owner, "/first-run", **FIRST)
    assert done.status_code == 200 and "chủ.trì" in done.text and "cli.py user add" in done.text
    assert not is_in(visitor) and not is_in(owner), "it counts at the next request"
    assert find_user(site.store, "chủ.trì").role == "admin"
    assert [(row.actor, row.action) for row in audit.read(site.store, AuditFilter(), 5)] == [("first-run", "user.add")]
    assert form(owner, "/first-run", **{**FIRST, "username": "second"}).headers["location"] == "/sign-in"
    assert find_user(site.store, "second") is None
    assert enter(visitor, "chủ.trì").status_code == 303


def test_a_user_added_by_command_closes_the_door_of_a_running_server(make_site: Callable[..., Site]) -> None:
    site = make_site()
    client = site.browser()
    assert is_in(client)
    site.add()
    assert not is_in(client)


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"X-Forwarded-For": "192.0.2.1"}, {"Forwarded": "for=192.0.2.1"}])
def test_nobody_but_this_machine_by_its_own_name_makes_the_first_user(make_site: Callable[..., Site], headers: dict[str, str]) -> None:
    site = make_site()
    client = site.browser()
    token = re.search(r'name="csrf" value="(\w+)"', client.get("/first-run").text)[1]
    for answer in (client.get("/first-run", headers=headers), client.post("/first-run", data={"csrf": token, **FIRST}, headers=headers)):
        assert answer.status_code == 403 and "Chưa có tài khoản" in answer.text
    assert client.get("/sign-in", headers=headers).status_code == 403
    assert find_user(site.store, FIRST["username"]) is None


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"password": "short", "again": "short"}, "ít nhất 12"), ({"again": "else"}, "không giống"),
        ({"username": "a b"}, "Tên đăng nhập gồm"), ({"csrf": "x"}, "Hãy gửi lại"),
    ],
)
def test_a_first_run_form_with_a_fault_says_which_and_makes_nobody(
    make_site: Callable[..., Site], values: dict[str, str], why: str
) -> None:
    site = make_site()
    answer = form(site.browser(), "/first-run", **{**FIRST, **values})
    assert answer.status_code in (403, 422) and why in answer.text and is_in(site.browser())


# --- API keys ---------------------------------------------------------------------------------------------


def test_an_api_key_reads_the_api_with_its_own_rights_until_it_ends(site: Site) -> None:
    key = make_api_key()
    number = add_api_key(site.store, NewApiKey("sync", "analyst", expires_at=AT + 60 * 1_000_000), key, BY, AT)
    client = site.browser(Authorization=f"Bearer {key}")
    assert is_in(client) and client.get("/api/v1/stations").status_code == 200
    assert client.get("/metrics").status_code == 200
    site.passes(seconds=60)
    assert not is_in(client)
    site.passes(seconds=-30)
    assert is_in(client)
    revoke_api_key(site.store, number, BY, instant(site.now))
    assert not is_in(client)


def test_a_key_opens_no_page_and_no_account(site: Site) -> None:
    key = make_api_key()
    add_api_key(site.store, NewApiKey("sync", "admin"), key, BY, AT)
    client = site.browser(Authorization=f"Bearer {key}")
    assert client.get("/account").headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("key", [b"tca_", b"tca_x", b"tck_x", b"\xe9\xff"])
def test_a_wrong_key_is_refused_even_beside_a_good_session(site: Site, key: bytes) -> None:
    client = site.signed_in()
    assert client.get("/api/v1/dossiers", headers=[(b"Authorization", b"Bearer " + key)]).status_code == 401


def test_the_api_says_how_to_sign_in(site: Site) -> None:
    answer = site.browser().get("/api/v1/dossiers")
    assert answer.status_code == 401 and answer.json()["error"]["code"] == "sign_in" and answer.headers["www-authenticate"] == "Bearer"


def test_a_user_limited_to_an_area_sees_all_below_it(make_site: Callable[..., Site]) -> None:
    site = make_site()
    with site.store.writing() as connection:
        land_areas(connection, "areas", [AreaRow("27", "D"), AreaRow("271", "C", parent_code="27")])
    site.add(areas=("27",))
    token = sign_in(site.store, site.config, Attempt("lan", PASSWORD, "127.0.0.1"), AT)
    read = scope_reader(site.config, site.store, lambda: NOW)
    scope = read(_request(token))
    assert (scope.actor, scope.areas, scope.agencies) == ("user:lan", ("27", "271"), None)


def _request(token: str) -> Request:
    headers = [(b"cookie", f"{COOKIE}={token}".encode())]
    return Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers, "client": ("127.0.0.1", 1)})
