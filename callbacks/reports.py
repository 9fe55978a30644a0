"""Fills the list of citizen reports."""

from __future__ import annotations

from dash import Dash, html
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_filters import filter_chips, panel, search_box, select
from components.desk_links import View
from components.desk_parts import choices, count_line, heading, notice
from components.desk_reports import NOW_STATES, STATES, report_table
from components.desk_table import exports, pager
from components.desk_wiring import PageRow, bind_page, choice_of
from metrics.city import City, agencies, areas, reports
from metrics.city.reports import QUALITY_BY_KEY, ReportFilter
from text import t

PAGE_SIZE = 40
API_FILTERS = ("state", "quality", "status", "channel", "period", "q", "agency", "area", "category", "feed")
BULK_PERIOD = "last_30d"  # closings in bulk are judged inside a period


def draw_list(city: City, view: View) -> list[Component | None]:
    """State, filters, how many, the rows, files of the same rows."""
    lang = view.lang
    found = reports.read(city, filter_of(view), limit=PAGE_SIZE, cursor=view.get("cursor"))
    known = {row.code: row.name for row in agencies.read(city)}
    places = {row.code: row.full_name or row.name for row in areas.polygons(city)}
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
        select(view, "agency", t("desk.agency", lang), known.items()),
        select(view, "area", t("desk.area", lang), places.items()),
        search_box(view),
        html.Div(handling, className="d-field"),
    ]
    rows = report_table(city, view, found.rows) if found.rows else notice(t("empty.reports", lang), t("desk.empty_hint", lang))
    return [
        heading(t("page.reports", lang), t(f"desk.report_hint.{view.get('state')}", lang) if view.get("state") else None),
        panel(view, fields, choices(t("desk.state", lang), links, "d-states")),
        filter_chips(
            city,
            view,
            ("agency", "area", "category", "quality", "status", "channel", "feed", "q"),
            {"agency": known, "area": places, "quality": {key: t(f"desk.report_quality.{key}", lang) for key in QUALITY_BY_KEY}},
            NOW_STATES,
        ),
        html.Div(
            [count_line(len(found.rows), found.total, lang), exports(city, "/api/v1/reports", view.only(API_FILTERS), lang)],
            className="d-above",
        ),
        rows,
        pager(view, found.next_cursor),
    ]


def _quality_href(view: View, key: str) -> str:
    return view.here(quality=key, **({"period": BULK_PERIOD} if key == "bulk" and not view.get("period") else {}))


def filter_of(view: View) -> ReportFilter:
    """The list's filter as the URL says."""
    quality = view.get("quality")
    period = view.period if view.get("period") or quality == "bulk" else None
    return ReportFilter(
        choice_of(view), view.get("state"), view.get("status"), view.get("channel"), view.get("feed"), period, "", view.get("q"), quality
    )


PAGES = (
    PageRow("reports", "see.reports", draw_list, ("reports",)),
)


def register(app: Dash, context: AppContext) -> None:
    """Wire these pages."""
    for page in PAGES:
        bind_page(app, context, page)
