"""What a map shows of one view: reports clustered on a grid of the zoom, or counted on it; stations; and where everything lies.

A view is a box and a zoom; what is read follows the box, never all there is, and an answer holds at most MOST things. Who may not know
where exactly a citizen stood is given cells of the city's grid, counted as if all of a cell's reports stood in its middle.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, text

from metrics.city import City
from metrics.city.findings import hotspots
from metrics.city.lists.paging import Query
from metrics.city.lists.within import Place, inside_box, place_of
from metrics.city.masking import masked, needs_grid
from metrics.city.measured.stations import daily_indices
from metrics.city.numbers.sums import NOTHING_CHOSEN, Choice
from metrics.city.records import reports
from metrics.city.records.reports import Asked
from metrics.worktime import due_within_boundary
from store.days import instant, moment

MOST = 600
CLUSTER_PX, CELL_PX, POINT_PX = 64, 40, 16
FEW = 300  # as few as this are shown one by one
SOON_DAYS, LATER_DAYS = 2, 5  # working days; "soon" is that of the lists
ZOOMS = (3, 19)
EVERYWHERE = (-180.0, -90.0, 180.0, 90.0)
CLUSTERS, DENSITY = "clusters", "density"
LOOKS = (CLUSTERS, DENSITY)
SPANS = ("overdue", "soon", "later", "far", "no_due", "ended")  # of remaining working time, the most urgent first
Box = tuple[float, float, float, float]  # west, south, east, north


@dataclass(frozen=True)
class Spot:
    """A report (n = 1, then feed and source_id name it), or several that lie close together: their middle, how many, how many of each
    span of remaining working time, and the box they fill."""

    lon: float
    lat: float
    n: int
    overdue: int
    soon: int
    later: int
    far: int
    no_due: int
    ended: int
    west: float
    south: float
    east: float
    north: float
    feed: str = ""
    source_id: str = ""


@dataclass(frozen=True)
class Square:
    """A cell of a density map by its middle; n None = withheld, which is not 0."""

    lon: float
    lat: float
    n: int | None


@dataclass(frozen=True)
class Spots:
    """Reports of a view. step = width and height of a cell in degrees; is_grid: they lie on the grid of who may not know more."""

    spots: tuple[Spot, ...]
    step_lon: float
    step_lat: float
    is_grid: bool


@dataclass(frozen=True)
class Squares:
    """Density of a view: its cells, their width and height in degrees, the highest count told."""

    squares: tuple[Square, ...]
    step_lon: float
    step_lat: float
    highest: int


def degrees_of(zoom: float, pixels: float, latitude: float) -> tuple[float, float]:
    """Width and height in degrees of a square of so many pixels at a zoom of web maps (256 pixels hold the world at 0)."""
    step = 360.0 / 256 / 2 ** min(max(zoom, ZOOMS[0]), ZOOMS[1]) * pixels
    return step, step * math.cos(math.radians(min(80.0, abs(latitude))))


def read_spots(city: City, chosen: Asked, box: Box = EVERYWHERE, zoom: float = ZOOMS[0]) -> Spots:
    """Reports of the filter in the box, most urgent last (they lie on top). Requires see.reports; ValueError as reports.read."""
    city.scope.require("see.reports")
    return _spots(city, chosen, box, zoom)


def read_squares(city: City, chosen: Asked, box: Box = EVERYWHERE, zoom: float = ZOOMS[0]) -> Squares:
    """How many reports of the filter lie in each cell of the box. Requires see.reports."""
    city.scope.require("see.reports")
    return _squares(city, chosen, box, zoom)


def read_told(city: City, choice: Choice = NOTHING_CHOSEN, box: Box = EVERYWHERE) -> Squares:
    """What readers without see.reports are told: open reports on the city's own grid, small counts withheld. Requires see.desk.

    One grid whatever the zoom: two of them laid over each other would tell more than either.
    """
    cells = hotspots.read(city, city.config.wall.grid_m, choice, MOST)
    west, south, east, north = box
    squares = tuple(Square(c.lon, c.lat, c.open) for c in cells if west <= c.lon <= east and south <= c.lat <= north)
    with city.store.reading() as connection:
        grid = hotspots.read_grid(connection, city)
    return Squares(squares, grid.step_lon, grid.step_lat, max((s.n or 0 for s in squares), default=0))


def day_indices(city: City, on: int, area: str = "") -> dict[tuple[str, str], int]:
    """Daily VN_AQI of the stations that have one on a day: (feed, station) -> index. Requires see.stations."""
    city.scope.require("see.stations")
    with city.store.reading() as connection:
        found = daily_indices(connection, city, area, on, on)
    named = (str(station).partition("/") for station in found["station"])
    return {(feed, source_id): int(aqi) for (feed, _, source_id), aqi in zip(named, found["aqi"].tolist(), strict=True)}


def extent(city: City, chosen: Asked) -> tuple[Box | None, int]:
    """The box of the filter's reports without the stray ones (1 in 100 at each side), None without any; and how many have a place.

    Worked out once for all who open the map (views are not: no two readers look at the same). Requires see.reports.
    """
    city.scope.require("see.reports")
    found: tuple[Box | None, int] = city.once("map_extent", *_state(city), chosen, make=lambda: _extent(city, chosen))
    return found


def _extent(city: City, chosen: Asked) -> tuple[Box | None, int]:
    spots = _spots(city, chosen, EVERYWHERE, 10).spots
    return trimmed(spots), sum(spot.n for spot in spots)


def trimmed(spots: Sequence[Spot], share: float = 0.01) -> Box | None:
    """The box around spots, leaving out a share of what they count at each of its sides."""
    if not spots:
        return None
    cut = share * sum(spot.n for spot in spots)
    west, south = (_past(sorted((getattr(spot, side), spot.n) for spot in spots), cut) for side in ("west", "south"))
    east, north = (_past(sorted(((getattr(spot, side), spot.n) for spot in spots), reverse=True), cut) for side in ("east", "north"))
    return west, south, east, north


def _past(counted: list[tuple[float, int]], cut: float) -> float:
    passed = 0
    for value, n in counted:
        passed += n
        if passed > cut:
            return value
    return counted[-1][0]


def _state(city: City) -> tuple[Any, ...]:
    """What an answer depends on beside its question: the reports, the clock, who is told the point and the number."""
    return city.revisions.get("reports", 0), city.as_of, needs_grid(city.scope), city.scope.field_classes


def _spots(city: City, chosen: Asked, box: Box, zoom: float) -> Spots:
    with city.store.reading() as connection:
        asked, place = _placed(connection, city, chosen, box)
        cells, step = _fitting(connection, city, asked, place, box, zoom, CLUSTER_PX)
        if cells and sum(row["n"] for row in cells) <= FEW:
            step = _steps(place, zoom, POINT_PX, box)
            cells = _cells(connection, city, asked, place, step)
    is_grid = place.grid is not None
    found = [masked(city, _spot(row, is_grid, step)) for row in cells]
    found.sort(key=lambda spot: (spot.overdue / spot.n, spot.soon / spot.n, spot.n))
    return Spots(tuple(found), *step, is_grid)


def _squares(city: City, chosen: Asked, box: Box, zoom: float) -> Squares:
    with city.store.reading() as connection:
        asked, place = _placed(connection, city, chosen, box)
        cells, step = _fitting(connection, city, asked, place, box, zoom, CELL_PX)
    found = tuple(Square(round(row["x"] * step[0], 6), round(row["y"] * step[1], 6), int(row["n"])) for row in cells)
    return Squares(found, *step, max((square.n or 0 for square in found), default=0))


def _placed(connection: Connection, city: City, chosen: Asked, box: Box) -> tuple[Query, Place]:
    """The filter's rows that have a place in the box, read from the index of places where one of them holds the rows."""
    asked, place = reports.query(city, chosen), place_of(connection, city, "reports", "d.")
    values = dict(asked.values)
    where = asked.where + " AND d.lon IS NOT NULL" + inside_box(place, "d.", box, values)
    return replace(asked, where=where, values=values, order=replace(asked.order, index=_index(asked))), place


def _index(asked: Query) -> str:
    """The partial index whose rows these are: SQLite, without statistics, would choose another."""
    if asked.order.index == "ix_report_open":
        return "ix_report_place_open"
    return "ix_report_place" if asked.order.columns[0] == "received_on" else ""


def _fitting(
    connection: Connection, city: City, asked: Query, place: Place, box: Box, zoom: float, pixels: float,
) -> tuple[list[Any], tuple[float, float]]:
    """Cells of about so many pixels; wider ones when there would be too many."""
    while True:
        step = _steps(place, zoom, pixels, box)
        found = _cells(connection, city, asked, place, step)
        if len(found) <= MOST:
            return found, step
        pixels *= 2


def _steps(place: Place, zoom: float, pixels: float, box: Box) -> tuple[float, float]:
    """A cell's width and height; never finer than the reader's grid. The latitude is rounded, so that cells stay while the map is moved."""
    step_lon, step_lat = degrees_of(zoom, pixels, round((box[1] + box[3]) / 2 / 5) * 5)
    grid = place.grid
    return (step_lon, step_lat) if grid is None else (max(step_lon, grid.step_lon), max(step_lat, grid.step_lat))


def _cells(connection: Connection, city: City, asked: Query, place: Place, step: tuple[float, float]) -> list[Any]:
    """One row a cell, at most MOST + 1 of them."""
    now = moment(city.as_of)
    clock = {
        "now": city.as_of, "soon": instant(due_within_boundary(city.calendar, now, SOON_DAYS)),
        "later": instant(due_within_boundary(city.calendar, now, LATER_DAYS)),
    }
    counted = ", ".join(f"sum(CASE WHEN {condition} THEN 1 ELSE 0 END) AS {name}" for name, condition in _SPANS.items())
    rows = connection.execute(
        text(
            f"SELECT round({place.lon} / :step_lon) AS x, round({place.lat} / :step_lat) AS y, count(*) AS n, {counted}, "
            f"avg({place.lon}) AS lon, avg({place.lat}) AS lat, min({place.lon}) AS west, max({place.lon}) AS east, "
            f"min({place.lat}) AS south, max({place.lat}) AS north, min(d.feed) AS feed, min(d.source_id) AS source_id "
            f"FROM {asked.source} WHERE {asked.where} GROUP BY 1, 2 LIMIT {MOST + 1}"
        ),
        {**asked.values, **clock, "step_lon": step[0], "step_lat": step[1]},
    )
    return list(rows.mappings())


_OPEN = "d.closed_on IS NULL AND "
_SPANS = {
    "overdue": f"{_OPEN}d.due_at < :now", "soon": f"{_OPEN}d.due_at >= :now AND d.due_at < :soon",
    "later": f"{_OPEN}d.due_at >= :soon AND d.due_at < :later", "far": f"{_OPEN}d.due_at >= :later", "no_due": f"{_OPEN}d.due_at IS NULL",
    "ended": "d.closed_on IS NOT NULL",
}


def _spot(row: Any, is_grid: bool, step: tuple[float, float]) -> Spot:
    """A row as a spot; one on the grid is a cell, whatever it holds."""
    n, box = int(row["n"]), (float(row["west"]), float(row["south"]), float(row["east"]), float(row["north"]))
    named = (row["feed"], row["source_id"]) if n == 1 and not is_grid else ("", "")
    if is_grid and box[0] == box[2] and box[1] == box[3]:
        box = box[0] - step[0] / 4, box[1] - step[1] / 4, box[2] + step[0] / 4, box[3] + step[1] / 4
    overdue, soon, later, far, no_due, ended = (int(row[name]) for name in SPANS)
    # outwards: who asks for the box again must find all of them in it
    west, south, east, north = (round(value + side * 1e-5, 5) for value, side in zip(box, (-1, -1, 1, 1), strict=True))
    return Spot(
        round(float(row["lon"]), 5), round(float(row["lat"]), 5), n, overdue, soon, later, far, no_due, ended, west, south, east, north,
        *named,
    )
