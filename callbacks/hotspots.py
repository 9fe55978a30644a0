"""Fills the page of places with more reports than usual."""

from __future__ import annotations

from dash import Dash, html
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_filters import filter_chips, panel, period_field, period_name, period_picker, select
from components.desk_hotspots import spot_map, spot_table
from components.desk_links import View
from components.desk_parts import choices, heading, notice
from components.desk_table import exports
from components.desk_wiring import PageRow, bind_page, choice_of
from metrics.city import City, agencies, areas
from metrics.city.findings import hotspots
from metrics.city.findings.hotspots import BY, HotSpots
from metrics.city.grid import METRES_PER_DEGREE
from text import t
from text.formats import number

DEFAULT_PERIOD = "last_week"
API_FILTERS = ("period", "by", "agency", "area", "category")


def draw_page(city: City, view: View) -> list[Component | None]:
    """The choices, what is set beside what, the map and the list of hot places, the others folded away."""
    lang = view.lang
    found = hotspots.unusual(city, view.period, view.get("by") or BY[0], choice_of(view))
    query = view.only(API_FILTERS) if view.get("period") else f"period={view.period.text}&{view.only(API_FILTERS)}".rstrip("&")
    files = exports(city, "/api/v1/hotspots", query, lang)
    return [
        heading(t("page.hotspots", lang), t("hotspots.lead", lang)),
        *_controls(city, view),
        html.Div([html.P(about(city, view, found), className="d-quiet"), files], className="d-above"),
        *_body(city, view, found),
    ]


def _controls(city: City, view: View) -> list[Component | None]:
    lang = view.lang
    offices = {row.code: row.name for row in agencies.read(city)}
    looks = [(t(f"hotspots.by_{by}", lang), view.here(by="" if by == BY[0] else by), (view.get("by") or BY[0]) == by) for by in BY]
    fields = [period_field(view), select(view, "agency", t("desk.agency", lang), offices.items())]
    return [
        html.Section([period_picker(view, DEFAULT_PERIOD), panel(view, fields)], className="d-controls"),
        filter_chips(city, view, ("agency", "area", "category"), {"agency": offices}, ()),
        choices(t("hotspots.by", lang), looks, "d-states"),
    ]


def about(city: City, view: View, found: HotSpots) -> str:
    """How many reports, beside how many earlier spans, how many places chance alone would bring; what is left out."""
    lang, asked = view.lang, found.asked
    if asked is None:
        return t("hotspots.not_over", lang)
    until = t("hotspots.until", lang, hour=number((asked.last_hour or 0) + 1, lang, 0)) if asked.has_hours else ""
    told = [t("hotspots.about", lang, n=number(found.total, lang, 0), period=period_name(asked.period, lang) + until,
              earlier=number(found.earlier, lang, 0))]
    if found.compared:
        told.append(t("hotspots.by_chance", lang, places=number(found.compared, lang, 0), n=number(found.by_chance, lang, 2)))
    if found.placeless:
        told.append(t("hotspots.placeless" if found.by == "cell" else "hotspots.no_area", lang, n=number(found.placeless, lang, 0)))
    if found.cell is not None:
        told.append(t("hotspots.cell_m", lang, n=number(found.cell.step_lat * METRES_PER_DEGREE, lang, 0)))
    return " ".join(told)


def _body(city: City, view: View, found: HotSpots) -> list[Component | None]:
    lang = view.lang
    if found.asked is None or not found.total:
        return [notice(t("hotspots.no_reports", lang), t("desk.empty_hint", lang))]
    if not found.compared:
        return [notice(t("hotspots.too_new", lang), t("hotspots.too_new_hint", lang))]
    hot = (
        spot_table(view, found, found.found, t("hotspots.found", lang), is_numbered=True)
        if found.found else notice(t("hotspots.none", lang), t("hotspots.none_hint", lang))
    )
    drawn = spot_map(view, areas.polygons(city), found)
    shown = html.Div([drawn, hot], className="d-h-both") if drawn is not None else hot
    return [shown, _others(view, found)]


def _others(view: View, found: HotSpots) -> Component | None:
    if not found.others:
        return None
    words = t("hotspots.others", view.lang, n=number(len(found.others), view.lang, 0))
    return html.Details([html.Summary(words), spot_table(view, found, found.others, words, is_numbered=False)], className="d-waiting")


PAGES = (PageRow("hotspots", "see.reports", draw_page, ("reports",), default_period=DEFAULT_PERIOD),)


def register(app: Dash, context: AppContext) -> None:
    """Wire this page."""
    for page in PAGES:
        bind_page(app, context, page)
