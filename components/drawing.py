"""Pictures of the record pages: layers of SVG masks that take their colour from the theme, with marks and words in HTML over them.

Pure; no chart library. Places are percent of the picture, so that it stretches with its box and its words stay as large as the page's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

from dash import html
from dash.development.base_component import Component

WIDTH, HEIGHT = 1000.0, 300.0
TICKS, LONG_DAYS = 7, 300
_EDGE = 0.03  # nearer to an end of its axis a date would be cut
_STEPS = (1, 2, 5, 7, 14, 30, 60, 90, 180, 365)  # days between two dates of an axis
_DAY = timedelta(days=1)


class Span:
    """From one instant to another, laid out over a picture's width."""

    def __init__(self, start_at: int, end_at: int) -> None:
        self.start_at, self.end_at = start_at, max(end_at, start_at + 1)

    def share(self, at: int) -> float:
        """0..1 from left to right."""
        return min(1.0, max(0.0, (at - self.start_at) / (self.end_at - self.start_at)))

    def x(self, at: int) -> float:
        """Where an instant is drawn in a layer."""
        return WIDTH * self.share(at)

    def left(self, at: int) -> str:
        """The same as CSS percent."""
        return f"{100 * self.share(at):.2f}%"


def picture(layers: Mapping[str, str], over: Sequence[Component | None], words: str, class_name: str) -> Component:
    """Layers (name -> SVG body) from the back, marks over them; `words` for those who do not see it."""
    drawn = [
        html.Span(className=f"r-layer r-{name}", style={"--layer": layer(body)}, **{"aria-hidden": "true"})
        for name, body in layers.items() if body
    ]
    marks = [mark for mark in over if mark is not None]
    return html.Div([*drawn, *marks], className=f"r-picture {class_name}".strip(), role="img", **{"aria-label": words})


def layer(body: str) -> str:
    """An SVG body of WIDTH x HEIGHT as a CSS url() that stretches with its box."""
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" preserveAspectRatio="none">{body}</svg>'
    )
    return f"url(\"data:image/svg+xml,{quote(svg, safe=' =/:.,-')}\")"


def rectangles(span: Span, stretches: Sequence[tuple[int, int]], top: float = 0.0, height: float = HEIGHT) -> str:
    """Stretches of time as rectangles of a picture's height."""
    return "".join(
        f'<rect x="{span.x(first):.2f}" y="{top:.1f}" width="{max(0.8, span.x(last) - span.x(first)):.2f}" height="{height:.1f}"/>'
        for first, last in stretches
    )


def path(points: Sequence[tuple[float, float]], width: float = 2.0, dashes: str = "") -> str:
    """Points (x, y of a layer) joined by a line whose width does not stretch; '' with fewer than two."""
    if len(points) < 2:
        return ""
    steps = "L".join(f"{x:.2f} {y:.2f}" for x, y in points)
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    style = f'fill="none" stroke="#000" stroke-width="{width}" stroke-linejoin="round" vector-effect="non-scaling-stroke"'
    return f'<path d="M{steps}" {style}{dashed}/>'


def level(y: float, width: float = 1.5, dashes: str = "6 5") -> str:
    """A line across the whole picture."""
    return path([(0.0, y), (WIDTH, y)], width, dashes)


def mark(kind: str, left: str, bottom: str = "", children: object = None, title: str = "") -> Component:
    """A mark over a picture; how a kind looks is in assets/records.css."""
    style = {"left": left, **({"bottom": bottom} if bottom else {})}
    return html.Span(children, className=f"r-mark r-mark-{kind}", style=style, **({"title": title} if title else {}))


def dates(span: Span, tz: ZoneInfo, most: int = TICKS) -> Component:
    """The axis under a picture: dates at local midnights, at most so many."""
    first, last = (datetime.fromtimestamp(at / 1e6, tz) for at in (span.start_at, span.end_at))
    days = (last - first) / _DAY
    step = next((step for step in _STEPS if days / step <= most), _STEPS[-1])
    on, ticks = first.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY, []
    while on <= last:
        words = f"{on:%m/%Y}" if days > LONG_DAYS else f"{on:%d/%m}"
        at = round(on.timestamp() * 1e6)
        if _EDGE <= span.share(at) <= 1 - _EDGE:
            ticks.append(html.Span(words, style={"left": span.left(at)}))
        on += step * _DAY
    return html.Div(ticks, className="r-axis", **{"aria-hidden": "true"})


def legend(rows: Sequence[tuple[str, str]]) -> Component:
    """What is drawn how: (class, words)."""
    return html.Ul(
        [html.Li([html.Span(className=f"r-key r-{name}", **{"aria-hidden": "true"}), words]) for name, words in rows], className="r-legend"
    )
