"""The control chart of a KPI as SVG for paper: limits as a band, the mean, the weeks, the judged week. Pure; reads in black and white."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from metrics.city.findings.signals import Signal, SignalPoint
from metrics.city.weekly.parts import Figure
from metrics.city.weekly.written import written
from metrics.kpis import kpi
from text import t
from text.formats import number

WIDTH, HEIGHT = 340.0, 118.0
LEFT, RIGHT, TOP, BOTTOM = 42.0, 8.0, 8.0, 18.0
MOST_WEEKS = 52
INK, QUIET, BAND = "#1a1a1a", "#6b6b6b", "#e4e4e4"
FONT = 'font-family="Noto Sans, DejaVu Sans, sans-serif" font-size="9"'


def chart_svg(signal: Signal, lang: str) -> str:
    """An SVG document of WIDTH x HEIGHT. A week without a value is a gap; one that counts for nothing is hollow."""
    points = signal.points[-MOST_WEEKS:]
    low, high = _bounds(points)
    scale = _Scale(len(points), low, high)
    parts = [*_band(points, scale), *_axis(scale, points, signal, lang), *_line(points, scale), *_dots(points, scale)]
    box = f'viewBox="0 0 {WIDTH:g} {HEIGHT:g}" width="{WIDTH:g}" height="{HEIGHT:g}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{"".join(parts)}</svg>'


def chart_alt(signal: Signal, lang: str) -> str:
    """The chart in words, for those who do not see it."""
    limits = signal.limits
    words = {
        "kpi": t(f"kpi.{signal.key}.label", lang), "first": signal.points[-MOST_WEEKS:][0].week if signal.points else signal.week.text,
        "week": signal.week.text, "value": written(value_of(signal), lang), "verdict": t(f"signals.verdict.{signal.verdict}", lang),
    }
    if limits is None:
        return t("brief.chart_alt_bare", lang, **words)
    told = {name: number(getattr(limits, name), lang, _charted_decimals(signal)) for name in ("mean", "low", "high")}
    return t("brief.chart_alt", lang, **words, **told)


def value_of(signal: Signal) -> Figure:
    """The judged week's value as a figure of the brief."""
    return Figure(signal.value, signal.measure_unit, kpi(signal.key).decimals, signal.n)


def per_day(signal: Signal, lang: str) -> str:
    """What the chart of a count shows of the judged week: so many a working day, or a day; '' where nothing is known."""
    charted = signal.points[-1].charted if signal.points else None
    return t(f"signals.{signal.per_day}", lang, value=number(charted, lang, _charted_decimals(signal)))


def _charted_decimals(signal: Signal) -> int:
    """Limits and counts per day fall between whole numbers."""
    return max(1, kpi(signal.key).decimals)


class _Scale:
    """Weeks and values as places on the drawing."""

    def __init__(self, count: int, low: float, high: float) -> None:
        self.low, self.high = low, high
        self._step = (WIDTH - LEFT - RIGHT) / max(1, count)
        self._size = (HEIGHT - TOP - BOTTOM) / (high - low)

    def x(self, at: float) -> float:
        """Middle of the at-th week."""
        return LEFT + (at + 0.5) * self._step

    def y(self, value: float) -> float:
        """Height of a value."""
        return TOP + min(max(self.high - value, 0.0), self.high - self.low) * self._size


def _bounds(points: Sequence[SignalPoint]) -> tuple[float, float]:
    """Least and most drawn; limits far beyond all values do not flatten them."""
    known = [point.charted for point in points if point.charted is not None]
    edges = [edge for point in points if point.limits for edge in (point.limits.low, point.limits.mean, point.limits.high)]
    if not known:
        return (min(edges), max(edges) + 1) if edges else (0.0, 1.0)
    span = max(known) - min(known) or abs(known[0]) or 1.0
    near = [edge for edge in edges if min(known) - 2 * span <= edge <= max(known) + 2 * span]
    low, high = min(*known, *near, known[0]), max(*known, *near, known[0])
    return (low, high) if high - low > 1e-6 * abs(high) else (low - 0.5, high + 0.5)


def _band(points: Sequence[SignalPoint], scale: _Scale) -> Iterator[str]:
    """Limits week by week, and the mean as a broken line."""
    for at, point in enumerate(points):
        if point.limits is None:
            continue
        top, bottom = scale.y(point.limits.high), scale.y(point.limits.low)
        left, wide = scale.x(at - 0.5), scale.x(1) - scale.x(0)
        yield f'<rect x="{left:.1f}" y="{top:.1f}" width="{wide + 0.2:.1f}" height="{bottom - top:.1f}" fill="{BAND}"/>'
    for at, point in enumerate(points):
        if point.limits is not None:
            y = scale.y(point.limits.mean)
            ends = f'x1="{scale.x(at - 0.5):.1f}" y1="{y:.1f}" x2="{scale.x(at + 0.15):.1f}" y2="{y:.1f}"'
            yield f'<line {ends} stroke="{QUIET}" stroke-width="0.8"/>'


def _axis(scale: _Scale, points: Sequence[SignalPoint], signal: Signal, lang: str) -> Iterator[str]:
    yield f'<line x1="{LEFT}" y1="{HEIGHT - BOTTOM}" x2="{WIDTH - RIGHT}" y2="{HEIGHT - BOTTOM}" stroke="{QUIET}" stroke-width="0.6"/>'
    last = points[-1].limits if points else None
    marks = (last.low, last.mean, last.high) if last else (scale.low, scale.high)
    at_y = float("inf")
    for value in sorted(marks):
        y = scale.y(value)
        if at_y - y >= 9:  # labels do not touch
            label = number(value, lang, _charted_decimals(signal))
            yield f'<text x="{LEFT - 4}" y="{y + 3:.1f}" text-anchor="end" fill="{QUIET}" {FONT}>{label}</text>'
            at_y = y
    for at, anchor in ((0, "start"), (len(points) - 1, "end")) if len(points) > 1 else ():
        x = scale.x(at - 0.5 if anchor == "start" else at + 0.5)
        yield f'<text x="{x:.1f}" y="{HEIGHT - 5}" text-anchor="{anchor}" fill="{QUIET}" {FONT}>{points[at].week}</text>'


def _line(points: Sequence[SignalPoint], scale: _Scale) -> Iterator[str]:
    """Only neighbouring weeks are joined: a gap stays a gap."""
    for at, (one, other) in enumerate(pairwise(points)):
        if one.charted is not None and other.charted is not None:
            ends = f'x1="{scale.x(at):.1f}" y1="{scale.y(one.charted):.1f}" x2="{scale.x(at + 1):.1f}" y2="{scale.y(other.charted):.1f}"'
            yield f'<line {ends} stroke="{INK}" stroke-width="1.2" stroke-linecap="round"/>'


def _dots(points: Sequence[SignalPoint], scale: _Scale) -> Iterator[str]:
    for at, point in enumerate(points):
        if point.charted is None:
            continue
        is_last = at == len(points) - 1
        fill = "#ffffff" if point.is_left_out or point.is_holiday else INK
        size = 4.2 if is_last else 2.4 if point.rule else 1.7
        yield (
            f'<circle cx="{scale.x(at):.1f}" cy="{scale.y(point.charted):.1f}" r="{size}" fill="{fill}" stroke="{INK}" stroke-width="0.9"/>'
        )
