"""/explore: table, chart and map narrow one another, every figure leads to its very rows, and what is kept stays; by keyboard alone."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import StringIO
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from dash.development.base_component import Component
from playwright.sync_api import Page, expect

from app import make_app
from callbacks import explore as page_of_explore
from callbacks.desk import draw_desk
from callbacks.explore import draw_explore, read_content, reading_key
from callbacks.explore_kept import STEPS, Step
from components.context import AppContext
from components.desk_links import View, read_view
from components.explore.area_map import area_map
from components.explore.ask import changed
from components.explore.content import as_data, from_data
from components.explore.state import DEFAULT_PERIOD, is_chosen, read_state
from components.explore.timeline import nice
from metrics.city import City, areas
from metrics.city.records import dossiers, reports
from metrics.city.typed import TypedFault
from metrics.rollups import drain
from scope import DEMO_SCOPE
from store.bounded import Running
from store.days import DAY
from store.engine import Store
from store.landing import Landing, land
from store.rows import AreaRow, DossierRow, Parsed
from tests.desk_province import AT, PLACES, config_of, make_store, moment_now
from tests.drawn import nodes, words
from tests.servers import serve_asgi
from tests.test_desk import LAID_OUT
from text import t

SIDE = 0.1


def square(number: int) -> dict[str, Any]:
    """One of 24 squares, six in a row, that share their borders."""
    west, south = 107.0 + SIDE * (number % 6), 20.8 + SIDE * (number // 6)
    ring = [[west, south], [west + SIDE, south], [west + SIDE, south + SIDE], [west, south + SIDE], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


@pytest.fixture(scope="module")
def province(make_database: Callable[..., str]) -> Iterator[tuple[AppContext, Store]]:
    """The desk's province, its communes drawn."""
    url = make_database("sqlite")
    store = make_store(url)
    areas = tuple(AreaRow(f"A{n:02}", name, f"Xã {name}", geometry=square(n - 1)) for n, name in enumerate(PLACES, 1))
    land(store, Parsed(areas=areas, item_count=len(areas)), Landing("communes", "areas", AT))
    own = tuple(
        DossierRow(f"H99-{n}", "H99", "1.001", "", "D01", status=4, received_at=AT - n * DAY, due_at=AT + DAY, version=1) for n in (1, 2)
    )
    land(store, Parsed(dossiers=own, item_count=2), Landing("one_stop", "one_stop", AT))
    drain(store, AT)
    yield AppContext(config_of(url), store, moment_now, lambda request: DEMO_SCOPE), store
    store.dispose()


@pytest.fixture
def city(province: tuple[AppContext, Store]) -> City:
    return province[0].city(DEMO_SCOPE)


@pytest.fixture(scope="module")
def address(province: tuple[AppContext, Store]) -> Iterator[str]:
    context, store = province
    with serve_asgi(make_app(context.config, store, now=moment_now).server) as server:
        yield server.url


def view_of(city: City, query: str) -> View:
    return read_view({"path": "/explore", "query": dict(parse_qsl(query))}, city.config, city.today, DEFAULT_PERIOD)


def drawn(city: City, query: str) -> list[Component]:
    return list(nodes(draw_explore(city, view_of(city, query))))


def classed(found: list[Component], name: str) -> list[Component]:
    return [node for node in found if name in (getattr(node, "className", None) or "").split()]


def figure(found: list[Component]) -> float:
    (shown,) = [node for node in classed(found, "d-figure") if hasattr(node, "data-value")]
    return float(getattr(shown, "data-value"))


# ---- every figure leads to its rows ------------------------------------------------------------------------------------
STATES = (
    "measure=dossiers_received&by=agency",
    "measure=dossiers_overdue&by=procedure&period=today",
    "measure=dossiers_finished&by=domain&on=2026-11-17&channel=online",
    "measure=dossiers_on_time_pct&by=area&period=last_week&late_rule=late_day",
    "measure=dossiers_finished_early&by=channel&agency=H99.101,H99.104",
    "measure=dossiers_received&by=hour&procedure=1.003",
    "measure=dossiers_late&by=weekday",
    "measure=reports_received&by=category&area=!A03",
    "measure=reports_open&by=area&period=today&channel=app",
    "measure=reports_resolved&by=week&category=road,flood",
)


@pytest.mark.parametrize("query", STATES)
def test_each_link_to_records_says_how_many_there_are_and_they_are_there(city: City, query: str) -> None:
    links = classed(drawn(city, query), "d-x-rows")
    assert len(links) >= 3
    for link in links:
        parts = urlsplit(link.href)
        given = dict(parse_qsl(parts.query))
        counted = {"/dossiers": dossiers, "/reports": reports}[parts.path]
        said = re.search(r"[\d.]+", words(link))
        assert said is not None
        assert (link.href, counted.total(city, counted.chosen(given))) == (link.href, int(said[0].replace(".", "")))


@pytest.mark.parametrize("query", [query for query in STATES if "pct" not in query])
def test_the_rows_of_a_count_add_up_to_their_total(city: City, query: str) -> None:
    state = read_state(view_of(city, query), city)
    main = read_content(city, state, has_map=False).main
    assert sum(row.figures[0].value or 0 for row in main.rows) == main.totals[0].figures[0].value


def test_what_was_open_on_a_past_day_has_no_list_and_says_why(city: City) -> None:
    found = drawn(city, "measure=dossiers_open&by=agency&on=2026-11-10")
    assert not classed(found, "d-x-rows")
    assert any(getattr(node, "title", "") == t("explore.no_rows_past", "vi") for node in found)


# ---- the views narrow one another ----------------------------------------------------------------------------------------
def follow(city: City, found: list[Component], at: str) -> str:
    """The query a click on one thing leads to."""
    (link,) = [node for node in found if getattr(node, "data-at", "") == at]
    return urlsplit(link.href).query


def test_a_click_in_one_view_narrows_the_others_and_a_second_takes_it_back(city: City) -> None:
    start = "measure=reports_received&by=category&period=last_30d"
    first = drawn(city, start)
    for at, key in (("category:road", "category"), ("area:A03", "area"), ("day:2026-11-12", "on")):
        query = follow(city, first, at)
        after = drawn(city, query)
        assert 0 < figure(after) < figure(first)
        assert [getattr(chip, "data-filter") for chip in classed(after, "d-chip")] == [key]
        assert dict(parse_qsl(follow(city, after, at))) == dict(parse_qsl(start))
        assert dict(parse_qsl(follow(city, after, f"chip:{key}"))) == dict(parse_qsl(start))


def test_a_view_goes_on_showing_the_groups_its_own_click_left_out(city: City) -> None:
    whole, chosen = (drawn(city, f"measure=reports_received&by=category{extra}") for extra in ("", "&category=road"))
    assert len(classed(chosen, "d-x-pick")) == len(classed(whole, "d-x-pick"))
    assert len(classed(chosen, "d-x-area")) == len(classed(whole, "d-x-area")) == len(PLACES)
    marked = [node for node in classed(chosen, "d-x-pick") if getattr(node, "aria-current", "")]
    assert [getattr(node, "data-at") for node in marked] == ["category:road"]


def test_the_way_down_narrows_and_breaks_down_by_what_comes_next(city: City) -> None:
    query = dict(parse_qsl(follow(city, drawn(city, "measure=dossiers_overdue&by=agency&period=today&top=all"), "down:H99.101")))
    assert query == {"measure": "dossiers_overdue", "period": "today", "top": "all", "agency": "H99.101", "by": "procedure"}


def test_an_agency_takes_all_below_it(city: City) -> None:
    state = read_state(view_of(city, "measure=dossiers_received&agency=H99.10"), city)
    assert is_chosen(state, "agency", "H99.10.3") and not is_chosen(state, "agency", "H99.101")


def test_the_row_of_an_agency_above_others_is_its_own_and_so_is_what_it_opens(city: City) -> None:
    found = drawn(city, "measure=dossiers_received&by=agency&top=all")
    after = drawn(city, follow(city, found, "agency:H99"))
    assert figure(after) == 2 and figure(drawn(city, "measure=dossiers_received&agency=H99")) == figure(found)
    (marked,) = [node for node in classed(after, "d-x-pick") if getattr(node, "aria-current", "")]
    assert getattr(marked, "data-at") == "agency:H99"
    links = [node.href for node in classed(found, "d-x-rows") if "agency=%3DH99" in node.href]
    assert [dossiers.total(city, dossiers.chosen(dict(parse_qsl(urlsplit(href).query)))) for href in links] == [2]


def test_a_cell_of_the_cross_table_narrows_to_both_of_its_groups(city: City) -> None:
    found = drawn(city, "measure=dossiers_received&by=domain&split=channel")
    cells = [node for node in classed(found, "d-x-cell-link") if getattr(node, "data-at") == "cell:D03|online"]
    assert dict(parse_qsl(urlsplit(cells[0].href).query)) | {"measure": ""} == {
        "measure": "", "by": "domain", "split": "channel", "domain": "D03", "channel": "online",
    }
    assert figure(drawn(city, urlsplit(cells[0].href).query)) == float(words(cells[0]).replace(".", ""))


def test_small_charts_lie_along_time_whichever_way_it_was_asked(city: City) -> None:
    one, other = (drawn(city, f"measure=dossiers_received&shape=multiples&period=last_30d&by={a}&split={b}") for a, b in
                  (("domain", "week"), ("week", "domain")))
    assert len(classed(one, "d-x-small")) == len(classed(other, "d-x-small")) == 5
    assert len(classed(one, "d-x-small-column")) == len(classed(other, "d-x-small-column"))


def test_the_chart_of_time_has_a_column_for_a_day_without_anything(city: City) -> None:
    found = drawn(city, "measure=reports_received&category=road&area=A03&period=last_30d")
    assert len(classed(found, "d-x-hit")) == 30
    assert (nice(37), nice(0.42), nice(100), nice(0)) == (40.0, 0.5, 100.0, 1.0)


# ---- the address ----------------------------------------------------------------------------------------------------------
def test_a_field_changes_its_own_parameter_and_an_unchanged_one_none(city: City) -> None:
    state = read_state(view_of(city, "measure=dossiers_received&period=last_week&on=2026-11-10&agency=H99.2"), city)
    assert changed(state, [("agency", "H99.2"), ("measure", "dossiers_received"), ("period", "")]) == ""
    assert dict(parse_qsl(urlsplit(changed(state, [("period", "2026-10")])).query)) == {
        "measure": "dossiers_received", "period": "2026-10", "agency": "H99.2",
    }


@pytest.mark.parametrize("query", ["measure=nonsense", "by=nonsense", "agency=!", "known_at=yesterday"])
def test_what_an_address_cannot_mean_is_refused_by_name(city: City, query: str) -> None:
    with pytest.raises(ValueError, match=query.partition("=")[0].replace("agency", "agency|names")):
        draw_explore(city, view_of(city, query))


def test_a_breakdown_the_measure_has_not_is_said_and_the_question_stays(city: City) -> None:
    found = drawn(city, "measure=dossiers_open&by=hour")
    assert t("explore.no_answer", "vi") in words(found)
    assert classed(found, "d-x-ask")


def test_rows_that_do_not_exist_are_an_empty_table_with_a_way_out(city: City) -> None:
    found = drawn(city, "measure=reports_received&by=area&category=none&period=last_30d")
    assert t("explore.empty", "vi") in words(found) and figure(found) == 0
    assert not classed(found, "d-x-rows")


def test_a_question_that_has_to_be_read_tells_how_much_before_it_is_read(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = page_of_explore.explore.read

    def uncovered(city: City, question: Any, key: str = "") -> Any:
        return plain(city, question, key) if question.may_read else replace(plain(city, question, key), is_read=False, estimate=2_100_000)

    monkeypatch.setattr(page_of_explore.explore, "read", uncovered)
    found = drawn(city, "measure=dossiers_received&by=procedure")
    assert "2.100.000" in words(found) and not classed(found, "d-x-pick")
    (go,) = [node for node in found if getattr(node, "data-read", "")]
    assert classed(drawn(city, urlsplit(go.href).query), "d-x-pick")


def test_what_was_known_at_an_instant_is_marked_and_what_cannot_be_told_says_why(city: City) -> None:
    then = drawn(city, "measure=dossiers_received&by=domain&period=2026-11-19&known_at=2026-11-20T09:00")
    (mark,) = classed(then, "d-x-mark")
    assert "09:00 20/11/2026" in words(mark) and not classed(then, "d-x-rows") and classed(then, "d-x-pick")
    lost = drawn(city, "measure=dossiers_received&by=area&known_at=2026-11-20T09:00")
    assert t("explore.why.area", "vi") in words(classed(lost, "d-x-mark")) and not classed(lost, "d-x-figure")


def test_what_is_kept_as_data_is_the_page_number_by_number(city: City) -> None:
    state = read_state(view_of(city, "measure=dossiers_on_time_pct&by=domain&split=week&period=last_month"), city)
    content = read_content(city, state, has_map=True)
    again = from_data(as_data(content), state)
    assert (again.main.rows, again.main.totals, again.figure) == (content.main.rows, content.main.totals, content.figure)
    assert again.main.comparison == content.main.comparison


# ---- map, files, stop -------------------------------------------------------------------------------------------------------
def test_without_polygons_there_is_no_map_and_a_view_of_the_country_names_its_islands(city: City) -> None:
    state = read_state(view_of(city, "measure=reports_received&by=category"), city)
    answer = read_content(city, state, has_map=True).areas
    assert answer is not None
    shapes = areas.polygons(city)
    assert area_map(state, tuple(replace(one, geometry=None) for one in shapes), answer) is None
    drawn_map = area_map(state, shapes, answer)
    assert drawn_map is not None and t("wall.hoang_sa", "vi") not in words(drawn_map)
    far = {"type": "Polygon", "coordinates": [[[104.0, 8.5], [109.0, 8.5], [109.0, 23.0], [104.0, 23.0], [104.0, 8.5]]]}
    country = area_map(state, (*shapes[:3], replace(shapes[3], geometry=far)), answer)
    assert all(t(f"wall.{name}", "vi") in words(country) for name in ("hoang_sa", "truong_sa", "bien_dong"))


@pytest.mark.parametrize("query", ["measure=reports_received&by=category&category=road&area=A03", "measure=dossiers_received&by=agency",
                                   "measure=dossiers_on_time_pct&by=domain&split=channel&period=last_month"])
def test_the_file_holds_the_rows_and_totals_of_the_shown_table(city: City, address: str, query: str) -> None:
    state = read_state(view_of(city, query), city)
    main = read_content(city, state, has_map=False).main
    links = [node.href for node in drawn(city, query) if "d-export" in (getattr(node, "className", None) or "").split()]
    answer = httpx.get(address + next(href for href in links if ".csv" in href), timeout=20)
    assert answer.status_code == 200, answer.text
    rows = list(csv.DictReader(StringIO(answer.text.removeprefix("\ufeff"))))
    shown = [("" if one is None else float(one)) for one in (row.figures[0].value for row in (*main.rows, *main.totals))]
    assert [row[state.measure.key] and float(row[state.measure.key]) for row in rows] == shown


def test_whoever_asked_stops_the_reading_and_nobody_elses(province: tuple[AppContext, Store]) -> None:
    context, store = province
    mine, other = (reading_key(replace(DEMO_SCOPE, actor=actor), "abc") for actor in ("demo", "user:x"))
    store.running.update({key: Running(until=1e12) for key in (mine, other)})
    page_of_explore.stop_reading(context, DEMO_SCOPE, 1, {"path": "/explore", "query": {"read": "abc"}})
    assert (store.running.pop(mine).is_stopped, store.running.pop(other).is_stopped) == (True, False)


def test_figures_that_have_moved_on_since_they_were_drawn_are_not_kept_as_shown(city: City) -> None:
    state = read_state(view_of(city, "measure=dossiers_received"), city)
    drawn_at = city.revisions["dossiers"]
    with pytest.raises(TypedFault) as fault:
        STEPS["keep"](Step(city, state, 0, "", False, drawn_at - 1, "", AT))
    assert fault.value.key == "explore.moved"


# ---- from the desk ----------------------------------------------------------------------------------------------------------
def test_a_red_tile_is_two_clicks_from_its_rows_with_what_the_reader_chose(city: City) -> None:
    view = read_view({"path": "/", "query": {"agency": "H99.101", "late_rule": "late_day"}}, city.config, city.today)
    hrefs = [node.href for node in nodes(draw_desk(city, view)) if "d-tile-more" in (getattr(node, "className", None) or "")]
    (there,) = [href for href in hrefs if "measure=dossiers_overdue" in href]
    found = drawn(city, urlsplit(there).query)
    (rows,) = [node for node in classed(found, "d-x-rows") if "dòng gốc" in words(node)]
    assert {"agency": "H99.101", "late_rule": "late_day", "state": "overdue"}.items() <= dict(parse_qsl(urlsplit(rows.href).query)).items()


# ---- in the browser -----------------------------------------------------------------------------------------------------------
def press_on(page: Page, at: str, key: str = "Enter") -> None:
    """The keyboard alone: the focus goes to a link by Tab, among columns or areas by arrows, then a key."""
    place = page.locator(f'[data-at="{at}"]').first
    expect(place).to_be_visible()
    for _ in range(120):
        told = page.evaluate(
            """at => { const on = document.activeElement, there = document.querySelector(`[data-at="${at}"]`);
                      const group = there.closest(".d-x-columns, .d-x-map");
                      if (on === there) { return "there"; }
                      if (!group || !group.contains(on)) { return "Tab"; }
                      return on.compareDocumentPosition(there) & 4 ? "ArrowRight" : "ArrowLeft"; }""",
            at,
        )
        if told == "there":
            break
        page.keyboard.press(told)
    expect(place).to_be_focused()
    page.keyboard.press(key)


def test_the_page_by_keyboard_alone_narrows_in_place_goes_back_and_opens_the_rows(address: str, page: Callable[..., Page]) -> None:
    shown = page((1440, 900))
    shown.goto(f"{address}/explore?measure=reports_received&by=category")
    expect(shown.locator(".d-x-pick").first).to_be_visible()
    shown.evaluate("window.sameDocument = true; document.querySelector('#explore-body').focus()")
    before = shown.locator(".d-x-figure .d-value").inner_text()
    press_on(shown, "category:road")
    expect(shown.locator('.d-chip[data-filter="category"]')).to_be_visible()
    expect(shown.locator('[data-at="category:road"]')).to_be_focused()
    assert "category=road" in shown.url and shown.evaluate("window.sameDocument") is True
    expect(shown.locator('.d-x-columns a[tabindex="0"]')).to_have_count(1)
    press_on(shown, "area:A03")
    expect(shown.locator(".d-chip")).to_have_count(2)
    narrowed = shown.locator(".d-x-figure .d-value").inner_text()
    shown.go_back()
    expect(shown.locator(".d-chip")).to_have_count(1)
    shown.go_back()
    expect(shown.locator(".d-chip")).to_have_count(0)
    expect(shown.locator(".d-x-figure .d-value")).to_have_text(before)
    shown.go_forward()
    shown.go_forward()
    expect(shown.locator(".d-x-figure .d-value")).to_have_text(narrowed)
    shown.locator(".d-x-figure .d-x-rows").press("Enter")
    expect(shown.locator("h1")).to_contain_text(t("page.reports", "vi"))
    assert {"category=road", "area=A03"} <= set(urlsplit(shown.url).query.split("&"))
    shown.go_back()
    expect(shown.locator(".d-chip")).to_have_count(2)


def test_fields_views_and_kept_figures_work_in_place(address: str, page: Callable[..., Page]) -> None:
    shown = page((1440, 900))
    shown.goto(f"{address}/explore?measure=dossiers_received&by=domain")
    shown.evaluate("window.sameDocument = true")
    box = shown.locator(".d-field-period input")
    box.fill("2026-10")
    box.press("Enter")
    expect(shown).to_have_url(re.compile("period=2026-10"))
    expect(shown.locator(".d-lead")).to_contain_text("Tháng 10/2026")
    assert shown.evaluate("window.sameDocument") is True
    shown.locator("#explore-views-menu > summary").press("Enter")
    shown.locator("#explore-view-name").fill("Tháng mười theo lĩnh vực")
    shown.locator("#explore-view-name").press("Enter")
    expect(shown.locator(".d-x-view")).to_have_text("Tháng mười theo lĩnh vực")
    shown.get_by_role("button", name=t("explore.remove", "vi"), exact=True).click()
    expect(shown.locator(".d-x-view")).to_have_count(0)
    shown.get_by_role("button", name=t("explore.undo", "vi")).click()
    expect(shown.locator(".d-x-view")).to_have_count(1)
    shown.locator("#explore-links-menu > summary").click()
    shown.get_by_role("button", name=t("explore.link_keep", "vi")).click()
    kept = shown.locator("#explore-shown-link")
    expect(kept).to_be_visible()
    figures = shown.locator(".d-x-value").all_inner_texts()
    kept.click()
    expect(shown.locator(".d-x-mark")).to_contain_text("demo")
    assert shown.locator(".d-x-value").all_inner_texts() == figures


def test_on_a_phone_and_on_a_desk_nothing_is_cut_and_nothing_overflows(address: str, page: Callable[..., Page]) -> None:
    shown = page((390, 844))
    for query in ("measure=reports_received&by=category", "measure=dossiers_received&by=domain&split=channel&lang=en",
                  "measure=dossiers_on_time_pct&by=agency&split=week&shape=multiples&period=last_month"):
        shown.goto(f"{address}/explore?{query}")
        for size in ({"width": 390, "height": 844}, {"width": 1440, "height": 900}):
            shown.set_viewport_size(size)  # type: ignore[arg-type]
            expect(shown.locator(".d-x-pick").first).to_be_visible()
            assert (query, size, shown.evaluate(LAID_OUT)) == (query, size, [])
