"""What the map reads of a box and a zoom, on both engines: it counts all, tells no more than lists do, and reads an index."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from components.desk_map_scale import scale_of
from metrics.city import City, places
from metrics.city.lists.filter_grammar import written
from metrics.city.lists.within import Polygon, inside, inside_polygon, read_polygon
from metrics.city.numbers import area_kpis
from metrics.city.places import SPANS
from metrics.city.records import reports
from metrics.kpis import kpi
from metrics.periods import parse_period
from scope import Forbidden, Scope, scope_of
from tests.places_city import NAMES, NOW, make_city, see

OPEN = {"state": "open"}
TOWN = (107.0, 20.9, 107.1, 21.0)


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def city(request: pytest.FixtureRequest, make_database: Callable[..., str], migrated: Callable[[str], str]) -> Iterator[City]:
    made = make_city(make_database, migrated, request.param)
    yield made
    made.store.dispose()


@pytest.fixture(scope="module")
def leader(city: City) -> City:
    """Reads lists, and no citizen's words: places are cells."""
    return see(city.store, scope_of("leader", actor="user:l"))


def corners(box: tuple[float, float, float, float]) -> str:
    west, south, east, north = box
    return f"{west},{south}_{east},{south}_{east},{north}_{west},{north}"


# ---- counting -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("zoom", [4, 9, 12, 15])
def test_spots_of_a_box_count_what_the_list_has_inside_it(city: City, zoom: int) -> None:
    spots = places.read_spots(city, reports.chosen(OPEN), TOWN, zoom).spots
    assert sum(spot.n for spot in spots) == reports.total(city, reports.chosen({**OPEN, "within": corners(TOWN)})) > 100
    assert len(spots) <= places.MOST


@pytest.mark.parametrize("zoom", [8, 14])
def test_the_box_of_a_spot_finds_exactly_its_reports(city: City, leader: City, zoom: int) -> None:
    for asks in (city, leader):
        for spot in places.read_spots(asks, reports.chosen(OPEN), places.EVERYWHERE, zoom).spots[::3]:
            box = (spot.west, spot.south, spot.east, spot.north)
            assert reports.total(asks, reports.chosen({**OPEN, "within": corners(box)})) == spot.n


def test_spans_of_remaining_time_add_up_and_are_those_of_the_list(city: City) -> None:
    spots = places.read_spots(city, reports.chosen({}), zoom=10).spots
    assert all(spot.n == sum(getattr(spot, name) for name in SPANS) for spot in spots)
    for span, state in (("overdue", "overdue"), ("soon", "due_soon"), ("ended", "finished")):
        counted = sum(getattr(spot, span) for spot in spots)
        assert counted == reports.total(city, reports.chosen({"state": state, "within": corners((107.0, 20.0, 108.0, 22.0))}))


def test_an_answer_is_bounded_and_still_counts_all(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = sum(spot.n for spot in places.read_spots(city, reports.chosen(OPEN), zoom=18).spots)
    monkeypatch.setattr(places, "MOST", 20)
    monkeypatch.setattr(places, "FEW", 10)
    spots = places.read_spots(city, reports.chosen(OPEN), zoom=17).spots
    assert len(spots) <= 20 and sum(spot.n for spot in spots) == whole


def test_density_counts_what_spots_count(city: City) -> None:
    squares, spots = (ask(city, reports.chosen(OPEN), TOWN, 11) for ask in (places.read_squares, places.read_spots))
    assert sum(square.n or 0 for square in squares.squares) == sum(spot.n for spot in spots.spots)
    assert squares.highest == max(square.n or 0 for square in squares.squares) > 1


def test_other_filters_narrow_the_map_as_they_narrow_the_list(city: City) -> None:
    for asked in ({"category": "tree", **OPEN}, {"agency": "H1.1", "state": "received", "period": "2026-11-16"}, {"q": "cay xanh"}):
        spots = places.read_spots(city, reports.chosen(asked), zoom=9).spots
        assert sum(spot.n for spot in spots) == reports.total(city, reports.chosen({**asked, "within": "!-"})) > 0, asked


# ---- rights -------------------------------------------------------------------------------------------------------------
def test_who_may_not_know_the_point_is_told_cells_and_no_number(leader: City, city: City) -> None:
    exact = places.read_spots(city, reports.chosen(OPEN), TOWN, 18)
    cells = places.read_spots(leader, reports.chosen(OPEN), TOWN, 18)
    assert cells.is_grid and not exact.is_grid
    assert all(spot.source_id == "" for spot in cells.spots) and any(spot.source_id for spot in exact.spots)
    assert cells.step_lat * 111_320 >= leader.config.wall.grid_m


def test_a_narrow_polygon_finds_no_point_for_who_is_told_cells(leader: City, city: City) -> None:
    single = next(spot for spot in places.read_spots(city, reports.chosen(OPEN), zoom=18).spots if spot.n == 1)
    around = {**OPEN, "within": corners((single.lon - 1e-4, single.lat - 1e-4, single.lon + 1e-4, single.lat + 1e-4))}
    assert reports.total(city, reports.chosen(around)) == 1
    assert reports.total(leader, reports.chosen(around)) == 0


def test_without_the_right_to_reports_there_are_only_withheld_cells(city: City) -> None:
    viewer = see(city.store, scope_of("viewer"))
    with pytest.raises(Forbidden):
        places.read_spots(viewer, reports.chosen(OPEN))
    told = places.read_told(viewer).squares
    assert told and all(square.n is None or square.n >= 5 for square in told)
    assert len({s.n for s in told}) > 1


def test_a_reader_of_one_area_sees_that_area_alone(city: City) -> None:
    rights = scope_of("analyst", areas=("00001",))
    reader = see(city.store, Scope(rights.permissions, None, ("00001",), rights.field_classes))
    spots = places.read_spots(reader, reports.chosen({}), zoom=12).spots
    assert spots and all(spot.lon <= 107.1 for spot in spots)


# ---- polygons -----------------------------------------------------------------------------------------------------------
coordinates = st.tuples(st.floats(106.9, 107.4).map(lambda x: round(x, 4)), st.floats(20.7, 21.3).map(lambda y: round(y, 4)))


@settings(max_examples=12)
@given(st.lists(coordinates, min_size=3, max_size=9, unique=True))
def test_sql_and_python_agree_on_what_lies_inside(city: City, given_corners: list[tuple[float, float]]) -> None:
    polygon, values = Polygon(tuple(given_corners)), {}
    with city.store.reading() as connection:
        where = inside(connection, city, "reports", polygon, "d.", values)
        found = set(connection.execute(text(f"SELECT d.source_id FROM core_report d WHERE 1 = 1{where}"), values).scalars())
        rows = connection.execute(text("SELECT source_id, lon, lat FROM core_report WHERE lon IS NOT NULL")).all()
    assert found == {row[0] for row in rows if inside_polygon(polygon, row[1], row[2])}


@settings(max_examples=60)
@given(st.lists(coordinates, min_size=3, max_size=9, unique=True), coordinates)
def test_inside_is_what_shapely_says_of_simple_polygons(given_corners: list[tuple[float, float]], point: tuple[float, float]) -> None:
    shape = shapely.Polygon(given_corners)
    if shape.is_valid and shape.exterior.distance(shapely.Point(point)) > 1e-6:
        assert inside_polygon(Polygon(tuple(given_corners)), *point) == shape.contains(shapely.Point(point))


def test_a_polygon_reads_back_as_it_was_written() -> None:
    assert read_polygon("107.05,20.9_107.1,20.9_-71.05891,42.36").text == "107.05,20.9_107.1,20.9_-71.05891,42.36"
    for wrong in ("107,20", "107,20_108,21", "a,b_c,d_e,f", "107,20_108,95_107,21", "nan,1_2,3_4,5"):
        with pytest.raises(ValueError, match="within"):
            read_polygon(wrong)


# ---- areas and time -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("key", ["reports_open", "reports_overdue", "reports_received", "reports_resolve_days_median", "vn_aqi_daily"])
def test_a_kpi_by_area_is_the_kpi_of_each_area(city: City, key: str) -> None:
    from metrics.city.numbers import kpis
    from metrics.city.numbers.sums import Choice

    period = parse_period("last_30d", NOW.date())
    found = {point.group: point.value for point in area_kpis.read(city, key, period)}
    alone = {code: kpis.read(city, [key], period, Choice(area=code))[0].value for code in ("00001", "00002", "00003")}
    assert found == {code: value for code, value in alone.items() if code in found}
    assert any(value for value in found.values())


def test_a_kpi_without_areas_is_refused_with_those_that_have_some(city: City) -> None:
    with pytest.raises(ValueError, match=r"feeds_fresh_pct.* known only as a whole; choose one of .*reports_overdue"):
        area_kpis.read(city, "feeds_fresh_pct", parse_period("last_30d", NOW.date()))


def test_stations_of_a_past_day_have_its_index(city: City) -> None:
    yesterday = city.today_on - 1
    assert places.day_indices(city, yesterday).keys() == {("air", "s0"), ("air", "s1"), ("air", "s2")}
    assert places.day_indices(city, city.today_on - 40) == {}


def test_scales_hold_every_value_and_low_is_bad_only_where_more_is_better() -> None:
    counts = scale_of(kpi("reports_overdue"), {"a": 0, "b": 1, "c": 17})
    shares = scale_of(kpi("reports_on_time_pct"), {"a": 71.2, "b": 98.3})
    calm = scale_of(kpi("reports_received"), {"a": 9.0})
    assert counts and shares and calm
    assert [counts.step(value) for value in (0, 1, 17)] == [0, 1, 4] and counts.colours == "heat"
    assert shares.step(71.2) > shares.step(98.3) and shares.edges[-1] == 100 and calm.colours == "tide"
    assert scale_of(kpi("reports_overdue"), {}) is None


# ---- cost ---------------------------------------------------------------------------------------------------------------
ONE_DAY = {"state": "received", "period": "2026-11-16"}


@pytest.mark.parametrize(("asked", "index"), [(OPEN, "ix_report_place_open"), (ONE_DAY, "ix_report_place")])
def test_a_view_is_read_from_an_index_that_has_all_of_it(city: City, asked: dict[str, str], index: str) -> None:
    if not city.store.is_sqlite:
        pytest.skip("on few rows PostgreSQL rightly reads the table")
    with city.store.reading() as connection:
        query, _ = places._placed(connection, city, reports.chosen(asked), TOWN)
        read = f"SELECT count(*), avg(d.lon), min(d.source_id), sum(d.due_at) FROM {query.source} WHERE {query.where}"
        plan = connection.execute(text(f"EXPLAIN QUERY PLAN {read}"), dict(query.values)).all()
    told = " ".join(str(row[-1]) for row in plan)
    assert re.search(rf"COVERING INDEX {index}\b", told), told


def test_codes_with_commas_are_one_code(city: City) -> None:
    assert written([NAMES[0] + ", cũ"]) == NAMES[0] + "\\, cũ"
