"""Fills the list of dossiers."""

from __future__ import annotations

from dash import Dash, html
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_dossiers import NOW_STATES, STATES, dossier_table
from components.desk_filters import filter_chips, late_rules, panel, search_box, select
from components.desk_links import View
from components.desk_parts import choices, count_line, heading, notice
from components.desk_table import exports, pager
from components.desk_wiring import PageRow, bind_page, choice_of
from metrics.city import City, agencies, areas, dossiers
from metrics.city.dossiers import DossierFilter
from text import t

PAGE_SIZE = 40
API_FILTERS = (
    "state",
    "status",
    "procedure",
    "channel",
    "period",
    "q",
    "agency",
    "area",
    "domain",
    "feed",
    "late_rule",
)


def draw_list(city: City, view: View) -> list[Component | None]:
    """State, filters, how many, the rows, files of the same rows."""
    lang = view.lang
    found = dossiers.read(city, filter_of(view), limit=PAGE_SIZE, cursor=view.get("cursor"))
    known = {row.code: row.name for row in agencies.read(city)}
    places = {row.code: row.full_name or row.name for row in areas.polygons(city)}
    states = [("", t("desk.all", lang)), *((state, t(f"desk.dossier_state.{state}", lang)) for state in STATES)]
    links = [(words, view.here(state=state), view.get("state") == state) for state, words in states]
    fields = [
        select(view, "agency", t("desk.agency", lang), known.items()),
        select(view, "area", t("desk.area", lang), places.items()),
        search_box(view),
        late_rules(view, city.config.late_rule),
    ]
    rows = dossier_table(city, view, found.rows) if found.rows else notice(t("empty.dossiers", lang), t("desk.empty_hint", lang))
    return [
        heading(t("page.dossiers", lang), t(f"desk.dossier_hint.{view.get('state')}", lang) if view.get("state") else None),
        panel(view, fields, choices(t("desk.state", lang), links, "d-states")),
        filter_chips(
            city,
            view,
            ("agency", "area", "domain", "procedure", "channel", "feed", "q"),
            {"agency": known, "area": places},
            NOW_STATES,
        ),
        html.Div(
            [count_line(len(found.rows), found.total, lang), exports(city, "/api/v1/dossiers", view.only(API_FILTERS), lang)],
            className="d-above",
        ),
        rows,
        pager(view, found.next_cursor),
    ]


def filter_of(view: View) -> DossierFilter:
    """The list's filter as the URL says. ValueError names what it cannot mean."""
    status = view.get("status")
    if status and (not status.isdecimal() or len(status) > 3):
        raise ValueError(f"status {status}")
    return DossierFilter(
        choice_of(view),
        view.get("state"),
        int(status) if status else None,
        view.get("procedure"),
        view.get("channel"),
        view.get("feed"),
        view.period if view.get("period") else None,
        "",
        view.get("q"),
        view.get("late_rule"),
    )


PAGES = (
    PageRow("dossiers", "see.dossiers", draw_list, ("dossiers",)),
)


def register(app: Dash, context: AppContext) -> None:
    """Wire these pages."""
    for page in PAGES:
        bind_page(app, context, page)
