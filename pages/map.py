"""The map: /map. The skeleton only; callbacks/map.py fills it."""

from __future__ import annotations

from typing import Any

from dash import register_page
from dash.development.base_component import Component

from components.desk_shell import page
from text import t

register_page(
    __name__,
    path="/map",
    title=t("app.title", "vi", page=t("page.map", "vi")),
    permission="see.desk",
)


def layout(**query: Any) -> Component:
    """The skeleton of the page; the query goes to the callback that fills it."""
    return page("map", "/map", query, blocks=4)
