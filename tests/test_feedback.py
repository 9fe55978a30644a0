"""Citizen reports: the Open311 client against a real server, parsing, redaction, and the truths of the real sets."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import ConfigError, FeedConfig, load_config
from data_sources.csv_file import csv_client
from data_sources.feed import FeedError, RawBatch
from data_sources.feedback.client_open311 import read
from data_sources.feedback.parse import parse_open311, parse_table
from data_sources.redact import redact
from store.rows import Parsed, ReportRow
from tests.scripted_http import Reply, Request, scripted_server
from tests.servers import ROOT

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
SAMPLE = ROOT / "tests" / "sample" / "open311_requests.json"
HOUR = 3_600_000_000


def feed(url: str = "", **settings: Any) -> FeedConfig:
    quick = {"retry_wait_s": 0.01, "retries": 2, "page_size": 2, **settings.pop("options", {})}
    return FeedConfig("reports", "feedback", "open311", url=url, zone="Asia/Ho_Chi_Minh", options=quick, **settings)


def request(number: int, at: datetime, **more: Any) -> dict[str, Any]:
    sent = at.isoformat()
    return {"service_request_id": f"R{number}", "status": "open", "service_code": "a", "requested_datetime": sent, **more}


def parsed(*items: Any, **settings: Any) -> Parsed:
    return parse_open311(feed(**settings), RawBatch(items), NOW)


def instant(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1e6)


class Office:
    """An Open311 server over a list of requests, honouring windows and pages like the core text says."""

    def __init__(self, requests: list[dict[str, Any]], *, knows_pages: bool = True, most: int = 1000) -> None:
        self.requests, self.knows_pages, self.most = requests, knows_pages, most

    def __call__(self, asked: Request) -> Reply:
        start, end = asked.query.get("start_date", ""), asked.query.get("end_date", "9999")
        if asked.query.get("updated_after"):
            found = [one for one in self.requests if utc(one["updated_datetime"]) >= asked.query["updated_after"]]
        else:
            found = [one for one in self.requests if start <= utc(one["requested_datetime"]) <= end]
        if self.knows_pages:
            size = int(asked.query["page_size"])
            first = (int(asked.query["page"]) - 1) * size
            return Reply(found[first : first + size])
        return Reply(found[: self.most])


def utc(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def ids(batches: list[RawBatch]) -> list[str]:
    return [item["service_request_id"] for batch in batches for item in batch.items]


# --- client -----------------------------------------------------------------------------------------------


def test_every_request_of_a_year_comes_through_windows_of_at_most_90_days() -> None:
    office = Office([request(n, NOW - timedelta(days=n)) for n in range(365, 0, -5)])
    with scripted_server(office) as (url, asked):
        batches = list(read(feed(url, start="2025-11-20"), None, NOW))
    assert sorted(ids(batches)) == sorted(one["service_request_id"] for one in office.requests)
    spans = {(one.query["start_date"], one.query["end_date"]) for one in asked}
    assert len(spans) == 5
    assert all(datetime.fromisoformat(b) - datetime.fromisoformat(a) <= timedelta(days=90) for a, b in spans)


def test_cursor_is_the_newest_request_landed_and_moves_only_at_the_end_of_a_window() -> None:
    office = Office([request(n, NOW - timedelta(hours=n)) for n in range(1, 6)])
    with scripted_server(office) as (url, _):
        batches = list(read(feed(url), None, NOW))
    assert [batch.cursor for batch in batches] == [None, None, "2026-11-22T02:00:00+00:00"]


def test_reading_goes_on_from_the_cursor_less_the_lag() -> None:
    office = Office([request(n, NOW - timedelta(hours=n)) for n in range(1, 6)])
    with scripted_server(office) as (url, asked):
        batches = list(read(feed(url, lag_s=3600), "2026-11-22T01:00:00+00:00", NOW))
    assert asked[0].query["start_date"] == "2026-11-22T00:00:00Z"
    assert sorted(ids(batches)) == ["R1", "R2", "R3"]


def test_a_request_dated_in_the_future_does_not_carry_the_cursor_away() -> None:
    office = Office([request(1, NOW - timedelta(hours=1)), request(2, NOW - timedelta(hours=2))])
    office.requests[1]["updated_datetime"] = "2099-01-01T00:00:00Z"
    with scripted_server(office) as (url, _):
        batches = list(read(feed(url, options={"updated_after": True}), None, NOW))
    assert batches[-1].cursor == "2026-11-22T02:00:00+00:00"


def test_updated_after_finds_changes_to_old_requests_where_the_server_has_it() -> None:
    old = request(1, NOW - timedelta(days=400), updated_datetime=(NOW - timedelta(minutes=5)).isoformat())
    with scripted_server(Office([old])) as (url, asked):
        batches = list(read(feed(url, options={"updated_after": True}), "2026-11-22T02:00:00+00:00", NOW))
    assert ids(batches) == ["R1"]
    assert "start_date" not in asked[0].query
    assert batches[-1].cursor == "2026-11-22T02:55:00+00:00"


def test_a_server_that_repeats_its_page_forever_is_read_once() -> None:
    same = [request(n, NOW - timedelta(hours=n)) for n in (1, 2)]
    with scripted_server(lambda asked: Reply(same)) as (url, asked):
        batches = list(read(feed(url), None, NOW))
    assert ids(batches) == ["R1", "R2"]
    assert len(asked) == 2


def test_a_full_answer_without_paging_is_halved_until_nothing_is_cut_off() -> None:
    office = Office([request(n, NOW - timedelta(minutes=10 * n)) for n in range(1, 2501)], knows_pages=False)
    with scripted_server(office) as (url, _):
        batches = list(read(feed(url), None, NOW))
    assert len(set(ids(batches))) == 2500


def test_429_is_waited_out_as_the_server_asks() -> None:
    replies = [Reply(b"slow down", 429, {"retry-after": "0"}), Reply(b"", 503)]
    item = request(1, NOW - timedelta(hours=1))
    with scripted_server(lambda asked: replies.pop(0) if replies else Reply([item])) as (url, asked):
        batches = list(read(feed(url), None, NOW))
    assert ids(batches) == ["R1"]
    assert len(asked) == 4  # 429, 503, page 1, page 2 repeats


def test_a_long_retry_after_ends_the_run_instead_of_blocking_it() -> None:
    with scripted_server(lambda asked: Reply(b"", 429, {"retry-after": "7200"})) as (url, asked), pytest.raises(
        FeedError, match=r"asks to wait 7200 s .*the next run tries again"
    ):
        list(read(feed(url), None, NOW))
    assert len(asked) == 1


def test_a_failing_server_is_tried_a_bounded_number_of_times() -> None:
    with scripted_server(lambda asked: Reply(b"boom", 500)) as (url, asked), pytest.raises(
        FeedError, match="answered HTTP 500: boom"
    ):
        list(read(feed(url), None, NOW))
    assert len(asked) == 3


def test_what_was_read_before_a_fault_lands_without_a_cursor() -> None:
    items = [request(n, NOW - timedelta(hours=n)) for n in (1, 2)]
    with scripted_server(lambda a: Reply(items) if a.query["page"] == "1" else Reply(b"", 500)) as (url, _):
        batches = read(feed(url), None, NOW)
        first = next(batches)
        assert (len(first.items), first.cursor) == (2, None)
        with pytest.raises(FeedError):
            next(batches)


def test_an_error_array_is_shown_with_feed_url_and_remedy_but_no_key() -> None:
    sent = [{"code": 403, "description": "jurisdiction_id was not provided"}]
    with scripted_server(lambda asked: Reply(sent, 403)) as (url, asked), pytest.raises(FeedError) as fault:
        list(read(feed(url, password="s3cret"), None, NOW))
    assert asked[0].query["api_key"] == "s3cret"
    message = str(fault.value)
    assert "feed reports" in message and "403: jurisdiction_id was not provided" in message and "/requests.json" in message
    assert "s3cret" not in message


def test_an_error_array_answered_with_200_is_an_error() -> None:
    with scripted_server(lambda asked: Reply([{"code": 400, "description": "bad span"}])) as (url, _), pytest.raises(
        FeedError, match="400: bad span"
    ):
        list(read(feed(url), None, NOW))


@pytest.mark.parametrize(
    ("body", "said"),
    [(b"<html>", "no JSON"), (b"7", "no list of requests"), (b"[" * 100_000, "no JSON"), (b"", "no JSON")],
)
def test_a_broken_answer_names_the_remedy(body: bytes, said: str) -> None:
    with scripted_server(lambda asked: Reply(body)) as (url, _), pytest.raises(FeedError, match=said) as fault:
        list(read(feed(url), None, NOW))
    assert "check the" in str(fault.value)


def test_a_huge_body_is_not_read_to_its_end() -> None:
    bomb = gzip.compress(b" " * 30_000_000)
    with scripted_server(lambda asked: Reply(bomb, headers={"content-encoding": "gzip"})) as (url, _), pytest.raises(
        FeedError, match="larger than 1 MB"
    ):
        list(read(feed(url, options={"max_body_mb": 1}), None, NOW))


def test_a_redirect_to_another_host_is_not_followed() -> None:
    with scripted_server(lambda asked: Reply([])) as (other, seen), scripted_server(
        lambda asked: Reply(b"", 302, {"location": f"{other}/requests.json"})
    ) as (url, _), pytest.raises(FeedError, match="another origin"):
        list(read(feed(url), None, NOW))
    assert seen == []


def test_a_redirect_on_the_same_server_is_followed() -> None:
    item = request(1, NOW - timedelta(hours=1))

    def script(asked: Request) -> Reply:
        return Reply([item]) if asked.path == "/v2" else Reply(b"", 307, {"location": "/v2?page=1"})

    with scripted_server(script) as (url, _):
        assert ids(list(read(feed(url), None, NOW))) == ["R1"]


def test_nobody_listening_is_told_after_a_few_tries() -> None:
    with scripted_server(lambda asked: Reply([])) as (url, _):
        pass
    with pytest.raises(FeedError, match="no answer after 3 tries"):
        list(read(feed(url), None, NOW))


def test_discovery_names_the_endpoint() -> None:
    item = request(1, NOW - timedelta(hours=1))

    def script(asked: Request) -> Reply:
        if asked.path == "/discovery.json":
            host = asked.headers["host"]
            test = {"specification": "http://wiki.open311.org/GeoReport_v2", "url": f"http://{host}/t", "type": "test"}
            return Reply({"endpoints": [test, {**test, "url": f"http://{host}/v2", "type": "production"}]})
        return Reply([item]) if asked.path == "/v2/requests.json" else Reply(b"", 404)

    with scripted_server(script) as (url, _):
        assert ids(list(read(feed(options={"discovery": f"{url}/discovery.json"}), None, NOW))) == ["R1"]


def test_a_single_object_is_taken_for_a_list_of_one() -> None:
    with scripted_server(lambda asked: Reply(request(1, NOW - timedelta(hours=1)))) as (url, _):
        assert ids(list(read(feed(url), None, NOW))) == ["R1"]


def test_a_saved_file_reads_like_the_server_and_only_once() -> None:
    saved = feed(path=str(SAMPLE), options={"page_size": 1})
    batches = list(read(saved, None, NOW))
    assert ids(batches) == ["R-1", "R-2"] and batches[0].cursor is None
    assert list(read(saved, batches[-1].cursor, NOW)) == []


def test_a_missing_file_is_named() -> None:
    with pytest.raises(FeedError, match=r"feed reports: /nowhere/a\.json: no such file"):
        list(read(feed(path="/nowhere/a.json"), None, NOW))


# --- parse ------------------------------------------------------------------------------------------------


def sample() -> tuple[ReportRow, ...]:
    found = parsed(*json.loads(SAMPLE.read_text(encoding="utf-8")))
    assert found.rejects == ()
    return found.reports


def test_an_open_request_becomes_a_row_with_its_due_time() -> None:
    row = sample()[0]
    assert (row.source_id, row.category, row.category_group, row.agency) == ("R-1", "rac", "Môi trường", "Phường Hồng Gai")
    assert (row.status, row.closed_at, row.lon, row.lat) == ("in_progress", None, 107.08, 20.95)
    assert row.due_at == instant("2026-11-23T17:00:00+07:00")
    assert row.version == row.updated_at == instant("2026-11-20T09:00:00+07:00")


def test_the_closing_note_tells_when_a_request_was_closed() -> None:
    assert sample()[1].closed_at == instant("2026-11-19T15:30:00+07:00")


def test_without_notes_a_closed_request_was_closed_at_its_last_update() -> None:
    (row,) = parsed(request(1, NOW, status="closed", updated_datetime="2026-11-22T04:00:00Z")).reports
    assert row.closed_at == instant("2026-11-22T04:00:00+00:00")


def test_contact_data_is_taken_out_of_the_text() -> None:
    assert sample()[0].description == "Rác ở đầu ngõ, gọi [số điện thoại] hoặc [email], CCCD [số giấy tờ]"


def test_a_reject_keeps_no_name_phone_or_address() -> None:
    bad = {**json.loads(SAMPLE.read_text(encoding="utf-8"))[0], "requested_datetime": "hôm qua"}
    (reject,) = parsed(bad).rejects
    assert (reject.item, reject.field, reject.reason, reject.value) == ("R-1", "received_at", "bad_date", "hôm qua")
    assert not {"first_name", "phone", "address"} & reject.payload.keys()
    assert "0912" not in str(reject)


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"service_request_id": None}, "source_id", "missing_field"),
        ({"requested_datetime": None}, "received_at", "missing_field"),
        ({"requested_datetime": "2027-06-01T00:00:00Z"}, "received_at", "future_date"),
        ({"lat": 950}, "lat", "out_of_range"),
        ({"long": "xa lắm"}, "lon", "bad_number"),
        ({"service_code": ["a"]}, "category", "bad_text"),
    ],
)
def test_a_bad_request_is_refused_by_field_and_reason(change: Mapping[str, Any], field: str, reason: str) -> None:
    found = parsed(request(1, NOW, **change), request(2, NOW))
    assert [(one.field, one.reason) for one in found.rejects] == [(field, reason)]
    assert [row.source_id for row in found.reports] == ["R2"]


def test_a_status_nobody_mapped_is_shown_as_unmapped() -> None:
    assert parsed(request(1, NOW, status="zombie")).reports[0].status == "unmapped"


def test_notes_refine_the_status_only_within_open_and_closed() -> None:
    fields = {"status_detail": {"from": "status_notes", "codes": {"Duplicate": "refused", "Moved": "transferred"}}}
    rows = parsed(
        request(1, NOW, status="closed", status_notes="Duplicate"),
        request(2, NOW, status="closed", status_notes="Moved"),
        request(3, NOW, status="open", status_notes="Moved"),
        request(4, NOW, status="open", status_notes="anything"), fields=fields,
    ).reports
    assert [row.status for row in rows] == ["refused", "closed", "transferred", "in_progress"]


def test_half_a_point_and_the_point_zero_are_no_points() -> None:
    rows = parsed(request(1, NOW, lat=21), request(2, NOW, lat=0, long=0)).reports
    assert [(row.lon, row.lat) for row in rows] == [(None, None), (None, None)]


def test_a_mapping_to_an_unknown_status_is_a_fault_of_the_city_file() -> None:
    fields = {"status": {"from": "status", "codes": {"open": "begun"}}}
    with pytest.raises(ConfigError, match=r"feed reports: fields\.status: 'begun' is no status"):
        parsed(request(1, NOW), fields=fields)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=6,
)
NAMES = (
    "service_request_id", "status", "requested_datetime", "updated_datetime", "lat", "long", "description", "notes",
    "extended_attributes", "service_code", "status_notes", "expected_datetime",
)


@given(st.lists(JSON_VALUES | st.dictionaries(st.sampled_from(NAMES), JSON_VALUES), max_size=5))
def test_garbage_becomes_rejects_and_never_an_exception(items: list[Any]) -> None:
    found = parsed(request(1, NOW), *items)
    assert found.reports[0].source_id == "R1"
    assert found.item_count == len(items) + 1
    named = {reject.item for reject in found.rejects}
    assert len(found.reports) + len(named) <= found.item_count
    assert len(found.reports) + len(found.rejects) >= found.item_count


# --- redact -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("gọi 0912345678 nhé", "gọi [số điện thoại] nhé"),
        ("+84 912 345 678", "[số điện thoại]"),
        ("(0203) 3825.123.", "[số điện thoại]."),
        ("call 617-555-0123 or (617) 555-0123", "call [số điện thoại] or [số điện thoại]"),
        ("a.b+c@mail.example.vn!", "[email]!"),
        ("CMND 123456789, CCCD 022 084 001 234", "CMND [số giấy tờ], CCCD [số giấy tờ]"),
    ],
)
def test_personal_numbers_are_replaced(text: str, kept: str) -> None:
    assert redact(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "lúc 08:30 ngày 01-02-2024 10:11", "ngày 20/11/2026", "số tiền 100.000.000 đồng", "20.951234567, 107.081234567",
        "tổ 12, ngõ 345", "hotline 19001075", "Case 14-00684314", "",
    ],
)
def test_dates_money_places_and_case_numbers_stay(text: str) -> None:
    assert redact(text) == text


@given(st.text(max_size=300))
def test_redacting_twice_changes_nothing(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


# --- the real sets ----------------------------------------------------------------------------------------


def example(name: str, real_data: Path) -> FeedConfig:
    config = load_config(ROOT / "examples" / name / "city.toml", {"TOANCANH_REAL_DATA": str(real_data)})
    return config.feeds[0]


def csv_rows(manifest: FeedConfig) -> tuple[list[ReportRow], list[Any]]:
    found = [parse_table(manifest, batch, NOW) for batch in csv_client(manifest, None, NOW)]
    return [row for one in found for row in one.reports], [reject for one in found for reject in one.rejects]


def test_boston_closed_on_time_equals_the_citys_own_verdict(real_data: Path) -> None:
    manifest = example("boston", real_data)
    rows, rejects = csv_rows(manifest)
    assert (len(rows), rejects) == (5473, [])
    with gzip.open(manifest.path, "rt", encoding="utf-8", newline="") as stream:
        said = {line["case_id"]: line["on_time"] for line in csv.DictReader(stream)}
    closed = [row for row in rows if row.status == "closed" and row.due_at is not None]
    differing = [
        row for row in closed
        if row.closed_at is None or row.due_at is None or (row.closed_at <= row.due_at) != (said[row.source_id] == "ONTIME")
    ]
    assert (len(closed), differing) == (4090, [])


def test_boston_rows_without_due_date_point_or_agency_land(real_data: Path) -> None:
    rows, _ = csv_rows(example("boston", real_data))
    assert sum(row.due_at is None for row in rows) == 10
    assert sum(row.lon is None for row in rows) == 58
    assert sum(not row.agency for row in rows) == 19
    assert "unmapped" not in {row.status for row in rows}


def test_chicago_repeated_numbers_share_a_source_id(real_data: Path) -> None:
    rows, rejects = csv_rows(example("chicago", real_data))
    assert (len(rows), rejects) == (74_401, [])
    assert len(rows) - len({row.source_id for row in rows}) == 375
    assert sum(row.is_duplicate for row in rows) == 3509 + 124
    assert sum(row.closed_at is None for row in rows) == 325


def test_chicago_ward_0_is_no_area(real_data: Path) -> None:
    manifest = example("chicago", real_data)
    table = {**manifest.fields, "area": {"from": "Ward", "missing": ["0"]}}
    with gzip.open(manifest.path, "rt", encoding="utf-8", newline="") as stream:
        lines = [line for line in csv.DictReader(stream) if line["Ward"] in ("0", "")]
    found = parse_table(replace(manifest, fields=table), RawBatch(lines), NOW)
    assert Counter(line["Ward"] for line in lines) == {"0": 3, "": 4}
    assert {row.area for row in found.reports} == {""} and len(found.reports) == 7


def test_chicago_open311_sample_lands_whole_with_its_history(real_data: Path) -> None:
    manifest = example("chicago_open311", real_data)
    found = [parse_open311(manifest, batch, NOW) for batch in read(manifest, None, NOW)]
    rows = [row for one in found for row in one.reports]
    assert (len(rows), sum(len(one.rejects) for one in found)) == (50, 0)
    assert Counter(row.status for row in rows) == {"closed": 48, "refused": 1, "in_progress": 1}
    closed = next(row for row in rows if row.source_id == "14-00684314")
    assert closed.closed_at == instant("2015-10-10T10:15:40-05:00")


# --- options ----------------------------------------------------------------------------------------------


def test_a_misspelt_option_is_told_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"feed reports: unknown option 'pagesize'; known: .*page_size"):
        list(read(feed("http://127.0.0.1:9", options={"pagesize": 5}), None, NOW))


def test_an_option_of_the_wrong_type_is_told() -> None:
    with pytest.raises(ConfigError, match="option window_days = 'long' must be a int or float"):
        list(read(feed("http://127.0.0.1:9", options={"window_days": "long"}), None, NOW))
