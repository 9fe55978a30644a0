"""Areas as they were on a day: names, tree, polygons; and a KPI's value per area."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import text

from metrics.city import City
from metrics.city.masking import unvetted
from metrics.city.numbers import series
from metrics.city.numbers.series import Point
from metrics.city.numbers.sums import NOTHING_CHOSEN, Choice
from metrics.periods import Period
from store.days import number_of


@dataclass(frozen=True)
class AreaShape:
    """One area valid on the asked day. geometry = GeoJSON, None where no polygon is known; it is shared, so do not change it."""

    code: str
    name: str
    full_name: str
    level: str
    parent_code: str
    lon: float | None
    lat: float | None
    geometry: Mapping[str, Any] | None


def polygons(city: City, on: date | None = None, level: str = "") -> tuple[AreaShape, ...]:
    """Areas valid on that day (default: the city's today), by code; those without polygon too. Outside the scope: left out.

    Requires see.desk.
    """
    city.scope.require("see.desk")
    day = city.today_on if on is None else number_of(on)
    where = " AND level = :level" if level else ""
    with city.store.reading() as connection:
        rows = connection.execute(
            text(
                "SELECT code, name, full_name, level, parent_code, lon, lat, geometry, valid_from_on FROM core_area "
                f"WHERE valid_from_on <= :day AND (valid_to_on IS NULL OR valid_to_on >= :day){where} "
                "ORDER BY code, valid_from_on"
            ),
            {"day": day, **({"level": level} if level else {})},
        ).all()
        left_out = unvetted(connection, city, "area")
    newest = {row[0]: row for row in rows if row[0] not in left_out and city.scope.covers_area(row[0])}
    return tuple(
        AreaShape(row[0], row[1], row[2], row[3], row[4], row[5], row[6], _geometry(row[7])) for row in newest.values()
    )


@lru_cache(maxsize=8192)
def _geometry(stored: str | None) -> Mapping[str, Any] | None:
    """Parsed once per text: a province's polygons are asked for again with every frame."""
    found: Mapping[str, Any] | None = json.loads(stored) if stored else None
    return found


def counts(
    city: City, key: str, period: Period, choice: Choice = NOTHING_CHOSEN, late_rule: str = "",
) -> dict[str, Point]:
    """A KPI over the period by area code; areas without rows are absent. ValueError where the KPI has no areas."""
    return {point.group: point for point in series.read(city, key, "area", period, choice, late_rule)}
