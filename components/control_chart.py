"""A control chart as layers of SVG masks: each layer takes its colour from the theme, and no chart library is loaded.

Pure: points -> component. Layers from the back: baseline span, band between the limits, mean, line with its points, signals.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import quote

from dash import html
from dash.development.base_component import Component

from metrics.city.findings.signals import SignalPoint

WIDTH, HEIGHT, PAD = 640.0, 150.0, 10.0
Place = Callable[[float], float]


def control_chart(points: Sequence[SignalPoint], words: str) -> Component | None:
    """The chart with `words` for those who do not see it; None with fewer than two known weeks."""
    known = [point.charted for point in points if point.charted is not None]
    if len(known) < 2:
        return None
    x, y = _scales(points, known)
    layers = {
        "baseline": _baseline(points, x), "band": _band(points, x, y), "mean": _mean(points, x, y), "line": _line(points, x, y),
        "signal": _signals(points, x, y),
    }
    drawn = [
        html.Span(className=f"d-c-layer d-c-{name}", style={"--layer": _url(body)}, **{"aria-hidden": "true"})
        for name, body in layers.items() if body
    ]
    return html.Div(drawn, className="d-control", role="img", title=words, **{"aria-label": words})


def _scales(points: Sequence[SignalPoint], known: Sequence[float]) -> tuple[Place, Place]:
    """Where the n-th week and a value are drawn; limits far beyond all values do not flatten them."""
    limits = [bound for point in points if point.limits for bound in (point.limits.low, point.limits.high)]
    span = max(known) - min(known) or abs(known[0]) or 1.0
    near = [bound for bound in limits if min(known) - 2 * span <= bound <= max(known) + 2 * span]
    low, high = min(*known, *near), max(*known, *near)
    high = high if high > low else low + 1
    step = (WIDTH - 2 * PAD) / max(1, len(points) - 1)
    bottom, top = HEIGHT - 2 * PAD, PAD
    return lambda at: PAD + at * step, lambda value: max(0.0, min(HEIGHT, bottom - (value - low) / (high - low) * (bottom - top)))


def _baseline(points: Sequence[SignalPoint], x: Place) -> str:
    """A strip under the weeks that made the limits."""
    inside = [at for at, point in enumerate(points) if point.in_baseline]
    if not inside:
        return ""
    left, right = x(inside[0]) - 3, x(inside[-1]) + 3
    return f'<rect x="{left:.1f}" y="{HEIGHT - 7:.0f}" width="{right - left:.1f}" height="5" rx="2"/>'


def _band(points: Sequence[SignalPoint], x: Place, y: Place) -> str:
    drawn = [(x(at), y(point.limits.high), y(point.limits.low)) for at, point in enumerate(points) if point.limits]
    if not drawn:
        return ""
    upper = " ".join(f"{at:.1f},{high:.1f}" for at, high, _ in drawn)
    lower = " ".join(f"{at:.1f},{low:.1f}" for at, _, low in reversed(drawn))
    return f'<polygon points="{upper} {lower}"/>'


def _mean(points: Sequence[SignalPoint], x: Place, y: Place) -> str:
    drawn = [(x(at), y(point.limits.mean)) for at, point in enumerate(points) if point.limits]
    if len(drawn) < 2:
        return ""
    steps = "L".join(f"{at:.1f} {level:.1f}" for at, level in drawn)
    return f'<path d="M{steps}" fill="none" stroke="#000" stroke-width="1.5" stroke-dasharray="6 5"/>'


def _line(points: Sequence[SignalPoint], x: Place, y: Place) -> str:
    """The weeks in order, gaps as gaps; a week left out is a ring beside the line."""
    parts, run = [], list[str]()
    for at, point in enumerate(points):
        if point.charted is None:
            parts, run = [*parts, _run(run)], []
            continue
        here = f"{x(at):.1f} {y(point.charted):.1f}"
        if point.is_left_out:
            parts.append(f'<circle cx="{x(at):.1f}" cy="{y(point.charted):.1f}" r="3.5" fill="none" stroke="#000" stroke-width="1.5"/>')
            continue
        run.append(here)
        parts.append(f'<circle cx="{x(at):.1f}" cy="{y(point.charted):.1f}" r="2.6"/>')
    return "".join([*parts, _run(run)])


def _run(steps: Sequence[str]) -> str:
    return f'<path d="M{"L".join(steps)}" fill="none" stroke="#000" stroke-width="2" stroke-linejoin="round"/>' if len(steps) > 1 else ""


def _signals(points: Sequence[SignalPoint], x: Place, y: Place) -> str:
    """Where a rule fired: a triangle that points away from the mean."""
    found = []
    for at, point in enumerate(points):
        if point.rule and point.charted is not None:
            left, level, tip = x(at), y(point.charted), -9 * point.side
            foot = 5 * point.side
            found.append(
                f'<polygon points="{left - 7:.1f},{level + foot:.1f} {left + 7:.1f},{level + foot:.1f} {left:.1f},{level + tip:.1f}"/>'
            )
    return "".join(found)


def _url(body: str) -> str:
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}">{body}</svg>'
    return f"url(\"data:image/svg+xml,{quote(svg, safe=' =/:.,-')}\")"
