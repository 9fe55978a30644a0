"""What a portal object tells of a dossier beyond dates and codes: yes, no, nothing (None). Names, links and sums are not kept.

The rules are those of F766, the portal's own text on how Decision 766 is computed (indicators 3.6, 4.1-4.5).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data_sources.one_stop.wire import WireDossier
from data_sources.rejects import shown
from store.facts import level_of

_YES = {"1": True, "true": True, "0": False, "false": False, "2": True}
_DISLIKED = {"1": False, "2": False, "3": True}  # very satisfied, satisfied, not satisfied
POPULATION = "7"  # MaCSDL of the population database


def told_facts(wire: WireDossier) -> dict[str, Any]:
    """The facts of a DossierRow by field name; `level` is '' where the object has none."""
    files, results = _list(wire.TaiLieuNop), _list(wire.DanhSachGiayToKetQua)
    has_result = _has_link(results, "DuongDanTepTinKetQua")
    from_store = _any(files, "DuocLayTuKhoDMQG")
    return {
        "level": level_of(shown(wire.MucDo or "")) or "",
        "is_digitised": _either(_flag(wire.HoSoCoThanhPhanSoHoa), _any(files, "DuocSoHoa")),
        "is_paid_online": None if not (paid := wire.DuocThanhToanTrucTuyen) else paid in ("1", "2"),
        "has_fee": _has_fee(wire),
        "has_component_file": _has_link(files, "DuongDanTaiTepTin"),
        "has_e_result": has_result,
        "is_shared": _either(from_store, has_result),
        "is_identified": _is_identified(wire, from_store),
        "has_apology": _flag(wire.DaXinLoi),
        "is_disliked": _DISLIKED.get(wire.MucDoHaiLong or ""),
    }


def _list(value: Any) -> list[Mapping[str, Any]] | None:
    """The objects of a list; None when the object does not have one."""
    if isinstance(value, Mapping):
        return [value]
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else None


def _flag(value: Any) -> bool | None:
    return None if value is None or value == "" else _YES.get(shown(value).casefold())


def _either(*told: bool | None) -> bool | None:
    """Yes when one says yes, no when one says no, else not told."""
    return True if True in told else (False if False in told else None)


def _any(entries: list[Mapping[str, Any]] | None, name: str) -> bool | None:
    return _either(*(_flag(one.get(name)) for one in entries or ()))


def _has_link(entries: list[Mapping[str, Any]] | None, name: str) -> bool | None:
    """Has a paper of the list that was not deleted a link? An empty list has none."""
    if entries is None:
        return None
    return any(one.get(name) and not _flag(one.get("IsDeleted")) for one in entries)


def _has_fee(wire: WireDossier) -> bool | None:
    """Any sum above 0; where all are 0 none is due, whatever else is said; without sums what was paid (1, 2) or stayed unpaid (3)."""
    sums = [found for one in _list(wire.DanhSachLePhi) or () if (found := _number(one.get("Gia"))) is not None]
    if sums:
        return any(found > 0 for found in sums)
    return {"0": False, "1": True, "2": True, "3": True}.get(wire.DuocThanhToanTrucTuyen or "")


def _number(value: Any) -> float | None:
    try:
        return float(str(value).replace(",", ""))
    except ValueError:
        return None


def _is_identified(wire: WireDossier, from_store: bool | None) -> bool | None:
    bases = _list(wire.DSKetNoiCSDL)
    looked_up = None if bases is None else any(str(one.get("MaCSDL", "")).strip() == POPULATION for one in bases)
    return _either(_flag(wire.TaiKhoanDuocXacThucVoiVNeID), looked_up, True if from_store else None)
