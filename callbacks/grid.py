"""What is pressed in the headings of a list's grid goes into the URL: its order and its filters, in the one grammar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from dash import ALL, Dash, Input, Output, State, no_update

from components.context import AppContext
from components.desk_grid import GRID
from components.desk_links import MAX_VALUE, View, read_view
from components.desk_shell import OPENED, URL
from components.desk_terms import matching
from components.desk_wiring import CallbackRow, bind_callback
from metrics.city import City
from metrics.city.lists.filter_fields import FIELD_BY_KEY
from metrics.city.lists.filter_grammar import MOST_VALUES, written
from scope import Scope


def take_headings(
    context: AppContext, scope: Scope, states: Sequence[Any], models: Sequence[Any], columns: Sequence[Any],
    ids: Sequence[Mapping[str, str]], opened: Sequence[Mapping[str, Any]],
) -> Any:
    """The address after a heading was pressed or its filter set; no_update when the URL says it already."""
    if not ids or not opened:
        return no_update
    city, topic = context.city(scope), ids[0]["topic"]
    scope.require(f"see.{topic}")
    view = read_view(opened[0], context.config, city.today)
    told = {row["field"]: row["context"] for row in columns[0] or ()}
    asked = {**order_asked(view, states[0] or (), told), **narrowing(city, view, topic, models[0] or {}, told)}
    if all(view.get(key) == value for key, value in asked.items()):
        return no_update
    return view.here(**asked)


def order_asked(view: View, states: Sequence[Mapping[str, Any]], told: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """sort as the headings show it; nothing where the list is sorted by what has no heading here."""
    on = view.get("sort")
    keys = {row["sort"] for row in told.values() if row["sort"]}
    if not states or (on and on.removeprefix("-") not in keys):
        return {}
    pressed = next((row for row in states if row.get("sort") and row.get("colId") in told), None)
    if pressed is None:
        return {"sort": ""}
    return {"sort": ("-" if pressed["sort"] == "desc" else "") + told[pressed["colId"]]["sort"]}


def narrowing(
    city: City, view: View, topic: str, model: Mapping[str, Mapping[str, Any]], told: Mapping[str, Mapping[str, str]],
) -> dict[str, str]:
    """Field -> value of every heading's filter that is set."""
    found = {}
    for place, condition in model.items():
        key = told.get(place, {}).get("narrows", "")
        value = value_of(city, view, topic, key, condition) if key else ""
        if key and len(value) <= MAX_VALUE:
            found[key] = value
        elif key and not value.startswith("!"):  # more codes than an address holds: the words themselves are searched for
            found["q"] = " ".join(dict.fromkeys([*view.get("q").split(), *str(condition.get("filter")).split()]))
    return found


def value_of(city: City, view: View, topic: str, key: str, condition: Mapping[str, Any]) -> str:
    """A heading's condition as a value of the grammar."""
    how = condition.get("type", "")
    if how in ("blank", "notBlank"):
        return "-" if how == "blank" else "!-"
    if condition.get("filterType") == "date":
        first, last = (str(condition.get(name) or "")[:10] for name in ("dateFrom", "dateTo"))
        step = {"lessThan": -1, "greaterThan": 1}.get(how, 0)  # before and after a day leave it out
        return _stretch(how, (date.fromisoformat(first) + timedelta(days=step)).isoformat(), last)
    if condition.get("filterType") == "number":
        first, last = (_plain(condition.get(name)) for name in ("filter", "filterTo"))
        return _stretch(how, first, last)
    words = str(condition.get("filter") or "").strip()
    is_not = how == "notContains"
    if FIELD_BY_KEY[topic][key].kind == "code" and key in ("id", "feed"):
        return written([words], is_not=is_not)
    codes = matching(city, topic, key, words, view.lang)[:MOST_VALUES]
    if not codes and FIELD_BY_KEY[topic][key].values:
        return ""  # a named condition must be one there is
    return written(codes or [words], is_not=is_not)  # what names nothing keeps nothing


def _stretch(how: str, first: str, last: str) -> str:
    return {"inRange": f"{first}..{last}", "equals": first}.get(how) or (f"..{first}" if how.startswith("less") else f"{first}..")


def _plain(value: Any) -> str:
    return "" if value is None else f"{value:g}"


CALLBACKS = (
    CallbackRow(
        take_headings, "see.desk", Output(URL, "href"),
        [Input({"type": GRID, "topic": ALL}, "columnState"), Input({"type": GRID, "topic": ALL}, "filterModel")],
        [
            State({"type": GRID, "topic": ALL}, "columnDefs"), State({"type": GRID, "topic": ALL}, "id"),
            State({"type": OPENED, "page": ALL}, "data"),
        ],
    ),
)


def register(app: Dash, context: AppContext) -> None:
    """Wire the grids' headings."""
    for row in CALLBACKS:
        bind_callback(app, context, row)
