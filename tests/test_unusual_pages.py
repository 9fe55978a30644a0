"""The pages of signs and of what coincided, in a browser and over the API: one answer in both, rows one click away, a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from api.routes import mount
from app import make_app
from components.context import AppContext
from metrics.city.findings import coincident, gaming
from metrics.city.numbers.sums import Choice
from metrics.city.records import reports
from metrics.city.records.reports import ReportFilter
from metrics.periods import parse_period
from scope import Scope, scope_of
from store.engine import Store
from tests import odd_city, storm_city
from tests.odd_city import BULK_DAY, BULK_N, BULK_OFFICE, HURRIED, PERIOD, TWICE, open_odd
from tests.storm_city import STORM_DAY, drowned, open_storm
from text import t

STORM = f"key=reports_received&period={STORM_DAY}&hours=8..13&area={drowned().code}"
ANALYST = scope_of("analyst", actor="key:t#1")


@pytest.fixture(scope="module")
def odd(make_database: Callable[..., str]) -> Iterator[Store]:
    opened = open_odd("sqlite", make_database)
    yield opened
    opened.dispose()


@pytest.fixture(scope="module")
def storm(make_database: Callable[..., str]) -> Iterator[Store]:
    opened = open_storm("sqlite", make_database)
    yield opened
    opened.dispose()


Client = Callable[..., httpx.Client]


@pytest.fixture
def client(live_server: Callable[..., Any]) -> Iterator[Client]:
    """client(store, config, scope) -> the API."""
    opened: list[httpx.Client] = []

    def make(store: Store, config: Any, scope: Scope = ANALYST) -> httpx.Client:
        server = FastAPI()
        mount(server, AppContext(config, store, lambda: odd_city.NOW, lambda request: scope), build_frame=lambda city, lang: {})
        opened.append(httpx.Client(base_url=str(live_server(server).url)))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


# ---- API ------------------------------------------------------------------------------------------------------------
def test_the_address_of_signs_tells_what_the_page_is_drawn_from(client: Client, odd: Store) -> None:
    api, city = client(odd, odd_city.CONFIG), odd_city.see(odd)
    said = api.get("/api/v1/gaming", params={"period": PERIOD}).json()
    found = gaming.read(city, parse_period(PERIOD, city.today))
    assert [rule["kind"] for rule in said["rules"]] == [one.kind for one in found]
    assert [[sign["hits"] for sign in rule["signs"]] for rule in said["rules"]] == [[sign.hits for sign in one.signs] for one in found]
    rows = api.get("/api/v1/gaming", params={"period": PERIOD, "rule": "again", "office": TWICE}).json()
    behind = gaming.evidence(city, "again", TWICE, parse_period(PERIOD, city.today))
    assert [row["next_id"] for row in rows] == [row.next_id for row in behind]
    table = api.get("/api/v1/gaming.csv", params={"period": PERIOD}).text
    assert len(table.splitlines()) == 1 + sum(len(one.signs) for one in found)


def test_the_address_of_coincidences_ranks_as_the_page_does(client: Client, storm: Store) -> None:
    said = client(storm, storm_city.CONFIG).get(f"/api/v1/explain?{STORM}").json()
    assert [one["key"] for one in said["things"] if one["is_unusual"]][:2] == ["rain", "wind"]
    assert (said["hours"], said["area"], said["is_cut"]) == ("8..13", drowned().code, False) and said["compared"] > 20


@pytest.mark.parametrize(("path", "field"), [
    ("/api/v1/gaming?period=2026-01-01..2026-11-01", "period"), ("/api/v1/explain?period=2026-01-01..2026-11-01", "period"),
    ("/api/v1/explain?hours=30", "hours"), ("/api/v1/explain?key=none", "key"), ("/api/v1/gaming?rule=none", "rule"),
])
def test_what_cannot_be_meant_is_refused_by_name(client: Client, odd: Store, path: str, field: str) -> None:
    answer = client(odd, odd_city.CONFIG).get(path)
    assert answer.status_code == 400 and answer.json()["error"]["field"] == field, answer.text


def test_who_sees_no_dossiers_gets_no_signs(client: Client, odd: Store) -> None:
    api = client(odd, odd_city.CONFIG, scope_of("admin", actor="key:v#1"))
    assert api.get("/api/v1/gaming").status_code == 403 and api.get("/api/v1/explain").status_code == 200


# ---- browser --------------------------------------------------------------------------------------------------------
def test_signs_are_told_as_questions_and_lead_to_exactly_their_rows(
    odd: Store, live_server: Callable[..., Any], page: Callable[..., Page],
) -> None:
    site = str(live_server(make_app(odd_city.CONFIG, odd, now=lambda: odd_city.NOW).server).url)
    desk = page((1440, 900))
    desk.goto(f"{site}/gaming?period={PERIOD}")
    expect(desk.get_by_role("note")).to_have_text(t("gaming.no_verdict", "vi"))
    for rule, office in (("bulk", BULK_OFFICE), ("before_due", HURRIED), ("again", TWICE)):
        marked = desk.locator(f"[data-rule={rule}] tr[data-state=unusual]")
        expect(marked).to_have_count(1)
        expect(marked.locator("th")).to_have_text(f"Phòng {office}")
    evidence = desk.locator("[data-rule=bulk] tr[data-state=unusual]").get_by_role("link")
    evidence.focus()
    desk.keyboard.press("Enter")
    desk.get_by_role("link", name=t("gaming.see_reports", "vi")).click()
    chosen = ReportFilter(Choice(agency=BULK_OFFICE), quality="bulk", period=parse_period(BULK_DAY.isoformat(), BULK_DAY))
    assert reports.total(odd_city.see(odd), chosen) == BULK_N
    expect(desk.locator("[data-count]")).to_have_attribute("data-count", str(BULK_N))
    desk.go_back()
    desk.go_back()
    expect(desk.locator("[data-rule=again]")).to_be_visible()
    desk.goto(f"{site}/gaming?period={PERIOD}&rule=again&office={TWICE}")
    expect(desk.locator("tbody tr").first.get_by_role("link")).to_have_count(2)


def test_the_storm_stands_first_at_its_place_and_hours_on_a_phone_too(
    storm: Store, live_server: Callable[..., Any], page: Callable[..., Page],
) -> None:
    site = str(live_server(make_app(storm_city.CONFIG, storm, now=lambda: storm_city.NOW).server).url)
    desk = page((390, 844))
    desk.goto(f"{site}/explain?{STORM}")
    rows = desk.locator("table").first.locator("tbody tr")
    expect(rows.first).to_contain_text(t("property.rain", "vi"))
    expect(desk.get_by_role("note")).to_have_text(t("explain.no_cause", "vi"))
    flooding = rows.filter(has_text="ngập úng")
    expect(flooding).to_have_attribute("data-state", "unusual")
    assert desk.evaluate("document.documentElement.scrollWidth <= innerWidth")
    city = storm_city.see(storm)
    told = coincident.read(city, "reports_received", parse_period(str(STORM_DAY), city.today), "8..13", Choice(area=drowned().code))
    n = next(one.n for one in told.found if one.kind == "category")
    flooding.get_by_role("link").click()
    expect(desk.locator("[data-count]")).to_have_attribute("data-count", str(n))
    desk.go_back()
    desk.get_by_role("link", name=t("explain.before", "vi")).click()
    expect(desk.locator(".d-lead").first).to_contain_text("17/11/2026")


def test_a_period_that_is_too_long_offers_its_weeks(storm: Store, live_server: Callable[..., Any], page: Callable[..., Page]) -> None:
    site = str(live_server(make_app(storm_city.CONFIG, storm, now=lambda: storm_city.NOW).server).url)
    desk = page((1440, 900))
    desk.goto(f"{site}/explain?period=2026-10")
    desk.get_by_role("group", name=t("explain.one_week", "vi")).get_by_role("link").nth(1).click()
    expect(desk.get_by_role("group", name=t("explain.one_day", "vi")).get_by_role("link")).to_have_count(7)
