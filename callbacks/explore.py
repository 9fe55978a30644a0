"""Fills /explore: a measure broken down as table, chart and map that narrow one another; takes the fields, saved views and kept figures."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_links import View, read_view
from components.desk_parts import heading, notice
from components.desk_shell import opened_id
from components.desk_wiring import CallbackRow, PageRow, bind_callback, bind_page
from components.explore import ask, kept, state
from components.explore.area_map import area_map
from components.explore.bars import bars
from components.explore.content import Content, from_data
from components.explore.figure import figure_card, no_answer, not_read, nothing, too_long
from components.explore.pivot import multiples, pivot
from components.explore.reading import STOP, STOPPED
from components.explore.state import DEFAULT_PERIOD, PATH, read_state
from components.explore.timeline import is_alike, timeline
from metrics.city import City, agencies, areas, explore, shown, views
from metrics.city.areas import AreaShape
from metrics.city.explore import Answer
from metrics.city.lists.known import known
from scope import Scope
from store.bounded import Stopped, TookTooLong
from text import t

TOPICS = ("dossiers", "reports", "readings")
GO = "explore-go"  # where the browser is to go: assets/explore.js goes there in place
LISTED = ("agency", "area", "domain", "procedure", "category")
Ask = state.State


def draw_explore(city: City, view: View) -> list[Component | None]:
    """The question, its figures, and what can be taken along; or exactly what was shown once."""
    seen: shown.Shown | None = None
    if view.get("shown"):
        try:
            seen = shown.read(city, PATH, view.get("shown"))
        except shown.NotForThisReader:
            return _gone(view, "explore.shown_not_yours")
        if seen is None:
            return _gone(view, "explore.shown_gone")
        view = read_view({"path": PATH, "query": {**dict(parse_qsl(seen.query)), **_spoken(view)}}, city.config, city.today, DEFAULT_PERIOD)
    asked = read_state(view, city)
    shapes = shapes_of(city, asked)
    content: Content | None = None
    fault: Component | None = None
    try:
        content = from_data(seen.content, asked) if seen else read_content(city, asked, has_map=any(one.geometry for one in shapes))
    except ValueError as no:
        fault = no_answer(asked, str(no))
    except TookTooLong:
        fault = too_long(asked, "took_too_long", _token(city, asked))
    except Stopped:
        fault = too_long(asked, "stopped", _token(city, asked))
    return _page(city, replace(asked, is_shown=seen is not None), content, shapes, seen, fault)


def _gone(view: View, key: str) -> list[Component | None]:
    live = state.here(t("explore.shown_live", view.lang), PATH, "d-button", "live")
    return [heading(t("page.explore", view.lang)), notice(t(key, view.lang), t(f"{key}_hint", view.lang), live, "fault")]


def _spoken(view: View) -> dict[str, str]:
    return {"lang": view.get("lang")} if view.get("lang") else {}


def shapes_of(city: City, asked: Ask) -> Sequence[AreaShape]:
    """The areas of a map of the measure; () where it has none."""
    return areas.polygons(city) if any(row.key == "area" for row in state.dimensions(asked)) else ()


def read_content(city: City, asked: Ask, *, has_map: bool) -> Content:
    """The answers of the page: at most one of them is read row by row. Raises ValueError where the measure has no such breakdown."""
    may_read = bool(asked.view.get("read"))
    key = reading_key(city.scope, asked.view.get("read")) if may_read else ""
    by = tuple(one for one in (asked.by, asked.split) if one)
    own = state.own_filters(asked)
    main = explore.read(city, asked.question(by, state.main_period(asked), own, top=asked.cut, may_read=may_read), key)
    is_narrowed = any(asked.filter.term(name) for name in own) or state.main_period(asked) != asked.now
    whole = _chosen(city, asked, main, key) if is_narrowed else main
    time = _beside(city, asked, (state.grain(asked.period),), state.around(asked), ())
    on_map = _beside(city, asked, ("area",), asked.now, ("area",)) if has_map else None
    return Content(main, time, on_map, whole)


def _chosen(city: City, asked: Ask, main: Answer, key: str) -> Answer:
    """The figure of what is chosen in the table: its own question, but of one group that took reading the row that was read."""
    rows = [row for row in main.rows if state.is_chosen(asked, asked.by, row.groups[0])]
    if main.coverage == explore.READ and len(rows) == 1:
        return replace(main, rows=(replace(rows[0], groups=(explore.TOTAL,)),), totals=())
    return explore.read(city, asked.question((), asked.now, may_read=bool(key)), key)


def _beside(city: City, asked: Ask, by: tuple[str, ...], period: Any, without: tuple[str, ...]) -> Answer | None:
    """The answer of a view beside the table; None where it would have to be read, or the measure has no such breakdown."""
    try:
        found = explore.read(city, asked.question(by, period, without))
    except (ValueError, TookTooLong):
        return None
    return found if found.is_read else None


# ---- drawing ------------------------------------------------------------------------------------------------------------
def _page(
    city: City, asked: Ask, content: Content | None, shapes: Sequence[AreaShape], seen: shown.Shown | None, fault: Component | None
) -> list[Component | None]:
    lang, names = asked.lang, _names(city, asked)
    why_not = content.main.why_not if content else ()
    note = [html.B(ask.period_words(asked))]
    if asked.now.is_partial(city.today) and seen is None:
        note.append(html.Span(t("period.partial", lang), className="d-partial", title=t("period.partial_hint", lang)))
    chips = ask.filter_chips(asked, names, content.labels(asked) if content else {})
    return [
        heading(ask.heading_words(asked), note, None if seen else kept.kept(city, asked, views.read(city, PATH))),
        html.Div(id=kept.SAID),
        dcc.Store(id=kept.DRAWN, data=city.revisions.get(asked.topic, 0)),
        html.A(id=GO, href="", hidden=True),
        *kept.marks(city, asked, seen, why_not),
        None if seen else ask.asking(city, asked, names),
        chips,
        *(_figures(city, asked, content, shapes) if content else [fault]),
    ]


def _figures(city: City, asked: Ask, content: Content, shapes: Sequence[AreaShape]) -> list[Component | None]:
    """Figure and chart of time; below them the breakdown beside the map."""
    if content.main.why_not:
        return []  # what was known then cannot be told: the mark above says why, and leads to what is known now
    if not content.main.is_read:
        return [not_read(asked, content.main, _token(city, asked))]
    lang = asked.lang
    on_map = area_map(asked, shapes, content.areas) if content.areas else None
    chart = timeline(asked, content.time, city.today) if content.time and not state.is_mixed(asked) else None
    is_marked = chart is not None and content.time is not None and is_alike(content.time, state.grain(asked.period))
    before = html.Span(t("explore.mark_before", lang), className="d-x-mark-before") if is_marked else ""
    title = t("explore.over_time", lang, part=t(f"explore.by.{state.grain(asked.period)}", lang).lower())
    parts: list[Component | None] = [
        html.Div(
            [
                figure_card(city, asked, content.whole, content.figure),
                html.Section([html.H2([title, before]), chart], className="d-x-card d-x-time") if chart else None,
            ],
            className="d-x-top",
        ),
        html.Div(
            [
                html.Section(
                    [html.H2([html.Span(ask.heading_words(asked)), ask.shapes(asked)]), _breakdown(city, asked, content.main)],
                    className="d-x-card d-x-main",
                ),
                html.Section([html.H2(t("explore.on_map", lang)), on_map], className="d-x-card d-x-where") if on_map else None,
            ],
            className=f"d-x-body{' d-x-alone' if on_map is None or asked.split else ''}",
        ),
    ]
    return parts


def _breakdown(city: City, asked: Ask, answer: Answer) -> Component:
    if not answer.rows:
        return nothing(asked)
    if not asked.split:
        return bars(city, asked, answer)
    return (multiples if asked.shape == "multiples" else pivot)(asked, answer)


def _names(city: City, asked: Ask) -> ask.Names:
    """Codes and names of what the page can be narrowed by, of those that have a list. Limited rights are not told what others deal with:
    what their own answers name they can click."""
    fields = [row.key for row in state.dimensions(asked)]
    listed = LISTED[:2] if city.scope.is_limited else LISTED
    found: dict[str, Mapping[str, str]] = {kind: known(city, kind).names for kind in fields if kind in listed}
    if "agency" in found:  # those of the reader, not of the city
        found["agency"] = {row.code: row.name for row in agencies.read(city)}
    if "area" in found:
        found["area"] = {row.code: row.full_name or row.name for row in areas.polygons(city)}
    return found


def _token(city: City, asked: Ask) -> str:
    """What a reading is stopped by."""
    return hashlib.blake2b(f"{city.scope.actor} {city.as_of} {state.canonical(asked)}".encode(), digest_size=8).hexdigest()


# ---- fields ---------------------------------------------------------------------------------------------------------------
def take_fields(
    context: AppContext, scope: Scope, values: Sequence[Any], ids: Sequence[Mapping[str, str]], opened: Mapping[str, Any]
) -> Any:
    """Where the browser is to go after a field changed; no_update when the address says it already."""
    if not values or not opened or not ctx.triggered:
        return no_update
    city = context.city(scope)
    asked = read_state(read_view(opened, context.config, city.today, DEFAULT_PERIOD), city)
    fields = [(own["name"], str(value or "")) for own, value in zip(ids, values, strict=True)]
    return ask.changed(asked, fields) or no_update


def stop_reading(context: AppContext, scope: Scope, presses: int | None, opened: Mapping[str, Any]) -> Any:
    """End the reading that the page waits for; it then says so itself."""
    if presses and opened and (token := str((opened.get("query") or {}).get("read", ""))):
        explore.stop(context.city(scope), reading_key(scope, token))
        return t("explore.stopped", context.lang(str(opened["query"].get("lang", ""))))
    return no_update


def reading_key(scope: Scope, token: str) -> str:
    """What a reading is stopped by: nobody stops another's."""
    return hashlib.blake2b(f"{scope.actor} {token}".encode(), digest_size=12).hexdigest()


PAGES = (PageRow("explore", "see.dossiers", draw_explore, TOPICS, default_period=DEFAULT_PERIOD),)
CALLBACKS = (
    CallbackRow(
        take_fields,
        "see.dossiers",
        Output(GO, "href"),
        [Input({"type": ask.FIELD, "name": ALL}, "value")],
        [State({"type": ask.FIELD, "name": ALL}, "id"), State(opened_id("explore"), "data")],
    ),
    CallbackRow(
        stop_reading, "see.dossiers", Output(STOPPED, "children"), [Input(STOP, "n_clicks")], [State(opened_id("explore"), "data")]
    ),
)


def register(app: Dash, context: AppContext) -> None:
    """Wire this page."""
    for page in PAGES:
        bind_page(app, context, page)
    for row in CALLBACKS:
        bind_callback(app, context, row)
