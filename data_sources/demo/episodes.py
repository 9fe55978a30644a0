"""What happens in the demo: storms, a bad-air spell, failing sensors, outages; all placed relative to the story's first `now`.

Hours are whole-number-friendly floats since 1970-01-01 UTC; `birth` is the hour of the story's first `now`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
LIVE_STORM_H = 1.0           # the living day's storm starts an hour after birth
NEXT_STORMS_DAYS = 9.0       # and then one every nine days


@dataclass(frozen=True)
class Storm:
    """Starts at `start` (hours from birth), lasts `length` hours; strength 1 = 100 mm in a day and flooded streets."""

    start: float
    length: float
    strength: float


STORMS = (
    Storm(-61 * 24.0, 26.0, 0.45), Storm(-33 * 24.0, 20.0, 0.3), Storm(-62.0, 34.0, 1.0), Storm(LIVE_STORM_H, 14.0, 0.9),
    *(Storm(LIVE_STORM_H + n * NEXT_STORMS_DAYS * 24.0, 20.0, 0.5 + 0.1 * (n % 5)) for n in range(1, 41)),
)
BAD_AIR = (-15 * 24.0, -11.5 * 24.0)
WEATHER_GAP = (-21 * 24.0, -20 * 24.0 + 6)      # the weather network was silent for 30 hours
STUCK = (-30.0, -9.0)                           # one PM2.5 sensor repeats a value, then says nothing more
SENTINEL_FROM = -5 * 24.0                       # from then on one pH sensor sends -999 every third hour or so
OUTAGES = ((0.75, 1.25), (7.0, 7.4))            # the citizens' feedback server answers 503; then 40 minutes every other day


def storm_level(hours: Array, birth: float) -> Array:
    """Strength of wind and rain at each hour, 0 = none."""
    level = np.zeros(np.shape(hours))
    for storm in _near(hours, birth):
        part = (hours - birth - storm.start) / storm.length
        level = level + np.where((part > 0) & (part < 1), storm.strength * np.sin(np.pi * np.clip(part, 0, 1)) ** 2, 0.0)
    return level


def flood_level(hours: Array, birth: float, lag_h: float) -> Array:
    """How high rivers stand after the rain: rises for about `lag_h` hours, falls slowly; 1 = crest of a strength-1 storm."""
    level = np.zeros(np.shape(hours))
    for storm in _near(hours, birth):
        since = np.maximum(hours - birth - storm.start - storm.length * 0.3, 0.0) / (lag_h + storm.length * 0.3)
        level = level + storm.strength * since * np.exp(1 - since)
    return level


def _near(hours: Array, birth: float) -> tuple[Storm, ...]:
    """Storms that can matter in these hours."""
    if np.size(hours) == 0:
        return ()
    first, last = float(np.min(hours)) - birth - 20 * 24, float(np.max(hours)) - birth
    return tuple(s for s in STORMS if first < s.start + s.length and s.start < last)


def within(hours: Array, birth: float, span: tuple[float, float]) -> Array:
    """True where an hour lies in the span (hours from birth)."""
    return (hours >= birth + span[0]) & (hours < birth + span[1])


def is_out(hour: float, birth: float) -> bool:
    """Whether the citizens' feedback server is away at this hour (never before birth)."""
    since = hour - birth
    if any(start <= since < end for start, end in OUTAGES):
        return True
    return since > 24 and 7.0 <= since % 48.0 < 7.0 + 2 / 3
