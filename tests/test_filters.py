"""The filter grammar: text to filter and back, and conditions that keep exactly the rows it means, on both engines."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import text

from metrics.city import City, open_city
from metrics.city.lists.filter_fields import FIELDS
from metrics.city.lists.filters import narrowed, parse, told, written
from metrics.city.lists.known import known
from metrics.city.numbers import kpis
from metrics.city.numbers.sums import Choice
from metrics.city.records import dossiers, reports
from metrics.city.records.timing import soon_boundary
from metrics.periods import parse_period
from scope import DEMO_SCOPE
from store.engine import Store, open_store
from tests.small_city import CONFIG, NOW, TZ, fill, open_filled


@pytest.fixture(params=("sqlite", "postgresql"))
def store(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    store = open_filled(request.param, make_database)
    yield store
    store.dispose()


@pytest.fixture
def city(store: Store) -> City:
    return open_city(store, CONFIG, DEMO_SCOPE, NOW)


def kept(city: City, topic: str, **given: str) -> set[str]:
    """Numbers, without the office's letters, of the rows these parameters keep."""
    narrow = narrowed(city, topic, parse(topic, given))
    with city.store.reading() as connection:
        rows = connection.execute(text(f"SELECT d.source_id FROM core_{topic[:-1]} d WHERE 1 = 1{narrow.sql}"), narrow.values)
        return {row[0].removeprefix("H99-") for row in rows}


@pytest.mark.parametrize("given", [
    {"agency": "H2,H99.1", "area": "!00001", "domain": "-", "procedure": "!-"},
    {"state": "overdue", "timeliness": "!late,on_time", "status": "..4", "supplements": "2"},
    {"received": "2026-11-01..2026-11-05", "finished": "2026-11-07", "due": "..2026-11-30", "filed": "2026-01-01.."},
    {"hour": "8..11", "weekday": "1,2", "digitised": "yes", "paid_online": "!no", "q": "khai sinh", "period": "2026-11"},
])
def test_a_filter_says_itself_the_same_way_again(given: dict[str, str]) -> None:
    chosen = parse("dossiers", given)
    assert told(chosen) == given
    assert parse("dossiers", told(chosen)) == chosen


@pytest.mark.parametrize("code", ["a,b", "!x", "-", "a\\b", "..", "a..b", "rác, đường"])
def test_any_code_can_be_written_as_a_value(code: str) -> None:
    assert parse("reports", {"category": written([code, "z"])}).term("category").values == tuple(sorted((code, "z")))  # type: ignore[union-attr]
    assert told(parse("reports", {"category": written([code])})) == {"category": written([code])}
    if code != "-":
        assert parse("reports", {"category": written([code])}).only("category") == code


@pytest.mark.parametrize(("topic", "given"), [
    ("dossiers", {"state": "gone"}), ("dossiers", {"state": "-"}), ("dossiers", {"status": "x"}), ("dossiers", {"status": ".."}),
    ("dossiers", {"received": "2026-13-01"}), ("dossiers", {"received": "2026-11-01..x"}), ("dossiers", {"hour": "24"}),
    ("dossiers", {"weekday": "0"}), ("dossiers", {"digitised": "maybe"}), ("dossiers", {"period_on": "moon"}),
    ("dossiers", {"agency": ","}),
    ("reports", {"within": "1,2"}), ("stations", {"state": "x"}), ("dossiers", {"status": "nan"}), ("dossiers", {"status": "9" * 40}),
])
def test_what_cannot_be_meant_is_refused_by_name(topic: str, given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=f"^{next(iter(given))}: "):
        parse(topic, given)


@pytest.mark.parametrize(("given", "expected"), [
    ({"agency": "H99.1"}, "1 2 3 4 5 6 7 8 9 10 12"),  # the neighbour H99.14 is not below H99.1
    ({"agency": "!H99.1"}, "11"),
    ({"agency": "H99.1,H99.14", "status": "9"}, "5 6 7 8"),
    ({"status": "!9,4"}, "9 10 12"),
    ({"status": "5.."}, "5 6 7 8 9"),
    ({"due": "2026-11-25..", "status": "4"}, "1"),
    ({"due": "-"}, "4"),
    ({"due": "!-", "finished": "-", "status": "4"}, "1 2 3 11"),
    ({"finished": "2026-11-09..2026-11-10"}, "5 7"),
    ({"finished_hour": "11"}, "7"),
    ({"weekday": "1", "status": "4"}, "1 2 3 4 11"),  # 2 November 2026 is a Monday
    ({"state": "overdue,due_soon"}, "2 3 11"),
    ({"state": "late", "late_rule": "late_day"}, "6"),
    ({"q": "h99-000 đ1"}, "1 2 3 4 5 6 7 8 9"),
    ({"q": "0001"}, ""),
    ({"area": "!-"}, ""),
    ({"area": "!00001"}, "1 2 3 4 5 6 7 8 9 10 11 12"),
    ({"period": "2026-11", "state": "finished"}, "5 6 7 8"),
    ({"digitised": "yes"}, ""),
    ({"supplements": "0", "id": "H99-0003,H99-0010"}, "3 10"),
])
def test_each_value_keeps_its_dossiers(city: City, given: dict[str, str], expected: str) -> None:
    assert kept(city, "dossiers", **given) == {f"{int(number):04}" for number in expected.split()}


@pytest.mark.parametrize(("given", "expected"), [
    ({"category": written(["rác"])}, "R1 R2"), ({"category": "!rác"}, "R3 R4"), ({"q": "duong"}, "R3 R4"), ({"q": "RAC r1"}, "R1"),

    ({"urgent": "yes"}, "R4"), ({"urgent": "!yes"}, "R1 R2 R3"), ({"duplicate": "-"}, "R1 R2 R3 R4"), ({"agency": "-"}, "R2 R3 R4"),
    ({"area": "00001"}, "R1"), ({"closed": "2026-11-08..2026-11-09"}, "R2"),
    ({"rating": "-"}, "R1 R2 R3 R4"), ({"within": "-"}, "R1 R2 R3 R4"),
    ({"timeliness": "late,overdue"}, "R1 R3"),
])
def test_each_value_keeps_its_reports(city: City, given: dict[str, str], expected: str) -> None:
    assert kept(city, "reports", **given) == set(expected.split())


@pytest.mark.parametrize("rule", ["late_instant", "late_day"])
def test_timeliness_keeps_the_rows_that_show_it(city: City, rule: str) -> None:
    shown: dict[str, set[str]] = {}
    with city.store.reading() as connection:
        for row in connection.execute(text("SELECT * FROM core_dossier")).mappings():
            verdict = dossiers.timeliness(city, dict(row), rule, soon_boundary(city))
            shown.setdefault(verdict, set()).add(row["source_id"].removeprefix("H99-"))
        for row in connection.execute(text("SELECT * FROM core_report")).mappings():
            shown.setdefault("report " + reports.timeliness(city, dict(row), soon_boundary(city)), set()).add(row["source_id"])
    verdicts = [value for field in FIELDS["dossiers"] if field.key == "timeliness" for value in field.values]
    for verdict in verdicts:
        assert kept(city, "dossiers", timeliness=verdict, late_rule=rule) == shown.get(verdict, set())
        if verdict != "waiting":
            assert kept(city, "reports", timeliness=verdict) == shown.get(f"report {verdict}", set())


def test_columns_tell_what_a_filter_looks_at(city: City) -> None:
    chosen = parse("dossiers", {"agency": "H99.1", "area": "00001", "domain": "D1", "q": "d1"})
    assert narrowed(city, "dossiers", chosen).columns >= {"agency_code", "domain_code"}
    assert narrowed(city, "dossiers", parse("dossiers", {"agency": "H99.1"}), "").columns == {"agency_code"}
    assert "d." not in narrowed(city, "dossiers", parse("dossiers", {"state": "overdue", "q": "H99"}), "").sql


def test_an_area_means_all_below_it_in_figures_and_lists(engine_url: str) -> None:
    store = open_store(engine_url, TZ)
    fill(store)
    with store.writing() as connection:
        connection.execute(text("UPDATE core_area SET parent_code = 'P' WHERE code = '00001'"))
        connection.execute(text("UPDATE core_area SET parent_code = '00001' WHERE code = '00002'"))
    city = open_city(store, CONFIG, DEMO_SCOPE, NOW)
    month = parse_period("2026-11", city.today)
    for area, expected in (("P", {"R1"}), ("00001", {"R1"}), ("00002", set())):
        assert kept(city, "reports", area=area) == expected
        assert kpis.read(city, ["reports_received"], month, Choice(area=area))[0].value == len(expected)
    assert known(city, "area").below(["P"]) == ("00001", "00002", "P")
    store.dispose()
