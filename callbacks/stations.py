"""Fills the list of stations and the page of one station."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from dash import Dash, html
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_dossiers import missing
from components.desk_filters import panel, search_box, select
from components.desk_links import View, item_of
from components.desk_parts import choices, count_line, heading, notice
from components.desk_stations import HOURS, HourMeans, StationNotes, detail, ordered, station_table
from components.desk_table import exports
from components.desk_wiring import PageRow, bind_page
from metrics.city import City, air, areas, devices, stations, water
from metrics.city.feeds import DEAD, FRESH, LATE, NEVER, STALE
from metrics.city.stations import FlaggedReading, StationState
from metrics.city.water import WaterLevel
from metrics.periods import parse_period
from store.days import HOUR
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


def draw_one(city: City, view: View) -> list[Component | None]:
    """One station with the last 48 hours of each value, or that it is not there."""
    feed, source_id = item_of(view.path)
    found = next((row for row in stations.read(city) if (row.feed, row.source_id) == (feed, source_id)), None)
    if found is None:
        return [missing(view, "/stations")]
    names = {row.code: row.full_name or row.name for row in areas.polygons(city)}
    hours = {value.datastream_id: hourly(city, value.datastream_id) for value in found.values}
    return [*detail(city, view, found, names.get(found.area_code, ""), hours, notes_of(city, found))]


def alarm_levels(city: City) -> dict[int, WaterLevel]:
    """Datastream -> its newest level beside its alarm levels."""
    return {row.datastream_id: row for row in water.levels(city)}


def notes_of(city: City, row: StationState) -> StationNotes:
    """What the station's page tells beside its values: flags of 48 hours, alarm levels, rain, hours with data, limits of air."""
    streams = [value.datastream_id for value in row.values]
    flagged: dict[int, list[FlaggedReading]] = {}
    for one in stations.flagged_readings(city, streams, (city.as_of // HOUR - HOURS + 1) * HOUR, city.as_of):
        flagged.setdefault(one.datastream_id, []).append(one)
    week, month = (parse_period(f"{city.today - timedelta(days=n)}..{city.today}", city.today) for n in (UPTIME_DAYS, LIMIT_DAYS))
    own = f"{row.feed}/{row.source_id}"
    return StationNotes(
        flagged=flagged, levels=alarm_levels(city), rain={day.datastream_id: day for day in water.rain(city)},
        uptime=[one for one in devices.uptime(city, week, row.area_code) if (one.feed, one.station) == (row.feed, row.source_id)],
        limits=[one for one in air.exceedances(city, month, row.area_code) if one.station == own] if row.kind == "air" else (),
    )


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
