"""How reports were handled: what a source tells, what its deliveries show, and what stays unknown; on both engines."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import text

from config import Config, ConfigError, FeedbackConfig, FeedConfig, parse_config
from data_sources.feed import RawBatch
from data_sources.feedback.parse import parse_open311, parse_table
from data_sources.feedback.quality import watched
from metrics.city import open_city
from metrics.city.findings.closings import Alike, judged
from metrics.city.numbers.kpis import read as read_kpis
from metrics.city.numbers.sums import NOTHING_CHOSEN, Choice
from metrics.city.records import reports as city_reports
from metrics.kpis.feedback import FEEDBACK, LIMITS_766
from metrics.periods import parse_period
from metrics.rollups import clock_step, drain
from store.days import HOUR, number_of
from store.engine import Store, open_store
from store.landing import Landing, land
from store.migrate import migrate
from store.reported import is_within_hour
from store.rows import Parsed, ReportRow
from store.snapshot import mark_absent
from store.versioned import REPORTS
from tests.oracle_rollups import rollup_differences
from tests.stores import ALL
from tests.test_store import TZ, at

MINUTE = HOUR // 60
WATCHED = frozenset({"reopened", "returned", "extended"})
FEEDS = (FeedConfig("reports", "feedback", "open311", cadence_s=600),)
NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)


@pytest.fixture
def store(engine_url: str) -> Iterator[Store]:
    store = open_store(engine_url, TZ)
    migrate(store)
    yield store
    store.dispose()


def report(source_id: str = "1", **values: Any) -> ReportRow:
    """An open report of 2 November, 09:07."""
    return replace(ReportRow(source_id, "trash", agency="A", area="X", status="in_progress", received_at=at(2) + 7 * MINUTE), **values)


def send(store: Store, *rows: ReportRow, now: int, seen: frozenset[str] = WATCHED) -> None:
    land(store, Parsed(reports=rows, item_count=len(rows)), Landing("reports", "feedback", now, watched=seen))


def core(store: Store, source_id: str = "1") -> dict[str, Any]:
    with store.reading() as connection:
        rows = connection.execute(text("SELECT * FROM core_report WHERE source_id = :id"), {"id": source_id}).mappings()
        return dict(rows.one())


def closed(day: int, **values: Any) -> ReportRow:
    return report(status="closed", closed_at=at(day) + 3 * MINUTE, updated_at=at(day) + 3 * MINUTE, **values)


# ---- seen from one delivery to the next --------------------------------------------------------------------------------
def test_a_closed_report_that_opens_again_was_reopened_on_that_day_and_keeps_it_when_closed_again(store: Store) -> None:
    send(store, report(), now=at(2, 12))
    assert core(store)["reopened_count"] == 0
    send(store, closed(3), now=at(3, 12))
    send(store, report(updated_at=at(5)), now=at(5, 12))
    found = core(store)
    assert (found["reopened_count"], found["reopened_at"], found["reopened_on"]) == (1, at(5), store.days.on(at(5)))
    send(store, closed(6), now=at(6, 12))
    assert (core(store)["reopened_count"], core(store)["reopened_at"]) == (1, at(5))
    send(store, report(updated_at=at(8)), now=at(8, 12))
    assert (core(store)["reopened_count"], core(store)["reopened_at"]) == (2, at(8))


def test_a_delivery_read_twice_reopens_nothing_twice(store: Store) -> None:
    for row, day in ((report(), 2), (closed(3), 3), (report(updated_at=at(5)), 5), (report(updated_at=at(5)), 6)):
        send(store, row, now=at(day, 12))
    assert core(store)["reopened_count"] == 1


def test_an_archive_read_once_knows_of_no_reopening_and_says_unknown(store: Store) -> None:
    send(store, report(), now=at(2, 12), seen=frozenset())
    assert core(store)["reopened_count"] is None
    send(store, closed(3), now=at(3, 12), seen=frozenset())
    send(store, report(updated_at=at(5)), now=at(5, 12), seen=frozenset())
    found = core(store)
    assert (found["reopened_count"], found["reopened_at"]) == (None, None)


def test_a_report_that_was_closed_when_it_first_came_is_not_known_to_be_never_reopened(store: Store) -> None:
    send(store, closed(3), now=at(4))
    assert core(store)["reopened_count"] is None
    send(store, report(updated_at=at(5)), now=at(6))  # the day is kept; counted, a share would know of the reopened ones only
    assert (core(store)["reopened_count"], core(store)["reopened_at"]) == (None, at(5))


def test_what_the_source_tells_wins_over_what_was_seen(store: Store) -> None:
    send(store, report(reopened_count=2, reopened_at=at(4), returned_count=1, extension_count=0), now=at(5))
    found = core(store)
    assert (found["reopened_count"], found["reopened_at"], found["returned_count"], found["extension_count"]) == (2, at(4), 1, 0)
    send(store, closed(6, reopened_count=2, reopened_at=at(4)), now=at(6))
    assert (core(store)["reopened_count"], core(store)["reopened_at"]) == (2, at(4))


def test_a_status_of_sending_back_or_more_time_counts_each_time_it_is_entered(store: Store) -> None:
    for number, status in enumerate(("new", "returned", "returned", "transferred", "returned", "extended")):
        send(store, report(status=status, channel=str(number)), now=at(2, 10 + number))
    assert (core(store)["returned_count"], core(store)["extension_count"]) == (2, 1)


def test_a_report_closed_by_its_absence_and_named_again_was_not_reopened(store: Store) -> None:
    send(store, report(), report("2"), now=at(2, 12))
    store.write(lambda connection: mark_absent(connection, store.days, REPORTS, "reports", ["2"], at(3), 0.0))
    assert core(store)["is_within_hour"] is None and core(store)["closed_at"] == at(3)
    send(store, report(), now=at(4))
    assert (core(store)["reopened_count"], core(store)["reopened_at"], core(store)["is_open"]) == (0, None, True)


@pytest.mark.parametrize("seed", range(3))
def test_the_count_equals_the_transitions_in_the_kept_versions(store: Store, seed: int) -> None:
    draw, day = random.Random(seed), 2
    for turn in range(24):
        rows = []
        for name in draw.sample("12345", 3):
            is_closed = draw.random() < 0.5
            done = {"status": "closed", "closed_at": at(day) + turn * MINUTE} if is_closed else {"status": "in_progress"}
            rows.append(report(name, version=turn, **done))
        send(store, *rows, now=at(day) + turn * MINUTE)
    with store.reading() as connection:
        told = connection.execute(text("SELECT source_id, is_open FROM core_report_version ORDER BY source_id, version")).all()
    for name in "12345":
        states = [bool(is_open) for source_id, is_open in told if source_id == name]
        again = sum(now and not before for before, now in pairwise(states))
        assert core(store, name)["reopened_count"] == (again if states[0] else None)


def test_within_the_hour_is_unknown_for_dates_without_times() -> None:
    assert is_within_hour(at(2), at(2)) is None and is_within_hour(at(2), None) is None
    assert is_within_hour(at(2) + MINUTE, at(2) + 60 * MINUTE) is True
    assert is_within_hour(at(2) + MINUTE, at(2) + 61 * MINUTE) is False
    assert is_within_hour(at(2) + MINUTE, at(2) - MINUTE) is False  # ended before it began


# ---- what mappings tell -----------------------------------------------------------------------------------------------
BASE = {"source_id": {"from": "id"}, "received_at": {"from": "at"}, "status": {"from": "status", "codes": {"open": "new"}}}
ITEM = {"id": "1", "at": "2026-11-02T09:00:00", "status": "open"}


def parsed(item: dict[str, Any], **fields: Any) -> Parsed:
    feed = FeedConfig("reports", "feedback", "csv", fields={**BASE, **fields})
    return parse_table(feed, RawBatch([{**ITEM, **item}]), NOW)


def test_a_field_no_mapping_names_stays_unknown() -> None:
    (row,) = parsed({"stars": "3", "again": "1"}).reports
    assert (row.rating, row.reopened_count, row.returned_count, row.extension_count, row.is_duplicate) == (None,) * 5


def test_a_mapped_field_left_empty_says_not_rated_and_not_reopened() -> None:
    (row,) = parsed({"stars": "", "again": ""}, rating={"from": "stars"}, reopened_at={"from": "again"}).reports
    assert (row.rating, row.reopened_count) == (0, 0)


def test_ratings_come_as_numbers_or_words_and_reopenings_as_times_or_counts() -> None:
    words = {"from": "stars", "codes": {"Hài lòng": "satisfied", "Chấp nhận": "accepted", "Không": "dissatisfied"}}
    rows = [parsed({"stars": told}, rating=words).reports[0].rating for told in ("Hài lòng", "Chấp nhận", "Không")]
    assert rows == [3, 2, 1] and parsed({"stars": "2"}, rating={"from": "stars"}).reports[0].rating == 2
    (row,) = parsed({"when": "2026-11-05"}, reopened_at={"from": "when"}).reports
    assert (row.reopened_count, row.reopened_at) == (1, at(5, 0))
    (row,) = parsed({"n": "2"}, reopened_count={"from": "n"}, returned_count={"from": "n"}, extension_count={"from": "n"}).reports
    assert (row.reopened_count, row.returned_count, row.extension_count) == (2, 2, 2)


@pytest.mark.parametrize(
    ("item", "fields", "reason"),
    [
        ({"stars": "5"}, {"rating": {"from": "stars"}}, "unknown_code"),
        ({"n": "-1"}, {"reopened_count": {"from": "n"}}, "out_of_range"),
        ({"n": "x"}, {"returned_count": {"from": "n", "codes": {"x": "many"}}}, "bad_number"),
    ],
)
def test_a_value_that_means_nothing_refuses_the_row(item: dict[str, Any], fields: dict[str, Any], reason: str) -> None:
    found = parsed(item, **fields)
    assert not found.reports and [reject.reason for reject in found.rejects] == [reason]


def test_open311_takes_the_same_from_extended_attributes() -> None:
    sent = {
        "service_request_id": "7", "requested_datetime": "2026-11-02T09:00:00+07:00", "status": "closed",
        "updated_datetime": "2026-11-06T09:00:00+07:00", "extended_attributes": {"rating": 1, "duplicate": True, "reopened": 1},
    }
    fields = {"rating": {"from": "extended_attributes.rating"}, "reopened_count": {"from": "extended_attributes.reopened"}}
    (row,) = parse_open311(FeedConfig("reports", "feedback", "open311", fields=fields), RawBatch([sent]), NOW).reports
    assert (row.rating, row.reopened_count, row.is_duplicate) == (1, 1, True)


def test_feeds_with_a_cadence_are_watched_for_what_their_statuses_can_say() -> None:
    archive = FeedConfig("a", "feedback", "csv", fields=BASE)
    assert watched(archive) == frozenset()
    assert watched(replace(archive, cadence_s=600)) == {"reopened"}
    sent_back = {**BASE, "status_detail": {"from": "s", "codes": {"TL": "returned"}}}
    assert watched(replace(archive, cadence_s=600, fields=sent_back)) == {"reopened", "returned"}
    assert watched(replace(archive, cadence_s=600, role="one_stop")) == frozenset()


# ---- figures ----------------------------------------------------------------------------------------------------------
def figures(store: Store, config: Config, choice: Choice = NOTHING_CHOSEN) -> dict[str, tuple[float | None, int | None]]:
    """KPI -> value and n over November."""
    city = open_city(store, config, ALL, NOW)
    found = read_kpis(city, [row.key for row in FEEDBACK], parse_period("2026-11", city.today), choice)
    return {value.key: (value.value, value.n) for value in found}


def settle(store: Store) -> None:
    clock_step(store, at(20, 10))
    drain(store, at(20, 10))
    with store.reading() as connection:
        assert rollup_differences(connection, TZ, at(20, 10)) == []


def test_a_closed_report_counts_as_resolved_only_without_a_complaint(store: Store) -> None:
    send(
        store,
        report("fine", status="closed", closed_at=at(4), reopened_count=0, rating=3),
        report("silent", status="resolved", closed_at=at(4), reopened_count=0, rating=0),
        report("again", status="closed", closed_at=at(4), reopened_count=1, rating=3),
        report("angry", status="closed", closed_at=at(4), reopened_count=0, rating=1),
        report("refused", status="refused", closed_at=at(4), reopened_count=0),
        report("twin", status="closed", closed_at=at(4), reopened_count=0, is_duplicate=True),
        report("unheard", status="closed", closed_at=at(4)),
        report("open", reopened_count=1, reopened_at=at(6)),
        now=at(7),
    )
    settle(store)
    found = figures(store, Config("Quality", feeds=FEEDS))
    assert found["reports_resolved"] == (7, 7) and found["reports_resolved_pct"] == (pytest.approx(100 * 2 / 6), 6)
    assert found["reports_reopened_pct"] == (pytest.approx(100 * 2 / 7), 7)
    assert found["reports_rated_pct"] == (75.0, 4) and found["reports_satisfied_pct"] == (pytest.approx(200 / 3), 3)
    assert found["reports_duplicate_pct"] == (100.0, 1) and found["reports_extended_pct"] == (0.0, 1)
    assert found["reports_accepted_pct"] == (87.5, 8) and found["reports_handled_pct"] == (pytest.approx(100 * 6 / 7), 7)


def burst(agency: str, count: int, start: int, step: int, first: int = 0) -> tuple[ReportRow, ...]:
    return tuple(
        report(f"{agency}{first + n}", agency=agency, area=f"X{n % 3}", status="closed", closed_at=start + n * step) for n in range(count)
    )


def test_only_one_agencys_closings_within_the_minutes_are_in_bulk(store: Store) -> None:
    start = at(5, 16) + 2 * MINUTE
    rows = burst("A", 6, start, MINUTE) + burst("B", 6, start, 3 * MINUTE) + burst("C", 3, start, 0) + burst("D", 3, start, 0)
    send(store, *rows, now=at(7))
    settle(store)
    config = Config("Bulk", feeds=FEEDS, feedback=FeedbackConfig(bulk_closures=5, bulk_minutes=10))
    assert figures(store, config)["reports_closed_in_bulk_pct"] == (pytest.approx(100 * 6 / 18), 18)
    assert figures(store, config, choice=Choice(agency="A"))["reports_closed_in_bulk_pct"] == (100.0, 6)
    assert figures(store, config, choice=Choice(area="X0"))["reports_closed_in_bulk_pct"] == (pytest.approx(100 * 2 / 6), 6)
    assert figures(store, Config("Bulk", feeds=FEEDS))["reports_closed_in_bulk_pct"] == (0.0, 18)  # 20 unless the city says otherwise


def test_closings_across_a_ten_minute_mark_are_one_burst(store: Store) -> None:
    send(store, *burst("A", 5, at(5, 16) - 2 * MINUTE, MINUTE), now=at(7))
    settle(store)
    config = Config("Bulk", feeds=FEEDS, feedback=FeedbackConfig(bulk_closures=5))
    assert figures(store, config)["reports_closed_in_bulk_pct"] == (100.0, 5)


@pytest.mark.parametrize(
    ("received", "ended", "is_refused", "in_time"),
    [
        ("2026-11-02", "2026-11-04", True, True),  # two working days to refuse
        ("2026-11-02", "2026-11-05", True, False),
        ("2026-11-06", "2026-11-10", True, True),  # Friday: Monday and Tuesday
        ("2026-11-02", "2026-11-23", False, True),  # fifteen to resolve: three weeks
        ("2026-11-02", "2026-11-24", False, False),
        ("2026-11-02", "", False, True),  # open on the 23rd, the last day in time
        ("2026-10-30", "", False, False),
        ("2026-10-30", "", True, False),  # what is not ended has the limit of resolving
    ],
)
def test_the_limits_of_766_count_working_days_from_sending(
    store: Store, received: str, ended: str, is_refused: bool, in_time: bool,
) -> None:
    city = open_city(store, Config("766"), ALL, datetime(2026, 11, 23, 9, tzinfo=UTC))
    day = lambda told: number_of(datetime.fromisoformat(told).date()) if told else None  # noqa: E731
    found = judged(city, Alike("", day(received) or 0, day(ended), is_refused, True, False, 1), city.today_on)
    assert (found.on_time, found.good, found.total) == (int(in_time), int(in_time), 1)
    assert {row.working_days for row in LIMITS_766} == {2, 5, 15} and all(row.source for row in LIMITS_766)


# ---- lists ------------------------------------------------------------------------------------------------------------
def test_lists_hold_the_reports_a_figure_counts(store: Store) -> None:
    rows = burst("A", 6, at(5, 16) + 2 * MINUTE, MINUTE)
    hasty = report("hasty", status="closed", closed_at=at(2) + 20 * MINUTE)
    again = report("again", reopened_count=1, reopened_at=at(6))
    send(store, *rows, hasty, again, report("once", reopened_count=1), now=at(7))
    settle(store)
    city = open_city(store, Config("Lists", feeds=FEEDS, feedback=FeedbackConfig(bulk_closures=5)), ALL, NOW)
    month = parse_period("2026-11", city.today)

    def listed(quality: str, **values: Any) -> list[str]:
        return sorted(row.source_id for row in city_reports.read(city, city_reports.ReportFilter(quality=quality, **values)).rows)

    assert listed("within_hour") == ["hasty"] and listed("reopened") == ["again", "once"] and listed("reopened", period=month) == ["again"]
    assert listed("bulk", period=month) == [f"A{n}" for n in range(6)]
    assert listed("bulk", period=parse_period("2026-10", city.today)) == []
    assert listed("reopened", state="finished") == []
    with pytest.raises(ValueError, match="period"):
        listed("bulk")
    with pytest.raises(ValueError, match="quality"):
        listed("good")
    shown = {row.source_id: row for row in city_reports.read(city, city_reports.ReportFilter(period=month)).rows}
    assert shown["A3"].is_in_bulk and not shown["hasty"].is_in_bulk and shown["hasty"].is_within_hour
    assert shown["again"].reopened_count == 1 and shown["hasty"].reopened_count is None


def test_the_city_file_sets_what_bulk_is(tmp_path: Any) -> None:
    told = {"city": {"name": "A"}, "feedback": {"bulk_closures": 7, "bulk_minutes": 5}}
    assert parse_config(told, tmp_path, {}).feedback == FeedbackConfig(7, 5)
    with pytest.raises(ConfigError, match="bulk_closures"):
        parse_config({"city": {"name": "A"}, "feedback": {"bulk_closures": 1}}, tmp_path, {})
