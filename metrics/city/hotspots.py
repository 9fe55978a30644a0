"""Open reports on a grid: how many lie in each cell, how many of them are overdue. No point is exact, no text is read.

Made for wall maps, which strangers may see: a cell is at least `grid_m` wide, so an address cannot be told from it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from metrics.city import City, small_counts
from metrics.city.grid import read_grid
from metrics.city.sums import NOTHING_CHOSEN, Choice, conditions

LIMIT = 400


@dataclass(frozen=True)
class Cell:
    """A grid cell by its centre (WGS84), with the open reports in it and those of them that are overdue; None = withheld, not 0."""

    lon: float
    lat: float
    open: int | None
    overdue: int | None


def read(city: City, grid_m: float, choice: Choice = NOTHING_CHOSEN, limit: int = LIMIT) -> tuple[Cell, ...]:
    """Cells with open reports at the city's now, most overdue first, at most `limit`; reports without a place are left out.

    Requires see.desk.
    """
    city.scope.require("see.desk")
    where, values = conditions(city.scope, "reports", choice)
    placed = f"FROM core_report WHERE closed_on IS NULL AND lon IS NOT NULL AND lat IS NOT NULL{where}"
    with city.store.reading() as connection:
        if connection.execute(text(f"SELECT 1 {placed} LIMIT 1"), values).first() is None:
            return ()
        grid = read_grid(connection, city, grid_m)
        rows = connection.execute(
            text(
                "SELECT round(lon / :step_lon) AS x, round(lat / :step_lat) AS y, count(*) AS n, "
                f"sum(CASE WHEN due_at < :now THEN 1 ELSE 0 END) AS late {placed} "
                "GROUP BY 1, 2 ORDER BY late DESC, n DESC, x, y LIMIT :limit"
            ),
            {"step_lon": grid.step_lon, "step_lat": grid.step_lat, "now": city.as_of, "limit": limit, **values},
        ).all()
    cells = [
        Cell(round(float(x) * grid.step_lon, 5), round(float(y) * grid.step_lat, 5), int(n), int(late)) for x, y, n, late in rows
    ]
    return tuple(cells) if small_counts.sees_all(city.scope) else without_small(cells)


def without_small(cells: list[Cell]) -> tuple[Cell, ...]:
    """The same cells without small counts, in the order of their places: that of their counts would tell them."""
    hidden: list[frozenset[str]] = []
    for name in ("open", "overdue"):
        found = small_counts.withhold({str(number): getattr(cell, name) for number, cell in enumerate(cells)})
        hidden.append(found.small | found.beside)
    shown = [
        Cell(cell.lon, cell.lat, None if str(n) in hidden[0] else cell.open, None if str(n) in hidden[1] else cell.overdue)
        for n, cell in enumerate(cells)
    ]
    return tuple(sorted(shown, key=lambda cell: (cell.lon, cell.lat)))
