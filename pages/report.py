"""One citizen report: /reports/<item>. The skeleton only; callbacks/reports.py fills it."""

from __future__ import annotations

from typing import Any

from dash import register_page
from dash.development.base_component import Component

from components.desk_shell import page
from text import t

register_page(
    __name__,
    path_template="/reports/<item>",
    title=t("app.title", "vi", page=t("page.reports", "vi")),
    permission="see.reports",
)


def layout(item: str = "", **query: Any) -> Component:
    """The skeleton of the page; `item` is as it stands in the address, quoted."""
    return page("report", f"/reports/{item}", query, blocks=4)
