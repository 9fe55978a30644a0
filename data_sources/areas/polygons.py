"""Polygons fit for storing: valid, 2-D, counter-clockwise, simplified together so that neighbours still touch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from shapely.errors import ShapelyError
from shapely.geometry import mapping, shape


class BadGeometry(ValueError):
    """No polygon can be made of what was sent; the text says why."""


def clean_polygon(geometry: Any) -> Any:
    """A valid 2-D (Multi)Polygon in degrees, exterior rings counter-clockwise; None for no geometry.

    Raises BadGeometry for what holds no area or lies outside -180..180, -90..90 (a projected system,
    swapped axes).
    """
    if geometry is None:
        return None
    if not isinstance(geometry, Mapping):
        raise BadGeometry("the geometry is no table")
    try:
        made = _polygonal(shapely.make_valid(shapely.force_2d(shape(dict(geometry)))))
    except (ShapelyError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as fault:
        raise BadGeometry(f"unreadable {geometry.get('type')!r}: {fault}") from fault
    if made is None:
        raise BadGeometry(f"{geometry.get('type')!r} holds no area")
    west, south, east, north = made.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise BadGeometry(f"{west:g} {south:g} .. {east:g} {north:g} are no degrees of longitude and latitude")
    return made


def _polygonal(made: Any) -> Any:
    """The polygons of a geometry alone, None when there are none."""
    parts = [
        part for part in shapely.get_parts(shapely.get_parts(np.atleast_1d(made)))
        if part.geom_type == "Polygon" and part.area > 0
    ]
    if not parts:
        return None
    joined = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
    if not joined.is_valid:
        joined = shapely.union_all(parts)
    return shapely.orient_polygons(joined, exterior_cw=False)


def simplified(shapes: Sequence[Any], tolerance: float) -> list[Any]:
    """The shapes with fewer points. Shared borders stay shared when the coverage is valid; else each by itself.

    A shape that would vanish or break keeps all its points; None stays None.
    """
    if tolerance <= 0:
        return list(shapes)
    present = np.array([made for made in shapes if made is not None], dtype=object)
    if not len(present):
        return list(shapes)
    if shapely.coverage_is_valid(present):
        thinner = shapely.coverage_simplify(present, tolerance)
    else:
        thinner = shapely.simplify(present, tolerance, preserve_topology=True)
    kept = iter([_usable(new, old) for new, old in zip(thinner, present, strict=True)])
    return [None if made is None else next(kept) for made in shapes]


def _usable(new: Any, old: Any) -> Any:
    made = None if new.is_empty else _polygonal(shapely.make_valid(new))
    return old if made is None else made


def point_inside(made: Any) -> tuple[float, float]:
    """(lon, lat) of a point that lies inside, also where the centre does not."""
    point = made.representative_point()
    return point.x, point.y


def geojson_of(made: Any) -> dict[str, Any]:
    """The GeoJSON geometry, in lists as JSON has them."""
    found = mapping(made)
    return {"type": found["type"], "coordinates": _lists(found["coordinates"])}


def _lists(value: Any) -> Any:
    return [_lists(inner) for inner in value] if isinstance(value, tuple) else value
