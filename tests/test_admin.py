"""Users and keys as administrators manage them: the rules on both engines, and the pages in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app import make_app
from auth import admin
from auth.admin import Admin
from auth.passwords import hash_password, is_password
from scope import ROLES, Forbidden, Scope, scope_of
from store import audit
from store.audit import AuditFilter
from store.days import HOUR
from store.engine import Store, open_store
from store.keys import PROGRAM, NewApiKey, check_key, find_api_key
from store.migrate import migrate
from store.people import NewUser, User, add_user, find_login, find_user
from store.rights import UNLIMITED, PeopleFault
from store.sessions import find_session, open_session
from tests.desk_province import AT, TZ, config_of, make_store, moment_now
from text import LANGUAGES, t

CONFIG = config_of("")
PASSWORD = "con mèo nằm trên mái"
CHOSEN = "con chó ngủ dưới sân"


@pytest.fixture
def store(engine_url: str) -> Iterator[Store]:
    opened = open_store(engine_url, TZ)
    migrate(opened)
    add_user(opened, NewUser("boss", "admin", "Boss"), "hash", PROGRAM, AT)
    add_user(opened, NewUser("lan", "leader", "Lan"), "hash", PROGRAM, AT)
    yield opened
    opened.dispose()


def hand_of(store: Store, scope: Scope | None = None) -> Admin:
    """The hand of the user boss, or of these rights."""
    return Admin(store, scope or scope_of("admin", actor="user:boss"), CONFIG, "10.0.0.7", AT)


def entries(store: Store, action: str) -> tuple[audit.AuditRow, ...]:
    """What the audit trail has of an action."""
    return audit.read(store, AuditFilter(action=action), 10)


def sign_in(store: Store, username: str, token: str) -> None:
    """An open session of a user."""
    user = find_user(store, username)
    assert user is not None and open_session(store, user, token, AT + HOUR, PROGRAM, "test", AT)


# every question and command, with arguments that would do something
WORKS: tuple[tuple[str, str, Callable[[Admin], Any]], ...] = (
    ("list_people", "manage.users", admin.list_people),
    ("seen", "manage.users", admin.seen),
    ("person", "manage.users", lambda hand: admin.person(hand, "lan")),
    ("add_person", "manage.users", lambda hand: admin.add_person(hand, NewUser("mai", "viewer"))),
    ("change_person", "manage.users", lambda hand: admin.change_person(hand, User(0, "lan", "", "admin", None, None, False, None, 0))),
    ("disable_person", "manage.users", lambda hand: admin.disable_person(hand, "lan")),
    ("enable_person", "manage.users", lambda hand: admin.enable_person(hand, "lan")),
    ("reset_password", "manage.users", lambda hand: admin.reset_password(hand, "lan")),
    ("end_sessions", "manage.users", lambda hand: admin.end_sessions(hand, "lan")),
    ("list_feed_keys", "manage.keys", admin.list_feed_keys),
    ("add_feed_key", "manage.keys", lambda hand: admin.add_feed_key(hand, "air", "")),
    ("rotate_feed_key", "manage.keys", lambda hand: admin.rotate_feed_key(hand, 1, 0)),
    ("revoke_feed_key", "manage.keys", lambda hand: admin.revoke_feed_key(hand, 1)),
    ("list_api_keys", "manage.keys", admin.list_api_keys),
    ("add_api_key", "manage.keys", lambda hand: admin.add_api_key(hand, NewApiKey("x", "analyst"))),
    ("rotate_api_key", "manage.keys", lambda hand: admin.rotate_api_key(hand, 1, 0)),
    ("revoke_api_key", "manage.keys", lambda hand: admin.revoke_api_key(hand, 1)),
)
OTHERS = [role.key for role in ROLES if role.key != "admin"]


@pytest.fixture
def lone_store(sqlite_database: str) -> Iterator[Store]:
    opened = open_store(sqlite_database, TZ)
    migrate(opened)
    yield opened
    opened.dispose()


def test_every_question_and_command_is_in_the_list() -> None:
    told = {name for name, value in vars(admin).items() if getattr(value, "__module__", "") == "auth.admin" and callable(value)}
    assert told - {"Admin"} == {name for name, _, _ in WORKS} | {name for name in told if name.startswith("_")}


@pytest.mark.parametrize(("name", "permission", "work"), WORKS, ids=[name for name, _, _ in WORKS])
def test_none_is_for_another_role_or_for_a_part_of_the_province(
    lone_store: Store, name: str, permission: str, work: Callable[[Admin], Any]
) -> None:
    part = [scope_of("admin", agencies=("H99.1",)), scope_of("admin", areas=("A01",)), scope_of("admin", agencies=())]
    for scope in [Scope(), *(scope_of(role) for role in OTHERS), *part]:
        with pytest.raises(Forbidden, match=permission.replace(".", r"\.")):
            work(hand_of(lone_store, scope))


# ---- users --------------------------------------------------------------------------------------------------------------
def test_a_new_user_has_a_temporary_password_that_opens_and_must_be_changed(store: Store) -> None:
    user, password = admin.add_person(hand_of(store), NewUser("Mai", "operator", "Mai", ("H99.1",), None))
    login = find_login(store, "mai")
    assert login is not None and is_password(login[1], password) and login[0].is_temporary
    assert (user.role, user.agencies, user.areas) == ("operator", ("H99.1",), None)
    kept = entries(store, "user.add")[0]
    assert (kept.actor, kept.address, kept.subject) == ("user:boss", "10.0.0.7", "mai") and password not in kept.detail


def test_nobody_changes_its_own_role_or_limits_but_may_change_its_name(store: Store) -> None:
    own = admin.person(hand_of(store), "boss")
    tried = (replace(own, role="operator"), replace(own, agencies=("H99.1",), role="viewer"), replace(own, username="BOSS", role="leader"))
    for changed in tried:
        with pytest.raises(PeopleFault) as no:
            admin.change_person(hand_of(store), changed)
        assert no.value.key == "admin.own_rights"
    assert admin.change_person(hand_of(store), replace(own, name="New")).name == "New"


@pytest.mark.parametrize(("work", "key"), [(admin.disable_person, "admin.own_account"), (admin.reset_password, "admin.own_password")])
def test_nobody_shuts_itself_out(store: Store, work: Callable[[Admin, str], Any], key: str) -> None:
    for written in ("boss", " BOSS "):
        with pytest.raises(PeopleFault) as no:
            work(hand_of(store), written)
        assert no.value.key == key


def test_the_last_enabled_administrator_stays_one(store: Store) -> None:
    other = hand_of(store, scope_of("admin", actor="user:second"))
    boss = admin.person(other, "boss")
    for work in (lambda: admin.disable_person(other, "boss"), lambda: admin.change_person(other, replace(boss, role="viewer"))):
        with pytest.raises(PeopleFault) as no:
            work()
        assert no.value.key == "people.last_admin"
    admin.add_person(other, NewUser("second", "admin"))
    assert admin.disable_person(other, "boss").disabled_at == AT


@pytest.mark.parametrize("role", UNLIMITED)
def test_a_role_for_the_whole_province_takes_no_limits(store: Store, role: str) -> None:
    with pytest.raises(PeopleFault) as no:
        admin.add_person(hand_of(store), NewUser("mai", role, "", ("H99.1",), None))
    assert no.value.key == "admin.no_limits" and find_user(store, "mai") is None
    lan = admin.change_person(hand_of(store), replace(admin.person(hand_of(store), "lan"), areas=("00001",)))
    with pytest.raises(PeopleFault) as no:
        admin.change_person(hand_of(store), replace(lan, role=role))
    assert no.value.key == "admin.no_limits" and find_user(store, "lan") == lan


def test_limits_without_anything_in_them_are_a_fault_and_no_rights_to_all(store: Store) -> None:
    with pytest.raises(PeopleFault) as no:
        admin.add_person(hand_of(store), NewUser("mai", "leader", "", (), ()))
    assert no.value.key == "admin.nothing_chosen"


def test_disabling_ends_the_sessions_and_can_be_undone(store: Store) -> None:
    sign_in(store, "lan", "token")
    assert admin.seen(hand_of(store))["lan"].sessions == 1
    admin.disable_person(hand_of(store), "lan")
    assert find_session(store, "token", AT) is None
    assert admin.enable_person(hand_of(store), "lan").disabled_at is None
    assert find_session(store, "token", AT) is None, "an ended session does not come back"
    assert [len(entries(store, action)) for action in ("user.disable", "user.enable")] == [1, 1]


def test_a_reset_password_ends_the_sessions_and_the_old_password(store: Store) -> None:
    sign_in(store, "lan", "token")
    password = admin.reset_password(hand_of(store), "lan")
    login = find_login(store, "lan")
    assert login is not None and login[0].is_temporary and is_password(login[1], password)
    assert find_session(store, "token", AT) is None and len(entries(store, "user.password_reset")) == 1


def test_ending_sessions_says_how_many_there_were(store: Store) -> None:
    sign_in(store, "lan", "one")
    sign_in(store, "lan", "two")
    assert admin.end_sessions(hand_of(store), "lan") == 2
    assert admin.seen(hand_of(store))["lan"] == replace(admin.seen(hand_of(store))["lan"], at=AT, sessions=0)


def test_who_never_signed_in_was_never_seen(store: Store) -> None:
    assert "lan" not in admin.seen(hand_of(store))


# ---- keys ---------------------------------------------------------------------------------------------------------------
def test_a_feed_key_opens_its_feed_until_it_is_rotated_and_its_grace_is_over(store: Store) -> None:
    first = admin.add_feed_key(hand_of(store), "air", "  máy   chủ ")
    kept = admin.list_feed_keys(hand_of(store))[0]
    assert (kept.label, kept.created_by) == ("máy chủ", "user:boss")
    second = admin.rotate_feed_key(hand_of(store), kept.id, 3600)
    assert check_key(store, "air", first, AT) and check_key(store, "air", second, AT)
    assert not check_key(store, "air", first, AT + HOUR) and check_key(store, "air", second, AT + HOUR)
    admin.revoke_feed_key(hand_of(store), kept.id + 1)
    assert not check_key(store, "air", second, AT)
    assert len(entries(store, "feed_key.add")) == 2 and len(entries(store, "feed_key.revoke")) == 2


def test_an_api_key_holds_its_role_limits_and_end(store: Store) -> None:
    key = admin.add_api_key(hand_of(store), NewApiKey("board", "analyst", ("H99.4",), None, AT + HOUR))
    found = find_api_key(store, key, AT)
    assert found is not None and (found.role, found.agencies, found.areas) == ("analyst", ("H99.4",), None)
    assert find_api_key(store, key, AT + HOUR) is None
    second = admin.rotate_api_key(hand_of(store), found.id, 0)
    assert find_api_key(store, key, AT) is None and find_api_key(store, second, AT)
    admin.revoke_api_key(hand_of(store), found.id + 1)
    assert find_api_key(store, second, AT) is None


@pytest.mark.parametrize(("work", "key"), [
    (lambda hand: admin.add_feed_key(hand, "nowhere", ""), "admin.unknown_feed"),
    (lambda hand: admin.add_feed_key(hand, "air", "x" * 81), "admin.long_label"),
    (lambda hand: admin.rotate_feed_key(hand, 99, 0), "admin.key_gone"),
    (lambda hand: admin.revoke_feed_key(hand, 99), "admin.key_gone"),
    (lambda hand: admin.add_api_key(hand, NewApiKey(" ", "analyst")), "admin.no_label"),
    (lambda hand: admin.add_api_key(hand, NewApiKey("x", "display")), "people.unknown_role"),
    (lambda hand: admin.add_api_key(hand, NewApiKey("x", "auditor", ("H99.1",))), "admin.no_limits"),
    (lambda hand: admin.rotate_api_key(hand, 99, 0), "admin.key_gone"),
    (lambda hand: admin.revoke_api_key(hand, 99), "admin.key_gone"),
])
def test_a_key_that_cannot_be_says_why(store: Store, work: Callable[[Admin], Any], key: str) -> None:
    with pytest.raises(PeopleFault) as no:
        work(hand_of(store))
    assert no.value.key == key


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_role_says_in_a_sentence_what_it_may(lang: str) -> None:
    sentences = {t(f"role_may.{role.key}", lang) for role in ROLES}
    assert len(sentences) == len(ROLES) and all(sentence.endswith(".") for sentence in sentences)


# ---- in the browser -----------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def filled(make_database: Callable[..., str]) -> str:
    """A province with one administrator."""
    url = make_database("sqlite")
    store = make_store(url)
    add_user(store, NewUser("quantri", "admin", "Nguyễn Thị Quản Trị"), hash_password(PASSWORD), PROGRAM, AT)
    store.dispose()
    return url


@pytest.fixture
def site(filled: str, make_database: Callable[..., str], live_server: Callable[..., Any]) -> Iterator[tuple[str, Store]]:
    url = make_database("sqlite", template=filled)
    store = open_store(url, TZ)
    yield str(live_server(make_app(config_of(url), store, now=moment_now).server).url), store
    store.dispose()


def enter(page: Page, address: str, username: str, password: str) -> None:
    """Sign in with the form."""
    page.goto(f"{address}/sign-in")
    page.locator("[name=username]").fill(username)
    page.locator("[name=password]").fill(password)
    page.locator("main form button").click()


def open_people(page: Page, address: str) -> None:
    """The administrator's list of users."""
    enter(page, address, "quantri", PASSWORD)
    page.goto(f"{address}/admin")
    page.wait_for_selector("[data-user=quantri]")


def press(page: Page, what: str, who: str) -> None:
    """A button in the row of a user or key."""
    page.get_by_role("button", name=f"{t(f'admin.do.{what}', 'vi')}: {who}", exact=True).click()


def add(page: Page, username: str, role: str, agency: str = "") -> str:
    """Add a user by the form; its temporary password."""
    page.get_by_role("button", name=t("admin.do.new", "vi")).click()
    page.get_by_label(t("sign_in.username", "vi")).fill(username)
    page.locator(".d-radios").get_by_text(t(f"role.{role}", "vi"), exact=True).click()
    if agency:
        page.get_by_text(t("admin.reach.part", "vi")).click()
        page.locator(".d-reach .dash-dropdown").first.click()
        page.get_by_placeholder(t("desk.search", "vi")).fill(agency)
        page.locator(".dash-dropdown-option").first.click()
        page.keyboard.press("Escape")
    page.get_by_role("button", name=t("admin.do.create", "vi")).click()
    return page.locator(".d-secret").inner_text()


def test_a_user_is_added_signs_in_changes_its_password_and_is_shut_out(site: tuple[str, Store], page: Callable[..., Page]) -> None:
    address, store = site
    desk = page((1440, 900))
    open_people(desk, address)
    password = add(desk, "lan.tran", "leader", "so xay dung")
    desk.get_by_role("button", name=t("admin.kept", "vi")).click()
    expect(desk.locator(".d-sheet")).to_have_count(0)
    expect(desk.locator("tr", has_text="lan.tran")).to_contain_text("Sở Xây dựng")
    desk.reload()
    desk.wait_for_selector("[data-user='lan.tran']")
    assert password not in desk.content(), "shown once"

    hers = page((1440, 900), allow=(r"401", r"403"))
    enter(hers, address, "lan.tran", password)
    hers.wait_for_url("**/account*")
    hers.goto(f"{address}/dossiers")
    assert "/account" in hers.url, "a temporary password opens nothing but its change"
    for name, value in (("old", password), ("password", CHOSEN), ("again", CHOSEN)):
        hers.locator(f"[name={name}]").fill(value)
    hers.locator("form:has([name=again]) button").click()
    hers.wait_for_url("**/account?said=password*")
    hers.goto(f"{address}/dossiers")
    hers.wait_for_selector("[data-count]")
    links = hers.locator(".d-nav-wide .d-nav-link").all_inner_texts()
    assert t("desk.nav_dossiers", "vi") in links and t("desk.nav_admin", "vi") not in links and t("desk.nav_audit", "vi") not in links
    rows = hers.locator(".d-table tbody tr").all_inner_texts()
    assert rows and all("Sở Xây dựng" in row for row in rows)
    assert hers.goto(f"{address}/admin").status == 403  # type: ignore[union-attr]

    press(desk, "disable", "lan.tran")
    expect(desk.get_by_role("button", name=t("admin.cancel", "vi"))).to_be_focused()
    desk.get_by_role("button", name=t("admin.do.disable", "vi"), exact=True).click()
    expect(desk.locator(".d-said")).to_contain_text("lan.tran")
    hers.goto(f"{address}/dossiers")
    assert hers.url.startswith(f"{address}/sign-in"), "its session has ended"
    desk.locator(".d-said").get_by_role("button", name=t("admin.undo", "vi")).click()
    expect(desk.locator("tr", has_text="lan.tran")).to_contain_text(t("admin.enabled", "vi"))
    found = find_user(store, "lan.tran")
    assert found is not None and found.disabled_at is None and found.agencies == ("H99.1",)


def test_a_fault_is_told_at_its_field_and_keeps_what_was_typed(site: tuple[str, Store], page: Callable[..., Page]) -> None:
    desk = page((390, 844))
    open_people(desk, site[0])
    desk.get_by_role("button", name=t("admin.do.new", "vi")).click()
    desk.get_by_label(t("sign_in.username", "vi")).fill("hai chữ")
    desk.get_by_role("button", name=t("admin.do.create", "vi")).click()
    expect(desk.locator(".d-sheet [role=alert]")).to_be_in_viewport()
    expect(desk.locator("label:has(.d-fault)")).to_contain_text(t("people.bad_username", "vi"))
    expect(desk.get_by_label(t("sign_in.username", "vi"))).to_have_value("hai chữ")
    desk.keyboard.press("Escape")
    expect(desk.locator(".d-sheet")).to_have_count(0)
    assert desk.evaluate("document.documentElement.scrollWidth <= innerWidth"), "wider than the phone"


def test_nothing_happens_when_the_answer_to_a_warning_is_no(site: tuple[str, Store], page: Callable[..., Page]) -> None:
    address, store = site
    add_user(store, NewUser("hung", "operator"), "hash", PROGRAM, AT)
    desk = page((1440, 900))
    open_people(desk, address)
    press(desk, "disable", "hung")
    expect(desk.locator(".d-sheet :focus")).to_have_count(1)
    desk.keyboard.press("Tab")
    desk.keyboard.press("Tab")  # stays inside the sheet
    assert desk.evaluate("!!document.activeElement.closest('.d-sheet')")
    desk.keyboard.press("Escape")
    expect(desk.locator(".d-sheet")).to_have_count(0)
    found = find_user(store, "hung")
    assert found is not None and found.disabled_at is None


def test_the_own_row_offers_no_harm(site: tuple[str, Store], page: Callable[..., Page]) -> None:
    desk = page((1440, 900))
    open_people(desk, site[0])
    own = desk.locator("tr", has_text="quantri")
    assert own.get_by_role("button").all_inner_texts() == [t("admin.do.edit", "vi")]
    own.get_by_role("button").click()
    expect(desk.locator(".d-sheet")).to_contain_text(t("admin.own_rights", "vi"))
    expect(desk.locator(".d-sheet .d-radios")).to_have_count(0)
    desk.get_by_label(t("account.name", "vi")).fill("Tên mới")
    desk.get_by_role("button", name=t("admin.do.save", "vi")).click()
    expect(desk.locator("tr", has_text="quantri")).to_contain_text("Tên mới")


def test_keys_are_made_rotated_and_revoked_on_their_page(site: tuple[str, Store], page: Callable[..., Page]) -> None:
    address, store = site
    desk = page((1440, 900))
    open_people(desk, address)
    desk.get_by_role("link", name=t("admin.keys", "vi"), exact=True).click()
    press(desk, "new_feed", "Quan trắc không khí")
    desk.get_by_label(t("admin.label", "vi")).fill("máy chủ")
    desk.locator(".d-sheet").get_by_role("button", name=t("admin.do.add_key", "vi")).click()
    first = desk.locator(".d-secret").inner_text()
    desk.get_by_role("button", name=t("admin.kept", "vi")).click()
    expect(desk.locator(".d-sheet")).to_have_count(0)
    assert check_key(store, "air", first, AT)
    press(desk, "rotate", "máy chủ (#1)")
    desk.locator(".d-sheet").get_by_text(t("admin.grace.0", "vi")).click()
    desk.locator(".d-sheet").get_by_role("button", name=t("admin.do.rotate", "vi")).click()
    second = desk.locator(".d-secret").inner_text()
    desk.get_by_role("button", name=t("admin.kept", "vi")).click()
    assert not check_key(store, "air", first, AT) and check_key(store, "air", second, AT)
    press(desk, "revoke", "máy chủ (#2)")
    desk.locator(".d-sheet").get_by_role("button", name=t("admin.do.revoke", "vi")).click()
    expect(desk.locator(".d-said")).to_be_visible()
    assert not check_key(store, "air", second, AT)
    desk.get_by_role("button", name=t("admin.do.new_api", "vi")).click()
    desk.get_by_label(t("admin.label", "vi")).fill("bảng điều khiển")
    desk.locator(".d-sheet").get_by_role("button", name=t("admin.do.add_key", "vi")).click()
    third = desk.locator(".d-secret").inner_text()
    found = find_api_key(store, third, AT)
    assert found is not None and (found.label, found.role) == ("bảng điều khiển", "analyst")
