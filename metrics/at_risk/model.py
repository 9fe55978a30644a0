"""Ridge logistic regression by Newton's steps, on standardised features; what each feature adds to one dossier's log-odds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from metrics.at_risk.clock import Flags, Floats

RIDGE = 60.0  # in dossiers: with fewer than so many a feature says little
STEPS = 50
LEAST_SPREAD = 0.1  # a feature that hardly moves is not blown up


@dataclass(frozen=True)
class Model:
    """Weights of standardised features; log-odds = bias + ((x - mean) / scale) . weight."""

    bias: float
    mean: Floats
    scale: Floats
    weight: Floats

    def parts(self, x: Floats) -> Floats:
        """What each feature adds to the log-odds of each row, beside the average dossier."""
        return (x - self.mean) / self.scale * self.weight

    def probability(self, x: Floats) -> Floats:
        """Chance of each row."""
        return sigmoid(self.bias + self.parts(x).sum(axis=1))


def sigmoid(value: Floats) -> Floats:
    """Chance of log-odds."""
    return 1 / (1 + np.exp(-np.clip(value, -30, 30)))


def fit(x: Floats, y: Flags, weight: Floats, ridge: float = RIDGE) -> Model:
    """The weights that make y likeliest, each row counting `weight`, drawn to 0; the bias is free."""
    mean = np.average(x, axis=0, weights=weight)
    scale = np.maximum(np.sqrt(np.average((x - mean) ** 2, axis=0, weights=weight)), LEAST_SPREAD)
    z = np.column_stack([np.ones(len(x)), (x - mean) / scale])
    penalty = np.full(z.shape[1], ridge)
    penalty[0] = 1e-6
    found = np.zeros(z.shape[1])
    for _ in range(STEPS):
        chance = sigmoid(z @ found)
        slope = z.T @ (weight * (chance - y)) + penalty * found
        curve = (z * (weight * (chance * (1 - chance) + 1e-9))[:, None]).T @ z + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        found = found - step
        if np.abs(step).max() < 1e-8:
            break
    return Model(float(found[0]), mean, scale, found[1:])
