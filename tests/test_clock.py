"""The clock is an event: without a row, time alone makes things overdue; by the day only at local midnight, also on days of DST."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from config import Config, FeedConfig
from metrics.city import City, open_city
from metrics.city.numbers import kpis, series
from metrics.periods import parse_period
from metrics.rollups import _clock_step, backlog, clock_step, drain, read_clock
from store.days import DAY, HOUR, DayClock, instant
from store.engine import Store, open_store
from store.landing import Landing, land
from store.migrate import migrate
from store.revisions import revisions
from store.rows import DatastreamRow, DossierRow, Parsed, ReadingRow, ReportRow, StationRow
from tests.oracle_rollups import rollup_differences
from tests.stores import ALL

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
CONFIG = Config("Test", feeds=(
    FeedConfig("one_stop", "one_stop", "portal", cadence_s=3600), FeedConfig("reports", "feedback", "open311", cadence_s=3600),
))


@pytest.fixture
def store(engine_url: str) -> Iterator[Store]:
    opened = open_store(engine_url, TZ)
    migrate(opened)
    yield opened
    opened.dispose()


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Local time of the province in November 2026."""
    return datetime(2026, 11, day, hour, minute, tzinfo=TZ)


def fill(store: Store) -> None:
    """A dossier and a report due on the 10th at 15:00, another dossier due long after."""
    start, due, later = instant(at(2, 9)), instant(at(10, 15)), instant(at(25, 15))
    dossiers = (
        DossierRow("soon", agency="A", status=4, received_at=start, due_at=due),
        DossierRow("later", agency="A", status=4, received_at=start, due_at=later),
    )
    report = ReportRow("soon", category="c", status="new", received_at=start, due_at=due)
    land(store, Parsed(dossiers=dossiers), Landing("one_stop", "one_stop", instant(at(10, 8))))
    land(store, Parsed(reports=(report,)), Landing("reports", "feedback", instant(at(10, 8))))


def tick(store: Store, now: datetime) -> City:
    """Time passes; no row arrives."""
    clock_step(store, instant(now))
    drain(store, instant(now))
    return open_city(store, CONFIG, ALL, now)


def value(city: City, key: str, rule: str = "late_instant", period: str = "today") -> float | None:
    return kpis.read(city, [key], parse_period(period, city.today), late_rule=rule)[0].value


def test_overdue_rises_when_the_due_instant_passes_and_no_row_arrives(store: Store) -> None:
    fill(store)
    before = tick(store, at(10, 15))
    assert (value(before, "dossiers_overdue"), value(before, "reports_overdue")) == (0, 0)
    after = tick(store, at(10, 15, 1))
    assert (value(after, "dossiers_overdue"), value(after, "reports_overdue")) == (1, 1)
    assert after.revisions["dossiers"] > before.revisions["dossiers"]
    assert after.revisions["reports"] > before.revisions["reports"]


def test_a_tick_that_passes_no_due_instant_changes_no_revision(store: Store) -> None:
    fill(store)
    before = tick(store, at(10, 9))
    after = tick(store, at(10, 10))
    assert dict(before.revisions) == dict(after.revisions)


def test_by_the_day_overdue_rises_at_local_midnight_only(store: Store) -> None:
    fill(store)
    for hour in (15, 18, 23):
        assert value(tick(store, at(10, hour, 59)), "dossiers_overdue", "late_day") == 0
    assert value(tick(store, at(11, 0)), "dossiers_overdue", "late_day") == 1
    late = tick(store, at(11, 12))
    assert value(late, "dossiers_overdue", "late_day") == 1
    assert value(late, "dossiers_overdue", "late_day", "yesterday") == 0
    assert value(late, "dossiers_overdue", "late_instant", "yesterday") == 1


def test_a_clock_set_back_does_not_un_pass_a_due_date(store: Store) -> None:
    fill(store)
    tick(store, at(11, 0))
    assert clock_step(store, instant(at(9, 0))) == 0
    with store.reading() as connection:
        assert read_clock(connection) == instant(at(11, 0))


def test_many_small_ticks_give_what_one_large_tick_gives(store: Store) -> None:
    fill(store)
    now = at(9, 0)
    while now < at(12, 0):
        tick(store, now)
        now += timedelta(minutes=47)
    tick(store, at(27, 0))
    with store.reading() as connection:
        assert rollup_differences(connection, TZ, read_clock(connection)) == []


def test_a_fold_waits_for_a_clock_step_that_does_not_see_its_rows(engine_url: str) -> None:
    """A row lands after the step has looked for what passed, and is folded before the step commits."""
    store = open_store(engine_url, TZ)
    migrate(store)
    if store.is_sqlite:
        store.dispose()
        pytest.skip("SQLite has one writer: a step and a landing cannot overlap")
    clock_step(store, instant(at(10, 12)))
    row = DossierRow("soon", agency="A", status=4, received_at=instant(at(2, 9)), due_at=instant(at(10, 15)))
    with store.writing() as connection:
        _clock_step(connection, store.days, instant(at(10, 16)))
        land(store, Parsed(dossiers=(row,)), Landing("one_stop", "one_stop", instant(at(10, 16))))
        folding = threading.Thread(target=drain, args=(store, instant(at(10, 16))))
        folding.start()
        folding.join(0.5)  # without the lock it is done by now, under the old clock
    folding.join()
    drain(store, instant(at(10, 16)))
    with store.reading() as connection:
        assert rollup_differences(connection, TZ, read_clock(connection)) == []
    store.dispose()


def test_a_read_transaction_sees_one_state_of_the_store(store: Store) -> None:
    fill(store)
    with store.reading() as connection:
        before = revisions(connection)
        tick(store, at(11, 0))
        assert revisions(connection) == before
    with store.reading() as connection:
        assert revisions(connection) != before


def test_a_row_dated_after_today_does_not_bend_the_past(store: Store) -> None:
    fill(store)
    wrong = DossierRow("wrong year", agency="A", status=9, received_at=instant(at(2, 9)), finished_at=instant(at(28, 9)))
    land(store, Parsed(dossiers=(wrong,)), Landing("one_stop", "one_stop", instant(at(10, 8))))
    city = tick(store, at(10, 12))
    points = {point.group: point.value for point in series.read(city, "dossiers_open", "day", parse_period("last_7d", city.today))}
    assert points["2026-11-09"] == value(city, "dossiers_open", period="yesterday") == 3
    grouped = series.read(city, "dossiers_open", "agency", parse_period("yesterday", city.today))
    assert [point.value for point in grouped] == [3]


def test_a_day_no_feed_speaks_for_is_unknown_not_zero(store: Store) -> None:
    fill(store)  # the feeds spoke last on the 10th
    city = tick(store, at(13, 12))
    points = {point.group: point.value for point in series.read(city, "dossiers_received", "day", parse_period("last_7d", city.today))}
    assert (points["2026-11-09"], points["2026-11-12"]) == (0, None)
    assert value(city, "dossiers_received", period="2026-11-12") is None
    assert series.read(city, "dossiers_received", "agency", parse_period("2026-11-12", city.today)) == ()


def test_a_station_that_fell_silent_before_midnight_did_not_report_at_the_end_of_that_day(store: Store) -> None:
    config = Config("Test", feeds=(FeedConfig("air", "sensors", "csv", cadence_s=300),))
    things = Parsed(
        stations=(StationRow("early", "early"), StationRow("late", "late")),
        datastreams=(DatastreamRow("e", "early", "pm25"), DatastreamRow("l", "late", "pm25")),
        readings=(ReadingRow("e", instant(at(10, 23, 5)), 1.0), ReadingRow("l", instant(at(10, 23, 55)), 1.0)),
    )
    land(store, things, Landing("air", "sensors", instant(at(11, 8))))
    tick(store, at(11, 8))
    city = open_city(store, config, ALL, at(11, 8))
    found = kpis.read(city, ["stations_reporting_pct"], parse_period("yesterday", city.today))[0]
    assert (found.value, found.n) == (50.0, 2)


# --- days of the zone -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("zone", "day", "hours"), [
    ("Europe/Amsterdam", datetime(2026, 3, 29), 23), ("Europe/Amsterdam", datetime(2026, 10, 25), 25),
    ("America/New_York", datetime(2026, 11, 1), 25), ("Australia/Lord_Howe", datetime(2026, 10, 4), 23.5),
    ("Asia/Ho_Chi_Minh", datetime(2026, 3, 29), 24),
])
def test_a_day_of_dst_has_the_hours_it_has(zone: str, day: datetime, hours: float) -> None:
    clock = DayClock(ZoneInfo(zone))
    on = clock.on(instant(day.replace(tzinfo=ZoneInfo(zone))))
    assert on is not None
    start, end = clock.starts_at(on), clock.starts_at(on + 1)
    assert end - start == hours * HOUR
    assert [clock.on(start - 1), clock.on(start), clock.on(end - 1), clock.on(end)] == [on - 1, on, on, on + 1]


def test_overdue_by_the_day_waits_for_the_midnight_of_a_day_with_25_hours(make_database: Callable[..., str]) -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    store = open_store(make_database("sqlite"), zone)
    migrate(store)
    day = datetime(2026, 10, 25, tzinfo=zone)  # the clock goes back at three
    row = DossierRow("1", status=4, received_at=instant(day) - 5 * DAY, due_at=instant(day) + 2 * HOUR)
    land(store, Parsed(dossiers=(row,)), Landing("one_stop", "one_stop", instant(day)))
    seen = []
    for hour in (1, 3, 23, 24, 25):
        now = instant(day) + hour * HOUR
        clock_step(store, now)
        drain(store, now)
        with store.reading() as connection:
            passed = text("SELECT sum(due_passed), sum(due_passed_day) FROM rollup_dossier_day")
            seen.append(tuple(connection.execute(passed).one()))
    assert seen == [(0, 0), (1, 0), (1, 0), (1, 0), (1, 1)]
    assert backlog(store) == 0
    store.dispose()


def test_midnight_comes_once_however_often_the_clock_is_asked() -> None:
    clock = DayClock(ZoneInfo("America/New_York"))
    first = instant(datetime(2026, 11, 1, 5, 30, tzinfo=UTC))  # 01:30 summer time, and an hour later 01:30 again
    assert clock.on(first) == clock.on(first + HOUR)
