"""The wire objects of the national public service portal (DongBoHoSoMC, CapNhatTienDoHoSoMC, DongBoTrangThaiHoSo).

Shapes only: lenient on types (numbers and true/false come as text and the other way round), fields that carry a person's
data are not declared and so never read. Meaning is judged in portal.py. Source: OpenCPS 2020 and provincial senders 2023-25.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _scalar(value: Any) -> Any:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value == int(value if value - value == 0 else 0):
        return str(int(value))
    return value


Text = Annotated[str | None, Field(default=None)]
# 1, "1", 1.0, True and "True" all occur
Code = Annotated[str | None, BeforeValidator(_scalar), Field(default=None)]


def _entries(value: Any) -> Any:
    """A list; one object alone or an empty text instead of a list is sent too."""
    if value is None or value == "" or value == {}:
        return []
    return [value] if isinstance(value, dict) else value


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True, str_strip_whitespace=True)


class WireSupplement(_Wire):
    """One request to the applicant for more papers: the clock-stop record."""

    NgayBoSung: Text
    NgayTiepNhanBoSung: Text
    NgayHenTraTruoc: Text
    NgayHenTraMoi: Text


class WireDossier(_Wire):
    """One entry of DongBoHoSoMC.data. Dates are text in either of two forms, empty when unknown."""

    MaHoSo: Text
    MaHoSoKhac: Text
    MaTTHC: Text
    TenTTHC: Text
    MaLinhVuc: Text
    TenLinhVuc: Text
    KenhThucHien: Code
    NgayNopHoSo: Text
    NgayTiepNhan: Text
    NgayHenTra: Text
    NgayKetThucXuLy: Text
    NgayTra: Text
    NgayTuChoi: Text
    TrangThaiHoSo: Code
    DonViXuLy: Text
    HoSoCoThanhPhanSoHoa: Code
    DuocThanhToanTrucTuyen: Code
    TaiKhoanDuocXacThucVoiVNeID: Code
    MucDo: Code
    # not of the national format: what a provincial system may add (docs/feeds.md)
    DaXinLoi: Code
    MucDoHaiLong: Code
    # lists that are looked into and never kept: None = not sent, which is not the same as empty
    TaiLieuNop: Any = None
    DanhSachLePhi: Any = None
    DanhSachGiayToKetQua: Any = None
    DSKetNoiCSDL: Any = None
    DanhSachHoSoBoSung: Annotated[list[WireSupplement], BeforeValidator(_entries), Field(default_factory=list)]


class WireStep(_Wire):
    """One entry of CapNhatTienDoHoSoMC.data, or DongBoTrangThaiHoSo.data with its own names."""

    MaHoSo: Text
    ThoiDiemXuLy: Text
    NgayXuLy: Text
    PhongBanXuLy: Text
    NoiDungXuLy: Text
    NoiDung: Text
    TrangThai: Code


# What of an object may be kept in a reject: named fields only, so that a field nobody knew cannot leak a person.
KEPT = frozenset({
    *WireDossier.model_fields, *WireStep.model_fields, *WireSupplement.model_fields,
    "HinhThuc", "NoiNopHoSo", "LoaiDoiTuong", "HoSoBoSungId", "TrangThaiBoSung", "MaHoSoDonVi",
    "NgayBatDau", "NgayKetThucTheoQuyDinh",
}) - {"TaiLieuNop", "DanhSachLePhi", "DanhSachGiayToKetQua", "DSKetNoiCSDL", "NoiDungXuLy", "NoiDung"}
# Of these the ids and codes, kept as sent; the others are redacted.
EXACT = frozenset({"MaHoSo", "MaHoSoKhac", "MaTTHC", "MaLinhVuc", "HoSoBoSungId", "MaHoSoDonVi"})
