"""Open reports on a grid: how many lie in each cell, how many of them are overdue. No point is exact, no text is read.

Made for wall maps, which strangers may see: a cell is at least `grid_m` wide, so an address cannot be told from it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sqlalchemy import text

from metrics.city import City
from metrics.city.sums import NOTHING_CHOSEN, Choice, conditions

METRES_PER_DEGREE = 111_320.0
LIMIT = 400


@dataclass(frozen=True)
class Cell:
    """A grid cell by its centre (WGS84), with the open reports in it and those of them that are overdue."""

    lon: float
    lat: float
    open: int
    overdue: int


def read(city: City, grid_m: float, choice: Choice = NOTHING_CHOSEN, limit: int = LIMIT) -> tuple[Cell, ...]:
    """Cells with open reports at the city's now, most overdue first, at most `limit`; reports without a place are left out.

    Requires see.desk.
    """
    city.scope.require("see.desk")
    where, values = conditions(city.scope, "reports", choice)
    placed = f"FROM core_report WHERE closed_on IS NULL AND lon IS NOT NULL AND lat IS NOT NULL{where}"
    with city.store.reading() as connection:
        middle = connection.execute(text(f"SELECT avg(lat) {placed}"), values).scalar()
        if middle is None:
            return ()
        step_lat = max(grid_m, 1.0) / METRES_PER_DEGREE
        step_lon = step_lat / max(0.1, math.cos(math.radians(float(middle))))
        rows = connection.execute(
            text(
                "SELECT round(lon / :step_lon) AS x, round(lat / :step_lat) AS y, count(*) AS n, "
                f"sum(CASE WHEN due_at < :now THEN 1 ELSE 0 END) AS late {placed} "
                "GROUP BY 1, 2 ORDER BY late DESC, n DESC, x, y LIMIT :limit"
            ),
            {"step_lon": step_lon, "step_lat": step_lat, "now": city.as_of, "limit": limit, **values},
        ).all()
    return tuple(Cell(round(float(x) * step_lon, 5), round(float(y) * step_lat, 5), int(n), int(late)) for x, y, n, late in rows)
