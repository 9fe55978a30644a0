"""Reports that may be of one thing: /duplicates. The skeleton only; callbacks/duplicates.py fills it."""

from __future__ import annotations

from typing import Any

from dash import register_page
from dash.development.base_component import Component

from components.desk_shell import page
from text import t

register_page(
    __name__,
    path="/duplicates",
    title=t("app.title", "vi", page=t("page.duplicates", "vi")),
    permission="see.reports",
)


def layout(**query: Any) -> Component:
    """The skeleton of the page; the query goes to the callback that fills it."""
    return page("duplicates", "/duplicates", query, blocks=6)
