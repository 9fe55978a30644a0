"""The page of indicators, drawn: indices as cards with their parts, plan against actual, other figures by theme."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dash import html
from dash.development.base_component import Component

from components.desk_links import View
from components.desk_parts import link, state_mark, verdict_mark
from components.desk_table import Column, table
from components.indicator_words import (
    before_words,
    change_words,
    name_of,
    period_words,
    places_words,
    rank_words,
    share_words,
    span_words,
    value_words,
)
from metrics.city.numbers.indicators import Card, IndicatorItem
from text import t
from text.formats import number, percent

MAX_CARDS = 48  # beyond it the reader is asked to choose a subject
MAX_HISTORY = 12


# ---- cards --------------------------------------------------------------------------------------------------------------
def card_grid(view: View, cards: Sequence[Card]) -> Component:
    """The indices, one card each; when there are too many the first of them, and what to do."""
    shown = [_card(view, card) for card in cards[:MAX_CARDS]]
    parts: list[Component] = [html.Div(shown, className="d-tiles d-ix-cards")]
    if len(cards) > MAX_CARDS:
        parts.append(html.P(t("indices.too_many", view.lang, n=MAX_CARDS, total=len(cards)), className="d-quiet"))
    return html.Div(parts)


def _card(view: View, card: Card) -> Component:
    item, lang = card.item, view.lang
    head = [html.H3(name_of(item, lang), className="d-ix-name"), html.P(_about(view, item), className="d-ix-about")]
    parts = [
        html.Div(head),
        _figure(item, lang),
        _rank(item, lang),
        _change(item, lang),
        _target(item, lang),
        _more(lang, [_bars(card.parts, lang), _history(card.history, lang), source(view, item)]),
    ]
    told = {"data-indicator": item.indicator, "data-subject": item.subject, "data-verdict": item.verdict or ""}
    return html.Article([part for part in parts if part is not None], className="d-tile d-ix", **told)


def _more(lang: str, parts: Sequence[Component | None]) -> Component:
    """What a phone folds away (assets/desk.js holds it open where there is room)."""
    inside = html.Div([part for part in parts if part is not None], className="d-ix-inside")
    return html.Details([html.Summary(t("desk.details", lang)), inside], className="d-fold d-ix-more")


def _about(view: View, item: IndicatorItem) -> list[Component | str]:
    """Whose figure, of when; the subject leads to all of its figures."""
    period = html.B(span_words(item, view.lang))
    if not item.subject:
        return [period]
    return [link(item.subject_name, view.here(subject=item.subject)), " · ", period]


def _figure(item: IndicatorItem, lang: str) -> Component:
    """The value, large; an index that is told by its rank alone shows the rank."""
    is_rank = item.value is None and item.rank is not None
    words = t("indices.rank", lang, rank=rank_words(item.rank, item.denominator, lang)) if is_rank else value_words(item, lang)
    size = "" if any(letter.isdigit() for letter in words) else " d-ix-words"
    if item.value is None and not is_rank and item.change is not None:
        words, size = change_words(item, lang), ""
    return html.P(words, className=f"d-ix-value{size}")


def _rank(item: IndicatorItem, lang: str) -> Component | None:
    if item.rank is None:
        return None
    words = [share_words(item.rank, item.denominator, lang)]
    if item.value is not None:
        words.insert(0, t("indices.rank", lang, rank=rank_words(item.rank, item.denominator, lang)))
    if item.rank_source == "computed":
        words.append(t("indices.rank_computed", lang))
    return html.P(" · ".join(word for word in words if word), className="d-ix-line")


def _change(item: IndicatorItem, lang: str) -> Component | None:
    """The value's change, and what became of the rank. Ranks of different denominators are shown side by side, never subtracted."""
    said: list[Component] = []
    if item.change is not None and item.value is not None:
        said.append(html.Span([html.B(change_words(item, lang)), " ", before_words(item, lang)]))
    elif item.change is not None and item.change_from:
        said.append(html.Span(before_words(item, lang)))
    if item.previous_rank is not None and item.rank is not None:
        earlier = rank_words(item.previous_rank, item.previous_denominator, lang)
        share = share_words(item.previous_rank, item.previous_denominator, lang)
        when = period_words(item.previous_period, None, None, lang)
        said.append(html.Span(f"{when}: {earlier} · {share}"))
        said.append(html.Span(places_words(item, lang)))
    return html.P(said, className="d-ix-line d-ix-change") if said else None


def _target(item: IndicatorItem, lang: str) -> Component | None:
    if item.target is None:
        return None
    words = number(item.target, lang) + ("%" if item.measure_unit == "%" else "")
    mark = verdict_mark(item.verdict, lang) if item.verdict else None
    return html.P([mark, html.Span(t("desk.target", lang, value=words))], className="d-target")


def _bars(parts: Sequence[IndicatorItem], lang: str) -> Component | None:
    """The parts of an index: name, bar, value. Bars share one scale: the catalogue's, else the longest."""
    if not parts:
        return None
    values = [item.value for item in parts if item.value is not None]
    longest = max(values) if len(values) > 1 else 0.0  # one bar alone says nothing
    rows = []
    for item in parts:
        scale = item.scale_max or longest
        full = {"--share": f"{max(0.0, min(1.0, item.value / scale)):.4f}"} if item.value is not None and scale > 0 else {"--share": "0"}
        bar = html.Span(className="d-ix-bar", style=full, **{"aria-hidden": "true"})
        words = [html.Span(name_of(item, lang), className="d-ix-part"), bar, html.Span(value_words(item, lang), className="d-ix-number")]
        rows.append(html.Li(words, **{"data-indicator": item.indicator, "data-subject": item.subject}))
    return html.Ul(rows, className="d-ix-parts" if longest > 0 else "d-ix-parts d-ix-words-only")


def _history(older: Sequence[IndicatorItem], lang: str) -> Component | None:
    if not older:
        return None
    rows = []
    for item in older[:MAX_HISTORY]:
        words = [] if item.value is None and item.rank is not None else [value_words(item, lang)]
        words += [rank_words(item.rank, item.denominator, lang)] if item.rank is not None else []
        rows.append(html.Li([html.Span(span_words(item, lang), className="d-ix-part"), html.Span(" · ".join(words))]))
    return html.Ul(rows, className="d-ix-history", **{"aria-label": t("indices.before", lang)})


def source(view: View, item: IndicatorItem) -> Component:
    """Where the figure stands: document or publisher, its feed, and a mark when nobody has checked it."""
    lang = view.lang
    words = [word for word in (item.document, item.publisher) if word]
    parts: list[Component] = [html.Span(" · ".join(words) or t("indices.no_document", lang))]
    if not item.is_verified:
        parts.append(state_mark("late", t("indices.unverified", lang), title=t("indices.unverified_hint", lang)))
    return html.Div(parts, className="d-trust")


# ---- tables -------------------------------------------------------------------------------------------------------------
def plan_table(view: View, rows: Iterable[IndicatorItem]) -> Component:
    """Plan against actual."""
    lang = view.lang
    columns = (
        Column[IndicatorItem](t("indices.indicator", lang), lambda row: _named(view, row), "main"),
        Column[IndicatorItem](t("desk.period", lang), lambda row: span_words(row, lang), "short"),
        Column[IndicatorItem](t("indices.actual", lang), lambda row: value_words(row, lang), "number"),
        Column[IndicatorItem](t("indices.plan", lang), lambda row: _plan(row, lang), "number"),
        Column[IndicatorItem](t("indices.of_plan", lang), lambda row: _of_plan(row, lang), "number"),
        Column[IndicatorItem](t("indices.change", lang), lambda row: _delta(row, lang)),
        Column[IndicatorItem](t("desk.better", lang), lambda row: t(f"desk.better_{row.better or 'none'}", lang)),
        Column[IndicatorItem](t("indices.verdict", lang), lambda row: _verdict(row, lang), "short"),
        Column[IndicatorItem](t("indices.source", lang), lambda row: source(view, row), "wide"),
    )
    return table(columns, rows, t("indices.plans", lang), lambda row: "part" if row.parent else row.verdict or "")


def figure_table(view: View, rows: Iterable[IndicatorItem], caption: str) -> Component:
    """Other figures; a part stands under its whole."""
    lang = view.lang
    columns = (
        Column[IndicatorItem](t("indices.indicator", lang), lambda row: _named(view, row), "main"),
        Column[IndicatorItem](t("desk.period", lang), lambda row: span_words(row, lang), "short"),
        Column[IndicatorItem](t("indices.value", lang), lambda row: _value(row, lang)),
        Column[IndicatorItem](t("indices.change", lang), lambda row: _delta(row, lang)),
        Column[IndicatorItem](t("indices.source", lang), lambda row: source(view, row), "wide"),
    )
    return table(columns, rows, caption, lambda row: "part" if row.parent else "")


def _named(view: View, item: IndicatorItem) -> Component:
    """The indicator and whose it is, with its marks for tests and for the part's place."""
    about = [html.Span(part) for part in (item.subject_name, item.group) if part]
    words = [html.Span(name_of(item, view.lang)), html.Span(about, className="d-ix-of") if about else None]
    told = {"data-indicator": item.indicator, "data-subject": item.subject}
    return html.Span([word for word in words if word is not None], className="d-ix-row", **told)


def _plan(item: IndicatorItem, lang: str) -> str:
    if item.plan is None:
        return number(None, lang)
    return t("indices.derived", lang, value=number(item.plan, lang, 0)) if item.is_plan_derived else number(item.plan, lang)


def _of_plan(item: IndicatorItem, lang: str) -> Component | str:
    """The computed share of the plan; the printed one beside it where it does not agree, alone where only it is known."""
    if item.plan_pct is None:
        return number(None, lang)
    printed = item.plan_pct_printed
    if item.is_plan_derived or item.plan is None or printed is None:
        words = f"{number(item.plan_pct, lang)}%"
        return html.Span([words, html.Small(t("indices.printed_only", lang))]) if printed is not None else words
    note = t("indices.disagrees" if item.disagrees else "indices.printed", lang, value=f"{number(printed, lang)}%")
    state = {"data-disagrees": "1"} if item.disagrees else {}
    return html.Span([f"{number(item.plan_pct, lang)}%", html.Small(note)], className="d-ix-printed", **state)


def _delta(item: IndicatorItem, lang: str) -> Component | str:
    words = change_words(item, lang)
    return html.Span([html.B(words), html.Small(before_words(item, lang, with_value=True))]) if words else number(None, lang)


def _value(item: IndicatorItem, lang: str) -> Component | str:
    words = value_words(item, lang)
    if item.target is not None:
        return html.Span([words, _target(item, lang)])
    return html.Span([words, html.Small(percent(item.share, lang))]) if item.share is not None else words


def _verdict(item: IndicatorItem, lang: str) -> Component | str:
    if item.verdict:
        return verdict_mark(item.verdict, lang)
    return t("indices.running", lang) if item.is_partial else number(None, lang)
