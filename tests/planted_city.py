"""A province whose sources put persons into every field, known and unknown, flat and nested: all of it comes in over HTTP.

Whoever is named here is made up. `SECRETS` may be found nowhere; `WORDS_OF_PEOPLE` only by readers of free text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from config import Config, FeedConfig
from metrics.rollups import clock_step, drain
from store.catalogue import put_agencies, put_categories, put_procedures
from store.days import instant
from store.engine import Store
from store.rows import AgencyRow, CategoryRow, ProcedureRow

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
AT = instant(NOW)
WRITER = "Nguyễn Thị Kín Đáo"  # who writes and is written about: in free text, and where names of offices and kinds belong
APPLICANT = "Lê Thị Chủ Riêng"  # only ever in personal and unknown fields
PHONE, CARD, OLD_CARD, MAIL, HOME = "0912845671", "022184773311", "101773311", "hop.thu.mat@rieng.example.vn", "27 ngõ 83"
PHONES = ("0912 845 671", "+84912845671", "0912.845.671", "０９１２８４５６７１")
TELLS = f"sđt {PHONES[0]} hoặc {PHONES[1]}, CCCD {CARD}, CMND {OLD_CARD}, {MAIL}, số nhà {HOME} phố Vắng"
FREE = f"{WRITER} viết: {TELLS}, gọi {PHONES[2]} hay {PHONES[3]}"
PUBLIC = f"nhà bà {WRITER}, {TELLS}"  # where words are shown to all, a name is found after a form of address
KEY_CARD = "022184665544"  # a source that numbers its cases by people
LON, LAT = 107.123457, 20.954321
SECRETS = (APPLICANT, "Chủ Riêng", PHONE, "912845671", CARD, OLD_CARD, MAIL, "hop.thu.mat", HOME)
WORDS_OF_PEOPLE = (WRITER, "Kín Đáo")
POINT = (str(LON), str(LAT))
STRANGE: dict[str, Any] = {  # what no manifest knows
    "nguoiGui": APPLICANT, "dienThoai": PHONE, "soDienThoai2": int(PHONE), "lienHe": {"ten": APPLICANT, "so": [PHONES[0], {"cccd": CARD}]},
    "ghiChuRieng": f"{APPLICANT} {TELLS}", "anh": f"https://example.vn/{MAIL}/{PHONE}.jpg",
}
PERSONAL: dict[str, Any] = {
    "ChuHoSo": APPLICANT, "MaDoiTuong": APPLICANT, "SoGiayToChuHoSo": CARD, "DinhDanhCHS": [{"LoaiDinhDanh": "1", "SoDinhDanh": CARD}],
    "Email": MAIL, "Fax": PHONE, "SoDienThoai": PHONE, "ThongTinKhac": TELLS, "TrichYeuHoSo": f"{APPLICANT} {TELLS}", "GhiChu": TELLS,
    "TaiLieuNop": [{"TenTepDinhKem": f"{APPLICANT} {PHONE}.pdf", "DuocSoHoa": "1"}], "NguoiXuLy": APPLICANT, "ChucDanh": APPLICANT,
}
FEEDS = (
    FeedConfig("portal", "one_stop", "portal", cadence_s=900),
    FeedConfig(
        "office", "one_stop", "csv", cadence_s=3600, personal=("applicant",), fields={
            "source_id": {"from": "id"}, "agency": {"from": "office"}, "procedure_code": {"from": "code"},
            "procedure_name": {"from": "name"}, "domain_code": {"from": "dcode"}, "domain_name": {"from": "domain"},
            "received_at": {"from": "received"}, "due_at": {"from": "due"}, "alias": {"from": "other"},
        },
    ),
    FeedConfig("app", "feedback", "open311", cadence_s=600),
    FeedConfig(
        "desk", "feedback", "csv", cadence_s=600, personal=("who", "home"), fields={
            "source_id": {"from": "id"}, "received_at": {"from": "received"}, "category": {"from": "kind"},
            "category_group": {"from": "group"}, "agency": {"from": "office"}, "channel": {"from": "channel"},
            "description": {"from": "text"}, "resolution": {"from": "answer"}, "lon": {"from": "lon"}, "lat": {"from": "lat"},
            "area": {"from": "area"},
        },
    ),
    FeedConfig("air", "sensors", "sensorthings", cadence_s=3600),
    FeedConfig("communes", "areas", "geojson"),
)


def config_of(url: str) -> Config:
    """The province over a store."""
    return Config(name="Tỉnh Thử", store_url=url, feeds=FEEDS)


def put_lists(store: Store) -> None:
    """The city's own lists: what is not in them is a name nobody has looked at."""
    store.write(lambda connection: put_agencies(connection, [AgencyRow("H1", "Sở Xây dựng", area_code="00001")]))
    store.write(lambda connection: put_procedures(connection, [ProcedureRow("1.001", "Cấp phép", "D1", "Xây dựng")]))
    store.write(lambda connection: put_categories(connection, [CategoryRow("road", "Đường sá")]))


def settle(store: Store) -> None:
    """Step the clock, fold."""
    clock_step(store, AT)
    drain(store, AT)


def _each_field(good: Mapping[str, Any], keys: tuple[str, ...], what: str) -> Iterator[dict[str, Any]]:
    """The good item with persons in one field after the other, and in all at once; never in its key."""
    words = [name for name, value in good.items() if isinstance(value, str) and name not in keys]
    for number, name in enumerate(words, 1):
        yield {**good, **{key: f"{good[key]}-{number}" for key in keys}, name: what}
    yield {**good, **dict.fromkeys(words, what)}


def _when(days: float, form: str = "") -> str:
    at = (NOW - timedelta(days=days)).astimezone(TZ)
    return at.strftime(form) if form else at.isoformat()


def dossiers() -> list[Any]:
    """Portal objects: good ones full of persons, and every field spoilt in turn."""
    wire = "%Y%m%d%H%M%S"
    good = {
        "MaHoSo": "H1-261101-0001", "MaTTHC": "1.001", "TenTTHC": "Cấp phép", "MaLinhVuc": "D1", "TenLinhVuc": "Xây dựng",
        "MaHoSoKhac": "K-1", "KenhThucHien": "2", "NgayNopHoSo": _when(9, wire), "NgayTiepNhan": _when(9, wire),
        "NgayHenTra": _when(2, wire), "TrangThaiHoSo": "4", "DonViXuLy": "Sở Xây dựng", "HoSoCoThanhPhanSoHoa": "1",
        "DuocThanhToanTrucTuyen": "1", "HinhThuc": "0", "NoiNopHoSo": "2", **PERSONAL, **STRANGE,
    }
    kept = {name: value for name, value in good.items() if name not in PERSONAL and name not in STRANGE}
    spoilt = [{**item, **PERSONAL, **STRANGE} for what in (FREE, PHONE, CARD) for item in _each_field(kept, ("MaHoSo",), what)]
    asked = {"NguoiYeuCauBoSung": APPLICANT, "NoiDungBoSung": FREE, "NgayBoSung": FREE, "ThongTinTiepNhan": FREE}
    stopped = {**good, "MaHoSo": "H1-261101-0900", "DanhSachHoSoBoSung": [asked]}
    many = [{**good, "MaHoSo": f"H1-261102-{number:04}"} for number in range(7)]
    return [good, *many, *spoilt, stopped, {**good, "MaHoSo": KEY_CARD}, FREE, [FREE]]


def steps() -> list[Any]:
    """Progress objects, with the official's name where the department belongs."""
    good = {
        "MaHoSo": "H1-261101-0001", "ThoiDiemXuLy": _when(8), "PhongBanXuLy": f"Phòng 1, {APPLICANT}", "NguoiXuLy": APPLICANT,
        "NoiDungXuLy": f"{FREE}; {APPLICANT} đã nộp", "TrangThai": "4", "ChucDanh": APPLICANT, **STRANGE,
    }
    return [good, {**good, "PhongBanXuLy": FREE, "ThoiDiemXuLy": _when(7)}, {**good, "ThoiDiemXuLy": FREE}, {**good, "TrangThai": FREE}]


def requests() -> list[Any]:
    """Open311 requests."""
    good = {
        "service_request_id": "R-1", "status": "open", "service_name": "Đường sá", "service_code": "road", "description": FREE,
        "status_notes": FREE, "agency_responsible": "Sở Xây dựng", "requested_datetime": _when(6), "updated_datetime": _when(5),
        "expected_datetime": _when(1), "lat": str(LAT), "long": str(LON), "group": "Hạ tầng",
    }
    person = {
        "first_name": APPLICANT, "last_name": APPLICANT, "email": MAIL, "phone": PHONE, "address": f"số nhà {HOME} phố Vắng",
        "address_string": TELLS, "media_url": f"https://example.vn/{PHONE}.jpg", "device_id": PHONE, "account_id": CARD,
        "notes": [{"type": "opened", "datetime": _when(6), "summary": FREE, "by": APPLICANT}, {"type": FREE, "datetime": FREE}],
        "extended_attributes": {"channel": "app", "nguoi": APPLICANT, "duplicate": "0"}, **STRANGE,
    }
    spoilt = [{**item, **person} for what in (FREE, PHONE) for item in _each_field(good, ("service_request_id",), what)]
    return [{**good, **person}, *spoilt, {**good, **person, "service_request_id": KEY_CARD}, FREE]


def things() -> list[Any]:
    """SensorThings entities; the device stands at a citizen's house."""
    stream = {
        "@iot.id": "s1.pm25", "name": PUBLIC, "description": FREE, "unitOfMeasurement": {"name": PUBLIC, "symbol": "µg/m3"},
        "ObservedProperty": {"name": "PM2.5", "description": FREE}, "properties": {"chu": APPLICANT},
    }
    odd = {**stream, "@iot.id": "s1.odd", "ObservedProperty": {"name": PUBLIC}, "unitOfMeasurement": {"symbol": PUBLIC}}
    thing = {
        "@iot.id": "s1", "name": f"Trạm {PUBLIC}", "description": FREE, "Datastreams": [stream, odd],
        "Locations": [{"name": FREE, "location": {"type": "Point", "coordinates": [107.2, 20.9]}}],
        "properties": {"kind": "air", "chuNha": APPLICANT, "sdt": PHONE}, **STRANGE,
    }
    return [thing, {**thing, "@iot.id": None}, {**thing, "@iot.id": "s2", "name": {"ten": APPLICANT}}, FREE]


def observations() -> list[Any]:
    """Good values, and persons in place of time and result."""
    of = {"Datastream": {"@iot.id": "s1.pm25", "unitOfMeasurement": {"symbol": "µg/m3"}, "ObservedProperty": {"name": "PM2.5"}, **STRANGE}}
    good = [{**of, "phenomenonTime": _when(hour / 24), "result": 20 + hour} for hour in range(1, 20)]
    return [*good, {**of, "phenomenonTime": FREE, "result": 1}, {**of, "phenomenonTime": _when(1), "result": FREE}, FREE]


def features() -> list[Any]:
    """Two communes, one refused."""
    ring = [[107.0, 20.5], [107.5, 20.5], [107.5, 21.2], [107.0, 21.2], [107.0, 20.5]]
    properties = {"code": "00001", "name": "Xã Thử", "full_name": f"Xã Thử, {PUBLIC}", "name_en": PUBLIC, **STRANGE}
    shape = {"type": "Polygon", "coordinates": [ring]}
    bad = {**properties, "code": "00002", "name": FREE}
    return [{"properties": properties, "geometry": shape}, {"properties": bad, "geometry": {"type": "Point", "nguoi": APPLICANT}}]


def office_rows() -> str:
    """CSV of a department's own dossiers."""
    good = {
        "id": "S-1", "office": "Sở Xây dựng", "code": "1.001", "name": "Cấp phép", "dcode": "D1", "domain": "Xây dựng",
        "received": _when(9), "due": _when(1), "other": "K-2", "applicant": APPLICANT, "note": "x",
    }
    rows = [good, *(row for what in (FREE, PHONE) for row in _each_field({**good}, ("id",), what))]
    return _csv([{**row, "applicant": APPLICANT, "note": f"{APPLICANT} {TELLS}"} for row in rows])


def desk_rows() -> str:
    """CSV of a desk's citizen reports."""
    good = {
        "id": "D-1", "received": _when(4), "kind": "road", "group": "Hạ tầng", "office": "Sở Xây dựng", "channel": "web", "text": FREE,
        "answer": f"Đã báo {WRITER}, {TELLS}", "lon": str(LON), "lat": str(LAT), "area": "", "who": APPLICANT, "home": TELLS, "note": "x",
    }
    rows = [good, *(row for what in (FREE, PHONE) for row in _each_field(good, ("id",), what))]
    return _csv([{**row, "who": APPLICANT, "home": TELLS, "note": f"{APPLICANT} {TELLS}"} for row in rows]) + f"{APPLICANT};{TELLS}\n"


def _csv(rows: list[dict[str, Any]]) -> str:
    quoted = [";".join('"' + str(cell).replace('"', '""') + '"' for cell in row.values()) for row in rows]
    return "\n".join([";".join(rows[0]), *quoted]) + "\n"


def push_all(client: httpx.Client, keys: Mapping[str, str]) -> list[str]:
    """Push everything; the answers' texts."""
    sent: list[tuple[str, dict[str, Any]]] = [
        ("communes", {"json": features()}),
        ("portal", {"json": {"service": "DongBoHoSoMC", "data": dossiers()}}),
        ("portal", {"json": {"service": "CapNhatTienDoHoSoMC", "data": steps()}}),
        ("office", {"content": office_rows().encode(), "headers": {"Content-Type": "text/csv"}}),
        ("app", {"json": requests()}),
        ("desk", {"content": desk_rows().encode(), "headers": {"Content-Type": "text/csv"}}),
        ("air?kind=things", {"json": things()}),
        ("air?kind=observations", {"json": observations()}),
    ]
    answers = []
    for address, body in sent:
        headers = {"X-Feed-Key": keys[address.partition("?")[0]], **body.pop("headers", {})}
        answer = client.post(f"/ingest/{address}", headers=headers, **body)
        assert answer.status_code == 200, answer.text
        landed = json.loads(answer.text)
        assert landed["landed"] > 0, (address, landed)
        answers.append(answer.text)
    return answers
