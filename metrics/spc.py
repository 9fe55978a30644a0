"""Signal or noise: control charts by kind of measure, the rules that tell a signal, the verdict they give. Pure, no dates, no SQL.

A chart is drawn from points in order; the first ones (or a chosen span) are its baseline, which alone makes mean and limits. Sources:
W. Shewhart; D. Wheeler, Understanding Variation (XmR, 2.66); D. Laney, Quality Engineering 14 (2002) 531 (p', u'); rules 1 and 2 as in
NHS England, Making data count. docs/numbers.md measures them on real series.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

KINDS = ("xmr", "xmr_log", "p", "u")
LEAST_BASELINE = 10  # fewer points make limits of nothing
D2 = 1.128  # mean moving range of two normal values in sigmas
LANEY_N = 100  # over-dispersion is only told from chance where every point rests on at least as many cases on average
LEAST_SIGMA = 0.5  # cases: one case alone is never a signal, whatever the baseline was
IMPROVED, DETERIORATED, NO_CHANGE, TOO_LITTLE = "improved", "deteriorated", "no_real_change", "too_little_data"
UP, DOWN = "changed_up", "changed_down"
VERDICTS = (DETERIORATED, IMPROVED, UP, DOWN, NO_CHANGE, TOO_LITTLE)


@dataclass(frozen=True)
class Measured:
    """One point. xmr, xmr_log: value alone. p: value = share in percent of n. u: value = n per unit of `exposure`.

    is_left_out: neither makes limits nor fires a rule (a week with holidays); it is shown all the same.
    """

    value: float | None
    n: int = 0
    exposure: float = 1.0
    is_left_out: bool = False


@dataclass(frozen=True)
class Limits:
    """Mean and control limits at one point; sigma = a third of the way. Shares stay within 0 and 100, what is never negative at or above 0.

    is_log: sigma is of the logarithm, the mean is geometric, the limits are as many times above it as below.
    """

    mean: float
    low: float
    high: float
    sigma: float
    is_log: bool = False


@dataclass(frozen=True)
class Rule:
    """A pattern that chance rarely makes. theory = false alarms a point on a steady series: normal, independent, limits known."""

    key: str
    theory: float
    fires: Callable[[Sequence[float]], int]


@dataclass(frozen=True)
class Chart:
    """The chart of a series. limits and fired go point by point; fired = (rule, side) or None; side +1 above the mean, -1 below."""

    kind: str
    baseline: tuple[int, int]
    limits: tuple[Limits | None, ...]
    fired: tuple[tuple[str, int] | None, ...]
    dispersion: float  # Laney's sigma-z that widened the limits; 1 = not widened
    used: int  # baseline points that made the limits


# ---- rules: each looks at the standing of the points so far, in sigmas from the mean, newest last ------------------------------------
RUN = 8


def _beyond_limits(z: Sequence[float]) -> int:
    return _side(z[-1]) if abs(z[-1]) > 3 else 0


def _run(z: Sequence[float]) -> int:
    sides = {_side(value) for value in z[-RUN:]}
    return sides.pop() if len(z) >= RUN and len(sides) == 1 else 0


def _two_of_three(z: Sequence[float]) -> int:
    side = _side(z[-1])
    far = [value for value in z[-3:] if value * side > 2]
    return side if abs(z[-1]) > 2 and len(far) >= 2 else 0


def _side(value: float) -> int:
    return (value > 0) - (value < 0)


def _tail(z: float) -> float:
    """Share of a normal distribution beyond z on one side."""
    return math.erfc(z / math.sqrt(2)) / 2


RULES = (
    Rule("beyond_limits", 2 * _tail(3), _beyond_limits),
    Rule("run_of_8", 2 * 0.5**RUN, _run),
    # this point beyond 2 sigma and at least one of the two before it, on the same side
    Rule("two_of_three", 2 * _tail(2) * (1 - (1 - _tail(2)) ** 2), _two_of_three),
)


def chart(kind: str, points: Sequence[Measured], baseline: tuple[int, int]) -> Chart | None:
    """The chart of the points with limits from points[first:last]; None with fewer than LEAST_BASELINE usable points there.

    xmr_log falls back to xmr where the baseline holds a 0.

    Raises ValueError for another kind.
    """
    if kind not in KINDS:
        raise ValueError(f"chart {kind!r} is none of {', '.join(KINDS)}")
    used = [point for point in points[slice(*baseline)] if _counts(point)]
    if len(used) < LEAST_BASELINE:
        return None
    if kind == "xmr_log" and any((point.value or 0.0) <= 0 for point in used):
        kind = "xmr"
    mean, sigma_of, dispersion = _MAKERS[kind](used)
    floor = 0.0 if all((point.value or 0.0) >= 0 for point in used) else -math.inf  # what was never below 0 has no limit there
    limits = tuple(_limits(kind, mean, sigma_of(point), floor) if point.value is not None else None for point in points)
    return Chart(kind, baseline, limits, tuple(_fired(points, limits)), dispersion, len(used))


def _counts(point: Measured) -> bool:
    return point.value is not None and not point.is_left_out


Sigma = Callable[[Measured], float]


def _xmr(used: Sequence[Measured]) -> tuple[float, Sigma, float]:
    """Mean, and the mean moving range over 1.128 as sigma (limits = mean +- 2.66 ranges)."""
    values = [point.value or 0.0 for point in used]
    sigma = _moving_range(values) / D2
    return sum(values) / len(values), lambda point: sigma, 1.0


def _xmr_log(used: Sequence[Measured]) -> tuple[float, Sigma, float]:
    """The same over logarithms: for concentrations and durations, which stretch far upwards only."""
    logs = [math.log(point.value or 1.0) for point in used]
    sigma = _moving_range(logs) / D2
    return math.exp(sum(logs) / len(logs)), lambda point: sigma, 1.0


def _p(used: Sequence[Measured]) -> tuple[float, Sigma, float]:
    """Binomial: sigma = sqrt(p(1 - p) / n) of each point's n; Laney's p' where points scatter more than that."""
    cases = sum(point.n for point in used)
    share = min(1.0, sum((point.value or 0.0) * point.n / 100 for point in used) / cases) if cases else 0.0

    def plain(point: Measured) -> float:
        return 100 * max(math.sqrt(share * (1 - share) * point.n), LEAST_SIGMA) / point.n if point.n else 0.0

    return _laney(used, 100 * share, plain)


def _u(used: Sequence[Measured]) -> tuple[float, Sigma, float]:
    """Poisson: sigma = sqrt(u / exposure) of each point's exposure; Laney's u' where points scatter more than that."""
    exposure = sum(point.exposure for point in used)
    rate = sum((point.value or 0.0) * point.exposure for point in used) / exposure if exposure else 0.0

    def plain(point: Measured) -> float:
        return max(math.sqrt(rate * point.exposure), LEAST_SIGMA) / point.exposure if point.exposure > 0 else 0.0

    return _laney(used, rate, plain)


def _laney(used: Sequence[Measured], mean: float, plain: Sigma) -> tuple[float, Sigma, float]:
    """Limits widened by sigma-z, the scatter of the points in their own sigmas; never narrowed, and only where n is large."""
    if sum(point.n for point in used) < LANEY_N * len(used):
        return mean, plain, 1.0
    z = [((point.value or 0.0) - mean) / sigma for point in used if (sigma := plain(point)) > 0]
    wide = max(1.0, _moving_range(z) / D2) if len(z) > 1 else 1.0
    return mean, lambda point: plain(point) * wide, wide


_MAKERS: dict[str, Callable[[Sequence[Measured]], tuple[float, Sigma, float]]] = {
    "xmr": _xmr, "xmr_log": _xmr_log, "p": _p, "u": _u,
}


def _moving_range(values: Sequence[float]) -> float:
    """Mean difference of neighbours."""
    steps = [abs(after - before) for before, after in pairwise(values)]
    return sum(steps) / len(steps) if steps else 0.0


def _limits(kind: str, mean: float, sigma: float, floor: float) -> Limits:
    if kind == "xmr_log":
        return Limits(mean, mean * math.exp(-3 * sigma), mean * math.exp(3 * sigma), sigma, is_log=True)
    high = mean + 3 * sigma
    return Limits(mean, max(floor, mean - 3 * sigma), min(100.0, high) if kind == "p" else high, sigma)


def _fired(points: Sequence[Measured], limits: Sequence[Limits | None]) -> list[tuple[str, int] | None]:
    """The first rule that fires at each point. Points left out or unknown are passed over, as if they were not."""
    z: list[float] = []
    found: list[tuple[str, int] | None] = []
    for point, limit in zip(points, limits, strict=True):
        if limit is None or point.is_left_out:
            found.append(None)
            continue
        z.append(standing(point.value or 0.0, limit))
        hits = [(rule.key, side) for rule in RULES if (side := rule.fires(z))]
        found.append(hits[0] if hits else None)
    return found


def standing(value: float, limits: Limits) -> float:
    """How far a value lies from the mean, in sigmas; infinitely far from a baseline that never moved."""
    away = 0.0 if math.isclose(value, limits.mean, rel_tol=1e-9) else value - limits.mean  # what days divided may not add up exactly
    if away and limits.is_log:
        away = math.log(value / limits.mean) if value > 0 else -math.inf
    return away / limits.sigma if limits.sigma > 1e-9 * abs(limits.mean) else math.copysign(math.inf, away) if away else 0.0


def verdict(found: Chart | None, at: int, better: str) -> str:
    """What the chart says of point `at`: one of VERDICTS. better: up | down | none of the KPI."""
    if found is None or not 0 <= at < len(found.limits) or found.limits[at] is None:
        return TOO_LITTLE
    hit = found.fired[at]
    if hit is None:
        return NO_CHANGE
    if better == "none":
        return UP if hit[1] > 0 else DOWN
    return IMPROVED if (hit[1] > 0) == (better == "up") else DETERIORATED
