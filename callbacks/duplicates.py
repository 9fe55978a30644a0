"""Fills the page of reports that may be of one thing, and takes what people say of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_duplicates import DO, GO, SAID, STATES, cards, counts_line, pair_of, reach_words, said_line
from components.desk_filters import filter_chips, panel, period_field, period_picker, select
from components.desk_links import View, read_view
from components.desk_parts import choices, heading, notice
from components.desk_shell import opened_id, refresh_id
from components.desk_table import exports, pager
from components.desk_wiring import CallbackRow, PageRow, asking, bind_callback, bind_page, choice_of
from metrics.city import City, agencies, areas
from metrics.city.findings import duplicates
from metrics.city.findings.duplicates import DuplicatePage
from scope import Scope
from store.days import instant
from store.same import OPEN, Key, WrongState
from text import t
from text.formats import number

DEFAULT_PERIOD = "last_30d"
API_FILTERS = ("period", "state", "agency", "area", "category")
FAULT = "same-fault"
SAYS: Mapping[str, Callable[[City, Key, Key, str, int], None]] = {
    "merge": duplicates.merge, "apart": duplicates.keep_apart, "undo": duplicates.undo,
}


def draw_page(city: City, view: View) -> list[Component | None]:
    """What was said last, the choices, the counts as they are and beside them, the pairs."""
    lang, may_say = view.lang, city.scope.permits("manage.reports")
    plain, pair = without_said(view), pair_of(view.get(SAID))
    found = duplicates.read(city, view.period, choice_of(view), view.get("state") or OPEN, cursor=view.get("cursor"))
    query = plain.only(API_FILTERS) or f"period={view.period.text}"
    return [
        heading(t("page.duplicates", lang), t("duplicates.lead", lang)),
        said_line(view, duplicates.one(city, pair) if pair and pair[0] != pair[1] else None, may_say=may_say),
        html.Div(id=FAULT, role="alert"),
        *_controls(city, plain),
        counts_line(plain, found),
        html.Div([_pairs(found, lang), exports(city, "/api/v1/duplicates", query, lang)], className="d-above"),
        _rows(city, view, found, may_say=may_say),
        pager(plain, found.next_cursor),
        html.P(reach_words(found.reach, lang), className="d-quiet"),
        dcc.Location(id=GO, refresh="callback-nav"),
    ]


def without_said(view: View) -> View:
    """The page as it is asked for, without what was said last."""
    return replace(view, query={name: value for name, value in view.query.items() if name != SAID})


def _controls(city: City, view: View) -> list[Component | None]:
    lang = view.lang
    known = {row.code: row.name for row in agencies.read(city)}
    places = {row.code: row.full_name or row.name for row in areas.polygons(city)}
    states = [(t(f"duplicates.tab.{state}", lang), view.here(state=key), view.get("state") == key) for key, state in STATES]
    fields = [
        period_field(view),
        select(view, "agency", t("desk.agency", lang), known.items()),
        select(view, "area", t("desk.area", lang), places.items()),
    ]
    return [
        html.Section([period_picker(view, DEFAULT_PERIOD), panel(view, fields)], className="d-controls"),
        filter_chips(city, view, ("agency", "area", "category"), {"agency": known, "area": places}, ()),
        choices(t("desk.state", lang), states, "d-states"),
    ]


def _pairs(found: DuplicatePage, lang: str) -> Component:
    words = t("duplicates.pairs", lang, n=number(found.total, lang, 0))
    return html.P(words, className="d-count", **{"data-count": str(found.total), "aria-live": "polite"})


def _rows(city: City, view: View, found: DuplicatePage, *, may_say: bool) -> Component:
    lang = view.lang
    if not found.rows:
        kind = "none" if found.placed else "no_place" if found.reports else "no_reports"
        return notice(t(f"duplicates.empty.{view.get('state') or kind}", lang), t("desk.empty_hint", lang))
    return cards(view, found.rows, city.config.tz, may_say=may_say)


def take_word(context: AppContext, scope: Scope, presses: Sequence[int], opened: Mapping[str, Any]) -> Any:
    """Write what the pressed button says: (count of refreshes, where to go, the fault in words)."""
    pressed = ctx.triggered_id
    if not pressed or not ctx.triggered[0]["value"] or pressed["do"] not in SAYS:
        return no_update, no_update, no_update
    city, request, now = context.city(scope), asking(), instant(context.now())
    view = read_view(opened, context.config, city.today, DEFAULT_PERIOD)
    pair = pair_of(str(pressed["pair"]))
    try:
        if pair is None or pair[0] == pair[1]:
            raise KeyError(pressed["pair"])
        SAYS[pressed["do"]](city, *pair, request.client.host if request and request.client else "", now)
    except KeyError:
        return no_update, no_update, html.P(t("duplicates.fault_gone", view.lang), className="d-fault")
    except WrongState as no:
        return no_update, no_update, html.P(t(f"duplicates.fault_{no.state}", view.lang), className="d-fault")
    if view.get(SAID) == pressed["pair"]:
        return now // 1000, no_update, None  # the address stays as it is
    return no_update, without_said(view).here(pair=pressed["pair"], cursor=view.get("cursor")), None


PAGES = (PageRow("duplicates", "see.reports", draw_page, ("reports", "operations"), default_period=DEFAULT_PERIOD),)
CALLBACKS = (
    CallbackRow(
        take_word, "manage.reports", [Output(refresh_id("duplicates"), "data"), Output(GO, "href"), Output(FAULT, "children")],
        [Input({"type": DO, "do": ALL, "pair": ALL}, "n_clicks")], [State(opened_id("duplicates"), "data")],
    ),
)


def register(app: Dash, context: AppContext) -> None:
    """Wire this page."""
    for page in PAGES:
        bind_page(app, context, page)
    for row in CALLBACKS:
        bind_callback(app, context, row)
