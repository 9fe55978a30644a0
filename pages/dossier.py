"""One dossier: /dossiers/<item>. The skeleton only; callbacks/dossiers.py fills it."""

from __future__ import annotations

from typing import Any

from dash import register_page
from dash.development.base_component import Component

from components.desk_shell import page
from text import t

register_page(
    __name__,
    path_template="/dossiers/<item>",
    title=t("app.title", "vi", page=t("page.dossiers", "vi")),
    permission="see.dossiers",
)


def layout(item: str = "", **query: Any) -> Component:
    """The skeleton of the page; `item` is as it stands in the address, quoted."""
    return page("dossier", f"/dossiers/{item}", query, blocks=4)
