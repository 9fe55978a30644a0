"""Signing in with a real browser and the whole application: the way in, the desk's bar, the end of a session; and the commands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text
from typer.testing import CliRunner

from app import make_app
from auth.passwords import hash_password, is_password
from cli import cli
from pipeline import utc_now
from store.audit import AuditFilter, read
from store.days import instant
from store.engine import Store, open_store
from store.keys import By, check_key, find_api_key, list_api_keys
from store.migrate import migrate
from store.people import NewUser, add_user, find_login, find_user
from store.rights import UNLIMITED
from tests.servers import ROOT, LiveServer
from tests.small_city import CONFIG, NOW, TZ

PASSWORD = "con mèo nằm trên mái"
BY = By("cli:test")


class Clock:
    """A clock the test moves."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> Any:
        return self.at


@pytest.fixture
def store(sqlite_database: str) -> Iterator[Store]:
    opened = open_store(sqlite_database, TZ)
    migrate(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def served(store: Store, live_server: Callable[..., LiveServer]) -> tuple[str, Clock]:
    """URL and clock of the whole application, gate included."""
    clock = Clock()
    return live_server(make_app(CONFIG, store, now=clock).server).url, clock


def sign_in(tab: Page, url: str, path: str = "/", password: str = PASSWORD) -> None:
    tab.goto(url + path)
    tab.fill("#username", "lan")
    tab.fill("#password", password)
    tab.click("button[type=submit]")


def with_lan(store: Store, role: str = "analyst", **values: Any) -> None:
    add_user(store, NewUser("lan", role), hash_password(PASSWORD), BY, instant(NOW), **values)


# --- in the browser ---------------------------------------------------------------------------------------


def test_without_users_the_desk_is_open_and_offers_the_first_run(page: Callable[..., Page], served: tuple[str, Clock]) -> None:
    tab = page((1440, 900))
    tab.goto(served[0] + "/")
    tab.locator(".d-who a").click()
    expect(tab).to_have_url(re.compile("/first-run"))
    expect(tab.locator("h1")).to_have_text("Tạo quản trị viên đầu tiên")


def test_a_page_asked_for_is_reached_through_the_form_and_the_bar_says_who(
    page: Callable[..., Page], served: tuple[str, Clock], store: Store
) -> None:
    with_lan(store)
    tab = page((1440, 900), allow=(r"401",))
    sign_in(tab, served[0], "/dossiers?state=overdue", "wrong")
    expect(tab.locator(".f-fault")).to_be_visible()
    tab.fill("#password", PASSWORD)
    tab.click("button[type=submit]")
    expect(tab).to_have_url(re.compile(r"/dossiers\?state=overdue"))
    expect(tab.locator(".d-who")).to_contain_text("lan")
    tab.locator(".d-who a", has_text="lan").click()
    expect(tab.locator("h1")).to_have_text("Tài khoản")
    tab.locator("a", has_text="Đăng xuất").click()
    tab.click("button[type=submit]")
    expect(tab.locator(".f-said")).to_have_text("Đã đăng xuất.")
    tab.goto(served[0] + "/reports")
    expect(tab).to_have_url(re.compile(r"/sign-in\?next="))


def test_a_wall_whose_session_has_ended_goes_to_the_sign_in_form(
    page: Callable[..., Page], live_server: Callable[..., LiveServer], store: Store
) -> None:
    with_lan(store, "display")
    server = make_app(CONFIG, store, now=Clock()).server
    running = live_server(server)
    tab = page((1920, 1080), allow=(r"401", "ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING"))
    sign_in(tab, running.url, "/wall/overview")
    expect(tab.locator("#wall-root[data-connection=live]")).to_be_visible(timeout=20_000)
    with store.writing() as connection:
        connection.execute(text("DELETE FROM ops_session"))
    server.state.api.hub.close()  # the stream ends, as it does at the next beat
    expect(tab).to_have_url(re.compile(r"/sign-in\?next=%2Fwall%2Foverview"), timeout=20_000)


def test_everything_works_without_scripts(page: Callable[..., Page], served: tuple[str, Clock], store: Store) -> None:
    with_lan(store, is_temporary=True)
    tab = page((390, 844), java_script_enabled=False)
    sign_in(tab, served[0], "/kpis")
    expect(tab).to_have_url(re.compile("/account"))
    for name, value in (("old", PASSWORD), ("password", "con chó ngủ dưới sân"), ("again", "con chó ngủ dưới sân")):
        tab.fill(f"#{name}", value)
    tab.click("button[type=submit]")
    expect(tab.locator(".f-said")).to_contain_text("Đã đổi mật khẩu")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_page_left_open_goes_to_the_form_when_its_session_has_ended(
    page: Callable[..., Page], served: tuple[str, Clock], store: Store
) -> None:
    url, clock = served
    with_lan(store)
    tab = page((1440, 900), allow=("40[13]", "EventSource", "Failed to fetch", "Callback", "INCOMPLETE_CHUNKED", "body stream"))
    sign_in(tab, url)
    expect(tab.locator(".d-who")).to_contain_text("lan")
    clock.at += timedelta(hours=13)
    tab.evaluate("document.querySelector('.d-nav-wide a[href=\"/kpis\"]')?.click()")  # unless it has left by itself already
    expect(tab).to_have_url(re.compile(r"/sign-in\?next="))


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844), (3840, 2160)])
def test_no_form_page_is_wider_than_its_screen(
    page: Callable[..., Page], served: tuple[str, Clock], store: Store, width: int, height: int
) -> None:
    tab = page((width, height))
    tab.goto(served[0] + "/first-run?lang=en")
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    with_lan(store)
    sign_in(tab, served[0], "/account")
    expect(tab.locator(".f-sessions")).to_be_visible()
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_the_gate_sends_people_to_the_form_and_programs_away(served: tuple[str, Clock], store: Store) -> None:
    with_lan(store)
    page_answer = httpx.get(f"{served[0]}/dossiers?state=open")
    assert (page_answer.status_code, page_answer.headers["location"]) == (303, "/sign-in?next=/dossiers%3Fstate%3Dopen")
    assert httpx.get(f"{served[0]}/api/v1/kpis").status_code == 401
    assert httpx.post(f"{served[0]}/sign-in", data={"username": "lan", "password": PASSWORD}).status_code == 403, "no origin"


# --- the commands -----------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., str]:
    """run(*args, code=0, given="") -> what the command said; over one new store."""
    options = ["--city", str(ROOT / "examples" / "demo" / "city.toml"), "--store", f"sqlite:///{tmp_path}/s.sqlite"]

    def call(*args: str, code: int = 0, given: str = "") -> str:
        result = CliRunner().invoke(cli, [*args, *options], input=given)
        assert result.exit_code == code, result.output
        return result.output

    return call


@pytest.fixture
def commanded(tmp_path: Path, run: Callable[..., str]) -> Iterator[Store]:
    """The store the commands work on."""
    run("user", "list")
    opened = open_store(f"sqlite:///{tmp_path}/s.sqlite", TZ)
    yield opened
    opened.dispose()


def test_a_user_is_made_with_a_typed_a_piped_or_a_temporary_password(run: Callable[..., str], commanded: Store) -> None:
    assert "an can sign in as admin" in run("user", "add", "An", "--role", "admin", given=f"{PASSWORD}\n{PASSWORD}\n")
    run("user", "add", "binh", "--role", "leader", "--agency", "H99.1", "--agency", "H99.2", "--password-stdin", given=f"{PASSWORD}\n")
    printed = run("user", "add", "chi", "--role", "viewer", "--temporary").splitlines()[-1]
    for name, word in (("an", PASSWORD), ("binh", PASSWORD), ("chi", printed)):
        assert is_password(find_login(commanded, name)[1], word), name
    assert find_user(commanded, "binh").agencies == ("H99.1", "H99.2")
    assert [find_user(commanded, name).is_temporary for name in ("an", "chi")] == [False, True]
    assert read(commanded, AuditFilter(action="user.add"), 1)[0].actor.startswith("cli:")
    listed = run("user", "list")
    assert "temporary password" in listed and "H99.1 H99.2" in listed and PASSWORD not in listed


@pytest.mark.parametrize(
    ("args", "given", "why"),
    [
        (("add", "an", "--role", "boss", "--temporary"), "", "no role"),
        (("add", "a b", "--role", "viewer", "--temporary"), "", "no spaces"),
        (("add", "an", "--role", "viewer", "--password-stdin"), "short\n", "at least 12"), (("disable", "nobody"), "", "no user"),
        (("change", "nobody", "--role", "viewer"), "", "no user"), (("reset", "nobody"), "", "no user"),
    ],
)
def test_a_command_that_cannot_be_done_says_why(run: Callable[..., str], args: tuple[str, ...], given: str, why: str) -> None:
    assert why in run("user", *args, code=1, given=given)


@pytest.mark.parametrize("limit", [("--agency", "H99.1"), ("--area", "27")])
@pytest.mark.parametrize("role", UNLIMITED)
def test_no_command_limits_a_role_for_the_whole_province(
    run: Callable[..., str], commanded: Store, role: str, limit: tuple[str, str]
) -> None:
    for args in (("user", "add", "an", "--temporary"), ("apikey", "add", "sync")):
        assert "leave out --agency and --area" in run(*args, "--role", role, *limit, code=1)
    assert find_user(commanded, "an") is None and not list_api_keys(commanded)


def test_a_limited_user_becomes_administrator_once_the_limits_are_lifted_and_the_command_says_how(
    run: Callable[..., str], commanded: Store
) -> None:
    run("user", "add", "an", "--role", "analyst", "--agency", "H99.1", "--area", "27", "--temporary")
    assert "--all-agencies --all-areas" in run("user", "change", "an", "--role", "admin", code=1)
    assert find_user(commanded, "an").role == "analyst"
    run("user", "change", "an", "--role", "admin", "--all-agencies", "--all-areas")
    assert (find_user(commanded, "an").role, find_user(commanded, "an").agencies, find_user(commanded, "an").areas) == ("admin", None, None)


def test_a_user_is_changed_disabled_enabled_and_reset(run: Callable[..., str], commanded: Store) -> None:
    for name in ("an", "binh"):
        run("user", "add", name, "--role", "admin", "--temporary")
    run("user", "change", "binh", "--role", "leader", "--area", "27")
    assert (find_user(commanded, "binh").role, find_user(commanded, "binh").areas) == ("leader", ("27",))
    run("user", "change", "binh", "--all-areas")
    assert (find_user(commanded, "binh").role, find_user(commanded, "binh").areas) == ("leader", None)
    assert "last administrator" in run("user", "disable", "an", code=1)
    run("user", "disable", "binh")
    assert find_user(commanded, "binh").disabled_at
    run("user", "enable", "binh")
    before = find_login(commanded, "binh")[1]
    assert len(run("user", "reset", "binh").splitlines()[-1]) == 19 and find_login(commanded, "binh")[1] != before


def test_keys_are_printed_once_listed_rotated_and_revoked(run: Callable[..., str], commanded: Store) -> None:
    now = instant(utc_now())
    old = run("key", "add", "reports", "--label", "gate").strip()
    new = run("key", "rotate", "1", "--grace", "1h").strip()
    assert check_key(commanded, "reports", old, now) and check_key(commanded, "reports", new, now)
    run("key", "revoke", "1")
    assert check_key(commanded, "reports", old, instant(utc_now())) is None
    listed = run("key", "list")
    assert "ended" in listed and "gate" in listed and old not in listed and "no open key 1" in run("key", "revoke", "1", code=1)
    assert "not in the city file" in run("key", "add", "nosuch", code=1)
    key = run("apikey", "add", "sync", "--role", "viewer", "--expires", "90d").strip()
    assert find_api_key(commanded, key, now).role == "viewer"
    run("apikey", "rotate", "1", "--grace", "0s")
    run("apikey", "revoke", "2")
    assert not any(row.opens(instant(utc_now())) for row in list_api_keys(commanded)) and key not in run("apikey", "list")
    assert "no duration" in run("apikey", "add", "x", "--role", "viewer", "--expires", "soon", code=2)


def test_another_address_is_served_only_once_there_is_an_administrator(run: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli._serve", lambda *given: None)  # would serve until stopped
    monkeypatch.setattr("cli.start_log", lambda form: None)  # would write to the runner's output for ever
    refused = run("serve", "--host", "0.0.0.0", code=2)
    assert "python cli.py user add" in refused and "/first-run" in refused
    run("serve", "--host", "127.0.0.1")
    run("user", "add", "binh", "--role", "leader", "--temporary")
    run("serve", "--host", "0.0.0.0", code=2)
    run("user", "add", "an", "--role", "admin", "--temporary")
    run("serve", "--host", "0.0.0.0")
