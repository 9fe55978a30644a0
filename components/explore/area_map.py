"""The small map of /explore: each area is a link cut to its polygon, so that it is clicked, tabbed to, printed and read aloud like any.

No map library and no picture from outside: polygons are CSS clip-paths in percent of the frame, the borders one SVG used as a mask.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import shapely
from dash import html
from dash.development.base_component import Component
from shapely.geometry import shape

from components.explore.bars import scale
from components.explore.state import State, here, is_chosen, toggled
from components.explore.words import measure_name, value_words
from components.maps import sovereignty, with_country
from components.theme import HEAT
from metrics.city.areas import AreaShape
from metrics.city.explore.question import Answer, Row
from text import t

DETAIL = 260  # steps along the longer side: two pixels of a map this size
STEPS = len(HEAT["light"])


@dataclass(frozen=True)
class Cut:
    """One area as it is drawn: the box around it in percent of the frame, and its clip-path in percent of that box."""

    code: str
    path: str
    left: float
    top: float
    width: float
    height: float

    @property
    def style(self) -> dict[str, str]:
        """Where and in what form it is drawn."""
        box = {"left": self.left, "top": self.top, "width": self.width, "height": self.height}
        return {**{name: f"{value:.2f}%" for name, value in box.items()}, "clipPath": self.path}


@dataclass(frozen=True)
class Drawing:
    """All areas in one frame. ratio = width by height; borders = an SVG's url; bounds in degrees."""

    cuts: tuple[Cut, ...]
    ratio: float
    borders: str
    bounds: tuple[float, float, float, float]


def drawing_of(areas: Sequence[AreaShape]) -> Drawing | None:
    """The areas that have polygons, ready to be drawn; None without any."""
    drawn = tuple((area.code, _Held(area.geometry)) for area in areas if area.geometry is not None)
    return draw(drawn) if drawn else None


def area_map(state: State, areas: Sequence[AreaShape], answer: Answer) -> Component | None:
    """The measure by area; None in a city without polygons or whose rows lie nowhere: the table shows the same."""
    drawn = tuple(area for area in areas if area.geometry is not None)
    if not drawn:
        return None
    drawing = draw(tuple((area.code, _Held(area.geometry)) for area in drawn))
    rows = {row.groups[0]: row for row in answer.rows}
    if not any(area.code in rows for area in drawn):
        return None  # nothing of it lies in a place: a grey map tells less than none
    names = {area.code: area.full_name or area.name for area in drawn}
    most = _most(state, answer)
    any_chosen = any(is_chosen(state, "area", cut.code) for cut in drawing.cuts)
    places = [_area(state, cut, names[cut.code], rows.get(cut.code), most) for cut in drawing.cuts]
    words = {key: t(f"wall.{key}", state.lang) for key in ("hoang_sa", "truong_sa", "bien_dong")}
    labels = [_label(drawing, one.lon, one.lat, one.text) for one in sovereignty(drawing.bounds, words)]
    borders = html.Span(className="d-x-borders", style={"--map": drawing.borders}, **{"aria-hidden": "true"})
    frame = html.Div(
        [*places, borders, *labels],
        className="d-x-map",
        role="group",
        style={"--ratio": f"{drawing.ratio:.3f}"},
        **{
            "aria-label": t("explore.map_of", state.lang, name=measure_name(state.measure, state.lang)),
            "data-chosen": "1" if any_chosen else "",
        },
    )
    return html.Div([frame, _legend(state, most)], className="d-x-mapped")


def _most(state: State, answer: Answer) -> float:
    """What the strongest colour stands for: the highest value, of a share too, so that areas differ."""
    known = [abs(row.figures[0].value) for row in answer.rows if row.figures[0].value is not None and row.groups[0]]
    return max(known, default=0.0) or scale(state, [])


def _area(state: State, cut: Cut, name: str, row: Row | None, most: float) -> Component:
    value = row.figures[0].value if row else 0.0 if state.measure.adds_up else None  # of what is counted there is none
    on = is_chosen(state, "area", cut.code)
    told = f"{name}: {value_words(state.measure, value, state.lang)}"
    marks = {"data-step": str(step_of(value, most)), "data-chosen": "1" if on else "", **({"aria-current": "true"} if on else {})}
    tip = html.Span(told, className="d-unseen")
    return here(tip, toggled(state, "area", cut.code), "d-x-area", f"area:{cut.code}", title=told, style=cut.style, **marks)


def step_of(value: float | None, most: float) -> int:
    """Colour step of a value: -1 = not known, 0 = none, then by share of the highest."""
    if value is None:
        return -1
    if not value or most <= 0:
        return 0
    return min(STEPS - 1, 1 + int((STEPS - 1) * abs(value) / most * 0.999))


def _legend(state: State, most: float) -> Component:
    """From none to the highest; what is not known."""
    words = [value_words(state.measure, bound, state.lang, is_short=True) for bound in (0.0, most)]
    swatches = [html.Span(className="d-x-swatch", **{"data-step": str(step)}) for step in range(STEPS)]
    return html.P(
        [
            html.Span(words[0]),
            html.Span(swatches, className="d-x-swatches", **{"aria-hidden": "true"}),
            html.Span(words[1]),
            html.Span([html.Span(className="d-x-swatch", **{"data-step": "-1"}), t("explore.no_figure", state.lang)], className="d-x-none"),
        ],
        className="d-x-legend",
    )


def _label(drawing: Drawing, lon: float, lat: float, words: str) -> Component:
    west, south, east, north = drawing.bounds
    place = {"left": f"{100 * (lon - west) / (east - west):.1f}%", "top": f"{100 * (north - lat) / (north - south):.1f}%"}
    return html.Span(words, className="d-x-sea", style=place)


# ---- geometry -----------------------------------------------------------------------------------------------------------
class _Held:
    """A geometry compared by identity: City hands out the same object for the same stored text."""

    def __init__(self, geometry: Mapping[str, Any] | None) -> None:
        self.geometry = geometry

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and self.geometry is other.geometry

    def __hash__(self) -> int:
        return id(self.geometry)


@lru_cache(maxsize=8)
def draw(areas: tuple[tuple[str, _Held], ...]) -> Drawing:
    """Polygons as clip-paths, shared borders kept shared; degrees of longitude as wide as they are in the middle of the city."""
    shapes = [shape(held.geometry) for _, held in areas]
    west, south, east, north = with_country(tuple(float(one) for one in shapely.total_bounds(shapes)))  # type: ignore[arg-type]
    tolerance = max(east - west, north - south) / DETAIL
    coarse = shapely.coverage_simplify(shapes, tolerance)
    narrow = math.cos(math.radians((south + north) / 2))
    ratio = (east - west) * narrow / (north - south)

    def percent(points: Any) -> list[tuple[float, float]]:
        return [(100 * (x - west) / (east - west), 100 * (north - y) / (north - south)) for x, y, *_ in points]

    cuts, outlines = [], []
    for (code, _), found in zip(areas, coarse, strict=True):
        rings = [percent(ring.coords) for ring in _rings(found)]
        if rings:
            cuts.append(_cut(code, rings))
            outlines += rings
    return Drawing(tuple(cuts), ratio, _outline(outlines), (west, south, east, north))


def _rings(found: Any) -> Iterator[Any]:
    for part in getattr(found, "geoms", (found,)):
        if not part.is_empty:
            yield part.exterior
            yield from part.interiors


def _cut(code: str, rings: Sequence[Sequence[tuple[float, float]]]) -> Cut:
    """One polygon() of all rings: each is walked from the first point and back to it, and even-odd filling leaves the way out."""
    xs, ys = zip(*(point for ring in rings for point in ring), strict=True)
    left, top, width, height = min(xs), min(ys), (max(xs) - min(xs)) or 0.01, (max(ys) - min(ys)) or 0.01
    points = [*rings[0]]
    for ring in rings[1:]:
        points += [*ring, rings[0][0]]
    walked = ", ".join(f"{100 * (x - left) / width:.1f}% {100 * (y - top) / height:.1f}%" for x, y in points)
    return Cut(code, f"polygon(evenodd, {walked})", left, top, width, height)


def _outline(rings: Sequence[Sequence[tuple[float, float]]]) -> str:
    lines = "".join(f"M{'L'.join(f'{x:.1f} {y:.1f}' for x, y in ring)}" for ring in rings)
    body = f'<path d="{lines}" fill="none" stroke="#000" stroke-width="1" vector-effect="non-scaling-stroke"/>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" preserveAspectRatio="none">{body}</svg>'
    return f'url("data:image/svg+xml,{quote(svg, safe=" =/:.,-")}")'
