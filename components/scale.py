"""Type sizes of the wall from the room: how large a letter must be to be read by the farthest viewer.

Sizes are shares of the screen's height (CSS vh), so 1080p and 4K show the same picture. Cap height is taken as 0.7 em.
Sources: NUREG-0700 rev. 3 (16 arc minutes at least), ISO 9241-303 (20-22 preferred).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from config import WallConfig

CAP_HEIGHT_EM = 0.7
MINIMUM_ARCMIN, BODY_ARCMIN, FIGURE_ARCMIN, HERO_ARCMIN = 16.0, 22.0, 38.0, 60.0
INCH_M = 0.0254
ASPECT = (16, 9)


@dataclass(frozen=True)
class Scale:
    """Font sizes in vh: smallest text, body text, tile figure, hero figure."""

    least: float
    body: float
    figure: float
    hero: float


def screen_height_m(diagonal_in: float) -> float:
    """Height of a 16:9 screen in metres."""
    return diagonal_in * INCH_M * ASPECT[1] / math.hypot(*ASPECT)


def font_vh(arcmin: float, distance_m: float, diagonal_in: float) -> float:
    """Font size in percent of the screen's height at which capitals span `arcmin` minutes of arc at the distance."""
    letter_m = 2 * distance_m * math.tan(math.radians(arcmin / 60) / 2)
    return 100 * letter_m / CAP_HEIGHT_EM / screen_height_m(diagonal_in)


def wall_scale(wall: WallConfig) -> Scale:
    """The four sizes of a room."""
    steps = (MINIMUM_ARCMIN, BODY_ARCMIN, FIGURE_ARCMIN, HERO_ARCMIN)
    return Scale(*(round(font_vh(arcmin, wall.distance_m, wall.diagonal_in), 3) for arcmin in steps))


def css_variables(scale: Scale) -> dict[str, str]:
    """The sizes as CSS variables of the wall's root element. var(--vh) is 1 % of the height of a 16:9 picture in the window."""
    return {f"--{name}": f"calc({getattr(scale, name)} * var(--u))" for name in ("least", "body", "figure", "hero")}
