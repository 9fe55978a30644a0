"""Fills the page of indices, plans and other indicators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dash import Dash, html
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_filters import panel, select
from components.desk_indices import card_grid, figure_table, plan_table
from components.desk_links import View
from components.desk_parts import choices, heading, notice
from components.desk_score import score_cards
from components.desk_table import exports
from components.desk_wiring import PageRow, bind_page
from metrics.city import City
from metrics.city.numbers import indicators, score
from metrics.city.numbers.indicators import Choices, IndicatorFilter
from metrics.city.numbers.sums import Choice
from metrics.periods import parse_period
from text import t
from text.vietnamese import fold_place

API_FILTERS = ("theme", "year", "subject", "agency", "area")
FEW = 12  # with more subjects than this the city's own is shown unless another is chosen
EVERYONE = "*"  # subject=* : all of them
THEMES = ("economy", "governance", "environment", "mobility", "people", "living")


def draw_indices(city: City, view: View) -> list[Component | None]:
    """Filters, then the sections, each left out where it has nothing."""
    lang, offered = view.lang, indicators.choices(city)
    fields = [
        select(view, "year", t("indices.year", lang), [(str(year), str(year)) for year in offered.years]),
        select(view, "subject", t("indices.subject", lang), [*offered.subjects, *_all_subjects(view, offered)]),
    ]
    themes = [(t("desk.all", lang), view.here(theme=""), not view.get("theme"))]
    known = [theme for theme in THEMES if theme in offered.themes]
    themes += [(t(f"desk.theme_{theme}", lang), view.here(theme=theme), view.get("theme") == theme) for theme in known]
    files = exports(city, "/api/v1/indicators", view.only(API_FILTERS), lang)
    sections = [part for section in SECTIONS if (part := section(city, view)) is not None]
    return [
        heading(t("page.indices", lang), t("indices.hint", lang)),
        panel(view, fields, choices(t("desk.theme", lang), themes, "d-states")) if offered.years else None,
        html.Div([html.Span(_whose(city, view, offered)), files], className="d-above") if offered.years else None,
        score_section(city, view),
        *(sections or [_nothing(view, offered)]),
    ]


def filter_of(city: City, view: View) -> IndicatorFilter:
    """What the address asks for. Raises ValueError naming the field."""
    year = view.get("year")
    if year and not (year.isascii() and year.isdigit() and len(year) == 4):
        raise ValueError(f"year: {year[:20]!r} is no year")
    chosen = IndicatorFilter(
        view.get("theme"), int(year) if year else None, view.get("subject"), "", view.get("agency"), view.get("area")
    )
    if chosen.subject == EVERYONE:
        return replace(chosen, subject="")
    return chosen if chosen.subject or chosen.agency or chosen.area else replace(chosen, subject=_own(city, indicators.choices(city)))


def _own(city: City, offered: Choices) -> str:
    """The subject shown when nobody chose one: the city itself, where there are too many to show all."""
    if len(offered.subjects) <= FEW:
        return ""
    own = {fold_place(name) for name in (city.config.name, city.config.name_en) if name}
    return next((subject for subject, name in offered.subjects if fold_place(name) in own), "")


def _all_subjects(view: View, offered: Choices) -> list[tuple[str, str]]:
    return [(EVERYONE, t("indices.everyone", view.lang))] if len(offered.subjects) > FEW else []


def _whose(city: City, view: View, offered: Choices) -> str:
    """Whose figures these are when nobody chose."""
    own = "" if view.get("subject") else filter_of(city, view).subject
    return t("indices.own", view.lang, name=dict(offered.subjects).get(own, own)) if own else ""


def _nothing(view: View, offered: Choices) -> Component:
    lang = view.lang
    if offered.years:
        return notice(t("empty.indices", lang), t("desk.empty_hint", lang))
    return notice(t("indices.no_feed", lang), t("indices.no_feed_hint", lang))


# ---- sections -----------------------------------------------------------------------------------------------------------
def index_section(city: City, view: View) -> Component | None:
    """Cards of the indices."""
    found = indicators.cards(city, filter_of(city, view))
    return _section(t("indices.cards", view.lang), card_grid(view, found)) if found else None


def plan_section(city: City, view: View) -> Component | None:
    """Plan against actual."""
    found = indicators.plans(city, filter_of(city, view))
    return _section(t("indices.plans", view.lang), plan_table(view, found)) if found else None


def figure_section(city: City, view: View) -> Component | None:
    """Everything else, by theme."""
    found, lang = indicators.figures(city, filter_of(city, view)), view.lang
    groups = []
    for theme in (*THEMES, ""):
        rows = [row for row in found if row.theme == theme]
        name = t(f"desk.theme_{theme}" if theme else "indices.no_theme", lang)
        if rows:
            groups.append(html.Div([html.H3(name), figure_table(view, rows, name)], className="d-ix-theme"))
    return _section(t("indices.figures", lang), *groups) if groups else None


def _section(title: str, *parts: Component) -> Component:
    return html.Section([html.H2(title), *parts], className="d-section")


def score_section(city: City, view: View) -> Component | None:
    """The 766 score of the chosen period, of the running month without any; not while the reader looks at one other theme."""
    if view.get("theme") not in ("", "governance"):
        return None
    period = view.period if view.get("period") else parse_period(f"{city.today:%Y-%m}", city.today)
    found = score.read(city, period, Choice(agency=view.get("agency")))
    return score_cards(view, found) if found.points is not None else None


# in the order of the page
SECTIONS: tuple[Callable[[City, View], Component | None], ...] = (index_section, plan_section, figure_section)
PAGES = (PageRow("indices", "see.desk", draw_indices, ("indicators", "dossiers", "reports")),)


def register(app: Dash, context: AppContext) -> None:
    """Wire this page."""
    for page in PAGES:
        bind_page(app, context, page)
