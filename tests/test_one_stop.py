"""Dossiers: the portal's wire format with its dirty data, dossiers and event logs from CSV, the real WABO truths."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import ConfigError, FeedConfig, load_config
from data_sources.csv_file import csv_client
from data_sources.feed import FeedError, RawBatch
from data_sources.one_stop import portal, table
from store.rows import DossierRow, Parsed, Reject, StepRow, Stop
from tests import servers

NOW = datetime(2026, 11, 22, 5, tzinfo=UTC)
FEED = FeedConfig("one_stop", "one_stop", "portal")
SAMPLES = Path(__file__).parent / "sample"
PERSONS = ("Mẫu", "0220000", "09876", "0987 654", "example.vn", "bản vẽ")


def vn(text: str) -> int:
    """Microseconds since 1970 UTC of an ISO time in Viet Nam."""
    return (datetime.fromisoformat(f"{text}+07:00") - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def push(*items: Any, kind: str = portal.DOSSIERS, feed: FeedConfig = FEED) -> Parsed:
    return portal.parse(feed, RawBatch(items, kind=kind), NOW)


def sent(**fields: Any) -> dict[str, Any]:
    return {"MaHoSo": "H49-1", "NgayTiepNhan": "20260302080000", "NgayHenTra": "20260320170000", "TrangThaiHoSo": "4", **fields}


def dossier(**fields: Any) -> DossierRow:
    parsed = push(sent(**fields))
    assert parsed.rejects == ()
    (row,) = parsed.dossiers
    return row


def reject(**fields: Any) -> Reject:
    parsed = push(sent(**fields))
    assert parsed.dossiers == ()
    (row,) = parsed.rejects
    return row


def sample(name: str) -> Parsed:
    envelope = portal.read_envelope((SAMPLES / name).read_bytes())
    return portal.parse(FEED, RawBatch(envelope.items, kind=envelope.service), NOW)


# --- the sample payloads ----------------------------------------------------------------------------------


def test_sample_dossiers_land_and_the_unreadable_date_is_refused() -> None:
    parsed = sample("portal_dossiers.json")
    assert [row.source_id for row in parsed.dossiers] == [
        "H49.36-260302-0007", "000.17.22.H49-210531-0001", "H49.14-260304-0001"]
    assert [(one.item, one.field, one.reason, one.value) for one in parsed.rejects] == [
        ("H49.14-260305-0002", "NgayHenTra", "bad_date", "20260332170000")]
    assert parsed.item_count == 4


def test_every_wire_field_reaches_its_column() -> None:
    assert sample("portal_dossiers.json").dossiers[0] == DossierRow(
        source_id="H49.36-260302-0007", agency="UBND phường Hạ Long", procedure_code="1.004193",
        procedure_name="Cấp giấy phép xây dựng nhà ở riêng lẻ", domain_code="G17-XD03", domain_name="Hoạt động xây dựng",
        channel="online", status=4, filed_at=vn("2026-03-01T20:15"), received_at=vn("2026-03-02T08:12"),
        due_at=vn("2026-03-23T17:00"), is_digitised=True, is_paid_online=False, has_fee=True, has_component_file=False,
        has_e_result=False, is_shared=False, is_identified=True,
    )


def test_a_dossier_without_accept_or_due_date_keeps_what_is_known() -> None:
    row = sample("portal_dossiers.json").dossiers[1]
    assert (row.received_at, row.due_at, row.alias) == (vn("2026-03-03T07:45:10.123"), None, "H49-TAM-48213")
    assert (row.finished_at, row.handed_at, row.status, row.channel) == (vn("2026-03-10T09:30"),) * 2 + (10, "direct")
    assert (row.is_digitised, row.is_paid_online) == (True, True)


def test_no_person_appears_in_rows_or_rejects() -> None:
    for name in ("portal_dossiers.json", "portal_progress.json"):
        shown = repr(sample(name))
        assert not [word for word in PERSONS if word in shown]


def test_progress_becomes_steps_without_the_handler() -> None:
    parsed = sample("portal_progress.json")
    words = "Chuyển [tên người] ([số điện thoại], [email]) thẩm định"
    assert parsed.steps == (StepRow("H49.36-260302-0007", vn("2026-03-02T10:15"), words, "Bộ phận Một cửa", 4),)
    assert [(one.field, one.reason) for one in parsed.rejects] == [("ThoiDiemXuLy", "missing_field")]


def test_a_status_message_is_a_step_and_eleven_means_refused() -> None:
    message = {"MaHoSo": "H49-1", "TrangThai": "11", "NgayXuLy": "20260302101500", "NoiDung": "Không đủ"}
    parsed = push(message, kind=portal.STATUS)
    assert parsed.steps == (StepRow("H49-1", vn("2026-03-02T10:15"), "Không đủ", "", 3),)
    assert parsed.dossiers == ()


# --- status, dates, channel -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "status"),
    [(str(n), n) for n in range(1, 11)] + [(4, 4), ("04", 4), ("11", 3), ("12", 0), ("", 0), (None, 0), ("x", 0)],
)
def test_status_codes(code: Any, status: int) -> None:
    assert dossier(TrangThaiHoSo=code).status == status


@pytest.mark.parametrize(
    ("code", "channel"), (("1", "direct"), ("2", "online"), (3, "postal"), (None, "direct"), ("", "direct"), ("0", "direct"))
)
def test_channels(code: Any, channel: str) -> None:
    assert dossier(KenhThucHien=code).channel == channel


@pytest.mark.parametrize(
    ("status", "ended", "handed", "finished"),
    (
        ("9", "20260310080000", "20260312080000", "2026-03-10T08:00"),
        ("9", "", "20260312080000", "2026-03-12T08:00"),
        ("10", "", "20260312080000", "2026-03-12T08:00"),
        ("7", "", "20260312080000", "2026-03-12T08:00"),
        ("4", "", "20260312080000", None),
        ("9", "", "", None),
        ("9", "20260101080000", "", "2026-01-01T08:00"),  # ended before start lands; it is counted elsewhere
    ),
)
def test_finish_is_the_end_of_handling_else_the_handing_over(
    status: str, ended: str, handed: str, finished: str | None
) -> None:
    row = dossier(TrangThaiHoSo=status, NgayKetThucXuLy=ended, NgayTra=handed)
    assert row.finished_at == (vn(finished) if finished else None)


@pytest.mark.parametrize("paid, expected", (("1", True), (2, True), ("3", False), ("0", False), (None, None), ("", None)))
def test_paid_online_is_one_or_two(paid: Any, expected: bool | None) -> None:
    assert dossier(DuocThanhToanTrucTuyen=paid).is_paid_online is expected


@pytest.mark.parametrize(
    ("flag", "files", "expected"),
    (("1", [], True), ("0", [], False), (None, None, None), ("0", [{"DuocSoHoa": True}], True),
     (None, [{"DuocSoHoa": "0"}], False), (True, "garbage", True), (None, [7, {"x": 1}], None)),
)
def test_digitised_by_flag_or_by_file(flag: Any, files: Any, expected: bool | None) -> None:
    assert dossier(HoSoCoThanhPhanSoHoa=flag, TaiLieuNop=files).is_digitised is expected


def test_version_is_receipt_order_unless_the_feed_declares_event_time() -> None:
    assert dossier(NgayTra="20260312080000").version is None
    feed = FeedConfig("one_stop", "one_stop", "portal", version="event")
    (row,) = push(sent(NgayTra="20260312080000"), feed=feed).dossiers
    assert row.version == vn("2026-03-12T08:00")


# --- supplements: the clock stops -------------------------------------------------------------------------


def asked(stopped: str, resumed: str = "", before: str = "", after: str = "") -> dict[str, str]:
    return {"NgayBoSung": stopped, "NgayTiepNhanBoSung": resumed, "NgayHenTraTruoc": before, "NgayHenTraMoi": after}


def test_a_request_stops_the_clock_and_puts_the_due_date_off_by_the_wait() -> None:
    row = dossier(DanhSachHoSoBoSung=[asked("2026-03-06T09:00:00", "2026-03-10T09:00:00")])
    assert row.stops == (Stop(vn("2026-03-06T09:00"), vn("2026-03-10T09:00")),)
    assert (row.due_at, row.supplement_count) == (vn("2026-03-24T17:00"), 1)


def test_the_new_due_date_of_the_latest_request_wins() -> None:
    first = asked("2026-03-06T09:00:00", "2026-03-10T09:00:00", after="2026-03-25T17:00:00")
    second = asked("2026-03-12T09:00:00", "2026-03-13T09:00:00", after="2026-03-24T17:00:00")
    row = dossier(DanhSachHoSoBoSung=[second, first])
    assert (row.due_at, row.supplement_count) == (vn("2026-03-24T17:00"), 2)


def test_a_due_date_already_put_off_is_not_put_off_again() -> None:
    record = asked("2026-03-06T09:00:00", "2026-03-10T09:00:00", before="2026-03-16T17:00:00")
    assert dossier(DanhSachHoSoBoSung=[record]).due_at == vn("2026-03-20T17:00")


def test_an_open_request_stays_open_until_the_dossier_ends() -> None:
    record = asked("20260306090000")
    assert dossier(TrangThaiHoSo="5", DanhSachHoSoBoSung=[record]).stops == (Stop(vn("2026-03-06T09:00"), None),)
    ended = dossier(TrangThaiHoSo="9", NgayKetThucXuLy="20260310080000", DanhSachHoSoBoSung=[record])
    assert ended.stops == (Stop(vn("2026-03-06T09:00"), vn("2026-03-10T08:00")),)


@pytest.mark.parametrize("status", ("5", "6", "8"))
def test_a_standing_dossier_without_record_stops_at_its_last_event(status: str) -> None:
    assert dossier(TrangThaiHoSo=status, NgayNopHoSo="20260301").stops == (Stop(vn("2026-03-02T08:00"), None),)
    closed = [asked("2026-03-06T09:00:00", "2026-03-10T09:00:00")]
    assert dossier(TrangThaiHoSo=status, DanhSachHoSoBoSung=closed).stops[-1] == Stop(vn("2026-03-06T09:00"), None)


def test_overlapping_requests_are_one_stop() -> None:
    spans = (("20260306090000", "20260310090000"), ("20260308090000", "20260312090000"), ("20260306090000", "20260307"))
    row = dossier(DanhSachHoSoBoSung=[asked(*span) for span in spans])
    assert row.stops == (Stop(vn("2026-03-06T09:00"), vn("2026-03-12T09:00")),)
    assert row.supplement_count == 3


def test_the_second_request_is_known_at_the_latest_by_the_second_date() -> None:
    spans = ("20260312090000", "", "20260306090000")
    row = dossier(DanhSachHoSoBoSung=[{**asked(at), "NgayHenTraMoi": "20260324170000"} for at in spans])
    assert (row.supplement_count, row.second_supplement_at) == (3, vn("2026-03-12T09:00"))
    assert dossier(DanhSachHoSoBoSung=[asked("20260306090000")]).second_supplement_at is None


# --- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "field", "reason"),
    (
        ({"MaHoSo": ""}, "MaHoSo", "missing_field"),
        ({"MaHoSo": None}, "MaHoSo", "missing_field"),
        ({"MaHoSo": "H" * 101}, "MaHoSo", "too_long"),
        ({"MaHoSo": "000000001"}, "MaHoSo", "placeholder_id"),
        ({"MaHoSo": "H49\0"}, "MaHoSo", "bad_text"),
        ({"MaHoSo": ["H49"]}, "MaHoSo", "bad_text"),
        ({"MaTTHC": "1" * 101}, "MaTTHC", "too_long"),
        ({"TenTTHC": {}}, "TenTTHC", "bad_text"),
        ({"NgayTiepNhan": "02/03/2026"}, "NgayTiepNhan", "bad_date"),
        ({"NgayHenTra": "20260230170000"}, "NgayHenTra", "bad_date"),
        ({"NgayKetThucXuLy": "hôm qua"}, "NgayKetThucXuLy", "bad_date"),
        ({"NgayKetThucXuLy": "20990101000000"}, "NgayKetThucXuLy", "future_date"),
        ({"NgayTiepNhan": "20990101000000"}, "NgayTiepNhan", "future_date"),
        ({"KenhThucHien": "9"}, "KenhThucHien", "unknown_code"),
        ({"DanhSachHoSoBoSung": [asked("x")]}, "DanhSachHoSoBoSung.NgayBoSung", "bad_date"),
        ({"DanhSachHoSoBoSung": "x"}, "DanhSachHoSoBoSung", "bad_text"),
        ({"DanhSachHoSoBoSung": [7]}, "DanhSachHoSoBoSung", "bad_text"),
    ),
)
def test_bad_dossier_is_refused_with_field_and_reason(fields: dict[str, Any], field: str, reason: str) -> None:
    found = reject(**fields)
    assert (found.field, found.reason) == (field, reason)


def test_a_dossier_without_number_is_named_by_its_row() -> None:
    parsed = portal.parse(FEED, RawBatch([sent(MaHoSo="")], offset=41), NOW)
    assert parsed.rejects[0].item == "row 42"


def test_a_date_within_a_day_after_now_is_no_fault() -> None:
    assert dossier(TrangThaiHoSo="9", NgayKetThucXuLy="20261123110000").finished_at == vn("2026-11-23T11:00")


def test_bad_objects_do_not_hold_up_the_good_ones() -> None:
    parsed = push(sent(MaHoSo="H49-1"), None, [], "x", sent(MaHoSo=""), sent(MaHoSo="H49-2"))
    assert [row.source_id for row in parsed.dossiers] == ["H49-1", "H49-2"]
    assert [one.item for one in parsed.rejects] == ["row 2", "row 3", "row 4", "row 5"]


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(
    ("20260302080000", "2026-03-02T08:00:00+07:00", "0001-01-01T00:00:00", "H49-1", "5", "9", "True", ""))
JSONISH = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3), max_leaves=5
)
WIRE_NAMES = st.sampled_from((
    "MaHoSo", "MaHoSoKhac", "MaTTHC", "NgayNopHoSo", "NgayTiepNhan", "NgayHenTra", "NgayKetThucXuLy", "NgayTra", "TrangThaiHoSo",
    "KenhThucHien", "DonViXuLy", "TaiLieuNop", "DanhSachHoSoBoSung", "HoSoCoThanhPhanSoHoa", "ThoiDiemXuLy", "NoiDungXuLy",
    "NguoiXuLy",
))
REQUESTS = st.lists(st.dictionaries(st.sampled_from(("NgayBoSung", "NgayTiepNhanBoSung", "NgayHenTraMoi")), SCALARS), max_size=3)
ITEMS = JSONISH | st.dictionaries(WIRE_NAMES, JSONISH | REQUESTS)


@given(ITEMS, st.sampled_from(portal.SERVICES))
def test_any_object_gives_one_row_or_rejects(item: Any, kind: str) -> None:
    parsed = push(item, kind=kind)
    rows = (*parsed.dossiers, *parsed.steps)
    assert len(rows) == (0 if parsed.rejects else 1)
    json.dumps([one.payload for one in parsed.rejects]).encode()
    for row in parsed.dossiers:
        assert all(stop.resumed_at is None or stop.resumed_at >= stop.stopped_at for stop in row.stops)
        assert "\0" not in repr(row) and row.source_id.encode()


PERSONAL = ("ChuHoSo", "SoGiayToChuHoSo", "DinhDanhCHS", "Email", "Fax", "SoDienThoai", "ThongTinKhac", "TrichYeuHoSo", "GhiChu",
            "MaDoiTuong", "NguoiXuLy", "ChucDanh", "ThongTinTra", "TruongMoi")


@given(st.dictionaries(WIRE_NAMES, JSONISH | REQUESTS), st.sampled_from(PERSONAL), st.sampled_from(portal.SERVICES))
def test_what_stands_in_a_persons_field_is_never_kept(item: dict[str, Any], name: str, kind: str) -> None:
    secret = "Nguyễn Bí Mật"
    records = [{"NguoiYeuCauBoSung": secret, "NgayBoSung": "x", "DanhSachGiayToBoSung": [{"Ten": secret}]}]
    for value in (secret, [{"SoDinhDanh": secret}], {"a": secret}):
        parsed = push({**item, name: value}, {**item, name: value, "DanhSachHoSoBoSung": records}, kind=kind)
        assert secret not in repr(parsed)


# --- the envelope -----------------------------------------------------------------------------------------


def test_the_envelope_is_read() -> None:
    found = portal.read_envelope(b'{"session":"s","madonvi":"H49","service":"DongBoHoSoMC","isUpdating":"True","data":[{}]}')
    assert found == portal.Envelope("DongBoHoSoMC", True, "H49", "s", ({},))


def test_the_gateways_bare_array_takes_unit_and_service_from_the_url() -> None:
    found = portal.read_envelope(b'[{"MaHoSo":"1"}]', service="capnhattiendohosomc", madonvi="000.00.01.H22")
    assert (found.service, found.madonvi, len(found.items)) == ("CapNhatTienDoHoSoMC", "000.00.01.H22", 1)


def test_one_object_and_text_in_data_are_understood() -> None:
    assert portal.read_envelope({"data": {"MaHoSo": "1"}}).items == ({"MaHoSo": "1"},)
    assert portal.read_envelope({"data": '[{"MaHoSo": "1"}]'}).items == ({"MaHoSo": "1"},)


@pytest.mark.parametrize(
    ("body", "message"),
    ((b"{", "no valid JSON"), (b"\xff", "no valid JSON"), (b"7", "neither an object nor an array"), (b"{}", "data is missing"),
     (b'{"service":"XoaHoSo","data":[]}', "unknown service 'XoaHoSo'; one of DongBoHoSoMC"), (b"[" * 100_000, "no valid JSON"),
     (b'{"data":"x"}', "data is no valid JSON")),
)
def test_a_bad_envelope_says_what_to_send(body: bytes, message: str) -> None:
    with pytest.raises(FeedError, match=message):
        portal.read_envelope(body)


def test_answers_are_texts() -> None:
    assert portal.answer() == {"error_code": "0", "message": ""}
    assert portal.answer(-1, "phiên hết hạn") == {"error_code": "-1", "message": "phiên hết hạn"}


# --- dossiers from CSV ------------------------------------------------------------------------------------

FIELDS = {"source_id": {"from": "id", "required": True}, "received_at": {"from": "start"}, "finished_at": {"from": "end"},
          "agency": {"from": "group"}}
STEPS = {"steps": {"at": {"from": "time"}, "name": {"from": "act"}}}


def rows_of(fields: dict[str, Any], *items: Any, **manifest: Any) -> Parsed:
    feed = FeedConfig("files", "one_stop", "csv", fields=fields, zone="Europe/Amsterdam", **manifest)
    return table.parse(feed, RawBatch(items), NOW)


def test_one_row_is_one_dossier_and_a_missing_status_column_is_judged_by_dates() -> None:
    open_one = {"id": "1", "start": "2011-10-11", "end": ""}
    parsed = rows_of(FIELDS, open_one, {"id": "2", "start": "2011-10-11", "end": "2011-10-12"})
    assert [(row.source_id, row.status) for row in parsed.dossiers] == [("1", 4), ("2", 9)]


def test_a_mapped_status_that_is_unknown_lands_as_unmapped() -> None:
    fields = {**FIELDS, "status": {"from": "s", "codes": {"done": 9}}}
    parsed = rows_of(fields, {"id": "1", "s": "done"}, {"id": "2", "s": "lost"}, {"id": "3"})
    assert [row.status for row in parsed.dossiers] == [9, 0, 0]


def test_the_attributes_of_a_case_are_those_of_its_latest_event() -> None:
    rows = [{"id": "1", "start": "2011-10-11", "group": group, "time": time, "act": group}
            for group, time in (("b", "2011-10-12"), ("c", "2011-10-13"), ("a", "2011-10-11"))]
    parsed = rows_of({**FIELDS, **STEPS}, {**rows[0], "rows": rows})
    assert [row.agency for row in parsed.dossiers] == ["c"]
    assert [step.name for step in parsed.steps] == ["b", "c", "a"]


def test_a_table_that_declares_event_time_takes_the_greatest_as_version() -> None:
    rows = [{"id": "1", "start": "2011-10-11", "time": time} for time in ("2011-10-12", "2011-10-13", "2011-10-12")]
    (row,) = rows_of({**FIELDS, **STEPS}, {**rows[0], "rows": rows}, version="event").dossiers
    assert row.version == vn("2011-10-13T05:00")  # midnight in Amsterdam
    assert rows_of(FIELDS, rows[0]).dossiers[0].version is None


def test_an_unreadable_event_is_refused_alone() -> None:
    rows = [{"id": "1", "start": "2011-10-11", "time": time, "act": "x", "who": "Jan"} for time in ("2011-10-12", "soon", "")]
    parsed = rows_of({**FIELDS, **STEPS}, {**rows[0], "rows": rows}, personal=("who",))
    assert (len(parsed.dossiers), len(parsed.steps)) == (1, 1)
    assert [(one.item, one.field, one.reason) for one in parsed.rejects] == [
        ("1", "steps.at", "bad_date"), ("1", "steps.at", "missing_field")]
    assert "Jan" not in repr(parsed)


def test_bad_rows_are_refused_once_each_and_the_good_land() -> None:
    bad = ({"id": ""}, {"id": "2", "start": "x"}, {"id": "3", "end": "2099-01-01"}, {"id": "4" * 101}, 7)
    parsed = rows_of(FIELDS, {"id": "1"}, *bad, {"id": "5"})
    assert [row.source_id for row in parsed.dossiers] == ["1", "5"]
    assert [(one.item[:6], one.reason) for one in parsed.rejects] == [
        ("row 2", "missing_field"), ("2", "bad_date"), ("3", "future_date"), ("444444", "too_long"), ("row 6", "bad_row")]


def test_a_mapping_without_key_is_a_fault_of_the_city_file() -> None:
    with pytest.raises(ConfigError, match="feed files: source_id is not mapped"):
        rows_of({"agency": {"from": "a"}})
    with pytest.raises(ConfigError, match=r"feed files: steps: at is not mapped"):
        rows_of({**FIELDS, "steps": {"name": {"from": "a"}}})


@given(ITEMS)
def test_any_item_of_a_table_gives_one_row_or_rejects(item: Any) -> None:
    fields = {"source_id": {"from": "MaHoSo"}, "received_at": {"from": "NgayTiepNhan"}, "status": {"from": "TrangThaiHoSo"},
              "channel": {"from": "KenhThucHien"}, "supplement_count": {"from": "NgayTra"}}
    parsed = rows_of(fields, item)
    assert len(parsed.dossiers) == (0 if parsed.rejects else 1)
    json.dumps([one.payload for one in parsed.rejects]).encode()


@pytest.fixture(scope="module")
def wabo(real_data: Path) -> list[Parsed]:
    city = load_config(servers.ROOT / "examples/wabo/city.toml", {**os.environ, "TOANCANH_REAL_DATA": str(real_data)})
    feed = city.feed("wabo")
    return [table.parse(feed, batch, NOW) for batch in csv_client(feed, None, NOW)]


def test_wabo_truths(wabo: list[Parsed]) -> None:
    rows = [row for parsed in wabo for row in parsed.dossiers]
    done = [row for row in rows if row.finished_at is not None]
    assert (len(rows), len({row.source_id for row in rows})) == (1434, 1434)
    assert (len(done), sum(row.status == 4 for row in rows)) == (1329, 105)
    assert sum((row.finished_at or 0) > (row.due_at or 0) for row in done) == 377
    assert sum((row.finished_at or 0) < (row.received_at or 0) for row in done) == 2
    assert sum(row.due_at is None or row.received_at is None or not row.agency for row in rows) == 0


def test_wabo_loses_no_event_and_keeps_no_clerk(wabo: list[Parsed]) -> None:
    steps = [step for parsed in wabo for step in parsed.steps]
    assert (len(steps), sum(len(parsed.rejects) for parsed in wabo)) == (8577, 0)
    assert not [row for parsed in wabo for row in (*parsed.dossiers, *parsed.steps) if "Resource" in repr(row)]
