"""Fills the page of open dossiers that may miss their due date."""

from __future__ import annotations

from dash import Dash, html
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_at_risk import judged, ranked_words, risk_table
from components.desk_filters import filter_chips, panel, search_box, select
from components.desk_links import View
from components.desk_parts import count_line, heading, link, notice
from components.desk_table import exports, pager
from components.desk_wiring import PageRow, bind_page
from metrics.city import City, agencies, areas
from metrics.city.findings import at_risk
from metrics.city.findings.at_risk import RiskPage
from metrics.city.lists.filter_fields import FIELDS
from metrics.city.lists.filters import Filter, parse, told
from text import t

PAGE_SIZE = 40
CHIPS = ("agency", "area", "domain", "procedure", "channel", "feed", "q")
API_FILTERS = (*(field.key for field in FIELDS["dossiers"]), "period", "period_on", "q", "late_rule")


def draw_queue(city: City, view: View) -> list[Component | None]:
    """What the queue is ranked by, filters, the queue, how its ranking was judged."""
    lang, chosen = view.lang, filter_of(view)
    found = at_risk.read(city, chosen, limit=PAGE_SIZE, cursor=view.get("cursor"))
    offices = {row.code: row.name for row in agencies.read(city)}
    places = {row.code: row.full_name or row.name for row in areas.polygons(city)}
    fields = [
        select(view, "agency", t("desk.agency", lang), offices.items()), select(view, "area", t("desk.area", lang), places.items()),
        search_box(view),
    ]
    rows = link(t("risk.rows", lang), view.to("/dossiers", **told(chosen)), "d-button")
    counted = [count_line(len(found.rows), found.total, lang), html.P(t("risk.cut", lang), className="d-quiet") if found.is_cut else None]
    return [
        heading(t("page.at_risk", lang), t("risk.lead", lang), rows),
        ranked_words(city, found.model, lang),
        panel(view, fields),
        filter_chips(city, view, CHIPS, {"agency": offices, "area": places, **_procedures(found)}, ("", view.get("state"))),
        html.Div([*counted, exports(city, "/api/v1/at-risk", view.only(API_FILTERS), lang)], className="d-above"),
        risk_table(city, view, found) if found.rows else notice(t("risk.empty", lang), t("risk.empty_hint", lang)),
        pager(view, found.next_cursor),
        judged(city, found.model, lang),
    ]


def _procedures(found: RiskPage) -> dict[str, dict[str, str]]:
    return {"procedure": {row.procedure_code: row.procedure_name for row in found.rows}}


def filter_of(view: View) -> Filter:
    """What the address narrows the queue to. Of open dossiers, so a period counts only when it says which day it is about."""
    return parse("dossiers", {**view.query, "state": view.get("state") or "open"})


PAGES = (PageRow("at_risk", "see.dossiers", draw_queue, ("dossiers",)),)


def register(app: Dash, context: AppContext) -> None:
    """Wire this page."""
    for page in PAGES:
        bind_page(app, context, page)
