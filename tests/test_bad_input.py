"""500 bad rows a feed among 500 good ones: all good rows land, each bad one is named with field, reason and remedy; both engines.

A row of a table below is (field, reason, changes to a good item): how an item is broken and what must be said of it.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import psycopg
import pytest
from sqlalchemy import text

from api.limits import Limits
from config import Config, FeedConfig
from data_sources.feed import FeedError
from data_sources.sync import Sync
from metrics.rollups import drain
from store.days import instant
from store.engine import Store, open_store
from store.landing import Landing, land
from store.migrate import migrate
from store.refused import SUSPICIOUS, is_refusal
from store.rows import Parsed, ReportRow
from tests.scripted_http import Reply, Request, scripted_server
from tests.servers import LiveServer
from tests.test_ingest import Gate, envelope, login, open_gate, wire
from text import t

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
PLANTED = 500
DEEP: Any = [[[[[[[[[["bottom"]]]]]]]]]]
Kind = tuple[str, str, Any]
# strings that are odd and harmless: they land as they are
ODD = (
    "=1+1", "+cmd|' /C calc'!A0", "@SUM(A1)", "'; DROP TABLE core_dossier; --", "Robert\"); --", "😀🌏", "\u202eevil", "%s{0}${X}",
    "<script>",
)


@pytest.fixture
def store(engine_url: str) -> Iterator[Store]:
    store = open_store(engine_url, TZ)
    migrate(store)
    yield store
    store.dispose()


def rows(store: Store, statement: str) -> list[tuple[Any, ...]]:
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def numbered(value: Any, n: int) -> Any:
    """The value with {n} replaced wherever it stands."""
    if isinstance(value, str):
        return value.replace("{n}", str(n))
    if isinstance(value, Mapping):
        return {key: numbered(inner, n) for key, inner in value.items()}
    return [numbered(inner, n) for inner in value] if isinstance(value, list) else value


def mixed(good: Callable[[int], Any], kinds: Sequence[Kind]) -> list[Any]:
    """Good and bad items in turn. A change that is a table is laid over a good item, anything else takes its place."""
    items: list[Any] = []
    for n in range(PLANTED):
        change = numbered(kinds[n % len(kinds)][2], n)
        items += [good(n), {**good(PLANTED + n), **change} if isinstance(change, Mapping) and change else change]
    return items


def planted(kinds: Sequence[Kind]) -> Counter[tuple[str, str]]:
    """What must be said of the bad items."""
    return Counter(kinds[n % len(kinds)][:2] for n in range(PLANTED))


def assert_each_is_named(store: Store, feed: str, kinds: Sequence[Kind]) -> None:
    """As many rejects as were planted, by field and reason; each names its item and has a remedy in both languages."""
    found = rows(store, f"SELECT item, field, reason FROM ops_reject WHERE feed = '{feed}' AND resolved_at IS NULL")
    assert Counter((field, reason) for _, field, reason in found) == planted(kinds)
    for item, _, reason in found:
        assert item.strip()
        assert all(t(f"reject.{reason}.{part}", lang) for part in ("label", "remedy") for lang in ("vi", "en"))
    assert rows(store, f"SELECT rejected, error FROM ops_feed WHERE feed = '{feed}'") == [(PLANTED, "")]
    drain(store, instant(NOW))


def pull(store: Store, feed: FeedConfig) -> None:
    Sync(store, Config(name="T", feeds=(feed,))).pull(feed, NOW)


# --- one_stop ----------------------------------------------------------------------------------------------

PORTAL: tuple[Kind, ...] = (
    ("MaHoSo", "missing_field", {"MaHoSo": ""}),
    ("MaHoSo", "missing_field", {"MaHoSo": None}),
    ("MaHoSo", "missing_field", {"MaHoSo": "   "}),
    ("MaHoSo", "too_long", {"MaHoSo": "9" * 100_000}),
    ("MaHoSo", "bad_text", {"MaHoSo": "H99\0{n}"}),
    ("MaHoSo", "bad_text", {"MaHoSo": "H99\ud800{n}"}),
    ("MaHoSo", "bad_text", {"MaHoSo": ["H99"]}),
    ("MaHoSo", "bad_text", {"MaHoSo": DEEP}),
    ("MaHoSo", "placeholder_id", {"MaHoSo": "000000000000"}),
    ("NgayTiepNhan", "bad_date", {"NgayTiepNhan": "yesterday {n}"}),
    ("NgayTiepNhan", "bad_date", {"NgayTiepNhan": "20260230080000"}),
    ("NgayHenTra", "bad_date", {"NgayHenTra": "2026-13-01"}),
    ("NgayHenTra", "bad_date", {"NgayHenTra": "99999999999999"}),
    ("NgayHenTra", "bad_date", {"NgayHenTra": float("nan")}),
    ("NgayHenTra", "bad_date", {"NgayHenTra": float("-inf")}),
    ("NgayHenTra", "bad_text", {"NgayHenTra": {"date": DEEP}}),
    ("NgayTiepNhan", "future_date", {"NgayTiepNhan": "20990101080000"}),
    ("received_at", "missing_field", {"NgayTiepNhan": "", "NgayNopHoSo": None}),
    ("received_at", "missing_field", {"NgayTiepNhan": "0001-01-01T00:00:00"}),
    ("finished_at", "missing_field", {"TrangThaiHoSo": "9"}),
    ("KenhThucHien", "unknown_code", {"KenhThucHien": "7"}),
    ("KenhThucHien", "bad_text", {"KenhThucHien": [1]}),
    ("MaTTHC", "bad_text", {"MaTTHC": "1\0"}),
    ("MaLinhVuc", "too_long", {"MaLinhVuc": "L" * 5000}),
    ("DanhSachHoSoBoSung.NgayBoSung", "bad_date", {"DanhSachHoSoBoSung": [{"NgayBoSung": "soon"}]}),
    ("DanhSachHoSoBoSung", "bad_text", {"DanhSachHoSoBoSung": [1, 2]}),
    ("MaHoSo", "missing_field", {}),
    ("", "bad_row", []),
    ("", "bad_row", [{"MaHoSo": "H99-1"}]),
    ("", "bad_row", None),
    ("", "bad_row", 7),
    ("", "bad_row", "H99-{n}"),
)


def test_the_portals_push(live_server: Callable[..., LiveServer], engine_url: str) -> None:
    gate = open_gate(live_server, engine_url, Limits())
    items = mixed(lambda n: wire(n, DonViXuLy=ODD[n % len(ODD)], MaHoSoKhac=str(n)), PORTAL)
    items.append(wire(3, DonViXuLy="Sở B"))  # the same id again: the later one is kept, and it is no reject
    answer = _push(gate, items)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["error_code"], told["items"], told["rejected"], len(told["rejects"])) == ("0", 1001, 500, 500)
    assert all(one["item"] and one["remedy"] and one["reason"] for one in told["rejects"])
    assert all(one["field"] for one in told["rejects"] if one["reason"] != "bad_row")
    assert gate.count("core_dossier") == PLANTED
    known = {name for (name,) in rows(gate.store, "SELECT name FROM core_agency")}
    assert known == {*ODD, "Sở B"}
    assert_each_is_named(gate.store, "one_stop", PORTAL)
    assert _push(gate, items).json()["changed"] <= 2  # sent again: only the id that came twice moves
    gate.store.dispose()


def _push(gate: Gate, items: Sequence[Any]) -> httpx.Response:
    """By the portal's own way: login, session, envelope. Literal NaN and half letters as Python's senders write them."""
    body = json.dumps(envelope(*items, session=login(gate).json()["session"])).encode()
    return gate.post("one_stop", body, key="")


def csv_lines(good: Callable[[int], list[str]], kinds: Sequence[Kind], columns: Sequence[str]) -> bytes:
    """A CSV file with good and bad lines in turn. A change that is bytes is a whole line, else it is laid over a good row."""
    lines = [",".join(columns).encode()]
    for n in range(PLANTED):
        change = kinds[n % len(kinds)][2]
        lines.append(_line(good(n)))
        if isinstance(change, bytes):
            lines.append(change.replace(b"{n}", str(n).encode()))
        else:
            laid = {**dict(zip(columns, good(PLANTED + n), strict=True)), **numbered(change, n)}
            lines.append(_line([laid[name] for name in columns]))
    return b"\n".join(lines) + b"\n"


def _line(cells: Sequence[str]) -> bytes:
    return ",".join('"' + cell.replace('"', '""') + '"' if re.search(r'[",\n]', cell) else cell for cell in cells).encode()


def csv_feed(folder: Path, role: str, fields: Mapping[str, Any], content: bytes, **settings: Any) -> FeedConfig:
    path = folder / "drop.csv"
    path.write_bytes(content)
    return FeedConfig("drop", role, "csv", path=str(path), fields=fields, **settings)


LINES: tuple[Kind, ...] = (
    ("", "bad_row", b"only,three,{n}"),
    ("", "bad_row", b"1,2,3,4,5,6,7,8,9,10,{n}"),
    ("", "bad_row", b'{n},"a quote that never ends'),
    ("", "bad_row", b'{n},"a quote" with more behind it,3,4'),
    ("", "bad_row", b'{n},"a quote that opens here'),
    ("", "bad_row", b'{n},and closes two lines on",4'),
    ("", "bad_encoding", b"{n},\xff\xfe\xe1\xba,,,,,"),
    ("", "bad_encoding", b"{n},Qu\xe3ng Ninh,,,,,"),
    ("", "bad_row", b"{n}," + b"x" * 140_000),
)
DOSSIER_COLUMNS = ("id", "received", "due", "status", "channel", "digitised", "supplements", "agency")
DOSSIER_FIELDS: dict[str, Any] = {
    "source_id": {"from": "id", "required": True}, "received_at": {"from": "received", "date": ["iso", "%d/%m/%Y"]},
    "due_at": {"from": "due"}, "status": {"from": "status", "codes": {"open": 4, "done": 9}}, "channel": {"from": "channel"},
    "is_digitised": {"from": "digitised"}, "supplement_count": {"from": "supplements"}, "agency": {"from": "agency"},
}
DOSSIER_KINDS: tuple[Kind, ...] = (
    *LINES,
    ("source_id", "missing_field", {"id": ""}),
    ("source_id", "missing_field", {"id": "  "}),
    ("source_id", "bad_text", {"id": "a\0{n}"}),
    ("source_id", "too_long", {"id": "x" * 101 + "{n}"}),
    ("received_at", "bad_date", {"received": "tomorrow"}),
    ("received_at", "bad_date", {"received": "2026-02-30"}),
    ("received_at", "bad_date", {"received": "31/02/2026"}),
    ("due_at", "bad_date", {"due": "0000-00-00"}),
    ("due_at", "bad_date", {"due": "NULL"}),
    ("received_at", "future_date", {"received": "2099-01-01"}),
    ("received_at", "missing_field", {"received": ""}),
    ("finished_at", "missing_field", {"status": "done"}),
    ("channel", "unknown_code", {"channel": "carrier pigeon"}),
    ("is_digitised", "bad_bool", {"digitised": "perhaps"}),
    ("supplement_count", "bad_number", {"supplements": "1.5"}),
    ("supplement_count", "bad_number", {"supplements": "1.000,5"}),
    ("supplement_count", "bad_number", {"supplements": "NaN"}),
    ("supplement_count", "bad_number", {"supplements": "1e999"}),
    ("agency", "bad_text", {"agency": "Sở\0A"}),
)


def test_one_stop_csv(store: Store, tmp_path: Path) -> None:
    def good(n: int) -> list[str]:
        return [f"d{n}", "2026-11-02T08:00:00", "2026-11-12", "open", "online", "1", "0", ODD[n % len(ODD)]]

    pull(store, csv_feed(tmp_path, "one_stop", DOSSIER_FIELDS, csv_lines(good, DOSSIER_KINDS, DOSSIER_COLUMNS)))
    assert rows(store, "SELECT count(*) FROM core_dossier") == [(PLANTED,)]
    assert {name for (name,) in rows(store, "SELECT name FROM core_agency")} == set(ODD)
    assert_each_is_named(store, "drop", DOSSIER_KINDS)


# --- feedback ----------------------------------------------------------------------------------------------

REPORT_COLUMNS = ("id", "received", "closed", "status", "category", "lon", "lat", "urgent", "text")
REPORT_FIELDS: dict[str, Any] = {
    "source_id": {"from": "id", "required": True}, "received_at": {"from": "received"}, "closed_at": {"from": "closed"},
    "status": {"from": "status", "codes": {"open": "new", "done": "closed"}},
    "category": {"from": "category", "codes": {"waste": "rác", "road": "đường"}},
    "lon": {"from": "lon", "number": ",", "range": [100, 110]}, "lat": {"from": "lat", "number": ",", "range": [8, 24]},
    "is_urgent": {"from": "urgent", "bool": ["1"]}, "description": {"from": "text"},
}
REPORT_KINDS: tuple[Kind, ...] = (
    *LINES,
    ("source_id", "missing_field", {"id": ""}),
    ("source_id", "bad_text", {"id": "\0{n}"}),
    ("source_id", "too_long", {"id": "{n}" + "x" * 30_000}),
    ("received_at", "missing_field", {"received": ""}),
    ("received_at", "bad_date", {"received": "soon"}),
    ("received_at", "bad_date", {"received": "2026-11-31T08:00:00"}),
    ("received_at", "future_date", {"received": "2126-11-02T08:00:00"}),
    ("closed_at", "missing_field", {"status": "done"}),
    ("closed_at", "bad_date", {"status": "done", "closed": "2026-11-02T25:00:00"}),
    ("category", "unknown_code", {"category": "'; DELETE FROM core_report; --"}),
    ("lon", "bad_number", {"lon": "106.123.456.7"}),
    ("lon", "out_of_range", {"lon": "1067,1"}),
    ("lat", "out_of_range", {"lat": "-21,0"}),
    ("lat", "bad_number", {"lat": "north"}),
    ("lat", "bad_number", {"lat": "Infinity"}),
    ("description", "bad_text", {"text": "a\0b"}),
)


def test_feedback_csv(store: Store, tmp_path: Path) -> None:
    def good(n: int) -> list[str]:
        return [f"r{n}", "2026-11-02T08:00:00", "", "open", "waste", "106,7", "20,9", "0", ODD[n % len(ODD)]]

    pull(store, csv_feed(tmp_path, "feedback", REPORT_FIELDS, csv_lines(good, REPORT_KINDS, REPORT_COLUMNS)))
    assert rows(store, "SELECT count(*) FROM core_report") == [(PLANTED,)]
    assert {name for (name,) in rows(store, "SELECT description FROM core_report")} == set(ODD)
    assert_each_is_named(store, "drop", REPORT_KINDS)


OPEN311: tuple[Kind, ...] = (
    ("source_id", "missing_field", {"service_request_id": None}),
    ("source_id", "bad_text", {"service_request_id": "1\0{n}"}),
    ("source_id", "bad_text", {"service_request_id": "\udfff{n}"}),
    ("source_id", "bad_text", {"service_request_id": [["{n}"]]}),
    ("source_id", "too_long", {"service_request_id": "{n}" + "x" * 5000}),
    ("received_at", "missing_field", {"requested_datetime": None}),
    ("received_at", "bad_date", {"requested_datetime": "last week {n}"}),
    ("received_at", "bad_date", {"requested_datetime": "2026-02-29T08:00:00Z"}),
    ("received_at", "bad_date", {"requested_datetime": 20261102}),
    ("received_at", "bad_date", {"requested_datetime": float("nan")}),
    ("received_at", "bad_text", {"requested_datetime": {"at": "2026-11-02"}}),
    ("received_at", "future_date", {"requested_datetime": "2026-12-24T08:00:00Z"}),
    ("due_at", "bad_date", {"expected_datetime": "2026-11-02T8:00"}),
    ("closed_at", "missing_field", {"status": "closed"}),
    ("status", "bad_text", {"status": ["open"]}),
    ("category", "bad_text", {"service_code": DEEP}),
    ("lon", "out_of_range", {"long": 1067.1}),
    ("lat", "out_of_range", {"lat": -200}),
    ("lat", "bad_number", {"lat": "20,9,1"}),
    ("lat", "bad_number", {"lat": float("inf")}),
    ("lat", "bad_number", {"lat": {}}),
    ("lon", "bad_number", {"long": True}),
    ("resolution", "bad_text", {"status_notes": "\0"}),
    ("received_at", "missing_field", {"service_request_id": "e{n}", "requested_datetime": "", "notes": [{"type": "opened"}, 7]}),
    ("source_id", "missing_field", {}),
    ("", "bad_row", []),
    ("", "bad_row", None),
    ("", "bad_row", 311),
    ("", "bad_row", "request {n}"),
)


def test_feedback_open311(store: Store) -> None:
    def good(n: int) -> dict[str, Any]:
        return {
            "service_request_id": f"q{n}", "status": "open", "service_name": "rác", "requested_datetime": "2026-11-02T08:00:00+07:00",
            "lat": 20.9, "long": 106.7, "agency_responsible": ODD[n % len(ODD)],
        }

    # {} is an item like others here: it lacks its id and its time, of which the id is told first by the mapping alone
    items = mixed(good, OPEN311)
    with scripted_server(lambda request: Reply(items if request.query.get("page") == "1" else [])) as (url, _):
        pull(store, FeedConfig("desk", "feedback", "open311", url=url, options={"page_size": 1000}))
    assert rows(store, "SELECT count(*) FROM core_report") == [(PLANTED,)]
    assert {name for (name,) in rows(store, "SELECT name FROM core_agency")} == set(ODD)
    assert_each_is_named(store, "desk", OPEN311)


# --- sensors -----------------------------------------------------------------------------------------------

OBSERVED: tuple[Kind, ...] = (
    ("phenomenonTime", "missing_field", {"phenomenonTime": None, "@iot.id": "o{n}"}),
    ("phenomenonTime", "bad_date", {"phenomenonTime": "noon {n}"}),
    ("phenomenonTime", "bad_date", {"phenomenonTime": "2026-11-31T01:00:00Z", "result": "{n}"}),
    ("phenomenonTime", "bad_date", {"phenomenonTime": 1_700_000_000, "result": "{n}"}),
    ("phenomenonTime", "bad_date", {"phenomenonTime": ["2026"], "result": "{n}"}),
    ("phenomenonTime", "future_date", {"phenomenonTime": "2027-01-01T00:00:00Z", "result": "{n}"}),
    ("result", "bad_number", {"result": "eleven {n}"}),
    ("result", "bad_number", {"result": "1,2,{n}"}),
    ("result", "bad_number", {"result": float("nan")}),
    ("result", "bad_number", {"result": float("inf")}),
    ("result", "bad_number", {"result": DEEP}),
    ("result", "bad_number", {"result": {"value": 1}}),
    ("result", "bad_number", {"result": "=1+{n}"}),
    ("result", "bad_number", {"result": "1\0"}),
    ("result", "sentinel", {"result": -999}),
    ("result", "out_of_range", {"result": 123456}),
    ("result", "out_of_range", {"result": -5}),
    ("Datastream", "missing_field", {"Datastream": None}),
    ("Datastream", "missing_field", {"Datastream": {"name": "pm25"}}),
    ("datastream_id", "unknown_station", {"Datastream": {"@iot.id": "nobody{n}"}}),
    ("phenomenonTime", "missing_field", ["{n}"]),
    ("phenomenonTime", "missing_field", "{n}"),
)
THINGS: tuple[Kind, ...] = (
    ("@iot.id", "missing_field", {"@iot.id": None}),
    ("@iot.id", "missing_field", {"@iot.id": "x" * 201}),
    ("@iot.id", "missing_field", {"@iot.id": "t\0"}),
    ("@iot.id", "missing_field", {"@iot.id": True}),
    ("name", "bad_text", {"name": ["{n}"]}),
    ("name", "bad_text", {"name": "\ud83d{n}"}),
    ("@iot.id", "missing_field", {"@iot.id": "s{n}", "Datastreams": [{"name": "pm25"}]}),
    ("cadence_s", "bad_number", {"@iot.id": "u{n}", "Datastreams": [{"@iot.id": "u{n}", "properties": {"cadence_s": "often"}}]}),
    ("", "bad_row", []),
    ("", "bad_row", "{n}"),
    ("", "bad_row", 3),
)


def _sensorthings(request: Request, things: Sequence[Any], observations: Sequence[Any]) -> Reply:
    return Reply({"value": list(things if request.path.endswith("/Things") else observations)})


def test_sensors_sensorthings(store: Store) -> None:
    stream = {"@iot.id": "s:pm25", "name": "PM2.5", "unitOfMeasurement": {"symbol": "µg/m³"}, "ObservedProperty": {"name": "pm25"}}
    thing = {"@iot.id": "s", "name": "Trạm", "Datastreams": [stream], "Locations": [{"location": {"type": "Point", "coordinates": DEEP}}]}

    def seen(n: int) -> dict[str, Any]:
        minutes, hours = n % 60, n // 60
        return {"phenomenonTime": f"2026-11-19T{hours:02}:{minutes:02}:00Z", "result": 10 + n % 7, "Datastream": {"@iot.id": "s:pm25"}}

    observations = mixed(seen, OBSERVED)
    with scripted_server(lambda request: _sensorthings(request, [thing], observations)) as (url, _):
        pull(store, FeedConfig("air", "sensors", "sensorthings", url=url, options={"result_format": "plain", "window_h": 1000}))
    assert rows(store, "SELECT count(*) FROM core_reading") == [(PLANTED,)]
    assert_each_is_named(store, "air", OBSERVED)


def test_sensors_things(store: Store) -> None:
    def thing(n: int) -> dict[str, Any]:
        return {"@iot.id": f"t{n}", "name": ODD[n % len(ODD)], "Datastreams": [{"@iot.id": f"t{n}:rain", "name": "rain"}]}

    things = mixed(thing, THINGS)
    with scripted_server(lambda request: _sensorthings(request, things, [])) as (url, _):
        pull(store, FeedConfig("air", "sensors", "sensorthings", url=url, options={"result_format": "plain", "window_h": 1000}))
    assert rows(store, "SELECT count(*) FROM core_station WHERE source_id LIKE 't%'") == [(PLANTED,)]
    assert rows(store, "SELECT count(*) FROM core_datastream WHERE source_id LIKE 't%'") == [(PLANTED,)]
    assert_each_is_named(store, "air", THINGS)


READING_COLUMNS = ("station", "lon", "lat", "what", "unit", "at", "value")
READING_FIELDS: dict[str, Any] = {
    "station_id": {"from": "station", "required": True, "text_max": 100}, "lon": {"from": "lon"}, "lat": {"from": "lat"},
    "property": {"from": "what"}, "measure_unit": {"from": "unit"}, "observed_at": {"from": "at"}, "value": {"from": "value"},
}
READING_KINDS: tuple[Kind, ...] = (
    *LINES,
    ("station_id", "missing_field", {"station": ""}),
    ("station_id", "bad_text", {"station": "s\0{n}"}),
    ("station_id", "too_long", {"station": "s" * 5000 + "{n}"}),
    ("lon", "out_of_range", {"station": "b{n}", "lon": "512"}),
    ("lat", "bad_number", {"station": "b{n}", "lat": "20°54'"}),
    ("observed_at", "missing_field", {"at": ""}),
    ("observed_at", "bad_date", {"at": "noon"}),
    ("observed_at", "bad_date", {"at": "2026-11-19T24:61:00"}),
    ("observed_at", "future_date", {"at": "2026-11-21T08:00:00"}),
    ("value", "bad_number", {"value": "eleven"}),
    ("value", "bad_number", {"value": "1.2.{n}"}),
    ("value", "bad_number", {"value": "NaN"}),
    ("value", "bad_number", {"value": "-Infinity"}),
    ("value", "bad_number", {"value": "=SUM(A1)"}),
    ("value", "sentinel", {"value": "-999"}),
    ("value", "out_of_range", {"value": "99999"}),
)


def test_sensors_csv(store: Store, tmp_path: Path) -> None:
    def good(n: int) -> list[str]:
        return ["s", "106.7", "20.9", "PM2.5", "µg/m³", f"2026-11-18T{n // 60 % 24:02}:{n % 60:02}:00", "12.5"]

    pull(store, csv_feed(tmp_path, "sensors", READING_FIELDS, csv_lines(good, READING_KINDS, READING_COLUMNS)))
    assert rows(store, "SELECT count(*) FROM core_reading") == [(PLANTED,)]
    assert rows(store, "SELECT source_id FROM core_station") == [("s",)]
    assert_each_is_named(store, "drop", READING_KINDS)


# --- areas -------------------------------------------------------------------------------------------------


def _square(n: int) -> dict[str, Any]:
    west, south = 100 + n % 40 * 0.1, 8 + n // 40 * 0.1
    ring = [[west, south], [west + 0.1, south], [west + 0.1, south + 0.1], [west, south + 0.1], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def _area(n: int, **values: Any) -> dict[str, Any]:
    properties = {"code": f"{n:05}", "name": ODD[n % len(ODD)], **values}
    return {"type": "Feature", "properties": properties, "geometry": _square(n)}


def _shape(kind: str, coordinates: Any) -> dict[str, Any]:
    return {"geometry": {"type": kind, "coordinates": coordinates}}


AREAS: tuple[Kind, ...] = (
    ("code", "missing_field", {"properties": {"name": "no code {n}"}}),
    ("name", "missing_field", {"properties": {"code": "n{n}"}}),
    ("code", "bad_text", {"properties": {"code": ["{n}"], "name": "list"}}),
    ("code", "bad_text", {"properties": {"code": "\0{n}", "name": "NUL"}}),
    ("code", "too_long", {"properties": {"code": "{n}" * 101, "name": "long"}}),
    ("name", "bad_text", {"properties": {"code": "m{n}", "name": {"vi": DEEP}}}),
    ("code", "duplicate_key", {"properties": {"code": "00000", "name": "again {n}"}}),
    ("geometry", "bad_geometry", {"geometry": "POLYGON((0 0))"}),
    ("geometry", "bad_geometry", {"geometry": {}}),
    ("geometry", "bad_geometry", _shape("Point", [106, 20])),
    ("geometry", "bad_geometry", _shape("Polygon", [])),
    ("geometry", "bad_geometry", _shape("Polygon", DEEP)),
    ("geometry", "bad_geometry", _shape("Polygon", [[[1, 1], [1, 1], [1, 1], [1, 1]]])),
    ("geometry", "bad_geometry", _shape("Polygon", [[[500000, 2300000], [500100, 2300000], [500100, 2300100], [500000, 2300000]]])),
    ("geometry", "bad_geometry", _shape("Polygon", [[["a", "b"], [1, 1], [2, 2], ["a", "b"]]])),
    ("geometry", "bad_geometry", _shape("Polygon", [[[float("nan"), 1], [1, float("inf")], [2, 2], [float("nan"), 1]]])),
    ("", "bad_row", {"properties": ["{n}"]}),
    ("", "bad_row", []),
    ("", "bad_row", None),
    ("", "bad_row", "{n}"),
    ("code", "missing_field", {"properties": {"name": "a"}, "succession": 5}),
    ("code", "missing_field", {"properties": {"name": "b"}, "succession": [1, {}]}),
)


def test_areas_geojson(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "areas.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": mixed(_area, AREAS)}), encoding="utf-8")
    pull(store, FeedConfig("map", "areas", "geojson", path=str(path)))
    assert rows(store, "SELECT count(*) FROM core_area WHERE geometry IS NOT NULL") == [(PLANTED,)]
    assert {name for (name,) in rows(store, "SELECT name FROM core_area")} == set(ODD)
    assert_each_is_named(store, "map", AREAS)


# --- what only the database notices -----------------------------------------------------------------------

FEED = Landing("desk", "feedback", instant(NOW), cursor="here")


def _report(n: int, **values: Any) -> ReportRow:
    given: dict[str, Any] = {"category": "rác", "status": "new", "received_at": instant(NOW), "version": 1}
    return ReportRow(f"r{n}", **{**given, **values})


POISON: tuple[dict[str, Any], ...] = ({"description": "half \ud800"}, {"updated_at": 2**70}, {"due_at": 2**60}, {"channel": None})


def test_rows_the_database_refuses_are_left_out_and_the_others_land(store: Store) -> None:
    batch = [_report(n, **(POISON[n // 20 % 4] if n % 20 == 7 else {})) for n in range(400)]
    result = land(store, Parsed(reports=tuple(batch), item_count=400), FEED)
    assert (result.landed, result.changed, {reject.reason for reject in result.rejects}) == (380, 380, {"refused_by_store"})
    assert sorted(reject.item for reject in result.rejects) == sorted(f"r{n}" for n in range(7, 400, 20))
    assert {reject.field for reject in result.rejects} == {"description", "updated_at", "due_at", "channel"}
    assert rows(store, "SELECT count(*) FROM core_report") == [(380,)]
    assert rows(store, "SELECT cursor, landed, rejected FROM ops_feed") == [("here", 380, 20)]
    assert rows(store, "SELECT items, landed, rejected FROM ops_load") == [(400, 380, 20)]
    assert rows(store, "SELECT reason, kind, count(*) FROM ops_reject GROUP BY 1, 2") == [("refused_by_store", "stored", 20)]


def test_nul_costs_one_row_on_postgresql(postgres_database: str) -> None:
    store = open_store(postgres_database, TZ)
    migrate(store)
    result = land(store, Parsed(reports=(_report(1), _report(2, description="a\0b"), _report(3))), FEED)
    assert [(reject.item, reject.field, reject.reason) for reject in result.rejects] == [("r2", "description", "refused_by_store")]
    assert rows(store, "SELECT source_id FROM core_report ORDER BY 1") == [("r1",), ("r3",)]
    store.dispose()


def test_one_row_alone_is_a_reject_and_many_of_which_none_lands_are_a_fault(store: Store) -> None:
    assert land(store, Parsed(reports=(_report(1, **POISON[0]),)), FEED).rejects[0].reason == "refused_by_store"
    with pytest.raises(Exception) as fault:
        land(store, Parsed(reports=tuple(_report(n, **POISON[n % 4]) for n in range(SUSPICIOUS))), FEED)
    assert is_refusal(fault.value)
    assert rows(store, "SELECT count(*) FROM ops_reject") == [(1,)]


def test_a_store_that_is_away_or_a_wrong_program_is_no_refusal() -> None:
    for fault in (psycopg.OperationalError("gone"), sqlite3.OperationalError("database is locked"), KeyError("x"), TypeError("x")):
        assert not is_refusal(fault)


def test_a_number_the_column_cannot_hold_costs_its_row_at_most(store: Store) -> None:
    feed = FeedConfig("desk", "one_stop", "csv", fields=DOSSIER_FIELDS)
    items = [{"id": str(n), "received": "2026-11-02", "supplements": "99999999999999" if n == 3 else "1"} for n in range(9)]
    landed = Sync(store, Config(name="T", feeds=(feed,))).push(feed, items, NOW)
    refused = [(reject.item, reject.field, reject.reason) for reject in landed.rejects]
    assert (landed.landed, refused) == ((9, []) if store.is_sqlite else (8, [("3", "supplement_count", "refused_by_store")]))


def test_a_feed_that_nothing_can_be_stored_of_says_so_and_keeps_its_place(store: Store, tmp_path: Path) -> None:
    """The store itself is made to refuse: no parser lets such rows through by the dozen."""
    with store.writing() as connection:
        connection.execute(text("CREATE UNIQUE INDEX one_row_only ON core_report (feed)"))
        connection.execute(text("INSERT INTO core_report (feed, source_id, version, hash) VALUES ('drop', 'x', 1, 'x')"))
    content = "id,received\n" + "".join(f"r{n},2026-11-02T08:00:00\n" for n in range(SUSPICIOUS))
    fields = {name: REPORT_FIELDS[name] for name in ("source_id", "received_at")}
    feed = csv_feed(tmp_path, "feedback", fields, content.encode())
    with pytest.raises(FeedError, match="refuses the whole batch"):
        pull(store, feed)
    assert rows(store, "SELECT cursor, landed FROM ops_feed") == [(None, 0)]
    assert "refuses the whole batch" in rows(store, "SELECT error FROM ops_feed")[0][0]
    assert rows(store, "SELECT count(*) FROM ops_reject") == [(0,)]
