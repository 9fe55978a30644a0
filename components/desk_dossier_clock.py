"""The working-time clock of a dossier or report, drawn: working days used, stops, due instant, steps; and its pace among its like. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

from dash import html
from dash.development.base_component import Component

from components.charts import share_width
from components.drawing import HEIGHT, Span, dates, legend, level, mark, path, picture, rectangles
from metrics.city import City
from metrics.city.findings.pace import Pace
from metrics.city.records.dossier_clock import DossierClock
from metrics.process import BEFORE_FIRST, Stretch
from text import t
from text.formats import MISSING, day, instant, number

ROOM = 1.12  # above the highest line
PAST = 0.015  # of the width, right of the last instant
Named = Callable[[Stretch, str], str]  # what the step of a stretch is called
_SHORTEST = 0.05  # working days; what is shorter is told as none


def clock_picture(city: City, lang: str, clock: DossierClock, named: Named) -> Component:
    """Working days used, from receipt to now or to the end; flat where the clock stood still."""
    span = Span(clock.start_at, clock.end_at + round(PAST * (clock.end_at - clock.start_at)))
    used = clock.line[-1][1]
    top = max(used, clock.limit_days or 0.0, 0.5) * ROOM

    def y(days: float) -> float:
        return HEIGHT * (1 - days / top)

    line = [(span.x(at), y(days)) for at, days in clock.line]
    late = _after(clock, span, y)
    layers = {
        "rest": rectangles(span, clock.rests),
        "stop": rectangles(span, clock.stops),
        "limit": level(y(clock.limit_days)) if clock.limit_days is not None else "",
        "line": path(line, 2.5),
        "late": path(late, 4) if late else "",
    }
    marks = [
        *(_step_mark(city, lang, clock, named, span, one, top) for one in clock.steps if one.status != BEFORE_FIRST),
        mark("due", span.left(clock.due_at), title=instant(clock.due_at, city.config.tz, lang)) if clock.due_at is not None else None,
        mark("until", span.left(clock.until_at)),
    ]
    says = "clock.words_no_due" if clock.limit_days is None else "clock.words"
    words = t(says, lang, days=number(used, lang, 1), limit=number(clock.limit_days, lang, 1))
    levels = [html.Span(number(value, lang, 1) if value else "0", style={"bottom": f"{100 * value / top:.2f}%"}, className=name)
              for value, name in _levels(used, clock.limit_days, top)]
    return html.Div(
        [
            html.Div(
                [html.Div(levels, className="r-levels", **{"aria-hidden": "true"}), picture(layers, marks, words, "r-clock")],
                className="r-chart",
            ),
            dates(span, city.config.tz),
            legend(_keys(clock, lang)),
        ],
        className="r-figure",
    )


def _keys(clock: DossierClock, lang: str) -> list[tuple[str, str]]:
    """What of the legend is drawn."""
    due = clock.due_at
    drawn = {
        "line": ("clock.used", True), "late": ("clock.late", due is not None and clock.verdict_at > due),
        "limit": ("clock.limit", clock.limit_days is not None), "due": ("clock.due", due is not None),
        "stop": ("clock.stop", bool(clock.stops)), "rest": ("clock.rest", bool(clock.rests)), "step": ("clock.step", True),
    }
    return [(name, t(key, lang)) for name, (key, is_drawn) in drawn.items() if is_drawn]


def _levels(used: float, limit: float | None, top: float) -> list[tuple[float, str]]:
    """Values on the left edge: none, the limit, what is used, where they do not lie on one another."""
    found = [(limit, "r-level-limit")] if limit is not None else []
    for days in (used, 0.0):
        if all(abs(days - value) > 0.1 * top for value, _ in found):
            found.append((days, ""))
    return found


def _after(clock: DossierClock, span: Span, y: object) -> list[tuple[float, float]]:
    """The part of the line after the due instant; [] when it was kept."""
    if clock.due_at is None or clock.verdict_at <= clock.due_at or clock.limit_days is None:
        return []
    rest = [(at, days) for at, days in clock.line if at > clock.due_at]
    return [(span.x(at), y(days)) for at, days in [(clock.due_at, clock.limit_days), *rest]]  # type: ignore[operator]


def _step_mark(city: City, lang: str, clock: DossierClock, named: Named, span: Span, one: Stretch, top: float) -> Component:
    days = _days_at(clock, one.start_at)
    words = f"{instant(one.start_at, city.config.tz, lang)} · {named(one, lang)}"
    return mark("step", span.left(one.start_at), f"{100 * days / top:.2f}%", title=words)


def _days_at(clock: DossierClock, at: int) -> float:
    """Working days used at an instant, from the drawn line."""
    place = bisect_right([point for point, _ in clock.line], at) - 1
    if place < 0 or place == len(clock.line) - 1:
        return clock.line[max(0, place)][1]
    (first, low), (last, high) = clock.line[place], clock.line[place + 1]
    return low + (high - low) * (at - first) / (last - first)


def step_of(one: Stretch, lang: str) -> str:
    """The step a stretch of a dossier begins with."""
    return step_name(one.name, one.status, lang)


def step_name(name: str, status: int, lang: str) -> str:
    """A step in the office's words; where there are none, or this reader may not read them, its state."""
    if name:
        return name
    return t("clock.before_first", lang) if status == BEFORE_FIRST else t(f"dossier_status.{status}", lang)


def steps_list(city: City, lang: str, clock: DossierClock, named: Named) -> Component:
    """From step to step: when, what, where, and how long until the next, as words and as a bar."""
    longest = max((one.worked_days + one.waited_days for one in clock.steps), default=0.0)
    rows = [_step(city, lang, named, one, longest, one is clock.steps[-1]) for one in clock.steps]
    return html.Ol(rows, className="d-timeline r-steps")


def _step(city: City, lang: str, named: Named, one: Stretch, longest: float, is_last: bool) -> Component:
    name = html.Span(named(one, lang), className="d-step-name")
    head = [html.Span(instant(one.start_at, city.config.tz, lang), className="d-time"), name]
    if one.department:
        head.append(html.Span(one.department, className="d-quiet"))
    bars = [
        html.Span(className=f"r-bar r-{kind}", style={"width": share_width(days, longest)})
        for kind, days in (("worked", one.worked_days), ("stop", one.waited_days)) if days >= _SHORTEST
    ]
    drawn = html.Span(bars, className="r-bars", **{"aria-hidden": "true"})
    spent = html.Span([drawn, html.Span(_spent(one, lang, is_last))], className="r-spent")
    return html.Li([html.Span(head, className="r-step-head"), spent], **({"data-state": "runs"} if one.end_at is None else {}))


def _spent(one: Stretch, lang: str, is_last: bool) -> str:
    """How long after a step, in words; with the last step of an ended dossier nothing more runs."""
    if one.end_at == one.start_at and is_last:
        return t("clock.end", lang)
    said = []
    if one.worked_days >= _SHORTEST or one.waited_days < _SHORTEST:
        is_short = one.worked_days < _SHORTEST
        shown = f"< {number(2 * _SHORTEST, lang, 1)}" if is_short else number(one.worked_days, lang, 1)
        said.append(t("clock.worked_so_far" if one.end_at is None else "clock.worked", lang, n=shown))
    if one.waited_days >= _SHORTEST:
        said.append(t("clock.waited", lang, n=number(one.waited_days, lang, 1)))
    return " · ".join(said)


def pace_strip(lang: str, pace: Pace, worked_days: float | None, limit_days: float | None, is_ended: bool) -> Component:
    """This dossier among its like: the middle half as a box, the median as a line, this one as a pointer."""
    near, far = (pace.days[min(pace.n - 1, int(share * pace.n))] for share in (0.05, 0.95))
    top = max(far, worked_days or 0.0, limit_days or 0.0, 0.1) * 1.05

    def at(days: float) -> str:
        return f"{100 * days / top:.2f}%"

    marks = [
        html.Span(className="r-pace-reach", style={"left": at(near), "width": at(far - near)}),
        html.Span(className="r-pace-half", style={"left": at(pace.low), "width": at(max(0.0, pace.high - pace.low))}),
        mark("median", at(pace.median)),
        mark("limit", at(limit_days)) if limit_days is not None else None,
        mark("this", at(worked_days)) if worked_days is not None else None,
    ]
    words = pace_words(lang, pace, worked_days, is_ended)
    strip = html.Div([one for one in marks if one is not None], className="r-pace", role="img", **{"aria-label": words})
    rows = [("half", t("pace.half", lang)), ("median", t("pace.median", lang)), ("this", t("pace.this", lang)),
            ("limit", t("clock.limit", lang)) if limit_days is not None else None]
    scale = html.Div(
        [html.Span("0"), html.Span(t("desk.working_days", lang, n=number(top, lang, 1)))], className="r-ends", **{"aria-hidden": "true"}
    )
    about = t("pace.about", lang, n=number(pace.n, lang, 0), first=day(pace.from_on, lang), last=day(pace.to_on, lang))
    return html.Div(
        [strip, scale, legend([row for row in rows if row is not None]), html.P(words), html.P(about, className="d-quiet")],
        className="r-figure",
    )


def pace_words(lang: str, pace: Pace, worked_days: float | None, is_ended: bool) -> str:
    """The same as a sentence."""
    low, median, high = (number(value, lang, 1) for value in (pace.low, pace.median, pace.high))
    told = t("pace.words", lang, low=low, high=high, median=median)
    if worked_days is None:
        return told
    share, shown = number(pace.share_within(worked_days), lang, 0), number(worked_days, lang, 1)
    return f"{told} {t('pace.ended' if is_ended else 'pace.so_far', lang, days=shown or MISSING, share=share)}"
