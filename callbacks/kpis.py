"""Fills the catalogue of KPIs: what the reader looks for, by theme and subject, with the figures of one period, read in one call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from dash import Dash, html
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_filters import (
    comparisons,
    figure_fields,
    panel,
    period_name,
    period_picker,
    search_box,
)
from components.desk_kpis import sections, themes
from components.desk_links import View
from components.desk_parts import heading, link, notice
from components.desk_table import exports
from components.desk_wiring import PageRow, bind_page, choice_of
from metrics.city import City
from metrics.city.numbers import definitions, indicators, kpis
from metrics.comparison import HOWS
from text import t

DEFAULT_PERIOD = "last_week"  # the last full one: a catalogue shows what a figure settles to, not a morning's noise


def draw_catalogue(city: City, view: View) -> list[Component | None]:
    """Every KPI that fits what is looked for, with its figure; an anchor each."""
    lang = view.lang
    found = definitions.read(city, words=view.get("q"))
    shown = [item for item in found if view.get("theme") in ("", item.row.theme)]
    keys = [item.row.key for item in shown]
    how = view.get("compare") or HOWS[0]
    values = kpis.read(city, keys, view.period, choice_of(view), view.get("late_rule"), how) if keys else ()
    fields, chosen = figure_fields(city, view)
    return [
        heading(t("page.kpis", lang), _note(city, view)),
        panel(view, [*fields, comparisons(view)], period_picker(view, DEFAULT_PERIOD)),
        html.Section([search_box(view, "q", t("catalogue.search", lang)), themes(view, found), _open_all(view)], className="d-controls"),
        chosen,
        *(sections(city, view, shown, {value.key: value for value in values}, _indicators(city)) if found else [_nothing(view)]),
        exports(city, "/api/v1/catalogue", view.only(("q", "theme", "lang")), lang),
    ]


def _note(city: City, view: View) -> list[Component | str]:
    """Which period the figures are of; the hint what the page is."""
    note: list[Component | str] = [html.B(period_name(view.period, view.lang)), " "]
    if view.period.is_partial(city.today):
        note.append(html.Span(t("period.partial", view.lang), className="d-partial", title=t("period.partial_hint", view.lang)))
    return [*note, html.Span(t("desk.kpis_hint", view.lang))]


def _open_all(view: View) -> Component:
    """Every row open at once, for reading through and for print."""
    if view.get("open") == "all":
        return link(t("catalogue.close_all", view.lang), view.here(open=""), "d-button")
    return link(t("catalogue.open_all", view.lang), view.here(open="all"), "d-button")


def _nothing(view: View) -> Component:
    again = link(t("desk.clear_filters", view.lang), view.here(q="", theme=""), "d-button")
    return notice(t("catalogue.no_match", view.lang), t("catalogue.search", view.lang), again)


def _indicators(city: City) -> Mapping[str, int]:
    """How many indicators each theme has."""
    return Counter(theme for _, theme in {(item.indicator, item.theme) for item in indicators.read(city)})


TOPICS = ("dossiers", "reports", "readings", "indicators", "operations")
PAGES = (PageRow("kpis", "see.desk", draw_catalogue, TOPICS, default_period=DEFAULT_PERIOD),)


def register(app: Dash, context: AppContext) -> None:
    """Wire this page."""
    for page in PAGES:
        bind_page(app, context, page)
