"""Dossier columns as the province's one-stop system sends them: DongBoHoSoMC and CapNhatTienDoHoSoMC objects (portal format).

Nearly every scalar is text, times are yyyyMMddHHmmss in the province's zone, '' = unknown. About 0.3 % of rows are
broken on purpose.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from data_sources.demo.catalogue import Catalogue, Procedure
from data_sources.demo.dossiers import NEVER, Dossiers, status_at
from data_sources.demo.noise import hashed
from data_sources.demo.places import plain_letters
from data_sources.demo.vocabulary import FAMILY, GIVEN, MIDDLE
from data_sources.demo.workdays import DAY_S, Ints

Wire = dict[str, Any]
Person = tuple[str, str, str, str]
BAD_SHARE = 0.003
UNMAPPED_AGENCY = "Chi nhánh Văn phòng đăng ký đất đai khu vực 2"

# column, step text, TrangThai after it, post of who does it
STEPS = (
    ("received", "Tiếp nhận hồ sơ", 2, "Chuyên viên một cửa"),
    ("started", "Phân công xử lý", 4, "Trưởng phòng"),
    ("appraised", "Thẩm định hồ sơ", 4, "Chuyên viên"),
    ("proposed", "Trình ký duyệt", 4, "Trưởng phòng"),
    ("fee_asked", "Yêu cầu thực hiện nghĩa vụ tài chính", 6, "Chuyên viên"),
    ("fee_paid", "Đã thực hiện nghĩa vụ tài chính", 4, "Chuyên viên một cửa"),
    ("asked", "Yêu cầu bổ sung giấy tờ", 5, "Chuyên viên"),
    ("given", "Đã nhận bổ sung", 4, "Chuyên viên một cửa"),
    ("asked_again", "Yêu cầu bổ sung giấy tờ lần 2", 5, "Chuyên viên"),
    ("given_again", "Đã nhận bổ sung lần 2", 4, "Chuyên viên một cửa"),
    ("ended", "", 9, "Lãnh đạo"),
    ("returned", "Trả kết quả", 10, "Chuyên viên một cửa"),
)
END_TEXT = {3: "Từ chối tiếp nhận", 7: "Công dân rút hồ sơ", 8: "Dừng xử lý", 9: "Ký duyệt, ban hành kết quả"}


def stamps(at: Ints, until: int) -> list[str]:
    """yyyyMMddHHmmss of local seconds; '' for what lies after `until`."""
    known = at <= until
    safe = np.where(known, at, 0)
    months = safe.astype("datetime64[s]").astype("datetime64[M]")
    month = months.astype(np.int64)
    day = safe // DAY_S - months.astype("datetime64[D]").astype(np.int64) + 1
    clock = safe % DAY_S
    number = ((month // 12 + 1970) * 100 + month % 12 + 1) * 100 + day
    number = number * 1_000_000 + clock // 3600 * 10_000 + clock // 60 % 60 * 100 + clock % 60
    return [str(n) if ok else "" for n, ok in zip(number.tolist(), known.tolist(), strict=True)]


def numbers_of(dossiers: Dossiers, catalogue: Catalogue) -> list[str]:
    """MaHoSo, e.g. H99.24-261120-0007: agency, filing day, sequence of that agency on that day."""
    days = stamps(dossiers.day * DAY_S, int(NEVER))
    codes = [agency.code for agency in catalogue.agencies]
    rows = zip(dossiers.agency.tolist(), days, dossiers.sequence.tolist(), strict=True)
    return [f"{codes[agency]}-{day[2:8]}-{sequence:04d}" for agency, day, sequence in rows]


def dossier_objects(dossiers: Dossiers, until: int, catalogue: Catalogue) -> list[Any]:
    """DongBoHoSoMC data objects: the state of each dossier as known at `until` (local seconds). Broken rows included."""
    status = status_at(dossiers, until).tolist()
    times = {
        name: stamps(getattr(dossiers, name), until)
        for name in ("filed", "received", "ended", "returned", "asked", "given", "asked_again", "given_again")
    }
    every_due = (current_due(dossiers, until), dossiers.first_due, dossiers.second_due, dossiers.due)
    dues = [stamps(at, int(NEVER) - 1) for at in every_due]
    ids = numbers_of(dossiers, catalogue)
    people = [applicant(token) for token in dossiers.token.tolist()]
    objects = []
    for row, token in enumerate(dossiers.token.tolist()):
        agency = catalogue.agencies[dossiers.agency[row]]
        at = {name: column[row] for name, column in times.items()}
        due = tuple(column[row] for column in dues) if at["received"] else ("", "", "", "")
        wire = _object(ids[row], status[row], at, due, catalogue.procedures[dossiers.procedure[row]], token, people[row])
        wire["KenhThucHien"] = str(dossiers.channel[row])
        wire["DonViXuLy"] = handler_name(agency.name, catalogue.procedures[dossiers.procedure[row]].domain_code, token)
        objects.append(wire)
    for row in np.flatnonzero(bad_rows(dossiers)).tolist():
        objects[row] = spoiled(objects[row], int(dossiers.token[row]) >> 5)
    return objects


def current_due(dossiers: Dossiers, until: int) -> Ints:
    """The due date shown at `until`: moved only once the applicant has completed what was asked for."""
    shown = np.where(dossiers.given <= until, dossiers.second_due, dossiers.first_due)
    return np.where(dossiers.given_again <= until, dossiers.due, shown)


def applicant(token: int) -> Person:
    """Invented name, phone, 12-digit id (no real province prefix) and e-mail of one dossier."""
    family, middle, given = FAMILY[token % 16], MIDDLE[token // 16 % 10], GIVEN[token // 160 % 28]
    name = f"{family} {middle} {given}"
    mail = plain_letters(f"{given}.{family}").lower()
    return name, f"0900{token // 97 % 1_000_000:06d}", f"099{token // 89 % 10**9:09d}", f"{mail}{token % 997}@thu.example"


def handler_name(name: str, domain: str, token: int) -> str:
    """DonViXuLy is a name, not a code: sometimes spelled otherwise, sometimes an office no catalogue knows."""
    if domain == "G13-DD01" and token % 23 == 0:
        return UNMAPPED_AGENCY
    if token % 41 == 0 and name.startswith("UBND"):
        return name.replace("UBND", "Ủy ban nhân dân", 1)
    return name.upper() if token % 211 == 0 else name


def _object(
    number: str, status: int, at: dict[str, str], due: tuple[str, ...], procedure: Procedure, token: int, person: Person,
) -> Wire:
    name, phone, identity, mail = person
    done, pays = bool(at["ended"]) and status in (9, 10), procedure.fee_vnd > 0
    return {
        "MaHoSo": number, "MaTTHC": "" if token % 307 == 0 else procedure.code, "TenTTHC": procedure.name,
        "MaLinhVuc": procedure.domain_code, "TenLinhVuc": procedure.domain_name, "SoBienNhan": "", "KenhThucHien": "",
        "ChuHoSo": name, "LoaiDoiTuong": "2" if procedure.domain_code.startswith(("G04", "G05")) else "1", "MaDoiTuong": "",
        "SoGiayToChuHoSo": identity, "DinhDanhCHS": [{"LoaiDinhDanh": "1", "SoDinhDanh": identity}],
        "Email": mail, "Fax": phone if token % 7 == 0 else "", "SoDienThoai": phone, "ThongTinKhac": "",
        "TrichYeuHoSo": f"{procedure.name} của {name}", "GhiChu": "",
        "NgayNopHoSo": at["filed"], "NgayTiepNhan": at["received"], "NgayHenTra": due[0],
        "NgayKetThucXuLy": "" if status == 3 else at["ended"], "NgayTra": at["returned"],
        "NgayTuChoi": at["ended"] if status == 3 else "", "TrangThaiHoSo": str(status), "ThongTinTra": "",
        "HinhThuc": "0", "DonViXuLy": "", "NoiNopHoSo": "1" if token % 3 == 0 else "2",
        "HoSoCoThanhPhanSoHoa": "0" if token % 5 == 0 else "1", "TaiKhoanDuocXacThucVoiVNeID": "0" if token % 4 == 0 else "1",
        "DuocThanhToanTrucTuyen": ("1", "2", "3")[token % 3] if pays else "0",
        "MucDo": str(procedure.level) if token % 3 else "",  # else the catalogue knows it
        "DSKetNoiCSDL": [{"MaCSDL": "7"}] if token % 4 else [],
        "TaiLieuNop": [{
            "TepDinhKemId": str(token % 10**9), "TenTepDinhKem": "Dinhkem", "IsDeleted": "False", "MaThanhPhanHoSo": "",
            "DuongDanTaiTepTin": "" if token % 5 == 0 else f"https://motcua.example/tp/{token % 10**8}",
            "DuocSoHoa": "0" if token % 5 == 0 else "1", "DuocTaiSuDung": "0", "DuocLayTuKhoDMQG": "1" if token % 19 == 0 else "0",
        }],
        "DanhSachLePhi": [{
            "TenPhiLePhi": "Lệ phí", "MaPhiLePhi": "1", "HinhThucThu": "1", "Gia": str(procedure.fee_vnd), "LoaiPhiLePhi": "1",
        }] if pays else [],
        "DanhSachTepDinhKemKhac": [],
        "DanhSachHoSoBoSung": _supplements(number, at, due),
        "DanhSachGiayToKetQua": [{
            "TenGiayTo": "Kết quả giải quyết", "MaThanhPhanHoSo": "", "GiayToId": str(token % 10**8), "MaGiayToKetQua": "KQ01",
            "DuongDanTepTinKetQua": f"https://motcua.example/kq/{token % 10**8}",
        }] if done and token % 12 else [],
        "DaXinLoi": ("0" if token % 10 > 6 else "1") if due[0] and at["ended"] > due[0] else "",
        "MucDoHaiLong": _pleased(token) if done else "",
    }


def _pleased(token: int) -> str:
    """1 very satisfied, 2 satisfied, 3 not; four of ten applicants say nothing."""
    draw = token // 7 % 100
    return "" if draw < 40 else "1" if draw < 78 else "2" if draw < 97 else "3"


def _supplements(number: str, at: dict[str, str], due: tuple[str, ...]) -> list[Wire]:
    """The clock-stop records. NgayBoSung and the two due dates are ISO times, as the serializer of a real system writes them."""
    made = []
    for order, (asked, given) in enumerate((("asked", "given"), ("asked_again", "given_again")), 1):
        if at[asked]:
            made.append({
                "HoSoBoSungId": int(number[-4:]) * 10 + order, "NguoiYeuCauBoSung": "Chuyên viên",
                "NoiDungBoSung": "Bổ sung giấy tờ",
                "NgayBoSung": iso(at[asked]), "NguoiTiepNhanBoSung": "", "ThongTinTiepNhan": "",
                "NgayTiepNhanBoSung": at[given], "TrangThaiBoSung": bool(at[given]), "DanhSachGiayToBoSung": [],
                "DanhSachLePhiBoSung": [], "NgayHenTraTruoc": iso(due[order]),
                "NgayHenTraMoi": iso(due[order + 1]) if at[given] else None,
            })
    return made


def iso(stamp: str) -> str | None:
    """yyyyMMddHHmmss as yyyy-MM-ddTHH:mm:ss (province time, no offset); None for ''."""
    if not stamp:
        return None
    return f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}T{stamp[8:10]}:{stamp[10:12]}:{stamp[12:14]}"


def bad_rows(dossiers: Dossiers) -> np.ndarray:
    """Which dossiers arrive broken, always the same ones."""
    return hashed(31, dossiers.token) < BAD_SHARE


def spoiled(wire: Wire, kind: int) -> Any:
    """One of eight ways real systems break a row."""
    damage: tuple[dict[str, Any], ...] = (
        {"NgayTiepNhan": "31/02/2026 25:61"}, {"MaHoSo": ""}, {"TrangThaiHoSo": "99"}, {"NgayNopHoSo": "", "NgayTiepNhan": ""},
        {"NgayHenTra": "2026-13-45"}, {"MaHoSo": None}, {"TrangThaiHoSo": "Đang xử lý?"},
    )
    number = kind % (len(damage) + 1)
    return "null" if number == len(damage) else {**wire, **damage[number]}


def progress_objects(dossiers: Dossiers, since: int, until: int, catalogue: Catalogue) -> list[Wire]:
    """CapNhatTienDoHoSoMC objects of the steps taken in (since, until], in time order."""
    rows, kinds, when = _steps(dossiers, since, until)
    chosen = dossiers.take(rows)
    ids, at = numbers_of(chosen, catalogue), stamps(when, int(NEVER))
    due = stamps(chosen.due, int(NEVER) - 1)
    return [
        _progress(ids[n], kinds[n], at[n], due[n], int(chosen.ending[n]), token, catalogue.agencies[chosen.agency[n]].name)
        for n, token in enumerate(chosen.token.tolist())
    ]


def _steps(dossiers: Dossiers, since: int, until: int) -> tuple[Ints, list[int], Ints]:
    usable = ~bad_rows(dossiers)
    shown = {"started": dossiers.token % 100 < 42, "proposed": dossiers.token % 100 < 56, "appraised": dossiers.token % 100 < 72}
    parts = []
    for kind, (name, *_rest) in enumerate(STEPS):
        at = getattr(dossiers, name)
        rows = np.flatnonzero((at > since) & (at <= until) & usable & shown.get(name, True))
        parts.append((rows, np.full(len(rows), kind), at[rows]))
    rows, kinds, when = (np.concatenate([part[k] for part in parts]) for k in range(3))
    order = np.lexsort((kinds, rows, when))
    return rows[order], kinds[order].tolist(), when[order]


def _progress(number: str, kind: int, at: str, due: str, ending: int, token: int, agency: str) -> Wire:
    column, text, status, post = STEPS[kind]
    if column == "ended":
        text, status = END_TEXT[ending], ending
    officer = token // 31 % 40 + kind
    return {
        "MaHoSo": number, "NguoiXuLy": f"{FAMILY[officer % 16]} {MIDDLE[officer % 10]} {GIVEN[officer % 28]}", "ChucDanh": post,
        "ThoiDiemXuLy": at, "PhongBanXuLy": agency, "NoiDungXuLy": text, "TrangThai": str(status), "NgayBatDau": at,
        "NgayKetThucTheoQuyDinh": due,
    }
