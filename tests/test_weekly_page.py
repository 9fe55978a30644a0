"""The page of the leaders' week: each figure of the brief stands on it and in the API as written; what a meeting writes, by keyboard."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from dash.development.base_component import Component
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from api.routes import mount
from app import make_app
from auth import COOKIE, make_session
from auth.passwords import hash_password
from briefs import issue as issuing
from briefs.issue import issue
from callbacks.weekly import draw_weekly
from components.context import AppContext
from components.desk_links import View, read_view
from metrics.city import City, annotations, followups, weekly
from metrics.city.annotations import Said
from metrics.city.weekly import Weekly
from metrics.city.weekly.written import said, written
from metrics.periods import parse_period
from scope import scope_of
from store.audit import AuditFilter
from store.audit import read as read_audit
from store.days import DAY, instant
from store.engine import Store
from store.keys import PROGRAM, By
from store.people import NewUser, add_user, list_users
from store.sessions import open_session
from tests.conftest import Pages
from tests.servers import LiveServer
from tests.test_desk import LAID_OUT
from tests.weekly_city import CONFIG, NOW, open_weekly, see, shared
from text import t

PASSWORD = "Rong-bay-phuong-nam-61"
WEEK = "2026-W06"
WEEKS = (WEEK, "2026-W08", "2026-W09", "2025-W30")  # full, of Tết, running, before there was anything


def open_page(make_database: Callable[..., str]) -> Store:
    """A filled store with a leader and a viewer."""
    opened = open_weekly("sqlite", make_database)
    for name, role in (("lan", "leader"), ("binh", "viewer")):
        add_user(opened, NewUser(name, role, name), hash_password(PASSWORD), PROGRAM, instant(NOW))
    return opened


@pytest.fixture
def store(make_database: Callable[..., str]) -> Iterator[Store]:
    """One to write in."""
    opened = open_page(make_database)
    yield opened
    opened.dispose()


@pytest.fixture
def site(store: Store, live_server: Callable[..., Any]) -> str:
    """The app with a clock that goes on a second each time it is asked."""
    ticks = itertools.count()
    return str(live_server(make_app(CONFIG, store, now=lambda: NOW + timedelta(seconds=next(ticks))).server).url)


@pytest.fixture(scope="module")
def still(make_database: Callable[..., str]) -> Iterator[City]:
    """A city of a store nobody writes in, with its briefs remembered."""
    opened = open_page(make_database)
    yield shared(opened)
    opened.dispose()


@pytest.fixture(scope="module")
def still_site(still: City) -> Iterator[str]:
    """The app over it: one for all visits that only look."""
    server = LiveServer(make_app(CONFIG, still.store, now=lambda: NOW).server).start()
    yield server.url
    server.stop()


def session_of(store: Store, name: str) -> str:
    """The token of a session, as signing in gives one."""
    token, now = make_session(), instant(NOW)
    user = next(one for one in list_users(store) if one.username == name)
    assert open_session(store, user, token, now + DAY, PROGRAM, "test", now)
    return token


def enter(page: Page, address: str, store: Store, name: str = "lan") -> None:
    """Signed in without the form, which has tests of its own."""
    page.context.add_cookies([{"name": COOKIE, "value": session_of(store, name), "url": address}])


# ---- the page as it is drawn -----------------------------------------------------------------------------------------
def drawn(city: City, **query: str) -> tuple[list[Component], View]:
    view = read_view({"path": "/weekly", "query": query}, CONFIG, city.today, "last_week")
    return [part for part in draw_weekly(city, view) if part is not None], view


def inside(node: Any) -> Iterator[Component]:
    """The component and all below it."""
    if isinstance(node, list | tuple):
        for one in node:
            yield from inside(one)
    elif isinstance(node, Component):
        yield node
        yield from inside(getattr(node, "children", None))


def words(node: Any) -> str:
    """The text of a component."""
    if isinstance(node, list | tuple):
        return "".join(words(one) for one in node)
    if isinstance(node, Component):
        return words(getattr(node, "children", None))
    return "" if node is None else str(node)


def named(parts: Any, attribute: str, value: str) -> Component:
    return next(one for one in inside(parts) if getattr(one, attribute, None) == value)


def rows_of(table: Component) -> list[list[str]]:
    """The rows of a table, those that are folded away below the others too."""
    return [[words(cell) for cell in row.children] for body in inside(table) if body._type == "Tbody" for row in body.children]


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("week", WEEKS)
def test_each_sentence_and_each_cell_of_the_brief_stands_on_the_page_as_it_is_written(still: City, week: str, lang: str) -> None:
    found = weekly.read(still, parse_period(week, still.today))
    parts, _ = drawn(still, period=week, lang=lang)
    says = [words(one) for one in inside(parts) if "d-w-say" in str(getattr(one, "className", "")).split()]
    assert sorted(says) == sorted(said(one.said, lang) for one in found.statements)
    for one in found.tables:
        table = named(parts, "data-table", one.key)
        wanted = [[written(cell, lang) for cell in row.cells] for row in one.rows]
        assert (one.key, sorted(rows_of(table))) == (one.key, sorted(wanted))
        assert all(said(word, lang) in words(table) for word in one.notes)
    assert all(said(word, lang) in words(parts) for word in found.notes)
    assert all(feed.title in words(parts) and said(feed.why, lang) in words(parts) for feed in found.left_out)


def test_each_sentence_leads_to_its_drill_and_to_nothing_the_reader_happened_to_choose(still: City) -> None:
    found = weekly.read(still, parse_period(WEEK, still.today))
    parts, _ = drawn(still, period=WEEK, lang="en", agency="H1.1", late_rule="late_day")
    hrefs = {words(one): one.href for one in inside(parts) if getattr(one, "className", "") == "d-w-say" and hasattr(one, "href")}
    for one in found.statements:
        if one.link is not None:
            path, _, query = hrefs[said(one.said, "en")].partition("?")
            assert (path, set(query.replace("%20", "+").split("&")) >= {"lang=en"}) == (one.link.path, True)
            assert ("agency=" in query) == ("agency" in one.link.query) and "late_rule=late_day" not in query


def test_the_league_shows_whom_chance_does_not_explain_and_folds_the_rest_away_unranked(still: City) -> None:
    found = weekly.read(still, parse_period(WEEK, still.today))
    league = next(one for one in found.tables if one.key == "league")
    rank = [column.key for column in league.columns].index("rank")
    parts, _ = drawn(still, period=WEEK)
    table = named(parts, "data-table", "league")
    fold = next(one for one in inside(table) if getattr(one, "className", "") == "d-w-rest")
    alike = [written(row.cells[0], "vi") for row in league.rows if getattr(row.cells[rank], "value", None) is None]
    assert [row[0] for row in rows_of(fold)] == alike and alike
    assert {row[0] for row in rows_of(table)} - set(alike) == {written(row.cells[0], "vi") for row in league.rows} - set(alike)


def test_followups_come_first_then_what_changed(still: City) -> None:
    parts, _ = drawn(still, period=WEEK)
    order = [getattr(one, "data-section") for one in inside(parts) if hasattr(one, "data-section")]
    assert order[:2] == ["followups", "changed"]


def test_points_missing_are_drawn_as_long_as_they_are_and_most_to_win_first(still: City) -> None:
    parts, _ = drawn(still, period=WEEK)
    score = weekly.read(still, parse_period(WEEK, still.today)).score
    assert score is not None
    known = {row.no: row.most - row.points for group in score.groups for row in group.indicators if row.points is not None}
    bars = [(getattr(one, "data-no"), float(getattr(one, "data-missing"))) for one in inside(parts) if hasattr(one, "data-missing")]
    assert dict(bars) == pytest.approx(known, abs=1e-4)
    assert [missing for _, missing in bars] == sorted((missing for _, missing in bars), reverse=True)


def test_the_weeks_beside_are_offered_up_to_the_running_one(still: City) -> None:
    hrefs = {week: [getattr(one, "href", "") for one in inside(drawn(still, period=week)[0])] for week in WEEKS}
    assert {"/weekly?period=2026-W05", "/weekly?period=2026-W07", "/weekly?period=2025-W06"} <= set(hrefs[WEEK])
    assert "/weekly?period=2026-W10" not in hrefs["2026-W09"]
    assert t("weekly.page.running", "vi") in words(drawn(still, period="2026-W09")[0])
    assert t("weekly.page.running", "vi") not in words(drawn(still, period=WEEK)[0])


@pytest.mark.parametrize("period", ["2026-01", "2026-W20", "today"])
def test_a_period_that_is_no_week_that_has_begun_is_said_and_last_week_is_shown(still: City, period: str) -> None:
    parts, _ = drawn(still, period=period)
    assert t("weekly.page.no_week", "vi", text=period) in words(parts)
    assert "08/2026" in words(parts)


def test_a_question_opens_the_form_with_its_words(still: City) -> None:
    parts, _ = drawn(still, period=WEEK)
    ask = next(one for one in inside(parts) if words(one) == t("weekly.do.assign", "vi"))
    query = httpx.URL(ask.href).params
    form, _ = drawn(still, **dict(query))
    typed = next(one.value for one in inside(form) if getattr(one, "id", None) == {"type": "weekly-field", "name": "what"})
    assert typed == query["what"] and typed in words(parts)


def test_an_annotation_stands_at_its_kpi_and_one_of_all_kpis_below(store: Store) -> None:
    city = see(store)
    annotations.write(city, Said("Cả tuần diễn tập phòng chống bão", "2026-02-02", "2026-02-08"), "", instant(NOW))
    parts, _ = drawn(see(store), period=WEEK)
    cards = [one for one in inside(parts) if getattr(one, "className", "") == "d-w-card"]
    (card,) = [one for one in cards if "Phần mềm một cửa ngừng hai ngày" in words(one)]
    assert named(card, "data-key", "dossiers_on_time_pct")
    assert not any("diễn tập" in words(one) for one in cards)
    assert "diễn tập" in words(parts)


def test_a_reissue_is_listed_with_what_it_changed_and_the_first_with_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pdf_of", "workbook_of"):  # the list is tested and not the paper
        monkeypatch.setattr(issuing, name, lambda brief, lang: brief.sha256.encode())
    city, week, by = see(store), parse_period(WEEK, see(store).today), By("user:lan")
    issue(city, week, "vi", by, instant(NOW))
    followups.close(city, 1, "Đã trả hết", "", instant(NOW))
    second = issue(see(store), week, "vi", by, instant(NOW) + 1)
    assert second.row is not None
    section = named(drawn(see(store), period=WEEK)[0], "id", "issued")
    newest, first = (named(section, "data-brief", str(number)) for number in (2, 1))
    assert second.row.sha256[:12] in words(newest) and f"/api/v1/briefs/{second.row.id}.pdf" in str(newest)
    changed = rows_of(named(newest, "data-table", "reissue"))
    assert any(t("weekly.table.followups", "vi") in row[0] for row in changed)
    assert not [one for one in inside(first) if getattr(one, "data-table", "") == "reissue"]


# ---- rights ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("asked", [{}, {"do": "add"}, {"do": "annotate"}, {"do": "issue"}, {"do": "move", "id": "1"}])
def test_who_may_write_nothing_is_shown_no_form_and_no_button(still: City, asked: dict[str, str]) -> None:
    city = replace(still, scope=replace(scope_of("viewer"), actor="user:binh"))
    parts, _ = drawn(city, period=WEEK, **asked)
    assert not [one for one in inside(parts) if one._type == "Button" or "d-w-form" in str(getattr(one, "className", ""))]
    assert not [one for one in inside(parts) if "do=" in str(getattr(one, "href", ""))]
    assert not [one for one in inside(parts) if ".pdf" in str(getattr(one, "href", ""))]


def test_limited_rights_write_for_their_agency_alone_and_issue_nothing(still: City) -> None:
    city = replace(still, scope=replace(scope_of("leader", agencies=("H1.1",)), actor="user:lan"))
    parts, _ = drawn(city, period=WEEK, do="issue")
    items = {getattr(one, "id", ""): one for one in inside(parts) if getattr(one, "className", "") == "d-w-item"}
    assert {key: any(one._type == "Button" for one in inside(item)) for key, item in items.items()} == {
        f"followup-{one.id}": one.agency_code == "H1.1" for one in followups.read(city, parse_period(WEEK, city.today))
    }
    assert not [one for one in inside(parts) if "d-w-form" in str(getattr(one, "className", ""))]


def press(client: httpx.Client, do: str, number: int = 0, **fields: str) -> httpx.Response:
    """Call the callback of the forms as Dash's own script does."""
    own = [{"name": name, "type": "weekly-field"} for name in fields]
    body = {
        "output": "..weekly-refresh.data...weekly-form.children...weekly-go.href..",
        "outputs": [{"id": "weekly-refresh", "property": "data"}, {"id": "weekly-form", "property": "children"},
                    {"id": "weekly-go", "property": "href"}],
        "inputs": [[{"id": {"do": do, "id": str(number), "type": "weekly-do"}, "property": "n_clicks", "value": 1}]],
        "state": [
            [{"id": one, "property": "value", "value": value} for one, value in zip(own, fields.values(), strict=True)],
            [{"id": one, "property": "id", "value": one} for one in own],
            {"id": {"page": "weekly", "type": "desk-opened"}, "property": "data",
             "value": {"path": "/weekly", "query": {"period": WEEK, "do": do}}},
        ],
        "changedPropIds": [json.dumps({"do": do, "id": str(number), "type": "weekly-do"}, separators=(",", ":")) + ".n_clicks"],
    }
    return client.post("/_dash-update-component", json=body)


def signed_in(address: str, store: Store, name: str) -> httpx.Client:
    headers = {"Origin": address, "Sec-Fetch-Site": "same-origin"}
    return httpx.Client(base_url=address, headers=headers, cookies={COOKIE: session_of(store, name)}, timeout=60)


def test_the_callback_refuses_who_may_not_write(site: str, store: Store) -> None:
    before = followups.read(see(store))
    new = {"what": "Rà soát hồ sơ quá hạn", "due": "06/03/2026", "note": "vì sao", "why": "vì sao", "body": "vì mưa bão",
           "from_day": "02/02/2026", "to_day": "03/02/2026"}
    with signed_in(site, store, "binh") as viewer:
        for do in ("add", "move", "note", "drop", "close", "reopen", "annotate", "withdraw", "issue"):
            answer = press(viewer, do, 1, **new)
            assert (do, answer.json()["response"]) == (do, {})
    assert followups.read(see(store)) == before
    assert len(annotations.read(see(store), None, parse_period(WEEK, see(store).today))) == 1
    with signed_in(site, store, "lan") as leader:
        assert "followup-4" in press(leader, "add", **new).text
    assert [one.what for one in followups.read(see(store)) if one.id == 4] == [new["what"]]


# ---- API -------------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def told(still: City) -> Iterator[httpx.Client]:
    server = FastAPI()
    mount(server, AppContext(CONFIG, still.store, lambda: NOW, lambda request: replace(scope_of("analyst"), actor="key:t#1")),
          build_frame=lambda city, lang: {"props": {}, "ages": {}})
    running = LiveServer(server).start()
    with httpx.Client(base_url=running.url, timeout=60) as client:
        yield client
    running.stop()


def brief(still: City, week: str = WEEK) -> Weekly:
    return weekly.read(replace(still, scope=replace(scope_of("analyst"), actor="key:t#1")), parse_period(week, still.today))


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_api_carries_the_same_sentences_and_cells_at_the_same_revision(told: httpx.Client, still: City, lang: str) -> None:
    found, answer = brief(still), told.get("/api/v1/weekly", params={"period": WEEK, "lang": lang}).json()
    assert (answer["revision"], answer["week"]["text"], answer["is_over"]) == (found.revision, WEEK, True)
    assert [one["text"] for one in answer["statements"]] == [said(one.said, lang) for one in found.statements]
    assert [(one["key"], one["section"]) for one in answer["tables"]] == [(one.key, one.section) for one in found.tables]
    for mine, right in zip(answer["tables"], found.tables, strict=True):
        cells = [[cell["text"] for cell in row["cells"]] for row in mine["rows"]]
        assert cells == [[written(cell, lang) for cell in row.cells] for row in right.rows]
        values = [[cell.get("value") for cell in row["cells"]] for row in mine["rows"]]
        assert values == [[getattr(cell, "value", None) for cell in row.cells] for row in right.rows]


def test_a_table_leaves_as_a_file_of_its_own_columns(told: httpx.Client, still: City) -> None:
    one = next(one for one in brief(still).tables if one.rows)
    lines = told.get(f"/api/v1/weekly/tables.csv?period={WEEK}&key={one.key}&lang=en").text.removeprefix("\ufeff").splitlines()
    assert lines[0].split(",") == [column.key for column in one.columns]
    assert len(lines) == 1 + len(one.rows)
    labelled = told.get(f"/api/v1/weekly/tables.csv?period={WEEK}&key={one.key}&lang=en&headers=labels").text
    assert t(f"weekly.column.{one.columns[0].key}", "en") in labelled.splitlines()[0]


def test_all_tables_as_one_file_hold_every_cell(told: httpx.Client, still: City) -> None:
    lines = told.get(f"/api/v1/weekly/tables.csv?period={WEEK}").text.splitlines()
    assert len(lines) == 1 + sum(len(one.rows) * len(one.columns) for one in brief(still).tables)


@pytest.mark.parametrize("path", ["/api/v1/weekly?period=2026-01", "/api/v1/weekly/tables?key=nothing", "/api/v1/weekly?agency=H1.1"])
def test_the_api_says_what_it_cannot_answer(told: httpx.Client, path: str) -> None:
    answer = told.get(path)
    assert answer.status_code == 400 and answer.json()["error"]["remedy"]


# ---- in the browser --------------------------------------------------------------------------------------------------
def weekly_page(page: Page, site: str, query: str = f"period={WEEK}") -> Page:
    page.goto(f"{site}/weekly?{query}")
    expect(page.locator("#followups")).to_be_visible()
    return page


def test_a_leader_promises_closes_and_takes_back_by_keyboard_alone(site: str, store: Store, page: Callable[..., Page]) -> None:
    desk = page((1440, 900))
    enter(desk, site, store)
    weekly_page(desk, site)
    desk.get_by_role("link", name=t("weekly.do.add", "vi"), exact=True).focus()
    desk.keyboard.press("Enter")
    expect(desk.locator(".d-w-form textarea")).to_be_focused()
    expect(desk.locator(".d-w-form .dash-dropdown")).to_have_count(2)  # they come a little later
    desk.keyboard.type("ab")
    for _ in range(2):
        desk.keyboard.press("Tab")
    desk.keyboard.type("Chánh Văn phòng")
    desk.keyboard.press("Enter")
    expect(desk.locator(".d-w-form .d-field:has(textarea) .d-fault")).to_have_text(t("typed.fault_length", "vi", least=3, most=300))
    expect(desk.locator(".d-w-form .d-w-line input")).to_have_value("Chánh Văn phòng")
    desk.locator(".d-w-form textarea").focus()
    desk.keyboard.press("End")
    desk.keyboard.type("c: rà soát hồ sơ đất đai")
    for _ in range(2):
        desk.keyboard.press("Tab")
    desk.keyboard.press("Enter")
    item = desk.locator("#followup-4")
    expect(item).to_be_focused()
    expect(item).to_have_attribute("data-state", "open")
    assert "do=" not in desk.url
    desk.keyboard.press("Tab")
    expect(item.locator("button")).to_be_focused()
    desk.keyboard.press("Enter")
    expect(item).to_have_attribute("data-state", "done")
    expect(item).to_be_focused()
    desk.keyboard.press("Tab")
    desk.keyboard.press("Enter")
    expect(item).to_have_attribute("data-state", "open")
    (mine,) = [one for one in followups.read(see(store)) if one.id == 4]
    assert (mine.what, mine.who, [event.kind for event in mine.events]) == (
        "abc: rà soát hồ sơ đất đai", "Chánh Văn phòng", ["made", "done", "reopened"],
    )
    assert {event.actor for event in mine.events} == {"user:lan"}
    assert {entry.action for entry in read_audit(store, AuditFilter(actor="user:lan"), 50)} >= {
        "followup.make", "followup.close", "followup.reopen",
    }


def test_a_date_is_moved_with_its_reason_and_the_history_tells_it(site: str, store: Store, page: Callable[..., Page]) -> None:
    desk = page((1440, 900))
    enter(desk, site, store)
    weekly_page(desk, site)
    desk.locator("#followup-2").get_by_role("link", name=t("weekly.do.move", "vi")).click()
    box = desk.locator(".d-w-form input")
    expect(box).to_be_focused()
    box.fill("31/2/2026")
    desk.keyboard.press("Enter")
    expect(desk.locator(".d-w-form .d-fault")).to_be_visible()
    box.fill("6/3/2026")
    desk.locator(".d-w-form textarea").fill("Chờ Sở Nội vụ thẩm định")
    desk.locator(".d-w-form [data-save]").click()
    item = desk.locator("#followup-2")
    expect(item).to_contain_text("06/03/2026")
    item.locator("summary").click()
    expect(item).to_contain_text("Chờ Sở Nội vụ thẩm định")


def test_an_explanation_is_written_and_withdrawn_on_a_phone(site: str, store: Store, page: Callable[..., Page]) -> None:
    phone = page((390, 844))
    enter(phone, site, store)
    weekly_page(phone, site, f"period={WEEK}&do=annotate&key=dossiers_on_time_pct")
    phone.locator(".d-w-form textarea").fill("Hai cán bộ một cửa nghỉ ốm")
    phone.locator(".d-w-form [data-save]").click()
    expect(phone.locator(".d-w-form")).to_have_count(0)
    own = phone.locator("#annotation-2")
    expect(own).to_contain_text("Hai cán bộ một cửa nghỉ ốm")
    if not own.is_visible():
        phone.locator(".d-w-charts > summary").click()
    own.get_by_role("link", name=t("weekly.do.withdraw", "vi")).click()
    phone.locator(".d-w-form textarea").fill("Nhầm tuần")
    phone.locator(".d-w-form [data-save]").click()
    expect(phone.locator("#annotation-2")).to_have_count(0)


TARGETS = """() => [...document.querySelectorAll("main a, main button, main summary, main input:not([aria-hidden])")]
  .filter(node => node.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true}))
  .map(node => [node.closest(".dash-input-container, .dash-dropdown") || node, node])
  .map(([box, node]) => [Math.round(box.getBoundingClientRect().height), (node.innerText || node.id).slice(0, 40)])
  .filter(([height]) => height < 44)"""


ADDRESSES = (f"/weekly?period={WEEK}", f"/weekly?period={WEEK}&do=add&lang=en", "/weekly?period=2026-W08", "/indices")
SIZES = {"phone": (390, 844), "tablet": (820, 1180)}
LETTERS = "nodes => nodes.map(node => parseFloat(getComputedStyle(node).fontSize))"


@pytest.fixture
def pages(page: Pages, still: City, still_site: str) -> Callable[..., Page]:
    """pages(size, name) -> a page that is signed in and only looks."""
    def give(size: tuple[int, int], name: str = "lan") -> Page:
        opened = page(size)
        enter(opened, still_site, still.store, name)
        return opened

    return give


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
def test_phone_and_tablet_clip_nothing_and_a_finger_meets_everything(
    still_site: str, pages: Callable[..., Page], size: tuple[int, int],
) -> None:
    seen = pages(size)
    for path in ADDRESSES:
        seen.goto(still_site + path)
        expect(seen.locator(".d-content")).to_be_visible()
        seen.evaluate("document.querySelectorAll('main details').forEach(node => { node.open = true; })")
        assert (path, seen.evaluate(LAID_OUT), seen.evaluate(TARGETS)) == (path, [], [])
        letters = seen.locator(".d-w-say, .d-w-what").evaluate_all(LETTERS)
        assert all(px >= 16 for px in letters) and (letters or "weekly" not in path), path


def test_the_first_screen_of_a_phone_tells_promises_and_what_changed(
    still: City, still_site: str, pages: Callable[..., Page],
) -> None:
    phone = weekly_page(pages(SIZES["phone"]), still_site)
    expect(phone.locator("#followups .d-w-say").first).to_be_in_viewport()
    jump = phone.locator(".d-w-jumps a[href='#changed']")
    expect(jump).to_be_in_viewport()
    found = weekly.read(still, parse_period(WEEK, still.today))
    expect(jump).to_have_text(f"{t('weekly.section.changed', 'vi')} {len(found.changed)}")
    jump.click()
    expect(phone.locator("#changed h2")).to_be_in_viewport()


def test_paper_shows_the_week_without_forms_buttons_and_bare_addresses(still_site: str, pages: Callable[..., Page]) -> None:
    desk = weekly_page(pages((1440, 900)), still_site, f"period={WEEK}&do=add")
    desk.emulate_media(media="print")
    for gone in (".d-w-form", ".d-w-do", ".d-nav", ".d-exports", ".d-w-weeks", ".d-new"):
        assert not any(one.is_visible() for one in desk.locator(gone).all()), gone
    expect(desk.locator("#followup-1 .d-w-what")).to_be_visible()
    expect(desk.locator(".d-foot")).to_be_visible()
    assert desk.evaluate("getComputedStyle(document.querySelector('.d-w-say'), '::after').content") in ("none", "normal")


def test_a_viewer_reads_the_week_without_forms(still_site: str, pages: Callable[..., Page]) -> None:
    desk = weekly_page(pages((1440, 900), "binh"), still_site, f"period={WEEK}&do=add")
    expect(desk.locator(".d-w-form")).to_have_count(0)
    expect(desk.locator("#followup-1")).to_be_visible()
    expect(desk.locator("main button:not(.d-new)")).to_have_count(0)
