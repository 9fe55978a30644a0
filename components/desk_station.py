"""The page of one station, drawn. Pure: StationState and notes -> components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dash import html
from dash.development.base_component import Component

from components.desk_environment import (
    flag_list,
    flag_words,
    limits_table,
    rain_words,
    uptime_words,
    water_detail,
)
from components.desk_links import View, item_path
from components.desk_parts import ago, choices, facts, feed_state, heading, link
from components.desk_record import feed_link, section
from components.desk_station_series import series_picture, uptime_strip
from components.desk_stations import aqi_mark, decimals, property_name, station_state
from components.desk_table import Column, table
from metrics.city import City
from metrics.city.measured.air import Exceedance
from metrics.city.measured.devices import Uptime
from metrics.city.measured.station_series import SPANS, DayHeard, Series
from metrics.city.measured.stations import FlaggedReading, Measured, StationState
from metrics.city.measured.water import RainDay, WaterLevel
from metrics.city.records.near import STATION_KM, NearStation
from text import t
from text.formats import instant, number

HOURS = 48  # of doubted readings told one by one


@dataclass(frozen=True)
class StationNotes:
    """What a station's page tells beside its values, by datastream where it is one's."""

    flagged: Mapping[int, Sequence[FlaggedReading]] = field(default_factory=dict)
    levels: Mapping[int, WaterLevel] = field(default_factory=dict)
    rain: Mapping[int, RainDay] = field(default_factory=dict)
    uptime: Sequence[Uptime] = ()
    limits: Sequence[Exceedance] = ()
    series: Mapping[int, Series] = field(default_factory=dict)
    days: Sequence[DayHeard] = ()
    near: Sequence[NearStation] = ()


def detail(city: City, view: View, row: StationState, area: str, notes: StationNotes) -> list[Component]:
    """Every value over time, limits, on which days it spoke, what stations near it measure, facts."""
    lang = view.lang
    back = link(t("desk.back_stations", lang), view.to("/stations"), "d-button")
    words = (t(f"station_kind.{row.kind}", lang), area or t("unmapped.area", lang))
    about = html.Span([station_state(row, lang), *(html.Span(word) for word in words)], className="r-about")
    cards = [_measured(city, lang, value, notes) for value in row.values]
    body = html.Div(cards, className="r-values") if cards else html.P(t("empty.stations", lang), className="d-quiet")
    week = f"{t('uptime.title', lang)}: {uptime_words(notes.uptime, lang)}"
    uptime = [uptime_strip(lang, notes.days), html.P(week)] if notes.days else None
    return [
        heading(row.name or t("page.station", lang, name=row.source_id), about, back),
        html.Section([html.Div([html.H2(t("series.title", lang)), _spans(view)], className="d-above"), body], className="d-section"),
        *_limits(row, notes, lang),
        html.Div(
            [
                section("uptime.month", html.Div(uptime, className="r-panel") if uptime else None, lang, "uptime.unknown"),
                html.Section([html.H2(t("near.stations", lang)), _near(view, row, notes.near)], className="d-section"),
            ],
            className="r-columns r-even",
        ),
        section("record.facts", _facts(city, view, row, area, notes), lang, "uptime.unknown"),
    ]


def _spans(view: View) -> Component:
    """How far back the values are drawn."""
    asked = view.get("span") or SPANS[0].key
    options = [(t(f"span.{row.key}", view.lang), view.here(span="" if row is SPANS[0] else row.key), row.key == asked) for row in SPANS]
    return choices(t("span.title", view.lang), options)


def _facts(city: City, view: View, row: StationState, area: str, notes: StationNotes) -> Component:
    lang = view.lang
    return facts(
        [
            (t("column.station.kind", lang), t(f"station_kind.{row.kind}", lang)),
            (t("column.station.area", lang), area or t("unmapped.area", lang)),
            (t("column.station.vn_aqi", lang), aqi_mark(row, lang)),
            (t("column.station.observed_at", lang), instant(row.observed_at, city.config.tz, lang)),
            (t("uptime.title", lang), uptime_words(notes.uptime, lang)),
            (t("column.station.source_id", lang), row.source_id),
            (t("column.station.feed", lang), feed_link(city, view, row.feed)),
        ],
        "d-facts-wide",
    )


def _near(view: View, row: StationState, near: Sequence[NearStation]) -> Component:
    """The nearest stations and what they say of the same properties."""
    lang = view.lang
    if not near:
        return html.P(t("near.no_stations", lang, km=number(STATION_KM, lang, 0)), className="d-quiet")
    properties = {value.property for value in row.values}
    columns = (
        Column[NearStation](t("column.station.name", lang), lambda one: _open(view, one.station), "main"),
        Column[NearStation](t("near.far", lang), lambda one: t("near.km", lang, n=number(one.km, lang, 1)), "number"),
        Column[NearStation](t("column.station.freshness", lang), lambda one: station_state(one.station, lang)),
        Column[NearStation](t("column.station.value", lang), lambda one: _like(one.station, properties, lang), "wide"),
    )
    return table(columns, near, t("near.stations", lang), lambda one: one.station.state)


def _open(view: View, row: StationState) -> Component:
    return link(row.name or row.source_id, view.to(item_path("/stations", row.feed, row.source_id), period=""))


def _like(row: StationState, properties: set[str], lang: str) -> list[Component]:
    return [
        html.Span([property_name(value, lang), " ", html.B(number(value.value, lang, decimals(value.value))), f" {value.measure_unit}"],
                  className="d-pair")
        for value in row.values if value.property in properties
    ]


def _limits(row: StationState, notes: StationNotes, lang: str) -> list[Component]:
    if not notes.limits:
        return []
    names = {value.property: property_name(value, lang) for value in row.values}
    return [html.Section([html.H2(t("limit.title", lang)), limits_table(notes.limits, names, lang)], className="d-section")]


def _measured(city: City, lang: str, value: Measured, notes: StationNotes) -> Component:
    """One value: now, what it means, over time, what of it is doubted."""
    shown = [
        html.Span(number(value.value, lang, decimals(value.value)), className="d-value"), html.Span(value.measure_unit, className="d-unit"),
    ]
    fresh = [feed_state(value.state, lang, None, None), " · ", ago(value.observed_at, city.as_of, lang)]
    head = html.Div([html.H3(property_name(value, lang)), html.Div(shown, className="d-figure"), html.Span(fresh, className="d-quiet")],
                    className="r-value-head")
    doubted = notes.flagged.get(value.datastream_id, ())
    series = notes.series.get(value.datastream_id)
    drawn = series_picture(city, lang, series, value.measure_unit) if series else None
    parts: list[Component | None] = [
        head, *_about(value, notes, lang), drawn or html.P(t("series.none", lang), className="d-quiet"),
        flag_list(doubted, value.measure_unit, city.config.tz, lang),
    ]
    return html.Article([part for part in parts if part is not None], className="r-panel", **{"data-state": value.state})


def _about(value: Measured, notes: StationNotes, lang: str) -> list[Component]:
    """What the newest value means: not believed, an alarm level, a class of rain."""
    found: list[Component] = [flag_words(value.flag, lang)] if value.flag else []
    if value.datastream_id in notes.levels:
        found.append(water_detail(notes.levels[value.datastream_id], lang))
    if value.datastream_id in notes.rain:
        found.append(html.P(rain_words(notes.rain[value.datastream_id], lang)))
    return found
