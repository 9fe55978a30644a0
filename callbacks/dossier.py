"""Fills the page of one dossier."""

from __future__ import annotations

from dash import Dash
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_dossier import detail
from components.desk_links import View, item_of
from components.desk_record import missing
from components.desk_wiring import PageRow, bind_page
from metrics.city import City
from metrics.city.records import dossiers, history


def draw_one(city: City, view: View) -> list[Component | None]:
    """One dossier, or that it is not there."""
    feed, source_id = item_of(view.path)
    found = dossiers.one(city, feed, source_id, view.get("late_rule")) if feed else None
    return [missing(view, "/dossiers")] if found is None else [*detail(city, view, found, history.agency_names(city, found.versions))]


PAGES = (PageRow("dossier", "see.dossiers", draw_one, ("dossiers",)),)


def register(app: Dash, context: AppContext) -> None:
    """Wire this page."""
    for page in PAGES:
        bind_page(app, context, page)
