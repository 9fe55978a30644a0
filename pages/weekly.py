"""The leaders' week: /weekly. The skeleton only; callbacks/weekly.py fills it."""

from __future__ import annotations

from typing import Any

from dash import register_page
from dash.development.base_component import Component

from components.desk_shell import page
from text import t

register_page(
    __name__,
    path="/weekly",
    title=t("app.title", "vi", page=t("page.weekly", "vi")),
    permission="see.desk",
)


def layout(**query: Any) -> Component:
    """The skeleton of the page; the query goes to the callback that fills it."""
    return page("weekly", "/weekly", query, blocks=8)
