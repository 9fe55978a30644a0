"""The chart of time: a column a day, week or month, each a link that narrows the page to it; the other period as a mark on it."""

from __future__ import annotations

from datetime import date

from dash import html
from dash.development.base_component import Component

from components.explore.bars import scale
from components.explore.state import State, around, grain, here
from components.explore.words import group_name, measure_name, value_words
from metrics.city.explore.parts import parts_of
from metrics.city.explore.question import Answer, Figure, Row
from metrics.periods import parse_period
from text import t

ANY_DAY = date(2000, 1, 1)  # for absolute periods, which need no today
SIDES = ("start", "mid-start", "mid-end", "end")  # where a column stands: its words open towards the middle
LABELS = 8  # of the columns that are named under the chart


def timeline(state: State, answer: Answer, today: date) -> Component:
    """Columns from zero; a column without a figure is a gap. The chosen ones stand out, the others stay readable."""
    lang, part = state.lang, grain(state.period)
    rows = every_part(state, answer, part, today)
    has_before = is_alike(answer, part)
    top = scale(state, [value for row in rows for value in (row.figures[0].value, row.figures[0].previous if has_before else None)])
    top = nice(top) if state.measure.measure_unit != "percent" else top
    step = max(1, -(-len(rows) // LABELS))
    columns = [
        _column(state, part, row, top, is_named=(len(rows) - 1 - at) % step == 0, has_before=has_before, side=SIDES[4 * at // len(rows)])
        for at, row in enumerate(rows)
    ]
    marks = [
        html.Span(value_words(state.measure, top * share, lang, is_short=True), style={"--y": f"{100 * share:.0f}%"})
        for share in (1, 0.5)
        if state.measure.decimals or top * share == int(top * share)
        if state.measure.decimals or top * share == int(top * share)
    ]
    words = t("explore.timeline", lang, name=measure_name(state.measure, lang))
    return html.Div(
        [
            html.Div(marks, className="d-x-scale", **{"aria-hidden": "true"}),
            html.Ol(columns, className="d-x-columns", **{"aria-label": words}),
        ],
        className="d-x-timeline",
    )


def _column(state: State, part: str, row: Row, top: float, *, is_named: bool, has_before: bool, side: str) -> Component:
    """One part of the period."""
    lang, group, figure = state.lang, row.groups[0], row.figures[0]
    name = group_name(part, group, "", lang)
    on = _is_on(state, group)
    tall = {"--h": f"{max(0.8, 100 * figure.value / top) if figure.value else 0:.1f}%"} if figure.value is not None and top else {}
    marks = [html.Span(className="d-x-column", style=tall)] if tall else []
    if has_before and figure.previous is not None and top:
        marks.append(html.Span(className="d-x-before", style={"--h": f"{min(100.0, 100 * figure.previous / top):.1f}%"}))
    value = value_words(state.measure, figure.value, lang)
    told = f"{name}: {value}" + (f" ({t('explore.partial', lang)})" if row.is_partial else "")
    label = html.Span(_short(part, group), className="d-x-label", **{"aria-hidden": "true"}) if is_named else None
    # a Saturday or Sunday is quiet by itself: said by the ground, so that it is not read as a drop
    rest = part == "day" and parse_period(group, state.period.end_on).start_on.isoweekday() > 5
    marked = {
        "data-side": side,
        "data-chosen": "1" if on else "",
        "data-partial": "1" if row.is_partial else "",
        "data-rest": "1" if rest else "",
    }
    shown = here(
        [*marks, html.Span(told, className="d-x-tip")],
        _href(state, group),
        "d-x-hit",
        f"{part}:{group}",
        **({"aria-current": "true"} if on and state.on else {}),
    )
    return html.Li([shown, *([label] if label else [])], **marked)


def every_part(state: State, answer: Answer, part: str, today: date) -> list[Row]:
    """A row for each part that has begun: of what is counted there is none in a part the answer leaves out, anything else is not known."""
    found = {row.groups[0]: row for row in answer.rows}
    is_counted = state.measure.adds_up and any(row.figures[0].value is not None for row in (*answer.rows, *answer.totals))
    nothing = (Figure(0.0 if is_counted else None, 0),)
    parts = parts_of(around(state), (part,), today).parts
    return [found.get(one.text) or Row((one.text,), ("",), nothing, one.is_cut or one.is_partial(today)) for one in parts]


def is_alike(answer: Answer, part: str) -> bool:
    """Does each part stand beside one of its kind in the other period? A Monday beside a Sunday tells nothing."""
    found = answer.comparison
    if found is None or found.previous is None:
        return False
    return part != "day" or (found.current.start_on - found.previous.start_on).days % 7 == 0


def _href(state: State, group: str) -> str:
    if state.period.days == 1:
        return state.here(period=group, on="")
    return state.here(on="" if state.view.get("on") == group else group)


def _is_on(state: State, group: str) -> bool:
    """Is this part one the page speaks of? All are until one is clicked."""
    part = parse_period(group, state.period.end_on)
    return part.start_on <= state.now.end_on and part.end_on >= state.now.start_on


def _short(part: str, group: str) -> str:
    first = parse_period(group, ANY_DAY).start_on
    return f"{first.day}/{first.month}" if part != "month" else f"{first.month}/{first.year % 100:02}"


def nice(value: float) -> float:
    """A round number at or above: 1, 2, 5 and ten times those.

    >>> nice(37), nice(0.4), nice(100)
    (40.0, 0.4, 100.0)
    """
    if value <= 0:
        return 1.0
    size = 10.0 ** (len(str(int(value))) - 1) if value >= 1 else 0.1
    return next(float(step * size) for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * size >= value)
