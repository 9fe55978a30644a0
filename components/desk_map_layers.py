"""Answers of the city as what the map's layers hold: features, colours of areas, legends. Pure: numbers in, props and words out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from components.desk_links import View
from components.desk_map import collection, point, swatches
from components.desk_map_scale import Scale, scale_of
from components.desk_parts import link
from components.desk_table import Column, table
from components.desk_tiles import unit, with_unit
from components.polygons import heat_step
from components.theme import AQI_CLASSES
from metrics.city.areas import AreaShape
from metrics.city.measured.stations import StationState
from metrics.city.numbers.series import Point
from metrics.city.numbers.small_counts import SUPPRESSED
from metrics.city.places import SPANS, Spots, Squares
from metrics.kpis import kpi
from metrics.vn_aqi import category
from text import t
from text.formats import MISSING, number

SPAN_LOOKS = {
    "overdue": "var(--bad)", "soon": "var(--near)", "later": "var(--trace)", "far": "var(--good)", "no_due": "transparent",
    "ended": "var(--line)",
}
STEPS_SHOWN = 5


# ---- reports ----------------------------------------------------------------------------------------------------------
def spot_features(found: Spots) -> dict[str, Any]:
    """Points: n, s = how many of each span, b = their box, f and i = feed and id of a single one."""
    return collection([
        point(spot.lon, spot.lat, {
            "n": spot.n, "s": [getattr(spot, name) for name in SPANS], "b": [spot.west, spot.south, spot.east, spot.north],
            **({"f": spot.feed, "i": spot.source_id} if spot.feed else {}),
        })
        for spot in found.spots
    ])


def square_features(found: Squares) -> dict[str, Any]:
    """Cells: n (None = withheld), k = colour step, b = box. A withheld cell has the faintest colour: it is not empty."""
    return collection([_square(s.lon, s.lat, s.n, found) for s in found.squares])


def _square(lon: float, lat: float, n: int | None, found: Squares) -> dict[str, Any]:
    x, y = found.step_lon / 2, found.step_lat / 2
    west, south, east, north = (round(value, 6) for value in (lon - x, lat - y, lon + x, lat + y))
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    step = 1 if n is None else heat_step(n, found.highest)
    properties = {"n": n, "k": step, "b": [west, south, east, north]}
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def spans_legend(lang: str) -> Component:
    """Remaining working time in colours and shapes."""
    shapes = {"overdue": "square", "soon": "triangle", "no_due": "ring"}
    items = [
        html.Li([
            html.I(className=f"m-swatch m-{shapes.get(name, 'round')}", style={"--swatch": SPAN_LOOKS[name]}),
            html.Span(t(f"map.span.{name}", lang)),
        ])
        for name in SPANS
    ]
    return html.Ul(items, className="m-legend")


def density_legend(found: Squares | None, lang: str) -> Component:
    """Few to many; the numbers are those of what is in sight."""
    most = "" if found is None else number(found.highest, lang, 0)
    ramp = [html.I(className="m-swatch m-square", style={"--swatch": f"var(--tide-{step})"}) for step in range(1, STEPS_SHOWN)]
    return html.P([html.Span("1"), *ramp, html.Span(most or t("map.many", lang))], className="m-ramp")


# ---- stations ---------------------------------------------------------------------------------------------------------
def station_features(found: Iterable[StationState], on_day: Mapping[tuple[str, str], int] | None) -> dict[str, Any]:
    """Stations, those with an index above the others. On a day: by that day's index, and nothing said of whether they reported."""
    rows = []
    for row in found:
        if row.lon is None or row.lat is None:
            continue
        aqi = row.aqi if on_day is None else on_day.get((row.feed, row.source_id))
        kind = "none" if aqi is None else category(aqi).key
        state = row.state if on_day is None else ""
        rows.append((aqi if aqi is not None else -1, point(row.lon, row.lat, {
            "f": row.feed, "i": row.source_id, "t": row.name, "c": kind, "a": aqi, "q": state in ("stale", "dead", "never"),
        })))
    return collection([feature for _, feature in sorted(rows, key=lambda pair: pair[0])])


def stations_legend(lang: str) -> list[Component]:
    """VN_AQI classes, stations without an index, silent ones."""
    rows = _aqi_rows(lang)
    rows.append(("var(--aqi-none)", t("map.other_station", lang)))
    return [swatches(rows, "diamond"), html.P(t("map.silent_station", lang), className="d-quiet")]


def _aqi_rows(lang: str) -> list[tuple[str, str]]:
    return [(f"var(--aqi-{name.replace('_', '-')})", t(f"aqi.{name}", lang)) for name in AQI_CLASSES]


# ---- areas ------------------------------------------------------------------------------------------------------------
def area_colours(key: str, areas: Sequence[AreaShape], points: Sequence[Point], lang: str, top: float) -> dict[str, Any]:
    """The hideout of the areas' layer: colour step and words by code, the palette, the highest value so far."""
    known = {p.group: p for p in points}
    values = {code: p.value for code, p in known.items() if p.value is not None}
    scale = None if _is_aqi(key) else scale_of(kpi(key), values, top)
    steps: dict[str, int | str] = {code: scale.step(value) for code, value in values.items()} if scale else {}
    if _is_aqi(key):
        steps = {code: category(round(value)).key.replace("_", "-") for code, value in values.items()}
    steps |= {code: 1 for code, p in known.items() if p.state == SUPPRESSED}  # some, and few
    palette = "aqi" if _is_aqi(key) else scale.colours if scale else "tide"
    words = {area.code: f"{area.full_name or area.name}: {value_words(key, known.get(area.code), lang)}" for area in areas}
    return {"steps": steps, "words": words, "palette": palette, "top": max([top, *values.values()])}


def _is_aqi(key: str) -> bool:
    """Is it an index whose classes have colours of their own (Decision 1459/QĐ-TCMT)?"""
    return kpi(key).measure_unit == "aqi"


def value_words(key: str, found: Point | None, lang: str) -> str:
    """A value with its unit and n; why there is none."""
    if found is None:
        return t("map.no_figure", lang)
    if found.state:
        return t(f"desk.small_{found.state}", lang)
    if found.value is None:
        return t("map.no_figure", lang)
    n = f" (n = {number(found.n, lang, 0)})" if kpi(key).measure not in ("count", "stock") and found.n else ""
    return with_unit(key, found.value, lang) + n


def area_legend(key: str, points: Sequence[Point], lang: str, top: float) -> list[Component]:
    """The classes with their colours, from low to high, and what has no figure."""
    values = {p.group: p.value for p in points if p.value is not None}
    scale = scale_of(kpi(key), values, top)
    rows = _aqi_rows(lang) if _is_aqi(key) else [] if scale is None else _coloured(scale, _classes(key, scale, lang))
    told = t("map.unit", lang, unit=unit(key, lang) or t("map.count", lang))
    return [html.P(told, className="d-quiet"), swatches(rows, "square"), swatches([("transparent", t("map.no_figure", lang))], "empty")]


def _coloured(scale: Scale, words: Sequence[str]) -> list[tuple[str, str]]:
    return [(f"var(--{scale.colours}-{step})", said) for step, said in zip(scale.steps, words, strict=True)]


def _classes(key: str, scale: Scale, lang: str) -> list[str]:
    bounds = list(zip(scale.edges, scale.edges[1:], strict=False))
    if scale.is_count:
        return ["0", *(_span(low, high - 1, lang, 0) for low, high in bounds[1:])]
    return [_span(low, high, lang, kpi(key).decimals) for low, high in bounds]


def _span(low: float, high: float, lang: str, decimals: int) -> str:
    return number(low, lang, decimals) if low == high else f"{number(low, lang, decimals)}–{number(high, lang, decimals)}"


def area_table(view: View, key: str, areas: Sequence[AreaShape], points: Sequence[Point]) -> Component:
    """The map of areas as a table, highest first: what a screen reader reads."""
    lang, names = view.lang, {area.code: area.full_name or area.name for area in areas}
    rows = sorted(points, key=lambda p: (p.value is None, -(p.value or 0), names.get(p.group, p.label)))
    columns = (
        Column[Point](t("desk.area", lang), lambda p: link(names.get(p.group, p.label), view.here(area=p.group)), "main"),
        Column[Point](t(f"kpi.{key}.label", lang), lambda p: value_words(key, p, lang), "number"),
        Column[Point]("n", lambda p: MISSING if p.n is None else number(p.n, lang, 0), "number"),
    )
    return table(columns, rows, t("map.table", lang, name=t(f"kpi.{key}.label", lang)))
