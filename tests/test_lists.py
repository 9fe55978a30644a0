"""Lists of dossiers and reports on both engines: states, order, pages, rights, plans; areas by day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import reduce
from typing import Any

import pytest
from sqlalchemy import text

from metrics.city import City, areas, open_city
from metrics.city.lists.paging import statement
from metrics.city.numbers import kpis
from metrics.city.records import dossiers, reports
from metrics.city.records.dossiers import STATES, DossierFilter
from metrics.city.records.reports import ReportFilter
from metrics.periods import parse_period
from scope import DEMO_SCOPE, Forbidden, scope_of
from store.engine import Store
from tests.small_city import CONFIG, NOW, SQUARE, at, open_filled


@pytest.fixture(params=("sqlite", "postgresql"))
def store(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    """A filled store; the test runs once on each engine."""
    store = open_filled(request.param, make_database)
    yield store
    store.dispose()


@pytest.fixture
def city(store: Store) -> City:
    return open_city(store, CONFIG, DEMO_SCOPE, NOW)


def ids(city: City, **chosen: Any) -> list[str]:
    return [row.source_id.removeprefix("H99-") for row in dossiers.read(city, DossierFilter(**chosen)).rows]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("open", ["0002", "0011", "0009", "0003", "0001", "0004"]),  # most overdue first, without due date last
        ("overdue", ["0002", "0011"]),
        ("due_soon", ["0003"]),
        ("waiting", ["0009"]),
        ("no_due", ["0004"]),
        ("ended_before_start", ["0008"]),
        ("new", ["0010"]),
        ("refused", ["0012"]),
        ("finished", ["0006", "0007", "0005", "0008"]),
        ("late", ["0006", "0007"]),
    ],
)
def test_each_state_lists_its_dossiers_in_order(city: City, state: str, expected: list[str]) -> None:
    assert ids(city, state=state) == expected


def test_the_day_rule_forgives_hours(city: City) -> None:
    assert ids(city, state="late", late_rule="late_day") == ["0006"]


@pytest.mark.parametrize(
    ("key", "state"),
    [
        ("dossiers_overdue", "overdue"),
        ("dossiers_open", "open"),
        ("dossiers_due_2wd", "due_soon"),
        ("dossiers_late", "late"),
        ("dossiers_received", "received"),
        ("dossiers_finished", "finished"),
    ],
)
@pytest.mark.parametrize("rule", ["late_instant", "late_day"])
def test_a_list_has_as_many_rows_as_its_tile_says(city: City, key: str, state: str, rule: str) -> None:
    month = parse_period("2026-11", city.today)
    value = kpis.read(city, [key], month, late_rule=rule)[0].value
    assert value is not None and value > 0
    assert dossiers.total(city, DossierFilter(state=state, period=month, late_rule=rule)) == value


@pytest.mark.parametrize(
    ("key", "state"),
    [
        ("reports_open", "open"),
        ("reports_overdue", "overdue"),
        ("reports_received", "received"),
        ("reports_resolved", "finished"),
    ],
)
def test_a_report_list_has_as_many_rows_as_its_tile_says(city: City, key: str, state: str) -> None:
    month = parse_period("2026-11", city.today)
    assert reports.total(city, ReportFilter(state=state, period=month)) == kpis.read(city, [key], month)[0].value


@pytest.mark.parametrize("state", [state.key for state in STATES])
def test_pages_of_one_row_give_the_whole_list_once(city: City, state: str) -> None:
    whole = [row.source_id for row in dossiers.read(city, DossierFilter(state=state)).rows]
    found, cursor = [], ""
    for _ in range(len(whole)):
        page = dossiers.read(city, DossierFilter(state=state), limit=1, cursor=cursor)
        found += [row.source_id for row in page.rows]
        cursor = page.next_cursor
    assert (found, cursor) == (whole, "")
    assert len(set(whole)) == len(whole) == page.total


def test_a_cursor_of_another_order_is_refused(city: City) -> None:
    cursor = dossiers.read(city, DossierFilter(state="open"), limit=1).next_cursor
    assert cursor
    for wrong in (cursor, "garbage", "W10", "é", cursor[:-3]):
        with pytest.raises(ValueError, match="cursor"):
            dossiers.read(city, DossierFilter(state="finished"), cursor=wrong)


def test_a_subtree_takes_no_neighbour_by_prefix(city: City) -> None:
    agency = replace(DossierFilter().choice, agency="H99.1")
    assert "0011" not in ids(city, choice=agency, state="open")
    assert len(ids(city, choice=agency, state="open")) == 5


def test_rows_outside_the_scope_are_neither_listed_nor_opened(city: City) -> None:
    narrow = replace(city, scope=scope_of("analyst", agencies=("H99.14",)))
    assert ids(narrow) == ["0011"]
    assert dossiers.total(narrow) == 1
    assert dossiers.one(narrow, "one_stop", "H99-0001") is None
    assert dossiers.one(narrow, "", "H99-0011") is not None


def test_a_scope_without_the_permission_lists_nothing(city: City) -> None:
    for ask in (lambda c: dossiers.total(c), lambda c: reports.read(c), lambda c: list(dossiers.every(c))):
        with pytest.raises(Forbidden):
            ask(replace(city, scope=scope_of("display")))


def test_remaining_working_days_skip_the_weekend_and_stand_while_stopped(city: City) -> None:
    rows = {row.source_id: row for row in dossiers.read(city, DossierFilter()).rows}
    assert rows["H99-0003"].days_left == pytest.approx(0.88, abs=0.01)  # Friday 10:00 to Monday 09:00
    assert rows["H99-0009"].days_left == 3.0  # stopped on the 9th, due on the 12th: still three days
    assert (rows["H99-0004"].days_left, rows["H99-0005"].days_left) == (None, None)
    assert {key: rows[f"H99-{key}"].timeliness for key in ("0001", "0002", "0003", "0004", "0005", "0006", "0009", "0010")} == {
        "0001": "in_time",
        "0002": "overdue",
        "0003": "due_soon",
        "0004": "no_due",
        "0005": "early",
        "0006": "late",
        "0009": "waiting",
        "0010": "",
    }


def test_one_dossier_tells_its_versions_steps_and_stops(city: City) -> None:
    found = dossiers.one(city, "", "H99-0001")
    assert found is not None
    assert [step.name for step in found.steps] == ["tiếp nhận", "thẩm định"]
    assert [len(version.changes) for version in found.versions] == [0, 1]
    change = found.versions[1].changes[0]
    assert (change.field, change.before, change.after) == ("due_at", at(25), at(27))
    stopped = dossiers.one(city, "one_stop", "H99-0009")
    assert stopped is not None and stopped.stops == ((at(9), None),)


def test_search_finds_numbers_by_their_beginning_only(city: City) -> None:
    assert ids(city, search="H99-001") == ["0011", "0012", "0010"]
    assert ids(city, search="99") == ids(city, search="H99-0_") == ids(city, search="%") == []


@pytest.mark.parametrize(
    ("chosen", "index"),
    [
        (DossierFilter(state="overdue"), "ix_dossier_open"),
        (DossierFilter(state="due_soon"), "ix_dossier_open"),
        (DossierFilter(state="open"), "ix_dossier_open"),
        (DossierFilter(state="new"), "ix_dossier_outside"),
        (DossierFilter(state="late", period=parse_period("2026-11", NOW.date())), "ix_dossier_finished"),
        (DossierFilter(period=parse_period("2026-11", NOW.date())), "ix_dossier_received"),
        (DossierFilter(search="H99-00"), "KEY"),
    ],
)
@pytest.mark.parametrize("after", [False, True])
def test_no_list_scans_history(city: City, chosen: DossierFilter, index: str, after: bool) -> None:
    if not city.store.is_sqlite:
        pytest.skip("the planner of PostgreSQL scans a table of 12 rows, rightly")
    query = dossiers.query(city, chosen)
    places = {f"after_{n}": 1 for n in range(4)} if after else {}
    with city.store.reading() as connection:
        plan = connection.execute(
            text("EXPLAIN QUERY PLAN " + statement(query, after=after)), {**query.values, **places, "page_size": 10}
        ).all()
    told = " | ".join(str(row[3]) for row in plan)
    if index == "KEY":  # by key, or along an index in the list's order
        assert "SEARCH d" in told
    else:
        walked = (f"SCAN d USING INDEX {index}", f"SCAN d USING COVERING INDEX {index}", "SCAN k")  # k: the keys of the page
        assert index in told and "SCAN" not in reduce(lambda left, walk: left.replace(walk, ""), walked, told)


def test_free_text_is_for_those_who_may_read_it(city: City) -> None:
    assert reports.read(city, ReportFilter(search="R1")).rows[0].description == "@SUM(A1)"
    leader = replace(city, scope=scope_of("leader"))
    assert reports.read(leader, ReportFilter(search="R1")).rows[0].description is None


def test_areas_are_those_valid_on_the_day(city: City) -> None:
    assert [(area.code, area.name) for area in areas.polygons(city)] == [("00001", "B"), ("00002", "C")]
    assert [area.name for area in areas.polygons(city, date(2024, 10, 4))] == ["A", "C"]
    assert areas.polygons(city)[1].geometry == SQUARE
    narrow = replace(city, scope=scope_of("analyst", areas=("00002",)))
    assert [area.code for area in areas.polygons(narrow)] == ["00002"]


def test_a_kpi_is_counted_by_area(city: City) -> None:
    month = parse_period("2026-11", city.today)
    assert areas.counts(city, "reports_overdue", month)["00001"].value == 1
    with pytest.raises(ValueError, match="vn_aqi"):
        areas.counts(city, "vn_aqi", month)
