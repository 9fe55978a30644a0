"""Fills the map: its frame and panel once; then reports and stations of each view, areas of each day, what is picked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from dash import Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component

from components import desk_map, desk_map_cards, desk_map_layers, desk_map_panel
from components.context import AppContext
from components.desk_filters import panel, period_field, period_name, period_picker, select
from components.desk_links import View, read_view
from components.desk_map import AREAS, ASKED, AT, PICKED, SPOTS, SQUARES, STATIONS, TOLD
from components.desk_map_scale import COUNTS
from components.desk_map_state import DEFAULT_PERIOD, MOST_DAYS, NONE, Shown, box_of, day_of, report_filter, shown
from components.desk_parts import heading, notice
from components.desk_shell import opened_id
from components.desk_terms import term_chips
from components.desk_wiring import CallbackRow, PageRow, bind_callback, bind_page, choice_of
from components.maps import area_features
from components.polygons import with_country
from metrics.city import City, agencies, areas, places
from metrics.city.areas import AreaShape
from metrics.city.feeds import ROLE_TOPIC
from metrics.city.lists.within import inside_polygon, read_polygon
from metrics.city.measured import stations
from metrics.city.numbers import area_kpis
from metrics.city.numbers.series import Point
from metrics.city.places import DENSITY, Box, Spots, Squares
from metrics.city.records import reports
from metrics.kpis import kpi
from metrics.periods import Period, parse_period
from scope import Scope
from store.days import number_of
from text import t
from text.formats import day as day_words
from text.formats import number

FIRST_KPIS = ("reports_overdue", "dossiers_overdue", "vn_aqi")


# ---- the page ---------------------------------------------------------------------------------------------------------
def draw_map(city: City, view: View) -> list[Component | None]:
    """Filters; the map, its time bar and what is beside it; the areas as a table."""
    lang, keys = view.lang, kpi_keys(city)
    now = shown(view, keys)
    shapes = shown_areas(city)
    points = area_points(city, view, now)
    drawn = _drawn(view)
    features, corners = area_features(shapes)
    bounds, note = _opening(city, view, shapes, corners, now)
    hideout = _hideout(city, view, now, shapes, points, 0.0)
    chosen = {row.code: row.name for row in agencies.read(city)}
    names = {row.code: row.full_name or row.name for row in shapes}
    fields = [
        select(view, "area", t("map.find_area", lang), names.items()),
        select(view, "agency", t("desk.agency", lang), chosen.items()),
        period_field(view),
    ]
    selected = _selected(city, view, now.day) if view.get("within") else []
    beside = [
        desk_map_cards.drawn_card(view, selected), desk_map_cards.area_card(view, now, keys, shapes, points),
        desk_map_cards.report_card(city, view, now, note), desk_map_cards.station_card(city, view, now),
    ]
    narrowing = {key: value for key, value in report_filter(view).items() if key != "period"}
    above = [_title(view), panel(view, fields), term_chips(city, view, reports.chosen(narrowing))]
    if bounds is None:
        nothing = notice(t("empty.map", lang), t("map.nothing_placed", lang))
        return [*above, nothing, _table(view, now, shapes, points)]
    left = [
        desk_map.map_box(view, features if now.kpi else desk_map.EMPTY, bounds, drawn, hideout),
        desk_map.time_bar(_days(city, view), now.day, lang),
        html.P("", id=desk_map.ANSWERED, className="d-quiet m-status", role="status"),
        _table(view, now, shapes, points),
    ]
    return [*above, desk_map.frame(left, beside, lang)]


def _title(view: View) -> Component:
    return heading(t("page.map", view.lang), html.B(period_name(view.period, view.lang)), period_picker(view, DEFAULT_PERIOD))


def kpi_keys(city: City) -> tuple[str, ...]:
    """KPIs a map of this city can show: of the topics it reads; those one looks at first come first."""
    topics = {ROLE_TOPIC.get(feed.role) for feed in city.config.feeds}
    found = [key for key in area_kpis.with_areas() if kpi(key).topic in topics]
    return tuple(sorted(found, key=lambda key: FIRST_KPIS.index(key) if key in FIRST_KPIS else len(FIRST_KPIS)))


def shown_areas(city: City) -> tuple[AreaShape, ...]:
    """The communes; where there are none, all areas."""
    return areas.polygons(city, level="commune") or areas.polygons(city)


def area_points(city: City, view: View, now: Shown) -> tuple[Point, ...]:
    """The KPI by area over the period, or on the day; () without a KPI, or where it cannot be told."""
    if not now.kpi:
        return ()
    period = _period(city, view, now.day)
    found = area_kpis.read(city, now.kpi, period, choice_of(view), view.get("late_rule"))
    if not found or kpi(now.kpi).measure not in COUNTS:
        return found
    known = {point.group for point in found}  # a place of which no row tells, where rows are counted, has none
    none = (Point(row.code, row.full_name or row.name, 0.0, 0) for row in shown_areas(city) if row.code not in known)
    return (*found, *(none if not view.get("area") else ()))


def _period(city: City, view: View, day: str) -> Period:
    return parse_period(day, city.today) if day else view.period


def _days(city: City, view: View) -> list[tuple[str, str]]:
    """Days of the period up to today, the last of them when there are many."""
    end = min(view.period.end_on, city.today)
    count = min((end - view.period.start_on).days + 1, MOST_DAYS)
    days = [end - timedelta(days=count - 1 - n) for n in range(max(0, count))]
    return [(on.isoformat(), day_words(on, view.lang)) for on in days]


def _drawn(view: View) -> list[tuple[float, float]]:
    """Corners (lat, lon) of the reader's polygon."""
    return [(lat, lon) for lon, lat in read_polygon(view.get("within")).corners] if view.get("within") else []


def _opening(city: City, view: View, shapes: tuple[AreaShape, ...], corners: Any, now: Shown) -> tuple[Any, str]:
    """Leaflet corners the map opens with, and how many reports have no place, in words."""
    box, note = None, ""
    if city.scope.permits("see.reports") and now.reports != NONE:
        asked = reports.chosen(report_filter(view, now.day))
        (box, placed), total = places.extent(city, asked), reports.total(city, asked)
        note = t("map.reports_shown", view.lang, n=number(placed, view.lang, 0))
        if placed < total:
            note += " " + t("map.reports_unplaced", view.lang, n=number(total - placed, view.lang, 0))
    one = [shape for shape in shapes if shape.code == view.get("area") and shape.geometry is not None]
    if one:
        corners = area_features(one)[1]
    if corners is None and box is None and city.scope.permits("see.stations"):
        box = _around([(row.lon, row.lat) for row in stations.read(city)])
    return corners or (_corners(box) if box else None), note


def _around(points: list[tuple[float | None, float | None]]) -> Box | None:
    known = [(lon, lat) for lon, lat in points if lon is not None and lat is not None]
    if not known:
        return None
    lons, lats = zip(*known, strict=True)
    return min(lons), min(lats), max(lons), max(lats)


def _corners(box: Box) -> list[list[float]]:
    """A box that has a size, as leaflet takes it; a view of the country holds both archipelagos."""
    west, south, east, north = with_country(box)
    margin = max(0.005, (north - south) * 0.03, (east - west) * 0.03)
    return [[south - margin, west - margin], [north + margin, east + margin]]


def _selected(city: City, view: View, day: str) -> list[Component]:
    """How many lie inside what was drawn: the same filter as the list it links to."""
    asked = report_filter(view, day)
    total = reports.total(city, reports.chosen(asked)) if city.scope.permits("see.reports") else None
    polygon = read_polygon(view.get("within"))
    inside = [
        row for row in (stations.read(city) if city.scope.permits("see.stations") else ())
        if row.lon is not None and row.lat is not None and inside_polygon(polygon, row.lon, row.lat)
    ]
    return desk_map_panel.selection(city, view, total, asked, inside)


def _table(view: View, now: Shown, shapes: tuple[AreaShape, ...], points: tuple[Point, ...]) -> Component | None:
    if not now.kpi or not points:
        return None
    inside = html.Div(desk_map_layers.area_table(view, now.kpi, shapes, points), id=desk_map.AREA_TABLE)
    return html.Details([html.Summary(t("map.as_table", view.lang), className="d-button"), inside], className="m-table")


def _hideout(city: City, view: View, now: Shown, shapes: tuple[AreaShape, ...], points: tuple[Point, ...], top: float) -> dict[str, Any]:
    colours = desk_map_layers.area_colours(now.kpi, shapes, points, view.lang, top) if now.kpi else {}
    return {**colours, "chosen": view.get("area"), "day": now.day, "isFaint": now.reports == DENSITY}


# ---- what the scripts ask ---------------------------------------------------------------------------------------------
Opened = Mapping[str, Any] | None


def _looked(context: AppContext, scope: Scope, opened: Opened, day: object = "") -> tuple[City, View, Shown]:
    city = context.city(scope)
    view = read_view(opened, context.config, city.today, DEFAULT_PERIOD)
    now = shown(view, kpi_keys(city))
    return city, view, replace(now, day=day_of(day, view))


def draw_places(context: AppContext, scope: Scope, asked: Any, opened: Opened) -> Any:
    """Reports of the view a browser looks at, and stations for the first view of a day: {box, zoom, day, token, fresh}."""
    if not isinstance(asked, Mapping):
        return no_update
    city, view, now = _looked(context, scope, opened, asked.get("day"))
    try:
        box, zoom = box_of(asked.get("box")), float(asked.get("zoom") or 0)
    except (TypeError, ValueError):
        return no_update
    spots, squares = _reports(city, view, now, box, zoom)
    # stations stand still: they are not sent with every pan
    standing, is_cut = _stations(city, view, now, box) if asked.get("fresh") else (None, False)
    n = sum(spot.n for spot in spots.spots) if spots else sum(square.n or 0 for square in squares.squares) if squares else 0
    told = {"data-token": str(asked.get("token"))[:20], "data-n": str(n), "data-day": now.day, "data-fresh": "1" if is_cut else ""}
    return (  # what has not changed is not sent: drawing it anew costs the reader a frame
        desk_map_layers.spot_features(spots) if spots else no_update, desk_map_layers.square_features(squares) if squares else no_update,
        no_update if standing is None else standing, html.Span(t("map.answered", view.lang, n=number(n, view.lang, 0)), **told),
    )


def _reports(city: City, view: View, now: Shown, box: Box, zoom: float) -> tuple[Spots | None, Squares | None]:
    if now.reports == NONE:
        return None, None
    if not city.scope.permits("see.reports"):
        return None, places.read_told(city, choice_of(view), box)
    asked = reports.chosen(report_filter(view, now.day))
    if now.reports == DENSITY:
        return None, places.read_squares(city, asked, box, zoom)
    return places.read_spots(city, asked, box, zoom), None


def _stations(city: City, view: View, now: Shown, box: Box) -> tuple[dict[str, Any], bool]:
    """All stations, False; those of the box, True, where there are too many: then the script asks for them with every view."""
    if not now.has_stations or not city.scope.permits("see.stations"):
        return desk_map.EMPTY, False
    on_day = places.day_indices(city, number_of(parse_period(now.day, city.today).start_on), view.get("area")) if now.day else None
    west, south, east, north = box
    placed = [row for row in stations.read(city, view.get("area")) if row.lon is not None and row.lat is not None]
    is_cut = len(placed) > places.MOST
    if is_cut:
        placed = [row for row in placed if west <= (row.lon or 0) <= east and south <= (row.lat or 0) <= north][: places.MOST]
    return desk_map_layers.station_features(placed, on_day), is_cut


def draw_day(context: AppContext, scope: Scope, at: Any, opened: Opened) -> Any:
    """Areas on a day of the replay, or over the whole period again: {day, top}."""
    if not isinstance(at, Mapping):
        return no_update
    city, view, now = _looked(context, scope, opened, at.get("day"))
    top = at.get("top")
    top = float(top) if isinstance(top, int | float) and 0 < top < 1e12 else 0.0
    shapes, points = shown_areas(city), area_points(city, view, now)
    if not now.kpi:
        return no_update, no_update
    has_shapes = any(shape.geometry is not None for shape in shapes)
    legend = desk_map_layers.area_legend(now.kpi, points, view.lang, top) if has_shapes else no_update
    return _hideout(city, view, now, shapes, points, top), legend


def pick(context: AppContext, scope: Scope, picked: Any, opened: Opened) -> Any:
    """Words about what was clicked: {kind: area | report | box | station, ...}."""
    if not isinstance(picked, Mapping):
        return no_update
    city, view, now = _looked(context, scope, opened, picked.get("day"))
    known = _PICKED.get(str(picked.get("kind")))
    if known is None:
        return no_update
    return known(city, view, now, picked) or [html.P(t("map.gone", view.lang), className="d-quiet")]


def _picked_area(city: City, view: View, now: Shown, picked: Mapping[str, Any]) -> list[Component]:
    area = next((shape for shape in shown_areas(city) if shape.code == picked.get("code")), None)
    if area is None:
        return []
    found = next((point for point in area_points(city, view, now) if point.group == area.code), None)
    return desk_map_panel.words_of_area(city, view, area, now.kpi, found, report_filter(view, now.day, within=""))


def _picked_report(city: City, view: View, now: Shown, picked: Mapping[str, Any]) -> list[Component]:
    if not city.scope.permits("see.reports"):
        return []
    found = reports.one(city, str(picked.get("feed"))[:200], str(picked.get("id"))[:200])
    return desk_map_panel.words_of_report(city, view, found.item) if found else []


def _picked_box(city: City, view: View, now: Shown, picked: Mapping[str, Any]) -> list[Component]:
    if not city.scope.permits("see.reports"):
        return []
    west, south, east, north = box_of(picked.get("box"))
    corners = ((west, south), (east, south), (east, north), (west, north))
    asked = report_filter(view, now.day, within="_".join(f"{lon:.6f},{lat:.6f}" for lon, lat in corners))
    return desk_map_panel.words_of_several(view, reports.total(city, reports.chosen(asked)), asked)


def _picked_station(city: City, view: View, now: Shown, picked: Mapping[str, Any]) -> list[Component]:
    if not city.scope.permits("see.stations"):
        return []
    named = (picked.get("feed"), picked.get("id"))
    found = next((row for row in stations.read(city, view.get("area")) if (row.feed, row.source_id) == named), None)
    return desk_map_panel.words_of_station(city, view, found) if found else []


_PICKED = {"area": _picked_area, "report": _picked_report, "box": _picked_box, "station": _picked_station}


PAGES = (PageRow("map", "see.desk", draw_map, ("dossiers", "reports", "readings"), default_period=DEFAULT_PERIOD),)
_OPENED = [State(opened_id("map"), "data")]
CALLBACKS = (
    CallbackRow(
        draw_places, "see.desk",
        [Output(SPOTS, "data"), Output(SQUARES, "data"), Output(STATIONS, "data"), Output(desk_map.ANSWERED, "children")],
        [Input(ASKED, "data")], _OPENED,
    ),
    CallbackRow(draw_day, "see.desk", [Output(AREAS, "hideout"), Output(desk_map.AREA_LEGEND, "children")], [Input(AT, "data")], _OPENED),
    CallbackRow(pick, "see.desk", Output(TOLD, "children"), [Input(PICKED, "data")], _OPENED),
)


def register(app: Dash, context: AppContext) -> None:
    """Wire this page."""
    for page in PAGES:
        bind_page(app, context, page)
    for row in CALLBACKS:
        bind_callback(app, context, row)
