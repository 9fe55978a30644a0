"""A small map around one report: outlines of its area, the reports near it as dots. A picture: no tiles, no script, prints as it is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import shapely
from dash import html
from dash.development.base_component import Component
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from components.drawing import HEIGHT, WIDTH, legend, mark, picture
from metrics.city.grid import METRES_PER_DEGREE, Grid
from metrics.city.records.near import RADIUS_M, Neighbours
from metrics.city.records.reports import ReportItem
from text import t
from text.formats import number

MARGIN = 1.12
_BARS = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)  # metres a scale bar may show
_CIRCLE = 48


class Window:
    """A square of ground around a point, laid over the picture."""

    def __init__(self, lon: float, lat: float, half_m: float) -> None:
        self.lon, self.lat, self.half_m = lon, lat, half_m
        self.high = half_m / METRES_PER_DEGREE
        self.wide = self.high / max(0.1, math.cos(math.radians(lat)))

    def share(self, lon: float, lat: float) -> tuple[float, float]:
        """0..1 from the left and from the bottom."""
        return (lon - self.lon + self.wide) / (2 * self.wide), (lat - self.lat + self.high) / (2 * self.high)

    def point(self, lon: float, lat: float) -> str:
        """A point of a layer."""
        x, y = self.share(lon, lat)
        return f"{WIDTH * x:.1f} {HEIGHT * (1 - y):.1f}"

    @property
    def box(self) -> tuple[float, float, float, float]:
        """West, south, east, north."""
        return self.lon - self.wide, self.lat - self.high, self.lon + self.wide, self.lat + self.high


def small_map(lang: str, item: ReportItem, near: Neighbours, outlines: Iterable[Mapping[str, Any]], grid: Grid | None) -> Component | None:
    """The map, or None for a report without a place. `outlines` = GeoJSON of the areas; `grid` = what the reader is told places by."""
    if item.lon is None or item.lat is None:
        return None
    half = RADIUS_M if grid is None else grid.step_lat * METRES_PER_DEGREE
    window = Window(item.lon, item.lat, half * MARGIN)
    shapes = [clipped for geometry in outlines if not (clipped := shapely.clip_by_rect(shape(geometry), *window.box)).is_empty]
    around = _cell(window, item.lon, item.lat, grid) if grid else _ring(window, item.lon, item.lat)
    layers = {"land": _filled(window, shapes), "border": _lines(window, shapes), "ring": around}
    places = {} if near.is_cell else {(row.lon, row.lat): row for row in reversed(near.rows)}
    dots = [_dot(window, row.lon, row.lat, "like" if row.category_code == item.category_code else "other") for row in places.values()]
    here = None if grid else _dot(window, item.lon, item.lat, "here")
    words = t("near.map", lang, n=number(near.n, lang, 0))
    keys = [("cell", t("near.cell", lang))] if grid else [("here", t("near.this", lang))]
    keys += [] if near.is_cell else [("like", t("near.like", lang)), ("other", t("near.other", lang))]
    return html.Div([picture(layers, [*dots, here, _bar(window, lang)], words, "r-map"), legend(keys)], className="r-figure")


def _dot(window: Window, lon: float, lat: float, kind: str) -> Component | None:
    x, y = window.share(lon, lat)
    return mark(kind, f"{100 * x:.2f}%", f"{100 * y:.2f}%") if 0 <= x <= 1 and 0 <= y <= 1 else None


def _bar(window: Window, lang: str) -> Component:
    """The scale: so many metres."""
    metres = max(length for length in _BARS if length <= window.half_m or length == _BARS[0])
    line = html.Span(className="r-scale-bar", style={"width": f"{100 * metres / (2 * window.half_m):.2f}%"})
    return html.Div([line, html.Span(t("near.metres", lang, n=number(metres, lang, 0)))], className="r-scale", **{"aria-hidden": "true"})


def _ring(window: Window, lon: float, lat: float) -> str:
    """The circle within which neighbours are looked for."""
    high = RADIUS_M / METRES_PER_DEGREE
    wide = high * window.wide / window.high
    turns = (2 * math.pi * n / _CIRCLE for n in range(_CIRCLE))
    return _outline("L".join(window.point(lon + wide * math.cos(turn), lat + high * math.sin(turn)) for turn in turns), "5 5")


def _cell(window: Window, lon: float, lat: float, grid: Grid) -> str:
    """The cell a report is told by."""
    wide, high = grid.step_lon / 2, grid.step_lat / 2
    corners = ((lon - wide, lat - high), (lon + wide, lat - high), (lon + wide, lat + high), (lon - wide, lat + high))
    return _outline("L".join(window.point(*corner) for corner in corners), "")


def _outline(steps: str, dashes: str) -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<path d="M{steps}Z" fill="none" stroke="#000" stroke-width="1.5" vector-effect="non-scaling-stroke"{dashed}/>'


def _filled(window: Window, shapes: Sequence[BaseGeometry]) -> str:
    return "".join(f'<path d="{_rings(window, found)}" fill-rule="evenodd"/>' for found in shapes)


def _lines(window: Window, shapes: Sequence[BaseGeometry]) -> str:
    style = 'fill="none" stroke="#000" stroke-width="1.5" vector-effect="non-scaling-stroke"'
    return "".join(f'<path d="{_rings(window, found)}" {style}/>' for found in shapes)


def _rings(window: Window, found: BaseGeometry) -> str:
    parts = [part for part in getattr(found, "geoms", [found]) if part.geom_type == "Polygon"]
    rings = [ring for part in parts for ring in (part.exterior, *part.interiors)]
    return "".join("M" + "L".join(window.point(x, y) for x, y, *_ in ring.coords) + "Z" for ring in rings)
