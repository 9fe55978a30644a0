"""Repeatable noise as a function of time: any hour of any stream can be asked for, past or future, in any order."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def hashed(key: Array | int, step: Array) -> Array:
    """Uniform numbers in [0, 1) for (key, step); broadcasts. Source: splitmix64 finaliser (Steele, Lea, Flood 2014)."""
    with np.errstate(over="ignore"):
        mixed = np.asarray(step).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + _spread(key)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)).astype(np.float64) / float(1 << 53)


def _spread(key: Array | int) -> Array:
    with np.errstate(over="ignore"):
        return (np.asarray(key).astype(np.uint64) + np.uint64(1)) * np.uint64(0xD1342543DE82EF95)


def smooth(key: Array | int, at: Array, period: float) -> Array:
    """Smooth noise in about [-1, 1] that changes over `period` (same unit as `at`); broadcasts."""
    scaled = np.asarray(at, np.float64) / period
    floor = np.floor(scaled)
    part = scaled - floor
    ease = part * part * (3 - 2 * part)
    lower, upper = hashed(key, floor.astype(np.int64)), hashed(key, floor.astype(np.int64) + 1)
    return (lower + (upper - lower) * ease) * 2 - 1
