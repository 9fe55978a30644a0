"""Lands areas with their validity, and reads them back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, bindparam, text

from store.rows import AreaRow

_COLUMNS = (
    "code", "valid_from_on", "valid_to_on", "name", "full_name", "name_en", "level", "parent_code", "lon", "lat", "geometry", "feed",
    "origin", "population",
)


def land_areas(connection: Connection, feed: str, rows: Iterable[AreaRow]) -> None:
    """Upsert areas by (code, valid_from_on); an open start counts as day 0. Predecessors go into the succession table."""
    for row in rows:
        values: dict[str, Any] = {
            "code": row.code, "valid_from_on": row.valid_from_on or 0, "valid_to_on": row.valid_to_on, "name": row.name,
            "full_name": row.full_name or row.name, "name_en": row.name_en, "level": row.level, "parent_code": row.parent_code,
            "lon": row.lon, "lat": row.lat, "feed": feed, "origin": "catalogue", "population": row.population,
            "geometry": json.dumps(row.geometry, separators=(",", ":")) if row.geometry else None,
        }
        updates = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[2:])
        connection.execute(
            text(
                f"INSERT INTO core_area ({', '.join(_COLUMNS)}) VALUES ({', '.join(':' + name for name in _COLUMNS)}) "
                f"ON CONFLICT (code, valid_from_on) DO UPDATE SET {updates}"
            ),
            values,
        )
        for predecessor in row.predecessors:
            connection.execute(
                text(
                    "INSERT INTO core_area_succession (predecessor_code, successor_code) VALUES (:old, :new) ON CONFLICT DO NOTHING"
                ),
                {"old": predecessor, "new": row.code},
            )


def read_areas(connection: Connection) -> list[AreaRow]:
    """Every area with a polygon, oldest validity first."""
    found = connection.execute(
        text(
            "SELECT code, name, full_name, name_en, level, parent_code, valid_from_on, valid_to_on, lon, lat, geometry FROM core_area "
            "WHERE geometry IS NOT NULL ORDER BY valid_from_on, code"
        )
    )
    return [AreaRow(**{**row, "geometry": json.loads(row["geometry"])}) for row in (dict(r) for r in found.mappings())]


def polygons_mark(connection: Connection) -> tuple[int, int]:
    """Changes when polygons change: how many areas, and how long their geometry is."""
    count, length = connection.execute(text("SELECT count(*), coalesce(sum(length(geometry)), 0) FROM core_area")).one()
    return int(count), int(length)


def codes_below(connection: Connection, codes: Iterable[str]) -> tuple[str, ...]:
    """These area codes and those of all areas below them, of any time; codes nobody knows stay as they are."""
    given = tuple(codes)
    statement = text(
        "WITH RECURSIVE below (code) AS (SELECT code FROM core_area WHERE code IN :codes "
        "UNION SELECT area.code FROM core_area area JOIN below ON area.parent_code = below.code) SELECT code FROM below ORDER BY code"
    ).bindparams(bindparam("codes", expanding=True))
    return tuple(dict.fromkeys((*given, *connection.execute(statement, {"codes": given}).scalars())))
