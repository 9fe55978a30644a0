"""Funnel limits: what chance alone makes of a share in so many cases, when the share of all is known. Pure.

Exact binomial tails, each of the size a 3 sigma limit has (0.135 %), not a normal approximation: most units have few cases, and their
share lies near 100 %. Spiegelhalter, "Funnel plots for comparing institutional performance", Statistics in Medicine 24, 2005.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

TAIL = math.erfc(3 / math.sqrt(2)) / 2  # beyond 3 sigma, on one side
LEAST_N = 10  # a unit with fewer cases is neither ranked nor judged
ABOVE, ALIKE, BELOW, FEW = "above", "alike", "below", "few"


def limits(n: int, share: float) -> tuple[int, int]:
    """The least and the most of n cases that chance explains where every case counts with probability `share` (0..1)."""
    if not 0 < share < 1:
        return (0, 0) if share <= 0 else (n, n)
    logs = _log_factorials(1 << n.bit_length())
    k = np.arange(n + 1)
    chances = np.exp(logs[n] - logs[: n + 1] - logs[: n + 1][::-1] + k * math.log(share) + (n - k) * math.log1p(-share))
    low = int(np.argmax(np.cumsum(chances) >= TAIL))
    high = n - int(np.argmax(np.cumsum(chances[::-1]) >= TAIL))
    return low, high


def standing(part: int, n: int, share: float) -> str:
    """Is `part` of n above or below what chance explains, or like all others? few = too few cases to say."""
    if n < LEAST_N:
        return FEW
    low, high = limits(n, share)
    return BELOW if part < low else ABOVE if part > high else ALIKE


@lru_cache(maxsize=32)
def _log_factorials(most: int) -> np.ndarray:
    """ln 0!, ln 1!, ... ln most!"""
    return np.concatenate(([0.0], np.cumsum(np.log(np.arange(1, most + 1)))))
