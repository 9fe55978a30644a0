"""The store on both engines: landing, versions, the fold."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from metrics.rollups import clock_step, drain, rebuild
from store import schema
from store.days import instant
from store.engine import Store, open_store
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import DatastreamRow, DossierRow, Parsed, ReadingRow, ReportRow, StationRow, Stop

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
FEED = Landing("one_stop", "one_stop", now=0)


def at(day: int, hour: int = 9, month: int = 11) -> int:
    """An instant in 2026, local time of the province."""
    return instant(datetime(2026, month, day, hour, tzinfo=TZ))


@pytest.fixture
def store(engine_url: str) -> Iterator[Store]:
    store = open_store(engine_url, TZ)
    migrate(store)
    yield store
    store.dispose()


def flows(store: Store, table: str = "rollup_dossier_day") -> dict[str, int]:
    """Sums of every flow column of a roll-up."""
    names = [c.name for c in schema.metadata.tables[table].columns if str(c.type) == "BIGINT" and c.name not in ("day", "week")]
    with store.reading() as connection:
        row = connection.execute(text(f"SELECT {', '.join(f'sum({n})' for n in names)} FROM {table}")).one()
    return {name: int(value or 0) for name, value in zip(names, row, strict=True)}


def dossier(source_id: str, **values: object) -> DossierRow:
    defaults = {
        "agency": "A", "domain_code": "D", "procedure_code": "P", "status": 4, "received_at": at(2), "due_at": at(10), "version": 1,
    }
    return DossierRow(source_id, **{**defaults, **values})  # type: ignore[arg-type]


def land_dossiers(store: Store, *rows: DossierRow, now: int | None = None) -> int:
    return land(store, Parsed(dossiers=rows, item_count=len(rows)), Landing("one_stop", "one_stop", now or at(5))).changed


def test_migrated_schema_equals_the_declared_one(store: Store) -> None:
    with store.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []


def test_landing_twice_changes_nothing(store: Store) -> None:
    assert land_dossiers(store, dossier("1"), dossier("2")) == 2
    drain(store, at(5))
    assert land_dossiers(store, dossier("1"), dossier("2")) == 0
    with store.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM ops_dirty")).scalar() == 0
        assert connection.execute(text("SELECT count(*) FROM core_dossier_version")).scalar() == 2


def test_an_older_version_never_wins(store: Store) -> None:
    land_dossiers(store, dossier("1", version=5, status=9, finished_at=at(8)))
    land_dossiers(store, dossier("1", version=3))
    drain(store, at(20))
    assert flows(store)["finished"] == 1


def test_late_close_moves_both_days(store: Store) -> None:
    clock_step(store, at(20))
    land_dossiers(store, dossier("1"))
    drain(store, at(20))
    assert (flows(store)["due_passed"], flows(store)["finished_late"]) == (1, 0)
    land_dossiers(store, dossier("1", status=9, finished_at=at(15), version=2))
    drain(store, at(20))
    found = flows(store)
    assert (found["due_passed"], found["overdue_ended"], found["finished_late"], found["received"]) == (1, 1, 1, 1)


def test_the_clock_alone_makes_a_dossier_overdue(store: Store) -> None:
    clock_step(store, at(9))
    land_dossiers(store, dossier("1"))
    drain(store, at(9))
    assert flows(store)["due_passed"] == 0
    assert clock_step(store, at(10, 10)) == 1
    drain(store, at(10, 10))
    assert flows(store)["due_passed"] == 1
    assert flows(store)["due_passed_day"] == 0
    clock_step(store, at(11))
    drain(store, at(11))
    assert flows(store)["due_passed_day"] == 1


def test_a_stopped_clock_does_not_become_overdue(store: Store) -> None:
    clock_step(store, at(20))
    land_dossiers(store, dossier("1", status=5, stops=(Stop(at(6), None),), supplement_count=1))
    drain(store, at(20))
    found = flows(store)
    assert (found["stopped"], found["resumed"], found["due_passed"]) == (1, 0, 0)


def test_moving_a_dossier_to_another_agency_empties_the_old_cell(store: Store) -> None:
    land_dossiers(store, dossier("1"))
    drain(store, at(5))
    land_dossiers(store, dossier("1", agency="B", version=2))
    drain(store, at(5))
    with store.reading() as connection:
        assert connection.execute(text("SELECT agency_code, received FROM rollup_dossier_day")).all() == [("B", 1)]


def test_done_without_an_end_date_is_rejected_with_its_field(store: Store) -> None:
    result = land(store, Parsed(dossiers=(dossier("1", status=9), dossier("2"))), Landing("one_stop", "one_stop", at(5)))
    assert [(r.item, r.field, r.reason) for r in result.rejects] == [("1", "finished_at", "missing_field")]
    assert result.landed == 1


def test_readings_fold_into_hours_days_and_areas(store: Store) -> None:
    stations = (StationRow("s", "Trạm", area="X"),)
    streams = (DatastreamRow("d", "s", "pm25", "µg/m³"),)
    readings = tuple(ReadingRow("d", at(2, 0) + minute * 60_000_000, float(minute)) for minute in range(0, 180, 30))
    late = ReadingRow("d", at(1, 23), 100.0)
    land(store, Parsed(stations=stations, datastreams=streams, readings=readings), Landing("air", "sensors", at(5)))
    drain(store, at(5))
    land(store, Parsed(readings=(late, readings[0]._replace(value=50.0))), Landing("air", "sensors", at(5)))
    drain(store, at(5))
    with store.reading() as connection:
        days = connection.execute(text("SELECT n, total, low, high FROM rollup_reading_day ORDER BY day")).all()
        hours = connection.execute(text("SELECT count(*), sum(n) FROM rollup_reading_hour_area")).one()
        newest = connection.execute(text("SELECT observed_at FROM core_latest")).scalar()
    assert days == [(1, 100.0, 100.0, 100.0), (6, 500.0, 30.0, 150.0)]
    assert tuple(hours) == (4, 7)
    assert newest == at(2, 0) + 150 * 60_000_000


def test_rebuild_equals_fold(store: Store) -> None:
    land_dossiers(store, *(dossier(str(n), agency=f"A{n % 3}", received_at=at(1 + n % 9)) for n in range(40)))
    report = ReportRow("r", "trash", received_at=at(2), due_at=at(3), status="closed", closed_at=at(4))
    land(store, Parsed(reports=(report,)), Landing("fb", "feedback", at(5)))
    clock_step(store, at(20))
    drain(store, at(20))
    before = (flows(store), flows(store, "rollup_report_day"))
    rebuild(store, at(20))
    assert (flows(store), flows(store, "rollup_report_day")) == before
    assert before[0]["due_passed"] == 40


def test_day_of_an_instant_is_the_provinces_day(store: Store) -> None:
    late_evening_utc = instant(datetime(2026, 11, 1, 18, tzinfo=UTC))
    assert store.days.on(late_evening_utc) == store.days.on(at(2, 1))


def test_a_prepared_write_waits_for_whoever_locks_the_file(tmp_path: Path) -> None:
    """A foreign program on the file (a copy, an SQL shell) does not stand in the writers' queue: SQLite says the file is locked."""
    store = open_store(f"sqlite:///{tmp_path / 'one.sqlite'}", TZ)
    store.write(lambda connection: connection.execute(text("CREATE TABLE held (n INTEGER)")))
    foreign = sqlite3.connect(tmp_path / "one.sqlite", isolation_level=None, check_same_thread=False)
    foreign.execute("BEGIN IMMEDIATE")
    prepared: list[int] = []

    def prepare(connection: Connection) -> int:
        connection.execute(text("PRAGMA busy_timeout = 1"))
        if prepared:
            foreign.execute("ROLLBACK")  # it lets go once it was met
        prepared.append(1)
        return len(prepared)

    store.write_prepared(prepare, lambda connection, turn: connection.execute(text("INSERT INTO held VALUES (:turn)"), {"turn": turn}))
    with store.reading() as connection:
        assert connection.execute(text("SELECT n FROM held")).scalars().all() == [2]
    foreign.close()
    store.dispose()
