"""The list of stations: /stations. The skeleton only; callbacks/stations.py fills it."""

from __future__ import annotations

from typing import Any

from dash import register_page
from dash.development.base_component import Component

from components.desk_shell import page
from text import t

register_page(
    __name__,
    path="/stations",
    title=t("app.title", "vi", page=t("page.stations", "vi")),
    permission="see.stations",
)


def layout(**query: Any) -> Component:
    """The skeleton of the page; the query goes to the callback that fills it."""
    return page("stations", "/stations", query, blocks=8)
