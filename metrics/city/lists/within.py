"""A place drawn by a reader: a polygon as text, and the SQL condition of what lies inside it. One for lists, map, exports and API.

Who may not know where exactly a citizen stood is asked about the grid cells they are told: a narrow polygon must not find the point.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from metrics.city import City
from metrics.city.grid import Grid, read_grid
from metrics.city.masking import needs_grid

MOST_CORNERS = 24  # as many as a query parameter holds
PAIRS, PAIR = "_", ","
DECIMALS = 5  # about a metre


@dataclass(frozen=True)
class Polygon:
    """Corners (lon, lat) in degrees (WGS84), the last joined to the first; inside = an odd number of edges to the east."""

    corners: tuple[tuple[float, float], ...]

    @property
    def text(self) -> str:
        """As the parameter `within` holds it."""
        return PAIRS.join(f"{_short(lon)}{PAIR}{_short(lat)}" for lon, lat in self.corners)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """West, south, east, north."""
        lons, lats = zip(*self.corners, strict=True)
        return min(lons), min(lats), max(lons), max(lats)


@dataclass(frozen=True)
class Place:
    """Where a row lies as SQL, for this reader: expressions of longitude and latitude, and what they are rounded to (None = as stored)."""

    lon: str
    lat: str
    grid: Grid | None = None

    @property
    def values(self) -> dict[str, float]:
        """Values of the expressions."""
        return {} if self.grid is None else {"place_lon": self.grid.step_lon, "place_lat": self.grid.step_lat}


def read_polygon(given: str) -> Polygon:
    """The polygon of a text `lon,lat_lon,lat_...`. Raises ValueError naming the field.

    >>> read_polygon("106,20_107,20_107,21").text
    '106,20_107,20_107,21'
    """
    try:
        corners = tuple(_corner(pair) for pair in given.split(PAIRS))
    except ValueError as fault:
        raise ValueError(f"within: {given[:60]!r} is no polygon; write 3 to {MOST_CORNERS} corners as lon,lat_lon,lat_lon,lat") from fault
    if not 3 <= len(corners) <= MOST_CORNERS:
        raise ValueError(f"within: {len(corners)} corners; 3 to {MOST_CORNERS} are understood")
    return Polygon(corners)


def _corner(pair: str) -> tuple[float, float]:
    lon, lat = (float(part) for part in pair.split(PAIR))
    if not (math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90):
        raise ValueError(pair[:40])
    return round(lon, DECIMALS), round(lat, DECIMALS)


def _short(value: float) -> str:
    return f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")


def inside_polygon(polygon: Polygon, lon: float, lat: float) -> bool:
    """Does a point lie inside, by the rule of `inside`?"""
    corners = polygon.corners
    crossed = (
        (lat >= y1) != (lat >= y2) and lon < x1 + (x2 - x1) / (y2 - y1) * (lat - y1)
        for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1], strict=True) if y1 != y2
    )
    return sum(crossed) % 2 == 1


def place_of(connection: Connection, city: City, topic: str, prefix: str) -> Place:
    """Where rows of a topic lie, as this reader may know it. `prefix` is a table alias with its dot."""
    if topic != "reports" or not needs_grid(city.scope):
        return Place(f"{prefix}lon", f"{prefix}lat")
    grid = read_grid(connection, city)
    return Place(f"(round({prefix}lon / :place_lon) * :place_lon)", f"(round({prefix}lat / :place_lat) * :place_lat)", grid)


def inside_box(place: Place, prefix: str, box: tuple[float, float, float, float], values: dict[str, Any], name: str = "box") -> str:
    """SQL (with leading AND) of what lies in a box west, south, east, north; the stored columns are compared too, for an index."""
    margin = (0.0, 0.0) if place.grid is None else (place.grid.step_lon, place.grid.step_lat)
    west, south, east, north = box
    values.update(place.values)
    values.update({f"{name}_w": west, f"{name}_s": south, f"{name}_e": east, f"{name}_n": north})
    found = f" AND {place.lon} BETWEEN :{name}_w AND :{name}_e AND {place.lat} BETWEEN :{name}_s AND :{name}_n"
    if place.grid is None:
        return found
    values.update({f"{name}_far_w": west - margin[0], f"{name}_far_e": east + margin[0]})
    return f" AND {prefix}lon BETWEEN :{name}_far_w AND :{name}_far_e{found}"


def inside(connection: Connection, city: City, topic: str, polygon: Polygon, prefix: str, values: dict[str, Any]) -> str:
    """SQL (with leading AND) of rows of the topic (reports | stations) inside the polygon, as this reader may know where they lie."""
    place = place_of(connection, city, topic, prefix)
    crossings = []
    corners = polygon.corners
    for n, ((x1, y1), (x2, y2)) in enumerate(zip(corners, corners[1:] + corners[:1], strict=True)):
        if y1 == y2:
            continue  # a level edge is crossed by no level ray
        low = f":in_x{n} + :in_k{n} * ({place.lat} - :in_y{n})"
        values.update({f"in_x{n}": x1, f"in_y{n}": y1, f"in_z{n}": y2, f"in_k{n}": (x2 - x1) / (y2 - y1)})
        crossings.append(
            f"CASE WHEN ({place.lat} >= :in_y{n}) <> ({place.lat} >= :in_z{n}) AND {place.lon} < {low} THEN 1 ELSE 0 END"
        )
    odd = f" AND ({' + '.join(crossings)}) % 2 = 1" if crossings else " AND 1 = 0"
    return inside_box(place, prefix, polygon.box, values, "in") + odd
