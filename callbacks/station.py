"""Fills the page of one station."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from dash import Dash
from dash.development.base_component import Component

from callbacks.stations import alarm_levels
from components.context import AppContext
from components.desk_links import View, item_of
from components.desk_record import missing
from components.desk_station import HOURS, StationNotes, detail
from components.desk_wiring import PageRow, bind_page
from metrics.city import City, areas
from metrics.city.measured import air, devices, station_series, stations, water
from metrics.city.measured.stations import FlaggedReading, StationState
from metrics.city.records import near
from metrics.periods import parse_period
from store.days import HOUR

UPTIME_DAYS, LIMIT_DAYS = 6, 29  # days before today


def draw_one(city: City, view: View) -> list[Component | None]:
    """One station with each value over time, or that it is not there."""
    feed, source_id = item_of(view.path)
    everything = stations.read(city)
    found = next((row for row in everything if (row.feed, row.source_id) == (feed, source_id)), None)
    if found is None:
        return [missing(view, "/stations")]
    names = {row.code: row.full_name or row.name for row in areas.polygons(city)} if city.scope.permits("see.desk") else {}
    notes = replace(notes_of(city, found, view.get("span")), near=near.of_station(found, everything))
    return [*detail(city, view, found, names.get(found.area_code, ""), notes)]


def notes_of(city: City, row: StationState, span: str = "") -> StationNotes:
    """What the station's page tells beside its values: series, flags of 48 hours, alarm levels, rain, days with data, limits of air."""
    streams = [value.datastream_id for value in row.values]
    flagged: dict[int, list[FlaggedReading]] = {}
    for one in stations.flagged_readings(city, streams, (city.as_of // HOUR - HOURS + 1) * HOUR, city.as_of):
        flagged.setdefault(one.datastream_id, []).append(one)
    week, month = (parse_period(f"{city.today - timedelta(days=n)}..{city.today}", city.today) for n in (UPTIME_DAYS, LIMIT_DAYS))
    own, levels = f"{row.feed}/{row.source_id}", alarm_levels(city)
    return StationNotes(
        flagged=flagged, levels=levels, rain={day.datastream_id: day for day in water.rain(city)},
        uptime=[one for one in devices.uptime(city, week, row.area_code) if (one.feed, one.station) == (row.feed, row.source_id)],
        limits=[one for one in air.exceedances(city, month, row.area_code) if one.station == own] if row.kind == "air" else (),
        series={value.datastream_id: station_series.read(city, value, span, levels.get(value.datastream_id)) for value in row.values},
        days=station_series.days_heard(city, streams),
    )


PAGES = (PageRow("station", "see.stations", draw_one, ("readings",), auto=True),)


def register(app: Dash, context: AppContext) -> None:
    """Wire this page."""
    for page in PAGES:
        bind_page(app, context, page)
