"""Fills the desk view: every KPI by group with its last days.

Also takes what readers choose in any page's filters into the URL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from dash import ALL, Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_filters import (
    FILTER,
    changed,
    comparisons,
    figure_fields,
    panel,
    period_name,
    period_picker,
)
from components.desk_links import View, read_view
from components.desk_parts import heading
from components.desk_shell import OPENED, URL
from components.desk_tiles import GROUPS, NO_SERIES, tile
from components.desk_wiring import CallbackRow, PageRow, bind_callback, bind_page, choice_of
from metrics.city import City
from metrics.city.feeds import ROLE_TOPIC
from metrics.city.numbers import kpis, series
from metrics.city.numbers.series import Point
from metrics.comparison import HOWS
from metrics.kpis import kpi
from metrics.periods import Period, parse_period
from scope import Scope
from text import t

AQI_DAYS = 14  # a daily VN_AQI is computed from hours: 30 days of them cost a reader half a second


def draw_desk(city: City, view: View) -> list[Component | None]:
    """Filters, then the tiles of every group."""
    lang, rule = view.lang, view.get("late_rule")
    choice = choice_of(view)
    fields, chosen = figure_fields(city, view)
    keys = [key for _, keys in GROUPS for key in keys]
    values = {value.key: value for value in kpis.read(city, keys, view.period, choice, rule, view.get("compare") or HOWS[0])}
    note = [html.B(period_name(view.period, lang))]
    if view.period.is_partial(city.today):
        note.append(html.Span(t("period.partial", lang), className="d-partial", title=t("period.partial_hint", lang)))
    parts: list[Component | None] = [
        heading(t("desk.title", lang), note),
        html.Section([period_picker(view), panel(view, [*fields, comparisons(view)])], className="d-controls"),
        chosen,
    ]
    groups = [
        html.Section(
            [
                html.H2(t(group, lang)),
                html.Div([tile(city, view, values[key], _points(city, key, view)) for key in keys], className="d-tiles"),
            ],
            className="d-group",
            **{"data-tiles": str(len(keys))},
        )
        for group, keys in GROUPS
        if _has_feed(city, keys[0])
    ]
    return [*parts, html.Div(groups, className="d-groups")]


def _has_feed(city: City, key: str) -> bool:
    """Does the city read anything a group's figures could come from? Where it does not, dashes would only promise what never comes."""
    topic = kpi(key).topic
    return topic == "operations" or any(ROLE_TOPIC.get(feed.role) == topic for feed in city.config.feeds)


def spark_period(period: Period, city: City, days: int = 30) -> Period:
    """The days a tile's line shows: those up to the period's end, and no later than today."""
    end = min(period.end_on, city.today)
    return parse_period(f"{end - timedelta(days=days - 1)}..{end}", end)


def _points(city: City, key: str, view: View) -> tuple[Point, ...]:
    if key in NO_SERIES:
        return ()
    span = spark_period(view.period, city, AQI_DAYS if key == "vn_aqi" else 30)
    return series.read(city, key, "day", span, choice_of(view), view.get("late_rule"))


def take_filters(
    context: AppContext,
    scope: Scope,
    values: Sequence[Any],
    ids: Sequence[Mapping[str, str]],
    opened: Sequence[Mapping[str, Any]],
) -> Any:
    """The query string after a field changed; no_update when the URL says it already."""
    if not values or not opened:
        return no_update
    city = context.city(scope)
    view = read_view(opened[0], context.config, city.today)
    search = changed(view, {field["name"]: value for field, value in zip(ids, values, strict=True)})
    return no_update if search is None else f"?{search}"


PAGES = (PageRow("desk", "see.desk", draw_desk, ("dossiers", "reports", "readings", "operations"), auto=True),)
CALLBACKS = (
    CallbackRow(
        take_filters,
        "see.desk",
        Output(URL, "search"),
        [Input({"type": FILTER, "name": ALL}, "value")],
        [State({"type": FILTER, "name": ALL}, "id"), State({"type": OPENED, "page": ALL}, "data")],
    ),
)


def register(app: Dash, context: AppContext) -> None:
    """Wire this page, and the filters of all pages."""
    for page in PAGES:
        bind_page(app, context, page)
    for row in CALLBACKS:
        bind_callback(app, context, row)
