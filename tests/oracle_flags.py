"""Flags of readings once more, for the oracle: the rules typed again, applied reading by reading; shares no code with metrics/."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import groupby

HOUR = 3_600_000_000
NONE, OUT, STUCK, SPIKE, SKEW = 0, 1, 2, 3, 4
# property, unit: least, most, hours stuck, a value it may rest at, jump, times
RULES: dict[tuple[str, str], tuple[float | None, float | None, int | None, float | None, float | None, float]] = {
    ("pm25", "µg/m³"): (None, 900, 6, 0, 150, 6),
    ("pm10", "µg/m³"): (None, 1500, 6, 0, 300, 6),
    ("no2", "µg/m³"): (None, 2000, 8, 0, 250, 6),
    ("so2", "µg/m³"): (None, 2000, 12, 0, 300, 6),
    ("o3", "µg/m³"): (None, 800, 8, 0, 250, 6),
    ("co", "µg/m³"): (None, 60000, 8, 0, 15000, 6),
    ("temp", "°C"): (-7, 46, 12, None, 12, 6),
    ("rh", "%"): (5, 105, 24, 100, 50, 6),
    ("wind", "m/s"): (None, 75, 12, 0, 30, 6),
    ("pressure", "hPa"): (700, 1060, 24, None, 25, 6),
    ("level", "m"): (None, None, None, None, 2.5, 8),
    ("ph", "pH"): (2, 12, 24, None, 3, 6),
    ("turbidity", "NTU"): (None, None, 24, 0, None, 6),
    ("traffic_flow", "veh/h"): (None, None, 12, 0, None, 6),
    ("soil_moisture", "%"): (0, 100, None, None, 30, 6),
    ("soil_temp", "°C"): (-2, 65, None, None, 15, 6),
}


def stream_flags(name: str, unit: str, readings: Sequence[tuple[int, float, int]]) -> dict[int, int]:
    """Instant -> flag of all readings (instant, value, flag held) of one datastream. A wrong clock is known by the held flag alone."""
    found = {at: SKEW for at, _, held in readings if held == SKEW}
    rows = sorted((at, value) for at, value, held in readings if held != SKEW)
    rule = RULES.get((name, unit))
    if rule is None:
        return found | {at: NONE for at, _ in rows}
    least, most, hours, rests, jump, times = rule
    frozen = frozen_hours(rows, hours, rests) if hours else set()
    for place, (at, value) in enumerate(rows):
        if (least is not None and value < least) or (most is not None and value > most):
            found[at] = OUT
        elif at // HOUR in frozen:
            found[at] = STUCK
        else:
            found[at] = SPIKE if jump is not None and stands_out(rows, place, jump, times) else NONE
    return found


def frozen_hours(rows: Sequence[tuple[int, float]], hours: int, rests: float | None) -> set[int]:
    """Hours that lie in a row of at least `hours` hours, each with readings, all of one value that is none to rest at."""
    values = {hour: {value for _, value in group} for hour, group in groupby(rows, key=lambda row: row[0] // HOUR)}
    still = {hour: next(iter(seen)) for hour, seen in values.items() if len(seen) == 1}
    found: set[int] = set()
    for hour, value in still.items():
        if value == rests or still.get(hour - 1) == value:
            continue
        run = [hour]
        while still.get(run[-1] + 1) == value:
            run.append(run[-1] + 1)
        if len(run) >= hours:
            found.update(run)
    return found


def stands_out(rows: Sequence[tuple[int, float]], place: int, jump: float, times: float) -> bool:
    """Beyond `jump`, and beyond `times` the robust spread, of the readings within two hours; two are needed on either side."""
    at, value = rows[place]
    first, last = place, place
    while first > 0 and rows[first - 1][0] >= at - 2 * HOUR:
        first -= 1
    while last + 1 < len(rows) and rows[last + 1][0] <= at + 2 * HOUR:
        last += 1
    if place - first < 2 or last - place < 2:
        return False
    around = [row[1] for row in (*rows[first:place], *rows[place + 1:last + 1])]
    middle = statistics.median(around)
    spread = 1.4826 * statistics.median(abs(other - middle) for other in around)
    return abs(value - middle) > jump and abs(value - middle) > times * spread
