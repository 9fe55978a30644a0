"""Tables of the desk: plain HTML, so that they read, print, copy and zoom as text.

On a phone each row becomes a card (assets/desk.css).

Rows come a page at a time; the order is the list's own and is said above it. Nothing moves after it was drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from dash import html
from dash.development.base_component import Component

from components.desk_links import View
from components.desk_parts import link
from metrics.city import City
from text import t

Item = TypeVar("Item")
EXPORTS = ("csv", "xlsx", "parquet")
PLACED = (*EXPORTS, "geojson")  # of rows that lie somewhere
FORM_NAMES = {"geojson": "GeoJSON"}


@dataclass(frozen=True)
class Column(Generic[Item]):
    """One column: its heading and what a row shows in it.

    kind: text | short (never wrapped) | wide | number | time | main (the cell that names the row).
    sort: what the list is sorted by when its heading is pressed; narrows: the field of the filter grammar its heading's filter sets.
    """

    label: str
    cell: Callable[[Item], Any]
    kind: str = "text"
    sort: str = ""
    narrows: str = ""


def table(
    columns: Sequence[Column[Item]], rows: Iterable[Item], caption: str, row_state: Callable[[Item], str] | None = None
) -> Component:
    """The rows under their headings; the caption is read out first. `row_state` marks a row (data-state)."""
    head = html.Tr([html.Th(column.label, scope="col", className=f"d-{column.kind}") for column in columns])
    body = [html.Tr([_cell(column, row) for column in columns], **_marked(row, row_state)) for row in rows]
    return html.Div(
        html.Table([html.Caption(caption, className="d-caption"), html.Thead(head), html.Tbody(body)], className="d-table"),
        className="d-table-box",
        tabIndex="0",
        role="region",
        **{"aria-label": caption},
    )


def _cell(column: Column[Item], row: Item) -> Component:
    shown = column.cell(row)
    named = {"data-label": column.label}
    if column.kind == "main":
        return html.Th(shown, scope="row", className="d-main-cell", **named)
    if isinstance(shown, list):
        shown = html.Div(shown)  # on a phone the cell is a line of two: label, content
    return html.Td(shown, className=f"d-{column.kind}", **named)


def _marked(row: Item, row_state: Callable[[Item], str] | None) -> dict[str, str]:
    return {"data-state": row_state(row)} if row_state else {}


def pager(view: View, next_cursor: str) -> Component | None:
    """On to the next page, back to the first; None when everything is on this one."""
    lang = view.lang
    parts = []
    if view.get("cursor"):
        parts.append(link(t("desk.first_page", lang), view.here(), "d-button"))
    if next_cursor:
        parts.append(link(t("desk.next_page", lang), view.here(cursor=next_cursor), "d-button"))
    return html.Nav(parts, className="d-pager", **{"aria-label": t("desk.pages", lang)}) if parts else None


def exports(city: City, base: str, query: str, lang: str, forms: Sequence[str] = EXPORTS, total: int | None = None) -> Component | None:
    """Files of exactly these rows, from the API with the page's own filters; None for who may not take them along.

    With `total` assets/desk_export.js tells how many of them are written, else only the browser's own download is seen.
    """
    if not city.scope.permits("export"):
        return None
    tail = f"?{query}" if query else ""
    links = [
        html.A(
            FORM_NAMES.get(form, form.upper()), href=f"{base}.{form}{tail}", className="d-button d-export", download="",
            title=t("desk.export", lang),
        )
        for form in forms
    ]
    told = html.Span(
        className="d-export-said", role="status",
        **{"data-writing": t("desk.export_writing", lang, n="{n}", total="{total}"), "data-done": t("desk.export_done", lang, n="{n}")},
    )
    watched = {} if total is None else {"data-total": str(total)}
    return html.Div([html.Span(t("desk.export", lang), className="d-field-name"), *links, told], className="d-exports", **watched)
