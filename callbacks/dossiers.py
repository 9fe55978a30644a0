"""Fills the list of dossiers."""

from __future__ import annotations

from dash import Dash, html
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_dossiers import STATES, dossier_columns
from components.desk_filters import late_rules, panel, search_box, select
from components.desk_grid import rows_of
from components.desk_links import View
from components.desk_parts import choices, heading, notice
from components.desk_rows import asked_of, counted, file_query, order_field, read_rows
from components.desk_table import exports, pager
from components.desk_terms import term_chips
from components.desk_wiring import PageRow, bind_page
from metrics.city import City, agencies, areas
from metrics.city.records import dossiers
from text import t

PAGE_SIZE = 40


def draw_list(city: City, view: View) -> list[Component | None]:
    """State, filters, how many, the rows, files of the same rows."""
    lang, asked = view.lang, asked_of(view, "dossiers")
    found, said = read_rows(view, lambda sort: dossiers.read(city, asked, limit=PAGE_SIZE, cursor=view.get("cursor"), sort=sort))
    columns = dossier_columns(city, view)
    known = {row.code: row.name for row in agencies.read(city)}
    places = {row.code: row.full_name or row.name for row in areas.polygons(city)}
    states = [("", t("desk.all", lang)), *((state, t(f"desk.dossier_state.{state}", lang)) for state in STATES)]
    links = [(words, view.here(state=state), view.get("state") == state) for state, words in states]
    fields = [
        search_box(view, words=t("desk.search_words", lang)),
        select(view, "agency", t("desk.agency", lang), known.items()),
        select(view, "area", t("desk.area", lang), places.items()),
        late_rules(view, city.config.late_rule),
        order_field(view, columns),
    ]
    top = [
        heading(t("page.dossiers", lang), t(f"desk.dossier_hint.{view.get('state')}", lang) if view.get("state") in STATES else None),
        panel(view, fields, choices(t("desk.state", lang), links, "d-states")),
        term_chips(city, view, asked),
        said,
    ]
    if found is None:
        return top
    files = exports(city, "/api/v1/dossiers", file_query(asked, view.get("sort") if said is None else ""), lang, total=found.total)
    above = html.Div([counted(found, lang), files], className="d-above")
    if not found.rows:
        return [*top, above, notice(t("empty.dossiers", lang), t("desk.empty_hint", lang))]
    rows = rows_of(view, "dossiers", columns, found.rows, t("page.dossiers", lang), lambda row: f"{row.feed}~{row.source_id}")
    return [*top, above, rows, pager(view, found.next_cursor)]


PAGES = (PageRow("dossiers", "see.dossiers", draw_list, ("dossiers",)),)


def register(app: Dash, context: AppContext) -> None:
    """Wire these pages."""
    for page in PAGES:
        bind_page(app, context, page)
