"""Open dossiers that may miss their due date: /at-risk. The skeleton only; callbacks/at_risk.py fills it."""

from __future__ import annotations

from typing import Any

from dash import register_page
from dash.development.base_component import Component

from components.desk_shell import page
from text import t

register_page(
    __name__,
    path="/at-risk",
    title=t("app.title", "vi", page=t("page.at_risk", "vi")),
    permission="see.dossiers",
)


def layout(**query: Any) -> Component:
    """The skeleton of the page; the query goes to the callback that fills it."""
    return page("at_risk", "/at-risk", query, blocks=8)
