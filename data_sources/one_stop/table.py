"""Dossiers from CSV by mapping: one row per dossier, or an event log (options.group_by) that gives dossiers and steps.

`fields` holds the dossier's targets; `fields.steps` those of a step (at, name, department, status), read from every row.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from config import FeedConfig
from data_sources.feed import RawBatch
from data_sources.instants import DAY, to_micros
from data_sources.mapping import FeedMapping, Problem, mapping_of
from data_sources.rejects import not_a_table, rejects_of
from store.facts import FACTS, level_of
from store.rows import DossierRow, Parsed, Reject, StepRow

DOSSIER_TARGETS = tuple(field.name for field in dataclasses.fields(DossierRow) if field.name != "stops")
STEP_TARGETS = ("at", "name", "department", "status")
EVENTS = ("filed_at", "received_at", "finished_at", "handed_at", "refused_at")
CHANNELS = ("direct", "online", "postal")
_TEXT_MAX = {"source_id": 100, "procedure_code": 100, "domain_code": 100, "alias": 100}


def parse(manifest: FeedConfig, batch: RawBatch, now: datetime) -> Parsed:
    """One DossierRow (and its StepRows) per item, or rejects. A step that cannot be read is a reject of its own."""
    dossiers, steps = mappings(manifest)
    latest = to_micros(now) + DAY
    parsed = _Result([], [], [])
    for number, item in enumerate(batch.items, batch.offset):
        if isinstance(item, Mapping):
            _read_item(item, number, manifest, dossiers, steps, latest, parsed)
        else:
            parsed.rejects.append(not_a_table(item, number))
    return Parsed(
        dossiers=tuple(parsed.dossiers), steps=tuple(parsed.steps), rejects=tuple(parsed.rejects),
        item_count=len(batch.items),
    )


def mappings(manifest: FeedConfig) -> tuple[FeedMapping, FeedMapping | None]:
    """The compiled mappings of dossier and step (None without fields.steps). Raises ConfigError with every fault."""
    known = {"status": 0}
    dossiers = mapping_of(manifest, DOSSIER_TARGETS, skip=("steps",), unmapped=known, needed=("source_id",), of="dossier")
    has_steps = "steps" in manifest.fields
    steps = mapping_of(manifest, STEP_TARGETS, part="steps", unmapped=known, needed=("at",), of="step") if has_steps else None
    return dossiers, steps


@dataclasses.dataclass
class _Result:
    dossiers: list[DossierRow]
    steps: list[StepRow]
    rejects: list[Reject]


def _read_item(
    item: Mapping[str, Any], number: int, manifest: FeedConfig, dossiers: FeedMapping, steps: FeedMapping | None,
    latest: int, result: _Result,
) -> None:
    rows = item.get("rows")
    lines = rows if isinstance(rows, list) and rows else [item]
    read = [] if steps is None else [steps.apply(line, number) for line in lines]
    line = lines[_last_by_time(read)] if read else lines[-1]
    values, problems = dossiers.apply(line, number)
    problems += _checked(values, dossiers, latest, any(one.field == "source_id" for one in problems))
    name = str(values.get("source_id") or f"row {number + 1}")
    kept = {**(steps.sources if steps else {}), **dossiers.sources}
    if problems:
        result.rejects += rejects_of(problems, line, name, kept, manifest.personal)
    if problems and len(lines) == 1:
        return  # the step of a refused row comes again with the row
    if manifest.version == "event":
        events = [values[target] for target in EVENTS if target in values] + [one["at"] for one, _ in read if "at" in one]
        values["version"] = max(events, default=None)
    if not problems:
        result.dossiers.append(DossierRow(**values))
    if steps is not None and "source_id" in values:
        _add_steps(lines, read, name, kept, manifest.personal, result)


def _add_steps(
    lines: list[Any], read: list[tuple[dict[str, Any], tuple[Problem, ...]]], name: str, kept: Mapping[str, bool],
    personal: tuple[str, ...], result: _Result,
) -> None:
    for line, (values, problems) in zip(lines, read, strict=True):
        if not problems and "at" not in values:
            problems = (Problem("at", "missing_field"),)
        named = tuple(Problem(f"steps.{field}", reason, value) for field, reason, value in problems)
        if named:
            result.rejects += rejects_of(named, line, name, kept, personal)
        else:
            result.steps.append(StepRow(dossier_id=name, **{"name": "", **values}))


def _last_by_time(read: list[tuple[dict[str, Any], tuple[Problem, ...]]]) -> int:
    """Index of the row with the greatest event time, the later one of equals; the last row when none has a time."""
    timed = [(values["at"], index) for index, (values, _) in enumerate(read) if "at" in values]
    return max(timed)[1] if timed else len(read) - 1


def _checked(values: dict[str, Any], mapping: FeedMapping, latest: int, has_fault: bool) -> tuple[Problem, ...]:
    """Problems no single field can show; fills the status in when the source has no such column."""
    problems: tuple[Problem, ...] = ()
    if "source_id" not in values and not has_fault:
        problems += (Problem("source_id", "missing_field"),)
    for target, limit in _TEXT_MAX.items():
        if len(str(values.get(target, ""))) > limit:
            problems += (Problem(target, "too_long", str(values[target])[:limit]),)
    for target in ("received_at", "finished_at", "handed_at", "second_supplement_at"):
        if values.get(target, 0) > latest:
            problems += (Problem(target, "future_date", str(values[target])),)
    # a code table may make anything of a yes or no
    problems += tuple(Problem(fact, "bad_bool", str(values[fact])) for fact in FACTS if not isinstance(values.get(fact, True), bool))
    level = level_of(str(values.get("level", "")))
    if level is None:
        problems += (Problem("level", "unknown_code", str(values["level"])),)
    elif "level" in values:
        values["level"] = level
    if values.get("channel", "direct") not in CHANNELS:
        problems += (Problem("channel", "unknown_code", str(values["channel"])),)
    if "status" not in mapping.targets:
        values["status"] = 9 if "finished_at" in values else (3 if "refused_at" in values else 4)
    elif not isinstance(values.get("status", 0), int):
        code = str(values["status"])
        values["status"] = int(code) if code in _STATUS_CODES else 0
    return problems


_STATUS_CODES = frozenset(str(code) for code in range(1, 11))
