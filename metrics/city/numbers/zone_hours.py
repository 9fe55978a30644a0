"""The hour of the day in the city's zone as SQL: neither engine has to know time zones, summer time included."""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import ZoneInfo

from metrics.city import City
from store.days import DAY, HOUR, DayClock

FIRST_ON = 7_305  # 1990-01-01; before it the oldest offset stands
LAST_ON = 29_220  # 2050-01-01
_STEP = 28


def hour_of(city: City, column: str) -> str:
    """Expression of the local hour 0..23 of an instant column (microseconds UTC); NULL of NULL."""
    return f"((({column} + {_offset(city, column)}) / {HOUR}) % 24)"


def day_of(city: City, column: str) -> str:
    """Expression of the local day number of an instant after 1970."""
    return f"(({column} + {_offset(city, column)}) / {DAY})"


def _offset(city: City, column: str) -> str:
    """Expression of the zone's offset at an instant, in microseconds."""
    changes = _changes(city.store.days.tz)
    if len(changes) == 1:
        return str(changes[0][1])
    # newest first: most rows are decided by the first comparisons
    whens = " ".join(f"WHEN {column} >= {at} THEN {offset_then}" for at, offset_then in reversed(changes[1:]))
    return f"(CASE {whens} ELSE {changes[0][1]} END)"


@lru_cache(maxsize=16)
def _changes(tz: ZoneInfo) -> tuple[tuple[int, int], ...]:
    """(instant from which it holds, UTC offset in microseconds), oldest first."""
    days = DayClock(tz)
    found = [(FIRST_ON * DAY, days.offset(FIRST_ON * DAY))]
    for on in range(FIRST_ON, LAST_ON, _STEP):
        start, end = on * DAY, (on + _STEP) * DAY
        while days.offset(end) != found[-1][1]:
            low, high = start, end
            while high - low > HOUR // 4:
                middle = (low + high) // 2 // (HOUR // 4) * (HOUR // 4)
                low, high = (middle, high) if days.offset(middle) == found[-1][1] else (low, middle)
            found.append((high, days.offset(high)))
            start = high
    return tuple(found)
