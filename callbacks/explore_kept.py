"""What readers keep of /explore: saved views with their undo, and figures as they were shown. Every step asks for its own rights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from callbacks.explore import Ask, read_content, shapes_of
from components.context import AppContext
from components.desk_links import read_view
from components.desk_shell import opened_id
from components.desk_wiring import CallbackRow, asking, bind_callback
from components.explore import kept, state
from components.explore.content import as_data
from components.explore.state import DEFAULT_PERIOD, PATH, read_state
from metrics.city import City, shown, views
from metrics.city.typed import TypedFault
from scope import Scope
from store.bounded import Stopped, TookTooLong
from store.days import instant
from store.shown import TooSoon
from text import t

Said = tuple[Component, int]  # what is said, and the view whose name is being edited


def take_step(
    context: AppContext,
    scope: Scope,
    presses: Sequence[int],
    name: str,
    is_shared: Sequence[str],
    other_name: Sequence[str],
    drawn: int | None,
    opened: Mapping[str, Any],
) -> Any:
    """Take what the pressed button says: (what is said, the list of views)."""
    pressed = ctx.triggered_id
    if not pressed or not ctx.triggered[0]["value"] or pressed["do"] not in STEPS:
        return no_update, no_update
    city, request, now = context.city(scope), asking(), instant(context.now())
    asked = read_state(read_view(opened, context.config, city.today, DEFAULT_PERIOD), city)
    address = request.client.host if request and request.client else ""
    typed = (name if pressed["do"] == "save" else next(iter(other_name), "")) or ""
    told_id = str(pressed["id"])
    number = int(told_id) if told_id.isascii() and told_id.isdigit() and len(told_id) < 16 else 0
    step = Step(city, asked, number, typed, bool(is_shared), drawn, address, now)
    try:
        told, editing = STEPS[pressed["do"]](step)
    except TypedFault as no:
        told, editing = kept.said(t(no.key, asked.lang, **no.words), asked.lang), step.number if pressed["do"] == "rename" else 0
    except TooSoon as no:
        told, editing = kept.said(t("explore.too_soon", asked.lang, n=no.wait_s), asked.lang), 0
    except (TookTooLong, Stopped):
        told, editing = kept.said(t("explore.took_too_long", asked.lang), asked.lang), 0
    except (KeyError, ValueError):
        told, editing = kept.said(t("explore.view_gone", asked.lang), asked.lang), 0
    return told, kept.views_list(asked, views.read(city, PATH), city, editing)


@dataclass(frozen=True)
class Step:
    """One press of a button: on which view, with what typed, from where and when."""

    city: City
    asked: Ask
    number: int
    typed: str
    is_shared: bool
    drawn: int | None  # the revision of the figures on the screen
    address: str
    now: int

    @property
    def lang(self) -> str:
        """The reader's language."""
        return self.asked.lang


def _save(step: Step) -> Said:
    views.save(step.city, PATH, state.canonical(step.asked), step.typed, step.address, step.now, is_shared=step.is_shared)
    return kept.said(t("explore.saved", step.lang), step.lang), 0


def _edit(step: Step) -> Said:
    return html.Span(), step.number


def _rename(step: Step) -> Said:
    views.rename(step.city, step.number, step.typed, step.address, step.now)
    return kept.said(t("explore.renamed", step.lang), step.lang), 0


def _share(is_shared: bool) -> Callable[[Step], Said]:
    def take(step: Step) -> Said:
        views.share(step.city, step.number, step.address, step.now, is_shared=is_shared)
        return kept.said(t("explore.now_shared" if is_shared else "explore.now_own", step.lang), step.lang), 0

    return take


def _remove(step: Step) -> Said:
    views.remove(step.city, step.number, step.address, step.now)
    return kept.said(t("explore.removed", step.lang), step.lang, kept.undo(step.number, step.lang)), 0


def _restore(step: Step) -> Said:
    views.restore(step.city, step.number, step.address, step.now)
    return kept.said(t("explore.restored", step.lang), step.lang), 0


def _keep(step: Step) -> Said:
    """The figures of the page, worked out again: of one revision they are those on the screen. Of another nothing is kept."""
    if step.drawn != step.city.revisions.get(step.asked.topic, 0):
        raise TypedFault("explore.moved", "figures")
    content = read_content(step.city, step.asked, has_map=any(one.geometry for one in shapes_of(step.city, step.asked)))
    if not content.main.is_read:
        raise TypedFault("explore.nothing_shown", "figures")
    query = step.asked.here(period=step.asked.period.text).partition("?")[2]
    found = shown.keep(step.city, PATH, query, step.lang, as_data(content), step.address, step.now)
    return kept.said(t("explore.kept", step.lang), step.lang, kept.shown_link(found, step.lang)), 0


def _dismiss(_step: Step) -> Said:
    return html.Span(), 0


STEPS: Mapping[str, Callable[[Step], Said]] = {
    "save": _save,
    "edit": _edit,
    "rename": _rename,
    "share": _share(True),
    "unshare": _share(False),
    "remove": _remove,
    "restore": _restore,
    "keep": _keep,
    "dismiss": _dismiss,
}


CALLBACKS = (
    CallbackRow(
        take_step,
        "see.dossiers",
        [Output(kept.SAID, "children"), Output(kept.VIEWS, "children")],
        [Input({"type": kept.DO, "do": ALL, "id": ALL}, "n_clicks")],
        [
            State(kept.NAME, "value"),
            State(kept.SHARED, "value"),
            State({"type": kept.RENAME, "id": ALL}, "value"),
            State(kept.DRAWN, "data"),
            State(opened_id("explore"), "data"),
        ],
    ),
)


def register(app: Dash, context: AppContext) -> None:
    """Wire the steps."""
    for row in CALLBACKS:
        bind_callback(app, context, row)
