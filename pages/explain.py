"""What else was unlike other weeks at one place and time: /explain. The skeleton only; callbacks/explain.py fills it."""

from __future__ import annotations

from typing import Any

from dash import register_page
from dash.development.base_component import Component

from components.desk_shell import page
from text import t

register_page(
    __name__,
    path="/explain",
    title=t("app.title", "vi", page=t("page.explain", "vi")),
    permission="see.desk",
)


def layout(**query: Any) -> Component:
    """The skeleton of the page; the query goes to the callback that fills it."""
    return page("explain", "/explain", query, blocks=5)
