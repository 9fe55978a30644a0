"""Small pictures without a chart library: sparklines as data URIs that the theme's colour shines through.

The wall loads no plotly for them (500 KB less, nothing to leak over weeks): an SVG is used as a CSS mask, about 400 bytes each.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

WIDTH, HEIGHT, PAD = 200.0, 60.0, 7.0


def sparkline(values: Sequence[float | None], target: float | None = None) -> str:
    """A CSS url() of an SVG mask: the values in order, gaps (None) as gaps, the last value as a dot, the target dashed.

    "none" with fewer than two values. The scale spans at least a quarter of the highest value: a ripple never looks like a wave.
    """
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return "none"
    low, high = _range(known, target)
    step = (WIDTH - 2 * PAD) / max(1, len(values) - 1)
    points = [None if v is None else (PAD + i * step, _y(v, low, high)) for i, v in enumerate(values)]
    body = "".join(_runs(points))
    if target is not None and low <= target <= high:
        y = _y(target, low, high)
        body += f'<path d="M0 {y:.1f}H{WIDTH:.0f}" stroke="#000" stroke-opacity=".6" stroke-width="2" stroke-dasharray="6 6"/>'
    if points[-1] is not None:
        body += f'<circle cx="{points[-1][0]:.1f}" cy="{points[-1][1]:.1f}" r="6"/>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}">{body}</svg>'
    return f"url(\"data:image/svg+xml,{quote(svg, safe=' =/:.,-')}\")"


def _range(known: Sequence[float], target: float | None) -> tuple[float, float]:
    """Lowest and highest value drawn; a target far away does not flatten the line."""
    low, high = min(known), max(known)
    if target is not None and (low - (high - low) * 2) <= target <= (high + (high - low) * 2):
        low, high = min(low, target), max(high, target)
    least = 0.25 * max(abs(high), abs(low)) or 1.0
    if high - low < least:
        middle = (high + low) / 2
        low, high = middle - least / 2, middle + least / 2
    return low, high


def _y(value: float, low: float, high: float) -> float:
    return HEIGHT - PAD - (value - low) / (high - low) * (HEIGHT - 2 * PAD)


def _runs(points: Sequence[tuple[float, float] | None]) -> list[str]:
    """One path per unbroken run of points; a lone point becomes a short dash."""
    runs: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(point)
    style = 'fill="none" stroke="#000" stroke-width="4" stroke-linejoin="round" stroke-linecap="round"'
    drawn = []
    for run in runs:
        if run:
            steps = "L".join(f"{x:.1f} {y:.1f}" for x, y in run)
            drawn.append(f'<path d="M{steps}{"h.1" if len(run) == 1 else ""}" {style}/>')
    return drawn


def share_width(part: float | None, whole: float) -> str:
    """A bar's length as CSS percent, at least a visible sliver for what is not zero."""
    if not part or whole <= 0:
        return "0%"
    return f"{max(1.5, min(100.0, 100.0 * part / whole)):.1f}%"
