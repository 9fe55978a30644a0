"""Fills the list of stations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dash import Dash, html
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_filters import panel, search_box, select
from components.desk_links import View
from components.desk_parts import choices, count_line, heading, notice
from components.desk_stations import ordered, station_table
from components.desk_table import exports
from components.desk_wiring import PageRow, bind_page
from metrics.city import City, areas, stations, water
from metrics.city.feeds import DEAD, FRESH, LATE, NEVER, STALE
from metrics.city.stations import StationState
from metrics.city.water import WaterLevel
from text import t
from text.vietnamese import fold

UPTIME_DAYS, LIMIT_DAYS = 6, 29  # days before today
STATES = (FRESH, LATE, STALE, DEAD, NEVER)
API_FILTERS = ("area", "kind", "state")


def draw_list(city: City, view: View) -> list[Component | None]:
    """Kinds, filters, how many, the stations with their newest values."""
    lang = view.lang
    everything = stations.read(city, view.get("area"))
    found = ordered(kept(everything, view))
    places = {row.code: row.full_name or row.name for row in areas.polygons(city)}
    kinds = sorted({row.kind for row in everything})
    kind_links = _links(view, "kind", [(kind, t(f"station_kind.{kind}", lang)) for kind in kinds], "d-states")
    fields = [
        select(view, "area", t("desk.area", lang), places.items()),
        search_box(view, words=t("desk.search_name", lang)),
        html.Div(
            [
                html.Span(t("column.station.freshness", lang), className="d-field-name"),
                _links(view, "state", [(state, t(f"freshness.{state}", lang)) for state in STATES]),
            ],
            className="d-field",
        ),
    ]
    # the API knows no search by name: rather no file than one with other rows
    files = None if view.get("q") else exports(city, "/api/v1/stations", view.only(API_FILTERS), lang)
    empty = notice(t("empty.stations", lang), t("desk.empty_hint", lang))
    rows = station_table(city, view, found, places, alarm_levels(city)) if found else empty
    return [
        heading(t("page.stations", lang), t("desk.stations_hint", lang)),
        panel(view, fields, kind_links),
        html.Div([count_line(len(found), len(found), lang), files], className="d-above"),
        rows,
    ]


def _links(view: View, name: str, options: Sequence[tuple[str, str]], class_name: str = "") -> Component:
    """Alternatives of one parameter, "all" first."""
    shown = [("", t("desk.all", view.lang)), *options]
    links = [(words, view.here(**{name: key}), view.get(name) == key) for key, words in shown]
    return choices(t(f"column.station.{'kind' if name == 'kind' else 'freshness'}", view.lang), links, class_name)


def kept(rows: Iterable[StationState], view: View) -> list[StationState]:
    """The stations the URL asks for: kind, whether they report, words of the name without accents."""
    wanted, state = fold(view.get("q")), view.get("state")
    return [
        row
        for row in rows
        if (not view.get("kind") or row.kind == view.get("kind"))
        and (not state or row.state == state)
        and wanted in fold(f"{row.name} {row.source_id}")
    ]


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
