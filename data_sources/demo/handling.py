"""How the demo's reports are handled beyond being closed: one office that closes a week's work at a stroke, ratings, more time, twins.

Columns only, in local seconds; random numbers of their own, so that the rest of the story stays what it was.
"""

from __future__ import annotations

import numpy as np

from data_sources.demo.episodes import Array
from data_sources.demo.workdays import DAY_S, Floats, Ints

NEVER = np.int64(1) << np.int64(60)
BURST_OFFICE = "H99.1"  # the department that tidies its list on Fridays, shortly before five
FRIDAY, FROM_WEEKDAY = 4, 2  # what it would close from Wednesday on waits for Friday
BURST_AT, BURST_S = 16 * 3600 + 41 * 60, 420
RATED_SHARE, EXTENDED_SHARE, RETURNED_SHARE, TWIN_SHARE = 0.45, 0.55, 0.04, 0.03
DISLIKED, ACCEPTED, SATISFIED = 1, 2, 3


def in_bursts(closed: Ints, token: Ints, is_office: Array) -> tuple[Ints, Array]:
    """Closings with those of the office's later week moved to its Friday hour, and which were moved."""
    day = closed // DAY_S
    weekday = (day + 3) % 7
    at = (day + FRIDAY - weekday) * DAY_S + BURST_AT + token % BURST_S
    moved = is_office & (closed < NEVER) & (weekday >= FROM_WEEKDAY) & (weekday <= FRIDAY) & (at > closed)
    return np.where(moved, at, closed), moved


def ratings(ended: Ints, is_poor: Array, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """When the sender rated the outcome, and how: 0 = not at all. Poor work (late, at a stroke, reopened) is liked less."""
    count = len(ended)
    draw, mood = rng.random(count), rng.random(count) + np.where(is_poor, -0.25, 0.0)
    has_rated = (draw < RATED_SHARE) & (ended < NEVER)
    rating = np.where(mood < 0.12, DISLIKED, np.where(mood < 0.42, ACCEPTED, SATISFIED))
    rated = np.where(has_rated, ended + (rng.exponential(0.6, count) * DAY_S).astype(np.int64) + 300, NEVER)
    return rated, np.where(has_rated, rating, 0)


def more_time(sent: Ints, due: Ints, closed: Ints, limit: Floats, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """When a report about to be late was given more time, once, and its due date then."""
    given = (rng.random(len(due)) < EXTENDED_SHARE) & (due < NEVER) & (closed > due)
    at = np.where(given, due - (limit * DAY_S * 0.1).astype(np.int64), NEVER)
    return np.where(at > sent, at, NEVER), np.where(given, due + (limit * DAY_S * 0.5).astype(np.int64), due)
