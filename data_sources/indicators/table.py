"""Indicator values from tables (CSV, Excel, pushed objects): long form, or wide form with a column per subject, part or year.

Pure. A row that says nothing of a value is refused; an empty cell of a wide table is no row. The source id is
indicator|subject|period unless the mapping gives one, so that a figure sent again replaces the former and keeps it as a version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from config import ConfigError, FeedConfig
from data_sources.csv_file import csv_client
from data_sources.feed import RawBatch
from data_sources.indicators.spans import Span, read_span, span_between
from data_sources.mapping import DEFAULT_ZONE, FeedMapping, Problem, mapping_of
from data_sources.rejects import not_a_table, rejects_of
from store.rows import IndicatorRow, Parsed, Reject

THEMES = ("economy", "governance", "environment", "mobility", "people", "living")
# target -> the values it may have beside ''
LISTED: Mapping[str, tuple[str, ...]] = {
    "theme": THEMES, "better": ("up", "down", "none"), "bound": ("over", "least", "nearly", "about"), "kind": ("index", "plan", "figure"),
}
TARGETS = (*(row.name for row in fields(IndicatorRow) if row.name not in ("start_on", "end_on")), "period_from_at", "period_to_at")
SUBJECTS = ("agency", "area", "subject")
# one of these makes a row a statement
SAID = ("value", "value_text", "plan_pct", "rank", "change")
NAMING = ("source_id", "indicator", *SUBJECTS)  # a row whose name is in doubt must not pass for another
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_table(manifest: FeedConfig, cursor: str | None, now: datetime) -> Iterator[RawBatch]:
    """The rows of CSV files, each file whole whenever it has changed: people correct figures in the middle of a file."""
    return csv_client(replace(manifest, delivery="snapshot"), cursor, now)


def parse_table(manifest: FeedConfig, batch: RawBatch, now: datetime) -> Parsed:
    """IndicatorRows of a batch, by the feed's mapping alone."""
    mapping = _mapping(manifest)
    is_wide = "wide" in manifest.fields
    zone = ZoneInfo(manifest.zone or DEFAULT_ZONE)
    rows: dict[str, IndicatorRow] = {}
    rejects: list[Reject] = []
    for number, item in enumerate(batch.items, batch.offset):
        if not isinstance(item, Mapping):
            rejects.append(not_a_table(item, number))
            continue
        told: set[Problem] = set()  # what is wrong with the whole row is told once, not per column
        for values, found in mapping.rows(item, number):
            row, problems = _row(values, found, zone)
            if row is None and not problems:
                if is_wide:
                    continue
                problems = (Problem("value", "missing_field"),)
            name = row.source_id if row else f"row {number + 1}"
            if row and not problems and rows.setdefault(name, row) != row:
                problems = (Problem("source_id", "duplicate_key", name),)
            fresh = [problem for problem in problems if problem not in told]
            told.update(fresh)
            rejects += rejects_of(fresh, item, name, mapping.sources, manifest.personal)
    return Parsed(indicators=tuple(rows.values()), rejects=tuple(rejects), item_count=len(batch.items))


def _mapping(manifest: FeedConfig) -> FeedMapping:
    mapping = mapping_of(manifest, TARGETS, needed=("indicator",), unmapped={}, of="indicator")
    faults = []
    if not {"period", "period_to_at"} & set(mapping.targets):
        faults.append("neither period nor period_to_at is mapped; one is needed")
    if not set(SAID) & set(mapping.targets):
        faults.append(f"none of {', '.join(SAID)} is mapped; one is needed")
    for target, known in LISTED.items():
        spec = manifest.fields.get(target, {})
        given = [*spec.get("codes", {}).values(), *spec.get("lookup", {}).values(), spec.get("const", ""), spec.get("default", "")]
        faults += [f"{target}: {one!r} is none of {', '.join(known)}" for one in given if one not in ("", *known)]
    if faults:
        raise ConfigError("the mapping has faults:\n" + "\n".join(f"- feed {manifest.key}: {fault}" for fault in faults))
    return mapping


def _row(values: dict[str, Any], found: tuple[Problem, ...], zone: ZoneInfo) -> tuple[IndicatorRow | None, tuple[Problem, ...]]:
    """The row and what is wrong with it; (None, ()) when nothing is said. A row that can be named is given even with problems."""
    problems = list(found)
    span = _span(values, zone)
    if span is None and not any(problem.field.startswith("period") for problem in problems):
        text = str(values.get("period", ""))
        problems.append(Problem("period", "bad_date" if text else "missing_field", text))
    if "indicator" not in values and not any(problem.field == "indicator" for problem in problems):
        problems.append(Problem("indicator", "missing_field"))
    problems += [
        Problem(target, "unknown_code", str(values[target])) for target, known in LISTED.items()
        if values.get(target, "") not in ("", *known)
    ]
    rank, of = values.get("rank"), values.get("denominator")
    if rank is not None and (rank < 1 or (of is not None and rank > of)):
        problems.append(Problem("rank", "out_of_range", f"{rank}/{of}"))
    is_silent = not any(values.get(target) not in (None, "") for target in SAID)
    if is_silent and not problems:
        return None, ()
    if span is None or any(problem.field in NAMING for problem in problems):
        return None, tuple(problems)
    kept = {name: value for name, value in values.items() if not name.startswith("period") and value is not None}
    kept.setdefault("source_id", "|".join((values["indicator"], _subject(values), span.text)))
    kept.setdefault("kind", _kind(values))
    return IndicatorRow(**kept, period=span.text, start_on=span.start_on, end_on=span.end_on), tuple(problems)


def _subject(values: Mapping[str, Any]) -> str:
    return next((str(values[name]) for name in SUBJECTS if values.get(name)), "")


def _kind(values: Mapping[str, Any]) -> str:
    """What the row shows of its indicator's kind: a rank makes it an index, a plan a plan."""
    if "rank" in values:
        return "index"
    return "plan" if "plan" in values or "plan_pct" in values else ""


def _span(values: Mapping[str, Any], zone: ZoneInfo) -> Span | None:
    if values.get("period"):
        return read_span(str(values["period"]))
    last = values.get("period_to_at")
    if last is None:
        return None
    first = values.get("period_from_at")
    start_on, end_on = None if first is None else _day(first, zone), _day(last, zone)
    return span_between(start_on, end_on) if start_on is None or start_on <= end_on else None


def _day(at: int, zone: ZoneInfo) -> int:
    return ((_EPOCH + timedelta(microseconds=at)).astimezone(zone).date() - _EPOCH.date()).days
