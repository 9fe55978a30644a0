"""Areas as shapes to draw: coarsened to what a screen can show with shared borders kept shared, and as CSS clip-paths of plain HTML."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import shapely
from shapely.geometry import shape

from components.theme import HEAT
from metrics.city.areas import AreaShape

Bounds = tuple[float, float, float, float]  # west, south, east, north
SOVEREIGN_BOX = (111.0, 8.0, 115.0, 17.2)  # around both archipelagos
NATIONAL_SPAN_DEG = 7.0  # a view this high is a view of the country
STEPS = len(HEAT["light"])
DETAIL = 260  # steps along the longer side of a drawing: two pixels of a map this size


class Held:
    """A geometry compared by identity: City hands out the same object for the same stored text."""

    def __init__(self, geometry: Mapping[str, Any] | None) -> None:
        self.geometry = geometry

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Held) and self.geometry is other.geometry

    def __hash__(self) -> int:
        return id(self.geometry)


def held(areas: Sequence[AreaShape]) -> tuple[tuple[str, Held], ...]:
    """(code, geometry) of the areas that have polygons: the same while they stay the same, so that what is made of them is kept."""
    return tuple((area.code, Held(area.geometry)) for area in areas if area.geometry is not None)


def coarsened(areas: Sequence[tuple[str, Held]], detail: int) -> tuple[list[Any], Bounds]:
    """(shapes in the order of `areas`, the box to show them in); so coarse that the longer side has `detail` steps."""
    shapes = [shape(one.geometry) for _, one in areas]
    west, south, east, north = (float(one) for one in shapely.total_bounds(shapes))
    coarse = shapely.coverage_simplify(shapes, max(east - west, north - south) / detail)
    return list(coarse), with_country((west, south, east, north))


def with_country(box: Bounds) -> Bounds:
    """A view of the country is widened until both archipelagos are in it."""
    if box[3] - box[1] < NATIONAL_SPAN_DEG:
        return box
    far = SOVEREIGN_BOX
    return min(box[0], far[0]), min(box[1], far[1]), max(box[2], far[2]), max(box[3], far[3])


def heat_step(value: float | None, highest: float) -> int:
    """Colour step 0..4 of a count: 0 = none; the rest by share of the highest."""
    if not value or highest <= 0:
        return 0
    return min(STEPS - 1, 1 + int((STEPS - 1) * value / highest * 0.999))


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
    drawn = held(areas)
    return _draw(drawn) if drawn else None


@lru_cache(maxsize=8)
def _draw(areas: tuple[tuple[str, Held], ...]) -> Drawing:
    """Polygons as clip-paths; degrees of longitude as wide as they are in the middle of the city."""
    coarse, (west, south, east, north) = coarsened(areas, DETAIL)
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
