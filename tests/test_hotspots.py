"""Hot spots: a place is set beside itself on the same weekdays, chance is not called hot, and the link leads to the very reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import expect
from sqlalchemy import text

from app import make_app
from callbacks.hotspots import draw_page
from components.desk_hotspots import chance_words, within
from components.desk_links import read_view
from config import Config, FeedConfig
from metrics import chance
from metrics.city import City, open_city
from metrics.city.findings import hotspots
from metrics.city.findings.hotspots import HotSpots
from metrics.city.lists.within import read_polygon
from metrics.city.numbers.sums import Choice
from metrics.periods import parse_period
from metrics.rollups import clock_step, drain
from scope import Forbidden, scope_of
from store.catalogue import put_agencies, put_categories
from store.days import DAY, HOUR, number_of
from store.engine import Store, open_store
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import AgencyRow, AreaRow, CategoryRow, Parsed, ReportRow
from tests.conftest import Pages
from tests.test_desk import LAID_OUT
from tests.twin_city import AT, NOW, TZ

CONFIG = Config(name="Tỉnh thử", feeds=(FeedConfig("reports", "feedback", "open311"), FeedConfig("communes", "areas", "geojson")))
WEEK = parse_period("2026-W46", NOW.date())  # the last full one
MONDAY = number_of(WEEK.start_on)
SIDE = 0.05  # degrees
SPOT = (107.062, 20.91)  # where the hot week's reports of commune C4 lie
WEEKS = 13


def _area(number: int) -> AreaRow:
    west, south = 107 + number % 3 * SIDE, 20.85 + number // 3 * SIDE
    ring = [[west, south], [west + SIDE, south], [west + SIDE, south + SIDE], [west, south + SIDE], [west, south]]
    return AreaRow(f"C{number}", f"Xã {number}", f"Xã {number}", lon=west + SIDE / 2, lat=south + SIDE / 2,
                   geometry={"type": "Polygon", "coordinates": [ring]})


def _reports() -> Iterator[ReportRow]:
    """Nine communes, six reports a week each, for 14 weeks; ten times as many every Saturday in C0; in the last full week 30 more in C4."""
    random = np.random.default_rng(46)
    for week in range(WEEKS, -1, -1):
        for commune in range(9):
            for number in range(int(random.poisson(6))):
                yield _report(f"{week}-{commune}-{number}", commune, week, float(random.random() * 7), random.random(2) * SIDE)
        for number in range(20):
            yield _report(f"{week}-sat-{number}", 0, week, 5 + number / 40, random.random(2) * SIDE)
    for number in range(30):
        yield _report(f"hot-{number}", 4, 0, number / 5, np.array([SPOT[0] - 107.05, SPOT[1] - 20.9]) + random.random(2) * 1e-4, "flood")


def _report(name: str, commune: int, week: int, day: float, inside: np.ndarray, category: str = "waste") -> ReportRow:
    area = _area(commune)
    assert area.lon is not None and area.lat is not None
    at = (MONDAY - 7 * week) * DAY - 7 * HOUR + round(day * DAY)  # the city's midnight is 17:00 UTC
    lon, lat = area.lon - SIDE / 2 + float(inside[0]), area.lat - SIDE / 2 + float(inside[1])
    return ReportRow(name, category, agency="H1.1" if commune != 8 else "H1.2", area=area.code, status="in_progress", received_at=at,
                     lon=lon, lat=lat, description="Ngập nước")


def fill(url: str) -> Store:
    """A store with these reports."""
    store = open_store(url, TZ)
    migrate(store)
    store.write(lambda connection: put_agencies(connection, (AgencyRow("H1.1", "Sở Xây dựng"), AgencyRow("H1.2", "Sở Y tế"))))
    store.write(lambda connection: put_categories(connection, (CategoryRow("waste", "Rác thải"), CategoryRow("flood", "Ngập nước"))))
    areas = tuple(_area(number) for number in range(9))
    land(store, Parsed(areas=areas, item_count=9), Landing("communes", "areas", AT - 200 * DAY))
    rows = tuple(_reports())
    land(store, Parsed(reports=rows, item_count=len(rows)), Landing("reports", "feedback", AT))
    clock_step(store, AT)
    drain(store, AT)
    return store


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    """Nobody writes in it."""
    opened = fill(make_database(request.param))
    yield opened
    opened.dispose()


@pytest.fixture
def lite(make_database: Callable[..., str]) -> Iterator[Store]:
    """For what does not depend on the database."""
    opened = fill(make_database("sqlite"))
    yield opened
    opened.dispose()


def see(store: Store, role: str = "analyst", agencies: tuple[str, ...] | None = None) -> City:
    return open_city(store, CONFIG, scope_of(role, agencies, None, f"user:{role}"), NOW)


def test_the_place_with_more_than_its_own_weeks_is_hot_and_one_that_is_busy_every_saturday_is_not(store: Store) -> None:
    found = hotspots.unusual(see(store), WEEK)
    assert [row.key for row in found.found] == ["C4"]
    hot = found.found[0]
    assert hot.n >= 30 and 4 < hot.expected < 8 and hot.low <= hot.expected <= hot.high < hot.n
    assert (hot.earlier, hot.top_code, hot.top, hot.top_n) == (12, "flood", "Ngập nước", 30)
    assert found.compared == 9 and 0 < found.by_chance <= 9 * chance.TAIL
    saturday = hotspots.unusual(see(store), parse_period("2026-11-14", NOW.date()))
    busy = next(row for row in (*saturday.found, *saturday.others) if row.key == "C0")
    assert busy.n >= 20 and busy.expected >= 20 and not busy.is_unusual  # beside Saturdays, not beside all days
    assert sum(row.n for row in (*found.found, *found.others)) == found.total == _counted(store)


def _counted(store: Store) -> int:
    with store.reading() as connection:
        statement = text("SELECT count(*) FROM core_report WHERE received_on BETWEEN :start AND :end")
        return int(connection.execute(statement, {"start": MONDAY, "end": MONDAY + 6}).scalar_one())


def test_a_cell_tells_where_in_the_commune_and_its_polygon_holds_its_reports_alone(store: Store) -> None:
    found = hotspots.unusual(see(store), WEEK, "cell")
    hot = found.found[0]
    assert hot.n >= 30 and hot.lon is not None and hot.lat is not None and hot.name == ""
    assert abs(hot.lon - SPOT[0]) < 0.01 and abs(hot.lat - SPOT[1]) < 0.01
    west, south, east, north = read_polygon(within(found, hot)).box
    inside = [
        row for row in _reports()
        if row.lon is not None and row.lat is not None and west <= row.lon < east and south <= row.lat < north
        and row.received_at is not None and MONDAY <= (row.received_at + 7 * HOUR) // DAY < MONDAY + 7
    ]
    assert len(inside) == hot.n


def test_periods_are_set_beside_the_same_weekdays_and_never_beside_days_before_the_first_report(store: Store) -> None:
    fortnight = hotspots.unusual(see(store), parse_period("2026-11-02..2026-11-15", NOW.date()))
    assert (fortnight.earlier, fortnight.found) == (6, ())  # 14 weeks: six spans of two weeks; C4's week is half of this one
    month = hotspots.unusual(see(store), parse_period("2026-10", NOW.date()))
    assert month.earlier < chance.LEAST_EARLIER and (month.found, month.compared) == ((), 0)
    assert hotspots.unusual(see(store), parse_period("2026-12", NOW.date())) == HotSpots("area", None)
    with pytest.raises(ValueError, match="31"):
        hotspots.unusual(see(store), parse_period("2026-YTD", NOW.date()))
    with pytest.raises(ValueError, match="by"):
        hotspots.unusual(see(store), WEEK, "street")


def test_readers_see_their_own_places_and_those_without_lists_none(store: Store) -> None:
    own = hotspots.unusual(see(store, agencies=("H1.2",)), WEEK)
    assert {row.key for row in (*own.found, *own.others)} == {"C8"}
    assert hotspots.unusual(see(store), WEEK, choice=Choice(category="flood")).total == 30
    for role in ("viewer", "auditor", "admin"):
        with pytest.raises(Forbidden):
            hotspots.unusual(see(store, role), WEEK)


def test_the_page_numbers_hot_places_and_links_each_to_the_list_of_its_reports(lite: Store) -> None:
    view = read_view({"path": "/hotspots", "query": {}}, CONFIG, NOW.date(), "last_week")
    drawn = repr([part for part in draw_page(see(lite), view) if part is not None])
    href = next(part for part in drawn.split("'") if part.startswith("/reports?"))
    assert parse_qs(urlsplit(href).query) == {"period": ["2026-W46"], "area": ["C4"]}
    assert "d-h-map" in drawn and "1. Xã 4" in drawn


def test_on_a_phone_the_map_stands_above_its_list_and_both_lead_to_the_reports(
    lite: Store, page: Pages, live_server: Callable[..., Any],
) -> None:
    site = str(live_server(make_app(CONFIG, lite, now=lambda: NOW).server).url)
    seen = page((390, 844))
    seen.goto(f"{site}/hotspots?by=cell")
    expect(seen.locator(".d-h-mark")).to_have_count(1)
    assert seen.evaluate(LAID_OUT) == []
    box, rows = seen.locator(".d-h-map").bounding_box(), seen.locator(".d-table-box").first.bounding_box()
    assert box is not None and rows is not None and box["y"] + box["height"] <= rows["y"]
    told = seen.locator(".d-h-number").get_attribute("href")
    assert told == seen.locator(".d-h-both th a").get_attribute("href")
    seen.locator(".d-h-number").focus()
    seen.keyboard.press("Enter")
    expect(seen.locator(".d-count")).to_have_attribute("data-count", "30")  # the very reports
    seen.go_back()
    expect(seen.locator(".d-h-mark")).to_have_count(1)
    seen.get_by_role("link", name="Địa bàn").click()
    area = seen.locator(".d-h-area[data-step='4']")
    expect(area).to_have_count(1)
    box, mark, whole = (found.bounding_box() for found in (area, seen.locator(".d-h-number"), seen.locator(".d-h-map")))
    assert box is not None and mark is not None and whole is not None and box["width"] < whole["width"] / 2
    middle = (mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2)
    assert box["x"] < middle[0] < box["x"] + box["width"] and box["y"] < middle[1] < box["y"] + box["height"]  # its number on it


@pytest.mark.parametrize(("standing", "told"), [(None, "–"), (0.0, "–"), (3.0, "740"), (30.0, "1.000.000")])
def test_how_rare_is_told_in_whole_cases(standing: float | None, told: str) -> None:
    assert told in chance_words(standing, "vi")


def test_chance_alone_makes_no_more_hot_places_than_the_page_says() -> None:
    random = np.random.default_rng(7)
    weeks = random.poisson(random.lognormal(2, 0.6, 300)[:, None], (300, 13))
    judged = [chance.count_standing(int(row[0]), [int(one) for one in row[1:]]) for row in weeks]
    hot = sum(z is not None and z > hotspots.UNUSUAL for z in judged)
    assert hot <= 3  # 300 places, 0.4 expected at most
    assert chance.usual([]) == 0.0 and chance.usual([1, 1, 1, 1, 1, 19]) == 1.0
