"""From a source's item to the values of a row: the mapping of a feed, compiled once into closures.

A mapping row is one inline TOML table per target field; its keys are the closed list in transforms.py and act in
that order: source, missing, sentinel, extract, split, fold, lookup, codes, then one of date, number, bool, then
text_max, required.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from config import ConfigError, FeedConfig
from data_sources import transforms
from data_sources.field_classes import class_faults, holds_words, is_code, is_key, personal_values
from data_sources.instants import SECOND, instant_reader
from data_sources.mapping_check import check_pattern, checked_row, is_kind
from data_sources.redact import without
from data_sources.rejects import told
from data_sources.transforms import MAX_PATTERN, Outcome, Step

DEFAULT_ZONE = "Asia/Ho_Chi_Minh"  # of feeds whose manifest names no zone
MAX_REMEMBERED = 16_384  # converted texts per field
COLUMN, VALUE = "@column", "@value"  # the two pseudo fields of a wide-to-long mapping
_NUMERIC = frozenset({"lon", "lat", "value", "limit_days", "plan", "plan_pct", "change", "target", "scale_max"})
_WHOLE = frozenset({
    "supplement_count", "reopened_count", "returned_count", "extension_count", "cadence_s", "rank", "denominator", "position",
})
_NEEDS_TEXT = ("missing", "sentinel", "extract", "split", "fold", "lookup", "codes")
_RANGES = {"lon": (-180, 180), "lat": (-90, 90)}  # unless the row says otherwise: a telephone is no longitude
_MISSING = object()

Getter = Callable[[Mapping[str, Any]], Any]


class Problem(NamedTuple):
    """One reason why an item gives no row: target field, reason key, value as sent, redacted ("" when classed personal)."""

    field: str
    reason: str
    value: str = ""


Applied = tuple[dict[str, Any], tuple[Problem, ...]]


class _Plan(NamedTuple):
    target: str
    name: str | None  # the source field when reading it is one dict lookup
    get: Getter
    convert: Step
    required: bool
    hidden: bool
    has_words: bool
    start: tuple[int, int] | None  # (first instant, step) in microseconds


class FeedMapping:
    """A compiled mapping. Use `compile_mapping`."""

    def __init__(
        self, plans: tuple[_Plan, ...], columns: Callable[[str], bool] | None, sources: Mapping[str, bool] | None = None,
        personal: tuple[str, ...] = (),
    ) -> None:
        self.sources = dict(sources or {})  # source field -> redacted? What a reject may keep of an item
        self._personal = personal
        self._plans = plans
        self._columns = columns
        self._wide = tuple(plan for plan in plans if plan.name in (COLUMN, VALUE))
        self._long = tuple(plan for plan in plans if plan.name not in (COLUMN, VALUE))
        self._chosen: dict[str, bool] = {}
        self.targets = tuple(plan.target for plan in plans)

    def apply(self, item: Mapping[str, Any], row_number: int = 0) -> Applied:
        """The values of one row (only targets that have one: a row's own defaults hold) and its problems."""
        return self._apply(self._plans, item, row_number)

    def _apply(self, plans: tuple[_Plan, ...], item: Mapping[str, Any], row_number: int) -> Applied:
        applied = _apply(plans, item, row_number)
        if self._personal:
            _forget_persons(plans, applied[0], item, self._personal)
        return applied

    def rows(self, item: Mapping[str, Any], row_number: int = 0) -> Iterator[Applied]:
        """The same for mappings with `wide`: one result per chosen column; without it just one."""
        if self._columns is None:
            yield self._apply(self._plans, item, row_number)
            return
        shared, faults = self._apply(self._long, item, row_number)
        for column, cell in item.items():
            if self._is_chosen(column):
                values, own = _apply(self._wide, {COLUMN: column, VALUE: cell}, row_number)
                yield {**shared, **values}, faults + own

    def _is_chosen(self, column: str) -> bool:
        chosen = self._chosen.get(column)
        if chosen is None:
            chosen = self._chosen[column] = bool(self._columns and self._columns(column))
        return chosen


def _apply(plans: tuple[_Plan, ...], item: Mapping[str, Any], row_number: int) -> Applied:
    values: dict[str, Any] = {}
    problems: tuple[Problem, ...] = ()
    for target, name, get, convert, required, hidden, _, start in plans:
        if start is not None:
            values[target] = start[0] + row_number * start[1]
            continue
        raw = get(item) if name is None else item.get(name)
        if raw is None or raw == "":
            value, reason = None, None
        else:
            value, reason = convert(raw)
        if reason is not None:
            problems += (Problem(target, reason, "" if hidden else told(raw)),)
        elif value is not None:
            values[target] = value
        elif required:
            problems += (Problem(target, "missing_field", "" if hidden or raw is None else told(raw)),)
    return values, problems


def _forget_persons(plans: tuple[_Plan, ...], values: dict[str, Any], item: Mapping[str, Any], personal: tuple[str, ...]) -> None:
    """Take out of the item's words what stands in its personal fields: who complains signs with the name the source sends too."""
    wordy = [plan.target for plan in plans if plan.has_words and isinstance(values.get(plan.target), str)]
    if wordy:
        named = personal_values(item, personal)
        for target in wordy if named else ():
            values[target] = without(values[target], named)


def compile_mapping(
    fields: Mapping[str, Any],
    *,
    zone: ZoneInfo,
    known: Sequence[str],
    where: str,
    unmapped: Mapping[str, Any] | None = None,
    personal: Sequence[str] = (),
    of: str = "",
) -> FeedMapping:
    """The mapping in `fields` (target -> table), ready to apply.

    `zone` is for times without offset; `known` are the targets allowed; `unmapped` is target -> value of a code that
    is not in the code table (default {"status": "unmapped"}); sources in `personal` never show their value in a
    problem. `of` = what the rows are, for the classes of its fields (field_classes.TABLE).
    `fields["wide"] = {columns = "regex" or [names]}` makes one row per column; its rows are read with
    from = "@column" and from = "@value".
    Raises ConfigError with every fault, each naming `where` and the field.
    """
    faults: list[str] = []
    defaults = {"status": "unmapped"} if unmapped is None else unmapped
    columns = _columns(fields["wide"], f"{where}: wide", faults) if "wide" in fields else None
    personal_names = frozenset(personal)
    plans: list[_Plan | None] = []
    sources: dict[str, bool] = {}
    for target, spec in fields.items():
        if target == "wide":
            continue
        here = f"{where}: {target}"
        if target not in known:
            faults.append(f"{here}: unknown target field; known: {', '.join(sorted(known))}")
        elif checked := checked_row(spec, here, faults):
            names = _source_names(checked)
            faults += [f"{here}: {fault}" for fault in class_faults(of, target, checked.get("class", ""), names, personal)]
            has_words = holds_words(of, target)
            sources |= {name: sources.get(name, True) and not is_key(target) for name in names - personal_names}
            plans.append(_plan(target, checked, zone, defaults.get(target), bool(names & personal_names), has_words, here, faults))
    if faults:
        raise ConfigError("the mapping has faults:\n" + "\n".join(f"- {fault}" for fault in faults))
    return FeedMapping(tuple(plan for plan in plans if plan), columns, sources, tuple(personal))


def _columns(spec: Any, where: str, faults: list[str]) -> Callable[[str], bool] | None:
    chosen = spec.get("columns") if isinstance(spec, Mapping) and spec.keys() == {"columns"} else None
    if isinstance(chosen, str):
        before = len(faults)
        check_pattern(chosen, where, faults)
        pattern = re.compile(chosen) if len(faults) == before else None
        return lambda name: bool(pattern and pattern.fullmatch(name[:MAX_PATTERN]))
    if is_kind(chosen, "texts"):
        return frozenset(chosen or ()).__contains__
    faults.append(f'{where}: must be {{ columns = "regex" }} or {{ columns = ["a", "b"] }}')
    return None


def _plan(
    target: str, spec: Mapping[str, Any], zone: ZoneInfo, unmapped: Any, hidden: bool, has_words: bool, where: str,
    faults: list[str],
) -> _Plan | None:
    try:
        own_zone = ZoneInfo(spec["zone"]) if "zone" in spec else zone
    except (ZoneInfoNotFoundError, ValueError, OSError):
        faults.append(f"{where}: zone {spec['zone']!r} is no time zone; use a name like Asia/Ho_Chi_Minh")
        return None
    start = None
    if "start" in spec:
        first = instant_reader(("iso",), own_zone)(spec["start"])
        if first is None:
            faults.append(f"{where}: start {spec['start']!r} is no ISO date")
            return None
        start = (first, int(spec["step_s"] * SECOND))
    name, get = _source(spec)
    convert = _chain(_steps(target, spec, own_zone, unmapped, has_words))
    return _Plan(target, name, get, convert, bool(spec.get("required")), hidden, has_words, start)


def _source_names(spec: Mapping[str, Any]) -> set[str]:
    return {name for name in (spec.get("from"), *spec.get("first", ()), *spec.get("join", ())) if name}


def _source(spec: Mapping[str, Any]) -> tuple[str | None, Getter]:
    if "from" in spec:
        name = spec["from"]
        return (None, path_getter(name)) if "." in name else (name, lambda item: item.get(name))
    if "first" in spec:
        return None, _first_getter(tuple(path_getter(name) for name in spec["first"]))
    if "join" in spec:
        return None, _join_getter(tuple(path_getter(name) for name in spec["join"]), spec.get("sep", ""))
    const = spec.get("const")
    return None, lambda item: const


def path_getter(name: str) -> Getter:
    """A function item -> the value of the field with this very name, else at this dotted path, else None."""
    if "." not in name:
        return lambda item: item.get(name)
    parts = name.split(".")

    def get(item: Mapping[str, Any]) -> Any:
        found = item.get(name, _MISSING)
        if found is not _MISSING:
            return found
        here: Any = item
        for part in parts:
            if isinstance(here, Mapping):
                here = here.get(part)
            elif isinstance(here, list) and part.isdecimal() and int(part) < len(here):
                here = here[int(part)]
            else:
                return None
        return here

    return get


def _is_empty(raw: Any) -> bool:
    return raw is None or (isinstance(raw, str) and not raw.strip())


def _first_getter(getters: tuple[Getter, ...]) -> Getter:
    def get(item: Mapping[str, Any]) -> Any:
        for getter in getters:
            if not _is_empty(raw := getter(item)):
                return raw
        return None

    return get


def _join_getter(getters: tuple[Getter, ...], sep: str) -> Getter:
    def get(item: Mapping[str, Any]) -> Any:
        found = (getter(item) for getter in getters)
        return sep.join(transforms.as_text(raw) or "" for raw in found if not _is_empty(raw))

    return get


def _steps(target: str, spec: Mapping[str, Any], zone: ZoneInfo, unmapped: Any, has_words: bool) -> list[Step]:
    steps: list[Step] = []
    kind = _kind(target, spec)
    if kind != "number" or any(key in spec for key in _NEEDS_TEXT):
        steps.append(transforms.text_step)
    if "missing" in spec:
        steps.append(transforms.missing_step(spec["missing"]))
    if "sentinel" in spec:
        steps.append(transforms.sentinel_step(spec["sentinel"]))
    if "extract" in spec:
        steps.append(transforms.extract_step(spec["extract"]))
    if "split" in spec:
        steps.append(transforms.split_step(spec["split"], spec["part"]))
    if spec.get("fold"):
        steps.append(transforms.fold_step)
    if "lookup" in spec:
        steps.append(transforms.lookup_step(spec["lookup"], spec.get("default")))
    if "codes" in spec:
        default = spec.get("default", unmapped)
        steps.append(transforms.codes_step(spec["codes"], default, bool(spec.get("fold"))))
    steps.extend(_kind_steps(kind, target, spec, zone))
    if has_words and kind == "text":
        steps.append(transforms.redact_step)  # before it is cut: half a number is no number
    elif kind == "text" and is_code(target):
        steps.append(transforms.redact_code_step)
    if "text_max" in spec:
        steps.append(transforms.text_max_step(spec["text_max"], target.endswith("_id") or target == "code"))
    return [] if "const" in spec and kind == "text" else steps


def _kind(target: str, spec: Mapping[str, Any]) -> str:
    """What the value becomes: by date, number or bool, else by the target's name (_at, is_, has_, lon ...), else text."""
    for key in ("date", "number", "bool"):
        if key in spec:
            return key
    computes = any(key in spec for key in ("scale", "offset", "range"))
    if any(key in spec for key in ("codes", "const", "start")):
        return "number" if computes else "text"
    if target.endswith("_at") or target in ("at", "version"):
        return "date"
    if target.startswith(("is_", "has_")):
        return "bool"
    return "number" if computes or target in _NUMERIC or target in _WHOLE else "text"


def _kind_steps(kind: str, target: str, spec: Mapping[str, Any], zone: ZoneInfo) -> list[Step]:
    if kind == "date":
        return [transforms.date_step(tuple(spec.get("date", ("iso",))), zone)]
    if kind == "bool":
        return [transforms.bool_step(spec.get("bool", ()))]
    if kind == "number":
        mark, limits = spec.get("number", "."), spec.get("range", _RANGES.get(target))
        whole = target in _WHOLE
        return [transforms.number_step(mark, spec.get("scale"), spec.get("offset"), limits, whole)]
    return []


def _chain(steps: list[Step]) -> Step:
    """One converter out of many; results for texts are remembered: codes, dates, numbers repeat."""

    def convert(raw: Any) -> Outcome:
        value = raw
        for step in steps:
            value, reason = step(value)
            if value is None or reason is not None:
                return value, reason
        return value, None

    if len(steps) == 1 and steps[0] is transforms.text_step:
        return transforms.text_step
    # A plain dict, emptied when full: with values that never repeat an lru_cache costs twice what it saves.
    results: dict[str, Outcome] = {}

    def remembered(raw: Any) -> Outcome:
        if type(raw) is not str or len(raw) > 200:
            return convert(raw)
        found = results.get(raw)
        if found is None:
            if len(results) >= MAX_REMEMBERED:
                results.clear()
            found = results[raw] = convert(raw)
        return found

    return remembered


def mapping_of(
    manifest: FeedConfig,
    known: tuple[str, ...],
    *,
    part: str = "",
    skip: tuple[str, ...] = (),
    needed: tuple[str, ...] = (),
    unmapped: Mapping[str, Any] | None = None,
    of: str = "",
) -> FeedMapping:
    """The compiled mapping of a feed, remembered: parsers are called once a batch with the same manifest.

    `part` takes the table fields.<part> instead of fields; `skip` are tables in fields that are mappings of their own;
    `needed` are targets that must be mapped; `of` as in compile_mapping. Raises ConfigError with every fault.
    """
    fields = manifest.fields.get(part) if part else manifest.fields
    where = f"feed {manifest.key}" + (f": {part}" if part else "")
    if not isinstance(fields, Mapping):
        raise ConfigError(f"the mapping has faults:\n- {where}: must be a table of target = {{ from = ... }}")
    kept = {name: spec for name, spec in fields.items() if name not in skip}
    text = json.dumps([kept, unmapped], sort_keys=True, default=str)
    return _compiled(text, manifest.zone or DEFAULT_ZONE, known, where, needed, manifest.personal, of)


@lru_cache(maxsize=64)
def _compiled(
    text: str, zone: str, known: tuple[str, ...], where: str, needed: tuple[str, ...], personal: tuple[str, ...],
    of: str,
) -> FeedMapping:
    fields, unmapped = json.loads(text)
    absent = [f"- {where}: {name} is not mapped; it is needed" for name in needed if name not in fields]
    try:
        mapping = compile_mapping(
            fields, zone=ZoneInfo(zone), known=known, where=where, unmapped=unmapped, personal=personal, of=of
        )
    except ConfigError as error:
        raise ConfigError("\n".join([str(error), *absent])) from None
    if absent:
        raise ConfigError("\n".join(["the mapping has faults:", *absent]))
    return mapping
