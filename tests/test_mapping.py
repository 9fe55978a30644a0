"""The mapping engine: every transform, their order, faults all at once, dates to the microsecond, documentation."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import ConfigError, FeedConfig
from data_sources.csv_file import OPTIONS
from data_sources.instants import instant_reader
from data_sources.mapping import FeedMapping, compile_mapping, mapping_of
from data_sources.rejects import kept_of
from data_sources.transforms import TRANSFORMS, fold_name
from tests import servers

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
KNOWN = (
    "source_id", "name", "area", "agency", "status", "channel", "received_at", "due_at", "observed_at", "value", "lon", "lat",
    "is_urgent", "supplement_count", "domain_code", "datastream_id",
)
DOC = (servers.ROOT / "docs" / "feeds.md").read_text(encoding="utf-8")


def mapping(text: str, **options: Any) -> FeedMapping:
    return compile_mapping(tomllib.loads(text), **{"zone": AMSTERDAM, "known": KNOWN, "where": "feed x", **options})


def value_of(text: str, item: dict[str, Any], row: int = 0) -> Any:
    """What the single target of a mapping becomes: its value, None when missing, or the reason of refusal."""
    values, problems = mapping(text).apply(item, row)
    return problems[0].reason if problems else next(iter(values.values()), None)


def micros(text: str) -> int:
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "item", "expected"),
    (
        ('name = { from = "a" }', {"a": " x "}, "x"),
        ('name = { from = "a" }', {"a": 7}, "7"),
        ('name = { from = "a" }', {"a": "  "}, None),
        ('name = { from = "a" }', {}, None),
        ('name = { from = "a" }', {"a": {"b": 1}}, "bad_text"),
        ('name = { from = "a" }', {"a": "x\0y"}, "bad_text"),
        ('name = { from = "a" }', {"a": "\ud800"}, "bad_text"),
        ('name = { from = "a.b" }', {"a": {"b": "deep"}}, "deep"),
        ('name = { from = "a.b" }', {"a.b": "exact", "a": {"b": "deep"}}, "exact"),
        ('name = { from = "a.1.b" }', {"a": [{}, {"b": "second"}]}, "second"),
        ('name = { from = "a.b" }', {"a": "no table"}, None),
        ('name = { first = ["a", "b", "c"] }', {"a": " ", "b": None, "c": "third"}, "third"),
        ('name = { join = ["a", "b", "c"], sep = "-" }', {"a": "1", "b": "", "c": 3}, "1-3"),
        ('name = { const = "same" }', {}, "same"),
        ('status = { const = 4 }', {}, 4),
        ('name = { from = "a", missing = ["N/A", "-"] }', {"a": "N/A"}, None),
        ('value = { from = "a", sentinel = ["-999"] }', {"a": "-999.0"}, "sentinel"),
        ('value = { from = "a", sentinel = ["-999"] }', {"a": -999}, "sentinel"),
        ('value = { from = "a", sentinel = ["-999"] }', {"a": "-998"}, -998.0),
        ('name = { from = "a", extract = "^(.*?)-[0-9]+$" }', {"a": "Hanoi-1255578"}, "Hanoi"),
        ('name = { from = "a", extract = "[0-9]+" }', {"a": "no digit"}, None),
        ('lat = { from = "a", extract = "[-0-9.]+" }', {"a": "(21.5, 105)"}, 21.5),
        ('lon = { from = "a", split = ",", part = -1 }', {"a": "21.5, 105.25"}, 105.25),
        ('name = { from = "a", split = ",", part = 2 }', {"a": "21.5, 105.25"}, None),
        ('area = { from = "a", fold = true }', {"a": "Phường Hạ  Long"}, "ha long"),
        ('area = { from = "a", fold = true, codes = { "Hạ Long" = "06649" } }', {"a": "P hạ long"}, "unknown_code"),
        ('area = { from = "a", fold = true, codes = { "Hạ Long" = "06649" } }', {"a": "UBND phường hạ long"}, "06649"),
        ('agency = { from = "a", lookup = { "Hạ Long" = "H49.36" } }', {"a": "UBND phường Hạ Long"}, "H49.36"),
        ('agency = { from = "a", lookup = { "Hạ Long" = "H49.36" } }', {"a": "UBND xã Lạ"}, "UBND xã Lạ"),
        ('agency = { from = "a", lookup = { x = "1" }, default = "H49" }', {"a": "y"}, "H49"),
        ('channel = { from = "a", codes = { Web = "online" } }', {"a": "Fax"}, "unknown_code"),
        ('channel = { from = "a", codes = { Web = "online" }, default = "direct" }', {"a": "Fax"}, "direct"),
        ('status = { from = "a", codes = { 1 = "new" } }', {"a": 1}, "new"),
        ('status = { from = "a", codes = { 1 = "new" } }', {"a": "99"}, "unmapped"),
        ('value = { from = "a", number = "." }', {"a": "1,234,567.5"}, 1234567.5),
        ('value = { from = "a", number = "," }', {"a": "1.234.567,5"}, 1234567.5),
        ('value = { from = "a", number = "," }', {"a": "1 234,5"}, 1234.5),
        ('value = { from = "a" }', {"a": "1,23"}, "bad_number"),
        ('value = { from = "a" }', {"a": "12,34,567"}, "bad_number"),
        ('value = { from = "a" }', {"a": "nan"}, "bad_number"),
        ('value = { from = "a" }', {"a": "1_000"}, "bad_number"),
        ('value = { from = "a" }', {"a": "٣"}, "bad_number"),
        ('value = { from = "a" }', {"a": float("inf")}, "bad_number"),
        ('value = { from = "a" }', {"a": True}, "bad_number"),
        ('value = { from = "a" }', {"a": [1]}, "bad_number"),
        ('value = { from = "a" }', {"a": " "}, None),
        ('value = { from = "a" }', {"a": "1e3"}, 1000.0),
        ('value = { from = "a" }', {"a": 0}, 0.0),
        ('value = { from = "a", scale = 1.8, offset = 32 }', {"a": "100"}, 212.0),
        ('value = { from = "a", range = [0, 1000] }', {"a": "-0.1"}, "out_of_range"),
        ('value = { from = "a", scale = 1000, range = [0, 1000] }', {"a": "2"}, "out_of_range"),
        ('value = { from = "a", range = [0, 1000] }', {"a": "1000"}, 1000.0),
        ('supplement_count = { from = "a" }', {"a": "2"}, 2),
        ('supplement_count = { from = "a" }', {"a": "2.5"}, "bad_number"),
        ('is_urgent = { from = "a" }', {"a": "True"}, True),
        ('is_urgent = { from = "a" }', {"a": False}, False),
        ('is_urgent = { from = "a" }', {"a": "không"}, False),
        ('is_urgent = { from = "a" }', {"a": "perhaps"}, "bad_bool"),
        ('is_urgent = { from = "a", bool = ["High"] }', {"a": "HIGH"}, True),
        ('is_urgent = { from = "a", bool = ["High"] }', {"a": "perhaps"}, False),
        ('name = { from = "a", text_max = 3 }', {"a": "Đông Triều"}, "Đôn"),
        ('source_id = { from = "a", text_max = 3 }', {"a": "abcd"}, "too_long"),
        ('source_id = { from = "a", required = true }', {"a": " "}, "missing_field"),
        ('source_id = { from = "a", required = true, missing = ["0"] }', {"a": 0}, "missing_field"),
        ('received_at = { from = "a" }', {"a": "12/13/2026"}, "bad_date"),
        ('received_at = { from = "a", date = ["iso", "%d/%m/%Y %H:%M"] }', {"a": "02/03/2026 08:12"},
         micros("2026-03-02T08:12+01:00")),
        ('received_at = { from = "a", zone = "UTC" }', {"a": "2026-03-02 08:12"}, micros("2026-03-02T08:12+00:00")),
        ('received_at = { from = "a", date = ["epoch_ms"] }', {"a": 1700000000123}, 1700000000123000),
        ('received_at = { from = "a", date = ["epoch_s"] }', {"a": "-1"}, -1_000_000),
        ('received_at = { join = ["y", "m"], sep = " ", date = ["%Y %B"] }', {"y": "1961", "m": "January"},
         micros("1961-01-01T00:00+01:00")),
    ),
)
def test_transform_gives(text: str, item: dict[str, Any], expected: Any) -> None:
    found = value_of(text, item)
    assert found == expected and type(found) is type(expected)


def test_transforms_act_in_their_own_order_not_in_the_written_one() -> None:
    one = 'value = { from = "a", split = " ", part = 0, sentinel = ["-1 m"], scale = 100, range = [0, 500] }'
    other = 'value = { range = [0, 500], scale = 100, sentinel = ["-1 m"], part = 0, split = " ", from = "a" }'
    for sent, expected in (("3 m", 300.0), ("-1 m", "sentinel"), ("6 m", "out_of_range")):
        assert value_of(one, {"a": sent}) == value_of(other, {"a": sent}) == expected


def test_rows_without_time_are_counted_from_the_start() -> None:
    text = 'observed_at = { start = "2012-03-01T00:00:00", step_s = 300 }'
    assert value_of(text, {}, 0) == micros("2012-03-01T00:00+01:00")
    assert value_of(text, {}, 2016) == micros("2012-03-08T00:00+01:00")


def test_a_wide_row_becomes_one_row_per_column() -> None:
    compiled = mapping(
        'wide = { columns = "\\\\d+" }\ndatastream_id = { from = "@column" }\n'
        'value = { from = "@value" }\nobserved_at = { from = "t", zone = "UTC" }'
    )
    item = {"t": "2026-03-02", "773869": "64.1", "note": "dry", "767541": "x", "717447": ""}
    found = list(compiled.rows(item))
    at = micros("2026-03-02T00:00+00:00")
    assert found[0] == ({"datastream_id": "773869", "value": 64.1, "observed_at": at}, ())
    assert [problem.reason for problem in found[1][1]] == ["bad_number"]
    assert found[2][0] == {"datastream_id": "717447", "observed_at": at}
    assert len(found) == 3


def test_every_fault_is_told_at_once_with_its_field_and_the_known_ones() -> None:
    with pytest.raises(ConfigError) as caught:
        mapping("""
            colour = { from = "a" }
            name = { frm = "a" }
            area = { from = "a", const = "b" }
            status = { from = "a", codes = "x" }
            value = { from = "a", number = ";" }
            lon = { from = "a", range = [1] }
            lat = { from = "a", date = ["iso"], number = "." }
            received_at = { from = "a", date = ["yyyy/mm"] }
            due_at = { from = "a", zone = "Mars/Olympus" }
            observed_at = { start = "noon", step_s = 60 }
            agency = { from = "a", extract = "(" }
            channel = { from = "a", split = "," }
            source_id = "a"
        """)
    message = str(caught.value)
    assert "feed x: colour: unknown target field; known: agency, area" in message
    assert "feed x: name: unknown transform 'frm'; known: from, first, join" in message
    assert "feed x: area: needs exactly one source of from, first, join, const, start; has from, const" in message
    assert "feed x: status: codes = 'x' must be a table" in message
    for field in ("value", "lon", "lat", "received_at", "due_at", "observed_at", "agency", "channel", "source_id"):
        assert f"feed x: {field}: " in message


def test_a_pattern_may_not_be_long() -> None:
    with pytest.raises(ConfigError, match="more than 200 letters"):
        mapping(f'name = {{ from = "a", extract = "{"a" * 201}" }}')


def test_a_personal_source_never_shows_its_value() -> None:
    compiled = mapping('name = { from = "NoiDung" }', personal=("NoiDung",), of="step")
    assert compiled.apply({"NoiDung": ["Nguyễn Thị Mẫu"]})[1][0] == ("name", "bad_text", "")


def test_mapping_of_names_targets_that_are_needed() -> None:
    feed = FeedConfig("wabo", "one_stop", "csv", fields={"name": {"from": "a"}})
    with pytest.raises(ConfigError, match="feed wabo: source_id is not mapped"):
        mapping_of(feed, KNOWN, needed=("source_id",))


@pytest.mark.parametrize(
    ("sent", "meant"),
    (
        ("2011-12-06 13:41:31.788000+01:00", "2011-12-06T12:41:31.788+00:00"),
        ("2011-12-06 13:41:31.7+00", "2011-12-06T13:41:31.700+00:00"),
        ("2011-12-06T13:41:31.123456789Z", "2011-12-06T13:41:31.123456+00:00"),
        ("2011-12-06T13:41:31 +0100", "2011-12-06T12:41:31+00:00"),
        ("2011-12-06T13:41Z", "2011-12-06T13:41:00+00:00"),
        ("2011-12-06", "2011-12-05T23:00:00+00:00"),
        ("2011-10-30 02:30:00", "2011-10-30T00:30:00+00:00"),  # twice that night: the first
        ("2011-03-27 02:30:00", "2011-03-27T01:30:00+00:00"),  # never that night: by the offset before
        ("20111206134131", "2011-12-06T12:41:31+00:00"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59+00:00"),
    ),
)
def test_date_is_read_to_the_microsecond(sent: str, meant: str) -> None:
    assert instant_reader(("iso", "yyyyMMddHHmmss"), AMSTERDAM)(sent) == micros(meant)


@pytest.mark.parametrize(
    "sent",
    ("", "2011-13-01", "2011-02-30", "2011-12-06T24:00:00", "2011-12-06T13", "2011-W05-1", "20111206", "6/12/2011",
     "2011-12-06T13:41:31.", "2011-12-06T13:41.5", "2011-12-06T13:41:31+1", "2011-12-06T13:41:31 UTC", "２０１１-12-06"),
)
def test_text_that_only_resembles_a_date_is_none(sent: str) -> None:
    assert instant_reader(("iso", "yyyyMMddHHmmss"), AMSTERDAM)(sent) is None


@given(
    st.datetimes(min_value=datetime(1950, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(AMSTERDAM)),
    st.sampled_from(("T", " ")),
)
def test_iso_dates_survive_the_round_trip(moment: datetime, mark: str) -> None:
    read = instant_reader(("iso",), ZoneInfo("Asia/Ho_Chi_Minh"))
    assert read(moment.isoformat(sep=mark)) == micros(moment.astimezone(UTC).isoformat())


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)), st.sampled_from(
    ("Asia/Ho_Chi_Minh", "Europe/Amsterdam", "America/Chicago")))
def test_naive_dates_take_the_zone(moment: datetime, zone: str) -> None:
    expected = micros(moment.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC).isoformat())
    assert instant_reader(("iso",), ZoneInfo(zone))(moment.isoformat()) == expected


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3), max_leaves=6,
))
def test_no_value_makes_a_mapping_raise(raw: Any) -> None:
    text = "\n".join(
        f'{target} = {{ from = "a" }}' for target in ("name", "value", "is_urgent", "received_at", "supplement_count")
    )
    values, problems = mapping(text + '\nstatus = { from = "a", codes = { 1 = 1 }, fold = true }').apply({"a": raw})
    assert {problem.reason for problem in problems} <= {"bad_text", "bad_number", "bad_bool", "bad_date"}
    assert set(values) <= {"name", "value", "is_urgent", "received_at", "supplement_count", "status"}


def test_of_an_item_only_the_fields_a_mapping_reads_are_kept() -> None:
    item = {"id": 1, "phone": "1", "contact": {"phone": "2", "ward": "x"}, "list": [{"phone": "3", "at": float("nan")}]}
    assert kept_of(item, {"id": False, "contact.ward": True, "list.0.at": True}) == {
        "id": 1, "contact": {"ward": "x"}, "list": [{"at": "nan"}],
    }
    assert kept_of(item, {"contact": True, "list": True}) == {"contact": "...", "list": "..."}
    assert kept_of("0901234567", {"item": True}) == {}
    assert len(kept_of({"a": "x" * 9999}, {"a": True})["a"]) == 500


@pytest.mark.parametrize(
    ("name", "folded"),
    (("UBND phường Hạ Long", "ha long"), ("TP. Hạ Long", "ha long"), ("Hòa Bình", "hoa binh"), ("Hoà Bình", "hoa binh"),
     ("Đông Triều", "dong trieu"), ("Sở Xây dựng", "so xay dung"), ("Xã", "xa"), ("Quảng Ninh", "quang ninh"),
     ("Phương Liễu", "phuong lieu"), ("Tĩnh Gia", "tinh gia"), ("UBND phuong Ha Long", "ha long"), ("UBND Hạ Long", "ha long"),
     ("Uỷ ban nhân dân xã Cô Tô", "co to"), ("P. Hạ Long", "ha long"), ("UBND", "ubnd"), ("Xao", "xao")),
)
def test_folded_names_meet(name: str, folded: str) -> None:
    assert fold_name(name) == folded


def _rows(heading: str) -> dict[str, str]:
    """First cell -> last cell of the first table under a heading of docs/feeds.md."""
    section = DOC.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return {match[1]: match[2] for match in re.finditer(r"^\| `(\w+)` \|.*\| ?`?(.*?)`? \|$", section, re.MULTILINE)}


def test_each_transform_is_documented_and_each_documented_one_exists() -> None:
    assert list(_rows("The mapping")) == [transform.key for transform in TRANSFORMS]


@pytest.mark.parametrize("key", [transform.key for transform in TRANSFORMS])
def test_documented_example_compiles_and_uses_its_transform(key: str) -> None:
    example = _rows("The mapping")[key]
    assert f"{key} = " in example
    mapping(example)


def test_each_setting_of_a_feed_and_each_csv_option_is_documented() -> None:
    assert set(_rows("The manifest")) == {field.name for field in dataclasses.fields(FeedConfig)}
    assert set(_rows("CSV options")) == set(OPTIONS)
