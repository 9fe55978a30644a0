"""The page of signals in a browser and its address of the API: one figure in both; a leader sets a baseline and sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from api.routes import mount
from app import make_app
from auth import COOKIE, make_session
from auth.passwords import hash_password
from callbacks.desk import draw_desk
from components.context import AppContext
from components.control_chart import control_chart
from components.desk_links import read_view
from components.desk_tiles import alignment
from metrics.city import City
from metrics.city.findings import baselines, signals
from metrics.city.numbers import kpis
from metrics.periods import parse_period
from scope import scope_of
from store.audit import AuditFilter
from store.audit import read as read_audit
from store.days import DAY, instant
from store.engine import Store
from store.keys import PROGRAM
from store.people import NewUser, add_user, list_users
from store.sessions import open_session
from tests.signal_city import CONFIG, NOW, open_signals, see
from text import t

PASSWORD = "Rong-bay-phuong-nam-61"


@pytest.fixture(scope="module")
def still(make_database: Callable[..., str]) -> Iterator[City]:
    """A city of a store nobody writes in: no users, the demo, which changes nothing."""
    opened = open_signals("sqlite", make_database)
    yield see(opened)
    opened.dispose()


@pytest.fixture
def store(make_database: Callable[..., str]) -> Iterator[Store]:
    """One with a leader, to write in."""
    opened = open_signals("sqlite", make_database)
    add_user(opened, NewUser("lan", "leader", "Trần Lan"), hash_password(PASSWORD), PROGRAM, instant(NOW))
    yield opened
    opened.dispose()


@pytest.fixture
def site(store: Store, live_server: Callable[..., Any]) -> str:
    return str(live_server(make_app(CONFIG, store, now=lambda: NOW).server).url)


def enter(page: Page, address: str, store: Store) -> None:
    """Signed in without the form, which has tests of its own."""
    token = make_session()
    (user,) = list_users(store)
    assert open_session(store, user, token, instant(NOW) + DAY, PROGRAM, "test", instant(NOW))
    page.context.add_cookies([{"name": COOKIE, "value": token, "url": address}])


# ---- API ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def told(still: City, live_server: Callable[..., Any]) -> Iterator[httpx.Client]:
    server = FastAPI()
    context = AppContext(CONFIG, still.store, lambda: NOW, lambda request: scope_of("analyst", actor="key:t#1"))
    mount(server, context, build_frame=lambda city, lang: {"props": {}, "ages": {}})
    with httpx.Client(base_url=live_server(server).url) as client:
        yield client


def test_the_address_tells_what_the_page_is_drawn_from(told: httpx.Client, still: City) -> None:
    said = told.get("/api/v1/signals", params={"period": "2026-W46", "lang": "en"}).json()
    found = signals.in_order(signals.read(still))
    assert [one["key"] for one in said["signals"]] == [one.key for one in found]
    first, right = said["signals"][0], found[0]
    assert (first["verdict"], first["rule"], first["value"], first["n"]) == (right.verdict, right.rule, right.value, right.n)
    assert right.limits is not None
    assert first["limits"] == {"mean": right.limits.mean, "low": right.limits.low, "high": right.limits.high}
    assert (said["week"], len(first["points"])) == ("2026-W46", len(right.points))
    assert {rule["key"] for rule in said["rules"]} == {"beyond_limits", "run_of_8", "two_of_three"}


def test_keys_and_agencies_narrow_and_unknown_keys_are_refused(told: httpx.Client) -> None:
    one = told.get("/api/v1/signals", params={"keys": "dossiers_late", "agency": "H1.1"}).json()["signals"]
    whole = told.get("/api/v1/signals", params={"keys": "dossiers_late"}).json()["signals"]
    assert [row["key"] for row in one] == ["dossiers_late"]
    assert one[0]["value"] < whole[0]["value"]
    assert told.get("/api/v1/signals", params={"keys": "best"}).json()["error"]["code"] == "unknown_kpi"


# ---- the chart ------------------------------------------------------------------------------------------------------
def chart_of(city: City, key: str) -> Any:
    (found,) = signals.read(city, [key])
    return control_chart(found.points, "words")


def test_a_chart_has_a_layer_for_each_thing_and_words_for_who_cannot_see(still: City) -> None:
    drawn = chart_of(still, "dossiers_on_time_pct")
    assert [layer.className.split("d-c-")[-1] for layer in drawn.children] == ["baseline", "band", "mean", "line", "signal"]
    assert (drawn.role, drawn.title) == ("img", "words")


def test_a_steady_kpi_has_no_layer_of_signals(still: City) -> None:
    assert "signal" not in [layer.className.split("d-c-")[-1] for layer in chart_of(still, "dossiers_received").children]


# ---- in the browser -------------------------------------------------------------------------------------------------
def test_a_leader_reads_the_week_sets_a_baseline_with_a_reason_and_the_trail_has_it(
    site: str, store: Store, page: Callable[..., Page],
) -> None:
    desk = page((1440, 900))
    enter(desk, site, store)
    desk.goto(f"{site}/signals")
    card = desk.locator("[data-key=dossiers_on_time_pct]")
    expect(card).to_have_attribute("data-signal", "deteriorated")
    expect(card).to_contain_text(t("signals.rule.beyond_limits", "vi"))
    card.get_by_role("link", name=t("kpi.dossiers_on_time_pct.label", "vi"), exact=True).click()
    desk.locator("#signals-from").fill("2026-W20")
    desk.locator("#signals-to").fill("2026-W31")
    desk.locator("#signals-reason").fill("ngắn")
    desk.locator("#signals-save").click()
    expect(desk.locator("#signals-said")).to_contain_text("10")
    desk.locator("#signals-reason").fill("Giải quyết theo quy trình mới")
    desk.locator("#signals-save").click()
    expect(desk.locator("[data-key=dossiers_on_time_pct]")).to_contain_text("2026-W20–2026-W31")
    expect(desk.locator("main")).to_contain_text("Giải quyết theo quy trình mới")
    (entry,) = read_audit(store, AuditFilter(action="baseline.set"), 5)
    assert (entry.actor, entry.subject) == ("user:lan", "dossiers_on_time_pct")


def test_without_the_right_there_is_no_form_and_the_page_fits_a_phone(
    still: City, live_server: Callable[..., Any], page: Callable[..., Page],
) -> None:
    assert not baselines.history(still, "dossiers_on_time_pct")
    shown, address = page((390, 844)), live_server(make_app(CONFIG, still.store, now=lambda: NOW).server).url
    shown.goto(f"{address}/signals?key=dossiers_on_time_pct")
    expect(shown.locator("[data-key=dossiers_on_time_pct]")).to_be_visible()
    expect(shown.locator("#signals-save")).to_have_count(0)
    shown.goto(f"{address}/signals?lang=en")
    expect(shown.locator(".d-signal-card").first).to_be_visible()
    assert shown.evaluate("document.documentElement.scrollWidth") <= 390


# ---- what figures are set beside, on the desk -----------------------------------------------------------------------
@pytest.mark.parametrize(("compare", "days"), [("", "02/11–08/11"), ("last_year", "10/11–16/11"), ("nonsense", "02/11–08/11")])
def test_the_reader_chooses_what_the_desk_sets_figures_beside(still: City, compare: str, days: str) -> None:
    view = read_view({"path": "/", "query": {"period": "2026-W46", "compare": compare}}, CONFIG, still.today)
    assert days in str(draw_desk(still, view))


def test_a_month_with_other_working_days_says_that_it_is_compared_per_day(still: City) -> None:
    (found,) = kpis.read(still, ["dossiers_finished"], parse_period("2026-10", still.today))
    assert alignment(found, "en") == "per working day: 22 against 20"
    (share,) = kpis.read(still, ["dossiers_on_time_pct"], parse_period("2026-10", still.today))
    assert alignment(share, "en") == ""
