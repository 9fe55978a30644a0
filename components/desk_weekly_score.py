"""The 766 score as bars: an indicator a line, the points it has, the points it lacks, where most is to be won first.

Pure: Score -> component. Indicators nobody knows the rate of are named apart: they are no zero.
"""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from components.desk_links import View
from components.desk_parts import link
from metrics.city.numbers.score import Score, ScoredIndicator
from text import t
from text.formats import number, percent


def score_bars(view: View, found: Score) -> Component | None:
    """The known indicators, most points to win first; None where no rate is known."""
    lang = view.lang
    rows = [row for group in found.groups for row in group.indicators]
    known = sorted((row for row in rows if row.points is not None), key=lambda row: (-_missing(row), row.no))
    unknown = [row for row in rows if row.points is None]
    if not known:
        return None
    widest = max(row.most for row in known)
    bars = [_bar(view, found, row, widest) for row in known]
    legend = html.P(
        [html.Span(t("weekly.page.points_had", lang), className="d-w-had"), html.Span(t("weekly.page.points_missing", lang),
                                                                                       className="d-w-lack")],
        className="d-w-legend d-quiet",
    )
    return html.Div([legend, html.Ul(bars, className="d-w-bars"), _unknown(unknown, lang) if unknown else None], className="d-w-score")


def _bar(view: View, found: Score, row: ScoredIndicator, widest: float) -> Component:
    """One indicator: its name, its rate, the bar, points of most."""
    lang, points = view.lang, row.points or 0.0
    name = f"{row.no} {_name(row, lang)}"
    named = link(name, f"{view.to('/kpis', period=found.period.text)}#{row.kpi}") if row.kpi else html.Span(name)
    words = f"{number(points, lang, 1)}/{number(row.most, lang, 0)}"
    lacks = t("weekly.page.lacks", lang, points=number(_missing(row), lang, 1)) if _missing(row) else t("weekly.page.full", lang)
    style = {"--most": f"{row.most / widest:.4f}", "--share": f"{points / row.most:.4f}"}
    return html.Li(
        [
            html.Span([named, html.Small(percent(row.rate, lang, 1))], className="d-w-bar-name"),
            html.Span(html.Span(className="d-w-bar", style=style), className="d-w-track", **{"aria-hidden": "true"}),
            html.Span([html.B(words), html.Small(lacks)], className="d-w-bar-points"),
        ],
        **{"data-no": row.no, "data-missing": f"{_missing(row):.4f}"},
    )


def _unknown(rows: list[ScoredIndicator], lang: str) -> Component:
    most = sum(row.most for row in rows)
    words = t("weekly.page.unknown", lang, n=number(len(rows), lang, 0), points=number(most, lang, 0))
    names = [html.Li(f"{row.no} {_name(row, lang)}") for row in rows]
    return html.Details([html.Summary(words), html.Div(html.Ul(names), className="d-prose")], className="d-waiting")


def _name(row: ScoredIndicator, lang: str) -> str:
    return t(f"score.no.{row.no.replace('.', '_')}", lang)


def _missing(row: ScoredIndicator) -> float:
    """Points it could still have."""
    return row.most - (row.points or 0.0)
