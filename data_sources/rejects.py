"""How an item that gives no row is kept: its name, the reason, and what may be kept of it. No person's data survives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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


def strip_personal(item: Any, personal: Sequence[str]) -> dict[str, Any]:
    """The item as it may be kept in a reject: without fields classed personal (dotted paths too), long texts cut.

    A personal name is taken out wherever it stands in the tree. An item that is no table becomes {"item": text},
    or {} when the feed carries personal data: nobody can say what is in it.
    """
    if not isinstance(item, Mapping):
        return {"item": shown(item)} if not personal else {}
    stripped = _strip(item, frozenset(personal), "", 0)
    return stripped if isinstance(stripped, dict) else {}


def _strip(value: Any, personal: frozenset[str], path: str, depth: int) -> Any:
    if isinstance(value, Mapping):
        return _strip_table(value, personal, path, depth) if depth < MAX_DEPTH else "..."
    if isinstance(value, (list, tuple)):
        kept = [_strip(inner, personal, path, depth + 1) for inner in value[:MAX_LIST]]
        return kept if depth < MAX_DEPTH else "..."
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return value if -1e15 < value < 1e15 else shown(value)
    return shown(value)


def _strip_table(table: Mapping[Any, Any], personal: frozenset[str], path: str, depth: int) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, inner in table.items():
        name = shown(key)
        full = f"{path}.{name}" if path else name
        if name not in personal and full not in personal:
            kept[name] = _strip(inner, personal, full, depth + 1)
    return kept


def not_a_table(item: Any, number: int, personal: Sequence[str]) -> Reject:
    """The reject of an item that is no table of fields: a BadRow of a file client, or garbage in a list.

    `number` is batch.offset + its place in the batch; people count from 1.
    """
    if isinstance(item, BadRow):
        return Reject(f"{item.file} row {item.row}", "", item.reason, item.value)
    return Reject(f"row {number + 1}", "", "bad_row", type(item).__name__, strip_personal(item, personal))


def rejects_of(
    problems: Iterable[tuple[str, str, str]], item: Mapping[str, Any], name: str, personal: Sequence[str]
) -> list[Reject]:
    """One reject per problem (field, reason, value) of an item called `name`."""
    payload = strip_personal(item, personal)
    return [Reject(name[:200], field, reason, value, payload) for field, reason, value in problems]
