"""The lists' grid: what is pressed in its headings becomes the one grammar in the URL; in a real browser, by keyboard, on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect

from app import make_app
from callbacks.grid import narrowing, order_asked, value_of
from components.context import AppContext
from components.desk_grid import told
from components.desk_links import View, read_view
from components.desk_parts import link, state_mark
from metrics.city import City
from scope import DEMO_SCOPE
from store.engine import Store
from tests.desk_province import config_of, make_store, moment_now
from tests.servers import serve_asgi
from text import t

ROWS = """() => Array.from(document.querySelectorAll('.ag-center-cols-container .ag-row'))
  .sort((a, b) => a.getAttribute('row-index') - b.getAttribute('row-index')).map(row => row.getAttribute('row-id').split('~')[1])"""
PLAIN = "() => Array.from(document.querySelectorAll('.d-rows-plain tbody th')).map(cell => cell.textContent)"


@pytest.fixture(scope="module")
def store(make_database: Callable[..., str]) -> Iterator[Store]:
    filled = make_store(make_database("sqlite"))
    yield filled
    filled.dispose()


@pytest.fixture
def city(store: Store) -> City:
    return AppContext(_config(store), store, moment_now, lambda request: DEMO_SCOPE).city(DEMO_SCOPE)


@pytest.fixture(scope="module")
def address(store: Store) -> Iterator[str]:
    with serve_asgi(make_app(_config(store), store, now=moment_now).server) as server:
        yield server.url


def _config(store: Store) -> Any:
    return config_of(store.engine.url.render_as_string(hide_password=False))


def view_of(city: City, **query: str) -> View:
    return read_view({"path": "/dossiers", "query": query}, city.config, city.today)


@pytest.mark.parametrize(("key", "condition", "value"), [
    ("procedure", {"filterType": "text", "type": "contains", "filter": "KHAI sinh"}, "1.003"),
    ("procedure", {"filterType": "text", "type": "notContains", "filter": "khai sinh"}, "!1.003"),
    ("procedure", {"filterType": "text", "type": "contains", "filter": "nothing, such"}, "nothing\\, such"),
    ("status", {"filterType": "text", "type": "contains", "filter": "bo sung"}, "5"),
    ("timeliness", {"filterType": "text", "type": "contains", "filter": "sap den"}, "due_soon"),
    ("timeliness", {"filterType": "text", "type": "contains", "filter": "zzz"}, ""),
    ("agency", {"filterType": "text", "type": "blank"}, "-"),
    ("due", {"filterType": "date", "type": "inRange", "dateFrom": "2026-11-01 00:00:00", "dateTo": "2026-11-05 00:00:00"},
     "2026-11-01..2026-11-05"),
    ("due", {"filterType": "date", "type": "lessThan", "dateFrom": "2026-11-01 00:00:00", "dateTo": None}, "..2026-10-31"),
    ("due", {"filterType": "date", "type": "equals", "dateFrom": "2026-11-01 00:00:00", "dateTo": None}, "2026-11-01"),
    ("supplements", {"filterType": "number", "type": "greaterThanOrEqual", "filter": 2}, "2.."),
])
def test_a_headings_filter_becomes_a_value_of_the_grammar(city: City, key: str, condition: dict[str, Any], value: str) -> None:
    assert value_of(city, view_of(city), "dossiers", key, condition) == value


def test_words_that_name_more_codes_than_an_address_holds_are_searched_for(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callbacks.grid.MAX_VALUE", 3)
    columns = {"c5": {"sort": "", "narrows": "procedure"}}
    model = {"c5": {"filterType": "text", "type": "contains", "filter": "khai sinh"}}
    assert narrowing(city, view_of(city, q="xã"), "dossiers", model, columns) == {"q": "xã khai sinh"}


def test_the_order_of_the_headings_is_the_urls(city: City) -> None:
    columns = {"c0": {"sort": "number", "narrows": ""}, "c1": {"sort": "due", "narrows": "due"}}
    pressed = [{"colId": "c0", "sort": None}, {"colId": "c1", "sort": "desc"}]
    assert order_asked(view_of(city), pressed, columns) == {"sort": "-due"}
    assert order_asked(view_of(city, sort="-due"), [{"colId": "c1", "sort": None}], columns) == {"sort": ""}
    assert order_asked(view_of(city, sort="filed"), [{"colId": "c1", "sort": None}], columns) == {}  # no heading here has it


def test_a_cell_keeps_its_link_and_its_mark() -> None:
    assert told(link("H1", "/dossiers/x", "a")) == ["link", {"className": "a", "href": "/dossiers/x"}, ["H1"]]
    mark = ["span", {"className": "d-state", "data-state": "dead"}, ["late"]]
    assert told([state_mark("dead", "late"), None, 3]) == ["span", {}, [mark, "3"]]


def _query(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def count_words(page: Page) -> str:
    """The number of rows as the page writes it."""
    return f"{int(page.locator('[data-count]').get_attribute('data-count') or 0)} "


def test_headings_sort_and_narrow_by_the_url_back_works_and_keys_open_a_row(address: str, page: Any) -> None:
    tab = page((1440, 900))
    tab.goto(f"{address}/dossiers?state=open")
    expect(tab.locator(".ag-row").first).to_be_visible()
    heading = tab.locator(".ag-header-cell", has_text=t("column.dossier.agency", "vi"))
    heading.locator(".ag-header-cell-text").click()
    tab.wait_for_url("**sort=agency")
    heading.locator(".ag-header-cell-text").click()
    tab.wait_for_url("**sort=-agency")
    expect(tab.locator(".ag-header-cell[aria-sort=descending]")).to_have_count(1)
    assert tab.evaluate(ROWS) == tab.evaluate(PLAIN)  # the server's order, Vietnamese; the grid moves nothing
    tab.locator(".ag-header-cell", has_text=t("column.dossier.procedure", "vi")).locator(".ag-header-cell-filter-button").click()
    tab.locator(".ag-filter input[type=text]").first.fill("khai sinh")
    tab.get_by_role("button", name=t("grid.applyFilter", "vi"), exact=True).click()
    tab.wait_for_url("**procedure=1.003*")
    expect(tab.locator(".d-chip")).to_contain_text("Đăng ký khai sinh")
    count = int(tab.locator("[data-count]").get_attribute("data-count"))
    assert 0 < count < 352 and _query(tab)["sort"] == ["-agency"]
    tab.go_back()
    tab.wait_for_url("**sort=-agency")
    expect(tab.locator(".d-chip")).to_have_count(0)
    # a file tells how far it is, and the grid is walked by keys
    with tab.expect_download() as download:
        tab.locator("a.d-export").first.click()
    assert download.value.suggested_filename.endswith(".csv")
    expect(tab.locator(".d-export-said")).to_contain_text(count_words(tab))
    first = tab.evaluate(ROWS)[0]
    tab.locator(".ag-header-cell").first.focus()
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"**/dossiers/one_stop~{first}*")


def test_a_phone_is_shown_cards_and_an_order_to_choose(address: str, page: Any) -> None:
    tab = page((390, 844))
    tab.goto(f"{address}/reports?state=open")
    expect(tab.locator(".d-rows-plain .d-table")).to_be_visible()
    expect(tab.locator(".d-grid-box")).to_be_hidden()
    tab.locator(".d-fold > summary").click()
    expect(tab.get_by_text(t("desk.sort", "vi"), exact=True)).to_be_visible()
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.goto(f"{address}/reports?q=zzz")
    expect(tab.locator(".d-notice")).to_contain_text(t("empty.reports", "vi"))
    tab.goto(f"{address}/reports?rating=zzz")
    expect(tab.locator(".d-notice-fault")).to_contain_text("rating")


def test_only_the_desk_loads_the_grid(address: str) -> None:
    scripts = {path: httpx.get(address + path).text.count('src="/_dash-component-suites/dash_ag_grid/') for path in ("/dossiers", "/wall")}
    assert scripts == {"/dossiers": 1, "/wall": 0}
