"""What has had its time goes, in small batches, told in the trail; figures of the past stay through fold and rebuild."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from config import Config, FeedConfig, RetentionConfig
from metrics.city import open_city
from metrics.city.measured import stations
from metrics.city.numbers import kpis
from metrics.periods import parse_period
from metrics.rollups import clock_step, drain, rebuild
from pipeline import Ingest
from scope import scope_of
from store import audit
from store.days import DAY, HOUR, instant
from store.engine import Store, open_store
from store.landing import Landing, land
from store.migrate import migrate
from store.retention import JOBS, readings_from
from store.rows import DatastreamRow, DossierRow, Parsed, ReadingRow, Reject, ReportRow, StationRow
from store.schema import metadata
from upkeep import retention

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
AT = instant(NOW)
FEEDS = (FeedConfig("air", "sensors", "csv", cadence_s=3600), FeedConfig("desk", "feedback", "csv"), FeedConfig("one", "one_stop", "csv"))
KEEP = RetentionConfig(rejects_s=86400, loads_s=86400, versions_s=86400, readings_s=40 * 86400, report_texts_s=30 * 86400)
ROLLUPS = ("rollup_reading_hour", "rollup_reading_hour_area", "rollup_reading_day", "rollup_dossier_day", "rollup_report_day")


@pytest.fixture
def store(engine_url: str) -> Iterator[Store]:
    store = open_store(engine_url, TZ)
    migrate(store)
    yield store
    store.dispose()


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else writes here: no pause between batches (test_batches_are_small looks at the pauses themselves)."""
    monkeypatch.setattr(retention, "REST_S", 0.0)


def config(**keeping: Any) -> Config:
    return Config(name="T", feeds=FEEDS, retention=replace(KEEP, **keeping))


def put(store: Store, feed: str, now: int = AT, **parts: Any) -> Any:
    role = {"air": "sensors", "desk": "feedback", "one": "one_stop"}[feed]
    return land(store, Parsed(**parts, item_count=1), Landing(feed, role, now))


def rows(store: Store, statement: str) -> list[tuple[Any, ...]]:
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def sums(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    return {table: sorted(rows(store, f"SELECT * FROM {table}")) for table in ROLLUPS}


def fill_air(store: Store, days: int = 100) -> None:
    """Two datastreams, a value each six hours for so many days, folded."""
    readings = tuple(
        ReadingRow(name, AT - back * 6 * HOUR, float(back % 7 + 1)) for name in ("pm", "o3") for back in range(1, days * 4)
    )
    streams = (DatastreamRow("pm", "s", "pm25", "µg/m³"), DatastreamRow("o3", "s", "o3", "µg/m³"))
    put(store, "air", stations=(StationRow("s", "Trạm", "air", 107.0, 21.0),), datastreams=streams, readings=readings)
    clock_step(store, AT)
    drain(store, AT)


def report(source_id: str, closed_days_ago: int | None, **more: Any) -> ReportRow:
    closed = None if closed_days_ago is None else AT - closed_days_ago * DAY
    given = {"description": "ai đó viết", "resolution": "đã trả lời", **more}
    return ReportRow(source_id, "road", status="closed" if closed else "new", received_at=AT - 90 * DAY, closed_at=closed, **given)


# --- readings -----------------------------------------------------------------------------------------------


def test_readings_go_and_every_sum_of_the_past_stays_through_a_rebuild(store: Store) -> None:
    fill_air(store)
    before, counted = sums(store), rows(store, "SELECT count(*) FROM core_reading")[0][0]
    done = {one.job: one.rows for one in retention.run(store, config(), NOW)}
    left = rows(store, "SELECT count(*), min(hour) FROM core_reading")[0]
    assert done["readings"] == counted - left[0] > 0 and left[0] > 0
    with store.reading() as connection:
        assert left[1] >= readings_from(connection) > 0
    assert sums(store) == before
    rebuild(store, AT)
    assert sums(store) == before
    rebuild(store, AT)
    assert sums(store) == before


def test_a_reading_that_comes_after_its_time_is_refused_and_changes_no_sum(store: Store) -> None:
    fill_air(store)
    retention.run(store, config(), NOW)
    before = sums(store)
    landed = put(store, "air", readings=(ReadingRow("pm", AT - 90 * DAY, 999.0), ReadingRow("pm", AT - HOUR, 3.0)))
    assert [(reject.field, reject.reason) for reject in landed.rejects] == [("observed_at", "too_old")]
    assert landed.landed == 1
    drain(store, AT)
    now = sums(store)
    assert [row for row in now["rollup_reading_hour"] if 999.0 in row] == []
    assert set(before["rollup_reading_hour"]) - set(now["rollup_reading_hour"]) == set()


def test_readings_that_wait_for_the_fold_stay_until_it_has_been(store: Store) -> None:
    fill_air(store)
    put(store, "air", readings=(ReadingRow("pm", AT - 90 * DAY, 5.0),))
    counted = rows(store, "SELECT count(*) FROM core_reading")
    retention.run(store, config(), NOW)
    assert rows(store, "SELECT count(*) FROM core_reading") == counted
    drain(store, AT)
    retention.run(store, config(), NOW)
    assert rows(store, "SELECT count(*) FROM core_reading") < counted


def test_a_station_that_moves_takes_its_old_hours_along(store: Store) -> None:
    fill_air(store)
    retention.run(store, config(), NOW)
    total = rows(store, "SELECT sum(total) FROM rollup_reading_hour_area")
    put(store, "air", stations=(StationRow("s", "Trạm", "air", 107.0, 21.0, area="A1"),))
    drain(store, AT)
    rebuild(store, AT)
    assert rows(store, "SELECT sum(total) FROM rollup_reading_hour_area") == total


def test_who_reported_then_is_unknown_once_the_readings_are_gone(store: Store) -> None:
    fill_air(store)
    city = open_city(store, config(), scope_of("leader"), NOW)
    long_ago = parse_period((city.today - timedelta(days=90)).isoformat(), city.today)
    assert kpis.read(city, ["stations_reporting_pct"], long_ago)[0].n == 1
    retention.run(store, config(), NOW)
    city = open_city(store, config(), scope_of("leader"), NOW)
    value = kpis.read(city, ["stations_reporting_pct"], long_ago)[0]
    assert (value.value, value.n) == (None, 0)
    assert stations.hour_series(city, 1, AT - 95 * DAY, AT - 85 * DAY)["n"].sum() > 0


def test_partitions_of_postgresql_go_whole(postgres_database: str) -> None:
    store = open_store(postgres_database, TZ)
    migrate(store)
    fill_air(store)
    listed = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'core_reading'::regclass"
    before = rows(store, listed)[0][0]
    retention.run(store, config(), NOW)
    assert rows(store, listed)[0][0] < before
    store.dispose()


# --- texts, versions, rejects, sessions ----------------------------------------------------------------------


def test_texts_of_reports_closed_long_ago_go_from_the_report_and_its_versions(store: Store) -> None:
    put(store, "desk", AT - 80 * DAY, reports=(report("old", None, version=1), report("gone", None, resolution="gone_from_snapshot")))
    put(store, "desk", reports=(report("old", 40, version=2), report("new", 10), report("open", None)))
    retention.run(store, config(), NOW)
    found = {row[0]: row[1:] for row in rows(store, "SELECT source_id, description, resolution FROM core_report")}
    assert found["old"] == (None, None)
    assert found["new"] == found["open"] == ("ai đó viết", "đã trả lời")
    assert rows(store, "SELECT count(*) FROM core_report_version WHERE source_id = 'old' AND description IS NOT NULL") == [(0,)]
    assert rows(store, "SELECT count(*) FROM core_report_version WHERE source_id = 'new' AND description IS NOT NULL") == [(1,)]


def test_old_versions_go_but_never_the_last(store: Store) -> None:
    for back, status in ((50, 2), (40, 4), (30, 5)):
        put(store, "one", AT - back * DAY, dossiers=(DossierRow("d1", status=status, received_at=AT - 60 * DAY, version=100 - back),))
    drain(store, AT)
    before = sums(store)
    retention.run(store, config(), NOW)
    assert rows(store, "SELECT status FROM core_dossier_version") == [(5,)]
    rebuild(store, AT)
    assert sums(store) == before


def test_resolved_rejects_loads_and_ended_sessions_go(store: Store) -> None:
    long_ago = AT - 10 * DAY
    put(store, "desk", long_ago, rejects=(Reject("a", "received_at", "bad_date", "x"), Reject("b", "received_at", "bad_date", "x")))
    put(store, "desk", long_ago + HOUR, reports=(report("a", None),))
    store.write(lambda connection: connection.execute(text(
        "INSERT INTO ops_session (token_hash, user_id, opened_at, seen_at, expires_at) VALUES ('x', 1, 1, 1, 2), ('y', 1, 1, 1, :later)"
    ), {"later": AT + DAY}))
    store.write(lambda connection: connection.execute(text(
        "INSERT INTO ops_feed_session (session_hash, feed, expires_at) VALUES ('x', 'f', 2), ('y', 'f', :later)"
    ), {"later": AT + DAY}))
    retention.run(store, config(report_texts_s=None), NOW)
    assert rows(store, "SELECT item FROM ops_reject") == [("b",)]
    assert rows(store, "SELECT count(*) FROM ops_load") == [(0,)]
    assert rows(store, "SELECT token_hash FROM ops_session") == rows(store, "SELECT session_hash FROM ops_feed_session") == [("y",)]


def test_words_in_rejects_go_with_the_texts_of_reports(store: Store) -> None:
    put(store, "desk", AT - 50 * DAY, rejects=(Reject("a", "received_at", "bad_date", "x", {"text": "ai đó viết"}),))
    retention.run(store, config(rejects_s=None), NOW)
    assert rows(store, "SELECT item, value, payload FROM ops_reject") == [("a", "", "")]


def test_what_is_kept_for_ever_stays(store: Store) -> None:
    fill_air(store, 30)
    put(store, "desk", AT - 900 * DAY, reports=(report("old", 800),), rejects=(Reject("z", "a", "bad_date"),))
    tables = [table.name for table in metadata.sorted_tables if table.name.startswith("core_")]
    before = {name: sorted(rows(store, f"SELECT * FROM {name}"), key=repr) for name in tables}
    none = RetentionConfig(None, None, None, None, None)
    retention.run(store, replace(config(), retention=none), NOW)
    assert {name: sorted(rows(store, f"SELECT * FROM {name}"), key=repr) for name in tables} == before


# --- the run ------------------------------------------------------------------------------------------------


def test_each_job_that_took_something_is_told_in_the_trail_and_the_trail_holds(store: Store) -> None:
    fill_air(store)
    put(store, "desk", AT - 80 * DAY, reports=(report("old", 40),))
    told = {one.table: one.rows for one in retention.run(store, config(), NOW) if one.rows}
    found = rows(store, "SELECT kind, actor, detail FROM ops_audit WHERE action = 'retention' ORDER BY seq")
    assert {kind for kind, _, _ in found} == set(told) and {actor for _, actor, _ in found} == {"system"}
    assert all('"rows"' in detail and '"before"' in detail for _, _, detail in found)
    assert audit.verify(store) is None


def test_no_job_names_the_trail_or_a_sum() -> None:
    for job in JOBS:
        assert not job.table.startswith("rollup_") and "ops_audit" not in f"{job.table} {job.where} {job.sets}"


def test_batches_are_small_and_the_writer_is_free_between_them(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    rejects = tuple(Reject(f"r{n}", "f", "bad_date", str(n)) for n in range(1200))
    put(store, "desk", AT - 80 * DAY, rejects=rejects)
    store.write(lambda connection: connection.execute(text("UPDATE ops_reject SET resolved_at = 1")))
    seen: list[int] = []

    class Resting(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            seen.append(rows(store, "SELECT count(*) FROM ops_reject")[0][0])
            put(store, "one", dossiers=(DossierRow(f"d{len(seen)}", received_at=AT - DAY),))  # somebody writes meanwhile
            return False

    retention.run(store, config(), NOW, Resting())
    assert seen == [700, 200]
    assert rows(store, "SELECT count(*) FROM ops_reject") == [(0,)]


def test_a_stopped_run_is_not_noted_and_goes_on_next_time(store: Store) -> None:
    put(store, "desk", AT - 80 * DAY, rejects=tuple(Reject(f"r{n}", "f", "bad_date", str(n)) for n in range(600)))
    store.write(lambda connection: connection.execute(text("UPDATE ops_reject SET resolved_at = 1")))
    stop = threading.Event()
    stop.set()
    retention.run(store, config(), NOW, stop)
    assert retention.is_due(store, NOW)
    retention.run(store, config(), NOW)
    assert not retention.is_due(store, NOW + timedelta(hours=23)) and retention.is_due(store, NOW + timedelta(hours=24))


def test_the_ingest_process_runs_it_once_a_day(store: Store) -> None:
    put(store, "desk", AT - 80 * DAY, rejects=(Reject("a", "f", "bad_date"),))
    store.write(lambda connection: connection.execute(text("UPDATE ops_reject SET resolved_at = 1")))
    clock = [NOW]
    with closing(Ingest(store, replace(config(), feeds=()), lambda: clock[0])) as ingest:
        ingest.turn()
        assert ingest.retaining is not None
        ingest.retaining.result(30)
        assert rows(store, "SELECT count(*) FROM ops_reject") == [(0,)]
        assert rows(store, "SELECT count(*) FROM ops_audit WHERE action = 'retention' AND kind = 'ops_reject'") == [(1,)]
        clock[0] += timedelta(hours=1)
        put(store, "desk", AT - 80 * DAY, rejects=(Reject("b", "f", "bad_date"),))
        store.write(lambda connection: connection.execute(text("UPDATE ops_reject SET resolved_at = 1")))
        ingest.turn()
        ingest.retaining.result(30)
        assert rows(store, "SELECT item FROM ops_reject") == [("b",)]
