"""Fills the page of what stood out at one place and time, beside a KPI or by itself."""

from __future__ import annotations

from dash import Dash, html
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_explain import known, narrower, neighbours, nothing, ranked, span_words, weeks
from components.desk_filters import filter_chips, panel, period_field, period_picker, select
from components.desk_links import View
from components.desk_parts import heading, link, notice
from components.desk_wiring import PageRow, bind_page
from metrics.city import City, agencies, areas
from metrics.city.findings import coincident
from metrics.city.findings.coincident import Explained
from metrics.city.findings.moments import LONGEST_DAYS
from metrics.city.numbers.sums import Choice
from metrics.kpis import KPI_BY_KEY
from store.bounded import TookTooLong
from text import t
from text.formats import number

DEFAULT_PERIOD = "yesterday"


def draw_explain(city: City, view: View) -> list[Component | None]:
    """The place and time, what stood out there, what is known of it, what did not stand out."""
    lang, key = view.lang, view.get("key")
    if key and key not in KPI_BY_KEY:
        return [heading(t("page.explain", lang)), notice(t("signals.unknown", lang), t("signals.unknown_hint", lang))]
    if view.period.days > LONGEST_DAYS:
        return [heading(t("page.explain", lang)), notice(t("explain.too_long", lang, most=LONGEST_DAYS)), weeks(view)]
    hours = view.get("hours") if view.period.days == 1 else ""
    try:
        found = coincident.read(city, key, view.period, hours, Choice(agency=view.get("agency"), area=view.get("area")))
    except TookTooLong:
        return [heading(t("page.explain", lang)), notice(t("gaming.took_too_long", lang), t("gaming.shorter", lang), kind="fault")]
    top = _top(city, view, found)
    if found.asked is None:
        return [*top, notice(t("explain.not_over", lang), t("explain.not_over_hint", lang))]
    return [*top, narrower(view, found.asked), *_answer(city, view, found)]


def _top(city: City, view: View, found: Explained) -> list[Component | None]:
    lang = view.lang
    known_agencies = {row.code: row.name for row in agencies.read(city)}
    places = {row.code: row.full_name or row.name for row in areas.polygons(city)}
    fields = [
        period_field(view), select(view, "agency", t("desk.agency", lang), known_agencies.items()),
        select(view, "area", t("desk.area", lang), places.items()),
    ]
    where = found.area or (city.config.name_en if lang == "en" and city.config.name_en else city.config.name)
    lead = [html.B(where), " · ", span_words(found.asked, lang)] if found.asked else [html.B(where)]
    if found.asked is not None and found.asked.is_cut:
        lead.append(html.Span(t("explain.cut", lang), className="d-partial"))
    if found.key:
        lead += [" · ", link(t(f"kpi.{found.key}.label", lang), view.to("/signals", key=found.key))]
    aside = neighbours(view, found.asked, city) if found.asked else None
    chosen = filter_chips(city, view, ("agency", "area"), {"agency": known_agencies, "area": places}, ("",))
    return [
        heading(t("page.explain", lang), lead, aside),
        html.Section([period_picker(view, DEFAULT_PERIOD), panel(view, fields)], className="d-controls"), chosen,
    ]


def _answer(city: City, view: View, found: Explained) -> list[Component | None]:
    lang, asked = view.lang, found.asked
    assert asked is not None
    compared = t("explain.compared", lang, n=found.compared, chance=number(found.by_chance, lang, 2), found=len(found.found))
    rest = ranked(view, found, found.others, t("explain.others_caption", lang))
    others = html.Details([html.Summary(t("explain.others", lang, n=len(found.others))), rest], className="d-waiting")
    method = html.Div([html.P(t(f"explain.method_{name}", lang)) for name in ("weeks", "standing", "few")], className="d-prose")
    beside = known(city, view, found)
    return [
        html.P(t("explain.no_cause", lang), className="d-note", role="note"),
        html.P(compared, className="d-lead"),
        ranked(view, found, found.found, t("page.explain", lang)) if found.found else nothing(lang),
        html.Section([html.H2(t("explain.known", lang)), beside], className="d-section") if beside is not None else None,
        others if found.others else None,
        html.P(t("explain.withheld", lang, n=found.withheld), className="d-quiet") if found.withheld else None,
        html.P(t("explain.days_only", lang), className="d-quiet") if asked.has_hours else None,
        html.Details([html.Summary(t("explain.method", lang)), method], className="d-waiting"),
    ]


PAGES = (PageRow("explain", "see.desk", draw_explain, ("dossiers", "reports", "readings", "operations"), default_period=DEFAULT_PERIOD),)


def register(app: Dash, context: AppContext) -> None:
    """Wire this page."""
    for page in PAGES:
        bind_page(app, context, page)
