"""Colour classes of a map of areas: where they begin, which step an area has, in whose colours. Pure numbers; words are given in.

A scale is grey to red only where a figure can be bad: low where more is better, high where fewer is. Other figures are grey to blue.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from components.polygons import STEPS
from metrics.kpis import Kpi

NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
HEAT, TIDE = "heat", "tide"
COUNTS = ("count", "stock")


@dataclass(frozen=True)
class Scale:
    """Classes of values: class i holds edges[i] <= value < edges[i + 1], the last one its upper edge too. colours: heat | tide.

    A count's first class is exactly 0. steps[i] = the colour step of class i.
    """

    edges: tuple[float, ...]
    steps: tuple[int, ...]
    colours: str
    is_count: bool

    def step(self, value: float) -> int:
        """Colour step of a value."""
        if self.is_count and value <= 0:
            return self.steps[0]
        found = sum(value >= edge for edge in self.edges[1:-1])
        return self.steps[min(max(found, 1 if self.is_count else 0), len(self.steps) - 1)]


def scale_of(row: Kpi, values: Mapping[str, float], top: float = 0.0) -> Scale | None:
    """The scale of these values; None without any. `top`: a count's scale reaches at least there (a replay keeps its colours)."""
    if not values:
        return None
    is_count = row.measure in COUNTS
    can_be_bad = row.better == "down" or (row.better == "up" and not is_count)
    steps = tuple(range(STEPS))
    if can_be_bad and row.better == "up":
        steps = steps[::-1]
    low, high = (0.0, max(top, *values.values())) if is_count else (min(values.values()), max(values.values()))
    edges = _count_edges(high) if is_count else _edges(low, high, 100.0 if row.measure == "share" else math.inf)
    return Scale(edges, steps[: len(edges) - 1] if is_count else steps, HEAT if can_be_bad else TIDE, is_count)


def _count_edges(high: float) -> tuple[float, ...]:
    """0, then four classes of whole numbers from 1."""
    width = max(1.0, _nice(high / (STEPS - 1)))
    return (0.0, *(1 + width * n for n in range(STEPS)))


def _edges(low: float, high: float, most: float) -> tuple[float, ...]:
    """Five equal classes, none of which begins beyond `most`."""
    if high <= low:
        return tuple(low + n for n in range(STEPS + 1))
    width = _nice((high - low) / STEPS)
    first = math.floor(low / width) * width
    if first + width * STEPS < high:
        width = _nice(width * 1.01)
        first = math.floor(low / width) * width
    first = min(first, most - width * STEPS)
    return tuple(round(first + width * n, 9) for n in range(STEPS + 1))


def _nice(width: float) -> float:
    """The least of 1, 2, 2.5, 5 times a power of ten that is no less."""
    if width <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(width))
    return next(step * power for step in NICE if step * power >= width * (1 - 1e-9))
