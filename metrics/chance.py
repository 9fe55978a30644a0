"""What chance alone makes: exact tails of counts, bursts of times, and how far a value lies from a few earlier ones. Pure.

Every tail that counts as unusual is as large as that of 3 sigma on one side (0.135 %), as in metrics/spc.py and metrics/funnel.py.
docs/numbers.md measures all of it on shuffled real data.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from statistics import NormalDist

TAIL = math.erfc(3 / math.sqrt(2)) / 2
LEAST_EARLIER = 6  # fewer earlier values say nothing of what is usual
MOST_EARLIER = 12
Z_MOST = 30.0
_NORMAL = NormalDist()
# Median and scatter of a few values are themselves uncertain: |value - median| / scatter beyond which 0.27 % of normal values lie, by how
# many earlier values there are (simulated, 4 million draws each; tests/test_chance.py draws them again).
FEW = {6: 11.47, 7: 8.70, 8: 7.36, 9: 6.48, 10: 5.94, 11: 5.50, 12: 6.47}
_SPARED = 6  # of so many earlier values the farthest one is left out: a storm weeks ago does not make this one usual


# ---- counts ---------------------------------------------------------------------------------------------------------
def binomial_tail(least: int, n: int, share: float) -> float:
    """Chance of `least` or more of n, each with probability `share`."""
    if least <= 0:
        return 1.0
    if least > n or share <= 0:
        return 0.0
    if share >= 1:
        return 1.0
    first = math.lgamma(n + 1) - math.lgamma(least + 1) - math.lgamma(n - least + 1)
    return _summed(first + least * math.log(share) + (n - least) * math.log1p(-share), least, n,
                   lambda k: (n - k) / (k + 1) * share / (1 - share))


def hypergeometric_tail(least: int, drawn: int, marked: int, total: int) -> float:
    """Chance that `least` or more of `drawn` are among the `marked` of `total`, when which are marked is chance."""
    low, high = max(0, drawn + marked - total), min(drawn, marked)
    if least <= low:
        return 1.0
    if least > high:
        return 0.0
    rest = total - marked
    first = _log_choose(marked, least) + _log_choose(rest, drawn - least) - _log_choose(total, drawn)
    return _summed(first, least, high, lambda k: (marked - k) / (k + 1) * (drawn - k) / (rest - drawn + k + 1))


def poisson_tail(least: int, mean: float) -> float:
    """Chance of `least` or more where `mean` are expected."""
    if least <= 0:
        return 1.0
    if mean <= 0:
        return 0.0
    first = least * math.log(mean) - mean - math.lgamma(least + 1)
    return _summed(first, least, least + 100_000, lambda k: mean / (k + 1))


def _summed(first: float, least: int, most: int, ratio: Callable[[int], float]) -> float:
    """e^first and the terms after it, each so many times the one before, until they no longer matter."""
    term = found = math.exp(first)
    for k in range(least, most):
        term *= ratio(k)
        found += term
        if term < found * 1e-12 and ratio(k) < 1:
            break
    return min(1.0, found)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def most_by_chance(tail: Callable[[int], float], n: int) -> int:
    """The largest count up to n that chance explains: one more has a tail of TAIL or less. `tail` falls with its count."""
    low, high = 0, n + 1  # tail(low) > TAIL >= tail(high), as nothing is beyond n
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if tail(middle) > TAIL else (low, middle)
    return low


def share_interval(part: int, n: int, sigmas: float = 1.96) -> tuple[float, float]:
    """Wilson's interval (95 %) of a share of n cases, 0..1; (0, 1) without any."""
    if n == 0:
        return 0.0, 1.0
    share, spread = part / n, sigmas**2 / n
    middle, half = share + spread / 2, sigmas * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    return max(0.0, (middle - half) / (1 + spread)), min(1.0, (middle + half) / (1 + spread))


def burst_chance(n: int, least: int, window: float) -> float:
    """Chance that `least` or more of n times lie within some stretch of `window` (0..1 of the whole), each anywhere by itself.

    Source: S. Wallenstein, N. Neff, An approximation for the distribution of the scan statistic, Statistics in Medicine 6 (1987) 197:
    (k/w - n - 1) b(k; n, w) + 2 P(X >= k), close where it is small.
    """
    if n < least or least < 2:
        return 0.0 if n < least else 1.0
    if window >= 1:
        return 1.0
    more = binomial_tail(least + 1, n, window)
    one = binomial_tail(least, n, window) - more
    return min(1.0, max(0.0, (least / window - n - 1) * one + 2 * (one + more)))


# ---- a value beside a few earlier ones ----------------------------------------------------------------------------------
def count_standing(value: int, earlier: Sequence[int]) -> float | None:
    """How unusual a count is beside earlier counts of equal spans, as a normal z; None with fewer than LEAST_EARLIER.

    From the exact chance of so many (or so few) in this span, given all of them and one steady rate; divided by how much more than
    a steady rate the earlier ones scatter (by their roots, corrected for few of them).
    """
    if len(earlier) < LEAST_EARLIER:
        return None
    around = sum(_spared(earlier))
    n, share = value + around, 1 / (len(earlier) + 1)
    is_above = value * len(earlier) >= around
    tail = binomial_tail(value, n, share) if is_above else binomial_tail(around, n, 1 - share)
    z = -_NORMAL.inv_cdf(max(tail, 1e-200)) if tail < 0.5 else 0.0
    wide = _scatter([2 * math.sqrt(one + 0.375) for one in earlier]) * few(len(earlier)) / 3
    return _capped((z if is_above else -z) / max(1.0, wide))


def value_standing(value: float, earlier: Sequence[float], least_sigma: float = 0.0) -> float | None:
    """How unusual a measured value is beside earlier ones, as a normal z; None with fewer than LEAST_EARLIER.

    (value - median) / scatter, brought back so that 3 is as rare as 3 sigma (FEW). least_sigma = what of a change is too small to
    matter: the first drizzle after a dry month is no event.
    """
    if len(earlier) < LEAST_EARLIER:
        return None
    away = value - statistics.median(earlier)
    sigma = max(_scatter(earlier) * few(len(earlier)) / 3, least_sigma)
    return 0.0 if away == 0 else _capped(away / sigma if sigma > 0 else math.copysign(math.inf, away))


def few(earlier: int) -> float:
    """The threshold of FEW for so many earlier values."""
    return FEW[min(max(earlier, LEAST_EARLIER), MOST_EARLIER)]


def _spared(counts: Sequence[int]) -> list[int]:
    """The counts with the largest ones cut down to the next."""
    ordered = sorted(counts)
    left = len(ordered) - len(ordered) // _SPARED
    return ordered[:left] + [ordered[left - 1]] * (len(ordered) - left)


def _scatter(values: Sequence[float]) -> float:
    """Root mean square distance from the median, the farthest values left out."""
    middle = statistics.median(values)
    near = sorted((value - middle) ** 2 for value in values)[: len(values) - len(values) // _SPARED]
    return math.sqrt(sum(near) / len(near))


def _capped(z: float) -> float:
    return max(-Z_MOST, min(Z_MOST, z))


def usual(earlier: Sequence[int]) -> float:
    """What count_standing sets a count beside: the mean of the earlier ones, the largest cut down to the next. 0 without any."""
    return sum(_spared(earlier)) / len(earlier) if earlier else 0.0
