"""The catalogue of KPIs: every row has its words, law, theme and true lineage; the page and the API tell all of it."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from dash.development.base_component import Component
from playwright.sync_api import expect
from sqlalchemy import event, text

from app import make_app
from callbacks.kpis import PAGES, draw_catalogue
from components.desk_links import View, read_view
from config import parse_config
from config.limits import WaterAlarm
from config.targets import KpiChoice, Target
from metrics.city import City, open_city
from metrics.city.numbers import definitions, kpis, series
from metrics.city.numbers.asked import Asked
from metrics.city.numbers.kpis import _Answers
from metrics.city.numbers.sums import NOTHING_CHOSEN, conditions
from metrics.kpis import KPI_BY_KEY, KPIS, THEMES, Kpi, Sums, setting_faults, tables_of
from metrics.kpis.row import Answer, percent_of
from metrics.periods import Period, parse_period
from metrics.rollups import drain
from scope import DEMO_SCOPE, scope_of
from store.days import DAY, instant
from store.engine import Store, open_store
from store.landing import Landing, land
from store.rows import DatastreamRow, Parsed, ReadingRow, StationRow
from store.schema import metadata
from tests.drawn import nodes, words
from tests.servers import serve_asgi
from tests.small_city import CONFIG, NOW, TZ, at, fill, open_filled
from text import LANGUAGES, t
from text.catalogue import catalogue

GUIDE = (Path(__file__).parent.parent / "docs" / "kpis.md").read_text(encoding="utf-8")
LAW = re.compile(r"Thông tư|Quyết định|Nghị định|Nghị quyết|Luật|Kế hoạch|QCVN|TCVN|ISO|Open311|SensorThings|Toàn Cảnh")
TABLES = re.compile(r"\b(?:core|rollup|ops)_[a-z_]+\b")
# what says which rows are meant, and how the feeds stand: read beside the facts
DIMENSIONS = {"core_agency", "core_area", "core_station", "core_datastream", "ops_feed", "ops_reject", "ops_clock", "ops_folded_day"}


@pytest.fixture(scope="module")
def store(make_database: Callable[..., str]) -> Iterator[Store]:
    """A province that no test here writes to."""
    opened = open_filled("sqlite", make_database)
    yield opened
    opened.dispose()


@pytest.fixture
def city(store: Store) -> City:
    return open_city(store, CONFIG, DEMO_SCOPE, NOW)


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def either(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    """The same province on each engine, for the tests that only read."""
    opened = open_filled(request.param, make_database)
    yield opened
    opened.dispose()


@pytest.fixture
def either_city(either: Store) -> City:
    return open_city(either, CONFIG, DEMO_SCOPE, NOW)


@pytest.fixture(scope="module")
def either_address(either: Store) -> Iterator[str]:
    with serve_asgi(make_app(CONFIG, either, now=lambda: NOW).server) as server:
        yield server.url


@pytest.fixture(scope="module")
def told(store: Store) -> dict[str, str]:
    """All that the page tells of each KPI, drawn once."""
    return {key: words(entry) for key, entry in entries(open_city(store, CONFIG, DEMO_SCOPE, NOW)).items()}


def view_of(city: City, **query: str) -> View:
    return read_view({"path": "/kpis", "query": query}, city.config, city.today, PAGES[0].default_period)


def entries(city: City, **query: str) -> dict[str, Component]:
    """The rows of the page by KPI key."""
    drawn = nodes(draw_catalogue(city, view_of(city, **query)))
    return {getattr(node, "data-key"): node for node in drawn if hasattr(node, "data-key")}


def why(city: City, key: str, **query: str) -> str:
    return next(words(node) for node in nodes(entries(city, **query)[key]) if getattr(node, "className", "") == "d-k-why")


# ---- every row ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("key", KPI_BY_KEY)
def test_a_kpi_has_its_words_in_every_language(key: str) -> None:
    wanted = {f"kpi.{key}.{part}" for part in ("label", "definition", "formula", "source")}
    assert [(lang, name) for lang in LANGUAGES for name in sorted(wanted - catalogue(lang).keys())] == []


@pytest.mark.parametrize("key", KPI_BY_KEY)
def test_a_kpi_names_the_law_or_standard_it_follows_or_says_that_it_is_ours(key: str) -> None:
    assert LAW.search(t(f"kpi.{key}.source", "vi"))


def test_labels_are_told_apart() -> None:
    for lang in LANGUAGES:
        labels = [t(f"kpi.{key}.label", lang) for key in KPI_BY_KEY]
        assert sorted(label for label in labels if labels.count(label) > 1) == []


def test_every_theme_is_one_of_the_six_and_every_unit_and_topic_has_a_name() -> None:
    assert {row.theme for row in KPIS} <= set(THEMES)
    for row in KPIS:
        assert t(f"unit.{row.measure_unit}", "vi") is not None and t(f"desk.topic_{row.topic}", "vi")


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def everything(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[City]:
    """The small city with sulphur dioxide above its hourly limit, a river with alarm levels, and a KPI narrowed to a procedure."""
    store = open_store(make_database(request.param), TZ)
    fill(store)
    stations = (StationRow("R1", "R", "water"),)
    streams = (DatastreamRow("S1.so2", "S1", "so2", "µg/m³"), DatastreamRow("R1.level", "R1", "level", "m"))
    readings = (*(ReadingRow("S1.so2", at(19, hour), 500.0 + hour) for hour in range(24)), ReadingRow("R1.level", at(20), 9.0))
    land(store, Parsed(stations=stations, datastreams=streams, readings=readings), Landing("air", "sensors", instant(NOW)))
    drain(store, instant(NOW))
    config = replace(
        CONFIG, water_alarms=(WaterAlarm("air", "R1", 1.0, 2.0, 3.0),),
        kpi_choices={"investment_lead_days_mean": KpiChoice(("P1",), ("D1",))},
    )
    yield open_city(store, config, DEMO_SCOPE, NOW)
    store.dispose()


@pytest.fixture(scope="module")
def over(everything: City) -> Callable[[str], dict[str, kpis.KpiValue]]:
    """over(period) -> every KPI's figure of that period, in one question with a memory of its own."""
    kept: dict[str, dict[str, kpis.KpiValue]] = {}

    def ask(name: str) -> dict[str, kpis.KpiValue]:
        if name not in kept:
            kept[name] = {value.key: value for value in kpis.read(replace(everything, memo={}), [], parse_period(name, everything.today))}
        return kept[name]

    return ask


@pytest.mark.parametrize("row", KPIS, ids=lambda row: row.key)
def test_a_kpi_is_read_from_the_tables_its_lineage_names(everything: City, row: Kpi) -> None:
    city = replace(everything, memo={})
    told = set(tables_of(row))
    assert told and told <= set(metadata.tables)
    read: set[str] = set()
    with city.store.reading() as connection:
        event.listen(connection, "before_cursor_execute", lambda *given: read.update(TABLES.findall(given[2])))
        answers = _Answers(connection, city, NOTHING_CHOSEN, city.config.late_rule, definitions.feeds.read_in(connection, city))
        for period in ("2026-11", "2026-11-19"):  # one that runs, one that is over
            answers.of(row, parse_period(period, city.today))
    assert told <= read <= told | DIMENSIONS


@pytest.mark.parametrize("row", [row for row in KPIS if not row.is_now_only], ids=lambda row: row.key)
def test_a_kpi_along_time_says_of_a_part_what_it_says_of_that_period(
    everything: City, over: Callable[[str], dict[str, kpis.KpiValue]], row: Kpi,
) -> None:
    for by, name in (("week", "2026-W45"), ("month", "2026-10"), ("day", "2026-11-12")):
        (point,) = series.read(everything, row.key, by, parse_period(name, everything.today))
        value = over(name)[row.key]
        assert (point.value, point.n) == (value.value, value.n)


@pytest.mark.parametrize("row", [row for row in KPIS if row.is_now_only], ids=lambda row: row.key)
def test_what_nobody_keeps_has_no_series_and_says_so(everything: City, row: Kpi) -> None:
    with pytest.raises(ValueError, match="known only for now; it has no series"):
        series.read(everything, row.key, "day", parse_period("last_7d", everything.today))
    (past,) = kpis.read(everything, [row.key], parse_period("2026-10", everything.today))
    assert past.value is None


def test_a_long_series_of_single_questions_is_refused(everything: City) -> None:
    with pytest.raises(ValueError, match="ask for at most 400"):
        series.read(everything, "devices_uptime_pct", "day", parse_period("2025-01-01..2026-11-19", everything.today))


# ---- the page -------------------------------------------------------------------------------------------------------
def test_the_page_has_an_anchor_for_every_kpi_and_a_section_for_every_theme(either_city: City) -> None:
    drawn = list(nodes(draw_catalogue(either_city, view_of(either_city))))
    ids = {node.id for node in drawn if getattr(node, "id", None) and isinstance(node.id, str)}
    assert {*KPI_BY_KEY, *(f"theme-{theme}" for theme in THEMES)} <= ids
    links = {node.href for node in drawn if getattr(node, "href", None)}
    assert {f"/indices?theme={theme}" for theme in THEMES} <= links


def test_the_page_shows_the_figures_the_api_tells(either_city: City) -> None:
    shown = {
        key: getattr(node, "data-value") for key, entry in entries(either_city, period="2026-11", late_rule="late_day").items()
        for node in nodes(entry) if hasattr(node, "data-value")
    }
    values = kpis.read(either_city, [], parse_period("2026-11", either_city.today), late_rule="late_day")
    assert shown == {value.key: "" if value.value is None else str(value.value) for value in values}


def test_the_period_shown_without_a_choice_is_the_last_full_week(city: City) -> None:
    assert view_of(city).period == parse_period("last_week", city.today)


@pytest.mark.parametrize("key", KPI_BY_KEY)
def test_an_opened_kpi_tells_definition_formula_law_tables_and_direction(told: dict[str, str], key: str) -> None:
    for part in ("definition", "formula", "source"):
        assert t(f"kpi.{key}.{part}", "vi") in told[key]
    assert all(table in told[key] for table in tables_of(KPI_BY_KEY[key])) and t(f"desk.better_{KPI_BY_KEY[key].better}", "vi") in told[key]


def test_what_is_from_memory_is_marked(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = (replace(KPI_BY_KEY["dossiers_open"], verified=False),)
    monkeypatch.setattr(definitions, "SUBJECTS", {"one_stop": rows})
    assert t("catalogue.unverified", "vi") in words(entries(city)["dossiers_open"])


def test_targets_are_told_with_their_days_and_the_one_in_force_is_marked(store: Store) -> None:
    rows = (Target(90.0, None, date(2026, 6, 30)), Target(99.0, date(2026, 7, 1), None, "X 1"))
    city = open_city(store, replace(CONFIG, targets={"dossiers_on_time_pct": rows}), DEMO_SCOPE, NOW)
    told = [node for node in nodes(entries(city)["dossiers_on_time_pct"]) if getattr(node, "className", "") == "d-targets"]
    marked = [words(node) for node in nodes(told) if getattr(node, "aria-current", "")]
    assert "90,0% đến 30/06/2026" in words(told) and marked == ["99,0% từ 01/07/2026 (X 1)"]


def test_the_owner_is_the_city_files_else_the_feeds(store: Store) -> None:
    feeds = tuple(replace(feed, owner="Sở A") if feed.role == "one_stop" else feed for feed in CONFIG.feeds)
    config = replace(CONFIG, feeds=feeds, kpi_owners={"dossiers_open": "Phòng B"})
    owners = {item.row.key: item.owner for item in definitions.read(open_city(store, config, DEMO_SCOPE, NOW))}
    assert (owners["dossiers_open"], owners["dossiers_late"], owners["reports_open"]) == ("Phòng B", "Sở A", "")


def test_the_lineage_leads_to_the_feeds_of_this_city(city: City) -> None:
    links = {node.href for node in nodes(entries(city)["dossiers_open"]) if getattr(node, "href", None)}
    assert "/feeds/one_stop" in links and not {"/feeds/feedback", "/feeds/air"} & links


def test_who_may_not_see_feeds_is_told_no_feed(store: Store) -> None:
    scope = replace(scope_of("leader"), permissions=scope_of("leader").permissions - {"see.feeds"})
    limited = open_city(store, CONFIG, scope, NOW)
    assert all(item.feeds == () for item in definitions.read(limited))
    assert t("catalogue.hidden_feeds", "vi") in words(entries(limited)["dossiers_open"])


@pytest.mark.parametrize(
    ("query", "found"),
    [("ty le dung han 766", "dossiers_on_time_766_pct"), ("finished LATE", "dossiers_late"), ("vn_aqi", "vn_aqi"), ("1459", "vn_aqi")],
)
def test_a_kpi_is_found_by_words_of_any_language_without_accents(city: City, query: str, found: str) -> None:
    shown = entries(city, q=query)
    assert found in shown and len(shown) < len(KPIS)


def test_a_search_that_finds_nothing_says_so_with_a_way_back(city: City) -> None:
    drawn = draw_catalogue(city, view_of(city, q="zzz", agency="H99.1"))
    assert t("catalogue.no_match", "vi") in words(drawn)
    assert "/kpis?agency=H99.1" in {getattr(node, "href", "") for node in nodes(drawn)}


def test_a_theme_shows_its_kpis_alone_and_counts_stay(city: City) -> None:
    shown = entries(city, theme="environment")
    assert set(shown) == {row.key for row in KPIS if row.theme == "environment"}
    drawn = nodes(draw_catalogue(city, view_of(city, theme="environment")))
    choices = next(node for node in drawn if str(getattr(node, "className", "")).endswith("d-themes"))
    assert f"{t('desk.all', 'vi')} {len(KPIS)}" in words(choices)


# ---- why there is no figure ------------------------------------------------------------------------------------------
def test_a_kpi_no_feed_gives_says_so(store: Store) -> None:
    config = replace(CONFIG, feeds=tuple(feed for feed in CONFIG.feeds if feed.role != "feedback"))
    assert why(open_city(store, config, DEMO_SCOPE, NOW), "reports_received") == t("catalogue.why_no_feed", "vi")


def test_a_kpi_of_too_few_records_says_how_many_there_are_and_must_be(either_city: City) -> None:
    told = why(either_city, "reports_resolve_days_median", period="2026-11")
    assert told == t("catalogue.why_few", "vi", n="2", least=str(KPI_BY_KEY["reports_resolve_days_median"].min_n))


def test_a_feed_that_has_not_reached_the_period_is_named_silent(either_city: City) -> None:
    assert why(either_city, "dossiers_received", period="2026-11-19") == t("catalogue.why_silent", "vi", state="ngừng gửi")


def test_a_figure_only_now_can_tell_says_so_of_the_past(either_city: City) -> None:
    assert why(either_city, "dossiers_due_2wd", period="2026-10").startswith(("Chưa đủ dữ kiện", "Không có bản ghi"))


# ---- in the browser ---------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def address(store: Store) -> Iterator[str]:
    with serve_asgi(make_app(CONFIG, store, now=lambda: NOW).server) as server:
        yield server.url


@pytest.mark.parametrize("link", ["/kpis#vn_aqi", "/kpis?key=vn_aqi"])
def test_a_link_to_a_kpi_opens_it_in_sight(address: str, page: Any, link: str) -> None:
    opened = page((390, 844))
    opened.goto(address + link)
    expect(opened.get_by_text(t("kpi.vn_aqi.definition", "vi"))).to_be_in_viewport()


def test_a_tiles_definition_leads_to_its_kpi_opened(address: str, page: Any) -> None:
    opened = page((1440, 900))
    opened.goto(f"{address}/")
    tile = opened.locator('[data-key="vn_aqi"]')
    tile.locator("summary").click()
    tile.get_by_text(t("desk.to_catalogue", "vi")).click()
    expect(opened.locator("#vn_aqi .d-kpi-facts")).to_be_in_viewport()


def test_a_kpi_opens_and_closes_by_keyboard(address: str, page: Any) -> None:
    opened = page((1440, 900))
    opened.goto(f"{address}/kpis")
    opened.locator("#dossiers_open > summary").focus()
    definition = opened.get_by_text(t("kpi.dossiers_open.definition", "vi"))
    expect(definition).to_be_hidden()
    opened.keyboard.press("Enter")
    expect(definition).to_be_visible()
    opened.keyboard.press("Enter")
    expect(definition).to_be_hidden()


def test_words_typed_go_into_the_address_and_narrow_the_rows(address: str, page: Any) -> None:
    opened = page((1440, 900))
    opened.goto(f"{address}/kpis")
    opened.get_by_label(t("desk.search", "vi")).fill("dung han 766")
    opened.keyboard.press("Enter")
    expect(opened).to_have_url(re.compile(r"\?q=dung\+han\+766$"))
    expect(opened.locator("#vn_aqi")).to_have_count(0)
    expect(opened.locator("#dossiers_on_time_766_pct")).to_be_visible()


# ---- the API ----------------------------------------------------------------------------------------------------------
def test_the_api_tells_every_definition_as_data(either_address: str) -> None:
    items = httpx.get(f"{either_address}/api/v1/catalogue", params={"lang": "en"}).json()["items"]
    assert [item["key"] for item in items] == list(KPI_BY_KEY)
    told = {item["key"]: item for item in items}["dossiers_on_time_pct"]
    assert told["targets"] == [{"value": 99.0, "from": None, "to": None, "source": ""}]
    assert (told["law"], told["direction"], told["late_rule"]) == (t("kpi.dossiers_on_time_pct.source", "en"), "up", "late_instant")
    assert told["feeds"] == [{"key": "one_stop", "state": "dead"}] and told["rollups"] == ["rollup_dossier_day", "core_dossier"]


def test_the_catalogue_as_a_file_has_the_rows_of_the_screen(either_address: str) -> None:
    asked = {"theme": "people", "q": "phan anh"}
    rows = list(csv.DictReader(StringIO(httpx.get(f"{either_address}/api/v1/catalogue.csv", params=asked).text.removeprefix("\ufeff"))))
    shown = httpx.get(f"{either_address}/api/v1/catalogue", params=asked).json()["items"]
    assert [row["key"] for row in rows] == [item["key"] for item in shown] and rows
    assert all(row["formula"] and row["law"] and row["rollups"] for row in rows)


def test_an_unknown_theme_is_refused_with_the_known_ones(either_address: str) -> None:
    answer = httpx.get(f"{either_address}/api/v1/catalogue", params={"theme": "sport"})
    assert answer.status_code == 400 and "mobility" in answer.json()["error"]["remedy"]


# ---- docs/kpis.md -----------------------------------------------------------------------------------------------------
def block(name: str) -> str:
    """The one fenced block of the guide with this name."""
    found = re.findall(rf"^```(?:python|toml) {name}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    assert len(found) == 1, name
    return str(found[0])


def test_the_row_of_the_guide_counts_what_it_says() -> None:
    row: Kpi = eval(block("row"), {"Kpi": Kpi, "percent_of": percent_of})
    assert row.formula is not None and row.formula(Sums({"withdrawn": 3, "finished": 40}, {})) == (7.5, 40)
    assert set(tables_of(row)) <= set(metadata.tables) and row.theme in THEMES
    for lang in LANGUAGES:
        assert tomllib.loads(block(lang))["kpi"][row.key].keys() == {"label", "definition", "formula", "source"}


def test_the_function_of_the_guide_answers(either_city: City) -> None:
    known: dict[str, Any] = {"Asked": Asked, "Period": Period, "Answer": Answer, "conditions": conditions, "text": text, "DAY": DAY}
    exec(block("function"), known)
    with either_city.store.reading() as connection:
        asked = Asked(connection, either_city, NOTHING_CHOSEN, "late_instant", ())
        assert known["_oldest_days"](asked, parse_period("2026-11", either_city.today)) == (pytest.approx(17 + 1 / 24), 2)


def test_the_city_file_of_the_guide_is_sound() -> None:
    config = parse_config({**tomllib.loads(block("city")), "city": {"name": "x"}}, Path("."), {})
    assert setting_faults(config) == [] and len(config.targets["dossiers_on_time_pct"]) == 2
