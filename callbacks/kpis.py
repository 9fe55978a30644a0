"""Fills the catalogue of KPIs."""

from __future__ import annotations

from dash import Dash
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_kpis import catalogue, contents
from components.desk_links import View
from components.desk_parts import heading
from components.desk_wiring import PageRow, bind_page
from metrics.city import City
from text import t


def draw_catalogue(city: City, view: View) -> list[Component | None]:
    """Every KPI with its definition; an anchor each."""
    return [heading(t("page.kpis", view.lang), t("desk.kpis_hint", view.lang)), contents(view), *catalogue(city, view)]


PAGES = (PageRow("kpis", "see.desk", draw_catalogue, ("operations",)),)


def register(app: Dash, context: AppContext) -> None:
    """Wire this page."""
    for page in PAGES:
        bind_page(app, context, page)
