"""The one figure of what is chosen: value, target, change, ground, coverage and the records behind it; and what could not be read."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from components.desk_filters import period_name
from components.desk_parts import link, notice, verdict_mark
from components.explore.bars import judged_by, rows_link
from components.explore.records import records
from components.explore.state import State, here, is_mixed
from components.explore.words import change_mark, coverage_words, measure_name, unit_words, value_words, versus
from config.targets import target_of
from metrics.city import City
from metrics.city.explore.question import Answer, Figure
from metrics.kpis import verdict
from text import t
from text.formats import instant, number


def figure_card(city: City, state: State, answer: Answer, figure: Figure) -> Component:
    """The figure over everything that is chosen."""
    lang, measure = state.lang, state.measure
    value = html.Span(value_words(measure, figure.value, lang, is_short=True).removesuffix("%"), className="d-value")
    unit = "%" if measure.measure_unit == "percent" and figure.value is not None else unit_words(measure, lang)
    if is_mixed(state):
        return html.Article(
            [html.H2(measure_name(measure, lang), className="d-tile-label"), html.P(t("explore.mixed", lang)), _definition(city, state)],
            className="d-tile d-x-figure",
        )
    parts = [
        html.H2(measure_name(measure, lang), className="d-tile-label"),
        html.Div(
            [value, html.Span(unit, className="d-unit")],
            className="d-figure",
            **{"data-value": "" if figure.value is None else str(figure.value)},
        ),
        html.P(t("desk.no_value", lang), className="d-why") if figure.value is None else _target(city, state, figure.value),
        _change(state, answer, figure),
        html.P(
            [html.Span(t("desk.n", lang, n=number(figure.n, lang, 0))), html.Span(coverage_words(state, answer), className="d-x-covered")],
            className="d-trust",
        ),
        _records(city, state, figure),
        _definition(city, state),
    ]
    return html.Article([part for part in parts if part is not None and part != ""], className="d-tile d-x-figure")


def _records(city: City, state: State, figure: Figure) -> Component | str:
    """The way to the records, or why there is none."""
    found = records(city, state, figure, {})
    return html.P(found.why, className="d-quiet") if found.why else rows_link(found, state.lang, words="explore.open_all")


def _target(city: City, state: State, value: float) -> Component | None:
    """The verdict against the city's target; of a count only when nothing is narrowed, since a target is of the whole."""
    lang, measure = state.lang, state.measure
    if measure.kpi is None or (measure.measure_unit != "percent" and (state.filter.terms or state.filter.q)):
        return None
    target = target_of(city.config.targets, measure.key, state.now.end_on)
    judged = judged_by(city, state, value)[0] or verdict(measure.kpi, value, target)
    if target is None or not judged:
        return None
    return html.P(
        [verdict_mark(judged, lang), html.Span(t("desk.target", lang, value=value_words(measure, target, lang)))], className="d-target"
    )


def _change(state: State, answer: Answer, figure: Figure) -> Component | None:
    words = versus(answer, state.lang)
    return html.P([change_mark(state.measure, figure, state.lang), html.Span(words)], className="d-change") if words else None


def _definition(city: City, state: State) -> Component:
    """What the figure means, on what ground, as of when."""
    lang, key = state.lang, state.measure.key
    told = [html.P(t(f"kpi.{key}.definition" if state.measure.kpi else f"measure.{key}.definition", lang))]
    told.append(html.P([t("desk.period", lang), ": ", period_name(state.now, lang)], className="d-source"))
    told.append(html.P(t("desk.as_of", lang, at=instant(city.as_of, city.config.tz, lang)), className="d-source"))
    if state.measure.kpi:
        told.append(link(t("desk.to_catalogue", lang), f"{state.view.to('/kpis')}#{key}"))
    label = measure_name(state.measure, lang)
    summary = html.Summary(html.Span("i", **{"aria-hidden": "true"}), title=t("desk.definition_of", lang, name=label))
    return html.Details([summary, html.Div(told, className="d-popover")], className="d-definition")


def not_read(state: State, answer: Answer, token: str) -> Component:
    """Neither roll-up nor index covers the question: how many rows it takes, the way to read them all the same, what makes it less."""
    lang = state.lang
    count = number(answer.estimate, lang, 0)
    words = t("explore.read_it", lang, n=count)
    go = here(words, state.view.here(read=token), "d-button d-main-button", "read", **{"data-read": token})
    return notice(t("explore.not_read", lang, n=count), t("explore.not_read_hint", lang), go)


def too_long(state: State, kind: str, token: str) -> Component:
    """The reading was ended, by its time or by the reader. kind: took_too_long | stopped."""
    lang = state.lang
    again = here(t("explore.again", lang), state.view.here(read=token), "d-button", "read", **{"data-read": token})
    return notice(t(f"explore.{kind}", lang), t("explore.narrow_hint", lang), again, "fault" if kind == "took_too_long" else "empty")


def no_answer(state: State, told: str) -> Component:
    """The measure cannot be broken down like this: what to choose instead, and what the question said of itself."""
    lang = state.lang
    plain = here(t("explore.plain", lang), state.here(by="", split=""), "d-button", "plain")
    return notice(
        t("explore.no_answer", lang), t("explore.no_answer_hint", lang), html.Div([plain, html.Code(told)], className="d-x-told"), "fault"
    )


def nothing(state: State) -> Component:
    """A question that has no rows: what to take back."""
    lang = state.lang
    clear = (
        here(t("desk.clear_filters", lang), f"{state.view.path}?measure={state.measure.key}", "d-button", "clear")
        if state.filter.terms or state.on
        else None
    )
    return notice(t("explore.empty", lang), t("explore.empty_hint", lang), clear)
