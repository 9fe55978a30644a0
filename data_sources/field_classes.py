"""The class of every field a mapping can fill: who may read it, and whether words in it are redacted before they are stored.

public = everyone who may see the row; free_text = written by people about people, read by few; personal = not stored at all.
What is not in the table below is public and exact: ids, codes, times, numbers. docs/privacy.md prints this table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scope import FIELD_CLASSES

PUBLIC, FREE_TEXT, PERSONAL = FIELD_CLASSES
DEEPEST = 8  # tables within tables that are searched for personal values
LEAST_LETTERS = 6  # shorter personal values are words of the language too ("An", "Mai", "Hoa")


@dataclass(frozen=True)
class FieldClass:
    """A target field that holds words; `part` = what it is a field of."""

    part: str
    target: str
    field_class: str
    why: str


TABLE = (
    FieldClass("dossier", "agency", PUBLIC, "the handling office's name"),
    FieldClass("dossier", "procedure_name", PUBLIC, "the catalogue's words"),
    FieldClass("dossier", "domain_name", PUBLIC, "the catalogue's words"),
    FieldClass("step", "name", FREE_TEXT, "what an official wrote about the case"),
    FieldClass("step", "department", FREE_TEXT, "senders put the official's name here"),
    FieldClass("report", "description", FREE_TEXT, "what a citizen wrote"),
    FieldClass("report", "resolution", FREE_TEXT, "what the office answered"),
    FieldClass("report", "agency", PUBLIC, "the handling office's name"),
    FieldClass("report", "category", PUBLIC, "a name where the source has no code"),
    FieldClass("report", "category_name", PUBLIC, "the catalogue's words"),
    FieldClass("report", "category_group", PUBLIC, "the catalogue's words"),
    FieldClass("report", "channel", PUBLIC, "how it came in"),
    FieldClass("report", "area", PUBLIC, "the commune's name, or its code"),
    FieldClass("station", "name", PUBLIC, "may be given by a citizen who hosts the device"),
    FieldClass("station", "station_name", PUBLIC, "the same in tables"),
    FieldClass("station", "area", PUBLIC, "the commune's name, or its code"),
    FieldClass("station", "datastream_name", PUBLIC, "the device's own words"),
    FieldClass("station", "property", PUBLIC, "what is measured"),
    FieldClass("station", "measure_unit", PUBLIC, "in what"),
    FieldClass("area", "name", PUBLIC, "the place's name"),
    FieldClass("area", "full_name", PUBLIC, "the place's name"),
    FieldClass("area", "name_en", PUBLIC, "the place's name"),
    FieldClass("indicator", "name", PUBLIC, "what is counted"),
    FieldClass("indicator", "name_en", PUBLIC, "what is counted"),
    FieldClass("indicator", "agency", PUBLIC, "the office the figure is about"),
    FieldClass("indicator", "area", PUBLIC, "the place the figure is about"),
    FieldClass("indicator", "subject", PUBLIC, "whoever else the figure is about, never a person"),
    FieldClass("indicator", "value_text", PUBLIC, "the figure as the document writes it"),
    FieldClass("indicator", "measure_unit", PUBLIC, "in what"),
    FieldClass("indicator", "group", PUBLIC, "the catalogue's words"),
    FieldClass("indicator", "document", PUBLIC, "where the figure stands"),
    FieldClass("indicator", "publisher", PUBLIC, "whose figure it is"),
)
_ROWS = {(row.part, row.target): row for row in TABLE}


def class_of(part: str, target: str) -> str:
    """The class of a target field; public where the table does not name it."""
    row = _ROWS.get((part, target))
    return row.field_class if row else PUBLIC


def holds_words(part: str, target: str) -> bool:
    """Is text in this field redacted? Ids and codes are not: a digit less would be another thing."""
    return (part, target) in _ROWS


def is_key(target: str) -> bool:
    """Does the field name a thing? Then it is kept exactly wherever it is kept."""
    return target.endswith(("_id", "_code")) or target in ("code", "alias", "old", "new")


def is_code(target: str) -> bool:
    """Is it a code of a list, or a dossier's other number? What names a person in its place is redacted; an id alone never is."""
    return target.endswith("_code") or target in ("code", "alias")


def class_faults(part: str, target: str, declared: str, sources: set[str], personal: Sequence[str]) -> Iterator[str]:
    """Why a mapping row must not be as it is: what it says of its class, and whether its source is personal."""
    own = class_of(part, target)
    if declared and declared not in FIELD_CLASSES:
        yield f"class {declared!r} is none of {', '.join(FIELD_CLASSES)}"
    elif declared == PERSONAL:
        yield "a personal field is not stored: take this row out and name its source in personal = [...]"
    elif declared and declared != own:
        yield f"its class is {own}; text about people belongs in description, resolution or a step's name"
    for name in sorted(sources.intersection(personal)):
        if own != FREE_TEXT:
            yield f"{name} is named in personal = [...] and would be stored: take this row out, or the name out of personal"


def personal_values(item: Any, personal: Sequence[str]) -> tuple[str, ...]:
    """What stands in the personal fields of an item, wherever they are in its tree: names and numbers its texts may repeat."""
    found: dict[str, None] = {}
    for value in _values(item, frozenset(personal), "", 0):
        text = str(value).strip()
        if len(text) >= LEAST_LETTERS:
            found[text[:200]] = None
    return tuple(found)


def _values(value: Any, personal: frozenset[str], path: str, depth: int) -> Iterator[Any]:
    if depth > DEEPEST:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            full = f"{path}.{key}" if path else str(key)
            if key in personal or full in personal:
                yield from _leaves(inner, depth)
            else:
                yield from _values(inner, personal, full, depth + 1)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _values(inner, personal, path, depth + 1)


def _leaves(value: Any, depth: int) -> Iterator[Any]:
    if depth > DEEPEST:
        return
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for inner in value:
            yield from _leaves(inner, depth + 1)
    elif value is not None and not isinstance(value, bool):
        yield value
