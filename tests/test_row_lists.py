"""Screen, API and file of a list show the same rows for any filter, order and reader, on both engines."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from api import answers
from api.answers import Ask
from api.parameters import Asked
from api.row_routes import ROW_ROUTES
from api.tables import Table, write_table
from callbacks import dossiers as dossier_page
from callbacks import reports as report_page
from callbacks import stations as station_page
from components.desk_links import View, read_view
from metrics.city import City, open_city
from metrics.city.lists import station_list
from metrics.city.lists.filter_fields import FIELDS
from metrics.city.lists.listed import MOST_SORTED, TooManyToSort
from metrics.city.lists.row_orders import SORTS
from metrics.city.records import dossiers, reports
from scope import DEMO_SCOPE, scope_of
from store.bounded import TookTooLong
from store.engine import Store
from tests.desk_province import config_of, make_store, moment_now
from text.vietnamese import sort_key

STATES = 50
PAGES: dict[str, Callable[[City, View], list[Any]]] = {
    "dossiers": dossier_page.draw_list, "reports": report_page.draw_list, "stations": station_page.draw_list,
}
READERS = (
    DEMO_SCOPE, scope_of("leader", actor="leader"), scope_of("analyst", agencies=("H99.1", "H99.3"), actor="narrow"),
)
EXAMPLES = {
    "agency": ("H99.1", "H99.2,H99.3", "!H99.1", "-", "nobody"), "area": ("!-", "A1", "-"), "feed": ("one_stop", "feedback", "!air"),
    "channel": ("online", "direct,postal", "-", "!online"), "domain": ("D1", "-"), "procedure": ("1.003", "!1.003,1.001", "-"),
    "status": ("4", "..3", "!9", "new", "-"), "category": ("!-", "-"), "id": ("H99.2-26-00001",), "kind": ("air", "!air"),
    "property": ("pm25", "rain"), "aqi": ("50..", "-"), "rating": ("0..1", "-"), "supplements": ("0", "1..", "!0"),
    "hour": ("7..11", "8"), "weekday": ("1,2", "6..7"), "finished_hour": ("..12",), "finished_weekday": ("!3",), "closed_hour": ("9..",),
    "closed_weekday": ("5",), "reopenings": ("1..", "-"), "returned": ("-", "0"), "extended": ("0", "1.."),
    "within": ("106.5,20.5_107.5,20.5_107.5,21.5_106.5,21.5", "-"),
}
WORDS = ("khai sinh", "xã", "phuong", "H99.2", "PA-000", "ngap", "đất", "nowhere", "tram")
DAYS = ("2026-11-01..", "..2026-10-31", "2026-11-02..2026-11-13", "-", "2026-11-10")


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def store(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    filled = make_store(make_database(request.param))
    yield filled
    filled.dispose()


def city_of(store: Store, scope: Any = DEMO_SCOPE) -> City:
    return open_city(store, config_of(store.engine.url.render_as_string(hide_password=False)), scope, moment_now())


def random_state(dice: random.Random, topic: str) -> dict[str, str]:
    """A few fields of a topic with values of every form."""
    given = {}
    for field in dice.sample(FIELDS[topic], dice.randint(0, 3)):
        if field.values:
            given[field.key] = ("!" if dice.random() < 0.2 else "") + ",".join(dice.sample(field.values, dice.randint(1, 2)))
        elif field.kind in ("day", "flag"):
            given[field.key] = dice.choice(DAYS if field.kind == "day" else ("yes", "no", "-", "!yes"))
        elif usable := [value for value in EXAMPLES[field.key] if field.kind != "number" or not value.isalpha()]:
            given[field.key] = dice.choice(usable)
    if dice.random() < 0.4:
        given["q"] = dice.choice(WORDS)
    if topic != "stations" and (dice.random() < 0.4 or "bulk" in given.get("quality", "")):
        given["period"] = dice.choice(("2026-11", "2026-W45", "last_30d"))
    if dice.random() < 0.5:
        keys = sorted(station_list.SORTS) if topic == "stations" else sorted(SORTS[topic])
        given["sort"] = dice.choice(("", "-")) + dice.choice(keys)
    return given


def on_screen(city: City, topic: str, given: dict[str, str]) -> tuple[int, list[str]]:
    """The number above the rows, and which rows stand under it on the first page."""
    view = read_view({"path": f"/{topic}", "query": given}, city.config, city.today)
    found = json.dumps(PAGES[topic](city, view), default=lambda part: part.to_plotly_json() if part is not None else None)
    count = found.split('"data-count": "')[1].split('"')[0]
    return int(count), [row["_id"] for row in _grid_rows(json.loads(found))]


def _grid_rows(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, dict):
        if node.get("type") == "AgGrid":
            return list(node["props"]["rowData"])
        return _grid_rows(list(node.values()))
    return next((rows for part in node if (rows := _grid_rows(part))), []) if isinstance(node, list) else []


def ask(city: City, topic: str, given: dict[str, str], form: str) -> Any:
    route = next(row for row in ROW_ROUTES if row.path == f"/api/v1/{topic}")
    asked = Asked([*given.items(), *([("limit", "1000")] if form == "json" and topic != "stations" else [])], route.parameters)
    return {"dossiers": answers.answer_dossiers, "reports": answers.answer_reports, "stations": answers.answer_stations}[topic](
        Ask(city, asked, "vi", form)
    )


def key_of(item: dict[str, Any]) -> str:
    return f"{item['feed']}~{item['source_id']}"


@pytest.mark.parametrize("seed", range(STATES))
def test_screen_api_and_file_agree_on_any_filter(store: Store, seed: int) -> None:
    dice = random.Random(seed)
    topic, city = dice.choice(("dossiers", "dossiers", "reports", "reports", "stations")), city_of(store, dice.choice(READERS))
    given = random_state(dice, topic)
    count, shown = on_screen(city, topic, given)
    said = ask(city, topic, given, "json")
    table = ask(city, topic, given, "csv")
    keys = [column.key for column in table.columns]
    file = [key_of(dict(zip(keys, row, strict=True))) for chunk in table.rows() for row in chunk]
    listed = [key_of(item) for item in said["items"]]
    assert (count, said["total"]) == (len(file), len(file)), given
    assert sorted(listed) == sorted(file)[: len(listed)] if len(file) <= 1000 else len(listed) == 1000, given
    if topic != "stations" or "sort" in given:
        assert shown == file[: len(shown)] == listed[: len(shown)], given
    assert len(set(file)) == len(file), given


def test_a_filter_and_its_opposite_share_the_list_out(store: Store) -> None:
    city = city_of(store)
    everything = dossiers.total(city, dossiers.chosen({}))
    for key, value in (("agency", "H99.1"), ("procedure", "1.003"), ("timeliness", "late,overdue"), ("hour", "8"), ("channel", "-")):
        opposite = value.removeprefix("!") if value.startswith("!") else "!" + value
        parts = [dossiers.total(city, dossiers.chosen({key: given})) for given in (value, opposite)]
        assert sum(parts) == everything, key


@pytest.mark.parametrize("sort", ["agency", "-agency", "procedure", "received", "-due", "timeliness", "number", "-number", "status"])
def test_pages_walk_the_whole_list_once_in_its_order(store: Store, sort: str) -> None:
    city, asked, found, cursor = city_of(store), dossiers.chosen({"state": "open"}), [], ""
    while True:
        page = dossiers.read(city, asked, limit=97, cursor=cursor, sort=sort)
        found += page.rows
        cursor = page.next_cursor
        if not cursor:
            break
    assert len({(row.feed, row.source_id) for row in found}) == len(found) == page.total
    if sort.endswith(("agency", "procedure")):
        names = [sort_key(getattr(row, f"{sort.removeprefix('-')}_name")) for row in found]
        assert names == sorted(names, reverse=sort.startswith("-"))  # Đ after D, tones in their order


def test_a_sort_without_an_index_is_refused_for_many_rows(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    city = city_of(store)
    assert MOST_SORTED == 100_000
    monkeypatch.setattr("metrics.city.lists.listed.MOST_SORTED", 100)
    with pytest.raises(TooManyToSort, match="1500"):
        dossiers.read(city, dossiers.chosen({}), sort="agency")
    assert dossiers.read(city, dossiers.chosen({}), sort="-received", limit=1).total == 1500  # an index has this order
    drawn = dossier_page.draw_list(city, read_view({"path": "/dossiers", "query": {"sort": "agency"}}, city.config, city.today))
    assert "1.500" in json.dumps(drawn, default=lambda part: part.to_plotly_json(), ensure_ascii=False)


def test_counts_of_what_roll_ups_know_read_no_rows(store: Store) -> None:
    city = city_of(store)
    ended = {"state": "finished", "period": "2026-11"}
    for given in ({}, {"agency": "H99.1"}, ended, {"state": "late"}, {"state": "received", "domain": "!-"}):
        page = dossiers.read(city, dossiers.chosen(given), limit=1)
        assert (page.coverage, page.total) == ("rollup", sum(map(len, dossiers.every(city, dossiers.chosen(given))))), given
    assert dossiers.read(city, dossiers.chosen({"state": "overdue"})).coverage == "index"
    assert dossiers.read(city, dossiers.chosen({"status": "9"})).coverage == "read"


def test_what_takes_too_long_is_said_with_what_to_narrow(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: Any, **__: Any) -> Any:
        raise TookTooLong(3)

    monkeypatch.setattr("metrics.city.lists.listed.read_page", slow)
    city = city_of(store)
    drawn = dossier_page.draw_list(city, read_view({"path": "/dossiers", "query": {}}, city.config, city.today))
    assert "d-notice" in json.dumps(drawn, default=lambda part: part.to_plotly_json() if part else None)
    with pytest.raises(Exception, match="nothing covers this question"):
        ask(city, "dossiers", {}, "json")


def test_a_search_finds_words_without_their_accents(store: Store) -> None:
    city, leader = city_of(store), city_of(store, scope_of("leader"))
    named = dossiers.read(city, dossiers.chosen({"q": "KHAI sinh"}), limit=1000)
    assert named.total and {row.procedure_name for row in named.rows} == {"Đăng ký khai sinh"}
    written = reports.read(city, reports.chosen({"q": "truong hoc ga"}), limit=1000)
    assert all("trường" in (row.description or "") for row in written.rows)
    heard = reports.chosen({"q": "cổng"})
    assert reports.total(city, heard) > 0 == reports.total(leader, heard)  # words of citizens are for readers of free text


def test_geojson_bears_every_row_and_only_the_places_its_reader_may_know(store: Store) -> None:
    asked = {"state": "open"}
    for scope, is_exact in ((DEMO_SCOPE, True), (scope_of("leader"), False)):
        city = city_of(store, scope)
        table: Table = ask(city, "reports", asked, "geojson")
        path = write_table(table, "geojson", city.store.days.tz)
        features = json.loads(path.read_text())["features"]
        path.unlink()
        assert len(features) == reports.total(city, reports.chosen(asked)) > 0
        points = {tuple(one["geometry"]["coordinates"]) for one in features if one["geometry"]}
        exact = {(row.lon, row.lat) for page in reports.every(city_of(store), reports.chosen(asked)) for row in page if row.lon is not None}
        assert (points == exact) is is_exact and points
        assert all(("description" in one["properties"]) and (one["properties"]["description"] is None or is_exact) for one in features)


def test_the_trail_keeps_the_filter_without_the_words(store: Store) -> None:
    city = city_of(store)
    reports.read(city, reports.chosen({"state": "open", "q": "cổng"}), limit=3)
    detail = city.sights[-1].detail
    assert (detail["state"], detail["q"], detail["rows"]) == ("open", True, 3)
