"""Areas: GeoJSON made fit to store, placing points by day, the real Quảng Ninh before and after 1 July 2025."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point, shape

from config import ConfigError, FeedConfig, load_config
from data_sources.areas.geojson import parse_geojson, read_geojson
from data_sources.areas.place import Placer
from data_sources.feed import FeedError, RawBatch
from store.rows import AreaRow, Parsed
from tests.scripted_http import Reply, scripted_server
from tests.servers import ROOT

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
BEFORE, AFTER = (day.toordinal() - date(1970, 1, 1).toordinal() for day in (date(2025, 6, 30), date(2025, 7, 1)))


def square(west: float, south: float, size: float = 1.0) -> dict[str, Any]:
    east, north = west + size, south + size
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def feature(code: Any, geometry: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"code": code, "name": f"Xã {code}", **properties}, "geometry": geometry}


def feed(**settings: Any) -> FeedConfig:
    return FeedConfig("communes", "areas", "geojson", **settings)


def parsed(*features: Any, **settings: Any) -> Parsed:
    return parse_geojson(feed(**settings), RawBatch(features, kind="features"), NOW)


def area(code: str, geometry: Any, **more: Any) -> AreaRow:
    return AreaRow(code, code, geometry=geometry, **more)


# --- parse ------------------------------------------------------------------------------------------------


def test_properties_validity_and_prefix_come_from_the_manifest() -> None:
    fields = {"code": {"from": "ma"}, "name": {"from": "ten"}, "parent_code": {"from": "huyen"}}
    options = {"level": "commune", "code_prefix": "v63-", "valid_from": "2010-01-01", "valid_to": date(2025, 6, 30)}
    one = {"type": "Feature", "properties": {"ma": 7, "ten": "Hà Tu", "huyen": 2}, "geometry": square(107, 20)}
    (row,) = parsed(one, fields=fields, options=options).areas
    assert (row.code, row.parent_code, row.name, row.level) == ("v63-7", "v63-2", "Hà Tu", "commune")
    assert (row.valid_from_on, row.valid_to_on) == (14610, BEFORE)


def test_the_features_own_id_serves_when_no_property_does() -> None:
    one = {"type": "Feature", "id": "06652", "properties": {"name": "Hà Tu"}, "geometry": square(107, 20)}
    assert parsed(one).areas[0].code == "06652"


def test_height_is_dropped_and_rings_turn_counter_clockwise() -> None:
    ring = [[*point, 12.5] for point in reversed(square(107, 20)["coordinates"][0])]
    (row,) = parsed(feature("a", {"type": "Polygon", "coordinates": [ring]})).areas
    assert row.geometry is not None
    made = shape(row.geometry)
    assert not made.has_z and made.exterior.is_ccw


def test_a_bow_tie_is_made_valid_and_keeps_only_polygons() -> None:
    ring = [[107, 20], [108, 21], [108, 20], [107, 21], [107, 20]]
    (row,) = parsed(feature("a", {"type": "Polygon", "coordinates": [ring]})).areas
    made = shape(row.geometry)
    assert made.is_valid and made.geom_type == "MultiPolygon" and made.area == pytest.approx(0.5)


def test_the_stored_point_lies_inside_a_crescent() -> None:
    ring = [[107, 20], [109, 20], [109, 22], [107, 22], [107, 21.9], [108.9, 21.9], [108.9, 20.1], [107, 20.1], [107, 20]]
    (row,) = parsed(feature("a", {"type": "Polygon", "coordinates": [ring]})).areas
    assert shape(row.geometry).contains(Point(row.lon or 0, row.lat or 0))


def test_a_feature_without_geometry_is_an_area_without_polygon() -> None:
    (row,) = parsed(feature("a", None)).areas
    assert (row.geometry, row.lon, row.lat) == (None, None, None)


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"geometry": {"type": "Point", "coordinates": [107, 20]}}, "geometry", "bad_geometry"),
        ({"geometry": {"type": "Polygon", "coordinates": [[[107, 20], [108, 21]]]}}, "geometry", "bad_geometry"),
        ({"geometry": {"type": "Ball"}}, "geometry", "bad_geometry"),
        ({"geometry": "POLYGON"}, "geometry", "bad_geometry"),
        ({"geometry": square(430_000, 2_300_000, 500)}, "geometry", "bad_geometry"),
        ({"properties": {"name": "x"}}, "code", "missing_field"),
        ({"properties": {"code": "x"}}, "name", "missing_field"),
        ({"properties": {"code": "ok", "name": "again"}}, "code", "duplicate_key"),
    ],
)
def test_a_bad_feature_is_refused_by_field_and_reason(change: dict[str, Any], field: str, reason: str) -> None:
    bad = {**feature("bad", square(109, 20)), **change}
    found = parsed(feature("ok", square(107, 20)), bad)
    assert [(one.field, one.reason) for one in found.rejects] == [(field, reason)]
    assert [row.code for row in found.areas] == ["ok"]


def wavy(west: float, shift: float) -> list[list[float]]:
    return [[west + (0.01 if n % 2 else 0.0), 20 + n / 50 + shift] for n in range(51)]


def test_neighbours_still_touch_after_simplification() -> None:
    border = wavy(108, 0)
    left = {"type": "Polygon", "coordinates": [[[107, 20], *border, [107, 21], [107, 20]]]}
    right = {"type": "Polygon", "coordinates": [[[109, 20], [109, 21], *reversed(border), [109, 20]]]}
    found = parsed(feature("a", left), feature("b", right), options={"simplify_deg": 0.05}).areas
    one, other = (shape(row.geometry) for row in found)
    assert len(one.exterior.coords) < 20
    assert one.intersection(other).area == 0 and one.intersection(other).length >= 1


def test_a_small_island_survives_simplification() -> None:
    found = parsed(
        feature("a", square(107, 20)), feature("b", square(107.3, 20.2, 1.0)), feature("islet", square(110, 20, 0.001)),
        options={"simplify_deg": 0.01},
    ).areas
    assert all(shape(row.geometry).area > 0 for row in found) and len(found) == 3


def test_a_wrong_level_or_date_is_a_fault_of_the_city_file() -> None:
    with pytest.raises(ConfigError, match=r"options\.level 'ward' is not one of province, district, commune"):
        parsed(feature("a", square(107, 20)), options={"level": "ward"})
    with pytest.raises(ConfigError, match=r"options\.valid_to '30/6/2025' is no date yyyy-mm-dd"):
        parsed(feature("a", square(107, 20)), options={"valid_to": "30/6/2025"})


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=8,
)
PARTS = st.dictionaries(st.sampled_from(("type", "properties", "geometry", "id", "coordinates", "code", "name")), JSON_VALUES)
KINDS = st.sampled_from(("Polygon", "MultiPolygon", "GeometryCollection", "LineString", "Feature"))


@given(st.lists(JSON_VALUES | PARTS, max_size=3), PARTS, KINDS, JSON_VALUES)
def test_garbage_becomes_rejects_and_never_an_exception(items: list[Any], part: Any, kind: str, inner: Any) -> None:
    broken = feature("x", {**part, "type": kind, "coordinates": inner})
    found = parsed(feature("ok", square(107, 20)), broken, *items, options={"simplify_deg": 0.01})
    assert found.areas[0].code == "ok"
    assert len(found.areas) + len(found.rejects) >= len(items) + 2


# --- client -----------------------------------------------------------------------------------------------


def collection(*features: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def test_areas_come_over_http_and_an_unchanged_answer_brings_nothing() -> None:
    with scripted_server(lambda asked: Reply(collection(feature("a", square(107, 20))))) as (url, _):
        (batch,) = read_geojson(feed(url=f"{url}/a.geojson"), None, NOW)
        assert list(read_geojson(feed(url=f"{url}/a.geojson"), batch.cursor, NOW)) == []
    assert parse_geojson(feed(), batch, NOW).areas[0].code == "a"


def test_what_is_no_collection_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    path.write_text('{"hello": 1}')
    with pytest.raises(FeedError, match=r"feed communes: .*a\.geojson: no GeoJSON FeatureCollection"):
        list(read_geojson(feed(path=str(path)), None, NOW))


def test_succession_names_the_old_areas_and_only_the_main_heir(tmp_path: Path) -> None:
    (tmp_path / "a.geojson").write_text(json.dumps(collection(feature("n1", square(107, 20)), feature("n2", square(109, 20)))))
    (tmp_path / "map.csv").write_text("old,new,main\n1,n1,1\n2,n1,1\n3,n1,1\n3,n2,0\n4,n2,1\n")
    fields = {"old": {"from": "old"}, "new": {"from": "new"}, "is_default": {"from": "main"}}
    manifest = feed(
        path=str(tmp_path / "a.geojson"), options={"succession": {"path": "map.csv", "fields": fields, "prefix": "old-"}}
    )
    (batch,) = read_geojson(manifest, None, NOW)
    found = parse_geojson(manifest, batch, NOW)
    before = {row.code: row.predecessors for row in found.areas}
    assert before == {"n1": ("old-1", "old-2", "old-3"), "n2": ("old-4",)}
    assert (found.rejects, found.item_count) == ((), 2)


# --- place ------------------------------------------------------------------------------------------------


def test_a_point_is_placed_by_the_day() -> None:
    placer = Placer([area("old", square(107, 20), valid_to_on=BEFORE), area("new", square(107, 20), valid_from_on=AFTER)])
    assert [placer.place(107.5, 20.5, day) for day in (0, BEFORE, AFTER, AFTER + 9999)] == ["old", "old", "new", "new"]


def test_a_point_on_a_border_belongs_to_the_lowest_code_whatever_the_order() -> None:
    pair = [area("b", square(107, 20)), area("a", square(108, 20))]
    assert Placer(pair).place(108, 20.5, 0) == Placer(pair[::-1]).place(108, 20.5, 0) == "a"


def test_the_smallest_level_wins() -> None:
    placer = Placer([area("1", square(107, 20, 3), level="province"), area("9", square(107, 20), level="commune")])
    assert (placer.place(107.5, 20.5, 0), placer.place(109, 22, 0)) == ("9", "1")


def test_a_city_without_polygons_places_nothing_and_works() -> None:
    for areas in ([], [AreaRow("a", "A")]):
        assert Placer(areas).place_many([107.5, None], [20.5, 20.5], [0, 0]) == ["", ""]


@pytest.mark.parametrize("point", [(None, None), (107.5, None), (float("nan"), 20.5), (float("inf"), 20.5), (50.0, 50.0)])
def test_no_point_or_one_outside_is_nowhere(point: tuple[Any, Any]) -> None:
    assert Placer([area("a", square(107, 20))]).place(*point, 0) == ""


@given(st.lists(st.tuples(st.floats(106, 112), st.floats(19, 23), st.sampled_from([0, BEFORE, AFTER])), max_size=30))
def test_many_at_once_equals_one_by_one_and_plain_geometry(points: list[tuple[float, float, int]]) -> None:
    areas = [area(f"{n}", square(107 + n, 20, 1.5), valid_to_on=BEFORE if n % 2 else None) for n in range(4)]
    placer = Placer(areas)
    lons, lats, days = ([point[i] for point in points] for i in range(3))
    plain = [
        min(
            (
                a.code for a in areas
                if shape(a.geometry).intersects(Point(x, y)) and (a.valid_to_on is None or on <= a.valid_to_on)
            ),
            default="",
        )
        for x, y, on in points
    ]
    assert placer.place_many(lons, lats, days) == plain == [placer.place(*point) for point in points]


# --- the real set -----------------------------------------------------------------------------------------


def quang_ninh(real_data: Path) -> dict[str, Parsed]:
    config = load_config(ROOT / "examples" / "quang_ninh" / "city.toml", {"TOANCANH_REAL_DATA": str(real_data)})
    return {one.key: parse_geojson(one, next(read_geojson(one, None, NOW)), NOW) for one in config.feeds}


def test_quang_ninh_lands_whole_before_and_after_2025(real_data: Path) -> None:
    found = quang_ninh(real_data)
    assert {key: (len(one.areas), one.rejects) for key, one in found.items()} == {
        "districts_before_2025": (14, ()), "communes_before_2025": (186, ()), "wards_2025": (54, ()),
    }
    assert len({row.code for one in found.values() for row in one.areas}) == 14 + 186 + 54


def test_every_point_of_quang_ninh_lies_in_its_valid_polygon(real_data: Path) -> None:
    rows = [row for one in quang_ninh(real_data).values() for row in one.areas]
    for row in rows:
        made = shape(row.geometry)
        assert made.is_valid and made.contains(Point(row.lon or 0, row.lat or 0)), row.code


def test_quang_ninh_districts_are_the_parents_of_its_communes(real_data: Path) -> None:
    found = quang_ninh(real_data)
    districts = {row.code for row in found["districts_before_2025"].areas}
    assert {row.parent_code for row in found["communes_before_2025"].areas} == districts


def test_quang_ninh_new_communes_know_their_predecessors(real_data: Path) -> None:
    rows = quang_ninh(real_data)["wards_2025"].areas
    without = [row.name for row in rows if not row.predecessors]
    assert len(without) <= 2, without  # Ba Chẽ's code differs between polygons and list
    old = [code for row in rows for code in row.predecessors]
    assert len(old) == len(set(old)) > 150


def test_a_day_decides_which_commune_of_quang_ninh_a_point_is_in(real_data: Path) -> None:
    rows = [row for one in quang_ninh(real_data).values() for row in one.areas]
    new = [row for row in rows if row.valid_from_on == AFTER]
    lons, lats = [row.lon for row in new], [row.lat for row in new]
    placer = Placer(rows)
    assert placer.place_many(lons, lats, [AFTER] * len(new)) == [row.code for row in new]
    earlier = placer.place_many(lons, lats, [BEFORE] * len(new))
    assert all(code == "" or code.startswith("v63-") for code in earlier)
    assert np.mean([code != "" for code in earlier]) > 0.9


def test_simplified_quang_ninh_moves_no_border_far(real_data: Path) -> None:
    config = load_config(ROOT / "examples" / "quang_ninh" / "city.toml", {"TOANCANH_REAL_DATA": str(real_data)})
    manifest = config.feed("wards_2025")
    (batch,) = read_geojson(manifest, None, NOW)
    drawn = {row.code: shape(row.geometry) for row in parse_geojson(manifest, batch, NOW).areas}
    sent = {item["properties"]["code"]: shape(item["geometry"]) for item in batch.items if "geometry" in item}
    changed = sum(drawn[code].symmetric_difference(made.buffer(0)).area for code, made in sent.items())
    assert changed / sum(made.area for made in sent.values()) < 0.02
