"""Fills the list of stations and the page of one station."""

from __future__ import annotations

from collections.abc import Iterable

from dash import Dash, html
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_dossiers import missing
from components.desk_filters import panel, search_box, select
from components.desk_links import View, item_of
from components.desk_parts import choices, count_line, heading, notice
from components.desk_stations import HOURS, HourMeans, detail, ordered, station_table
from components.desk_table import exports
from components.desk_wiring import PageRow, bind_page
from metrics.city import City, areas, stations
from metrics.city.feeds import FRESH, LATE
from metrics.city.stations import StationState
from store.days import HOUR
from text import t
from text.vietnamese import fold

STATES = {"reporting": (FRESH, LATE), "silent": ("stale", "dead", "never")}


def draw_list(city: City, view: View) -> list[Component | None]:
    """Kinds, filters, how many, the stations with their newest values."""
    lang = view.lang
    everything = stations.read(city, view.get("area"))
    found = ordered(kept(everything, view))
    places = {row.code: row.full_name or row.name for row in areas.polygons(city)}
    kinds = sorted({row.kind for row in everything})
    links = [("", t("desk.all", lang)), *((kind, t(f"station_kind.{kind}", lang)) for kind in kinds)]
    states = [("", t("desk.all", lang)), *((state, t(f"desk.station_state.{state}", lang)) for state in STATES)]
    fields = [
        select(view, "area", t("desk.area", lang), places.items()), search_box(view),
        html.Div([html.Span(t("column.station.freshness", lang), className="d-field-name"), choices(
            t("column.station.freshness", lang), [(words, view.here(state=key), view.get("state") == key) for key, words in states])],
            className="d-field"),
    ]
    query = View("", {n: v for n, v in view.query.items() if n in ("area", "kind", "state")}, lang, view.period).here().partition("?")[2]
    rows = station_table(city, view, found, places) if found else notice(t("empty.stations", lang), t("desk.empty_hint", lang))
    return [
        heading(t("page.stations", lang), t("desk.stations_hint", lang)),
        panel(view, fields, choices(
            t("column.station.kind", lang), [(words, view.here(kind=key), view.get("kind") == key) for key, words in links], "d-states")),
        html.Div([count_line(len(found), len(found), lang), exports("/api/v1/stations", query, lang)], className="d-above"), rows,
    ]


def kept(rows: Iterable[StationState], view: View) -> list[StationState]:
    """The stations the URL asks for: kind, whether they report, words of the name without accents."""
    wanted, states = fold(view.get("q")), STATES.get(view.get("state"), ())
    return [
        row for row in rows
        if (not view.get("kind") or row.kind == view.get("kind")) and (not states or row.state in states)
        and wanted in fold(f"{row.name} {row.source_id}")
    ]


def draw_one(city: City, view: View) -> list[Component | None]:
    """One station with the last 48 hours of each value, or that it is not there."""
    feed, source_id = item_of(view.path)
    found = next((row for row in stations.read(city) if (row.feed, row.source_id) == (feed, source_id)), None)
    if found is None:
        return [missing(view, "/stations")]
    names = {row.code: row.full_name or row.name for row in areas.polygons(city)}
    hours = {value.datastream_id: hourly(city, value.datastream_id) for value in found.values}
    return [*detail(city, view, found, names.get(found.area_code, ""), hours)]


def hourly(city: City, datastream_id: int) -> HourMeans:
    """Means of the last 48 hours, oldest first; an hour without readings is None."""
    last = city.as_of // HOUR
    frame = stations.hour_series(city, datastream_id, (last - HOURS + 1) * HOUR, city.as_of)
    means = {int(at) // HOUR: float(mean) for at, mean in zip(frame["hour_at"], frame["mean"], strict=True)}
    return [means.get(hour) for hour in range(last - HOURS + 1, last + 1)]


PAGES = (
    PageRow("stations", "see.stations", draw_list, ("readings",)),
    PageRow("station", "see.stations", draw_one, ("readings",), auto=True),
)


def register(app: Dash, context: AppContext) -> None:
    """Wire these pages."""
    for page in PAGES:
        bind_page(app, context, page)
