"""Fills the page of one station."""

from __future__ import annotations

from datetime import timedelta

from dash import Dash
from dash.development.base_component import Component

from callbacks.stations import alarm_levels
from components.context import AppContext
from components.desk_links import View, item_of
from components.desk_record import missing
from components.desk_station import HOURS, HourMeans, StationNotes, detail
from components.desk_wiring import PageRow, bind_page
from metrics.city import City, air, areas, devices, stations, water
from metrics.city.stations import FlaggedReading, StationState
from metrics.periods import parse_period
from store.days import HOUR

UPTIME_DAYS, LIMIT_DAYS = 6, 29  # days before today


def draw_one(city: City, view: View) -> list[Component | None]:
    """One station with the last 48 hours of each value, or that it is not there."""
    feed, source_id = item_of(view.path)
    found = next((row for row in stations.read(city) if (row.feed, row.source_id) == (feed, source_id)), None)
    if found is None:
        return [missing(view, "/stations")]
    names = {row.code: row.full_name or row.name for row in areas.polygons(city)}
    hours = {value.datastream_id: hourly(city, value.datastream_id) for value in found.values}
    return [*detail(city, view, found, names.get(found.area_code, ""), hours, notes_of(city, found))]


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


PAGES = (PageRow("station", "see.stations", draw_one, ("readings",), auto=True),)


def register(app: Dash, context: AppContext) -> None:
    """Wire this page."""
    for page in PAGES:
        bind_page(app, context, page)
