"""Fills the list of stations."""

from __future__ import annotations

from collections.abc import Sequence

from dash import Dash, html
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_filters import panel, search_box, select
from components.desk_grid import rows_of
from components.desk_links import View
from components.desk_parts import choices, count_line, heading, notice
from components.desk_rows import asked_of, file_query, order_field
from components.desk_stations import ordered, station_columns
from components.desk_table import PLACED, exports, pager
from components.desk_terms import term_chips
from components.desk_wiring import PageRow, bind_page
from metrics.city import City, areas
from metrics.city.feeds import DEAD, FRESH, LATE, NEVER, STALE
from metrics.city.lists import station_list
from metrics.city.measured import water
from metrics.city.measured.water import WaterLevel
from text import t

STATES = (FRESH, LATE, STALE, DEAD, NEVER)
PAGE_SIZE = 100


def draw_list(city: City, view: View) -> list[Component | None]:
    """Kinds, filters, how many, the stations with their newest values."""
    lang, asked = view.lang, asked_of(view, "stations")
    everything = station_list.read(city, asked, view.get("sort"))
    found = everything if view.get("sort") else ordered(everything)
    places = {row.code: row.full_name or row.name for row in areas.polygons(city)}
    columns = station_columns(city, view, places, alarm_levels(city))
    kinds = sorted({row.kind for row in station_list.read(city, asked.without("kind"))})
    fields = [
        search_box(view, words=t("desk.search_name", lang)),
        select(view, "area", t("desk.area", lang), places.items()),
        html.Div(
            [
                html.Span(t("column.station.freshness", lang), className="d-field-name"),
                _links(view, "state", [(state, t(f"freshness.{state}", lang)) for state in STATES]),
            ],
            className="d-field",
        ),
        order_field(view, columns),
    ]
    start = int(view.get("cursor")) if view.get("cursor").isdecimal() and len(view.get("cursor")) < 7 else 0
    shown = found[start : start + PAGE_SIZE]
    files = exports(city, "/api/v1/stations", file_query(asked, view.get("sort")), lang, PLACED, len(found))
    empty = notice(t("empty.stations", lang), t("desk.empty_hint", lang))
    rows = rows_of(view, "stations", columns, shown, t("page.stations", lang), lambda row: f"{row.feed}~{row.source_id}")
    return [
        heading(t("page.stations", lang), t("desk.stations_hint", lang)),
        panel(view, fields, _links(view, "kind", [(kind, t(f"station_kind.{kind}", lang)) for kind in kinds], "d-states")),
        term_chips(city, view, asked),
        html.Div([count_line(len(shown), len(found), lang), files], className="d-above"),
        rows if shown else empty,
        pager(view, str(start + PAGE_SIZE) if start + PAGE_SIZE < len(found) else ""),
    ]


def _links(view: View, name: str, options: Sequence[tuple[str, str]], class_name: str = "") -> Component:
    """Alternatives of one parameter, "all" first."""
    shown = [("", t("desk.all", view.lang)), *options]
    links = [(words, view.here(**{name: key}), view.get(name) == key) for key, words in shown]
    return choices(t(f"column.station.{'kind' if name == 'kind' else 'freshness'}", view.lang), links, class_name)


def alarm_levels(city: City) -> dict[int, WaterLevel]:
    """Datastream -> its newest level beside its alarm levels."""
    return {row.datastream_id: row for row in water.levels(city)}


PAGES = (
    PageRow("stations", "see.stations", draw_list, ("readings",)),
)


def register(app: Dash, context: AppContext) -> None:
    """Wire these pages."""
    for page in PAGES:
        bind_page(app, context, page)
