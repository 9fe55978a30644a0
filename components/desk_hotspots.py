"""Places with more reports than usual, drawn: a map with numbered places, a list of the same numbers. Pure: HotSpots -> components."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from dash import html
from dash.development.base_component import Component
from shapely.geometry import shape

from components.desk_links import View
from components.desk_parts import link
from components.desk_table import Column, table
from components.maps import bounds_of, sovereignty
from components.polygons import Drawing, drawing_of
from metrics.city.areas import AreaShape
from metrics.city.findings.hotspots import HotSpot, HotSpots
from metrics.city.lists.within import Polygon
from text import t
from text.formats import MISSING, number

STEPS = ((6.0, 4), (4.0, 3), (-math.inf, 2))  # standing -> colour step of a hot place
MOST_CHANCE = 1_000_000
MISSING_CODE = "-"  # what the lists call rows without an area
MARGIN = 0.04  # of the frame around cells in a city without polygons


# ---- words --------------------------------------------------------------------------------------------------------------
def place_name(row: HotSpot, lang: str) -> str:
    """An area's name, or where a cell's middle is."""
    if row.lon is None or row.lat is None:
        return row.name or t("unmapped.area", lang)
    return t("hotspots.cell", lang, lat=number(row.lat, lang, 3), lon=number(row.lon, lang, 3))


def chance_words(standing: float | None, lang: str) -> str:
    """How rarely chance alone brings so many: one in so many times."""
    if standing is None or standing <= 0:
        return MISSING
    tail = max(math.erfc(standing / math.sqrt(2)) / 2, 1e-12)
    if 1 / tail >= MOST_CHANCE:
        return t("hotspots.one_in_more", lang, n=number(MOST_CHANCE, lang, 0))
    size = 10 ** max(0, math.floor(math.log10(1 / tail)) - 1)
    return t("hotspots.one_in", lang, n=number(round(1 / tail / size) * size, lang, 0))


def usual_words(row: HotSpot, lang: str) -> str:
    """What is usual there, and between what it was."""
    if not row.earlier:
        return MISSING
    return t("hotspots.usual", lang, mean=number(row.expected, lang, 1), low=number(row.low, lang, 0), high=number(row.high, lang, 0))


def rows_href(view: View, found: HotSpots, row: HotSpot) -> str:
    """The list of exactly these reports."""
    period = found.asked.period.text if found.asked else ""
    where = {"area": row.key or MISSING_CODE} if found.cell is None else {"within": within(found, row)}
    return view.to("/reports", period=period, category=view.get("category"), **{"area": view.get("area"), **where})


def within(found: HotSpots, row: HotSpot) -> str:
    """A cell as a drawn polygon."""
    assert found.cell is not None and row.lon is not None and row.lat is not None
    wide, high = found.cell.step_lon / 2, found.cell.step_lat / 2
    west, east, south, north = row.lon - wide, row.lon + wide, row.lat - high, row.lat + high
    return Polygon(((west, south), (east, south), (east, north), (west, north))).text


# ---- the list -----------------------------------------------------------------------------------------------------------
def spot_table(view: View, found: HotSpots, rows: Sequence[HotSpot], caption: str, *, is_numbered: bool) -> Component:
    """The places, a line each; numbers are those of the map."""
    lang = view.lang
    places = {row.key: at for at, row in enumerate(rows, 1)}

    def named(row: HotSpot) -> Component:
        words = f"{places[row.key]}. {place_name(row, lang)}" if is_numbered else place_name(row, lang)
        return link(words, rows_href(view, found, row), title=t("hotspots.rows", lang))

    columns = (
        Column[HotSpot](t("hotspots.place", lang), named, "main"),
        Column[HotSpot](t("hotspots.n", lang), lambda row: number(row.n, lang, 0), "number"),
        Column[HotSpot](t("hotspots.usually", lang), lambda row: usual_words(row, lang), "number"),
        Column[HotSpot](t("hotspots.chance", lang), lambda row: chance_words(row.standing, lang), "number"),
        Column[HotSpot](t("hotspots.top", lang), lambda row: _top(row, lang), "wide"),
    )
    return table(columns, rows, caption)


def _top(row: HotSpot, lang: str) -> str:
    return t("hotspots.top_of", lang, name=row.top or MISSING, n=number(row.top_n, lang, 0)) if row.top_n else MISSING


# ---- the map ------------------------------------------------------------------------------------------------------------
def spot_map(view: View, areas: Sequence[AreaShape], found: HotSpots) -> Component | None:
    """Areas with the hot places numbered as in the list; None where there are none, or nothing to draw them on."""
    drawing = drawing_of(areas) or _frame(found)
    if drawing is None or not found.found:
        return None
    lang, hot = view.lang, {row.key: row for row in found.found}
    cuts = [
        html.Span(className="d-h-area", style=cut.style,
                  **{"data-step": str(step_of(hot[cut.code])) if found.cell is None and cut.code in hot else "0"})
        for cut in drawing.cuts
    ]
    borders = html.Span(className="d-h-borders", style={"--map": drawing.borders}) if drawing.borders else None
    middles = {area.code: shape(area.geometry).representative_point() for area in areas if area.geometry is not None and area.code in hot}
    points = {row.key: (row.lon, row.lat) for row in found.found if row.lon is not None and row.lat is not None}
    points |= {code: (point.x, point.y) for code, point in middles.items()} if found.cell is None else {}
    numbers = [
        _number(view, found, row, at, _at(drawing, *points[row.key])) for at, row in enumerate(found.found, 1) if row.key in points
    ]
    words = {key: t(f"wall.{key}", lang) for key in ("hoang_sa", "truong_sa", "bien_dong")}
    sea = [html.Span(one.text, className="d-h-sea", style=_at(drawing, one.lon, one.lat)) for one in sovereignty(drawing.bounds, words)]
    ground = html.Div([*cuts, *([] if borders is None else [borders])], **{"aria-hidden": "true"})
    return html.Div(
        [ground, *sea, *numbers], className="d-h-map", role="group", style={"--ratio": f"{drawing.ratio:.3f}"},
        **{"aria-label": t("hotspots.map", lang, n=number(len(found.found), lang, 0))},
    )


def step_of(row: HotSpot) -> int:
    """Colour step of a hot place."""
    return next(step for least, step in STEPS if (row.standing or 0.0) > least)


def _number(view: View, found: HotSpots, row: HotSpot, at: int, style: Mapping[str, str]) -> Component:
    """The place's number, a link to its reports."""
    words = t("hotspots.of", view.lang, place=place_name(row, view.lang), n=number(row.n, view.lang, 0), usual=usual_words(row, view.lang))
    inside = link([html.Span(str(at), **{"aria-hidden": "true"}), html.Span(words, className="d-unseen")],
                  rows_href(view, found, row), "d-h-number", title=words)
    return html.Span(inside, className="d-h-mark", style=dict(style), **{"data-step": str(step_of(row))})


def _at(drawing: Drawing, lon: float, lat: float) -> Mapping[str, str]:
    west, south, east, north = drawing.bounds
    return {"left": f"{100 * (lon - west) / (east - west):.1f}%", "top": f"{100 * (north - lat) / (north - south):.1f}%"}


def _frame(found: HotSpots) -> Drawing | None:
    """A frame without polygons around all cells that have reports."""
    box = bounds_of((row.lon, row.lat) for row in (*found.found, *found.others))
    if box is None or found.cell is None:
        return None
    west, south, east, north = box
    wide, high = max((east - west) * MARGIN, found.cell.step_lon), max((north - south) * MARGIN, found.cell.step_lat)
    bounds = (west - wide, south - high, east + wide, north + high)
    narrow = math.cos(math.radians((south + north) / 2))
    return Drawing((), (bounds[2] - bounds[0]) * narrow / (bounds[3] - bounds[1]), "", bounds)
