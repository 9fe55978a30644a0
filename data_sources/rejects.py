"""How an item that gives no row is kept: its name, the reason, and of its fields those a mapping reads, words redacted.

What no mapping reads is not kept: nobody has said what is in it, and a field nobody knew is where persons hide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data_sources.field_classes import personal_values
from data_sources.redact import redact, redact_code, without
from store.rows import Reject

MAX_TEXT = 500  # letters kept of a value
MAX_LIST = 50  # entries kept of a list
MAX_DEPTH = 6


@dataclass(frozen=True)
class BadRow:
    """What a file client yields in place of a row it could not take apart; `row` counts data rows from 1."""

    file: str
    row: int
    value: str
    reason: str = "bad_row"


def shown(raw: Any) -> str:
    """The value as it may stand in a reject: text without NUL and broken letters, cut."""
    try:
        text = str(raw)[:MAX_TEXT]
    except (ValueError, RecursionError):
        return "..."
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def told(raw: Any) -> str:
    """The value as a reject may tell it: redacted; of a list or a table only that it is one."""
    if isinstance(raw, Mapping):
        return "{...}"
    if isinstance(raw, (list, tuple)):
        return "[...]"
    return shown(redact(raw) if isinstance(raw, str) else redact(shown(raw)))  # redacted before it is cut: half a number shows


def kept_of(item: Any, sources: Mapping[str, bool]) -> dict[str, Any]:
    """The fields of an item that may be kept: those named in `sources` (dotted paths too), redacted unless False, long texts cut.

    A list on the way to a field is looked through; a table where a value belongs is kept as "...".
    """
    wanted = {_plain_path(name): is_redacted for name, is_redacted in sources.items()}
    kept = _kept(item, wanted, "", 0) if isinstance(item, Mapping) else {}
    return kept if isinstance(kept, dict) else {}


def _plain_path(name: str) -> str:
    """A mapping's path without the numbers of list entries."""
    return ".".join(part for part in name.split(".") if not part.isdecimal()) or name


def _kept(value: Any, wanted: Mapping[str, bool], path: str, depth: int) -> Any:
    """The wanted part of a table or list; None when there is none."""
    if depth >= MAX_DEPTH:
        return None
    if isinstance(value, (list, tuple)):
        found = [part for one in value[:MAX_LIST] if (part := _kept(one, wanted, path, depth + 1)) is not None]
        return found or None
    if not isinstance(value, Mapping):
        return None
    kept: dict[str, Any] = {}
    for key, inner in value.items():
        name = shown(key)
        full = f"{path}.{name}" if path else name
        if full in wanted:
            kept[name] = _leaf(inner, wanted[full])
        elif any(other.startswith(full + ".") for other in wanted) and (part := _kept(inner, wanted, full, depth + 1)) is not None:
            kept[name] = part
    return kept if kept or not path else None


def kept_key(value: str) -> str:
    """An id or code as it is; "..." where it is a person's number: a mark in its place would name another thing."""
    text = shown(value)
    return text if redact_code(text) == text else "..."


def _leaf(value: Any, is_redacted: bool) -> Any:
    if isinstance(value, (Mapping, list, tuple)):
        return "..."
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        text = told(value) if is_redacted else shown(value)
        return value if -1e15 < value < 1e15 and text == shown(value) else text
    return told(value) if is_redacted else kept_key(value)


def not_a_table(item: Any, number: int) -> Reject:
    """The reject of an item that is no table of fields: a BadRow of a file client, or garbage in a list.

    `number` is batch.offset + its place in the batch; people count from 1. Nothing of it is kept.
    """
    if isinstance(item, BadRow):
        return Reject(f"{item.file} row {item.row}", "", item.reason, item.value)
    return Reject(f"row {number + 1}", "", "bad_row", type(item).__name__)


def rejects_of(
    problems: Iterable[tuple[str, str, str]], item: Mapping[str, Any], name: str, sources: Mapping[str, bool],
    personal: Sequence[str] = (),
) -> list[Reject]:
    """One reject per problem (field, reason, value) of an item called `name`; `sources` as in kept_of.

    What the item's `personal` fields say is taken out of all that is kept of it.
    """
    named = personal_values(item, personal) if personal else ()
    payload = _without(kept_of(item, sources), named) if named else kept_of(item, sources)
    return [Reject(name[:200], field, reason, without(value, named), payload) for field, reason, value in problems]


def _without(value: Any, named: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {key: _without(inner, named) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without(inner, named) for inner in value]
    return without(value, named) if isinstance(value, str) else value
