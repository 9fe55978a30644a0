"""One feed with its quarantine: /feeds/<item>. The skeleton only; callbacks/feeds.py fills it."""

from __future__ import annotations

from typing import Any

from dash import register_page
from dash.development.base_component import Component

from components.desk_shell import page
from text import t

register_page(
    __name__,
    path_template="/feeds/<item>",
    title=t("app.title", "vi", page=t("page.feeds", "vi")),
    permission="see.feeds",
)


def layout(item: str = "", **query: Any) -> Component:
    """The skeleton of the page; `item` is as it stands in the address, quoted."""
    return page("feed", f"/feeds/{item}", query, blocks=4)
