"""Where the time of procedures goes: /bottlenecks. The skeleton only; callbacks/bottlenecks.py fills it."""

from __future__ import annotations

from typing import Any

from dash import register_page
from dash.development.base_component import Component

from components.desk_shell import page
from text import t

register_page(
    __name__,
    path="/bottlenecks",
    title=t("app.title", "vi", page=t("page.bottlenecks", "vi")),
    permission="see.dossiers",
)


def layout(**query: Any) -> Component:
    """The skeleton of the page; the query goes to the callback that fills it."""
    return page("bottlenecks", "/bottlenecks", query, blocks=6)
