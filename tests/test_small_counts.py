"""Small counts: withheld from readers without the right to them, never as 0, and not to be had by subtraction."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.city import City, areas, open_city
from metrics.city.findings import hotspots
from metrics.city.numbers import kpis, series
from metrics.city.numbers.small_counts import LEAST, SUPPRESSED, WITHHELD, Cells, in_subtree, states, withhold
from metrics.city.numbers.sums import Choice
from metrics.kpis import KPIS, kpi
from metrics.periods import parse_period
from scope import Scope, scope_of
from store.engine import Store
from tests.desk_province import config_of, make_store, moment_now

VIEWER, LEADER = scope_of("viewer", actor="v"), scope_of("leader", actor="l")
HAS_GROUPS = [row for row in KPIS if row.formula is not None or row.key in series.GROUPED]  # the others are of the whole only
GROUPED = [(row.key, by) for row in HAS_GROUPS for by in series.GROUPS.get(row.topic, ())]
COUNTS = st.dictionaries(st.text(alphabet="abcdefgh", min_size=1, max_size=2), st.integers(0, 12) | st.integers(0, 60), max_size=7)


def solutions(cells: Cells, counts: dict[str, int]) -> dict[str, set[int]]:
    """Every value each small cell can have, for a reader who sees the rest, the total, and knows what "<5" and "hidden" mean."""
    hidden = sum(counts[key] for key in cells.small | cells.beside)
    small, beside = sorted(cells.small), len(cells.beside)
    # the smallest others were taken, so none of them is larger than what is left
    highest = min((n for key, n in counts.items() if n >= LEAST and key not in cells.beside), default=hidden)
    found: dict[str, set[int]] = {key: set() for key in small}
    for values in product(range(1, LEAST), repeat=len(small)):
        rest = hidden - sum(values)
        if LEAST * beside <= rest <= highest * beside:
            for key, value in zip(small, values, strict=True):
                found[key].add(value)
    return found


@given(COUNTS)
def test_no_small_cell_follows_from_the_total_and_the_cells_told(counts: dict[str, int]) -> None:
    cells = withhold(counts)
    assert cells.small == {key for key, n in counts.items() if 0 < n < LEAST}
    assert not cells.beside & cells.small and all(counts[key] >= LEAST for key in cells.beside)
    if not cells.tells_all:
        assert all(len(values) > 1 for values in solutions(cells, counts).values())
    else:
        assert cells.small | cells.beside == {key for key, n in counts.items() if n}


@given(COUNTS)
def test_nothing_is_hidden_where_nothing_is_small(counts: dict[str, int]) -> None:
    assert (withhold(counts) == Cells()) == (not any(0 < n < LEAST for n in counts.values()))


def test_a_lone_small_cell_takes_the_smallest_other_with_it() -> None:
    assert withhold({"a": 3, "b": 40, "c": 9, "d": 0}) == Cells(frozenset("a"), frozenset("c"))
    assert withhold({"a": 1, "b": 5, "c": 90}).beside == frozenset("bc")  # 6 in all: 1 + 5 is the only way
    assert withhold({"a": 4, "b": 4}).tells_all and withhold({"a": 3}).tells_all


def test_a_share_hides_with_the_few_it_is_made_of() -> None:
    row = kpi("dossiers_on_time_pct")
    found = states(row, {"few": (100.0, 3), "late": (95.0, 40), "clear": (50.0, 60), "all": (100.0, 50)})
    assert found["few"] == found["late"] == SUPPRESSED and "all" not in found
    assert found.get("clear") in (None, WITHHELD)


def test_a_unit_above_a_hidden_one_is_hidden_but_not_its_neighbour() -> None:
    assert in_subtree("H1", {"H1.2"}) and in_subtree("H1.2", {"H1.2"}) and not in_subtree("H1.2", {"H1.25"})


# --- the province ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def province(make_database: Any) -> Iterator[Store]:
    store = make_store(make_database("sqlite"))
    yield store
    store.dispose()


def city_of(store: Store, scope: Scope) -> City:
    return open_city(store, config_of(""), scope, moment_now())


@pytest.mark.parametrize(("key", "by"), GROUPED)
def test_a_viewer_gets_no_small_count_of_any_breakdown(province: Store, key: str, by: str) -> None:
    month = parse_period("last_30d", city_of(province, VIEWER).today)
    whole = {p.group: p for p in series.read(city_of(province, LEADER), key, by, month)}
    for point in series.read(city_of(province, VIEWER), key, by, month):
        if point.state:
            assert point.value is None and point.n is None and point.state in (SUPPRESSED, WITHHELD)
        else:
            assert (point.value, point.n) == (whole[point.group].value, whole[point.group].n)
            assert point.n == 0 or (point.n or 0) >= LEAST
            if kpi(key).measure_unit in ("dossier", "report"):
                assert not 0 < (point.value or 0) < LEAST


def test_the_province_has_small_cells_or_these_tests_show_nothing(province: Store) -> None:
    month = parse_period("last_30d", city_of(province, VIEWER).today)
    found = [p.state for key, by in GROUPED for p in series.read(city_of(province, VIEWER), key, by, month)]
    assert found.count(SUPPRESSED) > 20 and WITHHELD in found
    assert not [p for key, by in GROUPED for p in series.read(city_of(province, LEADER), key, by, month) if p.state]


@pytest.mark.parametrize("key", ["dossiers_overdue", "dossiers_on_time_pct", "reports_overdue", "reports_received"])
def test_a_figure_of_one_unit_hides_as_its_cell_does(province: Store, key: str) -> None:
    city = city_of(province, VIEWER)
    month = parse_period("last_30d", city.today)
    for point in series.read(city, key, "agency", month)[:12]:
        (value,) = kpis.read(city, [key], month, Choice(agency=point.group))
        assert (value.value, bool(value.state)) == (point.value, bool(point.state)), point.group
        assert value.delta is None or value.value is not None


def test_days_of_one_unit_hide_their_small_counts(province: Store) -> None:
    city = city_of(province, VIEWER)
    days = series.read(city, "reports_received", "day", parse_period("last_30d", city.today), Choice(area="A03"))
    assert any(p.state for p in days) and not [p for p in days if p.value and p.value < LEAST]


def test_days_of_the_whole_province_hide_small_counts_only(province: Store) -> None:
    month = parse_period("last_30d", city_of(province, VIEWER).today)
    seen = series.read(city_of(province, VIEWER), "reports_received", "day", month)
    known = {p.group: p for p in series.read(city_of(province, LEADER), "reports_received", "day", month)}
    for point in seen:
        assert (point.state == SUPPRESSED) == (0 < (known[point.group].value or 0) < LEAST)
        assert point.state or point == known[point.group]


def test_the_whole_provinces_figures_are_told(province: Store) -> None:
    for value in kpis.read(city_of(province, VIEWER), [], parse_period("last_30d", city_of(province, VIEWER).today)):
        assert not value.state or (value.value is None and value.n is None)
    (open_now,) = kpis.read(city_of(province, VIEWER), ["dossiers_open"], parse_period("today", city_of(province, VIEWER).today))
    assert open_now.value and not open_now.state


def test_counts_by_area_and_cells_of_the_map_hide_too(province: Store) -> None:
    city = city_of(province, VIEWER)
    found = areas.counts(city, "reports_overdue", parse_period("today", city.today))
    assert not [p for p in found.values() if p.value and p.value < LEAST]
    for cell in hotspots.read(city, 250):
        assert cell.open is None or cell.open >= LEAST
        assert cell.overdue is None or cell.overdue == 0 or cell.overdue >= LEAST


def test_a_lone_report_is_a_point_without_a_number() -> None:
    cells = [hotspots.Cell(107.3, 20.9, 40, 9), hotspots.Cell(107.1, 20.9, 1, 0), hotspots.Cell(107.2, 20.9, 12, 2)]
    assert hotspots.without_small(cells) == (
        hotspots.Cell(107.1, 20.9, None, 0), hotspots.Cell(107.2, 20.9, None, None), hotspots.Cell(107.3, 20.9, 40, None),
    )
