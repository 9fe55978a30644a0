"""The desk pages: handlers as plain functions, the round trip through the app, and a real browser at desk and phone size."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import StringIO
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import dash
import httpx
import pytest
from dash import no_update
from dash.development.base_component import Component
from playwright.sync_api import Page, expect

from app import make_app
from callbacks import desk, dossiers, feeds, kpis, reports, stations
from components.context import AppContext
from components.desk_filters import select
from components.desk_links import View, item_of, item_path, read_view
from components.desk_tiles import DRILLS, GROUPS, drill_href, tile
from components.desk_wiring import PageRow, choice_of, fill
from metrics.city import City
from metrics.city.numbers import kpis as city_kpis
from metrics.kpis import KPIS
from scope import DEMO_SCOPE, Scope, scope_of
from store.engine import Store, open_store
from store.landing import Landing, land
from store.rows import Parsed, ReportRow
from tests.desk_province import AT, config_of, make_store, moment_now
from tests.drawn import nodes, words
from tests.servers import serve_asgi
from text import t

ROWS = {row.name: row for module in (desk, dossiers, reports, stations, feeds, kpis) for row in module.PAGES}
LISTS = {
    "/dossiers": dossiers.draw_list,
    "/reports": reports.draw_list,
    "/stations": stations.draw_list,
    "/feeds": feeds.draw_list,
}
ADDRESSES = (
    "/",
    "/?period=last_week&lang=en",
    "/dossiers?state=overdue",
    "/dossiers/one_stop~H99.2-26-00001",
    "/reports?state=open",
    "/reports/feedback~PA-00003",
    "/stations",
    "/stations/air~air-1",
    "/feeds",
    "/feeds/one_stop",
    "/kpis",
)


@pytest.fixture(scope="module")
def province(make_database: Callable[..., str]) -> Iterator[tuple[AppContext, Store]]:
    url = make_database("sqlite")
    store = make_store(url)
    yield AppContext(config_of(url), store, moment_now, lambda request: DEMO_SCOPE), store
    store.dispose()


@pytest.fixture
def city(province: tuple[AppContext, Store]) -> City:
    return province[0].city(DEMO_SCOPE)


@pytest.fixture(scope="module")
def address(province: tuple[AppContext, Store]) -> Iterator[str]:
    """The whole application over the province, made once."""
    context, store = province
    with serve_asgi(make_app(context.config, store, now=moment_now).server) as server:
        yield server.url


def view_of(city: City, href: str) -> View:
    """The view a link leads to."""
    parts = urlsplit(href)
    return read_view({"path": parts.path, "query": dict(parse_qsl(parts.query))}, city.config, city.today)


def count_on(city: City, href: str) -> int:
    """The number a page shows before its rows."""
    view = view_of(city, href)
    found = [node for node in nodes(list(LISTS[view.path](city, view))) if hasattr(node, "data-count")]
    return int(getattr(found[0], "data-count"))


def page_of(context: AppContext, name: str, scope: Scope = DEMO_SCOPE, path: str = "/", **query: str) -> Component:
    """The body a page's callback answers."""
    return fill(context, scope, ROWS[name], {"path": path, "query": query})[1]


# ---- what stands behind the figures --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "query",
    [
        "",
        "?period=yesterday",
        "?period=this_week",
        "?period=last_week",
        "?period=last_month&late_rule=late_day",
        "?late_rule=late_day",
        "?agency=H99.2",
        "?area=A04&period=this_month",
        "?agency=H99.104&period=last_30d",
    ],
)
def test_every_tile_leads_to_as_many_rows_as_it_says(city: City, query: str) -> None:
    view = view_of(city, f"/{query}")
    checked = []
    for value in city_kpis.read(city, [row.key for row in KPIS], view.period, choice_of(view), view.get("late_rule")):
        href = drill_href(city, view, value)
        counts = DRILLS[value.key].counts if value.key in DRILLS else ""
        if not href or not counts or value.value is None:
            continue
        expected = {"value": value.value, "n": value.n, "rest": value.n * (1 - value.value / 100)}[counts]
        checked.append((value.key, round(expected)))
        assert (value.key, count_on(city, href)) == checked[-1]
    assert len(checked) >= 4


def test_the_province_has_what_these_tests_count(city: City) -> None:
    found = {value.key: value.value for value in city_kpis.read(city, [], view_of(city, "/?period=last_30d").period)}
    assert all(
        (found[key] or 0) > 5 for key in ("dossiers_overdue", "dossiers_late", "dossiers_due_2wd", "reports_overdue", "reports_open")
    )


def test_every_tile_has_a_drill_and_every_drill_a_kpi(city: City) -> None:
    assert {key for _, group in GROUPS for key in group} <= set(DRILLS) <= {row.key for row in KPIS}


def test_a_stock_of_a_past_period_is_not_linked_to_todays_rows(city: City) -> None:
    view = view_of(city, "/?period=last_week")
    value = city_kpis.read(city, ["dossiers_open"], view.period)[0]
    assert drill_href(city, view, value) == ""


def test_a_tile_says_unit_target_change_compared_period_and_definition(city: City) -> None:
    view = view_of(city, "/?period=last_week")
    told = words(tile(city, view, city_kpis.read(city, ["dossiers_on_time_pct"], view.period)[0]))
    for expected in (
        "67,8",
        "%",
        "95,0%",
        "02/11–08/11",
        "n = ",
        t("late_rule.late_instant", "vi"),
        t("kpi.dossiers_on_time_pct.definition", "vi"),
    ):
        assert expected in told


def test_a_city_without_a_kind_of_feed_shows_no_tiles_of_it(city: City) -> None:
    config = replace(city.config, feeds=tuple(feed for feed in city.config.feeds if feed.role != "feedback"))
    drawn = desk.draw_desk(replace(city, config=config), view_of(city, "/"))
    keys = {getattr(node, "data-key", None) for node in nodes(drawn)}
    assert "reports_open" not in keys and "dossiers_open" in keys


def test_a_figure_that_is_not_known_is_a_dash_never_zero(city: City) -> None:
    view = view_of(city, "/?period=last_week")
    drawn = tile(city, view, city_kpis.read(city, ["dossiers_due_2wd"], view.period)[0])
    shown = [node.children for node in nodes(drawn) if getattr(node, "className", "") == "d-value"]
    assert shown == ["–"]


# ---- links, filters, faults ------------------------------------------------------------------------------------------
def test_a_link_keeps_what_the_reader_chose_and_nothing_else(city: City) -> None:
    view = view_of(city, "/?lang=en&period=last_week&agency=H99.2&state=x&page=3")
    assert view.to("/reports", state="open") == "/reports?lang=en&period=last_week&agency=H99.2&state=open"


@pytest.mark.parametrize("source_id", ["A-1", "H56.14/25 0001", "a~b", "100%", "mã số?x=1#2"])
def test_an_id_comes_back_from_its_address_whatever_letters_it_has(source_id: str) -> None:
    assert item_of(item_path("/dossiers", "one_stop", source_id)) == ("one_stop", source_id)


def test_agencies_stand_in_vietnamese_order_and_are_found_without_accents(city: City) -> None:
    box = select(view_of(city, "/"), "agency", "x", [("1", "Sở Y tế"), ("2", "Đầm Sen"), ("3", "Đại Lộc"), ("4", "Cô Sơn")]).children[1]
    assert [row["value"] for row in box.options] == ["4", "3", "2", "1"]
    assert "dam sen" in box.options[2]["search"]


def test_a_changed_filter_goes_into_the_url_and_back_to_the_first_page(province: tuple[AppContext, Store]) -> None:
    opened = [{"path": "/dossiers", "query": {"state": "open", "cursor": "abc", "agency": "H99.1"}}]
    ids = [{"type": "desk-filter", "name": "agency"}, {"type": "desk-filter", "name": "q"}]
    assert desk.take_filters(province[0], DEMO_SCOPE, ["H99.2", ""], ids, opened) == "?state=open&agency=H99.2"


def test_an_unchanged_filter_changes_no_url(province: tuple[AppContext, Store]) -> None:
    opened = [{"path": "/", "query": {"agency": "H99.1", "period": "last_week"}}]
    ids = [{"type": "desk-filter", "name": "agency"}, {"type": "desk-filter", "name": "period"}]
    assert desk.take_filters(province[0], DEMO_SCOPE, ["H99.1", ""], ids, opened) is no_update


def test_a_period_no_one_can_read_is_named_and_the_default_is_shown(province: tuple[AppContext, Store]) -> None:
    told = words(page_of(province[0], "desk", period="tuần sau"))
    assert "tuần sau" in told and "2026-W46" in told and t("kpi.dossiers_open.label", "vi") in told


def test_a_wrong_filter_is_named_with_a_way_out(province: tuple[AppContext, Store]) -> None:
    body = page_of(province[0], "dossiers", path="/dossiers", state="nonsense")
    assert "nonsense" in words(body)
    assert any(getattr(node, "href", "") == "/dossiers" for node in nodes(body))


@pytest.mark.parametrize("name", sorted(ROWS))
def test_every_page_refuses_who_may_not_see_it(province: tuple[AppContext, Store], name: str) -> None:
    body = page_of(province[0], name, scope_of("display"))
    assert t("error.forbidden", "vi") in words(body)


def test_every_page_file_asks_the_permission_its_callback_asks(province: tuple[AppContext, Store]) -> None:
    make_app(province[0].config, province[1], now=moment_now)
    declared = {module.removeprefix("pages."): page.get("permission") for module, page in dash.page_registry.items()}
    assert {name: declared[name] for name in ROWS} == {name: row.permission for name, row in ROWS.items()}


def test_rejects_come_as_a_file_no_spreadsheet_runs(province: tuple[AppContext, Store]) -> None:
    context, _ = province
    opened = [{"path": "/feeds/one_stop", "query": {"reason": "bad_date"}}]
    assert feeds.download_rejects(context, DEMO_SCOPE, [None], opened) is no_update
    file = feeds.download_rejects(context, DEMO_SCOPE, [1], opened)
    assert file["content"].count("\n") == 14 and file["content"].startswith("\ufeff")
    assert feeds.safe_cell("=cmd|' /C calc'!A0").startswith("'=")


def test_a_page_that_breaks_says_so_and_is_logged(province: tuple[AppContext, Store], caplog: pytest.LogCaptureFixture) -> None:
    def broken(city: City, view: View) -> list[Component]:
        raise KeyError("x")

    body = fill(province[0], DEMO_SCOPE, PageRow("desk", "see.desk", broken, ()), {})[1]
    assert t("error.server", "vi") in words(body) and "page desk failed" in caplog.text and "KeyError" in caplog.text


def test_a_page_asked_for_while_the_database_is_away_says_so(
    province: tuple[AppContext, Store], caplog: pytest.LogCaptureFixture,
) -> None:
    gone = open_store("postgresql://nobody@127.0.0.1:1/gone", province[1].days.tz)

    def reads(city: City, view: View) -> list[Component]:
        with gone.reading():
            return []

    body = words(fill(province[0], DEMO_SCOPE, PageRow("desk", "see.desk", reads, ()), {})[1])
    assert t("error.store_away", "vi") in body and t("error.store_away_hint", "vi") in body and t("error.server", "vi") not in body
    assert "page desk: the store is away" in caplog.text and "Traceback" not in caplog.text
    gone.dispose()


def test_the_round_trip_fills_a_page(address: str) -> None:
    outputs = [{"id": f"feeds-{part}", "property": "children"} for part in ("bar", "body")]
    opened = {"id": {"type": "desk-opened", "page": "feeds"}, "property": "data", "value": {"path": "/feeds", "query": {}}}
    payload = {
        "output": "..feeds-bar.children...feeds-body.children..",
        "outputs": outputs,
        "changedPropIds": [],
        "inputs": [opened, {"id": "feeds-refresh", "property": "data", "value": 0}],
    }
    httpx.get(f"{address}/feeds")
    answer = httpx.post(f"{address}/_dash-update-component", json=payload, headers={"Origin": address}, timeout=20)
    assert answer.status_code == 200 and "Quan trắc không khí" in str(answer.json())


@pytest.mark.parametrize(
    "page_address",
    [
        "/dossiers?state=overdue&late_rule=late_day",
        "/dossiers?state=late&period=last_week&agency=H99.2",
        "/dossiers?q=H99.4-26-00",
        "/reports?state=open&area=A04",
        "/reports?state=finished&period=last_week",
        "/stations?kind=air&state=fresh",
        "/stations",
    ],
)
def test_a_file_holds_exactly_the_rows_of_the_screen(city: City, address: str, page_address: str) -> None:
    view = view_of(city, page_address)
    links = [
        node.href for node in nodes(list(LISTS[view.path](city, view))) if "d-export" in (getattr(node, "className", None) or "").split()
    ]
    answer = httpx.get(address + next(href for href in links if ".csv" in href), timeout=20)
    assert answer.status_code == 200, answer.text
    assert len(list(csv.reader(StringIO(answer.text)))) - 1 == count_on(city, page_address)


# ---- in the browser ----------------------------------------------------------------------------------------------------
LAID_OUT = """() => {
  const seen = node => node.checkVisibility({contentVisibilityAuto: true, visibilityProperty: true});
  const faults = [], wide = document.documentElement.scrollWidth - innerWidth;
  if (wide > 0) faults.push(`the page is ${wide} px too wide`);
  const blocks = ".d-tile, .d-feed, .d-kpi, .d-heading, .d-choices, .d-fold, .d-above, .d-table-box, .d-foot";
  const boxes = [...document.querySelectorAll(blocks)].filter(seen).map(node => [node, node.getBoundingClientRect()]);
  boxes.forEach(([a, x], i) => boxes.slice(i + 1).forEach(([b, y]) => {
    const across = Math.min(x.right, y.right) - Math.max(x.left, y.left) > 1;
    const over = across && Math.min(x.bottom, y.bottom) - Math.max(x.top, y.top) > 1;
    if (over && !a.contains(b) && !b.contains(a)) faults.push(`${a.className} over ${b.className}: ${b.innerText.slice(0, 30)}`);
  }));
  for (const node of document.querySelectorAll(".desk *")) {
    const box = node.getBoundingClientRect(), words = node.childElementCount ? "" : node.textContent.trim();
    if (!words || !seen(node) || box.width <= 1) continue;
    if (node.closest(".d-table-box, .d-skip, .d-unseen, .dash-dropdown")) continue;
    if (box.right > innerWidth + 1 || box.left < -1) faults.push(`outside the window: ${words}`);
    const cut = node.scrollWidth > node.clientWidth + 2 && getComputedStyle(node).overflow !== "visible";
    if (cut) faults.push(`clipped: ${words}`);
  }
  const levels = [...document.querySelectorAll("h1, h2, h3")].filter(seen).map(node => Number(node.tagName[1]));
  const skips = levels.some((level, i) => i && level > levels[i - 1] + 1);
  if (levels[0] !== 1 || skips) faults.push(`headings out of order: ${levels}`);
  return faults;
}"""


def opened(page: Page, url: str) -> Page:
    """The page once its figures are there."""
    page.goto(url)
    expect(page.locator(".d-content")).to_be_visible(timeout=20_000)
    page.evaluate("document.fonts.ready")
    return page


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_pages_fit_their_screen_and_complain_of_nothing(address: str, page: Any, size: tuple[int, int]) -> None:
    browser_page = page(size)
    for path in ADDRESSES:
        found = opened(browser_page, address + path)
        for _ in range(50):  # a grid fits its columns a moment after its rows are there; what stays is told below
            if not found.evaluate(LAID_OUT):
                break
            found.wait_for_timeout(100)
        assert (path, found.evaluate(LAID_OUT)) == (path, [])
        expect(found.locator(".d-notice-fault")).to_have_count(0)
        assert found.evaluate("document.documentElement.lang") == ("en" if "lang=en" in path else "vi")


def test_a_click_on_a_tile_shows_its_rows_and_back_returns(address: str, page: Any) -> None:
    desk_page = opened(page((1440, 900)), f"{address}/?agency=H99.2")
    shown = desk_page.locator('[data-key="dossiers_open"] .d-value').inner_text()
    desk_page.locator('[data-key="dossiers_open"] .d-tile-link').click()
    expect(desk_page.locator(".d-count")).to_have_attribute("data-count", shown)
    assert desk_page.url.endswith("/dossiers?agency=H99.2&state=open")
    desk_page.go_back()
    expect(desk_page.locator('[data-key="dossiers_open"] .d-value')).to_have_text(shown)


def test_an_agency_is_found_without_accents_and_goes_into_the_url(address: str, page: Any) -> None:
    desk_page = opened(page((1440, 900)), f"{address}/")
    desk_page.locator(".d-select").first.click()
    desk_page.keyboard.type("so tu phap")
    desk_page.get_by_role("option").or_(desk_page.locator(".dash-options-list-option")).first.click()
    expect(desk_page).to_have_url(re.compile(r"agency=H99\.3$"))


def test_a_definition_opens_by_keyboard_and_closes_by_escape(address: str, page: Any) -> None:
    desk_page = opened(page((390, 844)), f"{address}/")
    summary = desk_page.locator('[data-key="dossiers_overdue"] summary')
    summary.focus()
    desk_page.keyboard.press("Enter")
    popover = desk_page.locator('[data-key="dossiers_overdue"] .d-popover')
    expect(popover).to_contain_text(t("kpi.dossiers_overdue.definition", "vi"))
    box = popover.bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390
    desk_page.keyboard.press("Escape")
    expect(popover).to_be_hidden()


def test_new_rows_wait_for_the_reader_to_ask(address: str, page: Any, province: tuple[AppContext, Store]) -> None:
    list_page = opened(page((1440, 900)), f"{address}/reports?state=open")
    first = list_page.locator("tbody th").first.inner_text()
    land(province[1], Parsed(reports=(_early_report(),), item_count=1), Landing("feedback", "feedback", AT - 60_000_000))
    button = list_page.locator(".d-new")
    expect(button).to_be_visible(timeout=15_000)
    assert list_page.locator("tbody th").first.inner_text() == first
    button.click()
    expect(list_page.locator("tbody th").first).to_have_text("PA-NEW")


def _early_report() -> ReportRow:
    return ReportRow("PA-NEW", "road", status="new", received_at=AT - 90 * 86_400_000_000, due_at=AT - 80 * 86_400_000_000, version=1)


def test_a_feed_grows_late_on_screen_with_no_word_from_the_server(address: str, page: Any) -> None:
    feeds_page = page((1440, 900))
    feeds_page.clock.install()
    opened(feeds_page, f"{address}/feeds")
    mark = feeds_page.locator('[data-feed="one_stop"] .d-state')
    expect(mark).to_have_text(t("freshness.fresh", "vi"))
    feeds_page.clock.run_for(8 * 60_000)
    expect(mark).to_have_text(t("freshness.late", "vi"))
