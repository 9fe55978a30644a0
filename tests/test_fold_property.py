"""Whatever the order, split and repetition of deliveries: the roll-ups equal the core rows, on both engines."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from metrics.rollups import backlog, clock_step, drain, fold, read_clock, rebuild
from store.engine import Store, open_store
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import DatastreamRow, DossierRow, Parsed, ReadingRow, ReportRow, StationRow
from tests.oracle_rollups import rollup_differences, rollup_rows
from tests.small_worlds import BASE, HALF_HOUR, SLOTS, TZ, Clock, Fold, measured, versioned, wipe

END = BASE + SLOTS * HALF_HOUR
ROLES = {"dossiers": "one_stop", "reports": "feedback", "readings": "sensors"}
DONE = (7, 9, 10)


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def store(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    opened = open_store(make_database(request.param), TZ)
    migrate(opened)
    yield opened
    opened.dispose()


def deliver(store: Store, steps: list[object], watched: frozenset[str] = frozenset({"reopened", "returned"})) -> None:
    """Carry a delivery out, then fold what is left."""
    for step in steps:
        if isinstance(step, Fold):
            fold(store, END, limit=step.limit)
        elif isinstance(step, Clock):
            clock_step(store, step.at)
        else:
            assert isinstance(step, Parsed)
            for part, role in parts(step):
                land(store, part, Landing(f"feed_{role}", role, END, has_tombstones=True, watched=watched))
    drain(store, END)


def parts(batch: Parsed) -> Iterator[tuple[Parsed, str]]:
    """The batch as three feeds would bring it."""
    if batch.dossiers:
        yield Parsed(dossiers=batch.dossiers), "one_stop"
    if batch.reports:
        yield Parsed(reports=batch.reports), "feedback"
    if batch.stations or batch.datastreams or batch.readings:
        yield Parsed(stations=batch.stations, datastreams=batch.datastreams, readings=batch.readings), "sensors"


def faults(store: Store) -> list[str]:
    """Differences between roll-ups and core rows."""
    with store.reading() as connection:
        return rollup_differences(connection, TZ, read_clock(connection))


def assert_current(store: Store) -> None:
    """Roll-ups equal the core rows, and a rebuild changes nothing."""
    assert backlog(store) == 0
    assert faults(store) == []
    with store.reading() as connection:
        before = rollup_rows(connection)
    rebuild(store, END)
    with store.reading() as connection:
        assert rollup_rows(connection) == before


def lands(row: DossierRow | ReportRow) -> bool:
    """False for rows the store refuses: no start, or done without an end."""
    if row.is_deleted:
        return True
    if isinstance(row, ReportRow):
        return True
    has_start = row.received_at is not None or row.filed_at is not None
    return has_start and not (row.status in DONE and row.finished_at is None)


def winners(rows: list[DossierRow | ReportRow]) -> dict[tuple[str, str], int]:
    """(table, id) -> version that must be in core: the greatest one, nothing when that is a tombstone."""
    newest: dict[tuple[str, str], DossierRow | ReportRow] = {}
    for row in filter(lands, rows):
        key = ("core_dossier" if isinstance(row, DossierRow) else "core_report", row.source_id)
        if key not in newest or (row.version or 0) > (newest[key].version or 0):
            newest[key] = row
    return {key: row.version or 0 for key, row in newest.items() if not row.is_deleted}


def kept(store: Store) -> dict[tuple[str, str], int]:
    """(table, id) -> version in core."""
    with store.reading() as connection:
        return {
            (table, row[0]): row[1]
            for table in ("core_dossier", "core_report")
            for row in connection.execute(text(f"SELECT source_id, version FROM {table}"))
        }


# examples are small as drawn: shrinking one against a database takes minutes.
FEW = settings(
    max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], phases=(Phase.explicit, Phase.generate),
)


@FEW
@given(drawn=versioned())
def test_any_delivery_of_versions_gives_the_greatest_and_its_sums(
    store: Store, drawn: tuple[list[DossierRow | ReportRow], list[object]],
) -> None:
    rows, steps = drawn
    wipe(store)
    deliver(store, steps)
    assert kept(store) == winners(rows)
    assert_current(store)


@FEW
@given(drawn=versioned())
def test_any_delivery_in_receipt_order_gives_the_sums_of_what_landed_last(
    store: Store, drawn: tuple[list[DossierRow | ReportRow], list[object]],
) -> None:
    _, steps = drawn
    wipe(store)
    deliver(store, [without_versions(step) for step in steps])
    assert_current(store)


def without_versions(step: object) -> object:
    if not isinstance(step, Parsed):
        return step
    return replace(
        step, dossiers=tuple(replace(row, version=None) for row in step.dossiers),
        reports=tuple(replace(row, version=None) for row in step.reports),
    )


@FEW
@given(steps=measured())
def test_any_delivery_of_readings_moves_and_new_descriptions_gives_their_sums(store: Store, steps: list[object]) -> None:
    wipe(store)
    deliver(store, steps)
    assert_current(store)
    with store.reading() as connection:
        latest = connection.execute(text("SELECT datastream_id, observed_at, value FROM core_latest ORDER BY 1")).all()
        right = connection.execute(text(
            "SELECT datastream_id, observed_at, value FROM core_reading r WHERE observed_at = "
            "(SELECT max(observed_at) FROM core_reading n WHERE n.datastream_id = r.datastream_id) ORDER BY 1"
        )).all()
    assert latest == right


@settings(FEW, max_examples=15)
@given(drawn=versioned(), seed=st.integers(0, 2**32))
def test_two_orders_of_the_same_rows_end_alike(
    store: Store, drawn: tuple[list[DossierRow | ReportRow], list[object]], seed: int,
) -> None:
    rows, steps = drawn
    told_only: frozenset[str] = frozenset()  # what is only seen between deliveries is another in another order
    wipe(store)
    clock_step(store, END)
    deliver(store, steps, told_only)
    with store.reading() as connection:
        first = rollup_rows(connection)
    wipe(store)
    clock_step(store, END)
    shuffled = list(rows)
    Random(seed).shuffle(shuffled)
    deliver(store, [Parsed(dossiers=(row,)) if isinstance(row, DossierRow) else Parsed(reports=(row,)) for row in shuffled], told_only)
    with store.reading() as connection:
        assert rollup_rows(connection) == first


# --- writers at the same time -----------------------------------------------------------------------------

BATCHES, SIZE, IDS = 12, 25, 60


def rows_of(writer: int, number: int) -> Parsed:
    """A batch of ids that both writers bring, with versions, agencies and ends of their own."""
    random, dossiers, reports = Random(1000 * writer + number), list[DossierRow](), list[ReportRow]()
    for n in random.sample(range(IDS), SIZE):
        version = 2 * random.randrange(10_000) + writer
        start = BASE + random.randrange(96) * HALF_HOUR
        ends = start + random.randrange(96) * HALF_HOUR if random.random() < 0.5 else None
        due = start + random.randrange(96) * HALF_HOUR
        dossiers.append(DossierRow(
            f"d{n}", agency=random.choice("AB"), domain_code="D", status=9 if ends else 4, received_at=start, due_at=due,
            finished_at=ends, version=version,
        ))
        reports.append(ReportRow(
            f"r{n}", category="c", agency=random.choice("AB"), area="X", status="closed" if ends else "new", received_at=start,
            due_at=due, closed_at=ends, version=version,
        ))
    readings = tuple(ReadingRow(f"s{n % 5}", BASE + random.randrange(200) * HALF_HOUR, float(writer)) for n in range(SIZE))
    return Parsed(dossiers=tuple(dossiers), reports=tuple(reports), readings=readings)


def test_two_writers_and_a_fold_at_the_same_time_lose_nothing(store: Store) -> None:
    wipe(store)
    streams = tuple(DatastreamRow(f"s{n}", "s", "pm25") for n in range(5))
    land(store, Parsed(stations=(StationRow("s", "s", area="X"),), datastreams=streams), Landing("both", "one_stop", END))
    writing, errors = [True], list[BaseException]()

    def guarded(work: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                work()
            except BaseException as error:  # a thread's fault must fail the test
                errors.append(error)
        return run

    def write(writer: int) -> None:
        for number in range(BATCHES):
            land(store, rows_of(writer, number), Landing("both", "one_stop", END))

    def keep_folding() -> None:
        at = BASE
        while writing[0]:
            at += HALF_HOUR
            clock_step(store, min(at, END))
            fold(store, END, limit=50)

    writers = [threading.Thread(target=guarded(lambda writer=writer: write(writer))) for writer in (0, 1)]  # type: ignore[misc]
    folder = threading.Thread(target=guarded(keep_folding))
    for thread in (folder, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    writing[0] = False
    folder.join()
    assert errors == []
    drain(store, END)
    every = [row for writer in (0, 1) for number in range(BATCHES) for row in both(rows_of(writer, number))]
    assert kept(store) == winners(every)
    assert_current(store)


def both(batch: Parsed) -> tuple[DossierRow | ReportRow, ...]:
    return (*batch.dossiers, *batch.reports)
