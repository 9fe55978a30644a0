"""Wiggly lines that stay where they belong: fractal coasts and noisy shared borders. Plane kilometres in and out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from shapely.geometry import Polygon

Points = npt.NDArray[np.float64]
SHORTEST_KM = 0.35


def rough_line(controls: Points, roughness: float, rng: np.random.Generator) -> Points:
    """Midpoint displacement of a polyline; every control point stays. Shape (n, 2), steps of about SHORTEST_KM or less."""
    line = controls
    while True:
        steps = np.diff(line, axis=0)
        length = np.hypot(steps[:, 0], steps[:, 1])
        if length.max() <= SHORTEST_KM:
            return line
        split = np.flatnonzero(length > SHORTEST_KM)
        across = np.column_stack([-steps[split, 1], steps[split, 0]])
        shift = np.clip(rng.normal(0, roughness, len(split)), -0.32, 0.32)
        middle = (line[split] + line[split + 1]) / 2 + across * shift[:, None]
        line = np.insert(line, split + 1, middle, axis=0)


def blob(centre: tuple[float, float], along_km: float, across_km: float, turn: float, rng: np.random.Generator) -> Polygon:
    """An island: a rough ellipse turned by `turn` radians."""
    angle = np.linspace(0, 2 * np.pi, 11)[:-1] + rng.uniform(-0.16, 0.16, 10)
    radius = rng.uniform(0.62, 1.2, 10)
    x, y = along_km * radius * np.cos(angle), across_km * radius * np.sin(angle)
    ring = np.column_stack([
        centre[0] + x * np.cos(turn) - y * np.sin(turn), centre[1] + x * np.sin(turn) + y * np.cos(turn),
    ])
    return largest_polygon(rough_line(np.vstack([ring, ring[:1]]), 0.13, rng))


def largest_polygon(ring: Points) -> Polygon:
    """The biggest simple polygon inside a ring that may cross itself."""
    repaired = Polygon(ring).buffer(0)
    parts = getattr(repaired, "geoms", [repaired])
    return Polygon(max(parts, key=lambda part: part.area).exterior)


def noisy_edge(start: Points, end: Points, left: Points, right: Points, rng: np.random.Generator) -> Points:
    """A border from start to end that never leaves the quadrilateral with the two cell centres, so no two borders cross.

    Source: recursive quadrilateral subdivision as in A. Patel, "Polygonal map generation" (noisy edges).
    """
    points = [start]
    _subdivide(start, left, end, right, rng, points)
    points.append(end)
    return np.array(points)


def _subdivide(a: Points, b: Points, c: Points, d: Points, rng: np.random.Generator, out: list[Points]) -> None:
    if np.hypot(*(c - a)) < 2 * SHORTEST_KM or np.hypot(*(d - b)) < 0.2:
        return
    p, q = rng.uniform(0.3, 0.7, 2)
    e, f = a + (d - a) * p, b + (c - b) * p
    g, i = a + (b - a) * q, d + (c - d) * q
    middle = e + (f - e) * q
    s, t = rng.uniform(0.15, 0.6, 2)
    _subdivide(a, g + (b - g) * s, middle, e + (d - e) * t, rng, out)
    out.append(middle)
    _subdivide(middle, f + (c - f) * s, c, i + (d - i) * t, rng, out)
