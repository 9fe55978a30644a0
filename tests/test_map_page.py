"""The map in a browser: keyboard and pointer, days, drawing, phone; what is counted on it is what lists and the API count."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from dash import no_update
from playwright.sync_api import Page, expect

from api.routes import mount
from app import make_app
from callbacks import map as handlers
from callbacks.map import draw_map
from components.context import AppContext
from components.desk_links import read_view
from components.desk_map_state import DEFAULT_PERIOD, report_filter
from metrics.city import City
from metrics.city.records import reports
from scope import DEMO_SCOPE, Scope, scope_of
from tests.places_city import CONFIG, NOW, TOWNS, make_city, see

ANSWERED = "#map-answered [data-token]"


@pytest.fixture(scope="module")
def city(make_database: Callable[..., str], migrated: Callable[[str], str]) -> Iterator[City]:
    made = make_city(make_database, migrated, "sqlite")
    yield made
    made.store.dispose()


def opened(**query: str) -> dict[str, Any]:
    return {"path": "/map", "query": query}


def drawn(city: City, **query: str) -> str:
    view = read_view(opened(**query), CONFIG, city.today, DEFAULT_PERIOD)
    return repr([part.to_plotly_json() if part is not None else None for part in draw_map(city, view)])


def context(city: City) -> AppContext:
    return AppContext(CONFIG, city.store, lambda: NOW, lambda request: DEMO_SCOPE)


# ---- without a browser ------------------------------------------------------------------------------------------------------
def test_a_reader_without_reports_sees_density_alone_and_no_drawing_counts(city: City) -> None:
    shown = drawn(see(city.store, scope_of("viewer")), within="107,20.8_107.3,20.8_107.3,21.2")
    assert "map-inside" not in shown and "Mật độ" in shown and "Thời hạn còn lại" not in shown
    assert "map-inside" in drawn(city, within="107,20.8_107.3,20.8_107.3,21.2")


def test_cells_are_named_as_such_to_who_is_told_no_point(city: City) -> None:
    assert "theo ô lưới" in drawn(see(city.store, scope_of("leader")))
    assert "theo ô lưới" not in drawn(city)


def test_a_filter_that_leaves_nothing_to_place_says_so(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handlers, "shown_areas", lambda city: ())
    assert "Không có ranh giới" in drawn(see(city.store, scope_of("auditor")), stations="none")


@pytest.mark.parametrize("query", [{"kpi": "nope"}, {"reports": "x"}, {"within": "1,2"}, {"category": "!"}])
def test_an_address_that_cannot_be_meant_names_the_parameter(city: City, query: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(query))}: "):
        drawn(city, **query)


@pytest.mark.parametrize("asked", [None, 3, {}, {"box": [1, 2, 3]}, {"box": ["a", 1, 2, 3], "zoom": 3}, {"box": [9, 1, 2, 3], "zoom": 1}])
def test_what_no_script_of_ours_asks_changes_nothing(city: City, asked: object) -> None:
    assert handlers.draw_places(context(city), DEMO_SCOPE, asked, opened()) is no_update
    assert handlers.pick(context(city), DEMO_SCOPE, asked, opened()) is no_update


def test_a_picked_report_needs_the_right_to_reports(city: City) -> None:
    picked = {"kind": "report", "feed": "feedback", "id": "R0001"}
    words = {role: repr(handlers.pick(context(city), scope, picked, opened())) for role, scope in _scopes()}
    assert "/reports/feedback~R0001" in words["analyst"] and "R0001" not in words["viewer"]


def _scopes() -> tuple[tuple[str, Scope], ...]:
    return tuple((role, scope_of(role)) for role in ("analyst", "viewer"))


def test_stations_come_once_unless_there_are_more_than_an_answer_holds(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    def sent(fresh: bool) -> Any:
        asked = {"box": [107.0, 20.0, 107.1, 22.0], "zoom": 9, "day": "", "token": 1, "fresh": fresh}
        return handlers.draw_places(context(city), DEMO_SCOPE, asked, opened())

    assert len(sent(True)[2]["features"]) == 3 and sent(False)[2] is no_update
    monkeypatch.setattr(handlers.places, "MOST", 2)
    assert len(sent(True)[2]["features"]) == 1 and getattr(sent(True)[3], "data-fresh") == "1"


def test_a_day_asks_for_what_was_received_on_it(city: City) -> None:
    view = read_view(opened(category="road"), CONFIG, city.today, DEFAULT_PERIOD)
    assert report_filter(view) == {"category": "road", "state": "open"}
    assert report_filter(view, "2026-11-16") == {"category": "road", "state": "received", "period": "2026-11-16"}


def test_the_api_tells_what_the_map_draws(city: City, live_server: Callable[..., Any]) -> None:
    from fastapi import FastAPI

    server = FastAPI()
    mount(server, AppContext(CONFIG, city.store, lambda: NOW, lambda request: scope_of("analyst")), build_frame=lambda city, lang: {})
    with httpx.Client(base_url=live_server(server).url) as client:
        told = client.get("/api/v1/places", params={"layer": "reports", "state": "open", "bbox": "107,20.9,107.1,21", "zoom": 11}).json()
        listed = client.get("/api/v1/reports", params={"state": "open", "within": "107,20.9_107.1,20.9_107.1,21_107,21"}).json()
        areas = client.get("/api/v1/places", params={"layer": "areas", "key": "reports_open", "period": "last_30d"}).json()
        density = client.get("/api/v1/places", params={"layer": "density", "state": "open", "bbox": "107,20.9,107.1,21"}).json()
        stations = client.get("/api/v1/places", params={"layer": "stations", "bbox": "107,20,107.1,22"}).json()
        wrong = client.get("/api/v1/places", params={"bbox": "9,9,1,1"})
    assert told["total"] == sum(f["properties"]["n"] for f in told["features"]) == listed["total"] == density["total"] > 100
    assert {f["properties"]["code"] for f in areas["features"]} == {"00001", "00002", "00003"}
    assert areas["features"][0]["geometry"]["type"] == "Polygon" and stations["total"] == 1
    assert wrong.status_code == 400 and wrong.json()["error"]["field"] == "bbox"


# ---- in a browser -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def site(city: City, live_server: Callable[..., Any]) -> str:
    return str(live_server(make_app(CONFIG, city.store, now=lambda: NOW).server).url)


def wait_answer(page: Page) -> int:
    expect(page.locator(ANSWERED)).to_have_count(1)
    return int(page.locator(ANSWERED).get_attribute("data-n") or -1)


def told_again(page: Page, do: Callable[[], Any]) -> int:
    """Do something that asks anew, wait for the answer: how many reports it counts."""
    before = page.locator(ANSWERED).get_attribute("data-token")
    do()
    expect(page.locator(ANSWERED)).not_to_have_attribute("data-token", before or "")
    return wait_answer(page)


def test_the_map_is_used_with_the_keyboard_alone(page: Callable[..., Page], site: str, city: City) -> None:
    opened_page = page((1440, 900), reduced_motion="no-preference")
    lon, lat = TOWNS[0]
    opened_page.goto(f"{site}/map?view={lon},{lat},11")
    assert wait_answer(opened_page) > 100
    opened_page.locator("#map").focus()
    opened_page.keyboard.press("Enter")
    expect(opened_page.locator("#map-told h3")).to_contain_text("phản ánh ở đây")
    # Space on the slider replays day by day, and stops
    opened_page.locator(".m-time input").focus()
    opened_page.keyboard.press("Space")
    expect(opened_page.locator(".m-day")).to_have_text("23/10/2026")  # the second day of the period
    opened_page.keyboard.press("Space")
    expect(opened_page.locator(".m-play")).to_have_text("Phát lại")
    opened_page.locator("[data-time=all]").click()
    expect(opened_page.locator(".m-day")).to_have_text("")
    # a shape by Space at three corners, finished by Enter: its count is that of the list behind it
    opened_page.locator("[data-draw=polygon]").focus()
    opened_page.keyboard.press("Enter")
    expect(opened_page.locator(".m-hint")).to_contain_text("Dấu cách")
    for move in ("ArrowRight", "ArrowUp", "ArrowLeft"):
        opened_page.keyboard.press(" ")
        for _ in range(2):
            opened_page.keyboard.press(move)
    opened_page.keyboard.press("Enter")
    expect(opened_page.locator("#map-inside")).to_be_visible()
    within = re.search(r"within=([^&]+)", opened_page.url)
    assert within
    counted = int(opened_page.locator("#map-inside").get_attribute("data-count") or -1)
    asked = {"state": "open", "within": within[1].replace("%2C", ",")}
    assert counted == reports.total(city, reports.chosen(asked)) > 0
    opened_page.locator("#map-selected a").first.click()
    expect(opened_page.locator(".d-count")).to_have_attribute("data-count", str(counted))
    opened_page.go_back()
    expect(opened_page.locator("#map-inside")).to_have_attribute("data-count", str(counted))


def test_a_day_of_the_slider_shows_that_day_and_stands_in_the_address(page: Callable[..., Page], site: str, city: City) -> None:
    opened_page = page((1440, 900), reduced_motion="reduce")
    opened_page.goto(f"{site}/map")
    wait_answer(opened_page)
    slider = opened_page.locator(".m-time input")
    counted = told_again(opened_page, lambda: slider.press("ArrowLeft"))
    expect(opened_page.locator(".m-day")).to_have_text("19/11/2026")
    day = {"state": "received", "period": "2026-11-19", "within": "!-"}
    assert counted == reports.total(city, reports.chosen(day)) > 0
    assert "day=2026-11-19" in opened_page.url
    told_again(opened_page, lambda: opened_page.locator(".m-play").click())  # without motion a press is a day
    expect(opened_page.locator(".m-day")).to_have_text("20/11/2026")
    opened_page.reload()
    wait_answer(opened_page)
    expect(opened_page.locator(".m-day")).to_have_text("20/11/2026")


def test_on_a_phone_everything_is_in_reach_and_a_view_of_the_country_names_its_sea(page: Callable[..., Page], site: str) -> None:
    phone = page((390, 844), has_touch=True)
    phone.goto(f"{site}/map?view=109,14,4.5")
    wait_answer(phone)
    for words in ("Quần đảo Hoàng Sa", "Quần đảo Trường Sa", "Biển Đông"):
        expect(phone.locator(".m-label b", has_text=words)).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    sizes = [box for node in phone.locator(".m-button").all() if (box := node.bounding_box())]
    assert min(min(box["width"], box["height"]) for box in sizes) >= 44
    phone.locator("[data-map=home]").click()
    expect(phone.locator(".m-label b").first).to_be_hidden()
    phone.locator("[data-draw=view]").click()
    expect(phone.locator("#map-inside")).to_be_visible()
