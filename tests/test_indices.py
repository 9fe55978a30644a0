"""The page of indicators: what is set beside what, plans and ranks told honestly, by whom they are seen; on both engines, in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import expect

from app import make_app
from callbacks.indices import PAGES, draw_indices
from components.context import AppContext
from components.desk_links import read_view
from components.desk_wiring import fill
from components.indicator_words import period_words, places_words, span_words, value_words
from config import Config, FeedConfig, load_config
from metrics.city import City, open_city
from metrics.city.numbers import indicators
from metrics.city.numbers.indicators import Card, IndicatorFilter, IndicatorItem
from pipeline import refresh
from scope import DEMO_SCOPE, Forbidden, Scope
from store.catalogue import put_agencies
from store.days import instant, number_of
from store.engine import Store, open_store
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import AgencyRow, IndicatorRow, Parsed
from tests.drawn import words
from tests.servers import ROOT
from tests.test_desk import LAID_OUT, opened
from text import t

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
CONFIG = Config(name="Tỉnh Thử", feeds=(FeedConfig("indices", "indicators", "csv"),))
SEEDS = load_config(ROOT / "examples" / "seeds" / "city.toml", {})
DEPARTMENT = "H1.2"


def row(code: str, period: str, start: str, end: str, **more: Any) -> IndicatorRow:
    first = number_of(date.fromisoformat(start)) if start else None
    subject = more.get("agency") or more.get("area") or more.get("subject") or ""
    described = {"name": f"Tên {code}", "better": "up", "document": "QĐ 1"}
    return IndicatorRow(f"{code}|{subject}|{period}", code, period, number_of(date.fromisoformat(end)), first, **described | more)


def year(code: str, number: int, **more: Any) -> IndicatorRow:
    return row(code, str(number), f"{number}-01-01", f"{number}-12-31", **more)


ROWS = (
    *(
        year("ddci", y, kind="index", rank=k, denominator=of, agency=DEPARTMENT)
        for y, k, of in ((2018, 33, 34), (2019, 23, 34), (2020, 6, 23))
    ),
    year("par", 2019, kind="index", value=80.5, target=85, theme="governance", measure_unit="%"),
    year("par", 2020, kind="index", value=86.0, target=85, theme="governance", measure_unit="%"),
    year("par_a", 2020, value=9.0, parent="par", scale_max=10), year("par_b", 2020, value=4.5, parent="par", scale_max=10),
    year("par_a", 2019, value=8.0, parent="par", scale_max=10),
    *(year("pci", 2016, kind="index", value=v, subject=s) for s, v in (("X", 60.0), ("Y", 65.0), ("Z", 65.0), ("W", None)) if v),
    year("jobs", 2020, kind="plan", value=5455, plan_pct=109, theme="people"),
    year("insurance", 2020, kind="plan", value=2566, plan=2175, plan_pct=118),
    year("wrong", 2020, kind="plan", value=100, plan=200, plan_pct=75),
    year("running", 2026, kind="plan", value=10, plan=100),
    year("deaths", 2020, kind="plan", value=64, plan=75, better="down"),
    year("close", 2020, kind="plan", value=100, plan=100, bound="nearly"),
    year("beyond", 2020, kind="plan", value=100, plan=100, bound="over"),
    year("poor", 2020, kind="plan", value=80, plan=75, better="down"),
    row("sent", "2020-Q1", "2020-01-01", "2020-03-31", value=10), row("sent", "2020-Q2", "2020-04-01", "2020-06-30", value=12),
    row("sent", "2021-Q1", "2021-01-01", "2021-03-31", value=15), year("sent", 2020, value=50),
    row("files", "..2019-10-15", "", "2019-10-15", value=114, bound="nearly", measure_unit="nghìn hồ sơ", theme="governance"),
    year("ocop", 2019, value=30, denominator=37, theme="economy"), year("zalo", 2020, value_text="có", is_verified=False),
)


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def store(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    opened = open_store(make_database(request.param), TZ)
    migrate(opened)
    opened.write(lambda connection: put_agencies(connection, [AgencyRow(DEPARTMENT, "Sở A"), AgencyRow("H1.3", "Sở B")]))
    land(opened, Parsed(indicators=ROWS, item_count=len(ROWS)), Landing("indices", "indicators", instant(NOW)))
    yield opened
    opened.dispose()


@pytest.fixture
def city(store: Store) -> City:
    return open_city(store, CONFIG, DEMO_SCOPE, NOW)


def only(city: City, code: str, **chosen: Any) -> IndicatorItem:
    """The newest value of an indicator."""
    return indicators.read(city, IndicatorFilter(indicator=code, **chosen))[0]


def card(city: City, code: str, **chosen: Any) -> Card:
    return next(found for found in indicators.cards(city, IndicatorFilter(**chosen)) if found.item.indicator == code)


# ---- ranks ----------------------------------------------------------------------------------------------------------------
def test_a_rank_is_a_share_of_its_own_denominator(city: City) -> None:
    item = only(city, "ddci")
    assert (item.rank, item.denominator, round(item.rank_share or 0), item.rank_source) == (6, 23, 26, "given")
    assert (item.previous_period, item.previous_rank, item.previous_denominator) == ("2019", 23, 34)


def test_ranks_of_different_denominators_are_not_subtracted(city: City) -> None:
    now, before = only(city, "ddci"), only(city, "ddci", year=2019)
    assert places_words(now, "en") == "34 were ranked then, 23 now: only shares compare"
    assert places_words(before, "en") == "up 10"


def test_ranks_nobody_sent_are_computed_and_say_so_and_ties_share_one(city: City) -> None:
    found = {i.subject: (i.rank, i.denominator, i.rank_source) for i in indicators.read(city, IndicatorFilter(indicator="pci"))}
    assert found == {"X": (3, 3, "computed"), "Y": (1, 3, "computed"), "Z": (1, 3, "computed")}


def test_an_index_of_one_subject_has_no_computed_rank(city: City) -> None:
    assert only(city, "par").rank is None


# ---- what stands beside ---------------------------------------------------------------------------------------------------
def test_a_quarter_stands_beside_the_same_quarter_of_a_year_before_and_else_beside_the_one_before(city: City) -> None:
    found = {item.period: (item.change, item.change_from) for item in indicators.read(city, IndicatorFilter(indicator="sent"))}
    assert found == {"2021-Q1": (5, "2020-Q1"), "2020-Q2": (2, "2020-Q1"), "2020-Q1": (None, ""), "2020": (None, "")}


def test_a_card_holds_its_parts_of_the_same_period_and_its_history(city: City) -> None:
    found = card(city, "par")
    assert [(item.indicator, item.value) for item in found.parts] == [("par_a", 9.0), ("par_b", 4.5)]
    assert [item.value for item in found.history] == [80.5]
    assert [(item.indicator, item.value) for item in card(city, "par", year=2019).parts] == [("par_a", 8.0)]


def test_a_target_is_judged(city: City) -> None:
    assert [item.verdict for item in indicators.read(city, IndicatorFilter(indicator="par")) if not item.parent] == ["good", "bad"]


# ---- plans ----------------------------------------------------------------------------------------------------------------
def plan(city: City, code: str) -> IndicatorItem:
    return next(item for item in indicators.plans(city) if item.indicator == code)


def test_the_share_of_a_plan_is_computed_and_agrees_with_a_rounded_one(city: City) -> None:
    item = plan(city, "insurance")
    assert (round(item.plan_pct or 0, 2), item.disagrees, item.verdict) == (117.98, False, "good")


def test_a_printed_share_that_does_not_agree_is_told(city: City) -> None:
    item = plan(city, "wrong")
    assert (item.plan_pct, item.plan_pct_printed, item.disagrees, item.verdict) == (50, 75, True, "bad")


def test_a_plan_nobody_sent_follows_from_the_printed_share_and_says_so(city: City) -> None:
    item = plan(city, "jobs")
    assert (round(item.plan or 0), item.is_plan_derived, item.disagrees, item.verdict) == (5005, True, False, "good")


@pytest.mark.parametrize(("code", "verdict"), [
    ("running", None), ("deaths", "good"), ("poor", "bad"), ("close", "near"), ("beyond", "good"),
])
def test_a_running_period_is_not_judged_less_can_be_better_and_nearly_is_not_all(city: City, code: str, verdict: str | None) -> None:
    assert plan(city, code).verdict == verdict


def test_a_part_of_a_whole_is_no_plan(city: City) -> None:
    item = only(city, "ocop")
    assert (round(item.share or 0, 1), item.plan_pct, item.kind, value_words(item, "vi")) == (81.1, None, "figure", "30/37")


# ---- words ----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("period", "vi", "en"), [
    ("2019", "2019", "2019"), ("2019-Q3", "Quý III/2019", "Q3 2019"), ("2019-H1", "Nửa năm I/2019", "Half I/2019"),
    ("..2020-07", "đến 07/2020", "until 07/2020"), ("2019-09..2020-05", "09/2019–05/2020", "09/2019–05/2020"), ("Tết", "Tết", "Tết"),
])
def test_a_period_is_written_as_people_write_it(period: str, vi: str, en: str) -> None:
    end = date(2019, 9, 30)
    assert (period_words(period, date(2019, 7, 1), end, "vi"), period_words(period, date(2019, 7, 1), end, "en")) == (vi, en)


def test_bounds_are_said(city: City) -> None:
    item = only(city, "files")
    assert (value_words(item, "vi"), span_words(item, "vi")) == ("gần 114 nghìn hồ sơ", "đến 15/10/2019")


# ---- rights ---------------------------------------------------------------------------------------------------------------
def seen(store: Store, **limits: Any) -> set[tuple[str, str]]:
    found = open_city(store, CONFIG, replace(DEMO_SCOPE, **limits), NOW)
    return {(item.indicator, item.rank_source) for item in indicators.read(found)}


def test_limits_leave_the_provinces_own_figures_and_those_inside(store: Store) -> None:
    inside, outside = seen(store, agencies=(DEPARTMENT,)), seen(store, agencies=("H1.3",))
    assert ("ddci", "given") in inside and not any(code == "ddci" for code, _ in outside)
    assert ("par", "") in inside and ("par", "") in outside
    assert not any(code == "pci" for code, _ in inside | outside), "who is neither agency nor area is for callers without limits"


def test_nobody_without_the_desk_asks(store: Store) -> None:
    with pytest.raises(Forbidden):
        indicators.read(open_city(store, CONFIG, Scope(), NOW))


# ---- the page -------------------------------------------------------------------------------------------------------------
def drawn(city: City, **query: str) -> str:
    """All words of the page."""
    view = read_view({"path": "/indices", "query": query}, city.config, city.today)
    return words(draw_indices(city, view))


def test_the_page_tells_cards_plans_and_other_figures(city: City) -> None:
    said = drawn(city)
    ranks, plans = ("Hạng 6/23", "26% tính từ đầu bảng", "86%"), ("117,98%", "nguồn ghi 75%, không khớp", "≈ 5.005")
    for told in (*ranks, *plans, "gần 114 nghìn hồ sơ", "QĐ 1"):
        assert told in said, told
    assert t("indices.unverified", "vi") in said


def test_filters_are_in_the_address(city: City) -> None:
    assert "Tên jobs" in drawn(city, theme="people") and "Tên par" not in drawn(city, theme="people")
    assert "80,5%" in drawn(city, year="2019") and "86%" not in drawn(city, year="2019")
    assert "Tên ddci" in drawn(city, subject=DEPARTMENT) and "Tên pci" not in drawn(city, subject=DEPARTMENT)
    with pytest.raises(ValueError, match="year: 'soon'"):
        drawn(city, year="soon")


def test_a_city_without_indicators_says_how_to_connect_them(make_database: Callable[..., str]) -> None:
    empty = open_store(make_database("sqlite"), TZ)
    migrate(empty)
    context = AppContext(CONFIG, empty, lambda: NOW, lambda request: DEMO_SCOPE)
    body = fill(context, DEMO_SCOPE, PAGES[0], {"path": "/indices", "query": {}})[1]
    assert 'role = "indicators"' in words(body)
    empty.dispose()


# ---- over HTTP ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def address(store: Store, live_server: Callable[..., Any]) -> str:
    return str(live_server(make_app(CONFIG, store, now=lambda: NOW).server).url)


def test_the_api_says_what_the_page_says(address: str, city: City) -> None:
    found = httpx.get(f"{address}/api/v1/indicators?indicator=insurance").json()
    (item,) = found["items"]
    told = {"plan": 2175, "disagrees": False, "start_on": "2020-01-01", "end_on": "2020-12-31", "verdict": "good", "document": "QĐ 1"}
    assert {name: item[name] for name in told} == told
    assert (round(item["plan_pct"], 2), found["revision"]) == (117.98, city.revision)
    assert httpx.get(f"{address}/api/v1/indicators").json()["total"] == len(ROWS)


@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
def test_the_files_hold_every_value(address: str, form: str) -> None:
    answer = httpx.get(f"{address}/api/v1/indicators.{form}?year=2019")
    assert answer.status_code == 200
    if form == "csv":
        assert len(answer.content.decode("utf-8-sig").splitlines()) == 1 + sum(1 for one in ROWS if one.period in ("2019", "..2019-10-15"))


def test_a_wrong_year_or_theme_is_refused_by_name(address: str) -> None:
    for query, field in (("year=soon", "year"), ("year=12", "year"), ("theme=sport", "theme")):
        answer = httpx.get(f"{address}/api/v1/indicators?{query}")
        assert (answer.status_code, answer.json()["error"]["field"] if "error" in answer.json() else answer.json()["field"]) == (400, field)


# ---- in the browser -------------------------------------------------------------------------------------------------------
@pytest.fixture
def seeds_address(seeds: Store, live_server: Callable[..., Any]) -> str:
    return str(live_server(make_app(SEEDS, seeds, now=lambda: NOW).server).url)


@pytest.fixture(scope="module")
def seeds(make_database: Callable[..., str]) -> Iterator[Store]:
    """The 62 seed rows: the largest page there is."""
    opened_ = open_store(make_database("sqlite"), TZ)
    migrate(opened_)
    assert refresh(opened_, SEEDS, NOW) == []
    yield opened_
    opened_.dispose()


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_the_page_fits_its_screen_and_complains_of_nothing(seeds_address: str, page: Any, size: tuple[int, int]) -> None:
    browser_page = page(size)
    for path in ("/indices?theme=economy", "/indices?subject=S%E1%BB%9F%20KH%26CN%20B%E1%BA%AFc%20K%E1%BA%A1n&lang=en"):
        found = opened(browser_page, seeds_address + path)
        assert (path, found.evaluate(LAID_OUT)) == (path, [])
        expect(found.locator(".d-notice-fault")).to_have_count(0)


def test_a_theme_is_a_link_and_drawing_many_rows_tells_the_store_little(seeds_address: str, page: Any) -> None:
    """assets/renderer.js: without it Dash tells its store of each of several hundred components, and asks all of them each time."""
    found = opened(page((1440, 900)), f"{seeds_address}/indices?theme=mobility")
    found.evaluate("() => { window.told = 0; window.store.subscribe(() => { window.told += 1; }); }")
    found.get_by_role("link", name="Kinh tế", exact=True).click()
    expect(found.locator('[data-indicator="coops"]')).to_be_visible()
    assert found.url.endswith("theme=economy")
    drawn_ = found.locator(".d-content *").count()
    assert drawn_ > 400 and found.evaluate("window.told") < drawn_ / 4


def test_print_shows_figures_and_no_controls(seeds_address: str, page: Any) -> None:
    found = opened(page((1000, 1400)), f"{seeds_address}/indices?theme=people")
    found.emulate_media(media="print")
    expect(found.locator('[data-indicator="voluntary_insurance"]')).to_be_visible()
    for hidden in (".d-nav-wide", ".d-exports", ".d-fields"):
        expect(found.locator(hidden).first).to_be_hidden()
