"""Fills the page of signs worth a second look: every rule with its agencies, or the rows one sign stands on."""

from __future__ import annotations

from dash import Dash, html
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_filters import panel, period_field, period_name, period_picker, select
from components.desk_gaming import evidence_count, evidence_table, method, section
from components.desk_links import View
from components.desk_parts import heading, link, notice
from components.desk_wiring import PageRow, bind_page
from metrics.city import City, agencies
from metrics.city.findings import gaming
from metrics.city.numbers.sums import Choice
from store.bounded import TookTooLong
from text import t
from text.formats import number

DEFAULT_PERIOD = "last_30d"


def draw_gaming(city: City, view: View) -> list[Component | None]:
    """The rules one under the other; with rule and office the rows behind that sign."""
    lang = view.lang
    if view.period.days > gaming.LONGEST_DAYS:
        again = link(t("period.last_30d", lang), view.here(period=""), "d-button")
        return [heading(t("page.gaming", lang)), notice(t("gaming.too_long", lang, most=gaming.LONGEST_DAYS), "", again)]
    try:
        return _one(city, view) if view.get("rule") in gaming.RULE_BY_KEY and view.get("office") else _all(city, view)
    except TookTooLong:
        shorter = link(t("period.last_week", lang), view.here(period="last_week"), "d-button")
        return [heading(t("page.gaming", lang)), notice(t("gaming.took_too_long", lang), t("gaming.shorter", lang), shorter, "fault")]


def _all(city: City, view: View) -> list[Component | None]:
    lang = view.lang
    known = {row.code: row.name for row in agencies.read(city)}
    choice = Choice(agency=view.get("agency"))
    fields = [period_field(view), select(view, "agency", t("desk.agency", lang), known.items())]
    looked = number(gaming.estimate(city, view.period, choice), lang, 0)
    return [
        heading(t("page.gaming", lang), [html.B(period_name(view.period, lang)), " ", t("gaming.lead", lang)]),
        html.Section([period_picker(view, DEFAULT_PERIOD), panel(view, fields)], className="d-controls"),
        html.P(t("gaming.no_verdict", lang), className="d-note", role="note"),
        *(section(city, view, found) for found in gaming.read(city, view.period, choice)),
        method(lang, city),
        html.P(t("gaming.looked_at", lang, n=looked), className="d-quiet"),
    ]


def _one(city: City, view: View) -> list[Component | None]:
    lang, kind, office = view.lang, view.get("rule"), view.get("office")
    names = {row.code: row.name for row in agencies.read(city)}
    rows = gaming.evidence(city, kind, office, view.period)
    back = link(t("gaming.all", lang), view.here(rule="", office=""), "d-button")
    note = [html.B(names.get(office, office)), " ", period_name(view.period, lang)]
    none = notice(t("gaming.no_rows", lang), t("gaming.nothing_hint", lang))
    return [
        heading(t(f"gaming.rule.{kind}", lang), note, back),
        html.P(t("gaming.no_verdict", lang), className="d-note", role="note"),
        evidence_count(rows, lang) if rows else None,
        evidence_table(city, view, kind, office, rows) if rows else none,
    ]


PAGES = (PageRow("gaming", "see.dossiers", draw_gaming, ("dossiers", "reports"), default_period=DEFAULT_PERIOD),)


def register(app: Dash, context: AppContext) -> None:
    """Wire this page."""
    for page in PAGES:
        bind_page(app, context, page)
