"""The 766 score, drawn: the total of what is known, a card a group, an indicator a line with its points and a link to its definition."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from components.desk_filters import period_name
from components.desk_links import View
from components.desk_parts import link, state_mark
from metrics.city.numbers.score import Score, ScoredGroup, ScoredIndicator
from metrics.periods import Period
from text import t
from text.formats import MISSING, number, percent


def score_cards(view: View, found: Score) -> Component:
    """The section: total, a word on what is left out, the groups."""
    lang = view.lang
    total = html.P(
        [html.B(_points(found.points, lang), className="d-ix-value"), " ", _known(found.known_most, found.most, lang)],
        className="d-score-total", **{"data-score": "" if found.points is None else f"{found.points:.6f}"},
    )
    cards = html.Div([_card(view, found.period, group) for group in found.groups], className="d-tiles d-ix-cards")
    period = html.P([html.B(period_name(found.period, lang)), " · ", t("score.lead", lang)], className="d-quiet")
    return html.Section([html.H2(t("score.title", lang)), period, total, cards], className="d-section", id="score_766")


def _card(view: View, period: Period, group: ScoredGroup) -> Component:
    lang = view.lang
    parts: list[Component] = [
        html.H3(t(f"score.{group.key}", lang), className="d-ix-name"),
        html.P(_points(group.points, lang), className="d-ix-value"),
        html.P(_known(group.known_most, group.most, lang), className="d-ix-line"),
        html.Ul([_line(view, period, row) for row in group.indicators], className="d-ix-parts"),
    ]
    return html.Article(parts, className="d-tile d-ix", **{"data-group": group.key})


def _line(view: View, period: Period, row: ScoredIndicator) -> Component:
    """One indicator: number and name, its points as a bar, points of most; under it the rate, and a mark when nobody has checked it."""
    lang = view.lang
    key = row.no.replace(".", "_")
    name = f"{row.no} {t(f'score.no.{key}', lang)}"
    named = link(name, f"{view.to('/kpis', period=period.text)}#{row.kpi}") if row.kpi else html.Span(name)
    share = "0" if row.points is None else f"{row.points / row.most:.4f}"
    bar = html.Span(className="d-ix-bar", style={"--share": share}, **{"aria-hidden": "true"})
    points = t("score.unknown", lang) if row.points is None else f"{_points(row.points, lang)}/{number(row.most, lang, 0)}"
    under = [html.Span(f"{_rate(row, lang)} · {t('score.full_at', lang, rate=percent(row.full_at, lang, 0))}")]
    if not row.verified:
        under += [html.Span(" "), state_mark("late", t("score.unverified", lang), title=t("score.unverified_hint", lang))]
    if row.lacks:
        under += [html.Br(), html.Span(t(f"score.lacks.{row.lacks}", lang))]
    told = {"data-no": row.no, "data-points": "" if row.points is None else f"{row.points:.6f}"}
    return html.Li(
        [html.Span([named, html.Small(under)], className="d-ix-part"), bar, html.Span(points, className="d-ix-number")], **told,
    )


def _rate(row: ScoredIndicator, lang: str) -> str:
    return MISSING if row.rate is None else percent(row.rate, lang, 1)


def _points(points: float | None, lang: str) -> str:
    return MISSING if points is None else number(points, lang, 2)


def _known(known: float, most: float, lang: str) -> str:
    return t("score.known", lang, known=number(known, lang, 0), most=number(most, lang, 0))
