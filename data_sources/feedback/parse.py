"""One batch of citizen reports -> rows, rejects: Open311 by a default mapping, CSV rows by their own.

Pure. Names, addresses, phones and pictures of reporters are never part of a row; free text is redacted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from config import ConfigError, FeedConfig
from data_sources.feed import RawBatch
from data_sources.feedback.quality import settle_quality
from data_sources.instants import instant_reader, to_micros
from data_sources.mapping import DEFAULT_ZONE, FeedMapping, Problem, compile_mapping
from data_sources.rejects import not_a_table, rejects_of
from store.rows import REPORT_STATUSES, Parsed, Reject, ReportRow

# GeoReport v2 -> report (domain.md 4.3); the feed's own fields replace these one by one.
OPEN311_FIELDS: dict[str, Any] = {
    "source_id": {"first": ["service_request_id", "token"], "required": True, "text_max": 200},
    "category": {"first": ["service_code", "service_name"], "text_max": 200},
    "category_name": {"from": "service_name", "text_max": 300},
    "category_group": {"from": "group", "text_max": 200},
    "agency": {"from": "agency_responsible", "text_max": 300},
    "status": {"from": "status", "fold": True, "codes": {"open": "in_progress", "closed": "closed"}},
    "channel": {"from": "extended_attributes.channel", "text_max": 100},
    "received_at": {"from": "requested_datetime"},
    "updated_at": {"from": "updated_datetime"},
    "due_at": {"from": "expected_datetime"},
    "version": {"from": "updated_datetime"},
    "lon": {"from": "long", "range": [-180, 180]},
    "lat": {"from": "lat", "range": [-90, 90]},
    "description": {"from": "description"},
    "resolution": {"from": "status_notes"},
    "is_duplicate": {"from": "extended_attributes.duplicate"},
}
# What GeoReport v2 may send about the reporter or the exact place: never kept, not even in a reject.
OPEN311_PERSONAL = (
    "first_name", "last_name", "email", "phone", "device_id", "account_id", "address", "address_string",
    "address_id", "media_url",
)
_NOTE_FIELDS = ("type", "datetime")  # what is read of GeoReport's notes
# status_detail refines status where both are open or both closed, e.g. closed + "Duplicate" -> refused.
TARGETS = (*(field.name for field in fields(ReportRow)), "status_detail")
FUTURE = timedelta(days=1)  # a clock may be wrong, a zone forgotten; a report of next week does not exist


def parse_open311(manifest: FeedConfig, batch: RawBatch, now: datetime) -> Parsed:
    """Rows of service requests as GeoReport v2 sends them; `notes` tells when one was opened and closed.

    A closed request without closing time was closed at its last `closed` note, else at updated_datetime.
    """
    personal = (*OPEN311_PERSONAL, *manifest.personal)
    mapping = _compiled(manifest, {**OPEN311_FIELDS, **manifest.fields}, personal)
    return _parsed(_Context(manifest, mapping, personal, now), batch)


def parse_table(manifest: FeedConfig, batch: RawBatch, now: datetime) -> Parsed:
    """Rows of a CSV file by the feed's mapping alone."""
    mapping = _compiled(manifest, manifest.fields, manifest.personal)
    return _parsed(_Context(manifest, mapping, manifest.personal, now), batch)


class _Context:
    """What every item of a batch is read with."""

    def __init__(self, manifest: FeedConfig, mapping: FeedMapping, personal: Sequence[str], now: datetime):
        self.mapping, self.personal = mapping, tuple(personal)
        self.kept = {**mapping.sources, **dict.fromkeys((f"notes.{name}" for name in _NOTE_FIELDS), True)}
        self.latest = to_micros(now + FUTURE)
        self.instant = instant_reader(("iso",), _zone(manifest))


def _zone(manifest: FeedConfig) -> ZoneInfo:
    return ZoneInfo(manifest.zone or DEFAULT_ZONE)


def _compiled(manifest: FeedConfig, table: Mapping[str, Any], personal: Sequence[str]) -> FeedMapping:
    where = f"feed {manifest.key}"
    unmapped = {"status": "unmapped", "status_detail": ""}
    mapping = compile_mapping(
        table, zone=_zone(manifest), known=TARGETS, where=where, unmapped=unmapped, personal=tuple(personal), of="report"
    )
    missing = [name for name in ("source_id", "received_at") if name not in mapping.targets]
    faults = [f"{where}: fields.{name} is missing" for name in missing]
    for target in ("status", "status_detail"):
        spec = table.get(target, {})
        wanted = [*spec.get("codes", {}).values(), *filter(None, [spec.get("default"), spec.get("const")])]
        faults += [
            f"{where}: fields.{target}: {value!r} is no status; one of {', '.join(REPORT_STATUSES)}"
            for value in wanted if value not in REPORT_STATUSES
        ]
    if faults:
        raise ConfigError("the mapping has faults:\n" + "\n".join(f"- {fault}" for fault in faults))
    return mapping


def _parsed(context: _Context, batch: RawBatch) -> Parsed:
    rows: list[ReportRow] = []
    rejects: list[Reject] = []
    for number, item in enumerate(batch.items, batch.offset):
        if not isinstance(item, Mapping):
            rejects.append(not_a_table(item, number))
            continue
        values, problems = context.mapping.apply(item, number)
        name = str(values.get("source_id") or f"row {number + 1}")
        problems = problems or _settled(context, item, values)
        if problems:
            rejects += rejects_of(problems, item, name, context.kept, context.personal)
        else:
            rows.append(ReportRow(**values))
    return Parsed(reports=tuple(rows), rejects=tuple(rejects), item_count=len(batch.items))


def _settled(context: _Context, item: Mapping[str, Any], values: dict[str, Any]) -> tuple[Problem, ...]:
    """Completes `values` in place with what follows from several fields; why the item gives no row, if it gives none."""
    if values.get("is_deleted") and "source_id" in values:
        values.pop("status_detail", None)
        return ()  # a tombstone needs no dates
    notes = _notes(item)
    received = values.get("received_at")
    if received is None:
        received = values["received_at"] = _noted(context, notes, "opened", first=True)
    if received is None:
        return (Problem("received_at", "missing_field"),)
    if received > context.latest:
        return (Problem("received_at", "future_date", str(received)),)
    if "source_id" not in values:
        return (Problem("source_id", "missing_field"),)
    _settle_status(values)
    if values["status"] != "unmapped" and not REPORT_STATUSES[values["status"]] and "closed_at" not in values:
        closed = _noted(context, notes, "closed", first=False)
        values["closed_at"] = closed if closed is not None else values.get("updated_at")
    _settle_place(values)
    return settle_quality(values, context.mapping.targets)


def _settle_status(values: dict[str, Any]) -> None:
    status, detail = values.get("status"), values.pop("status_detail", None)
    if status not in REPORT_STATUSES:
        status = "unmapped"
    agrees = detail in REPORT_STATUSES and REPORT_STATUSES[detail] == REPORT_STATUSES[status]
    values["status"] = detail if agrees else status


def _settle_place(values: dict[str, Any]) -> None:
    """Half a point, or 0/0, is no point."""
    if values.get("lon") is None or values.get("lat") is None or values["lon"] == values["lat"] == 0:
        values.pop("lon", None)
        values.pop("lat", None)


def _notes(item: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    notes = item.get("notes")
    return [note for note in notes if isinstance(note, Mapping)] if isinstance(notes, list) else []


def _noted(context: _Context, notes: Sequence[Mapping[str, Any]], kind: str, *, first: bool) -> int | None:
    """The first or last instant among the notes of one type, None when there is none that can be read."""
    sent = (note.get("datetime") for note in notes if note.get("type") == kind)
    texts = (text.strip() for text in sent if isinstance(text, str))
    found = [at for text in texts if (at := context.instant(text)) is not None]
    return (min(found) if first else max(found)) if found else None
