"""The page of one station, drawn. Pure: StationState, hourly means and notes -> components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dash import html
from dash.development.base_component import Component

from components.charts import sparkline
from components.desk_environment import (
    flag_list,
    flag_strip,
    flag_words,
    limits_table,
    rain_words,
    uptime_words,
    water_detail,
)
from components.desk_links import View
from components.desk_parts import ago, facts, feed_state, heading, link
from components.desk_record import feed_link
from components.desk_stations import aqi_mark, decimals, property_name, station_state
from metrics.city import City
from metrics.city.air import Exceedance
from metrics.city.devices import Uptime
from metrics.city.stations import FlaggedReading, Measured, StationState
from metrics.city.water import RainDay, WaterLevel
from store.days import HOUR
from text import t
from text.formats import instant, number

HOURS = 48
HourMeans = Sequence[float | None]


@dataclass(frozen=True)
class StationNotes:
    """What a station's page tells beside its values, by datastream where it is one's."""

    flagged: Mapping[int, Sequence[FlaggedReading]] = field(default_factory=dict)
    levels: Mapping[int, WaterLevel] = field(default_factory=dict)
    rain: Mapping[int, RainDay] = field(default_factory=dict)
    uptime: Sequence[Uptime] = ()
    limits: Sequence[Exceedance] = ()


def detail(
    city: City, view: View, row: StationState, area: str, hours: Mapping[int, HourMeans], notes: StationNotes,
) -> list[Component]:
    """Facts, and every value with its last 48 hours. `hours` = hourly means by datastream, oldest first, gaps as None."""
    lang = view.lang
    back = link(t("desk.back_stations", lang), view.to("/stations"), "d-button")
    told = facts(
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
    cards = [_measured(city, lang, value, hours.get(value.datastream_id, ()), notes) for value in row.values]
    body = html.Div(cards, className="d-tiles") if cards else html.P(t("empty.stations", lang), className="d-quiet")
    title = row.name or t("page.station", lang, name=row.source_id)
    section = html.Section([html.H2(t("desk.last_48h", lang)), body], className="d-section")
    return [heading(title, station_state(row, lang), back), told, section, *_limits(row, notes, lang)]


def _limits(row: StationState, notes: StationNotes, lang: str) -> list[Component]:
    if not notes.limits:
        return []
    names = {value.property: property_name(value, lang) for value in row.values}
    return [html.Section([html.H2(t("limit.title", lang)), limits_table(notes.limits, names, lang)], className="d-section")]


def _measured(city: City, lang: str, value: Measured, means: HourMeans, notes: StationNotes) -> Component:
    name = property_name(value, lang)
    known = [mean for mean in means if mean is not None]
    figure = html.Div(
        [
            html.Span(number(value.value, lang, decimals(value.value)), className="d-value"),
            html.Span(value.measure_unit, className="d-unit"),
        ],
        className="d-figure",
    )
    parts: list[Component | None] = [
        html.H3(name, className="d-tile-label"), html.Div(figure, className="d-tile-figure"), *_about(value, notes, lang)
    ]
    doubted = notes.flagged.get(value.datastream_id, ())
    parts.append(flag_strip(doubted, city.as_of // HOUR - len(means) + 1, len(means), lang))
    if len(known) > 1:
        low, high = (number(bound, lang, decimals(bound)) for bound in (min(known), max(known)))
        words = t("desk.spark_hours", lang, n=len(means), low=low, high=high)
        parts.append(
            html.Div(
                className="d-spark d-spark-wide",
                role="img",
                title=words,
                style={"--spark": sparkline(means)},
                **{"aria-label": words},
            )
        )
        parts.append(html.P(words, className="d-quiet"))
    parts.append(flag_list(doubted, value.measure_unit, city.config.tz, lang))
    parts.append(
        html.Div(
            [html.Span([feed_state(value.state, lang, None, None), " · ", ago(value.observed_at, city.as_of, lang)])],
            className="d-trust",
        )
    )
    return html.Article([part for part in parts if part is not None], className="d-tile", **{"data-state": value.state})


def _about(value: Measured, notes: StationNotes, lang: str) -> list[Component]:
    """What the newest value means: not believed, an alarm level, a class of rain."""
    found: list[Component] = [flag_words(value.flag, lang)] if value.flag else []
    if value.datastream_id in notes.levels:
        found.append(water_detail(notes.levels[value.datastream_id], lang))
    if value.datastream_id in notes.rain:
        found.append(html.P(rain_words(notes.rain[value.datastream_id], lang)))
    return found
