"""Fills the page of one citizen report."""

from __future__ import annotations

from dash import Dash
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_links import View, item_of
from components.desk_record import missing
from components.desk_report import detail
from components.desk_wiring import PageRow, bind_page
from metrics.city import City, reports


def draw_one(city: City, view: View) -> list[Component | None]:
    """One report, or that it is not there."""
    feed, source_id = item_of(view.path)
    found = reports.one(city, feed, source_id) if feed else None
    return [missing(view, "/reports")] if found is None else [*detail(city, view, found)]


PAGES = (PageRow("report", "see.reports", draw_one, ("reports",)),)


def register(app: Dash, context: AppContext) -> None:
    """Wire this page."""
    for page in PAGES:
        bind_page(app, context, page)
