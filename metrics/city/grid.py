"""Points on a grid: whoever may not know where exactly a citizen stood is told the cell. One grid for the wall, lists and exports."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sqlalchemy import Connection, text

from metrics.city import City

METRES_PER_DEGREE = 111_320.0
NORTH = 24.0  # of the country's northernmost point: cells further south are wider, never narrower


@dataclass(frozen=True)
class Grid:
    """Cell sizes in degrees; a cell is named by its centre."""

    step_lon: float
    step_lat: float

    def lon(self, value: float) -> float:
        """The cell's longitude, 5 decimals."""
        return round(round(value / self.step_lon) * self.step_lon, 5)

    def lat(self, value: float) -> float:
        """The cell's latitude, 5 decimals."""
        return round(round(value / self.step_lat) * self.step_lat, 5)


def grid_of(grid_m: float, latitude: float) -> Grid:
    """Cells at least `grid_m` wide and high at a latitude, and at all that are nearer to the equator."""
    step_lat = max(grid_m, 1.0) / METRES_PER_DEGREE
    return Grid(step_lat / max(0.1, math.cos(math.radians(latitude))), step_lat)


def read_grid(connection: Connection, city: City, grid_m: float = 0) -> Grid:
    """The city's grid (wall.grid_m, or another width). Its latitude is that of the city's areas, without any of its open reports, in whole
    degrees away from the equator: cells stay where they are while reports come and go."""
    if "grid_latitude" not in city.memo:
        statements = ("SELECT avg(lat) FROM core_area", "SELECT avg(lat) FROM core_report WHERE closed_on IS NULL AND lat IS NOT NULL")
        found = (connection.execute(text(statement)).scalar() for statement in statements)
        middle = next((abs(float(value)) for value in found if value is not None), NORTH)
        city.memo["grid_latitude"] = float(math.ceil(middle))
    return grid_of(grid_m or city.config.wall.grid_m, city.memo["grid_latitude"])
