"""Why a dossier's chance is what it is: the features grouped as they are said, and which of them raise it most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from metrics.at_risk.clock import Floats
from metrics.at_risk.features import KNOTS, NAMES
from metrics.at_risk.model import Model

# what is said -> the features it is made of; "share" speaks of how much of the limit is used and how long it is
GROUPS: Mapping[str, tuple[str, ...]] = {
    "share": ("share", *(f"share_{knot:.2f}" for knot in KNOTS), "limit", "left"), "waiting": ("waiting", "stops"), "dwell": ("dwell",),
    "reached": ("reached",), "steps": ("steps",), "channel": ("online",), "agency": ("agency",), "procedure": ("procedure",),
    "in_hand": ("in_hand",),
}
MOST = 3
LEAST = 0.05  # log-odds beside the average open dossier: less is not worth a word


@dataclass(frozen=True)
class Why:
    """One thing that raises the chance, a key of GROUPS, and by how many log-odds beside the average open dossier."""

    key: str
    adds: float


def reasons(model: Model, x: Floats) -> tuple[tuple[Why, ...], ...]:
    """Of each row what raises its chance most, strongest first; () where nothing does."""
    parts = model.parts(x)
    summed = {key: parts[:, [NAMES.index(name) for name in names]].sum(axis=1) for key, names in GROUPS.items()}
    found = []
    for row in range(len(x)):
        raising = [Why(key, float(adds[row])) for key, adds in summed.items() if adds[row] >= LEAST]
        found.append(tuple(sorted(raising, key=lambda why: -why.adds)[:MOST]))
    return tuple(found)
