"""The cards beside the map: areas, reports, stations, drawing; each with its choices and its legend."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from components import desk_map, desk_map_layers
from components.desk_filters import select
from components.desk_links import View
from components.desk_map_state import NONE, Shown, report_filter
from components.desk_parts import choices
from metrics.city import City, places
from metrics.city.areas import AreaShape
from metrics.city.numbers.series import Point
from metrics.city.places import CLUSTERS, DENSITY
from text import t

LOOKS = (CLUSTERS, DENSITY, NONE)
STATES = ("open", "overdue", "received", "finished")


def area_card(
    view: View, now: Shown, keys: Sequence[str], shapes: Sequence[AreaShape], points: Sequence[Point],
) -> Component | None:
    """Which KPI colours the areas, and what the colours mean."""
    lang = view.lang
    if not keys:
        return None
    known = {key: t(f"kpi.{key}.label", lang) for key in keys}
    box = select(view, "kpi", t("map.kpi", lang), known.items(), known.get(now.kpi, ""))
    legend: Sequence[Component] = ()
    if now.kpi and any(shape.geometry is not None for shape in shapes):
        legend = desk_map_layers.area_legend(now.kpi, points, lang, 0.0)
    elif now.kpi:
        legend = [html.P(t("map.no_polygons", lang), className="d-quiet")]
    parts = [_on_off(view, "kpi", bool(now.kpi), t("map.areas", lang)), box if now.kpi else None]
    return desk_map.card(t("map.areas", lang), [*parts, html.Div(list(legend), id=desk_map.AREA_LEGEND)])


def _on_off(view: View, name: str, is_on: bool, label: str) -> Component:
    lang = view.lang
    shown, hidden = (t("map.show", lang), view.here(**{name: ""}), is_on), (t("map.hide", lang), view.here(**{name: NONE}), not is_on)
    return choices(label, [shown, hidden])


def report_card(city: City, view: View, now: Shown, note: str) -> Component | None:
    """How reports look, which of them, what their colours mean; what this reader is told of where they lie."""
    lang = view.lang
    if not any(feed.role == "feedback" for feed in city.config.feeds):
        return None
    reads = city.scope.permits("see.reports")
    look = now.reports if reads or now.reports == NONE else DENSITY
    looks = [(t(f"map.look.{one}", lang), view.here(reports="" if one == LOOKS[0] else one), one == look) for one in LOOKS]
    on = report_filter(view, now.day)["state"]
    states = [(t(f"desk.report_state.{one}", lang), view.here(state="" if one == "open" else one), one == on) for one in STATES]
    parts: list[Component | None] = [choices(t("page.reports", lang), looks if reads else looks[1:])]
    if look != NONE:
        parts.append(choices(t("desk.state", lang), states) if reads else None)
        parts.append(desk_map_layers.spans_legend(lang) if look == CLUSTERS else desk_map_layers.density_legend(None, lang))
        masked = t("map.masked", lang) if places.needs_grid(city.scope) else ""
        parts += [html.P(said, className="d-quiet") for said in (note, masked) if said]
    return desk_map.card(t("page.reports", lang), parts)


def station_card(city: City, view: View, now: Shown) -> Component | None:
    """Stations on or off, and their colours."""
    lang = view.lang
    if not city.scope.permits("see.stations") or not any(feed.role == "sensors" for feed in city.config.feeds):
        return None
    legend = desk_map_layers.stations_legend(lang) if now.has_stations else []
    return desk_map.card(t("page.stations", lang), [_on_off(view, "stations", now.has_stations, t("page.stations", lang)), *legend])


def drawn_card(view: View, selected: Sequence[Component]) -> Component:
    """The drawing buttons, and what lies inside what was drawn."""
    parts: list[Component | None] = [desk_map.drawing(view.lang, bool(view.get("within")))]
    if selected:
        parts.append(html.Div(list(selected), id="map-selected"))
    return desk_map.card(t("map.draw", view.lang), parts)
