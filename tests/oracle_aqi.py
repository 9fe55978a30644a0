"""VN_AQI once more, for the oracle: the table typed from domain.md 5.1 (Decision 1459/QD-TCMT), shares no code with metrics/."""

from __future__ import annotations

import math
from collections.abc import Mapping

# domain.md 5.1: concentrations at which the index reaches 0, 50, 100, 150, 200, 300, 400, 500
LEVELS = [0, 50, 100, 150, 200, 300, 400, 500]
BREAKS = {
    "o3": [0, 160, 200, 300, 400, 800, 1000, 1200],
    "o3_8h": [0, 100, 120, 170, 210, 400],
    "co": [0, 10000, 30000, 45000, 60000, 90000, 120000, 150000],
    "so2": [0, 125, 350, 550, 800, 1600, 2100, 2630],
    "no2": [0, 100, 200, 700, 1200, 2350, 3100, 3850],
    "pm10": [0, 50, 150, 250, 350, 420, 500, 600],
    "pm25": [0, 25, 50, 80, 150, 250, 350, 500],
}
GASES = ("o3", "no2", "so2", "co")


def sub_index(name: str, mean: float | None) -> int | None:
    """AQI = (I2 - I1) / (BP2 - BP1) * (C - BP1) + I1, half up; 500 above the last break; 8 h ozone ends at 400."""
    if mean is None or mean < 0:
        return None
    breaks = BREAKS[name]
    for low, high, i_low, i_high in zip(breaks, breaks[1:], LEVELS, LEVELS[1:], strict=False):
        if low <= mean <= high:
            return math.floor(round((i_high - i_low) / (high - low) * (mean - low) + i_low, 9) + 0.5)
    return None if name == "o3_8h" else 500


def now_cast(newest_first: list[float | None]) -> float | None:
    """Weighted mean of 12 hours; two of the newest three must be there."""
    valid = [value for value in newest_first if value is not None]
    if sum(value is not None for value in newest_first[:3]) < 2:
        return None
    weight = max(0.5, min(valid) / max(valid)) if max(valid) > 0 else 1.0
    pairs = [(weight**age, value) for age, value in enumerate(newest_first) if value is not None]
    return sum(w * value for w, value in pairs) / sum(w for w, _ in pairs)


def highest(parts: Mapping[str, int | None]) -> int | None:
    """The greatest sub-index; none without PM2.5 or PM10."""
    if parts.get("pm25") is None and parts.get("pm10") is None:
        return None
    return max(value for value in parts.values() if value is not None)


def daily_index(by_property: Mapping[str, Mapping[int, float]], first_hour: int) -> int | None:
    """PM: mean of the day; gases: highest hour; ozone also the highest 8 h mean. 18 hours of a day, 6 of 8 hours needed."""
    parts: dict[str, int | None] = {}
    for name, by_hour in by_property.items():
        hours = [by_hour.get(first_hour + n) for n in range(24)]
        valid = [value for value in hours if value is not None]
        if len(valid) < 18:
            continue
        parts[name] = sub_index(name, max(valid) if name in GASES else sum(valid) / len(valid))
        if name == "o3":
            windows = [[value for value in hours[n:n + 8] if value is not None] for n in range(17)]
            means = [sum(window) / len(window) for window in windows if len(window) >= 6]
            eight = sub_index("o3_8h", max(means)) if means else None
            parts[name] = max(value for value in (parts[name], eight) if value is not None)
    return highest(parts)
