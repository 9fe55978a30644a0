"""Words and figures of /explore: names of groups, values with their unit, changes, and how the answer was come by."""

from __future__ import annotations

from datetime import date

from dash import html
from dash.development.base_component import Component

from components.desk_tiles import short_period, with_unit
from components.explore.state import State
from metrics.city.explore.measures import Measure
from metrics.city.explore.question import DIMENSION, INDEX, OTHERS, READ, ROLLUP, TOTAL, Answer, Figure
from metrics.periods import parse_period
from text import t
from text.formats import delta, number, percent

COVERAGE = {ROLLUP: "explore.covered_rollup", INDEX: "explore.covered_index", READ: "explore.covered_read"}


def measure_name(measure: Measure, lang: str) -> str:
    """What is counted."""
    return t(measure.label, lang)


def dimension_name(key: str, lang: str) -> str:
    """A dimension as it is chosen."""
    return t(f"explore.by.{key}", lang)


def group_name(dimension: str, group: str, label: str, lang: str) -> str:
    """A group of a dimension as it is read."""
    if group in (TOTAL, OTHERS):
        return t("explore.total" if group == TOTAL else "explore.others", lang)
    if group == "":
        return t("explore.unknown", lang)
    if DIMENSION[dimension].kind == "time":
        return part_name(group, lang)
    if dimension == "hour":
        return f"{int(group):02}:00–{int(group):02}:59"
    if dimension == "weekday":
        return t(f"weekday.{group}", lang)
    if dimension in ("channel", "property"):
        return _known(f"{dimension}.{group}", label or group, lang)
    return label or group


def part_name(text: str, lang: str) -> str:
    """A day, week or month in few letters: T6 20/11, Tuần 46, 11/2026."""
    part = parse_period(text, date(2000, 1, 1))
    if part.kind == "day":
        return short_period(part, lang)
    if part.kind == "week":
        return f"{t('explore.week', lang, week=part.start_on.isocalendar().week)} ({short_period(part, lang)})"
    return f"{part.start_on.month:02}/{part.start_on.year}" if part.kind == "month" else short_period(part, lang)


def _known(key: str, otherwise: str, lang: str) -> str:
    try:
        return t(key, lang)
    except KeyError:
        return otherwise


def value_words(measure: Measure, value: float | None, lang: str, *, is_short: bool = False) -> str:
    """A value with its unit; is_short: without the unit of things that are counted, which the heading says."""
    if measure.kpi is None:
        return number(value, lang, measure.decimals)
    if measure.measure_unit == "percent":
        return percent(value, lang, measure.decimals)
    return number(value, lang, measure.decimals) if is_short else with_unit(measure.key, value, lang)


def unit_words(measure: Measure, lang: str) -> str:
    """The unit alone; '' of shares, whose figures bear it, and of readings of several properties."""
    return "" if measure.measure_unit in ("percent", "") else t(f"unit.{measure.measure_unit}", lang)


def sense_of(measure: Measure, figure: Figure) -> str:
    """better | worse | same, '' where no way is better or nothing is known."""
    better = measure.kpi.better if measure.kpi else "none"
    if figure.delta is None:
        return ""
    if round(figure.delta, measure.decimals) == 0:
        return "same"
    return "" if better == "none" else "better" if (figure.delta > 0) == (better == "up") else "worse"


def change_mark(measure: Measure, figure: Figure, lang: str) -> Component:
    """The change beside the other period: sign, size, in percent where it is a count; better or worse by shape and word, not colour."""
    if figure.delta is None:
        return html.Span("–", className="d-quiet")
    sense = sense_of(measure, figure)
    extra = t("unit.point", lang) if measure.measure_unit == "percent" else ""
    size = f"{delta(figure.delta, lang, measure.decimals)} {extra}".strip()
    told = [html.Span(size, className="d-x-delta")]
    if figure.delta_pct is not None and measure.measure_unit != "percent":
        told.append(html.Span(f"{delta(figure.delta_pct, lang, 0)}%", className="d-quiet"))
    words = t(f"verdict.{sense}", lang) if sense else ""
    return html.Span(told, className="d-x-change", title=words, **{"data-sense": sense})


def coverage_words(state: State, answer: Answer) -> str:
    """What the answer was read from, in words."""
    lang = state.lang
    return t(COVERAGE[answer.coverage], lang, n=number(answer.rows_read, lang, 0))


def versus(answer: Answer, lang: str) -> str:
    """What the other period is, '' without one."""
    found = answer.comparison
    return t("desk.versus", lang, period=short_period(found.previous, lang)) if found and found.previous else ""
