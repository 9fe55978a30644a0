"""What a brief says, as plain data without a language: what is hashed, archived, and set beside an earlier issue."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from metrics.city.weekly import Weekly
from metrics.city.weekly.parts import Cell, Figure, Link, Word
from scope import Scope

Content = Mapping[str, Any]


def content_of(weekly: Weekly, scope: Scope) -> Content:
    """The content of a brief: week, revision, reach, statements, tables, notes, feeds left out."""
    return {
        "week": weekly.week.text, "as_of": weekly.as_of, "revision": weekly.revision,
        "agencies": _listed(scope.agencies), "areas": _listed(scope.areas),
        "statements": [
            {"section": one.section, "said": cell_data(one.said), "link": _link(one.link), "is_warning": one.is_warning}
            for one in weekly.statements
        ],
        "tables": [
            {
                "key": table.key, "section": table.section, "columns": [column.key for column in table.columns],
                "kinds": [column.kind for column in table.columns], "rows": [[cell_data(cell) for cell in row.cells] for row in table.rows],
                "notes": [cell_data(note) for note in table.notes],
            }
            for table in weekly.tables
        ],
        "notes": [cell_data(note) for note in weekly.notes],
        "left_out": [
            {"feed": feed.feed, "title": feed.title, "why": cell_data(feed.why), "is_needed": feed.is_needed} for feed in weekly.left_out
        ],
    }


def canonical(content: Content) -> str:
    """The one way a content is written as JSON, so that the same content has the same hash."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def sha256(text: str) -> str:
    """The hash of a canonical content, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def cell_data(cell: Cell) -> Any:
    """A cell as JSON; `cell_of` reads it back."""
    if isinstance(cell, Figure):
        return {
            "figure": cell.value, "unit": cell.measure_unit, "decimals": cell.decimals, "n": cell.n, "state": cell.state,
            "is_change": cell.is_change,
        }
    if isinstance(cell, Word):
        return {"word": cell.key, "with": {name: cell_data(inner) for name, inner in cell.words.items()}}
    if isinstance(cell, date):
        return {"date": cell.isoformat()}
    return cell


def cell_of(data: Any) -> Cell:
    """The cell a piece of content was written from."""
    if not isinstance(data, Mapping):
        return None if data is None else str(data)
    if "figure" in data:
        return Figure(data["figure"], data["unit"], data["decimals"], data["n"], data["state"], data["is_change"])
    if "word" in data:
        return Word(data["word"], {name: cell_of(inner) for name, inner in data["with"].items()})
    return date.fromisoformat(data["date"])


def _listed(codes: tuple[str, ...] | None) -> list[str] | None:
    return None if codes is None else sorted(codes)


def _link(link: Link | None) -> Any:
    return None if link is None else {"path": link.path, "query": dict(link.query)}
