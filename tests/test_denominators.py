"""Figures per inhabitant and per officer: whose number divides, and that a missing one makes the figure unknown, never zero."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config import FeedConfig
from data_sources.areas.geojson import parse_geojson
from data_sources.feed import RawBatch
from metrics.city import City
from metrics.city.numbers import kpis, series
from metrics.city.numbers.sums import Choice
from metrics.periods import parse_period
from scope import scope_of
from store.areas import land_areas
from store.catalogue import put_agencies
from store.catalogue_files import CatalogueError, load_catalogue
from store.engine import Store
from store.rows import AgencyRow, AreaRow
from tests.signal_city import open_signals, see

WEEK = "2026-W45"


@pytest.fixture(params=("sqlite", "postgresql"))
def store(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    opened = open_signals(request.param, make_database)
    yield opened
    opened.dispose()


def value(city: City, key: str, **choice: str) -> float | None:
    (found,) = kpis.read(city, [key], parse_period(WEEK, city.today), Choice(**choice))
    return found.value


def test_the_province_is_divided_by_its_own_number(store: Store) -> None:
    city = see(store)
    assert value(city, "reports_received") == 14
    assert value(city, "reports_per_1000") == pytest.approx(14 / 100)


def test_an_area_and_an_agency_are_divided_by_the_people_of_their_area(store: Store) -> None:
    city = see(store)
    assert value(city, "reports_per_1000", area="00001") == pytest.approx(7 / 20)
    received = value(city, "dossiers_received", agency="H1.1")
    assert value(city, "dossiers_received_per_1000", agency="H1.1") == pytest.approx((received or 0) / 20)


def test_without_inhabitants_the_rate_is_unknown_and_the_count_stays(store: Store) -> None:
    city = see(store)
    (found,) = kpis.read(city, ["reports_per_1000"], parse_period(WEEK, city.today), Choice(area="00002"))
    assert (found.value, found.n) == (None, 7)


def test_without_a_province_of_its_own_the_communes_add_up_when_all_are_known(store: Store) -> None:
    def count(people: int | None) -> None:
        rows = (AreaRow("P", "Tỉnh", level="province"), AreaRow("00002", "B", parent_code="P", population=people))
        store.write(lambda connection: land_areas(connection, "areas", rows))

    count(None)
    assert value(see(store), "reports_per_1000") is None
    count(30_000)
    assert value(see(store), "reports_per_1000") == pytest.approx(14 / 50)


def test_officers_are_those_of_the_agency_and_all_below_it(store: Store) -> None:
    finished = value(see(store), "dossiers_finished", agency="H1.1")
    assert value(see(store), "dossiers_finished_per_officer", agency="H1.1") == pytest.approx((finished or 0) / 4)
    assert value(see(store), "dossiers_finished_per_officer", agency="H1") is None
    rows = [AgencyRow("H1", "Tỉnh", area_code="P", officers=1), AgencyRow("H1.2", "B", parent_code="H1", officers=5)]
    store.write(lambda connection: put_agencies(connection, rows))
    finished = value(see(store), "dossiers_finished")
    assert value(see(store), "dossiers_finished_per_officer", agency="H1") == pytest.approx((finished or 0) / 10)


def test_a_reader_of_a_part_gets_no_rate_of_the_whole(store: Store) -> None:
    own = see(store, scope_of("leader", agencies=("H1.1",)))
    assert value(own, "dossiers_received_per_1000") is None
    assert value(own, "dossiers_received_per_1000", agency="H1.1") is not None


def test_series_divide_each_area_by_its_own_people(store: Store) -> None:
    city = see(store)
    points = {point.group: point.value for point in series.read(city, "reports_per_1000", "area", parse_period(WEEK, city.today))}
    assert points == {"00001": pytest.approx(7 / 20), "00002": None}
    weeks = series.read(city, "reports_per_1000", "week", parse_period("2026-W44", city.today))
    assert [point.value for point in weeks] == [pytest.approx(14 / 100)]


def test_officers_come_with_the_list_of_agencies(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "agencies.csv"
    path.write_text("code,name,area_code,officers\nH1.2,B,00002,7\n", encoding="utf-8")
    load_catalogue(store, {"agencies": str(path)})
    finished = value(see(store), "dossiers_finished", agency="H1.2")
    assert value(see(store), "dossiers_finished_per_officer", agency="H1.2") == pytest.approx((finished or 0) / 7)
    path.write_text("code,name,officers\nH1.2,B,many\n", encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"agencies\.csv line 2: officers 'many' is no whole number"):
        load_catalogue(store, {"agencies": str(path)})


@pytest.mark.parametrize(
    ("given", "kept"), [(21_500, 21_500), ("21500", 21_500), (21_500.0, 21_500), (None, None), ("?", None), (-3, None)]
)
def test_inhabitants_come_with_the_areas(given: object, kept: int | None) -> None:
    square = {"type": "Polygon", "coordinates": [[[105.0, 21.0], [106.0, 21.0], [106.0, 22.0], [105.0, 22.0], [105.0, 21.0]]]}
    feature = {"type": "Feature", "properties": {"code": "00001", "name": "A", "population": given}, "geometry": square}
    feed = FeedConfig("areas", "areas", "geojson")
    parsed = parse_geojson(feed, RawBatch([feature], "1", "features"), datetime(2026, 11, 20, tzinfo=UTC))
    assert [row.population for row in parsed.areas] == [kept]
