"""Dossiers and steps pushed in the national portal's wire format: envelope, pure parsers, answers. No HTTP here.

A date that cannot be read refuses the dossier: it must never quietly become "no due date". No person's data is kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from config import FeedConfig
from data_sources.feed import FeedError, RawBatch
from data_sources.instants import DAY, instant_reader, to_micros
from data_sources.one_stop.facts import told_facts
from data_sources.one_stop.wire import EXACT, KEPT, WireDossier, WireStep, WireSupplement
from data_sources.redact import redact, redact_code, without
from data_sources.rejects import kept_key, not_a_table, shown, told
from store.rows import DossierRow, Parsed, Reject, StepRow, Stop

DOSSIERS, PROGRESS, STATUS = "DongBoHoSoMC", "CapNhatTienDoHoSoMC", "DongBoTrangThaiHoSo"
SERVICES = (DOSSIERS, PROGRESS, STATUS)
ZONE = "Asia/Ho_Chi_Minh"  # of the wire's naive dates, unless the feed names another
MAX_ID, MAX_CODE, MAX_NAME = 100, 100, 500
STOPPED = frozenset({5, 6, 8})
DONE = frozenset({9, 10})
WITHDRAWN = 7
CHANNELS = {None: "direct", "": "direct", "0": "direct", "1": "direct", "2": "online", "3": "postal"}
# 11 is what one provincial system sends for 3, "not accepted"
STATUSES = {**{str(code): code for code in range(1, 11)}, **{f"0{code}": code for code in range(1, 10)}, "11": 3}
_PLACEHOLDER = re.compile(r"0*[01]?")


@dataclass(frozen=True)
class Envelope:
    """What wraps a push: service, create or update, sending unit, session, the objects."""

    service: str
    is_updating: bool
    madonvi: str
    session: str
    items: tuple[Any, ...]


def read_envelope(body: bytes | str | Mapping[str, Any] | Sequence[Any], *, service: str = "", madonvi: str = "") -> Envelope:
    """The envelope of a push; a bare array (the provincial gateway's form) takes service and unit from its URL.

    Raises FeedError naming what is wrong and what to send.
    """
    found: Any = body
    if isinstance(body, (bytes, str)):
        found = _json(body, "the body")
    if isinstance(found, list):
        return Envelope(_service(service or DOSSIERS), False, madonvi, "", tuple(found))
    if not isinstance(found, Mapping):
        raise FeedError("portal: the body is neither an object nor an array; send {session, madonvi, service, data}")
    data = found.get("data")
    if isinstance(data, str):
        data = _json(data, "data")
    if isinstance(data, Mapping):
        data = [data]
    if not isinstance(data, list):
        raise FeedError("portal: data is missing; send an array of objects in data")
    is_updating = shown(found.get("isUpdating", "")).strip().casefold() in ("true", "1")
    named = shown(found.get("service") or service or DOSSIERS)
    unit, session = (shown(found.get(key) or "") for key in ("madonvi", "session"))
    return Envelope(_service(named), is_updating, unit or madonvi, session, tuple(data))


def _json(text: bytes | str, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise FeedError(f"portal: {what} is no valid JSON: {shown(fault)}; send UTF-8 JSON") from fault


def _service(name: str) -> str:
    for service in SERVICES:
        if service.casefold() == name.casefold():
            return service
    raise FeedError(f"portal: unknown service {name!r}; one of {', '.join(SERVICES)}")


def answer(error_code: str | int = "0", message: str = "") -> dict[str, str]:
    """The portal's answer; senders take 0, "0" and "00" as success."""
    return {"error_code": str(error_code), "message": message}


def parse(manifest: FeedConfig, batch: RawBatch, now: datetime) -> Parsed:
    """Rows and rejects of one push; `batch.kind` is the service."""
    return parse_progress(manifest, batch, now) if batch.kind in (PROGRESS, STATUS) else parse_dossiers(manifest, batch, now)


def parse_dossiers(manifest: FeedConfig, batch: RawBatch, now: datetime) -> Parsed:
    """One DossierRow per object of DongBoHoSoMC, or its rejects."""
    read = _date_reader(manifest.zone or ZONE)
    latest = to_micros(now) + DAY
    by_event = manifest.version == "event"
    rows: list[DossierRow] = []
    rejects: list[Reject] = []
    for number, item in enumerate(batch.items, batch.offset):
        if not isinstance(item, Mapping):
            rejects.append(not_a_table(item, number))
            continue
        faults: list[_Fault] = []
        row = _dossier(item, read, latest, by_event, faults)
        if row is not None and not faults:
            rows.append(row)
        else:
            rejects += _rejects(item, number, faults, manifest)
    return Parsed(dossiers=tuple(rows), rejects=tuple(rejects), item_count=len(batch.items))


def parse_progress(manifest: FeedConfig, batch: RawBatch, now: datetime) -> Parsed:
    """One StepRow per object of CapNhatTienDoHoSoMC or DongBoTrangThaiHoSo, or its rejects.

    A status message carries nothing else of its dossier, so it becomes a step and not a row full of blanks.
    """
    read = _date_reader(manifest.zone or ZONE)
    latest = to_micros(now) + DAY
    rows: list[StepRow] = []
    rejects: list[Reject] = []
    for number, item in enumerate(batch.items, batch.offset):
        if not isinstance(item, Mapping):
            rejects.append(not_a_table(item, number))
            continue
        faults: list[_Fault] = []
        row = _step(item, read, latest, faults)
        if row is not None and not faults:
            rows.append(row)
        else:
            rejects += _rejects(item, number, faults, manifest)
    return Parsed(steps=tuple(rows), rejects=tuple(rejects), item_count=len(batch.items))


class _Fault(NamedTuple):
    field: str
    reason: str
    value: str = ""


DateReader = Callable[[str | None], int | None]


class _BadDate(ValueError):
    pass


@lru_cache(maxsize=8)
def _date_reader(zone: str) -> DateReader:
    read = instant_reader(("yyyyMMddHHmmss", "iso", "yyyyMMdd"), ZoneInfo(zone))

    @lru_cache(maxsize=65_536)
    def instant(text: str | None) -> int | None:
        if not text or text.startswith("0001-01-01"):  # a serializer's empty date
            return None
        found = read(text)
        if found is None:
            raise _BadDate
        return found

    return instant


def _dates(wire: Any, names: Sequence[str], read: DateReader, faults: list[_Fault], prefix: str = "") -> list[int | None]:
    found: list[int | None] = []
    for name in names:
        text = getattr(wire, name)
        try:
            found.append(read(text))
        except _BadDate:
            found.append(None)
            faults.append(_Fault(prefix + name, "bad_date", told(text)))
    return found


_DATES = ("NgayNopHoSo", "NgayTiepNhan", "NgayHenTra", "NgayKetThucXuLy", "NgayTra", "NgayTuChoi")


def _dossier(
    item: Mapping[str, Any], read: DateReader, latest: int, by_event: bool, faults: list[_Fault]
) -> DossierRow | None:
    try:
        wire = WireDossier.model_validate(item)
    except ValidationError as error:
        faults += _shape_faults(error)
        return None
    _check_texts(wire, faults)
    times = _Times(*_dates(wire, _DATES, read, faults))
    requests = _requests(wire.DanhSachHoSoBoSung, read, faults)
    for name, instant in (("NgayTiepNhan", times.accepted), ("NgayKetThucXuLy", times.ended), ("NgayTra", times.handed)):
        if instant is not None and instant > latest:
            faults.append(_Fault(name, "future_date", told(getattr(wire, name))))
    return None if faults else _dossier_row(wire, times, requests, by_event)


class _Times(NamedTuple):
    """The dossier's own dates as instants, in the order of _DATES."""

    filed: int | None
    accepted: int | None
    due: int | None
    ended: int | None
    handed: int | None
    refused: int | None


def _dossier_row(wire: WireDossier, times: _Times, requests: Sequence[_Request], by_event: bool) -> DossierRow:
    status = STATUSES.get(wire.TrangThaiHoSo or "", 0)
    is_over = times.ended is None and (status in DONE or status == WITHDRAWN)
    finished = times.handed if is_over else times.ended
    events = [at for at in times._replace(due=None) if at is not None]
    events += [at for request in requests for at in request[:2] if at is not None]
    return DossierRow(
        source_id=wire.MaHoSo or "",
        agency=redact(wire.DonViXuLy or "")[:MAX_NAME],
        procedure_code=redact_code(wire.MaTTHC or ""),
        procedure_name=redact(wire.TenTTHC or "")[:MAX_NAME],
        domain_code=redact_code(wire.MaLinhVuc or ""),
        domain_name=redact(wire.TenLinhVuc or "")[:MAX_NAME],
        channel=CHANNELS[wire.KenhThucHien],
        status=status,
        filed_at=times.filed,
        received_at=times.filed if times.accepted is None else times.accepted,
        due_at=_effective_due(times.due, requests),
        finished_at=finished,
        handed_at=times.handed,
        refused_at=times.refused,
        supplement_count=len(requests),
        second_supplement_at=_second(requests),
        **told_facts(wire),
        alias=redact_code(wire.MaHoSoKhac or ""),
        version=max(events, default=None) if by_event else None,
        stops=_stops(requests, status, finished, events),
    )


def _shape_faults(error: ValidationError) -> list[_Fault]:
    """One fault per field that is no text, number or list where one is due."""
    seen = {".".join(str(part) for part in one["loc"] if not isinstance(part, int)) for one in error.errors()}
    return [_Fault(field, "bad_text") for field in sorted(seen)]


def _check_texts(wire: WireDossier, faults: list[_Fault]) -> None:
    _check_id(wire.MaHoSo, faults)
    if wire.KenhThucHien not in CHANNELS:
        faults.append(_Fault("KenhThucHien", "unknown_code", told(wire.KenhThucHien)))
    for name in ("MaTTHC", "TenTTHC", "MaLinhVuc", "TenLinhVuc", "DonViXuLy", "MaHoSoKhac"):
        text = getattr(wire, name)
        if text and "\0" in text:
            faults.append(_Fault(name, "bad_text"))
        elif text and len(text) > MAX_CODE and name.startswith("Ma"):
            faults.append(_Fault(name, "too_long", told(text)[:MAX_CODE]))


def _check_id(text: str | None, faults: list[_Fault]) -> None:
    if not text:
        faults.append(_Fault("MaHoSo", "missing_field"))
    elif len(text) > MAX_ID:
        faults.append(_Fault("MaHoSo", "too_long", told(text)[:MAX_ID]))
    elif "\0" in text:
        faults.append(_Fault("MaHoSo", "bad_text"))
    elif _PLACEHOLDER.fullmatch(text):
        faults.append(_Fault("MaHoSo", "placeholder_id", text))


class _Request(NamedTuple):
    """One request for more papers, as instants."""

    stopped: int | None
    resumed: int | None
    due_before: int | None
    due_after: int | None


_REQUEST_DATES = ("NgayBoSung", "NgayTiepNhanBoSung", "NgayHenTraTruoc", "NgayHenTraMoi")


def _requests(records: Sequence[WireSupplement], read: DateReader, faults: list[_Fault]) -> list[_Request]:
    found = [_Request(*_dates(one, _REQUEST_DATES, read, faults, "DanhSachHoSoBoSung.")) for one in records]
    return sorted((one for one in found if one != (None,) * 4), key=lambda one: one.stopped or 0)


def _second(requests: Sequence[_Request]) -> int | None:
    """When it was asked for the second time, at the latest: a request without a date may be any of them."""
    told = [one.stopped for one in requests if one.stopped is not None]
    return told[1] if len(told) > 1 else None


def _effective_due(due: int | None, requests: Sequence[_Request]) -> int | None:
    """The due instant after all requests, in their order: the new one when given, else put off by the time waited.

    The second is F766 2.1, "minus supplement time (completed - requested)": taking the wait off the handling time and
    adding it to the due instant judge alike. Where NgayHenTra no longer is the first request's NgayHenTraTruoc, the
    sender has already put it off.
    """
    already = bool(requests) and requests[0].due_before not in (None, due)
    for stopped, resumed, _, after in requests:
        if after is not None:
            due = after
        elif due is not None and stopped is not None and resumed is not None and not already:
            due += max(resumed - stopped, 0)
    return due


def _stops(
    requests: Sequence[_Request], status: int, finished: int | None, events: Sequence[int]
) -> tuple[Stop, ...]:
    """Stretches in which the clock stood, none overlapping; an open one ends with the dossier."""
    stops: list[Stop] = []
    for stopped, resumed, _, _ in requests:
        if stopped is None:
            continue
        end = finished if resumed is None else resumed
        end = None if end is None else max(end, stopped)
        if stops and (stops[-1].resumed_at is None or stopped <= stops[-1].resumed_at):
            last = stops.pop()
            is_open = last.resumed_at is None or end is None
            end = None if is_open or last.resumed_at is None or end is None else max(end, last.resumed_at)
            stopped = last.stopped_at
        stops.append(Stop(stopped, end))
    last_end = stops[-1].resumed_at if stops else 0
    if status in STOPPED and finished is None and events and last_end is not None:
        start = max(events)
        stops.append(Stop(stops.pop().stopped_at if stops and last_end >= start else start, None))
    return tuple(stops)


def _step(item: Mapping[str, Any], read: DateReader, latest: int, faults: list[_Fault]) -> StepRow | None:
    try:
        wire = WireStep.model_validate(item)
    except ValidationError as error:
        faults += _shape_faults(error)
        return None
    _check_id(wire.MaHoSo, faults)
    field = "ThoiDiemXuLy" if wire.ThoiDiemXuLy else "NgayXuLy"
    (at,) = _dates(wire, (field,), read, faults)
    if at is None and not any(fault.field == field for fault in faults):
        faults.append(_Fault("ThoiDiemXuLy", "missing_field"))
    if at is not None and at > latest:
        faults.append(_Fault(field, "future_date", told(getattr(wire, field))))
    if faults or at is None:
        return None
    return StepRow(
        dossier_id=wire.MaHoSo or "",
        at=at,
        name=_without_person(wire.NoiDungXuLy or wire.NoiDung or "", item),
        department=_without_person(wire.PhongBanXuLy or "", item),
        status=STATUSES.get(wire.TrangThai or "", 0),
    )


_PERSONS = ("NguoiXuLy", "ChuHoSo", "MaDoiTuong", "SoGiayToChuHoSo", "SoDienThoai", "Email", "Fax")


def _without_person(text: str, item: Mapping[str, Any]) -> str:
    """The office's words without what the object says of handler and applicant, redacted."""
    return shown(redact(without(text, _persons(item))))


def _persons(item: Mapping[str, Any]) -> tuple[str, ...]:
    named = (item.get(key) for key in _PERSONS)
    return tuple(name for name in named if isinstance(name, str) and len(name.strip()) > 1)


def _rejects(item: Mapping[str, Any], number: int, faults: Sequence[_Fault], manifest: FeedConfig) -> list[Reject]:
    named = item.get("MaHoSo")
    name = shown(named)[:MAX_ID] if isinstance(named, (str, int)) and str(named).strip() else f"row {number + 1}"
    payload = _payload(item, frozenset(manifest.personal), item)
    return [Reject(name, field, reason, without(value, _persons(item)), payload) for field, reason, value in faults]


def _payload(item: Mapping[str, Any], personal: frozenset[str], whole: Mapping[str, Any]) -> dict[str, Any]:
    """The named, impersonal fields of the object: what a new sending starts from."""
    kept: dict[str, Any] = {}
    for key, value in item.items():
        if key not in KEPT or key in personal:
            continue
        if key == "DanhSachHoSoBoSung" and isinstance(value, list):
            kept[key] = [_payload(one, personal, whole) for one in value[:20] if isinstance(one, Mapping)]
        elif value is None or isinstance(value, (str, int, float)):
            kept[key] = None if value is None else kept_key(str(value)) if key in EXACT else without(told(value), _persons(whole))
    return kept
