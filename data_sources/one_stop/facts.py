"""What a portal object tells of a dossier beyond dates and codes: yes, no, nothing (None). Names, links and sums are not kept.

The rules are those of F766, the portal's own text on how Decision 766 is computed (indicators 3.6, 4.1-4.5).
"""

from __future__ import annotations

from typing import Any

from data_sources.one_stop.wire import WireDossier
from data_sources.rejects import shown
from store.facts import level_of

_YES = {"1": True, "true": True, "0": False, "false": False, "2": True}
_DISLIKED = {"1": False, "2": False, "3": True}  # very satisfied, satisfied, not satisfied
_FEE_BY_PAYMENT = {"0": False, "1": True, "2": True, "3": True}
POPULATION = "7"  # MaCSDL of the population database


def told_facts(wire: WireDossier) -> dict[str, Any]:
    """The facts of a DossierRow by field name; `level` is '' where the object has none."""
    files, results = _list(wire.TaiLieuNop), _list(wire.DanhSachGiayToKetQua)
    has_result = _has_link(results, "DuongDanTepTinKetQua")
    from_store = _any(files, "DuocLayTuKhoDMQG")
    paid = wire.DuocThanhToanTrucTuyen
    return {
        "level": (level_of(wire.MucDo) or "") if wire.MucDo else "",
        "is_digitised": _flag(wire.HoSoCoThanhPhanSoHoa) or _either(_flag(wire.HoSoCoThanhPhanSoHoa), _any(files, "DuocSoHoa")),
        "is_paid_online": paid in ("1", "2") if paid else None,
        "has_fee": _has_fee(_list(wire.DanhSachLePhi), paid or ""),
        "has_component_file": _has_link(files, "DuongDanTaiTepTin"),
        "has_e_result": has_result,
        "is_shared": _either(from_store, has_result),
        "is_identified": _is_identified(wire, from_store),
        "has_apology": _flag(wire.DaXinLoi),
        "is_disliked": _DISLIKED.get(wire.MucDoHaiLong or ""),
    }


def _list(value: Any) -> list[dict[str, Any]] | None:
    """The objects of a list; None when the object does not have one."""
    if isinstance(value, list):
        return [one for one in value if isinstance(one, dict)]
    return [value] if isinstance(value, dict) else None


def _flag(value: Any) -> bool | None:
    if value is None or value == "":
        return None
    text = value if isinstance(value, str) else shown(value)
    return _YES[text] if text in _YES else _YES.get(text.casefold())  # nearly always "0" or "1"


def _either(*told: bool | None) -> bool | None:
    """Yes when one says yes, no when one says no, else not told."""
    return True if True in told else (False if False in told else None)


def _any(entries: list[dict[str, Any]] | None, name: str) -> bool | None:
    """Yes when one entry says yes, no when one says no, else not told."""
    found = None
    for one in entries or ():
        if flag := _flag(one.get(name)):
            return True
        found = flag if found is None else found
    return found


def _has_link(entries: list[dict[str, Any]] | None, name: str) -> bool | None:
    """Has a paper of the list that was not deleted a link? An empty list has none."""
    if entries is None:
        return None
    return any(one.get(name) and not _flag(one.get("IsDeleted")) for one in entries)


def _has_fee(fees: list[dict[str, Any]] | None, paid: str) -> bool | None:
    """Any sum above 0; where all are 0 none is due, whatever else is said; without sums what was paid (1, 2) or stayed unpaid (3)."""
    sums = [found for one in fees or () if (found := _number(one.get("Gia"))) is not None]
    return max(sums) > 0 if sums else _FEE_BY_PAYMENT.get(paid)


def _number(value: Any) -> float | None:
    try:
        return float(str(value).replace(",", ""))
    except ValueError:
        return None


def _is_identified(wire: WireDossier, from_store: bool | None) -> bool | None:
    if _flag(wire.TaiKhoanDuocXacThucVoiVNeID) or from_store:
        return True
    bases = _list(wire.DSKetNoiCSDL)
    if bases is None:
        return _flag(wire.TaiKhoanDuocXacThucVoiVNeID)
    return any(str(one.get("MaCSDL", "")).strip() == POPULATION for one in bases)
