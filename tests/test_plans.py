"""Plans of the hot statements on both engines: the named indexes are used, no core table is read from end to end.

Every statement an operation sends is explained on the connection it runs on, so stages and fold tables are there as they will be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from config import Config, FeedConfig
from metrics.city import City, explore, open_city
from metrics.city.findings import coincident, gaming
from metrics.city.lists.filters import parse
from metrics.city.numbers import kpis, series
from metrics.city.numbers.sums import Choice
from metrics.city.records import dossiers, reports
from metrics.judging import judge
from metrics.periods import parse_period
from metrics.rollups import clock_step, drain, fold
from store import plans as store_plans
from store.catalogue import put_procedures
from store.days import DAY, HOUR, instant
from store.engine import Store, open_store
from store.landing import Landing, land
from store.migrate import migrate
from store.plans import Plan
from store.rows import DatastreamRow, DossierRow, Parsed, ProcedureRow, ReadingRow, ReportRow, StationRow, Stop
from tests.stores import ALL

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
AT = instant(NOW)
CONFIG = Config("Plans", feeds=(
    FeedConfig("one_stop", "one_stop", "portal", cadence_s=3600), FeedConfig("reports", "feedback", "open311", cadence_s=3600),
    FeedConfig("air", "sensors", "csv", cadence_s=3600),
))
ROWS = 12_000


class Plans(list[Plan]):
    """What was explained."""

    def uses(self, *indexes: str) -> None:
        """Fail unless each of the indexes (a|b = either) is in some plan."""
        steps = "\n".join(plan.steps for plan in self)
        missing = [names for names in indexes if not any(name in steps for name in names.split("|"))]
        assert not missing, f"not used: {missing}\n" + "\n".join(f"{plan.statement}\n{plan.steps}\n" for plan in self)

    def reads_nothing_whole(self) -> None:
        """Fail when a core table is read from end to end."""
        assert self, "nothing was explained"
        faults = [f"{line}\n  in {plan.statement}" for plan in self for line in plan.whole_reads()]
        assert not faults, "\n".join(faults)


@contextmanager
def explained(store: Store) -> Iterator[Plans]:
    """The plans of all statements on big tables sent inside the block; whole once it has ended."""
    plans = Plans()
    with store_plans.explained(store) as seen:
        yield plans
    plans.extend(seen)


def dossier(number: int) -> DossierRow:
    """One in forty is open, a few wait; spread over 200 days, 20 agencies, 5 domains."""
    start = AT - (number % 200 + 1) * DAY - number % 9 * HOUR
    is_open = number % 40 == 0
    stops = (Stop(start + HOUR, None if is_open else start + DAY),) if number % 2 == 0 else ()
    return DossierRow(
        f"d{number:06d}", agency=f"A.{number % 20}", domain_code=f"D{number % 5}",
        procedure_code="P" if number % 2 else f"P{number % 60}", channel="online",
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
    store.write(lambda connection: put_procedures(connection, [ProcedureRow("P", "P", limit_days=5)]))
    land(store, Parsed(dossiers=tuple(map(dossier, range(ROWS)))), Landing("one_stop", "one_stop", AT))
    land(store, Parsed(reports=tuple(map(report, range(ROWS)))), Landing("reports", "feedback", AT))
    stations = tuple(StationRow(f"s{n}", f"s{n}", "air", area=f"X{n}") for n in range(10))
    streams = tuple(DatastreamRow(f"s{n}", f"s{n}", "pm25") for n in range(10))
    readings = tuple(ReadingRow(f"s{n % 10}", AT - n // 10 * 600_000_000, float(n % 90)) for n in range(3 * ROWS))
    land(store, Parsed(stations=stations, datastreams=streams, readings=readings), Landing("air", "sensors", AT))
    clock_step(store, AT)
    judge(store, CONFIG)
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


MONTH = "2026-10"
COVERED: tuple[tuple[str, tuple[str, ...], dict[str, str], tuple[str, ...]], ...] = (
    # measure, by, filter, the indexes its core rows are read from; () = none are
    ("dossiers_received", ("agency", "month"), {"domain": "D1"}, ()),
    ("dossiers_on_time_pct", ("area",), {}, ()),
    ("reports_received", ("area", "category"), {}, ()),
    ("dossiers_open", ("domain", "week"), {}, ("ix_dossier_open",)),
    ("reports_open", ("category",), {}, ("ix_report_open|ix_report_closed",)),
    ("dossiers_received", ("procedure", "channel"), {}, ("ix_dossier_received",)),
    ("dossiers_received", ("hour", "weekday"), {}, ("ix_dossier_received",)),
    ("dossiers_on_time_pct", ("procedure",), {}, ("ix_dossier_finished",)),
    ("dossiers_worked_days_mean", ("procedure",), {}, ("ix_time_finished",)),
    ("dossiers_due_differs_pct", ("procedure",), {}, ("ix_time_received",)),
    ("dossiers_overdue", ("procedure",), {}, ("ix_dossier_open", "ix_dossier_passed")),
    ("reports_received", ("hour", "channel"), {}, ("ix_report_received",)),
    ("reports_on_time_pct", ("channel",), {}, ("ix_report_closed",)),
)


@pytest.mark.parametrize(("measure", "by", "given", "indexes"), COVERED, ids=lambda one: "-".join(one) if isinstance(one, tuple) else None)
def test_what_explore_calls_covered_reads_roll_ups_or_covering_indexes(
    store: Store, city: City, measure: str, by: tuple[str, ...], given: dict[str, str], indexes: tuple[str, ...],
) -> None:
    question = explore.Question((measure,), by, parse_period(MONTH, city.today), parse(measure.partition("_")[0], given))
    with explained(store) as plans:
        assert explore.read(city, question).coverage in (explore.ROLLUP, explore.INDEX)
    if not indexes:
        assert not plans
        return
    plans.reads_nothing_whole()
    plans.uses(*indexes)
    names = [name for either in indexes for name in either.split("|")]
    steps = [plan.steps for plan in plans if any(name in plan.steps for name in names)]
    kinds = ("COVERING INDEX", "Index Only Scan", "Bitmap Index Scan")  # PostgreSQL looks into young pages for who may see a row
    assert all(any(kind in step for kind in kinds) for step in steps), steps


def test_explore_seeks_the_rows_of_one_agency(store: Store, city: City) -> None:
    chosen = parse("dossiers", {"agency": "A.3"})
    with explained(store) as plans:
        answer = explore.read(city, explore.Question(("dossiers_received",), ("procedure",), parse_period(MONTH, city.today), chosen))
    plans.reads_nothing_whole()
    sought = ("received_on=? AND agency_code=?", "agency_code = 'A.3'")
    assert answer.rows_read and any("ix_dossier_received" in plan.steps and any(one in plan.steps for one in sought) for plan in plans)


def test_what_was_known_looks_at_what_has_changed_since(store: Store, city: City) -> None:
    question = explore.Question(("dossiers_received",), ("procedure",), parse_period(MONTH, city.today), known_at=AT - HOUR)
    with explained(store) as plans:
        explore.read(city, question)
    plans.uses("ix_dossier_version_landed", "ix_dossier_received")


@pytest.mark.parametrize("rule", gaming.RULES, ids=lambda rule: rule.key)
def test_signs_read_the_endings_of_their_period(store: Store, city: City, rule: gaming.GamingRule) -> None:
    period = parse_period("2026-11-02..2026-11-12", city.today)
    with explained(store) as plans, store.reading() as connection:
        rule.count(connection, city, period, Choice())
        gaming.evidence(city, rule.key, "A.3", period)
    plans.uses({"bulk": "ix_report_closed", "before_due": "ix_dossier_finished", "again": "ix_dossier_received"}[rule.key])
    plans.reads_nothing_whole()


def test_what_coincided_reads_its_own_hours(store: Store, city: City) -> None:
    with explained(store) as plans:
        for hours, choice in (("", Choice()), ("8..13", Choice()), ("", Choice(agency="A.3"))):
            coincident.read(city, "", parse_period("2026-11-18", city.today), hours, choice)
    plans.reads_nothing_whole()


def test_a_whole_read_would_be_noticed(store: Store) -> None:
    """The check itself: a statement without an index must fail it."""
    with explained(store) as plans, store.reading() as connection:
        connection.execute(text("SELECT count(*) FROM core_dossier d WHERE d.alias = 'x'"))
    with pytest.raises(AssertionError, match="core_dossier"):
        plans.reads_nothing_whole()
