"""Which area a point lies in on a given day. Places thousands of points at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from shapely.geometry import shape

from store.rows import AreaRow

_RANKS = {"commune": 0, "district": 1, "province": 2}
_OPEN_START, _OPEN_END = -(2**31), 2**31


class Placer:
    """Finds areas by point and day. Areas without polygon cannot be found; a city without any is served too.

    The smallest level wins (commune before district before province); on a shared border the lowest code.
    """

    def __init__(self, areas: Sequence[AreaRow]) -> None:
        drawn = sorted(
            (area for area in areas if area.geometry), key=lambda area: (_RANKS.get(area.level, 9), area.code)
        )
        self._codes = np.array([area.code for area in drawn] + [""], dtype=object)
        self._from = np.array([_or(area.valid_from_on, _OPEN_START) for area in drawn], dtype=np.int64)
        self._to = np.array([_or(area.valid_to_on, _OPEN_END) for area in drawn], dtype=np.int64)
        self._shapes = np.array([shape(area.geometry) for area in drawn], dtype=object)
        shapely.prepare(self._shapes)
        self._tree = shapely.STRtree(self._shapes)

    def place(self, lon: float | None, lat: float | None, on: int) -> str:
        """Code of the area the point lies in on that day (number since 1970-01-01), "" when in none."""
        return self.place_many([lon], [lat], [on])[0]

    def place_many(
        self, lons: Sequence[float | None], lats: Sequence[float | None], ons: Sequence[int]
    ) -> list[str]:
        """The same for many points at once; a point without coordinates lies nowhere."""
        x, y = np.array(lons, dtype=float), np.array(lats, dtype=float)
        on = np.array(ons, dtype=np.int64)
        best = np.full(len(x), len(self._codes) - 1)
        points = shapely.points(x, y)
        points[~(np.isfinite(x) & np.isfinite(y))] = None
        point, area = self._tree.query(points) if len(self._shapes) else (np.array([], int), np.array([], int))
        is_valid = (self._from[area] <= on[point]) & (on[point] <= self._to[area])
        point, area = point[is_valid], area[is_valid]
        is_inside = shapely.intersects_xy(self._shapes[area], x[point], y[point])
        np.minimum.at(best, point[is_inside], area[is_inside])
        found: list[str] = self._codes[best].tolist()
        return found


def _or(day: int | None, otherwise: int) -> int:
    return otherwise if day is None else day
