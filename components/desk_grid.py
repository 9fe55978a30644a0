"""The rows of a list as a grid for wide screens: sorted and narrowed from its headings, one page of rows, ordered by the server.

The same columns stand beside it as a plain table, which phones (as cards), printers and readers without scripts are shown. Pressing a
heading changes the URL (callbacks/grid.py); the grid itself never moves or hides a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import dash_ag_grid as dag
from dash import html
from dash.development.base_component import Component

from components.desk_links import View
from components.desk_table import Column, Item, table
from metrics.city.lists.filter_fields import FIELD_BY_KEY
from text import t

GRID = "desk-grid"
FILTERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "day": ("agDateColumnFilter", ("inRange", "equals", "lessThan", "greaterThan", "blank", "notBlank")),
    "number": ("agNumberColumnFilter", ("equals", "inRange", "lessThanOrEqual", "greaterThanOrEqual", "blank", "notBlank")),
    "": ("agTextColumnFilter", ("contains", "notContains", "blank", "notBlank")),
}
WITHOUT_BLANK = ("state", "choice")
WIDTHS = {"wide": (165, 3), "main": (150, 2), "time": (105, 1), "number": (100, 1), "short": (115, 1), "text": (125, 1)}
# texts of the grid's own parts: its key -> ours
LOCALE = (
    "contains", "notContains", "blank", "notBlank", "equals", "inRange", "lessThan", "greaterThan", "lessThanOrEqual",
    "greaterThanOrEqual", "applyFilter", "resetFilter", "filterOoo", "inRangeStart", "inRangeEnd", "noRowsToShow", "ariaFilterValue",
    "ariaFilterFromValue", "ariaFilterToValue", "ariaFilteringOperator", "ariaColumn", "ariaLabelColumnFilter", "invalidDate",
    "sortAscending", "sortDescending", "filterBy", "ariaFilterMenuOpen", "ariaDateFilterInput",
)


def grid_id(topic: str) -> dict[str, str]:
    """Id of a list's grid."""
    return {"type": GRID, "topic": topic}


def rows_of(
    view: View, topic: str, columns: Sequence[Column[Item]], rows: Iterable[Item], caption: str, row_id: Callable[[Item], str],
) -> Component:
    """The rows twice: as a grid, and as the plain table where no grid fits. `row_id` names a row."""
    shown = tuple(rows)
    drawn = html.Div(_grid(view, topic, columns, shown, caption, row_id), className="d-grid-box", role="region", **{"aria-label": caption})
    return html.Div([drawn, html.Div(table(columns, shown, caption), className="d-rows-plain")], className="d-rows")


def _grid(
    view: View, topic: str, columns: Sequence[Column[Item]], rows: Sequence[Item], caption: str, row_id: Callable[[Item], str],
) -> Component:
    data = [{"_id": row_id(row), **{f"c{n}": told(column.cell(row)) for n, column in enumerate(columns)}} for row in rows]
    return dag.AgGrid(
        id=grid_id(topic), rowData=data, columnDefs=[_column(view, topic, n, column) for n, column in enumerate(columns)],
        defaultColDef={
            "cellDataType": False, "resizable": True, "suppressMovable": True, "suppressHeaderMenuButton": True, "wrapHeaderText": True,
            "wrapText": True, "autoHeight": True,
            "autoHeaderHeight": True, "cellRenderer": "DeskCell",
            "comparator": {"function": "deskSame"}, "sortingOrder": ["asc", "desc", None],
        },
        dashGridOptions={
            "domLayout": "autoHeight", "suppressColumnVirtualisation": True,
            "suppressRowVirtualisation": True, "enableCellTextSelection": True, "ensureDomOrder": True, "animateRows": False,
            "suppressMultiSort": True, "localeText": {key: t(f"grid.{key}", view.lang) for key in LOCALE},
            "suppressColumnMoveAnimation": True,
        },
        eventListeners={"cellKeyDown": ["deskGridKey(params)"], "firstDataRendered": ["deskGridShown(params)"]},
        getRowId="params.data._id", className="d-grid", dangerously_allow_code=False, style={},
    )


def _column(view: View, topic: str, number: int, column: Column[Item]) -> dict[str, Any]:
    least, share = WIDTHS[column.kind]
    made: dict[str, Any] = {
        "field": f"c{number}", "headerName": column.label, "minWidth": least, "flex": share, "sortable": bool(column.sort),
        "width": least,  # until the grid shares out the window's width: else 200 px a column, and a page too wide
        "cellClass": f"dg-{column.kind}", "context": {"sort": column.sort, "narrows": column.narrows},
    }
    on = view.get("sort")
    if column.sort and on.removeprefix("-") == column.sort:
        made["sort"] = "desc" if on.startswith("-") else "asc"
    if column.narrows:
        field = FIELD_BY_KEY[topic][column.narrows]
        kind, options = FILTERS.get(field.kind, FILTERS[""])
        if field.kind in WITHOUT_BLANK:
            options = tuple(option for option in options if "lank" not in option)
        made |= {"filter": kind, "filterParams": {
            "filterOptions": list(options), "buttons": ["reset", "apply"], "closeOnApply": True, "maxNumConditions": 1,
        }}
        made["headerClass"] = "d-narrowed" if view.get(column.narrows) else ""
    return made


def told(shown: Any) -> Any:
    """What a cell shows, as data that assets/dashAgGridComponentFunctions.js draws again: a text, or [tag, attributes, children]."""
    if isinstance(shown, list | tuple):
        return ["span", {}, [told(part) for part in shown if part is not None]]
    if not isinstance(shown, Component):
        return "" if shown is None else str(shown)
    given = shown.to_plotly_json()["props"]
    kept = {name: value for name, value in given.items() if name in ("className", "title", "href", "lang") or name.startswith("data-")}
    children = given.get("children")
    inside = children if isinstance(children, list | tuple) else [children]
    tag = {"Link": "link", "B": "b"}.get(shown._type, "span")
    return [tag, kept, [told(part) for part in inside if part is not None]]
