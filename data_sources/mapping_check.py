"""What can be wrong with one row of a mapping: unknown transforms, wrong types, transforms that do not go together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from data_sources.instants import format_fault
from data_sources.transforms import MAX_PATTERN, TRANSFORMS

_KINDS = {transform.key: transform.kind for transform in TRANSFORMS}
SOURCES = ("from", "first", "join", "const", "start")


def checked_row(spec: Any, where: str, faults: list[str]) -> Mapping[str, Any] | None:
    """The row itself when it is sound, else None with every fault noted."""
    if not isinstance(spec, Mapping):
        faults.append(f'{where}: must be a table like {{ from = "name" }}')
        return None
    before = len(faults)
    for key, value in spec.items():
        if key not in _KINDS:
            faults.append(f"{where}: unknown transform {key!r}; known: {', '.join(_KINDS)}")
        elif not is_kind(value, _KINDS[key]):
            faults.append(f"{where}: {key} = {value!r} must be a {_KIND_WORDS[_KINDS[key]]}")
    given = [key for key in SOURCES if key in spec]
    if len(given) != 1:
        has = ", ".join(given) or "none"
        faults.append(f"{where}: needs exactly one source of {', '.join(SOURCES)}; has {has}")
    if len(faults) == before:
        _check_together(spec, where, faults)
    return spec if len(faults) == before else None


_KIND_WORDS = {
    "text": "text", "texts": "list of texts", "table": "table", "flag": "true or false",
    "whole": "whole number", "number": "number", "pair": "list of two numbers [min, max]", "any": "text, number or true/false",
}


def is_kind(value: Any, kind: str) -> bool:
    """Is a TOML value of this kind (see Transform.kind)?"""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "texts":
        return isinstance(value, list) and bool(value) and all(isinstance(entry, str) for entry in value)
    if kind == "pair":
        return isinstance(value, list) and len(value) == 2 and all(is_kind(one, "number") for one in value)
    return {
        "text": isinstance(value, str), "table": isinstance(value, Mapping), "flag": isinstance(value, bool),
        "whole": is_number and isinstance(value, int), "number": is_number,
        "any": isinstance(value, (str, bool, int, float)),
    }[kind]


# key -> the keys one of which it needs beside it
_NEEDS = {
    "sep": ("join",), "step_s": ("start",), "start": ("step_s",), "split": ("part",), "part": ("split",),
    "default": ("codes", "lookup"),
}


def _check_together(spec: Mapping[str, Any], where: str, faults: list[str]) -> None:
    for key, needed in _NEEDS.items():
        if key in spec and not any(other in spec for other in needed):
            faults.append(f"{where}: {key} needs {' or '.join(needed)}")
    if len([key for key in ("date", "number", "bool") if key in spec]) > 1:
        faults.append(f"{where}: only one of date, number, bool")
    if "codes" in spec and "lookup" in spec:
        faults.append(f"{where}: only one of codes, lookup")
    if spec.get("number", ".") not in (".", ","):
        faults.append(f'{where}: number = {spec["number"]!r} must be the decimal mark "." or ","')
    if spec.get("split") == "":
        faults.append(f"{where}: split must not be empty")
    if "range" in spec and spec["range"][0] > spec["range"][1]:
        faults.append(f"{where}: range: min is greater than max")
    faults.extend(f"{where}: date: {fault}" for name in spec.get("date", ()) if (fault := format_fault(name)))
    if "extract" in spec:
        check_pattern(spec["extract"], f"{where}: extract", faults)


def check_pattern(pattern: str, where: str, faults: list[str]) -> None:
    """Notes why `pattern` may not be used: too long (the only guard against slow ones) or no regular expression."""
    if len(pattern) > MAX_PATTERN:
        faults.append(f"{where}: the pattern has more than {MAX_PATTERN} letters")
        return
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        faults.append(f"{where}: no regular expression: {error}")
