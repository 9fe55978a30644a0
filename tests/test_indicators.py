"""Indicators: reading tables and workbooks, refusing what is wrong, landing with versions, on both engines."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from sqlalchemy import text

from config import Config, ConfigError, FeedConfig
from data_sources.feed import FeedError, RawBatch
from data_sources.indicators.spans import Span, read_span
from data_sources.indicators.table import parse_table
from data_sources.indicators.workbook import read_workbook
from data_sources.sync import Sync
from store.days import instant
from store.engine import Store, open_store
from store.migrate import migrate
from store.retention import JOBS, run_batch
from store.revisions import revisions
from store.rows import IndicatorRow, Parsed

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
EPOCH = date(1970, 1, 1)
LONG: dict[str, Any] = {
    "indicator": {"from": "ma", "required": True}, "name": {"from": "ten"}, "subject": {"from": "don_vi"}, "period": {"from": "ky"},
    "value": {"from": "gia_tri", "missing": ["-"], "split": "/", "part": 0, "number": ","},
    "plan": {"from": "gia_tri", "missing": ["-"], "split": "/", "part": 1, "number": ","},
    "rank": {"from": "hang", "split": "/", "part": 0}, "denominator": {"from": "hang", "split": "/", "part": 1},
    "value_text": {"from": "gia_tri"}, "theme": {"from": "linh_vuc"},
}


def feed(fields: dict[str, Any] = LONG, protocol: str = "csv", **settings: Any) -> FeedConfig:
    return FeedConfig("indices", "indicators", protocol, fields=fields, **settings)


def item(**cells: str) -> dict[str, str]:
    return {"ma": "par", "ten": "Chỉ số", "don_vi": "", "ky": "2019", "gia_tri": "", "hang": "", "linh_vuc": "", **cells}


def parsed(*items: Any, manifest: FeedConfig | None = None) -> Parsed:
    return parse_table(manifest or feed(), RawBatch(items), NOW)


def on(iso: str) -> int:
    return (date.fromisoformat(iso) - EPOCH).days


# ---- periods ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("written", "start", "end"), [
    ("2019", "2019-01-01", "2019-12-31"), ("2019-Q3", "2019-07-01", "2019-09-30"), ("2019-H1", "2019-01-01", "2019-06-30"),
    ("2020-02", "2020-02-01", "2020-02-29"), ("2019-10-15", "2019-10-15", "2019-10-15"), ("..2019-10-15", "", "2019-10-15"),
    ("2011..2020-07", "2011-01-01", "2020-07-31"), ("..2019-Q3", "", "2019-09-30"),
])
def test_a_period_is_the_days_it_names(written: str, start: str, end: str) -> None:
    assert read_span(written) == Span(written, on(start) if start else None, on(end))


@pytest.mark.parametrize("written", ["", "19", "2019-Q5", "2019-13", "2019-02-30", "2019..", "2020..2019", "Quý III/2019", "2019-W40"])
def test_what_is_no_period_is_none(written: str) -> None:
    assert read_span(written) is None


def test_cumulative_to_a_day_comes_from_a_date_in_words() -> None:
    fields = {**LONG, "period_to_at": {"from": "ky", "extract": r"(\d+/\d+/\d+)", "date": ["%d/%m/%Y"]}}
    del fields["period"]
    (row,) = parsed(item(ky="đến hết 15/10/2019", gia_tri="1"), manifest=feed(fields)).indicators
    assert (row.period, row.start_on, row.end_on) == ("..2019-10-15", None, on("2019-10-15"))


# ---- rows ---------------------------------------------------------------------------------------------------------------
def test_two_figures_in_one_cell_are_told_apart_by_the_mapping() -> None:
    rank, plan = parsed(item(hang="13/19"), item(ma="bhxh", gia_tri="2.566/2.175")).indicators
    assert (rank.rank, rank.denominator, rank.kind, rank.value) == (13, 19, "index", None)
    assert (plan.value, plan.plan, plan.kind, plan.value_text) == (2566, 2175, "plan", "2.566/2.175")


def test_a_row_is_named_by_indicator_subject_and_period() -> None:
    (row,) = parsed(item(don_vi="Sở A", gia_tri="88,84")).indicators
    assert (row.source_id, row.subject, row.value) == ("par|Sở A|2019", "Sở A", 88.84)


@pytest.mark.parametrize(("cells", "field", "reason"), [
    ({"gia_tri": "8-9"}, "value", "bad_number"), ({"hang": "x/19"}, "rank", "bad_number"), ({"hang": "20/19"}, "rank", "out_of_range"),
    ({"hang": "0/19"}, "rank", "out_of_range"), ({"ky": "quý 3", "gia_tri": "1"}, "period", "bad_date"),
    ({"ky": "", "gia_tri": "1"}, "period", "missing_field"), ({"ma": "", "gia_tri": "1"}, "indicator", "missing_field"),
    ({}, "value", "missing_field"), ({"gia_tri": "1", "linh_vuc": "sport"}, "theme", "unknown_code"),
])
def test_a_bad_row_is_refused_for_its_field_and_the_good_one_lands(cells: dict[str, str], field: str, reason: str) -> None:
    found = parsed(item(**cells), item(ma="good", gia_tri="1"))
    assert [(reject.field, reject.reason) for reject in found.rejects] == [(field, reason)]
    assert [row.indicator for row in found.indicators] == ["good"]


def test_two_values_for_one_indicator_subject_and_period_are_a_fault_and_a_repeat_is_none() -> None:
    found = parsed(item(gia_tri="1"), item(gia_tri="1"), item(gia_tri="2"))
    assert [row.value for row in found.indicators] == [1]
    assert [(reject.item, reject.reason) for reject in found.rejects] == [("par||2019", "duplicate_key")]


WIDE: dict[str, Any] = {
    "wide": {"columns": "pci_.*"}, "indicator": {"from": "@column"}, "subject": {"from": "prov", "required": True},
    "period": {"from": "year"}, "value": {"from": "@value"},
}


def test_a_column_per_part_becomes_a_row_per_part_and_an_empty_cell_none() -> None:
    found = parsed({"prov": "An Giang", "year": "2005", "pci_a": "6.5", "pci_b": "", "pci_c": "0"}, manifest=feed(WIDE))
    assert [(row.indicator, row.value) for row in found.indicators] == [("pci_a", 6.5), ("pci_c", 0)]
    assert found.rejects == ()


def test_a_wide_row_without_subject_is_refused_once() -> None:
    found = parsed({"prov": "", "year": "2013", "pci_a": "6.5", "pci_b": "7"}, manifest=feed(WIDE))
    assert (found.indicators, [(r.item, r.field, r.reason) for r in found.rejects]) == ((), [("row 1", "subject", "missing_field")])


@pytest.mark.parametrize(("change", "said"), [
    ({"period": None}, "neither period nor period_to_at"), ({"indicator": None}, "indicator is not mapped"),
    ({"theme": {"const": "sport"}}, "theme: 'sport' is none of"), ({"weather": {"from": "x"}}, "unknown target field"),
])
def test_a_mapping_that_cannot_work_is_refused_whole(change: dict[str, Any], said: str) -> None:
    fields = {name: spec for name, spec in {**LONG, **change}.items() if spec is not None}
    with pytest.raises(ConfigError, match=said):
        parsed(manifest=feed(fields))


# ---- workbooks ------------------------------------------------------------------------------------------------------------
def workbook(path: Path, rows: list[list[Any]], formats: dict[str, str] | None = None) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    for cell, shown_as in (formats or {}).items():
        sheet[cell].number_format = shown_as
    book.save(path)
    return path


def read(path: Path, **settings: Any) -> list[Any]:
    return [one for batch in read_workbook(feed(protocol="xlsx", path=str(path), **settings), None, NOW) for one in batch.items]


def test_a_sheet_reads_like_the_same_table_in_csv(tmp_path: Path) -> None:
    header = list(item())
    rows = [["par", "Chỉ số", "Sở A", 2019, 88.84, "13/19", ""], ["bhxh", "", "", 2019, "2.566/2.175", None, "people"]]
    book = workbook(tmp_path / "a.xlsx", [header, *rows])
    with (tmp_path / "a.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, ["par", "Chỉ số", "Sở A", "2019", "88,84", "13/19", ""], [str(c or "") for c in rows[1]]])
    of_csv = csv.DictReader((tmp_path / "a.csv").read_text("utf-8").splitlines())
    assert parsed(*read(book)) == parsed(*of_csv)


def test_a_percentage_is_what_people_see_and_a_date_is_a_date(tmp_path: Path) -> None:
    book = workbook(tmp_path / "a.xlsx", [["ma", "ky", "gia_tri"], ["x", datetime(2019, 10, 15), 0.8884]], {"C2": "0.00%"})
    assert read(book) == [{"ma": "x", "ky": "2019-10-15", "gia_tri": "88,84"}]


def test_rows_above_the_header_and_other_sheets_are_passed_over(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["not this one"])
    sheet = book.create_sheet("2019")
    for row in (["Biểu số 1"], [], ["ma", "gia_tri"], [], ["x", 1.5]):
        sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    assert read(tmp_path / "a.xlsx", options={"sheet": "2019", "header_row": 3}) == [{"ma": "x", "gia_tri": "1,5"}]


@pytest.mark.parametrize(("options", "said"), [({"sheet": "2020"}, "no sheet '2020'"), ({"max_rows": 1}, "more than 1 rows")])
def test_a_workbook_that_cannot_be_read_says_why(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    book = workbook(tmp_path / "a.xlsx", [["ma"], ["x"]])
    with pytest.raises(FeedError, match=said):
        read(book, options=options)
    (tmp_path / "b.xlsx").write_bytes(b"no workbook")
    for name, told in (("b.xlsx", "save it again as .xlsx"), ("c.xlsx", "no such file")):
        with pytest.raises(FeedError, match=told):
            read(tmp_path / name)


def test_an_unchanged_workbook_is_not_read_again(tmp_path: Path) -> None:
    manifest = feed(protocol="xlsx", path=str(workbook(tmp_path / "a.xlsx", [["ma"], ["x"]])))
    (batch,) = read_workbook(manifest, None, NOW)
    assert list(read_workbook(manifest, batch.cursor, NOW)) == []
    workbook(tmp_path / "a.xlsx", [["ma"], ["x"], ["y"]])
    assert [len(again.items) for again in read_workbook(manifest, batch.cursor, NOW)] == [2]


# ---- landing ----------------------------------------------------------------------------------------------------------------
@pytest.fixture(params=("sqlite", "postgresql"))
def store(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    opened = open_store(make_database(request.param), TZ)
    migrate(opened)
    yield opened
    opened.dispose()


def rows(store: Store, statement: str) -> list[tuple[Any, ...]]:
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def write(path: Path, *items: dict[str, str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(item()))
        writer.writeheader()
        writer.writerows(items)


def test_a_figure_sent_again_replaces_the_former_which_stays_readable(store: Store, tmp_path: Path) -> None:
    manifest = feed(path=str(tmp_path / "a.csv"))
    sync = Sync(store, Config(name="T", feeds=(manifest,)))
    write(tmp_path / "a.csv", item(gia_tri="80"), item(ma="other", gia_tri="1"))
    first = sync.pull(manifest, NOW)
    write(tmp_path / "a.csv", item(gia_tri="81,5"), item(ma="other", gia_tri="1"), item(ma="third", gia_tri="2"))
    second = sync.pull(manifest, NOW.replace(hour=4))
    assert (first.changed, second.landed, second.changed) == (2, 3, 2)
    assert rows(store, "SELECT value FROM core_indicator_value WHERE indicator_code = 'par'") == [(81.5,)]
    versions = "SELECT value FROM core_indicator_value_version WHERE indicator_code = 'par' ORDER BY landed_at"
    assert rows(store, versions) == [(80,), (81.5,)]


def test_older_versions_go_with_their_time_and_the_newest_stays(store: Store) -> None:
    manifest = feed()
    sync = Sync(store, Config(name="T", feeds=(manifest,)))
    for hour, value in ((3, "80"), (4, "81"), (5, "82")):
        sync.push(manifest, [item(gia_tri=value)], NOW.replace(hour=hour))
    job = next(job for job in JOBS if job.name == "indicator_versions")
    run_batch(store, job, instant(NOW.replace(hour=23)))
    assert rows(store, "SELECT value FROM core_indicator_value_version") == [(82,)]


def test_reading_twice_changes_nothing_and_news_move_the_revision(store: Store, tmp_path: Path) -> None:
    manifest = feed(path=str(tmp_path / "a.csv"))
    sync = Sync(store, Config(name="T", feeds=(manifest,)))
    write(tmp_path / "a.csv", item(gia_tri="80"))
    sync.pull(manifest, NOW)
    with store.reading() as connection:
        before = revisions(connection)["indicators"]
    assert (before > 0, sync.pull(manifest, NOW).changed) == (True, 0)
    assert sync.push(manifest, [item(gia_tri="80")], NOW).changed == 0
    assert sync.push(manifest, [item(gia_tri="79")], NOW).changed == 1


def test_a_reject_names_feed_item_field_and_is_resolved_when_the_row_comes_right(store: Store, tmp_path: Path) -> None:
    manifest = feed(path=str(tmp_path / "a.csv"))
    sync = Sync(store, Config(name="T", feeds=(manifest,)))
    write(tmp_path / "a.csv", item(gia_tri="8-9"), item(ma="good", gia_tri="1"))
    assert sync.pull(manifest, NOW).changed == 1
    waiting = "SELECT feed, item, field, reason FROM ops_reject WHERE resolved_at IS NULL"
    assert rows(store, waiting) == [("indices", "par||2019", "value", "bad_number")]
    write(tmp_path / "a.csv", item(gia_tri="8,9"), item(ma="good", gia_tri="1"))
    sync.pull(manifest, NOW.replace(hour=4))
    assert rows(store, waiting) == []


def test_what_a_later_row_leaves_empty_of_an_indicator_stays(store: Store) -> None:
    manifest = feed()
    sync = Sync(store, Config(name="T", feeds=(manifest,)))
    sync.push(manifest, [item(gia_tri="1", linh_vuc="people"), item(ky="2020", hang="1/3", ten="")], NOW)
    sync.push(manifest, [item(ky="2021", gia_tri="2", ten="Tên mới")], NOW)
    assert rows(store, "SELECT name, theme, kind FROM core_indicator") == [("Tên mới", "people", "index")]


def test_a_newer_feed_takes_the_values_of_the_one_it_supersedes(store: Store) -> None:
    old, new = feed(), replace(feed(), key="new", supersedes=("indices",))
    sync = Sync(store, Config(name="T", feeds=(old, new)))
    sync.push(old, [item(gia_tri="1"), item(ma="kept", gia_tri="5")], NOW)
    sync.push(new, [item(gia_tri="2")], NOW)
    sync.push(old, [item(gia_tri="3")], NOW)
    assert rows(store, "SELECT feed, value FROM core_indicator_value ORDER BY value") == [("new", 2), ("indices", 5)]


def test_agencies_and_areas_become_codes(store: Store) -> None:
    manifest = feed({**LONG, "agency": {"from": "so"}, "area": {"from": "xa"}})
    sync = Sync(store, Config(name="T", feeds=(manifest,)))
    sync.push(manifest, [{**item(gia_tri="1"), "so": "Sở A"}, {**item(ma="b", gia_tri="1"), "xa": "Xã B"}], NOW)
    found = rows(store, "SELECT agency_code, area_code FROM core_indicator_value ORDER BY indicator_code")
    assert found == [("", "Xã B"), ("Sở A", "")]


def test_an_unstorable_row_is_left_out_and_the_others_land(store: Store) -> None:
    manifest = feed()
    found = Sync(store, Config(name="T", feeds=(manifest,))).push(manifest, [item(hang=f"1/{2**63}"), item(ma="b", gia_tri="1")], NOW)
    assert (found.changed, [(reject.field, reject.reason) for reject in found.rejects]) == (1, [("denominator", "refused_by_store")])


def test_rows_know_nothing_they_were_not_told() -> None:
    row = IndicatorRow("a", "b", "2019", 0)
    assert (row.value, row.plan, row.rank, row.target, row.is_verified) == (None, None, None, None, True)
