"""Plans of the hot statements on both engines: the named indexes are used, no core table is read from end to end.

Every statement an operation sends is explained on the connection it runs on, so stages and fold tables are there as they will be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from config import Config, FeedConfig
from metrics.city import City, dossiers, kpis, open_city, reports, series
from metrics.city.sums import Choice
from metrics.periods import parse_period
from metrics.rollups import clock_step, drain, fold
from store.days import DAY, HOUR, instant
from store.engine import Store, open_store
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import DatastreamRow, DossierRow, Parsed, ReadingRow, ReportRow, StationRow, Stop
from tests.stores import ALL

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
AT = instant(NOW)
CONFIG = Config("Plans", feeds=(
    FeedConfig("one_stop", "one_stop", "portal", cadence_s=3600), FeedConfig("reports", "feedback", "open311", cadence_s=3600),
    FeedConfig("air", "sensors", "csv", cadence_s=3600),
))
ROWS = 12_000
BIG = ("core_dossier_version", "core_dossier_stop", "core_dossier", "core_report_version", "core_report", "core_reading")
PARTITIONS = rf"({'|'.join(BIG)})(_\d+)?"  # readings lie in one a month
PARTIAL = ("ix_dossier_open", "ix_dossier_running", "ix_dossier_outside", "ix_report_open")


@dataclass
class Plans:
    """What was explained: (statement, plan)."""

    seen: list[tuple[str, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All plans in one."""
        return "\n".join(plan for _, plan in self.seen)

    def uses(self, *indexes: str) -> None:
        """Fail unless each of the indexes (a|b = either) is in some plan."""
        missing = [names for names in indexes if not any(name in self.text for name in names.split("|"))]
        assert not missing, f"not used: {missing}\n" + "\n".join(f"{statement}\n{plan}\n" for statement, plan in self.seen)

    def reads_nothing_whole(self) -> None:
        """Fail when a core table is read from end to end."""
        assert self.seen, "nothing was explained"
        faults = [f"{line}\n  in {statement}" for statement, plan in self.seen for line in whole_reads(statement, plan)]
        assert not faults, "\n".join(faults)


def whole_reads(statement: str, plan: str) -> list[str]:
    """Lines of a plan that read a big table, or a whole index that is not a partial one, from end to end."""
    names = {name for name in BIG if re.search(rf"\b{name}\b", statement)}
    aliases = names | {
        alias for name in names for alias in re.findall(rf"\b{name}\s+(?:AS\s+)?(\w+)", statement) if alias not in ("WHERE", "SET")
    }
    found = []
    for line in plan.splitlines():
        on_sqlite = re.match(r"SCAN (\w+)", line.strip())
        on_postgres = re.search(r"Seq Scan on (\w+)", line)
        is_partial = any(f"INDEX {name}" in line for name in PARTIAL)
        if on_postgres and re.fullmatch(PARTITIONS, on_postgres[1]):
            found.append(line)
        if on_sqlite and on_sqlite[1] in aliases and not is_partial:
            found.append(line)
    return found


@contextmanager
def explained(store: Store) -> Iterator[Plans]:
    """Explain every statement on big tables that is sent inside the block, just before it runs."""
    plans = Plans()
    explain = "EXPLAIN QUERY PLAN " if store.is_sqlite else "EXPLAIN "

    def before(connection: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        is_plain = statement.lstrip().startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")) and not many
        if is_plain and any(name in statement for name in BIG):
            raw = connection.connection.cursor()
            raw.execute(explain + statement, parameters)
            plans.seen.append((statement, "\n".join(str(row[-1]) for row in raw.fetchall())))
            raw.close()

    event.listen(store.engine, "before_cursor_execute", before)
    try:
        yield plans
    finally:
        event.remove(store.engine, "before_cursor_execute", before)


def dossier(number: int) -> DossierRow:
    """One in forty is open, a few wait; spread over 200 days, 20 agencies, 5 domains."""
    start = AT - (number % 200 + 1) * DAY - number % 9 * HOUR
    is_open = number % 40 == 0
    stops = (Stop(start + HOUR, None if is_open else start + DAY),) if number % 2 == 0 else ()
    return DossierRow(
        f"d{number:06d}", agency=f"A.{number % 20}", domain_code=f"D{number % 5}", procedure_code="P", channel="online",
        status=1 if number % 500 == 7 else 4 if is_open else 9, received_at=start, filed_at=start, due_at=start + 5 * DAY,
        finished_at=None if is_open else start + (number % 8) * DAY, version=number + 1, stops=stops,
    )


def report(number: int) -> ReportRow:
    """One in forty is open."""
    start = AT - (number % 200 + 1) * DAY - number % 9 * HOUR
    is_open = number % 40 == 0
    return ReportRow(
        f"r{number:06d}", category=f"C{number % 6}", agency=f"A.{number % 20}", area=f"X{number % 10}",
        status="new" if is_open else "closed", received_at=start, due_at=start + 3 * DAY,
        closed_at=None if is_open else start + (number % 6) * DAY, version=number + 1,
    )


def fill(store: Store) -> None:
    """Enough rows that an index pays, folded and analysed."""
    migrate(store)
    land(store, Parsed(dossiers=tuple(map(dossier, range(ROWS)))), Landing("one_stop", "one_stop", AT))
    land(store, Parsed(reports=tuple(map(report, range(ROWS)))), Landing("reports", "feedback", AT))
    stations = tuple(StationRow(f"s{n}", f"s{n}", "air", area=f"X{n}") for n in range(10))
    streams = tuple(DatastreamRow(f"s{n}", f"s{n}", "pm25") for n in range(10))
    readings = tuple(ReadingRow(f"s{n % 10}", AT - n // 10 * 600_000_000, float(n % 90)) for n in range(3 * ROWS))
    land(store, Parsed(stations=stations, datastreams=streams, readings=readings), Landing("air", "sensors", AT))
    clock_step(store, AT)
    drain(store, AT)
    with store.writing() as connection:
        connection.execute(text("ANALYZE"))


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def store(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    opened = open_store(make_database(request.param), CONFIG.tz)
    fill(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def city(store: Store) -> City:
    return open_city(store, CONFIG, ALL, NOW)


def test_kpis_read_open_rows_by_partial_indexes(store: Store, city: City) -> None:
    with explained(store) as plans:
        for choice in (Choice(), Choice(agency="A.3")):
            for period in ("today", "2026-W40", "2026-09"):
                kpis.read(city, [], parse_period(period, city.today), choice)
    plans.reads_nothing_whole()
    plans.uses("ix_dossier_open|ix_dossier_finished", "ix_report_open|ix_report_closed")  # NULLs of the second are the open ones


def test_series_read_roll_ups_and_open_rows(store: Store, city: City) -> None:
    period = parse_period("last_30d", city.today)
    with explained(store) as plans:
        for key, by in (("dossiers_open", "day"), ("dossiers_overdue", "agency"), ("reports_overdue", "area"), ("reports_open", "week")):
            series.read(city, key, by, period)
        series.read(city, "reports_resolve_days_median", "day", period)
    plans.reads_nothing_whole()
    plans.uses("ix_dossier_open|ix_dossier_finished", "ix_report_open|ix_report_closed")  # NULLs of the second are the open ones


def test_a_landing_finds_its_rows_by_key(store: Store) -> None:
    again = tuple(dossier(n) for n in range(0, ROWS, 1200))
    more = tuple(report(n) for n in range(0, ROWS, 1200))
    fresh = (dossier(ROWS + 1), *(DossierRow(**{**plain(row), "version": 10**6, "agency": "A.7"}) for row in again))
    with explained(store) as plans:
        land(store, Parsed(dossiers=fresh), Landing("one_stop", "one_stop", AT))
        land(store, Parsed(reports=more), Landing("reports", "feedback", AT))
        land(store, Parsed(readings=(ReadingRow("s1", AT - HOUR, 3.0), ReadingRow("s2", AT - HOUR, 4.0))), Landing("air", "sensors", AT))
    plans.reads_nothing_whole()
    drain(store, AT)


def plain(row: DossierRow) -> dict[str, Any]:
    """A row's fields."""
    return {name: getattr(row, name) for name in row.__slots__}


def test_a_fold_computes_its_cells_from_indexes(store: Store) -> None:
    land(store, Parsed(dossiers=tuple(dossier(ROWS + n) for n in range(60, 90))), Landing("one_stop", "one_stop", AT))
    land(store, Parsed(reports=tuple(report(ROWS + n) for n in range(60, 90))), Landing("reports", "feedback", AT))
    land(store, Parsed(readings=(ReadingRow("s1", AT - HOUR, 9.0), ReadingRow("s2", AT - HOUR, 9.0))), Landing("air", "sensors", AT))
    with explained(store) as plans:
        assert fold(store, AT) > 0
    plans.reads_nothing_whole()
    plans.uses(
        "ix_dossier_received", "ix_dossier_finished", "ix_dossier_passed", "ix_dossier_passed_day", "ix_stop_stopped",
        "ix_stop_resumed", "ix_report_received", "ix_report_closed", "ix_report_passed",
    )


def test_a_clock_step_looks_at_running_rows_only(store: Store) -> None:
    with explained(store) as plans:
        clock_step(store, AT + HOUR)
    plans.reads_nothing_whole()
    plans.uses("ix_dossier_running", "ix_report_open")
    drain(store, AT + HOUR)


@pytest.mark.parametrize("state", ("open", "overdue", "due_soon", "waiting", "new", "ended_before_start"))
def test_lists_of_dossiers_now_read_the_rows_they_show(store: Store, city: City, state: str) -> None:
    with explained(store) as plans:
        page = dossiers.read(city, dossiers.DossierFilter(state=state), limit=20)
        if page.next_cursor:
            dossiers.read(city, dossiers.DossierFilter(state=state), limit=20, cursor=page.next_cursor)
    plans.reads_nothing_whole()


def test_lists_of_a_period_read_that_period(store: Store, city: City) -> None:
    week = parse_period("2026-W45", city.today)
    with explained(store) as plans:
        for state in ("received", "finished", "late"):
            dossiers.read(city, dossiers.DossierFilter(state=state, period=week), limit=20)
        reports.read(city, reports.ReportFilter(state="received", period=week), limit=20)
        reports.read(city, reports.ReportFilter(state="overdue"), limit=20)
    plans.reads_nothing_whole()
    plans.uses("ix_dossier_received", "ix_dossier_finished", "ix_report_received", "ix_report_open")


def test_one_dossier_is_found_by_its_key(store: Store, city: City) -> None:
    with explained(store) as plans:
        assert dossiers.one(city, "one_stop", "d000123") is not None
    plans.reads_nothing_whole()


def test_a_whole_read_would_be_noticed(store: Store) -> None:
    """The check itself: a statement without an index must fail it."""
    with explained(store) as plans, store.reading() as connection:
        connection.execute(text("SELECT count(*) FROM core_dossier d WHERE d.alias = 'x'"))
    with pytest.raises(AssertionError, match="core_dossier"):
        plans.reads_nothing_whole()
