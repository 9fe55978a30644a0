"""Two dimensions at once: a table of both with totals that add up, or a small chart for each group of the second. One scale for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dash import html
from dash.development.base_component import Component

from components.explore.bars import scale
from components.explore.state import State, chosen_value, filter_key, here, is_chosen, toggled
from components.explore.words import dimension_name, group_name, measure_name, value_words
from metrics.city.explore.question import DIMENSION, OTHERS, TOTAL, Answer, Row
from text import t

STEPS = 6  # tints of a cell
Cells = Mapping[tuple[str, str], Row]


def pivot(state: State, answer: Answer) -> Component:
    """Groups of the first dimension down, of the second across; the last row and column are the totals the answer brings."""
    lang, cells = state.lang, _cells(answer)
    downs, acrosses = _groups(answer, 0), _groups(answer, 1)
    most = scale(state, [row.figures[0].value for row in answer.rows])
    names = _names(answer, state)
    corner = html.Th(f"{dimension_name(state.by, lang)} \\ {dimension_name(state.split, lang)}", scope="col", className="d-main")
    heads = [html.Th(_head(state, state.split, one, names[1][one]), scope="col", className="d-number") for one in acrosses]
    total = html.Th(t("explore.total", lang), scope="col", className="d-number d-x-sum")
    body = [_line(state, one, acrosses, cells, names, most) for one in [*downs, TOTAL]]
    caption = t("explore.pivot_of", lang, name=measure_name(state.measure, lang))
    drawn = html.Table(
        [html.Caption(caption, className="d-caption"), html.Thead(html.Tr([corner, *heads, total])), html.Tbody(body)],
        className="d-table d-x-pivot",
    )
    return html.Div(drawn, className="d-table-box d-x-wide", tabIndex="0", role="region", **{"aria-label": caption})


def multiples(state: State, answer: Answer) -> Component:
    """A small chart for each group of the second dimension, in the order of the table, all on one scale; time always lies along."""
    if DIMENSION[state.split].kind != "code" and DIMENSION[state.by].kind == "code":
        rows, totals = (
            tuple(replace(row, groups=row.groups[::-1], labels=row.labels[::-1]) for row in part) for part in (answer.rows, answer.totals)
        )
        return multiples(replace(state, by=state.split, split=state.by), replace(answer, rows=rows, totals=totals))
    cells, names = _cells(answer), _names(answer, state)
    downs = _groups(answer, 0)
    most = scale(state, [row.figures[0].value for row in answer.rows])
    drawn = [_small(state, one, downs, cells, names, most) for one in _groups(answer, 1)]
    return html.Div(drawn, className="d-x-multiples")


def _cells(answer: Answer) -> Cells:
    return {(row.groups[0], row.groups[1]): row for row in (*answer.rows, *answer.totals)}


def _groups(answer: Answer, place: int) -> list[str]:
    """Groups of one dimension in the order of its totals."""
    other = 1 - place
    found = [row.groups[place] for row in answer.totals if row.groups[other] == TOTAL and row.groups[place] != TOTAL]
    return list(dict.fromkeys([*found, *(row.groups[place] for row in answer.rows)]))


def _names(answer: Answer, state: State) -> tuple[dict[str, str], dict[str, str]]:
    """Group -> its name, of both dimensions."""
    found: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for row in (*answer.rows, *answer.totals):
        for place, dimension in enumerate((state.by, state.split)):
            group = row.groups[place]
            found[place][group] = group_name(dimension, group, row.labels[place], state.lang)
    return found


def _line(
    state: State, down: str, acrosses: Sequence[str], cells: Cells, names: tuple[dict[str, str], dict[str, str]], most: float
) -> Component:
    is_total = down == TOTAL
    head = html.Th(_head(state, state.by, down, names[0].get(down, "")), scope="row", className="d-main-cell")
    inside = [_cell(state, (down, one), cells.get((down, one)), names, most, is_sum=is_total) for one in acrosses]
    end = _cell(state, (down, TOTAL), cells.get((down, TOTAL)), names, most, is_sum=True)
    return html.Tr([head, *inside, end], **({"data-state": "total"} if is_total else {}))


def _head(state: State, dimension: str, group: str, name: str) -> Component | str:
    """A heading narrows the page to its group."""
    href = "" if group in (TOTAL, OTHERS) else toggled(state, dimension, group)
    if group == TOTAL:
        return t("explore.total", state.lang)
    return here(name, href, "d-x-pick", f"{dimension}:{group}") if href else name


def _cell(
    state: State, groups: tuple[str, str], row: Row | None, names: tuple[dict[str, str], dict[str, str]], most: float, *, is_sum: bool
) -> Component:
    """A figure, tinted by its size; a click narrows the page to both of its groups."""
    value = row.figures[0].value if row else None
    if row is None and state.measure.adds_up:
        value = 0.0  # nothing of what is counted
    words = value_words(state.measure, value, state.lang, is_short=True)
    step = "" if is_sum or not value or not most else str(min(STEPS, 1 + int(STEPS * abs(value) / most * 0.999)))
    href = both(state, groups)
    named = ", ".join(names[place].get(group, "") for place, group in enumerate(groups) if group != TOTAL)
    shown = here(words, href, "d-x-cell-link", f"cell:{groups[0]}|{groups[1]}", title=named) if href and value else words
    return html.Td(
        shown,
        className=f"d-number{' d-x-sum' if is_sum else ''}",
        **{"data-tint": step, "data-zero": "" if value else "1", "data-label": named},
    )


def both(state: State, groups: tuple[str, str]) -> str:
    """The address narrowed to the groups of a cell; '' where one of them cannot be."""
    changes: dict[str, object] = {}
    for dimension, group in zip((state.by, state.split), groups, strict=True):
        if group == TOTAL:
            continue
        key = "" if group == OTHERS else filter_key(state, dimension)
        if not key:
            return ""
        changes["period" if key == "on" and state.period.days == 1 else key] = chosen_value(state, dimension, group)
    return state.here(**changes) if changes else ""


def _small(
    state: State, across: str, downs: Sequence[str], cells: Cells, names: tuple[dict[str, str], dict[str, str]], most: float
) -> Component:
    """One small chart: columns along time, bars of anything else."""
    lang, whole = state.lang, cells.get((TOTAL, across))
    figure = value_words(state.measure, whole.figures[0].value if whole else None, lang)
    title = html.H3([_head(state, state.split, across, names[1][across]), html.Span(figure, className="d-x-small-sum")])
    is_time = DIMENSION[state.by].kind != "code"
    marks = [_mark(state, down, cells.get((down, across)), names, most, is_time=is_time) for down in downs]
    on = {"data-chosen": "1"} if across not in (TOTAL, OTHERS) and is_chosen(state, state.split, across) else {}
    return html.Section(
        [title, html.Div(marks, className="d-x-small-columns" if is_time else "d-x-small-bars")], className="d-x-small", **on
    )


def _mark(
    state: State, down: str, row: Row | None, names: tuple[dict[str, str], dict[str, str]], most: float, *, is_time: bool
) -> Component:
    value = row.figures[0].value if row else 0.0 if state.measure.adds_up else None
    size = {"--w": f"{max(0.6, min(100.0, 100 * abs(value) / most)):.1f}%"} if value and most else {"--w": "0%"}
    words = value_words(state.measure, value, state.lang, is_short=True)
    told = f"{names[0].get(down, '')}: {words}"
    if is_time:
        return html.Span(html.Span(className="d-x-bar", style=size), className="d-x-small-column", title=told)
    return html.Div(
        [
            html.Span(names[0].get(down, ""), className="d-x-small-name"),
            html.Span(html.Span(className="d-x-bar", style=size), className="d-x-track"),
            html.Span(words, className="d-x-value"),
        ],
        className="d-x-small-row",
        title=told,
    )
