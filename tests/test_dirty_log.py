"""Which cells a change logs: all that its counts can move, found by random histories; and no column forgotten."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import text

from metrics import rollups
from metrics.flows import DOSSIER_DAY, REPORT_DAY, FlowSource
from metrics.rollups import clock_step, drain, fold_topic, rebuild
from store.days import DAY, HOUR
from store.engine import Store, open_store
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import DossierRow, Parsed, ReportRow, Stop
from store.versioned import DOSSIERS, REPORTS, Kind
from tests.test_store import TZ, at

START = at(1)


@pytest.fixture
def store(engine_url: str) -> Iterator[Store]:
    store = open_store(engine_url, TZ)
    migrate(store)
    yield store
    store.dispose()


def cells(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """All rows of the flow roll-ups."""
    found = {}
    with store.reading() as connection:
        for table in ("rollup_dossier_day", "rollup_report_day"):
            found[table] = sorted(tuple(row) for row in connection.execute(text(f"SELECT * FROM {table}")))
    return found


def some_dossier(draw: random.Random, number: int, version: int) -> DossierRow:
    """A dossier in any state, its dates around the clock's course."""
    received = START + draw.randrange(0, 6 * 24) * HOUR
    status = draw.choice((0, 1, 2, 3, 4, 5, 7, 9, 10))
    finished = received + draw.randrange(-24, 12 * 24) * HOUR if status in (7, 9, 10) else None
    stop = Stop(received + HOUR, draw.choice((None, received + 2 * DAY)))
    return DossierRow(
        f"d{number}", agency=draw.choice("AB"), domain_code=draw.choice("XY"),
        channel=draw.choice(("direct", "online", "postal")),
        status=status, filed_at=received - HOUR, received_at=received if draw.random() < 0.9 else None, finished_at=finished,
        due_at=received + draw.randrange(0, 12 * 24) * HOUR if draw.random() < 0.8 else None, supplement_count=draw.randrange(3),
        second_supplement_at=received + draw.randrange(-24, 12 * 24) * HOUR if draw.random() < 0.4 else None,
        version=version, stops=(stop,) if draw.random() < 0.3 else (),
    )


def some_report(draw: random.Random, number: int, version: int) -> ReportRow:
    """A report in any state."""
    received = START + draw.randrange(0, 6 * 24) * HOUR
    is_closed = draw.random() < 0.5
    return ReportRow(
        f"r{number}", draw.choice(("trash", "road")), agency=draw.choice("AB"), area=draw.choice("PQ"), received_at=received,
        status=draw.choice(("closed", "refused") if is_closed else ("new", "in_progress", "reopened")),
        closed_at=received + draw.randrange(-12, 8 * 24) * HOUR + draw.randrange(60) * HOUR // 60 if is_closed else None,
        due_at=received + draw.randrange(0, 8 * 24) * HOUR if draw.random() < 0.8 else None, is_urgent=draw.random() < 0.2,
        is_duplicate=draw.choice((None, False, True)), rating=draw.choice((None, 0, 1, 3)), version=version,
        reopened_count=draw.choice((None, None, 0, 1)), returned_count=draw.choice((None, 0, 2)),
    )


@pytest.mark.parametrize("seed", range(4))
def test_what_the_log_names_is_all_that_has_changed(store: Store, seed: int) -> None:
    draw = random.Random(seed)
    clock = START
    for turn in range(25):
        dossiers = {n: some_dossier(draw, n, draw.randrange(turn + 2)) for n in draw.sample(range(30), 6)}
        reports = {n: some_report(draw, n, draw.randrange(turn + 2)) for n in draw.sample(range(30), 6)}
        land(store, Parsed(dossiers=tuple(dossiers.values())), Landing("one_stop", "one_stop", clock))
        land(store, Parsed(reports=tuple(reports.values())), Landing("feedback", "feedback", clock, watched=frozenset({"reopened"})))
        if draw.random() < 0.5:
            drain(store, clock)
        if draw.random() < 0.5:
            clock += draw.randrange(1, 48) * HOUR
            clock_step(store, clock)
    drain(store, clock)
    folded = cells(store)
    rebuild(store, clock)
    assert folded == cells(store)
    assert folded["rollup_dossier_day"] and folded["rollup_report_day"]


@pytest.mark.parametrize(("kind", "sources"), [(DOSSIERS, DOSSIER_DAY), (REPORTS, REPORT_DAY)], ids=("dossiers", "reports"))
def test_the_log_watches_every_column_the_counts_look_at(kind: Kind, sources: Sequence[FlowSource]) -> None:
    watched = {day.column: set(re.findall(r"r\.(\w+)", " ".join((day.where, *day.counted)))) for day in kind.days}
    of_rows = [source for source in sources if source.table == kind.table.name]
    assert {source.day for source in of_rows} == watched.keys()
    for source in of_rows:
        looked_at = set(re.findall(r"r\.(\w+)", " ".join((source.where, *source.columns.values()))))
        assert looked_at - {source.day} <= watched[source.day], source.day


def test_a_due_date_far_ahead_is_not_logged_until_the_clock_nears_it(store: Store) -> None:
    row = DossierRow("1", agency="A", domain_code="D", status=4, received_at=at(2), due_at=at(20), version=1)
    land(store, Parsed(dossiers=(row,)), Landing("one_stop", "one_stop", at(3)))
    with store.reading() as connection:
        logged = connection.execute(text("SELECT bucket FROM ops_dirty")).scalars().all()
    assert logged == [store.days.on(at(2))]


def test_a_cell_named_again_further_down_the_log_is_computed_but_once(store: Store) -> None:
    def bring(*rows: DossierRow) -> None:
        land(store, Parsed(dossiers=rows, item_count=len(rows)), Landing("f", "one_stop", START + DAY))

    clock_step(store, START + DAY)
    bring(DossierRow("1", agency="A", domain_code="X", status=2, received_at=START, version=1))
    bring(DossierRow("2", agency="B", domain_code="X", status=2, received_at=START, version=1))
    bring(DossierRow("3", agency="A", domain_code="X", status=2, received_at=START + HOUR, version=1))
    assert fold_topic(store, "dossiers", START + DAY, 1)[0] == 2, "the log names A's day twice"
    with store.reading() as connection:
        assert connection.execute(text("SELECT agency_code, received FROM rollup_dossier_day")).all() == [("A", 2)]
        assert connection.execute(text("SELECT DISTINCT k1 FROM ops_dirty")).scalars().all() == ["B"]
    drain(store, START + DAY)
    with store.reading() as connection:
        found = connection.execute(text("SELECT agency_code, received FROM rollup_dossier_day ORDER BY 1")).all()
    assert found == [("A", 2), ("B", 1)]


def between(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen once, between a round's computing and its writing."""
    compute, left = rollups._compute, [happens]

    def computed(*args: Any) -> rollups.Computed:
        made = compute(*args)
        if left:
            left.pop()()
        return made

    monkeypatch.setattr(rollups, "_compute", computed)


def received(store: Store) -> Sequence[Any]:
    """(agency, dossiers received) of the roll-up."""
    with store.reading() as connection:
        return connection.execute(text("SELECT agency_code, received FROM rollup_dossier_day ORDER BY 1")).all()


def bring_one(store: Store, number: int) -> None:
    """A dossier received by agency A on the first day."""
    row = DossierRow(str(number), agency="A", domain_code="X", status=2, received_at=START, version=1)
    land(store, Parsed(dossiers=(row,)), Landing("f", "one_stop", START + DAY))


def test_what_lands_while_a_round_is_computed_is_in_the_next(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    clock_step(store, START + DAY)
    bring_one(store, 1)
    between(monkeypatch, lambda: bring_one(store, 2))
    fold_topic(store, "dossiers", START + DAY, 100)
    assert received(store) == [("A", 1)] and rollups.backlog(store) > 0
    drain(store, START + DAY)
    assert received(store) == [("A", 2)] and rollups.backlog(store) == 0


def test_a_round_that_another_fold_has_overtaken_writes_nothing_old(
    make_database: Callable[..., str], monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = open_store(make_database("sqlite"), TZ)  # on PostgreSQL folds wait for each other from their first statement on
    migrate(store)
    clock_step(store, START + DAY)
    bring_one(store, 1)

    def overtake() -> None:
        bring_one(store, 2)
        drain(store, START + DAY)
        bring_one(store, 3)  # its log row must not be taken for the one that is gone

    between(monkeypatch, overtake)
    fold_topic(store, "dossiers", START + DAY, 100)
    drain(store, START + DAY)
    assert received(store) == [("A", 3)] and rollups.backlog(store) == 0
    store.dispose()


def test_postgresql_neither_compiles_our_short_statements_nor_fears_seeks(store: Store) -> None:
    if store.is_sqlite:
        pytest.skip("these are settings of PostgreSQL's planner")
    with store.reading() as connection:
        assert connection.exec_driver_sql("SHOW jit").scalar_one() == "off"
        assert float(connection.exec_driver_sql("SHOW random_page_cost").scalar_one()) == 1.1
