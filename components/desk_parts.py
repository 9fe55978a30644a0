"""Small parts every desk page is made of: state marks, ages, chips, notices, facts, the paging line.

Pure functions value -> component.

A class name starts with d-; how it looks is in assets/desk.css. What ages carries data-age-at, and assets/desk.js
counts on from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from components.desk_links import View
from text import t
from text.formats import MISSING, age, number

Children = Any  # what Dash takes as children: a component, a text, a number, a list of them, None


def link(children: Children, href: str, class_name: str = "", **attributes: Any) -> Component:
    """A link inside the desk: no page is loaded anew. `attributes` may hold title."""
    return dcc.Link(children, href=href, className=class_name or "d-link", **attributes)


def state_mark(state: str, word: str, **attributes: Any) -> Component:
    """A state as shape, colour and word: any one of the three is enough to read it.

    State keys: fresh late stale dead never static.
    """
    return html.Span(word, className="d-state", **{"data-state": state, **attributes})


def feed_state(state: str, lang: str, at: int | None, cadence_s: int | None) -> Component:
    """The freshness of something that ages: assets/desk.js moves it on when its cadence passes."""
    words = {f"data-word-{key}": t(f"freshness.{key}", lang) for key in ("fresh", "late", "stale", "dead")}
    ageing = {"data-state-at": str(at), "data-cadence-s": str(cadence_s), **words} if at is not None and cadence_s else {}
    return state_mark(state, t(f"freshness.{state}", lang), title=t(f"freshness.{state}_hint", lang), **ageing)


def ago(at: int | None, now: int, lang: str) -> Component:
    """How long ago, going on in the browser; a dash when never."""
    if at is None:
        return html.Span(MISSING)
    return html.Span(age(max(0, now - at) / 1e6, lang), className="d-age", **{"data-age-at": str(at)})


def verdict_mark(verdict: str, lang: str) -> Component:
    """good | near | bad against a target, as shape, colour and word."""
    return html.Span(t(f"verdict.{verdict}", lang), className="d-verdict", **{"data-verdict": verdict})


def chip(label: str, value: str, off_href: str, lang: str) -> Component:
    """A filter that is on; its cross takes it off."""
    cross = dcc.Link("×", href=off_href, className="d-chip-off", title=t("desk.filter_off", lang, name=label))
    return html.Span([html.Span(f"{label}: ", className="d-chip-name"), html.Span(value), cross], className="d-chip")


def chips(items: Sequence[Component], view: View) -> Component | None:
    """The filters that are on, and a link that takes all of them off; None when there are none."""
    if not items:
        return None
    keep = {name: view.query[name] for name in ("lang",) if name in view.query}
    clear = link(t("desk.clear_filters", view.lang), View(view.path, keep, view.lang, view.period).here(), "d-chip-clear")
    return html.Div([*items, clear], className="d-chips", role="group", **{"aria-label": t("desk.filters", view.lang)})


def choices(label: str, options: Iterable[tuple[str, str, bool]], class_name: str = "") -> Component:
    """A row of alternatives, each a link: (text, href, is_on)."""
    links = [
        html.Span(text, className="d-choice d-on", **{"aria-current": "true"}) if is_on else link(text, href, "d-choice")
        for text, href, is_on in options
    ]
    return html.Div(links, className=f"d-choices {class_name}".strip(), role="group", **{"aria-label": label})


def notice(title: str, hint: str = "", action: Component | None = None, kind: str = "empty") -> Component:
    """What stands where nothing can be shown: what it is, and what to do. kind: empty | fault."""
    parts = [html.P(title, className="d-notice-title"), html.P(hint, className="d-notice-hint") if hint else None, action]
    role = {"role": "alert"} if kind == "fault" else {}
    return html.Div([part for part in parts if part], className=f"d-notice d-notice-{kind}", **role)


def skeleton(lang: str, blocks: int = 8) -> Component:
    """Grey shapes while the figures come; screen readers hear that they are coming."""
    shapes = [html.Div(className="d-bone", **{"aria-hidden": "true"}) for _ in range(blocks)]
    return html.Div([html.Span(t("loading.data", lang), className="d-unseen"), *shapes], className="d-bones", role="status")


def facts(rows: Iterable[tuple[str, Children]], class_name: str = "") -> Component:
    """A list of facts: name and value, one a row."""
    pairs = [html.Div([html.Dt(name), html.Dd(value)]) for name, value in rows]
    return html.Dl(pairs, className=f"d-facts {class_name}".strip())


def count_line(shown: int, total: int, lang: str) -> Component:
    """How many rows there are, before the rows themselves."""
    words = t("desk.row_count", lang, n=number(total, lang, 0))
    if shown < total:
        words = t("desk.row_count_of", lang, n=number(shown, lang, 0), total=number(total, lang, 0))
    return html.P(words, className="d-count", **{"data-count": str(total), "aria-live": "polite"})


def heading(title: str, note: Children = None, aside: Children = None) -> Component:
    """The page's title, a line under it, and what stands at its right."""
    left = html.Div([html.H1(title), html.P(note, className="d-lead") if note is not None else None])
    return html.Div([left, html.Div(aside, className="d-aside") if aside is not None else None], className="d-heading")
