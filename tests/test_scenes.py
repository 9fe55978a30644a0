"""Scenes and frames without a browser: what is on them, in which cities, and what a frame says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dash.development.base_component import Component

from components.charts import sparkline
from components.maps import bounds_of, sovereignty
from components.polygons import SOVEREIGN_BOX, heat_step
from components.scale import HERO_ARCMIN, MINIMUM_ARCMIN, font_vh, wall_scale
from components.scenes import SCENES, build_frame, places, scenes_of, skeleton
from components.scenes.lists import LEAST_N, distinct_names, short_name
from components.scenes.rows import panels_of
from config import WallConfig
from metrics.city import City, grid, open_city
from metrics.city.findings import hotspots
from metrics.city.numbers import kpis, series
from metrics.periods import parse_period
from scope import DEMO_SCOPE, Forbidden, scope_of
from store.days import DAY
from store.engine import Store, open_store
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import Parsed, ReportRow
from tests.wall_city import FEEDS, NOW, later, make_city, sqlite_url, wall_config


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    made = make_city(sqlite_url(tmp_path_factory.mktemp("wall")), size=0.4)
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def city(store: Store) -> City:
    return open_city(store, wall_config(), DEMO_SCOPE, NOW)


@pytest.fixture(scope="module")
def frame(city: City) -> dict[str, Any]:
    return build_frame(city, "vi")


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Store]:
    made = open_store(sqlite_url(tmp_path), wall_config().tz)
    migrate(made)
    yield made
    made.dispose()


def ids_in(component: Any) -> Iterator[str]:
    if isinstance(component, list | tuple):
        for child in component:
            yield from ids_in(child)
    elif isinstance(component, Component):
        if getattr(component, "id", None):
            yield component.id
        yield from ids_in(getattr(component, "children", None))


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.key)
def test_a_scene_is_five_to_nine_panels(scene: Any) -> None:
    panels = panels_of(scene, wall_config())
    kinds = [panel.kind for panel in panels]
    assert 5 <= len(panels) <= 9
    assert kinds.count("map") <= 1 and kinds.count("list") <= 1 and kinds.count("tile") + kinds.count("measure") <= 6


def test_everything_a_frame_sets_is_on_a_skeleton(frame: dict[str, Any]) -> None:
    config = wall_config()
    known = {found for scene in scenes_of(config) for found in ids_in(skeleton(scene, config, "vi"))}
    outside = {"wall-revision"}
    assert set(frame["props"]) - known == outside
    assert {key for key in frame["ages"] if not key.startswith("wall-feed-")} <= known


def test_no_two_elements_share_an_id() -> None:
    config = wall_config()
    found = [one for scene in scenes_of(config) for one in ids_in(skeleton(scene, config, "vi"))]
    assert len(found) == len(set(found))


def test_a_frame_is_plain_json_and_the_same_for_the_same_city(city: City, frame: dict[str, Any]) -> None:
    assert json.loads(json.dumps(frame)) == json.loads(json.dumps(build_frame(city, "vi")))


def test_a_tile_says_what_the_question_answers(city: City, frame: dict[str, Any]) -> None:
    value = kpis.read(city, ["dossiers_overdue"], parse_period("today", city.today))[0]
    assert frame["props"]["overview-dossiers_overdue-value"]["children"] == f"{value.value:.0f}"
    assert frame["ages"]["overview-dossiers_overdue"] == {"at": value.through_at, "cadence_s": 900}


def test_a_tile_carries_target_count_rule_change_and_verdict(frame: dict[str, Any]) -> None:
    names = ("note", "rule", "delta", "letter", "spark")
    part = {name: frame["props"][f"one_stop-dossiers_on_time_pct-{name}"] for name in names}
    assert "mục tiêu ≥ 95%" in part["note"]["children"] and "n = " in part["note"]["children"]
    assert part["rule"]["children"] == "tính theo thời điểm (766)"
    assert part["delta"]["children"].endswith("so với 30 ngày trước")
    assert part["letter"]["children"] in ("Đ", "G", "C")
    assert part["spark"]["style"]["--spark"].startswith('url("data:image/svg+xml,')


def test_a_running_day_is_not_set_against_a_whole_one(frame: dict[str, Any]) -> None:
    assert frame["props"]["one_stop-dossiers_received-delta"]["children"].startswith("cả ngày T6 13/11: ")


def test_agencies_below_the_least_count_are_not_ranked(city: City, frame: dict[str, Any]) -> None:
    points = series.read(city, "dossiers_overdue", "agency", parse_period("today", city.today))
    small = {short_name(p.label) for p in points if p.value and p.n < LEAST_N}
    shown = json.dumps(frame["props"]["one_stop-list-agencies-rows"], ensure_ascii=False)
    assert small and not [name for name in small if f'"{name}"' in shown]
    assert frame["props"]["one_stop-list-agencies-rows"]["children"], "a fair list is not an empty list"


def test_the_wall_shows_no_exact_place_and_no_text_of_a_report(store: Store, city: City, frame: dict[str, Any]) -> None:
    cells = hotspots.read(city, 250)
    step = 250 / grid.METRES_PER_DEGREE
    assert cells and all(abs(cell.lat / step - round(cell.lat / step)) < 0.01 for cell in cells)
    assert sum(cell.open for cell in cells) == kpis.read(city, ["reports_open"], parse_period("today", city.today))[0].value
    shown = frame["props"]["feedback-map-points"]["data"]["features"]
    assert {key for feature in shown for key in feature["properties"]} == {"kind", "size"}


def test_a_city_with_reports_only_has_the_feedback_scene_only(bare: Store) -> None:
    config = wall_config(feeds=tuple(feed for feed in FEEDS if feed.role == "feedback"))
    assert [scene.key for scene in scenes_of(config)] == ["feedback"]
    build_frame(open_city(bare, config, DEMO_SCOPE, NOW), "vi")


@pytest.mark.parametrize("missing", ["one_stop", "feedback", "sensors"])
def test_a_city_without_one_kind_of_feed_has_no_hole_on_its_wall(bare: Store, missing: str) -> None:
    config = wall_config(feeds=tuple(feed for feed in FEEDS if feed.role != missing))
    shown = scenes_of(config)
    assert len(shown) == 3
    for scene in shown:
        assert {p.place for p in panels_of(scene, config)} == {p.place for p in panels_of(scene, wall_config())}
    build_frame(open_city(bare, config, DEMO_SCOPE, NOW), "vi")


def test_a_city_without_polygons_maps_its_points(bare: Store) -> None:
    config = wall_config(feeds=tuple(feed for feed in FEEDS if feed.role != "areas"))
    row = ReportRow("1", category="X", status="new", received_at=later(days=-1), lon=-71.06, lat=42.36, version=1)
    land(bare, Parsed(reports=(row,)), Landing("feedback", "feedback", now=later()))
    props = build_frame(open_city(bare, config, DEMO_SCOPE, NOW), "vi")["props"]
    assert len(props["feedback-map-points"]["data"]["features"]) == 1
    assert props["feedback-map-points"]["hideout"]["bounds"] is not None
    assert props["feedback-map-reports-empty"]["children"] == ""


def test_an_empty_store_says_so_in_words_and_never_zero(bare: Store) -> None:
    props = build_frame(open_city(bare, wall_config(), DEMO_SCOPE, NOW), "vi")["props"]
    assert props["overview-dossiers_on_time_pct-value"]["children"] == "–"
    assert props["feedback-map-reports-empty"]["children"] == "Chưa có địa bàn hoặc vị trí để vẽ."
    assert props["scene-one_stop"]["data-empty"] == "1"


def test_a_leaders_rights_are_enough_for_a_frame_and_a_displays_are_not(store: Store) -> None:
    assert build_frame(open_city(store, wall_config(), scope_of("leader"), NOW), "vi")["props"]
    with pytest.raises(Forbidden, match=r"see\.\w+"):  # it is shown what the server draws; it may ask for nothing itself
        build_frame(open_city(store, wall_config(), scope_of("display"), NOW), "vi")


def test_both_languages_fill_the_same_places(city: City, frame: dict[str, Any]) -> None:
    english = build_frame(city, "en")
    assert english["props"].keys() == frame["props"].keys()
    assert english["props"]["one_stop-dossiers_overdue-rule"]["children"] == "judged by instant (766)"


def test_letters_are_large_enough_for_the_room() -> None:
    # peers.md 4.1: 75 inch at 5 m needs 77 px for 16' and 288 px for 60' on a 2160 px high screen
    assert font_vh(MINIMUM_ARCMIN, 5, 75) * 21.6 == pytest.approx(77, abs=0.6)
    assert font_vh(HERO_ARCMIN, 5, 75) * 21.6 == pytest.approx(288, abs=0.8)
    assert wall_scale(WallConfig(distance_m=8)).least > wall_scale(WallConfig(distance_m=5)).least


def test_a_gap_is_drawn_as_a_gap() -> None:
    assert sparkline([1, 2, None, 3, 4]).count("%3Cpath") == 2
    assert sparkline([1, 2, 3, 4]).count("%3Cpath") == 1
    assert sparkline([None, None]) == "none"


def test_a_view_of_the_country_shows_both_archipelagos_and_the_sea() -> None:
    country = bounds_of([(102.1, 22.4), (104.8, 8.6), (109.4, 12.9)])
    assert country is not None
    assert country[2] >= SOVEREIGN_BOX[2] and country[1] <= SOVEREIGN_BOX[1]
    words = {"hoang_sa": "Hoàng Sa", "truong_sa": "Trường Sa", "bien_dong": "Biển Đông"}
    assert {label.text for label in sovereignty(country, words)} == set(words.values())
    assert sovereignty((107.0, 20.6, 107.9, 21.3), words) == ()


def test_one_overdue_report_is_not_the_strongest_colour() -> None:
    assert heat_step(1, 5) == 1 and heat_step(5, 5) == 4 and heat_step(0, 5) == 0


def test_shared_first_words_of_stations_are_left_out() -> None:
    assert distinct_names(["Trạm không khí Cửa Lân", "Trạm không khí Vân Lĩnh"]) == ["Cửa Lân", "Vân Lĩnh"]
    assert distinct_names(["Trạm A"]) == ["Trạm A"]


def test_time_alone_makes_a_panel_stale(store: Store) -> None:
    city = open_city(store, wall_config(), DEMO_SCOPE, NOW)
    entry = build_frame(replace(city, as_of=city.as_of + DAY), "vi")["ages"]["one_stop-dossiers_overdue"]
    assert (city.as_of + DAY - entry["at"]) / 1e6 > 5 * entry["cadence_s"]


def test_a_panel_that_cannot_be_drawn_leaves_the_others(
    city: City, frame: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> dict[str, object]:
        raise ValueError("an empty polygon")

    monkeypatch.setattr(places, "map_props", broken)
    found = build_frame(city, "vi")
    missing = frame["ages"].keys() - found["ages"].keys()  # their ages run on in the browser
    assert missing and all("map" in one for one in missing)
    assert found["props"]["one_stop-dossiers_overdue-value"] == frame["props"]["one_stop-dossiers_overdue-value"]
