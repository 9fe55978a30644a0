"""Fills the page of the audit trail, and verifies its chain when an auditor asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import ALL, Dash, Input, Output, html, no_update
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_audit import VERIFY, action_name, actor_name, chain, kind_name, trail_table
from components.desk_filters import filter_chips, panel, period_field, period_picker, search_box, select
from components.desk_links import View
from components.desk_parts import heading, notice
from components.desk_shell import refresh_id
from components.desk_table import exports, pager
from components.desk_wiring import CallbackRow, PageRow, bind_callback, bind_page
from metrics.city import City, audit
from metrics.city.audit import TrailFilter
from scope import Scope
from store.audit import ACTIONS
from store.days import instant
from text import t

PAGE_SIZE = 50
FIELDS = ("actor", "action", "kind", "subject")


def draw_trail(city: City, view: View) -> list[Component | None]:
    """Whether the chain holds, filters, the entries newest first, files of the same entries."""
    lang = view.lang
    found = audit.read(city, filter_of(view), limit=PAGE_SIZE, cursor=view.get("cursor"))
    names = {
        "actor": {actor: actor_name(actor, lang) for actor in audit.actors(city)},
        "action": {action: action_name(action, lang) for action in ACTIONS},
        "kind": {kind: kind_name(kind, lang) for kind in audit.kinds(city)},
    }
    fields = [
        period_field(view),
        *(select(view, field, t(f"desk.filter.{field}", lang), names[field].items()) for field in FIELDS[:3]),
        search_box(view, "subject", t("audit.subject_example", lang)),
    ]
    empty = notice(t("empty.audit", lang), t("desk.empty_hint" if _is_narrowed(view) else "audit.empty_hint", lang))
    files = exports(city, "/api/v1/audit", view.only((*FIELDS, "period")), lang)
    return [
        heading(t("page.audit", lang), t("audit.lead", lang)),
        chain(city, view, audit.last_check(city), audit.length(city)),
        html.Section([period_picker(view, "all"), panel(view, fields)], className="d-controls"),
        filter_chips(city, view, FIELDS, names, ()),
        html.Div([html.P(t("audit.order", lang), className="d-count"), files], className="d-above"),
        trail_table(city, view, found.rows) if found.rows else empty,
        pager(view, found.next_cursor),
    ]


def filter_of(view: View) -> TrailFilter:
    """The filter as the URL says; without a period, all of the trail."""
    return TrailFilter(*(view.get(field) for field in FIELDS), period=view.period if view.get("period") else None)


def verify_now(context: AppContext, scope: Scope, asked: Sequence[int | None]) -> Any:
    """Check the chain and have the page drawn anew; no_update until the button was pressed."""
    if not any(asked):
        return no_update
    audit.check(context.city(scope))
    return instant(context.now()) // 1000


def _is_narrowed(view: View) -> bool:
    return any(view.get(field) for field in (*FIELDS, "period"))


PAGES = (PageRow("audit", "see.audit", draw_trail, ()),)
CALLBACKS = (
    CallbackRow(verify_now, "see.audit", Output(refresh_id("audit"), "data"), [Input({"type": VERIFY, "page": ALL}, "n_clicks")]),
)


def register(app: Dash, context: AppContext) -> None:
    """Wire this page."""
    for page in PAGES:
        bind_page(app, context, page)
    for row in CALLBACKS:
        bind_callback(app, context, row)
