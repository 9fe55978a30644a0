"""Where more reports came than usual: /hotspots. The skeleton only; callbacks/hotspots.py fills it."""

from __future__ import annotations

from typing import Any

from dash import register_page
from dash.development.base_component import Component

from components.desk_shell import page
from text import t

register_page(
    __name__,
    path="/hotspots",
    title=t("app.title", "vi", page=t("page.hotspots", "vi")),
    permission="see.reports",
)


def layout(**query: Any) -> Component:
    """The skeleton of the page; the query goes to the callback that fills it."""
    return page("hotspots", "/hotspots", query, blocks=6)
