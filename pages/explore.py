"""Any figure broken down: /explore. The skeleton only; callbacks/explore.py fills it."""

from __future__ import annotations

from typing import Any

from dash import html, register_page
from dash.development.base_component import Component

from components.desk_shell import language_of, page
from components.explore.reading import reading_bar
from text import t

register_page(
    __name__,
    path="/explore",
    title=t("app.title", "vi", page=t("page.explore", "vi")),
    permission="see.dossiers",
)


def layout(**query: Any) -> Component:
    """The skeleton of the page; the query goes to the callback that fills it. Above it what is shown while a long question is read."""
    return html.Div([page("explore", "/explore", query, blocks=6), reading_bar(language_of(query))])
