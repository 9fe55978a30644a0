"""Fills the page of one citizen report."""

from __future__ import annotations

from dash import Dash
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_links import View, item_of
from components.desk_record import missing
from components.desk_report import ReportNotes, detail
from components.desk_wiring import PageRow, bind_page
from metrics.city import City, areas
from metrics.city.findings import duplicates
from metrics.city.records import history, near, report_clock, reports
from metrics.city.records.reports import ReportDetail


def draw_one(city: City, view: View) -> list[Component | None]:
    """One report, or that it is not there."""
    feed, source_id = item_of(view.path)
    found = reports.one(city, feed, source_id) if feed else None
    return [missing(view, "/reports")] if found is None else [*detail(city, view, found, notes_of(city, found, source_id))]


def notes_of(city: City, found: ReportDetail, source_id: str) -> ReportNotes:
    """What the page tells beside the report (`source_id` as its address has it): clock, neighbours, candidates, areas."""
    near_it = near.of_report(city, found.item, source_id)
    codes = {found.item.area_code, *(row.area_code for row in near_it.rows)} if near_it else set()
    shapes = areas.polygons(city) if codes and city.scope.permits("see.desk") else ()
    outlines = [row.geometry for row in shapes if row.code in codes and row.geometry]
    same = duplicates.candidates(city, found.item.feed, source_id)
    names = history.agency_names(city, found.versions)
    drawn = near.drawn(city, found.item) if near_it else ""
    return ReportNotes(report_clock.read(city, found), near_it, same, outlines, near.grid_of_reader(city), drawn, names)


PAGES = (PageRow("report", "see.reports", draw_one, ("reports", "operations")),)


def register(app: Dash, context: AppContext) -> None:
    """Wire this page."""
    for page in PAGES:
        bind_page(app, context, page)
