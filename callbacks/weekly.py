"""Fills the page of the leaders' week and takes what a meeting writes: follow-ups, annotations, the issue of a brief."""

from __future__ import annotations

from dataclasses import replace

from dash import Dash
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_links import View
from components.desk_parts import notice
from components.desk_weekly import changed_cards, notes, sections, week_heading
from components.desk_wiring import CallbackRow, PageRow, bind_callback, bind_page
from metrics.city import City, weekly
from metrics.periods import Period, parse_period
from text import t

DEFAULT_PERIOD = "last_week"
TOPICS = ("dossiers", "reports", "readings", "operations")


def draw_weekly(city: City, view: View) -> list[Component | None]:
    """The week: promises first, then what changed, then the rest; every part as `weekly.read` tells it."""
    week, fault = week_of(city, view)
    seen = replace(view, period=week)
    found = weekly.read(city, week)
    extra = {"changed": [changed_cards(city, seen, found.changed, lambda one: None)]}
    return [
        notice(t("weekly.page.no_week", view.lang, text=fault), t("weekly.page.no_week_hint", view.lang), kind="fault") if fault else None,
        week_heading(city, seen, found, ()),
        *notes(seen, found),
        sections(city, seen, found, extra),
    ]


def week_of(city: City, view: View) -> tuple[Period, str]:
    """The week the address asks for; last week, and what was asked, where that is no week or has not begun."""
    if view.period.kind == "week" and view.period.start_on <= city.today:
        return view.period, ""
    return parse_period(DEFAULT_PERIOD, city.today), view.get("period")


PAGES = (PageRow("weekly", "see.desk", draw_weekly, TOPICS, default_period=DEFAULT_PERIOD),)
CALLBACKS: tuple[CallbackRow, ...] = ()


def register(app: Dash, context: AppContext) -> None:
    """Wire this page."""
    for page in PAGES:
        bind_page(app, context, page)
    for row in CALLBACKS:
        bind_callback(app, context, row)
