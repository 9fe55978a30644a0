"""The demo's own working-time axis, vectorised: what the province's system uses to set due dates. Local seconds, UTC+7.

Days are counted since 1970-01-01 in the province's zone; working hours 07:00-11:30 and 13:30-17:00 as in domain practice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import holidays
import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
DAY_S = 86_400
ZONE_S = 7 * 3600
HOURS = 8.0
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class WorkAxis:
    """Work-hour position = 8 x index of working day + hours worked that day. `days` are the working days, ascending."""

    days: Ints

    def position(self, at: Ints) -> Floats:
        """Local seconds to work hours; outside working hours the next opening (or the lunch break's end)."""
        day = at // DAY_S
        index = np.searchsorted(self.days, day)
        works = self.days[np.minimum(index, len(self.days) - 1)] == day
        clock = (at - day * DAY_S) / 3600.0
        worked = np.clip(clock - 7.0, 0, 4.5) + np.clip(clock - 13.5, 0, 3.5)
        return np.asarray(HOURS * index + np.where(works, worked, 0.0), np.float64)

    def local(self, position: Floats) -> Ints:
        """Work hours back to local seconds."""
        index = np.minimum((position // HOURS).astype(np.int64), len(self.days) - 1)
        worked = position - HOURS * index
        clock = np.where(worked < 4.5, 7.0 + worked, 9.0 + worked)
        return np.asarray(self.days[index] * DAY_S + (clock * 3600).astype(np.int64))

    def due(self, at: Ints, limit_days: Ints) -> Ints:
        """17:00 on the working day `limit_days` after the (next) working day of `at`."""
        index = (self.position(at) // HOURS).astype(np.int64) + limit_days
        return np.asarray(self.days[np.minimum(index, len(self.days) - 1)] * DAY_S + 17 * 3600)


@lru_cache(maxsize=8)
def work_axis(first_year: int, last_year: int) -> WorkAxis:
    """Working days of Vietnam of whole years, first to last: public holidays out, make-up Saturdays in."""
    calendar = holidays.country_holidays("VN", years=range(first_year, last_year + 1))
    makeup = set(getattr(calendar, "weekend_workdays", ()))
    start, end = date(first_year, 1, 1), date(last_year, 12, 31)
    every = [start + timedelta(n) for n in range((end - start).days + 1)]
    working = [day for day in every if day in makeup or (day.weekday() < 5 and day not in calendar)]
    return WorkAxis(np.array([(day - EPOCH).days for day in working], np.int64))
