"""What lies near a report in space and time, and near a station: read from a box of the map, never from everything.

Who may not know where exactly a citizen stood is told of the report's grid cell alone, without distances.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, text

from metrics.city import City
from metrics.city.grid import METRES_PER_DEGREE, Grid
from metrics.city.lists.named import Names, read_names
from metrics.city.lists.paging import Row
from metrics.city.lists.within import DECIMALS, Place, Polygon, inside_box, place_of
from metrics.city.masking import masked
from metrics.city.measured.stations import StationState
from metrics.city.numbers.sums import NOTHING_CHOSEN, conditions
from metrics.city.records.reports import ReportItem
from store.days import HOUR

RADIUS_M, DAYS, MOST = 500.0, 14, 60
STATION_KM, STATIONS = 50.0, 6
CORNERS = 16
Key = tuple[str, str]


@dataclass(frozen=True)
class Neighbour:
    """A report near another one. metres None = this reader is told the cell alone; hours: received so long after it (before it: < 0)."""

    feed: str
    source_id: str
    category_code: str
    category_name: str
    area_code: str
    status: str
    is_open: bool
    received_at: int
    closed_at: int | None
    lon: float
    lat: float
    metres: float | None
    hours: float


@dataclass(frozen=True)
class Neighbours:
    """Reports received within DAYS days and RADIUS_M metres (or in the cell, is_cell) of one, nearest first; n of them in all."""

    rows: tuple[Neighbour, ...]
    n: int
    is_cell: bool


@dataclass(frozen=True)
class NearStation:
    """Another station with one of the same values."""

    station: StationState
    km: float


def of_report(city: City, item: ReportItem, source_id: str) -> Neighbours | None:
    """The neighbours of a report as this reader sees it (`source_id`: as the store has it); None without a place or an instant.

    Requires see.reports.
    """
    city.scope.require("see.reports")
    if item.lon is None or item.lat is None or item.received_at is None:
        return None
    with city.store.reading() as connection:
        place = place_of(connection, city, "reports", "d.")
        found = _around(connection, city, item, source_id, place)
        is_cell = place.grid is not None
        inside = sorted((far, key) for key, far in found.items() if is_cell or far <= RADIUS_M)
        rows = _rows(connection, [key for _, key in inside[:MOST]])
        names = read_names(connection, city, rows)
    told = [masked(city, _neighbour(item, row, names, None if is_cell else found[row["feed"], row["source_id"]])) for row in rows]
    told.sort(key=lambda one: (one.metres or 0.0, abs(one.hours), one.feed, one.source_id))
    return Neighbours(tuple(told), len(inside), is_cell)


def _around(connection: Connection, city: City, item: ReportItem, source_id: str, place: Place) -> dict[Key, float]:
    """Metres to each report in the box and the days around it, as this reader may know where they lie; read from the index of places."""
    assert item.lon is not None and item.lat is not None and item.received_at is not None
    own, values = conditions(city.scope, "reports", NOTHING_CHOSEN, "d.")
    grid, on = place.grid, city.store.days.on(item.received_at)
    half = degrees_around(item.lat, RADIUS_M) if grid is None else (0.4 * grid.step_lon, 0.4 * grid.step_lat)
    box = item.lon - half[0], item.lat - half[1], item.lon + half[0], item.lat + half[1]
    assert on is not None
    values.update(first=on - DAYS, last=on + DAYS, feed=item.feed, id=source_id)
    where = "d.lon IS NOT NULL AND d.received_on BETWEEN :first AND :last AND NOT (d.feed = :feed AND d.source_id = :id)"
    rows = connection.execute(
        text(
            f"SELECT d.feed, d.source_id, {place.lon} AS lon, {place.lat} AS lat FROM core_report d "
            f"WHERE {where}{own}{inside_box(place, 'd.', box, values)}"
        ),
        values,
    )
    return {(feed, key): metres_between(item.lon, item.lat, float(lon), float(lat)) for feed, key, lon, lat in rows}


def _rows(connection: Connection, keys: list[Key]) -> list[Row]:
    """What is shown of the nearest, by key."""
    if not keys:
        return []
    ask = text(
        "SELECT feed, source_id, category_code, area_code, status, received_at, closed_at, lon, lat FROM core_report "
        "WHERE (feed, source_id) IN :keys"
    )
    return [dict(row) for row in connection.execute(ask.bindparams(bindparam("keys", expanding=True)), {"keys": keys}).mappings()]


def _neighbour(item: ReportItem, row: Row, names: Names, metres: float | None) -> Neighbour:
    assert item.received_at is not None
    place: tuple[Any, Any] = (item.lon, item.lat) if metres is None else (row["lon"], row["lat"])
    return Neighbour(
        row["feed"], row["source_id"], names.code("category_code", row["category_code"]), names.category(row["category_code"]),
        names.code("area_code", row["area_code"]), row["status"], row["closed_at"] is None, row["received_at"], row["closed_at"],
        *place, metres, (row["received_at"] - item.received_at) / HOUR,
    )


def grid_of_reader(city: City) -> Grid | None:
    """What this reader is told places of reports by; None = the points themselves. Requires see.reports."""
    city.scope.require("see.reports")
    with city.store.reading() as connection:
        return place_of(connection, city, "reports", "").grid


def drawn(city: City, item: ReportItem) -> str:
    """The place neighbours are looked for in, as lists are asked for it: a ring of corners, or the reader's cell. Requires a place."""
    assert item.lon is not None and item.lat is not None
    grid = grid_of_reader(city)
    if grid is None:
        wide, high = degrees_around(item.lat, RADIUS_M)
        turns = [2 * math.pi * n / CORNERS for n in range(CORNERS)]
        corners = [(item.lon + wide * math.cos(turn), item.lat + high * math.sin(turn)) for turn in turns]
    else:
        wide, high = 0.4 * grid.step_lon, 0.4 * grid.step_lat
        corners = [(item.lon + x * wide, item.lat + y * high) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    return Polygon(tuple((round(x, DECIMALS), round(y, DECIMALS)) for x, y in corners)).text


def of_station(row: StationState, others: tuple[StationState, ...]) -> tuple[NearStation, ...]:
    """The nearest stations that measure one of the same properties, within STATION_KM."""
    if row.lon is None or row.lat is None:
        return ()
    properties = {value.property for value in row.values}
    found = [
        NearStation(one, metres_between(row.lon, row.lat, one.lon, one.lat) / 1000)
        for one in others
        if one.lon is not None and one.lat is not None and (one.feed, one.source_id) != (row.feed, row.source_id)
        and properties & {value.property for value in one.values}
    ]
    near = sorted((one for one in found if one.km <= STATION_KM), key=lambda one: (one.km, one.station.feed, one.station.source_id))
    return tuple(near[:STATIONS])


def degrees_around(lat: float, metres: float) -> tuple[float, float]:
    """Half the width and height of a box of `metres` around a point, in degrees."""
    high = metres / METRES_PER_DEGREE
    return high / max(0.1, math.cos(math.radians(lat))), high


def metres_between(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """Metres between two points that lie close together (flat earth: within 50 km wrong by less than 1 %)."""
    east = (other_lon - lon) * math.cos(math.radians((lat + other_lat) / 2))
    return METRES_PER_DEGREE * math.hypot(east, other_lat - lat)
