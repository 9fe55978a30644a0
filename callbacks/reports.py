"""Fills the list of citizen reports."""

from __future__ import annotations

from dash import Dash, html
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_filters import panel, search_box, select
from components.desk_grid import rows_of
from components.desk_links import View
from components.desk_parts import choices, heading, notice
from components.desk_reports import STATES, report_columns
from components.desk_rows import asked_of, counted, file_query, order_field, read_rows
from components.desk_table import PLACED, exports, pager
from components.desk_terms import term_chips
from components.desk_wiring import PageRow, bind_page
from metrics.city import City, agencies, areas
from metrics.city.lists.filter_grammar import Filter
from metrics.city.records import reports
from metrics.city.records.reports import QUALITY_BY_KEY
from metrics.periods import parse_period
from text import t

PAGE_SIZE = 40
BULK_PERIOD = "last_30d"  # closings in bulk are judged inside a period


def draw_list(city: City, view: View) -> list[Component | None]:
    """State, filters, how many, the rows, files of the same rows."""
    lang, asked = view.lang, _asked(city, view)
    found, said = read_rows(view, lambda sort: reports.read(city, asked, limit=PAGE_SIZE, cursor=view.get("cursor"), sort=sort))
    columns = report_columns(city, view, found.rows if found else ())
    top = [
        heading(t("page.reports", lang), t(f"desk.report_hint.{view.get('state')}", lang) if view.get("state") in STATES else None),
        _panel(city, view, order_field(view, columns)),
        term_chips(city, view, asked),
        said,
    ]
    if found is None:
        return top
    query = file_query(asked, view.get("sort") if said is None else "")
    files = exports(city, "/api/v1/reports", query, lang, PLACED, found.total)
    above = html.Div([counted(found, lang), files], className="d-above")
    if not found.rows:
        return [*top, above, notice(t("empty.reports", lang), t("desk.empty_hint", lang))]
    rows = rows_of(view, "reports", columns, found.rows, t("page.reports", lang), lambda row: f"{row.feed}~{row.source_id}")
    return [*top, above, rows, pager(view, found.next_cursor)]


def _asked(city: City, view: View) -> Filter:
    bulk = parse_period(BULK_PERIOD, city.today).text if view.get("quality") == "bulk" else ""
    return asked_of(view, "reports", bulk)


def _panel(city: City, view: View, order: Component | None) -> Component:
    lang = view.lang
    states = [("", t("desk.all", lang)), *((state, t(f"desk.report_state.{state}", lang)) for state in STATES)]
    links = [(words, view.here(state=state), view.get("state") == state) for state, words in states]
    qualities = [
        (t(f"desk.report_quality.{key}" if key else "desk.all", lang), _quality_href(view, key), view.get("quality") == key)
        for key in ("", *QUALITY_BY_KEY)
    ]
    handling = [
        html.Span(t("desk.filter.quality", lang), className="d-field-name"),
        choices(t("desk.filter.quality", lang), qualities),
    ]
    fields = [
        search_box(view, words=t("desk.search_words_reports", lang)),
        select(view, "agency", t("desk.agency", lang), [(row.code, row.name) for row in agencies.read(city)]),
        select(view, "area", t("desk.area", lang), [(row.code, row.full_name or row.name) for row in areas.polygons(city)]),
        html.Div(handling, className="d-field"),
        order,
    ]
    return panel(view, fields, choices(t("desk.state", lang), links, "d-states"))


def _quality_href(view: View, key: str) -> str:
    return view.here(quality=key, **({"period": BULK_PERIOD} if key == "bulk" and not view.get("period") else {}))


PAGES = (PageRow("reports", "see.reports", draw_list, ("reports",)),)


def register(app: Dash, context: AppContext) -> None:
    """Wire these pages."""
    for page in PAGES:
        bind_page(app, context, page)
