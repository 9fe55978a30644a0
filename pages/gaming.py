"""Signs worth a second look in how things are ended: /gaming. The skeleton only; callbacks/gaming.py fills it."""

from __future__ import annotations

from typing import Any

from dash import register_page
from dash.development.base_component import Component

from components.desk_shell import page
from text import t

register_page(
    __name__,
    path="/gaming",
    title=t("app.title", "vi", page=t("page.gaming", "vi")),
    permission="see.dossiers",
)


def layout(**query: Any) -> Component:
    """The skeleton of the page; the query goes to the callback that fills it."""
    return page("gaming", "/gaming", query, blocks=5)
