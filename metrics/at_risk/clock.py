"""Working time of many instants at once: an instant becomes a position, seconds worked since the first year laid out.

The working time between two instants is the difference of their positions, so it is worked out once and then only subtracted.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from metrics.worktime import WorkCalendar, work_intervals
from store.days import instant

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Years = tuple[int, int]

NEVER = 1 << 62  # an instant that has not come, as far as anybody knows


def positions(calendar: WorkCalendar, instants: Ints, years: Years) -> Floats:
    """Seconds of working time from the start of the first year to each instant (microseconds UTC); inf for NEVER.

    Both years are laid out whole; an instant outside them counts as the nearest one inside.
    """
    starts, ends, before = _laid_out(calendar, *years)
    index = np.maximum(np.searchsorted(starts, instants, side="right") - 1, 0)
    inside = np.clip(np.minimum(instants, ends[index]) - starts[index], 0, None)
    return np.where(instants < NEVER, (before[index] + inside) / 1e6, np.inf)


@lru_cache(maxsize=256)
def _laid_out(calendar: WorkCalendar, first: int, last: int) -> tuple[Ints, Ints, Ints]:
    """Starts and ends of the working intervals of these years, and the work done before each (microseconds)."""
    spans = []
    on = date(first, 1, 1)
    while on.year <= last:
        spans += [(instant(start), instant(end)) for start, end in work_intervals(calendar, on)]
        on += timedelta(days=1)
    starts, ends = (np.array([span[n] for span in spans], np.int64) for n in (0, 1))
    return starts, ends, np.concatenate([[0], np.cumsum(ends - starts)[:-1]]).astype(np.int64)
