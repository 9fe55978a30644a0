"""What /api/v1/places says: what the map draws of a box and a zoom, as GeoJSON. The page's own questions, never more than it draws."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from api import parameters as known
from api.answers import Ask, Json
from api.parameters import DEFAULT_PERIOD, Parameter, bad
from api.showing import Route
from api.tables import iso
from metrics.city import areas, places
from metrics.city.measured import stations
from metrics.city.numbers import area_kpis
from metrics.city.places import EVERYWHERE, ZOOMS, Box

LAYERS = ("areas", "reports", "density", "stations")
_POINT = ("lon", "lat")


def answer_places(ask: Ask) -> Json:
    """A FeatureCollection (RFC 7946) of one layer, with the instant and the revision it speaks of."""
    layer = ask.asked.text("layer") or LAYERS[0]
    try:
        told = _LAYERS[layer](ask, _box(ask))
    except ValueError as fault:
        field = str(fault).partition(":")[0]
        raise bad(field if field.isidentifier() else "", str(fault), "see the message") from fault
    about = {"layer": layer, "as_of": iso(ask.city.as_of, ask.city.store.days.tz), "revision": ask.city.revision}
    return {"type": "FeatureCollection", **about, **told}


def _box(ask: Ask) -> Box:
    given = ask.asked.text("bbox")
    if not given:
        return EVERYWHERE
    try:
        west, south, east, north = (float(part) for part in given.split(","))
    except ValueError:
        west = math.nan
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise ValueError(f"bbox: {given!r} is no box; write west,south,east,north in degrees")
    return west, south, east, north


def _zoom(ask: Ask) -> float:
    given = ask.asked.whole("zoom", ZOOMS[0])
    if given is None or not 0 <= given <= 24:
        raise ValueError(f"zoom: {given} is none of 0..24")
    return float(given)


def _reports(ask: Ask, box: Box) -> dict[str, Any]:
    found = places.read_spots(ask.city, ask.asked.rows("reports"), box, _zoom(ask))
    rows = [asdict(spot) for spot in found.spots]
    features = [_at(row["lon"], row["lat"], {k: v for k, v in row.items() if k not in _POINT}) for row in rows]
    return {"total": sum(spot.n for spot in found.spots), "is_grid": found.is_grid, "features": features}


def _density(ask: Ask, box: Box) -> dict[str, Any]:
    found = places.read_squares(ask.city, ask.asked.rows("reports"), box, _zoom(ask))
    features = [_at(square.lon, square.lat, {"n": square.n}) for square in found.squares]
    return {"total": sum(square.n or 0 for square in found.squares), "cell": [found.step_lon, found.step_lat], "features": features}


def _areas(ask: Ask, box: Box) -> dict[str, Any]:
    """Areas are few: the box only takes away those whose middle is known to lie outside."""
    key, period = ask.asked.text("key") or "reports_overdue", ask.asked.period(ask.city, DEFAULT_PERIOD)
    assert period is not None
    points = area_kpis.read(ask.city, key, period, ask.asked.choice(), ask.asked.text("late_rule"))
    shapes = {shape.code: shape for shape in areas.polygons(ask.city)}
    features = []
    for point in points:
        shape = shapes.get(point.group)
        told = {"code": point.group, "name": point.label, "value": point.value, "n": point.n, "state": point.state}
        if shape is None or shape.lon is None or shape.lat is None or _is_in(box, shape.lon, shape.lat):
            features.append(_feature(dict(shape.geometry) if shape and shape.geometry else None, told))
    return {"key": key, "period": period.text, "total": len(features), "features": features}


def _stations(ask: Ask, box: Box) -> dict[str, Any]:
    ask.city.scope.require("see.stations")
    found = stations.read(ask.city, ask.asked.text("area"))
    named = ("feed", "source_id", "name", "kind", "area_code", "state", "aqi", "aqi_category")
    features = [
        _at(row.lon, row.lat, {name: getattr(row, name) for name in named})
        for row in found if row.lon is not None and row.lat is not None and _is_in(box, row.lon, row.lat)
    ]
    return {"total": len(features), "features": features}


_LAYERS = {"reports": _reports, "density": _density, "areas": _areas, "stations": _stations}


def _is_in(box: Box, lon: float, lat: float) -> bool:
    return box[0] <= lon <= box[2] and box[1] <= lat <= box[3]


def _at(lon: float, lat: float, properties: Mapping[str, Any]) -> dict[str, Any]:
    return _feature({"type": "Point", "coordinates": [lon, lat]}, properties)


def _feature(geometry: Mapping[str, Any] | None, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": dict(properties)}


_OWN: Sequence[Parameter] = (
    Parameter("layer", "what is asked for; default areas", LAYERS),
    Parameter("bbox", "west,south,east,north in degrees; default everywhere"),
    Parameter("zoom", "zoom of web maps 0..24: reports closer than 64 pixels, cells of 40 pixels, are one; default 3"),
    Parameter("key", "KPI of the layer areas; default reports_overdue"), known.LATE_RULE,
)
ROUTES = (
    Route(
        "/api/v1/places", "see.desk", "what the map draws of a box and a zoom, as GeoJSON: at most 600 points or cells",
        answer_places, parameters=(*_OWN, *known.REPORT_FILTERS),
    ),
)
