"""What many readers ask for at once is worked out once, for those with the same rights, while the revision stands."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import event, text

from metrics.city import City, open_city
from metrics.city.numbers import kpis
from metrics.city.numbers.sums import Choice
from metrics.city.remembered import Remembered
from metrics.periods import parse_period
from metrics.rollups import clock_step, drain, rebuild
from scope import scope_of
from store.catalogue import put_agencies
from store.days import DAY, instant
from store.engine import Store, open_store
from store.landing import Landing, land
from store.revisions import bump
from store.rows import AgencyRow, DossierRow, Parsed
from tests.small_city import CONFIG, NOW, TZ

AT = instant(NOW)
WEEK = parse_period(f"{NOW.date()}..{NOW.date()}", NOW.date())


@pytest.fixture
def store(sqlite_database: str) -> Store:
    return open_store(sqlite_database, TZ)


def received(city: City) -> float | None:
    return kpis.read(city, ["dossiers_received"], WEEK)[0].value


def bring(store: Store, name: str, agency: str = "H99.1") -> None:
    row = DossierRow(name, agency=agency, status=4, received_at=AT - 1_000_000, due_at=AT + DAY)
    land(store, Parsed(dossiers=(row,), item_count=1), Landing("one_stop", "one_stop", AT))
    clock_step(store, AT)
    drain(store, AT)


def test_readers_who_ask_at_once_wait_for_one_computation() -> None:
    shared, made, go = Remembered(), list[int](), threading.Event()

    def make() -> int:
        go.wait(10)
        made.append(1)
        return 7

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(shared.of, "a", make) for _ in range(8)]
        go.set()
        assert [one.result(10) for one in asked] == [7] * 8
    assert made == [1]


def test_a_failure_is_not_kept() -> None:
    shared = Remembered()
    with pytest.raises(ZeroDivisionError):
        shared.of("a", lambda: 1 // 0)
    assert shared.of("a", lambda: 2) == 2


def test_the_memory_is_bounded_and_the_oldest_go() -> None:
    shared, made = Remembered(limit=3), list[int]()
    for n in (1, 2, 3, 4, 1):
        shared.of(n, lambda n=n: made.append(n))
    assert made == [1, 2, 3, 4, 1]


def test_a_new_revision_is_answered_anew(store: Store) -> None:
    shared = Remembered()
    bring(store, "a")
    before = received(open_city(store, CONFIG, scope_of("analyst"), NOW, shared))
    bring(store, "b")
    assert (before, received(open_city(store, CONFIG, scope_of("analyst"), NOW, shared))) == (1.0, 2.0)


def test_an_answer_is_kept_while_its_revision_stands(store: Store) -> None:
    shared = Remembered()
    bring(store, "a")
    first = open_city(store, CONFIG, scope_of("analyst"), NOW, shared)
    answers = kpis.read(first, [], WEEK)
    again = open_city(store, CONFIG, scope_of("analyst"), NOW, shared)
    assert kpis.read(again, [], WEEK) is answers


def test_other_rights_get_an_answer_of_their_own(store: Store) -> None:
    shared = Remembered()
    bring(store, "a")
    bring(store, "b", agency="H99.2")
    limited = replace(scope_of("analyst"), agencies=("H99.1",))
    assert received(open_city(store, CONFIG, scope_of("analyst"), NOW, shared)) == 2.0
    assert received(open_city(store, CONFIG, limited, NOW, shared)) == 1.0


def test_a_dossier_of_a_past_day_that_comes_late_is_counted(store: Store) -> None:
    shared = Remembered()
    bring(store, "a")
    week = parse_period("last_7d", NOW.date())

    def count() -> float | None:
        return kpis.read(open_city(store, CONFIG, scope_of("analyst"), NOW, shared), ["dossiers_received"], week)[0].value

    before = count()
    row = DossierRow("late", agency="H99.1", status=4, received_at=AT - 3 * DAY, due_at=AT + DAY)
    land(store, Parsed(dossiers=(row,), item_count=1), Landing("one_stop", "one_stop", AT))
    drain(store, AT)
    assert (before, count()) == (1.0, 2.0)


def test_an_agency_that_moves_takes_its_dossiers_with_it(store: Store) -> None:
    shared = Remembered()

    def place(area: str) -> None:
        store.write(lambda connection: put_agencies(connection, [AgencyRow("H99.1", "Sở Một", area_code=area)]))

    def count(area: str, minutes: int) -> float | None:
        later = replace(open_city(store, CONFIG, scope_of("analyst"), NOW, shared), as_of=AT + minutes * 60_000_000)
        return kpis.read(later, ["dossiers_received"], WEEK, Choice(area=area))[0].value

    place("old")
    bring(store, "a")
    assert (count("old", 0), count("new", 0)) == (1.0, 0.0)
    place("new")
    assert (count("old", 1), count("new", 1)) == (0.0, 1.0)


def test_days_are_summed_anew_after_a_rebuild(store: Store) -> None:
    shared = Remembered()
    bring(store, "a")
    before = received(open_city(store, CONFIG, scope_of("analyst"), NOW, shared))
    with store.writing() as connection:  # what a rebuild is for: the rows are no longer what was counted
        connection.execute(text("DELETE FROM core_dossier"))
        bump(connection, "dossiers", AT)
    rebuild(store, AT)
    assert (before, received(open_city(store, CONFIG, scope_of("analyst"), NOW, shared))) == (1.0, 0.0)


def test_only_the_days_that_were_folded_are_summed_again(store: Store) -> None:
    shared, summed = Remembered(), list[object]()
    week = parse_period("last_7d", NOW.date())
    for days in range(5):
        row = DossierRow(f"d{days}", agency="H99.1", status=4, received_at=AT - days * DAY - 1_000_000, due_at=AT + 9 * DAY)
        land(store, Parsed(dossiers=(row,), item_count=1), Landing("one_stop", "one_stop", AT))
    clock_step(store, AT)
    drain(store, AT)

    @event.listens_for(store.engine, "after_cursor_execute")
    def note(connection: object, cursor: object, statement: str, parameters: object, context: object, many: bool) -> None:
        if "FROM rollup_dossier_day WHERE day" in statement:
            summed.append(parameters)

    kpis.read(open_city(store, CONFIG, scope_of("analyst"), NOW, shared), ["dossiers_received"], week)
    assert summed
    summed.clear()
    bring(store, "e")  # received today, due tomorrow: nothing of the days before moves
    kpis.read(open_city(store, CONFIG, scope_of("analyst"), NOW, shared), ["dossiers_received"], week)
    today = open_city(store, CONFIG, scope_of("analyst"), NOW).today_on
    assert summed and all(on >= today for days in summed for on in days)  # type: ignore[attr-defined]
