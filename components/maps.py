"""The wall's map: dash-leaflet on a canvas, communes as our own offline style, no tiles, no outside request. The only module that
knows dash-leaflet; how a feature is drawn is in assets/wall_map.js, colours in components/theme.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import dash_leaflet as dl
import shapely
from dash import html
from dash.development.base_component import Component
from shapely.geometry import mapping

from components.ids import map_id
from components.polygons import NATIONAL_SPAN_DEG, Bounds, Held, coarsened, held, with_country
from metrics.city.areas import AreaShape

DETAIL = 600  # the longer side of the province in this many steps: about two pixels of a 4K wall
_EMPTY: dict[str, Any] = {"type": "FeatureCollection", "features": []}


@dataclass(frozen=True)
class Label:
    """Words on a map: shown as far as there is room, most important first. `badge` = an AQI class, '' = plain words."""

    lon: float
    lat: float
    text: str
    badge: str = ""


def map_panel(scene: str) -> Component:
    """The map's skeleton: areas, points, labels, all empty."""
    def layer(name: str, **functions: str) -> Component:
        scripts = {key: {"variable": f"toancanh.{fn}"} for key, fn in functions.items()}
        return dl.GeoJSON(id=map_id(scene, name), data=_EMPTY, interactive=False, **scripts)

    return html.Div(
        dl.Map(
            [
                layer("areas", style="areaStyle", onEachFeature="areaAdded"),
                layer("points", pointToLayer="point", onEachFeature="pointAdded"),
                layer("labels", pointToLayer="label", onEachFeature="pointAdded"),
            ],
            id=map_id(scene), center=[16, 107], zoom=6, zoomSnap=0, preferCanvas=True, attributionControl=False,
            zoomControl=False, dragging=False, doubleClickZoom=False, scrollWheelZoom=False, touchZoom=False, boxZoom=False,
            keyboard=False, zoomAnimation=False, fadeAnimation=False, markerZoomAnimation=False, trackViewport=False,
        ),
        className="map-box",
    )


def area_props(scene: str, areas: Sequence[AreaShape], steps: Mapping[str, int] | None = None) -> dict[str, dict[str, Any]]:
    """Props of the areas layer: geometry (the same object while the areas stay the same) and colour steps by area code."""
    data, bounds = area_features(areas)
    return {map_id(scene, "areas"): {"data": data, "hideout": {"steps": dict(steps or {}), "bounds": bounds}}}


def area_features(areas: Sequence[AreaShape]) -> tuple[dict[str, Any], list[list[float]] | None]:
    """Polygons as a FeatureCollection (property `code`), coarsened to what a screen can show, and their bounds as leaflet corners."""
    return _simplified(held(areas))


def point_props(scene: str, points: Iterable[Mapping[str, Any]], bounds: Bounds | None) -> dict[str, dict[str, Any]]:
    """Props of the points layer. A point: lon, lat, kind (open | overdue | aqi class | none), size 0..1."""
    features = [_feature(p["lon"], p["lat"], {"kind": p["kind"], "size": round(p["size"], 2)}) for p in points]
    return {map_id(scene, "points"): {"data": _collection(features), "hideout": {"bounds": _corners(bounds)}}}


def label_props(scene: str, labels: Iterable[Label]) -> dict[str, dict[str, Any]]:
    """Props of the labels layer, in order of importance."""
    features = [_feature(x.lon, x.lat, {"text": x.text, "badge": x.badge, "rank": n}) for n, x in enumerate(labels)]
    return {map_id(scene, "labels"): {"data": _collection(features)}}


def sovereignty(bounds: Bounds | None, text_of: Mapping[str, str]) -> tuple[Label, ...]:
    """Labels a view of the country must carry: Hoàng Sa, Trường Sa, Biển Đông. () for a smaller view."""
    if bounds is None or bounds[3] - bounds[1] < NATIONAL_SPAN_DEG:
        return ()
    places = (("hoang_sa", 112.0, 16.5), ("truong_sa", 113.5, 9.5), ("bien_dong", 113.0, 13.0))
    return tuple(Label(lon, lat, text_of[key]) for key, lon, lat in places)


def bounds_of(points: Iterable[tuple[float | None, float | None]], trim: float = 0.0) -> Bounds | None:
    """Smallest box around points; `trim` leaves out that share of stray ones at each side. None without points."""
    placed = [(x, y) for x, y in points if x is not None and y is not None]
    if not placed:
        return None
    xs, ys = sorted(x for x, _ in placed), sorted(y for _, y in placed)
    cut = int(len(placed) * trim)
    box = xs[cut], ys[cut], xs[-1 - cut], ys[-1 - cut]
    return with_country(box)


def area_bounds(areas: Sequence[AreaShape]) -> Bounds | None:
    """The box around all polygons; None without any."""
    corners = area_features(areas)[1]
    return (corners[0][1], corners[0][0], corners[1][1], corners[1][0]) if corners else None


@lru_cache(maxsize=8)
def _simplified(areas: tuple[tuple[str, Held], ...]) -> tuple[dict[str, Any], list[list[float]] | None]:
    """(FeatureCollection with shared borders kept shared, bounds as leaflet corners)."""
    if not areas:
        return _EMPTY, None
    coarse, box = coarsened(areas, DETAIL)
    rounded = [shapely.transform(found, lambda xy: xy.round(4)) for found in coarse]
    features = [
        {"type": "Feature", "properties": {"code": code}, "geometry": mapping(found)}
        for (code, _), found in zip(areas, rounded, strict=True) if not found.is_empty
    ]
    return _collection(features), _corners(box)


def _corners(bounds: Bounds | None) -> list[list[float]] | None:
    return [[float(bounds[1]), float(bounds[0])], [float(bounds[3]), float(bounds[2])]] if bounds else None


def _feature(lon: float, lat: float, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Point", "coordinates": [lon, lat]}}


def _collection(features: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": features}
