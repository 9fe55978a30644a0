"""The table of a breakdown: a row a group with its bar, its change, its share, the way down and the rows behind it; totals that add up."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from components.desk_parts import link
from components.desk_table import Column, table
from components.explore.records import Records, records
from components.explore.state import State, chosen_value, drilled, filter_key, here, is_chosen, is_mixed, next_by, toggled
from components.explore.words import change_mark, dimension_name, group_name, measure_name, unit_words, value_words
from config.targets import target_of
from metrics.city import City
from metrics.city.explore.question import DIMENSION, OTHERS, TOTAL, Answer, Row
from metrics.kpis import verdict
from text import t
from text.formats import number, percent


def bars(city: City, state: State, answer: Answer) -> Component:
    """The rows, the most important first, then all of them together."""
    lang, measure = state.lang, state.measure
    whole = next((row.figures[0].value for row in answer.totals), None)
    rows = worst_first(state, answer)
    is_one = not is_mixed(state)  # bars of unlike units would be compared
    most = scale(state, [row.figures[0].value for row in rows if row.groups[0] != OTHERS]) if is_one else 0.0
    has_change = answer.comparison is not None and answer.comparison.previous is not None
    name = Column[Row](dimension_name(state.by, lang), lambda row: _name(state, row), "main")
    value = Column[Row](
        _heading(state), lambda row: bar(city, state, row.figures[0].value, most, row.groups[0] not in (TOTAL, OTHERS)), "gauge"
    )
    change = Column[Row](t("explore.change", lang), lambda row: change_mark(measure, row.figures[0], lang), "number")
    share = Column[Row](t("explore.share", lang), lambda row: _share(row, whole, lang), "number")
    n = Column[Row](t("explore.n", lang), lambda row: number(row.figures[0].n, lang, 0), "number")
    open_rows = Column[Row](t("explore.rows", lang), lambda row: _open(city, state, row), "rows")
    columns = [name, value, *([change] if has_change else []), share if measure.adds_up else n, open_rows]
    is_cut = bool(state.top) and len(rows) > state.top + 1 and not measure.adds_up
    shown = rows[: state.top] if is_cut else rows
    drawn = table(columns, [*shown, *(answer.totals if is_one else ())], measure_name(measure, lang), lambda row: _row_state(state, row))
    if not is_cut:
        return drawn
    words = t("explore.show_all_n", lang, n=number(len(rows), lang, 0))
    return html.Div([drawn, here(words, state.here(top="all"), "d-x-all", "all")])


def worst_first(state: State, answer: Answer) -> list[Row]:
    """A count by its size, as it comes; a share or a mean by what is worse, groups too small to be ranked last; time in its order."""
    better = state.measure.kpi.better if state.measure.kpi else "none"
    if state.measure.adds_up or DIMENSION[state.by].kind != "code" or better == "none":
        return list(answer.rows)
    sign = 1 if better == "up" else -1

    least = state.measure.kpi.min_n_change if state.measure.kpi else 0

    def place(row: Row) -> tuple[bool, bool, float, int]:
        value, n = row.figures[0].value, row.figures[0].n
        return value is None, n < least, sign * (value or 0.0), -n

    return sorted(answer.rows, key=place)


def _heading(state: State) -> str:
    unit = unit_words(state.measure, state.lang)
    return f"{measure_name(state.measure, state.lang)}{f' ({unit})' if unit else ''}"


def _row_state(state: State, row: Row) -> str:
    group = row.groups[0]
    if group in (TOTAL, OTHERS):
        return "total" if group == TOTAL else "others"
    return "chosen" if is_chosen(state, state.by, group) else ""


def _name(state: State, row: Row) -> Component:
    """The group; a click narrows the page to it, a second one takes that back. Beside it the way down."""
    group, lang = row.groups[0], state.lang
    words = group_name(state.by, group, row.labels[0], lang)
    if group in (TOTAL, OTHERS):
        return html.Span([words, *_all(state, group)])
    href, is_on = toggled(state, state.by, group), is_chosen(state, state.by, group)
    parts: list[Component | str] = [words]
    if href:
        pressed = {"aria-current": "true"} if is_on else {}
        hint = t("explore.click_off" if is_on else "explore.click", lang)
        parts = [here(words, href, "d-x-pick", f"{state.by}:{group}", title=hint, **pressed)]
    if down := drilled(state, state.by, group):
        into = dimension_name(next_by(state, state.by), lang)
        title = t("explore.drill_hint", lang, name=words, by=into)
        parts.append(here(t("explore.drill", lang, by=into), down, "d-x-down", f"down:{group}", title=title))
    partial = (
        html.Span(t("explore.partial", lang), className="d-partial") if row.is_partial and filter_key(state, state.by) == "on" else None
    )
    return html.Span([*parts, *([partial] if partial else [])], className="d-x-name")


def _all(state: State, group: str) -> list[Component | str]:
    """At the row of the others: the way to see each of them."""
    return [" ", here(t("explore.show_all", state.lang), state.here(top="all"), "d-x-down", "all")] if group == OTHERS else []


def scale(state: State, values: Sequence[float | None]) -> float:
    """What a full bar stands for: 100 of a share, else the highest value shown; bars begin at zero."""
    if state.measure.measure_unit == "percent":
        return 100.0
    return max((abs(value) for value in values if value is not None), default=0.0)


def bar(city: City, state: State, value: float | None, most: float, is_bar: bool = True) -> Component:
    """The figure with its bar; off target by colour, shape and word."""
    lang, measure = state.lang, state.measure
    judged, target = judged_by(city, state, value)
    figure = html.Span(value_words(measure, value, lang, is_short=True), className="d-x-value")
    if not is_bar or not value or not most:
        return html.Div([html.Span(className="d-x-track d-x-empty"), figure], className="d-x-cell")
    style = {"--w": f"{max(0.6, min(100.0, 100 * abs(value) / most)):.1f}%"}
    marks = [html.Span(className="d-x-bar", style=style)]
    if target is not None and measure.measure_unit == "percent":
        marks.append(html.Span(className="d-x-target", style={"--w": f"{min(100.0, 100 * target / most):.1f}%"}))
    told = (
        {"title": f"{t('desk.target', lang, value=value_words(measure, target, lang))}: {t(f'verdict.{judged}', lang)}"} if judged else {}
    )
    return html.Div([html.Span(marks, className="d-x-track"), figure], className="d-x-cell", **told, **{"data-verdict": judged})


def judged_by(city: City, state: State, value: float | None) -> tuple[str, float | None]:
    """The verdict on a share against the target of the city, and that target; a target of the whole says nothing of a part's count."""
    if state.measure.kpi is None or state.measure.measure_unit != "percent":
        return "", None
    target = target_of(city.config.targets, state.measure.key, state.now.end_on)
    return verdict(state.measure.kpi, value, target) or "", target


def _share(row: Row, whole: float | None, lang: str) -> str:
    value = row.figures[0].value
    return percent(100 * value / whole, lang, 1) if value is not None and whole else "–"


def _open(city: City, state: State, row: Row) -> Component | str:
    """The rows behind a group: how many before they are opened; why there are none to open."""
    group = row.groups[0]
    if group == OTHERS:
        return ""
    narrowed = {} if group == TOTAL else {state.by: chosen_value(state, state.by, group)}
    return rows_link(records(city, state, row.figures[0], narrowed), state.lang, without=() if group == TOTAL else (state.by,))


def rows_link(found: Records, lang: str, without: tuple[str, ...] = (), words: str = "explore.open_n") -> Component | str:
    """The link to records with their number, or a dash that tells why there is none."""
    if not found.href or found.count == 0:
        return html.Span("–", className="d-quiet", title=found.why) if found.why else ""
    count = t(words, lang, n=number(found.count, lang, 0)) if found.count is not None else t("explore.open", lang)
    return link(count, found.href, "d-x-rows", title=t("explore.open_hint", lang))
