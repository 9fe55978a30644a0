"""How far apart two reports of one thing are, learned from reports that somebody marked as duplicates; and how well that finds them.

What was learned on one span of time is judged on a later one. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from metrics.alike import Pairs, Placed, Reach, columns_of, pairs

Flags = NDArray[np.bool_]
RADII_M = (1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 200.0)  # 1 m: the same point, as addresses give it
DAYS = (1, 2, 3, 5, 7, 14)
LEAST_MARKED = 50  # marked reports a category needs before it has a radius of its own


@dataclass(frozen=True)
class Found:
    """How many reports were flagged, how many somebody had marked, how many are both."""

    flagged: int
    marked: int
    both: int

    @property
    def precision(self) -> float:
        """Marked among the flagged; 0 without any."""
        return self.both / self.flagged if self.flagged else 0.0

    @property
    def recall(self) -> float:
        """Flagged among the marked; 0 without any."""
        return self.both / self.marked if self.marked else 0.0

    @property
    def balance(self) -> float:
        """F1: the harmonic mean of both."""
        total = self.flagged + self.marked
        return 2 * self.both / total if total else 0.0


@dataclass(frozen=True)
class Sample:
    """Reports in the order they came, whether each is marked, and all pairs of them within the widest reach that is tried."""

    rows: Sequence[Placed]
    marked: Flags
    pairs: Pairs
    categories: NDArray[np.str_]


def sample(rows: Sequence[Placed], marked: Sequence[bool]) -> Sample:
    """Reports with their marks, ready to be learned from."""
    found = pairs(columns_of(rows, Reach(max(RADII_M), max(DAYS))), max(DAYS))
    return Sample(rows, np.array(marked, np.bool_), found, np.array([row.category for row in rows]))


def flagged(known: Sample, reach: Reach) -> Flags:
    """Which reports have an earlier one within reach."""
    later = known.pairs.later
    radius = np.array([reach.of(category) for category in known.categories.tolist()])
    near = (known.pairs.metres <= radius[later]) & (known.pairs.hours <= reach.days * 24)
    flags = np.zeros(len(known.rows), np.bool_)
    flags[later[near]] = True
    return flags


def judge(known: Sample, reach: Reach, among: Flags) -> Found:
    """Flags beside marks, of the reports `among`."""
    flags = flagged(known, reach)
    return Found(int((flags & among).sum()), int((known.marked & among).sum()), int((flags & known.marked & among).sum()))


def learn(known: Sample, among: Flags) -> Reach:
    """The reach with the best balance on the reports `among`; then a radius a category, where enough of its own are marked.

    A tie goes to the smaller reach. Never looks at the marks of others than `among`.
    """
    tried = [Reach(radius, days) for days in DAYS for radius in RADII_M]
    best = max(tried, key=lambda reach: judge(known, reach, among).balance)  # the first of equals: the smallest
    own: dict[str, float] = {}
    for category in sorted(set(known.categories.tolist())):
        mine = among & (known.categories == category)
        if int((known.marked & mine).sum()) >= LEAST_MARKED:
            own[category] = max(RADII_M, key=lambda radius: judge(known, Reach(radius, best.days), mine).balance)
    return replace(best, by_category={category: radius for category, radius in own.items() if radius != best.radius_m})
