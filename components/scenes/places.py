"""The wall's map panels: communes by overdue reports, open reports on a grid, stations by VN_AQI class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from components.ids import part_id
from components.maps import Label, area_bounds, area_props, bounds_of, label_props, map_panel, point_props, sovereignty
from components.polygons import Bounds, heat_step
from components.scenes.answers import Answers
from components.scenes.lists import worst_air
from components.theme import AQI_CLASSES
from components.tiles import Props
from text import t
from text.formats import number

HEAT_LABELS = 5
HEAT_TOP = 5  # one or two overdue reports are no reason for the strongest colour
SOVEREIGN_NAMES = ("hoang_sa", "truong_sa", "bien_dong")


def map_section(panel_id: str, scene: str, lang: str) -> Component:
    """The skeleton of a map panel: map, words when there is nothing to draw, legend."""
    return html.Section([
        map_panel(scene),
        html.Div(id=part_id(panel_id, "empty"), className="map-empty"),
        html.Div(className="panel-asof", **{"data-age": "asof"}),  # type: ignore[arg-type]
        html.Div(t("wall.map_note", lang), id=part_id(panel_id, "legend"), className="map-legend"),
    ], id=panel_id, className="panel map-panel")


def map_props(panel_id: str, scene: str, key: str, answers: Answers, lang: str) -> Props:
    """Props of a map panel, by id."""
    steps, points, labels, legend, placed = _MAPS[key](answers, lang)
    bounds = area_bounds(answers.areas) or bounds_of(placed, trim=0.01)
    names = {name: t(f"wall.{name}", lang) for name in SOVEREIGN_NAMES}
    has_any = bounds is not None
    return {
        **area_props(scene, answers.areas, steps),
        **point_props(scene, points, bounds),
        **label_props(scene, (*sovereignty(bounds, names), *labels)),
        part_id(panel_id, "empty"): {"children": "" if has_any else t("empty.map", lang)},
        part_id(panel_id, "legend"): {"children": [*legend, html.Span(t("wall.map_note", lang))] if has_any else ""},
    }


Drawn = tuple[dict[str, int], list[dict[str, Any]], list[Label], list[Component], list[tuple[float | None, float | None]]]


def _heat(answers: Answers, lang: str) -> Drawn:
    """Communes by overdue reports, the highest named. Without polygons the reports themselves."""
    if area_bounds(answers.areas) is None:
        return _reports(answers, lang)
    points = [p for p in answers.groups("reports_overdue", "area") if p.group]
    counts = {p.group: p.value or 0 for p in points}
    highest = max(counts.values(), default=0)
    top = max(highest, HEAT_TOP)
    steps = {code: heat_step(count, top) for code, count in counts.items() if count}
    steps |= {p.group: heat_step(1, top) for p in points if p.state}  # some, and few: the faintest colour
    worst = sorted((a for a in answers.areas if counts.get(a.code) and a.geometry), key=lambda a: -counts[a.code])
    labels = [
        Label(*_middle(a.lon, a.lat, a.geometry), f"{a.name} {number(counts[a.code], lang, 0)}") for a in worst[:HEAT_LABELS]
    ]
    words = t("wall.heat_legend", lang) if highest else t("wall.heat_none", lang)
    ends = ("1", number(top, lang, 0))
    scale = [html.Span(words)]
    if highest:
        scale = [html.Span([html.Span(words), html.Span(ends[0]), html.I(className="heat"), html.Span(ends[1])])]
    return steps, [], labels, scale, []


def _reports(answers: Answers, lang: str) -> Drawn:
    """Open reports on the grid: a ring, filled where any of them is overdue; drawn last so that they lie on top."""
    # a withheld count is at least 1: the point is there, its size tells no number
    cells = sorted(answers.cells, key=lambda cell: (cell.overdue != 0, cell.open or 0))
    points = [
        {"lon": c.lon, "lat": c.lat, "kind": "open" if c.overdue == 0 else "overdue", "size": min(1.0, math.sqrt(c.open or 1) / 4)}
        for c in cells
    ]
    legend = [
        html.Span([html.I(className="swatch swatch-round", style={"background": "var(--bad)"}), t("wall.legend_overdue", lang)]),
        html.Span([html.I(className="swatch swatch-ring"), t("wall.legend_open", lang)]),
    ]
    return {}, points, [], legend, [(c.lon, c.lat) for c in cells]


def _stations(answers: Answers, lang: str) -> Drawn:
    """Stations by VN_AQI class, the worst with their figure; other stations as small quiet points."""
    placed = [s for s in answers.stations if s.lon is not None and s.lat is not None]
    points = [
        {"lon": s.lon, "lat": s.lat, "kind": s.aqi_category or "none", "size": 0.7 if s.aqi is not None else 0.05}
        for s in sorted(placed, key=lambda s: (s.aqi is not None, s.aqi or 0))
    ]
    air = [s for s in worst_air(placed) if s.aqi_category]
    labels = [Label(s.lon or 0.0, s.lat or 0.0, str(s.aqi), s.aqi_category or "") for s in air]
    classes = [name for name in AQI_CLASSES if any(s.aqi_category == name for s in air)]
    legend = [_swatch(name, t(f"aqi.{name}", lang)) for name in classes]
    if len(placed) > len(air):
        legend.append(_swatch("none", t("wall.other_stations", lang)))
    return {}, points, labels, legend, [(s.lon, s.lat) for s in placed]


def _swatch(name: str, words: str) -> Component:
    colour = f"var(--aqi-{name.replace('_', '-')})"
    return html.Span([html.I(className="swatch swatch-round", style={"background": colour}), words])


def _middle(lon: float | None, lat: float | None, geometry: Any) -> tuple[float, float]:
    """Where an area's label goes: its given point, else the middle of its largest ring."""
    if lon is not None and lat is not None:
        return lon, lat
    rings = [part[0] for part in (geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]])]
    ring: Sequence[Any] = max(rings, key=len)
    box: Bounds = bounds_of([(float(x), float(y)) for x, y, *_ in ring]) or (0.0, 0.0, 0.0, 0.0)
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


_MAPS = {"heat": _heat, "reports": _reports, "stations": _stations}
