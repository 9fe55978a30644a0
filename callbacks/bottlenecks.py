"""Fills the page that says where the time of procedures goes."""

from __future__ import annotations

from dash import Dash, html
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_bottlenecks import NO_PROCEDURE, loop_table, procedure_table, step_table, summary, variant_list
from components.desk_filters import filter_chips, panel, period_field, period_picker, select
from components.desk_links import View
from components.desk_parts import count_line, heading, link, notice
from components.desk_record import section
from components.desk_wiring import PageRow, bind_page, choice_of
from metrics.city import City, agencies
from metrics.city.findings import bottlenecks
from metrics.city.findings.bottlenecks import ProcedureList
from text import t
from text.formats import day, number

DEFAULT_PERIOD = "last_30d"
ROWS = 40  # procedures shown at first: they hold most of the time


def draw_page(city: City, view: View) -> list[Component | None]:
    """Every procedure, or the steps of the one the address names."""
    lang, asked = view.lang, view.get("procedure")
    listed = bottlenecks.procedures(city, view.period, choice_of(view))
    body = _one(city, view) if asked else _all(view, listed)
    lead = t("bottlenecks.lead", lang)
    back = link(t("bottlenecks.all", lang), view.here(procedure=""), "d-button") if asked else None
    return [heading(t("page.bottlenecks", lang), lead, back), *_controls(city, view, listed), *body]


def _controls(city: City, view: View, listed: ProcedureList) -> list[Component | None]:
    lang = view.lang
    offices = {row.code: row.name for row in agencies.read(city)}
    known = {row.procedure_code or NO_PROCEDURE: row.procedure_name or t("bottlenecks.no_procedure", lang) for row in listed.rows}
    fields = [
        period_field(view),
        select(view, "procedure", t("column.dossier.procedure", lang), known.items()),
        select(view, "agency", t("desk.agency", lang), offices.items()),
    ]
    chips = filter_chips(city, view, ("agency", "area", "domain"), {"agency": offices}, ())
    return [html.Section([period_picker(view, DEFAULT_PERIOD), panel(view, fields)], className="d-controls"), chips]


def _all(view: View, listed: ProcedureList) -> list[Component | None]:
    lang = view.lang
    if not listed.rows:
        return [notice(t("bottlenecks.empty", lang), t("bottlenecks.empty_hint", lang))]
    about = t("bottlenecks.listed", lang, first=day(listed.from_on, lang), last=day(listed.to_on, lang))
    shown = listed.rows if view.get("all") else listed.rows[:ROWS]
    rest = link(t("bottlenecks.every", lang, n=number(len(listed.rows), lang, 0)), view.here(all="1"), "d-button")
    parts = [html.P(about, className="d-quiet"), count_line(len(shown), len(listed.rows), lang), procedure_table(view, shown)]
    return [*parts, html.Div(rest) if len(shown) < len(listed.rows) else None]


def _one(city: City, view: View) -> list[Component | None]:
    """The steps of one procedure."""
    lang, asked = view.lang, view.get("procedure")
    found = bottlenecks.read(city, "" if asked == NO_PROCEDURE else asked, view.period, choice_of(view))
    title = html.H2(found.procedure_name or t("bottlenecks.no_procedure", lang), className="r-title")
    process = found.process
    if process is None:
        hint = "bottlenecks.no_steps_hint" if found.total else "bottlenecks.empty_hint"
        return [title, notice(t("bottlenecks.no_steps" if found.total else "bottlenecks.empty", lang), t(hint, lang))]
    rows = view.to("/dossiers", procedure=asked, state="finished", period=view.get("period") or DEFAULT_PERIOD)
    return [
        html.Div([title, link(t("bottlenecks.rows", lang), rows, "d-button")], className="d-above"),
        summary(view, found, process),
        section("bottlenecks.steps", step_table(view, process), lang, "bottlenecks.no_steps"),
        section("bottlenecks.loops", loop_table(view, process), lang, "bottlenecks.no_loops"),
        section("bottlenecks.variants", variant_list(view, process), lang, "bottlenecks.no_steps"),
    ]


PAGES = (PageRow("bottlenecks", "see.dossiers", draw_page, ("dossiers",), default_period=DEFAULT_PERIOD),)


def register(app: Dash, context: AppContext) -> None:
    """Wire this page."""
    for page in PAGES:
        bind_page(app, context, page)
