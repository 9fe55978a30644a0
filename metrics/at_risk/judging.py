"""How good it is on dossiers it has not seen: learned from before a split, judged after it, beside two plain baselines.

Baselines: the base rate, and the rate of dossiers that had used as much of their limit ("age over limit"). Intervals are of a bootstrap
over dossiers: the looks at one dossier are one piece of evidence, not many.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from metrics.at_risk.clock import Flags, Floats, Ints

BASELINES = ("base_rate", "age_over_limit")
BINS = 10
SMOOTH = 20.0
DRAWS, SEED = 2000, 20261122
CALIBRATION_BINS = 8
Z95 = 1.959964


@dataclass(frozen=True)
class Baselines:
    """Share missed of all looks, and by tenth of the limit used."""

    rate: float
    by_share: Floats

    def probability(self, key: str, share: Floats) -> Floats:
        """Chance of each look by a baseline of BASELINES."""
        return np.full(len(share), self.rate) if key == "base_rate" else self.by_share[_bin(share)]


@dataclass(frozen=True)
class Gain:
    """Mean log-loss of a baseline less that of the model, with its 95 % interval: above 0 the model is better."""

    baseline: str
    loss: float
    gain: float
    low: float
    high: float


@dataclass(frozen=True)
class Bin:
    """Looks with like predictions: mean prediction, share that missed with its 95 % interval (n = dossiers), how many of both."""

    predicted: float
    observed: float
    low: float
    high: float
    looks: int
    dossiers: int


@dataclass(frozen=True)
class Judgement:
    """Trained on looks before split_at, judged on those after it; unresolved = looks left out, their outcome not known in time."""

    split_at: int
    trained_looks: int
    trained_dossiers: int
    judged_looks: int
    judged_dossiers: int
    missed_dossiers: int
    unresolved: int
    trained_rate: float
    judged_rate: float
    loss: float
    ranking: float
    gains: tuple[Gain, ...]
    calibration: tuple[Bin, ...]

    @property
    def is_better(self) -> bool:
        """Better than every baseline, beyond what chance explains."""
        return all(gain.low > 0 for gain in self.gains)

    @property
    def ranked_by(self) -> str:
        """What the queue is to be ranked by: the model, or the better baseline when the model is no better."""
        return "model" if self.is_better else min(self.gains, key=lambda gain: gain.loss).baseline


def baselines_of(share: Floats, missed: Flags) -> Baselines:
    """The baselines as these looks have it."""
    rate = float((missed.sum() + 1) / (len(missed) + 2))
    places = _bin(share)
    late, n = np.bincount(places, missed, minlength=BINS), np.bincount(places, minlength=BINS)
    return Baselines(rate, (late + SMOOTH * rate) / (n + SMOOTH))


def log_loss(chance: Floats, missed: Flags) -> Floats:
    """Of each look, in nats."""
    kept = np.clip(chance, 1e-6, 1 - 1e-6)
    return -np.where(missed, np.log(kept), np.log(1 - kept))


def gains(baselines: Baselines, chance: Floats, share: Floats, missed: Flags, dossier: Ints) -> tuple[Gain, ...]:
    """The model beside each baseline on the same looks."""
    own, found = log_loss(chance, missed), []
    for key in BASELINES:
        theirs = log_loss(baselines.probability(key, share), missed)
        low, high = interval(theirs - own, dossier)
        found.append(Gain(key, float(theirs.mean()), float((theirs - own).mean()), low, high))
    return tuple(found)


def interval(values: Floats, dossier: Ints) -> tuple[float, float]:
    """95 % interval of the mean of values, dossiers drawn with replacement; the same draws for the same dossiers every time."""
    _, place = np.unique(dossier, return_inverse=True)
    total, n = np.bincount(place, values), np.bincount(place)
    rng, means = np.random.default_rng(SEED), np.empty(DRAWS)
    for draw in range(DRAWS):
        times = np.bincount(rng.integers(0, len(n), len(n)), minlength=len(n))
        means[draw] = (times @ total) / (times @ n)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


def calibration(chance: Floats, missed: Flags, dossier: Ints) -> tuple[Bin, ...]:
    """Looks in equally large groups by prediction, lowest first."""
    found = []
    for mine in np.array_split(np.argsort(chance, kind="stable"), CALIBRATION_BINS):
        if len(mine):
            share, n = float(missed[mine].mean()), len(np.unique(dossier[mine]))
            found.append(Bin(float(chance[mine].mean()), share, *wilson(share, n), len(mine), n))
    return tuple(found)


def wilson(share: float, n: int) -> tuple[float, float]:
    """95 % interval of a share of n independent things; not empty where none or all are so, as a bootstrap's would be (Wilson 1927)."""
    spread = Z95 * np.sqrt(share * (1 - share) / n + Z95**2 / (4 * n * n))
    middle = share + Z95**2 / (2 * n)
    scale = 1 + Z95**2 / n
    return max(0.0, float((middle - spread) / scale)), min(1.0, float((middle + spread) / scale))


def ranking(chance: Floats, missed: Flags) -> float:
    """How often one that missed stands above one that did not: 0.5 = by chance, 1 = always (area under the curve; ties count half)."""
    _, place, n = np.unique(chance, return_inverse=True, return_counts=True)
    middle = np.cumsum(n) - (n - 1) / 2
    late, fine = int(missed.sum()), int((~missed).sum())
    if not late or not fine:
        return 0.5
    return float((middle[place][missed].sum() - late * (late + 1) / 2) / (late * fine))


def _bin(share: Floats) -> Ints:
    return np.clip((share * BINS).astype(np.int64), 0, BINS - 1)
