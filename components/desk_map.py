"""The map page, drawn: the map with its buttons, and beside it layers, legends, drawing, what was picked. Pure; no figure is read here.

How features look and how the map is used is in assets/desk_map.js and assets/desk_map_use.js; names below are theirs too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import dash_leaflet as dl
from dash import dcc, html
from dash.development.base_component import Component

from components.desk_links import View
from text import t

ASKED, ANSWERED, AT, PICKED, TOLD = "map-asked", "map-answered", "map-at", "map-picked", "map-told"
AREAS, SPOTS, SQUARES, STATIONS = "map-areas", "map-spots", "map-squares", "map-stations"
AREA_LEGEND, AREA_TABLE = "map-area-legend", "map-area-table"
EMPTY: dict[str, Any] = {"type": "FeatureCollection", "features": []}
TEXTS = (  # what the scripts say
    "one_report", "reports_here", "overdue_here", "in_cell", "withheld_cell", "no_figure", "draw_box", "draw_polygon", "play", "pause",
    "step", "nothing_here", "all_period",
)
SOVEREIGN = (("hoang_sa", 112.0, 16.5), ("truong_sa", 113.5, 9.5), ("bien_dong", 113.0, 13.0))
NATIONAL_SPAN_DEG = 7.0
BUTTONS = (("in", "+"), ("out", "−"), ("home", "⌂"))


def map_box(view: View, areas: Mapping[str, Any], bounds: Any, drawn: Sequence[Sequence[float]], hideout: Mapping[str, Any]) -> Component:
    """The map: layers from below to above. bounds = leaflet corners it opens with; drawn = corners (lat, lon) of the reader's polygon."""
    lang = view.lang
    layers = [
        _layer(AREAS, areas, hideout, style="deskArea", onEachFeature="deskAreaAdded"),
        _layer(SQUARES, EMPTY, {}, style="deskSquare", onEachFeature="deskSquareAdded"),
        _layer(SPOTS, EMPTY, {}, pointToLayer="deskSpot", onEachFeature="deskSpotAdded"),
        _layer(STATIONS, EMPTY, {}, pointToLayer="deskStation", onEachFeature="deskStationAdded"),
        _layer("map-labels", _sovereign(lang), {}, pointToLayer="deskLabel", onEachFeature="deskReady"),
    ]
    if drawn:
        ring = [[lon, lat] for lat, lon in (*drawn, drawn[0])]
        shape = {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
        layers.append(_layer("map-shape", collection([shape]), {}, interactive=False, style="deskDrawn"))
    leaflet = dl.Map(
        layers, id="map", center=[16, 107], zoom=6, zoomSnap=0.5, zoomDelta=1, minZoom=4, maxZoom=18, preferCanvas=True,
        attributionControl=False, zoomControl=False, boxZoom=False, doubleClickZoom=False, keyboard=True, zoomAnimation=False,
        fadeAnimation=False, markerZoomAnimation=False, trackViewport=False, worldCopyJump=False,
    )
    told = {
        "data-bounds": json.dumps(bounds), "data-view": view.get("view"), "data-area": view.get("area"), "data-lang": lang,
        "data-texts": json.dumps({name: _template(f"map.{name}", lang) for name in TEXTS}, ensure_ascii=False),
        "data-national": str(NATIONAL_SPAN_DEG),
    }
    buttons = [
        _button(sign, "m-button", title=t(f"map.{name}", lang), **{"data-map": name, "aria-label": t(f"map.{name}", lang)})
        for name, sign in BUTTONS
    ]
    return html.Div(
        [
            leaflet,
            html.Div(buttons, className="m-buttons"),
            html.Div(className="m-cross", **{"aria-hidden": "true"}),
            html.Div(className="m-hint", role="status"),
            html.Div(className="m-hover", **{"aria-hidden": "true"}),
        ],
        className="m-map", role="application", **{"aria-label": t("map.keys", lang), **told},
    )


def _button(words: str, look: str = "d-button", **attributes: str) -> Component:
    return html.Button(words, type="button", className=look, **attributes)


def _layer(name: str, data: Mapping[str, Any], hideout: Mapping[str, Any], *, interactive: bool = True, **functions: str) -> Component:
    scripts = {key: {"variable": f"toancanh.{fn}"} for key, fn in functions.items()}
    return dl.GeoJSON(id=name, data=dict(data), hideout=dict(hideout), interactive=interactive, **scripts)


def _template(key: str, lang: str) -> str:
    """A text with its places left open, for the scripts to fill."""
    return t(key, lang, n="{n}", of="{of}", name="{name}", value="{value}")


def _sovereign(lang: str) -> dict[str, Any]:
    """Words a view of the country must carry; the script shows them when so much is in sight."""
    return collection([point(lon, lat, {"text": t(f"wall.{key}", lang)}) for key, lon, lat in SOVEREIGN])


def point(lon: float, lat: float, properties: Mapping[str, Any]) -> dict[str, Any]:
    """A GeoJSON point."""
    return {"type": "Feature", "properties": dict(properties), "geometry": {"type": "Point", "coordinates": [lon, lat]}}


def collection(features: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A GeoJSON collection."""
    return {"type": "FeatureCollection", "features": list(features)}


def frame(left: Sequence[Component | None], beside: Sequence[Component | None], lang: str) -> Component:
    """The map with what belongs to it, the cards beside it with the one of what was picked first, and the stores of the scripts."""
    told = html.Div(html.P(t("map.pick_hint", lang), className="d-quiet"), id=TOLD, className="m-card m-told", **{"aria-live": "polite"})
    return html.Div(
        [
            html.Div([part for part in left if part is not None], className="m-left"),
            html.Div([told, *(card for card in beside if card is not None)], className="m-side"),
            html.Div(stores(), hidden=True),
        ],
        className="m-page",
    )


def stores() -> list[Component]:
    """What the scripts tell the callbacks: the view that is looked at, the day, what was picked."""
    return [dcc.Store(id=name) for name in (ASKED, AT, PICKED)]


def drawing(lang: str, has_drawn: bool) -> Component:
    """The buttons that begin a drawing, and one that takes the view as the drawing."""
    names = {"box": "map.draw_box_start", "polygon": "map.draw_polygon_start", "view": "map.draw_view"}
    buttons = [_button(t(key, lang), **{"data-draw": name, "aria-pressed": "false"}) for name, key in names.items()]
    hint = t("map.drawn_hint" if has_drawn else "map.draw_hint", lang)
    return html.Div([html.Div(buttons, className="m-row"), html.P(hint, className="d-quiet")])


def time_bar(days: Sequence[tuple[str, str]], at: str, lang: str) -> Component | None:
    """Slider over days (ISO day, words) and its buttons; None for a single day, which needs no choosing."""
    if len(days) < 2:
        return None
    known = [day for day, _ in days]
    told = {"data-days": json.dumps(list(days), ensure_ascii=False), "data-at": at if at in known else ""}
    slider = dcc.Input(
        id="map-time", type="range", min=0, max=len(days) - 1, step=1, value=known.index(at) if at in known else len(days) - 1,
        className="m-slider",
    )
    return html.Div(
        [
            _button(t("map.play", lang), "d-button m-play", **{"data-time": "play"}),
            html.Label([html.Span(t("map.day", lang), className="d-unseen"), slider], className="m-time-field"),
            html.Output("", className="m-day", **{"aria-live": "polite"}),
            _button(t("map.all_period", lang), **{"data-time": "all"}),
        ],
        className="m-time", role="group", **{"aria-label": t("map.time", lang), **told},
    )


def swatches(rows: Sequence[tuple[str, str]], kind: str) -> Component:
    """A legend: (CSS colour or shape class, words) each."""
    items = [html.Li([html.I(className=f"m-swatch m-{kind}", style={"--swatch": colour}), html.Span(words)]) for colour, words in rows]
    return html.Ul(items, className="m-legend")


def card(title: str, children: Sequence[Component | None], **attributes: Any) -> Component:
    """One part of the panel beside the map."""
    return html.Section([html.H2(title), *(child for child in children if child is not None)], className="m-card", **attributes)
