"""The audit trail, drawn: whether its chain holds, and its entries. Pure: rows of metrics.city.audit -> components."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from dash import html
from dash.development.base_component import Component

from components.desk_links import View, item_path
from components.desk_parts import link, state_mark
from components.desk_table import Column, table
from metrics.city import City
from metrics.city.audit import Check, TrailItem, detail_of
from store.days import moment
from text import t
from text.catalogue import catalogue
from text.formats import MISSING, day, instant, number

VERIFY = "audit-verify"
# kind of thing -> where it is shown, and the permission that takes
PLACES = {
    "dossier": ("/dossiers", "see.dossiers"),
    "report": ("/reports", "see.reports"),
    "feed": ("/feeds", "see.feeds"),
}
LONGEST = 48  # letters of one value; the file has all of it
MARKS = {"sign_in.failed": "late", "sign_in.locked": "stale"}  # what deserves a second look


def trail_table(city: City, view: View, rows: Iterable[TrailItem]) -> Component:
    """One line an entry, newest first."""
    lang = view.lang
    columns = (
        Column[TrailItem](t("column.audit.done_at", lang), lambda row: _when(city, row, lang), "main"),
        Column[TrailItem](t("column.audit.actor", lang), lambda row: actor_name(row.actor, lang)),
        Column[TrailItem](t("column.audit.action", lang), lambda row: _action(row, lang)),
        Column[TrailItem](t("column.audit.subject", lang), lambda row: _subject(city, view, row), "wide"),
        Column[TrailItem](t("column.audit.detail", lang), lambda row: _detail(city, row, lang), "wide"),
        Column[TrailItem](t("column.audit.address", lang), lambda row: row.address or MISSING),
        Column[TrailItem](t("column.audit.seq", lang), lambda row: number(row.seq, lang, 0), "number"),
    )
    return table(columns, rows, t("page.audit", lang))


def chain(city: City, view: View, found: Check | None, length: int) -> Component:
    """What the last check of the chain found, and the button that checks now."""
    lang = view.lang
    button = html.Button(t("audit.verify", lang), id={"type": VERIFY, "page": "audit"}, type="button", className="d-button", n_clicks=0)
    state, words, hint = _state(city, found, lang)
    told = [
        html.P([state_mark(state, words, **{"data-chain": state})]),
        html.P(hint, className="d-quiet"),
        html.P(t("audit.length", lang, n=number(length, lang, 0)), className="d-quiet"),
    ]
    return html.Section(
        [html.Div(told, className="d-chain-told"), button], className="d-chain", **{"aria-label": t("audit.chain", lang)}
    )


def actor_name(actor: str, lang: str) -> str:
    """Who did it: a user's own name as it is, anything else with what it is."""
    kind, colon, name = actor.partition(":")
    if not actor:
        return t("audit.actor.nobody", lang)
    if kind == "user" and colon:
        return name
    return _known(f"audit.actor.{kind}", actor, lang, name=name)


def action_name(action: str, lang: str) -> str:
    """An action in words."""
    return _known(f"audit.action.{action}", action, lang)


def kind_name(kind: str, lang: str) -> str:
    """A kind of thing in words."""
    return _known(f"audit.kind.{kind}", kind, lang)


def _known(key: str, otherwise: str, lang: str, **values: str) -> str:
    """The text, or what stands in the trail: entries outlive the program that wrote them."""
    return t(key, lang, **values) if key in catalogue(lang) else otherwise


def _state(city: City, found: Check | None, lang: str) -> tuple[str, str, str]:
    if found is None:
        return "never", t("audit.unchecked", lang), t("audit.unchecked_hint", lang)
    at = instant(found.at, city.config.tz, lang)
    if found.fault:
        fault = _known(f"audit.fault.{found.fault}", found.fault, lang)
        broken = t("audit.broken", lang, n=number(found.broken, lang, 0), fault=fault)
        return "dead", broken, t("audit.broken_hint", lang, at=at)
    words = t("audit.whole", lang, first=number(found.first, lang, 0), last=number(found.last, lang, 0), at=at)
    hint = t("audit.whole_hint" if found.first == 1 else "audit.newest_hint", lang)
    return "fresh", words, hint


def _when(city: City, row: TrailItem, lang: str) -> Component:
    """To the second: what follows what matters here."""
    local = moment(row.done_at).astimezone(city.store.days.tz)
    return html.Time(f"{local:%H:%M:%S} {day(local.date(), lang)}", dateTime=local.isoformat())


def _action(row: TrailItem, lang: str) -> Any:
    words = action_name(row.action, lang)
    return state_mark(MARKS[row.action], words) if row.action in MARKS else words


def _subject(city: City, view: View, row: TrailItem) -> Any:
    """What it was about; leads there when its reader may go there."""
    kind = kind_name(row.kind, view.lang) if row.kind else ""
    if not row.subject:
        return kind or MISSING
    return [html.Span(f"{kind}: " if kind else "", className="d-quiet"), _named(city, view, row)]


def _named(city: City, view: View, row: TrailItem) -> Any:
    feed, tilde, source_id = row.subject.partition("~")
    page, permission = PLACES.get(row.kind, ("", ""))
    if not page or not city.scope.permits(permission):
        return source_id if tilde else row.subject
    if row.kind == "feed":
        return link(row.subject, view.to(f"{page}/{quote(row.subject, safe='')}", period="")) if _is_feed(city, row) else row.subject
    return link(source_id, view.to(item_path(page, feed, source_id), period=""))


def _is_feed(city: City, row: TrailItem) -> bool:
    return any(feed.key == row.subject for feed in city.config.feeds)


def _detail(city: City, row: TrailItem, lang: str) -> Any:
    told = _told(city, detail_of(row.detail), lang)
    return html.Span(told, className="d-quiet") if told else MISSING


def _told(city: City, detail: Mapping[str, Any], lang: str) -> str:
    """name: value, one after the other; a name without a value says only that it was used."""
    parts = []
    for name, value in detail.items():
        words = _known(f"audit.detail.{name}", name, lang)
        if isinstance(value, Mapping):
            inner = _told(city, value, lang)
            parts += [f"{words}: {inner}"] if inner else []
        elif value is True:
            parts.append(words)
        elif name.endswith("_at") and isinstance(value, int):
            parts.append(f"{words}: {instant(value, city.config.tz, lang)}")
        elif value not in ("", None, False):
            shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            parts.append(f"{words}: {shown if len(shown) <= LONGEST else shown[:LONGEST] + '…'}")
    return "; ".join(parts)
