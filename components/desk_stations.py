"""The list of stations, drawn. Pure: StationState -> components."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dash import html
from dash.development.base_component import Component

from components.desk_environment import (
    flag_words,
    water_words,
)
from components.desk_links import View, item_path
from components.desk_parts import ago, feed_state, link
from components.desk_table import Column
from metrics.city import City
from metrics.city.feeds import STATES
from metrics.city.measured.stations import Measured, StationState
from metrics.city.measured.water import WaterLevel
from text import t
from text.formats import MISSING, number
from text.vietnamese import sort_key

SHOWN_VALUES = 4


def ordered(stations: Iterable[StationState]) -> list[StationState]:
    """Worst first: by VN_AQI, then by how stale, then by name."""
    return sorted(
        stations, key=lambda row: (-(row.aqi if row.aqi is not None else -1), -STATES.index(row.state), sort_key(row.name))
    )


def station_columns(
    city: City, view: View, areas: Mapping[str, str], levels: Mapping[int, WaterLevel],
) -> tuple[Column[StationState], ...]:
    """The columns of the list. `areas` = names by code; `levels` = alarm states by datastream."""
    lang = view.lang

    def label(key: str) -> str:
        return t(f"column.station.{key}", lang)

    return (
        Column[StationState](label("name"), lambda row: _open(view, row), "main", "name"),
        Column[StationState](label("freshness"), lambda row: station_state(row, lang), "text", "freshness", "state"),
        Column[StationState](label("age"), lambda row: ago(row.observed_at, city.as_of, lang), "time", "age"),
        Column[StationState](label("vn_aqi"), lambda row: aqi_mark(row, lang), "text", "vn_aqi", "aqi"),
        Column[StationState](label("kind"), lambda row: t(f"station_kind.{row.kind}", lang), "text", "kind", "kind"),
        Column[StationState](
            label("area"), lambda row: areas.get(row.area_code, "") or t("unmapped.area", lang), "text", "area", "area"
        ),
        Column[StationState](label("value"), lambda row: _values(row.values, levels, lang), "wide"),
    )


def aqi_mark(row: StationState, lang: str) -> Component | str:
    """The hourly VN_AQI with its class in words; a dash where there is none."""
    if row.aqi is None or row.aqi_category is None:
        return MISSING
    words = [html.B(number(row.aqi, lang, 0)), " ", t(f"aqi.{row.aqi_category}", lang)]
    return html.Span(words, className="d-aqi", **{"data-aqi": row.aqi_category.replace("_", "-")})


def station_state(row: StationState, lang: str) -> Component:
    """Whether a station reports, as shape, colour and word."""
    # the cadence is each datastream's own; a list does not age it on by guess
    return feed_state(row.state, lang, None, None)


def _open(view: View, row: StationState) -> Component:
    return link(row.name or row.source_id, view.to(item_path("/stations", row.feed, row.source_id), period=""))


def _values(values: Sequence[Measured], levels: Mapping[int, WaterLevel], lang: str) -> list[Component] | str:
    shown = [
        html.Span(
            [
                property_name(value, lang),
                " ",
                html.B(number(value.value, lang, decimals(value.value))),
                f" {value.measure_unit} ",
                flag_words(value.flag, lang) if value.flag else None,
                water_words(levels[value.datastream_id], lang) if value.datastream_id in levels else None,
            ],
            className="d-pair",
        )
        for value in values[:SHOWN_VALUES]
    ]
    if len(values) > SHOWN_VALUES:
        shown.append(html.Span(t("desk.more_values", lang, n=len(values) - SHOWN_VALUES), className="d-quiet"))
    return shown or MISSING


def property_name(value: Measured, lang: str) -> str:
    """The name of what is measured; a property no text knows keeps its own name."""
    try:
        return t(f"property.{value.property}", lang)
    except KeyError:
        return value.name or value.property


def decimals(value: float) -> int:
    """Decimals that a value of this size is shown with."""
    return 0 if abs(value) >= 100 else 1
