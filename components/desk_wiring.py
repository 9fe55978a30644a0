"""How desk pages are wired: a table row per page or callback, each with a permission, and the one guard that asks it.

Handlers run in threads: Dash would run them in the server's one loop, where a slow store holds up everybody.

A handler never sees a request: it is given the City of whoever asks. What it raises becomes words on the page that say
what to do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dash import Dash, Input, Output, no_update
from dash.backends._fastapi import get_current_request
from dash.development.base_component import Component
from starlette.requests import Request

from components.audited import NotRecorded
from components.context import AppContext
from components.desk_links import View, read_view
from components.desk_parts import link, notice
from components.desk_shell import bar, bar_id, body_id, frame, opened_id, refresh_id
from components.faults import told
from metrics.city import City
from metrics.city.numbers.sums import Choice
from metrics.city.sights import Sight
from scope import Forbidden, Scope
from store.watch import REFUSED_VALUE
from text import t

log = logging.getLogger(__name__)
Draw = Callable[[City, View], Sequence[Component | None]]


@dataclass(frozen=True)
class PageRow:
    """One page: who may see it, what draws it, which topics change it; auto = it fetches new figures by itself."""

    name: str
    permission: str
    draw: Draw
    topics: tuple[str, ...]
    auto: bool = False
    default_period: str = "today"


@dataclass(frozen=True)
class CallbackRow:
    """One callback of its own: handler(context, scope, *values).

    refused(context) = what is shown to a caller without the permission; None = nothing changes. at_once = also when the page opens.
    """

    handler: Callable[..., Any]
    permission: str
    outputs: Any
    inputs: Any
    states: Any = ()
    refused: Callable[[AppContext], Any] | None = None
    at_once: bool = False


def bind_page(app: Dash, context: AppContext, row: PageRow) -> None:
    """Fill a page's bar and body when it is opened and when new figures are asked for."""

    async def show(opened: Mapping[str, Any] | None, refreshed: int | None) -> Any:
        return await asyncio.to_thread(lambda: fill(context, rights(context), row, opened))

    app.callback(
        [Output(bar_id(row.name), "children"), Output(body_id(row.name), "children")],
        [Input(opened_id(row.name), "data"), Input(refresh_id(row.name), "data")],
    )(show)


def bind_callback(app: Dash, context: AppContext, row: CallbackRow) -> None:
    """Wire a callback; a caller without the permission changes nothing."""

    def answer(*values: Any) -> Any:
        scope = rights(context)
        try:
            scope.require(row.permission)
            return _kept(context, scope, row, values)
        except Forbidden:
            return row.refused(context) if row.refused else no_update

    async def call(*values: Any) -> Any:
        return await asyncio.to_thread(answer, *values)

    app.callback(row.outputs, row.inputs, row.states, prevent_initial_call=not row.at_once)(call)


def _kept(context: AppContext, scope: Scope, row: CallbackRow, values: Sequence[Any]) -> Any:
    """What the handler answers, once the audit trail tells of what is in it; else nothing changes."""
    sights: list[Sight] = []
    answer = row.handler(replace(context, sights=sights), scope, *values)
    try:
        context.keep(sights, scope, asking())
    except NotRecorded as fault:
        log.error("%s gave nothing: %s", row.handler.__name__, fault, exc_info=fault)
        return no_update
    return answer


def rights(context: AppContext) -> Scope:
    """The rights of whoever sent the request being answered; none at all for a stranger."""
    try:
        return context.scope_of(asking())
    except Forbidden:
        return Scope()


def asking() -> Request | None:
    """The request being answered; None outside of one (a test calling a handler)."""
    try:
        return get_current_request()
    except RuntimeError:
        return None


def fill(context: AppContext, scope: Scope, row: PageRow, opened: Mapping[str, Any] | None) -> tuple[list[Component], Component]:
    """Bar and body of a page for these rights. Faults are shown, never raised; what is not the reader's doing is logged."""
    city = context.city(scope)
    view = read_view(opened, context.config, city.today, row.default_period)
    children: Sequence[Component | None]
    try:
        scope.require(row.permission)
        children = row.draw(city, view)
        context.keep(city.sights, scope, asking())
    except Forbidden:
        children = [notice(t("error.forbidden", view.lang), t("desk.forbidden_hint", view.lang), kind="fault")]
    except NotRecorded as fault:
        log.error("page %s was not shown: %s", row.name, fault, exc_info=fault)
        children = [notice(t("error.not_recorded", view.lang), t("desk.not_recorded_hint", view.lang), kind="fault")]
    except (ValueError, *REFUSED_VALUE) as fault:
        said = str(fault) if isinstance(fault, ValueError) else "…"  # the database's own words are not the reader's
        again = link(
            t("desk.clear_filters", view.lang),
            View(view.path, {}, view.lang, view.period).here(lang=view.get("lang")),
            "d-button",
        )
        children = [notice(t("error.bad_filter", view.lang, name=said), "", again, "fault")]
    except Exception as fault:  # the page must say so rather than stay grey; the cause goes to the log
        children = [notice(*told(log, f"page {row.name}", fault, view.lang), kind="fault")]
    faults = (
        [notice(t("error.bad_period", view.lang, text=view.fault), t("desk.period_hint", view.lang), kind="fault")]
        if view.fault
        else []
    )
    return bar(city, view), frame(row.name, city, view, [*faults, *children], row.topics, auto=row.auto)


def choice_of(view: View) -> Choice:
    """What the figures and lists are about."""
    return Choice(view.get("agency"), view.get("area"), view.get("domain"), view.get("category"))
