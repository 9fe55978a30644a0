"""Fills the page of all feeds and the page of one feed with its quarantine."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

from dash import ALL, Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_feeds import (
    DOWNLOAD,
    DOWNLOAD_ASKED,
    download_button,
    feed_head,
    feed_list,
    reason_chips,
    reject_rows,
    reject_table,
    summary,
)
from components.desk_links import View, read_view
from components.desk_parts import count_line, heading, link, notice
from components.desk_record import missing
from components.desk_shell import OPENED
from components.desk_table import exports
from components.desk_wiring import CallbackRow, PageRow, bind_callback, bind_page
from metrics.city import City, feeds
from metrics.city.feeds import RejectItem
from metrics.city.sights import Sight, told_filter
from scope import Scope
from text import t

PAGE_SIZE = 100
MOST_ROWS = 20_000  # of one file; a quarantine beyond this needs its feed mended, not a longer file


def draw_list(city: City, view: View) -> list[Component | None]:
    """Every feed with its state and what waits in quarantine."""
    states = feeds.read(city)
    if not states:
        return [heading(t("page.feeds", view.lang)), notice(t("empty.feeds", view.lang), t("desk.no_feeds_hint", view.lang))]
    note = html.Span(summary(states, view.lang), **{"data-count": str(sum(state.state != feeds.STATIC for state in states))})
    files = exports(city, "/api/v1/feeds", "", view.lang)
    return [heading(t("page.feeds", view.lang), note, files), feed_list(city, view, states, feeds.reject_counts(city))]


def draw_one(city: City, view: View) -> list[Component | None]:
    """One feed: manifest, state, its rejects page by page; rejects only for those who may see them."""
    key = view.path.rstrip("/").rsplit("/", 1)[-1]
    state = next((row for row in feeds.read(city) if row.key == key), None)
    if state is None:
        return [missing(view, "/feeds")]
    parts: list[Component | None] = [*feed_head(city, view, state, city.config.feed(key), feeds.losses(city, key))]
    return [*parts, *(_rejects(city, view, key) if feeds.reads_rejects(city) else [])]


def _rejects(city: City, view: View, key: str) -> list[Component | None]:
    lang, reason, before = view.lang, view.get("reason"), view.get("before")
    if before and not (before.isdecimal() and len(before) < 16):  # no id has so many digits, and SQLite no room for more than 18
        raise ValueError(f"before {before}")
    counts = feeds.reject_counts(city, key)
    total = sum(count.count for count in counts if not reason or count.reason == reason)
    rows = feeds.rejects(city, key, reason=reason, limit=PAGE_SIZE, before=int(before) if before else None)
    if not rows:
        return [html.H2(t("desk.rejects", lang)), notice(t("empty.rejects", lang), t("desk.no_rejects_hint", lang))]
    more = link(t("desk.next_page", lang), view.here(before=rows[-1].id), "d-button") if len(rows) == PAGE_SIZE < total else None
    above = html.Div([count_line(len(rows), total, lang), download_button(key, lang)], className="d-above")
    return [html.H2(t("desk.rejects", lang)), reason_chips(view, counts), above, reject_table(city, view, rows), more]


def download_rejects(context: AppContext, scope: Scope, asked: Sequence[int | None], opened: Sequence[Mapping[str, Any]]) -> Any:
    """The rejects of the feed on screen, under its reason filter, as CSV; no_update until the button was pressed."""
    if not any(asked) or not opened:
        return no_update
    city = context.city(scope)
    view = read_view(opened[0], context.config, city.today)
    key = view.path.rstrip("/").rsplit("/", 1)[-1]
    rows: list[RejectItem] = []
    while len(rows) < MOST_ROWS:
        page = feeds.rejects(city, key, reason=view.get("reason"), limit=1000, before=rows[-1].id if rows else None)
        rows += page
        if len(page) < 1000:
            break
    asked_for = told_filter({"reason": view.get("reason")}, found=bool(rows))
    told = {"form": "csv", "rows": len(rows), "revision": city.revision, "filter": asked_for}
    city.sights.append(Sight("export", "rejects", key if rows else "", told))
    out = StringIO()
    csv.writer(out).writerows([[safe_cell(cell) for cell in line] for line in reject_rows(city, rows, view.lang)])
    # a byte order mark: without it Excel reads Vietnamese as another code page
    return {"content": "\ufeff" + out.getvalue(), "filename": f"rejects-{key}.csv", "type": "text/csv", "base64": False}


def safe_cell(cell: str) -> str:
    """A cell no spreadsheet runs as a formula: what a stranger sent is text."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")) else cell


CALLBACKS = (
    CallbackRow(
        download_rejects,
        "see.rejects",
        Output(DOWNLOAD, "data"),
        [Input({"type": DOWNLOAD_ASKED, "feed": ALL}, "n_clicks")],
        [State({"type": OPENED, "page": ALL}, "data")],
    ),
)
PAGES = (
    PageRow("feeds", "see.feeds", draw_list, ("operations",), auto=True),
    PageRow("feed", "see.feeds", draw_one, ("operations",)),
)


def register(app: Dash, context: AppContext) -> None:
    """Wire these pages."""
    for page in PAGES:
        bind_page(app, context, page)
    for row in CALLBACKS:
        bind_callback(app, context, row)
