"""Keys of feeds and of the API, for administrators: /admin/keys. The skeleton only; callbacks/admin_keys.py fills it."""

from __future__ import annotations

from typing import Any

from dash import register_page
from dash.development.base_component import Component

from components.desk_shell import page
from text import t

register_page(
    __name__,
    path="/admin/keys",
    title=t("app.title", "vi", page=t("page.admin_keys", "vi")),
    permission="manage.keys",
)


def layout(**query: Any) -> Component:
    """The skeleton of the page; the query goes to the callback that fills it."""
    return page("admin_keys", "/admin/keys", query, blocks=4)
