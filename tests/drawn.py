"""What Dash components hold: every component inside, and the words a reader sees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dash.development.base_component import Component


def nodes(children: Any) -> Iterator[Component]:
    """Every component inside, in order."""
    for child in children if isinstance(children, list | tuple) else [children]:
        if isinstance(child, Component):
            yield child
            yield from nodes(getattr(child, "children", None))


def words(children: Any) -> str:
    """All text inside."""
    parts = children if isinstance(children, list | tuple) else [children]
    return " ".join(
        words(getattr(part, "children", None)) if isinstance(part, Component) else str(part) for part in parts if part is not None
    )
