"""Every reading of every stream as a function of the hour: nothing is stored, any window can be asked for, also tomorrow's.

The grid is hours x streams; inside an hour streams are ordered by their minute, so the flat grid is in time order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from data_sources.demo.episodes import (
    BAD_AIR,
    SENTINEL_FROM,
    STUCK,
    WEATHER_GAP,
    Array,
    flood_level,
    storm_level,
    within,
)
from data_sources.demo.noise import hashed, smooth
from data_sources.demo.stations import Stream, streams

GAP_SHARE = 0.004
BAD_SHARE = 0.003
LATE_SHARE = 0.005
DELAY_S = 75
STUCK_STREAM, SENTINEL_KIND = 1, "ph"


@dataclass(frozen=True)
class Grid:
    """Readings of whole hours. `values` (hours, streams) float64 with NaN = nothing arrived; `at_s`, `seen_s` UTC seconds.

    `broken` (hours, streams): 0 = sound, 1 = result null, 2 = result a text, 3 = far out of range.
    Columns follow `order`, which holds stream numbers.
    """

    order: Array
    at_s: Array
    seen_s: Array
    values: Array
    broken: Array


@dataclass(frozen=True)
class Air:
    """What all stations share in these hours, each of shape (hours, 1): local clock, weekend, storm, stagnation."""

    hour: Array
    clock: Array
    weekend: Array
    storm: Array
    stagnant: Array
    birth: float
    seed: int


def column_order() -> Array:
    """Stream numbers in the order they report within an hour."""
    every = streams()
    return np.array(sorted((s.number for s in every), key=lambda n: (every[n - 1].station.phase_min, n)))


def readings_grid(first_hour: int, last_hour: int, birth: float, seed: int, *, only: int | None = None) -> Grid:
    """All readings of the hours first..last-1 (hours since 1970 UTC), of all streams or of `only` one."""
    hour = np.arange(first_hour, max(last_hour, first_hour), dtype=np.int64)[:, None]
    order = column_order() if only is None else np.array([only])
    every = [streams()[n - 1] for n in order]
    phase = np.array([s.station.phase_min for s in every])[None, :] * 60
    air = _air(hour, birth, seed)
    values = np.hstack([_column(stream, air) for stream in every]) if len(hour) else np.empty((0, len(every)))
    key = order[None, :] + seed * 1000
    kinds = np.array([s.station.kind for s in every])[None, :]
    lost = (hashed(key + 7, hour) < GAP_SHARE) | ((kinds == "weather") & within(hour, birth, WEATHER_GAP))
    values = np.where(lost, np.nan, values)
    spoil = hashed(key + 8, hour)
    broken = np.where((spoil < BAD_SHARE) & (kinds != "camera"), 1 + (spoil / BAD_SHARE * 3).astype(np.int64), 0)
    at = hour * 3600 + phase
    late = np.where(hashed(key + 9, hour) < LATE_SHARE, 2400, 0)
    return Grid(order, at, at + DELAY_S + late, values, np.minimum(broken, 3))


def _air(hour: Array, birth: float, seed: int) -> Air:
    local = hour + 7
    clock = (local % 24).astype(np.float64)
    weekend = ((local // 24 + 3) % 7 >= 5).astype(np.float64)
    stagnant = 1.0 + 0.45 * smooth(seed + 11, hour, 60.0) + 1.9 * within(hour, birth, BAD_AIR)
    return Air(hour, clock, weekend, storm_level(hour, birth), stagnant, birth, seed)


def _column(stream: Stream, air: Air) -> Array:
    """One stream's values in these hours, shape (hours, 1), rounded as its instrument would."""
    key = stream.number + air.seed * 1000
    value = SHAPES[stream.property.key](stream, air, key)
    if stream.number == STUCK_STREAM:
        value = np.where(within(air.hour, air.birth, STUCK), 37.4, value)
        value = np.where(air.hour >= air.birth + STUCK[1], np.nan, value)
    if stream.property.key == SENTINEL_KIND and stream.number == _first(SENTINEL_KIND):
        bad = (air.hour >= air.birth + SENTINEL_FROM) & (hashed(key + 5, air.hour) < 0.35)
        value = np.where(bad, -999.0, value)
    return np.asarray(np.round(value, 0 if stream.property.key in ("traffic_flow", "online") else 2))


def _first(key: str) -> int:
    return next(s.number for s in streams() if s.property.key == key)


def _bump(clock: Array, at: float, width: float) -> Array:
    gap = (clock - at + 12) % 24 - 12
    return np.asarray(np.exp(-((gap / width) ** 2)))


def _jitter(key: int, hour: Array, size: float) -> Array:
    return np.asarray(1 + size * (hashed(key + 3, hour) * 2 - 1) + size * smooth(key + 4, hour, 7.0))


def _dust(base: float) -> Callable[[Stream, Air, int], Array]:
    def shape(stream: Stream, air: Air, key: int) -> Array:
        cycle = 0.75 + 0.5 * _bump(air.clock, 7.5, 2.5) + 0.55 * _bump(air.clock, 20.5, 3.5)
        washed = np.exp(-1.8 * air.storm)
        return np.asarray(base * stream.station.amplitude * cycle * air.stagnant * washed * _jitter(key, air.hour, 0.14))
    return shape


def _ozone(stream: Stream, air: Air, key: int) -> Array:
    sun = _bump(air.clock, 14.0, 3.6)
    value = 22 + 75 * sun * (1 - 0.6 * np.minimum(air.storm, 1))
    return np.asarray(value * stream.station.amplitude * _jitter(key, air.hour, 0.12))


def _season(hour: Array) -> Array:
    """-1 at the coldest (mid January), +1 at the hottest (mid July)."""
    return np.asarray(-np.cos(2 * np.pi * (hour / 24.0 - 15) / 365.25))


def _temperature(stream: Stream, air: Air, key: int) -> Array:
    daily = 3.4 * (_bump(air.clock, 14.0, 5.0) * 2 - 0.8)
    front = 2.6 * smooth(air.seed + 12, air.hour, 110.0)
    return np.asarray(23.0 + 6.2 * _season(air.hour) + daily + front - 4.0 * air.storm + smooth(key, air.hour, 9.0) * 0.6)


def _humidity(stream: Stream, air: Air, key: int) -> Array:
    value = 80 - 14 * (_bump(air.clock, 14.0, 5.0) - 0.4) + 18 * air.storm + 7 * smooth(key, air.hour, 30.0)
    return np.asarray(np.clip(value, 35, 100))


def _rainfall(stream: Stream, air: Air, key: int) -> Array:
    burst = -np.log(1 - 0.98 * hashed(key + 2, air.hour))
    shower = (smooth(air.seed + 13, air.hour, 16.0) > 0.72) & (hashed(key + 6, air.hour) < 0.5)
    wet = 13.0 * air.storm * (0.4 + 0.6 * burst) * stream.station.amplitude
    return np.where(air.storm > 0.03, wet, np.where(shower, 2.2 * burst, 0.0))


def _wind(stream: Stream, air: Air, key: int) -> Array:
    return np.asarray(np.abs(2.4 + 1.4 * smooth(key, air.hour, 14.0) + 13.0 * air.storm) * _jitter(key, air.hour, 0.15))


def _water_level(stream: Stream, air: Air, key: int) -> Array:
    """Inland gauges rise with the rain, coastal ones (south) follow the daily tide of the Gulf, 24.84 h, spring and neap."""
    coastal = 1.0 if stream.station.lat < 20.92 else 0.15
    spring = 1.15 + 0.65 * np.cos(2 * np.pi * air.hour / (13.66 * 24))
    tide = coastal * spring * np.sin(2 * np.pi * air.hour / 24.84)
    rise = flood_level(air.hour, air.birth, 10.0 if coastal < 1 else 4.0)
    flood = 3.1 * stream.station.amplitude * rise * (1.3 - 0.8 * coastal)
    return np.asarray(2.3 + tide + flood + 0.15 * smooth(key, air.hour, 50.0))


def _turbidity(stream: Stream, air: Air, key: int) -> Array:
    mud = 12 + 160 * flood_level(air.hour, air.birth, 6.0)
    return np.asarray(mud * stream.station.amplitude * _jitter(key, air.hour, 0.15))


def _traffic(air: Air) -> Array:
    peaks = _bump(air.clock, 7.2, 1.1) + 0.9 * _bump(air.clock, 17.3, 1.4)
    day = 0.12 + 0.5 * _bump(air.clock, 13.0, 5.5) + (1 - 0.65 * air.weekend) * peaks * 0.75
    return np.asarray(day * (1 - 0.55 * np.minimum(air.storm, 1)))


def _flow(stream: Stream, air: Air, key: int) -> Array:
    return np.asarray(1500 * stream.station.amplitude * _traffic(air) * _jitter(key, air.hour, 0.08))


def _speed(stream: Stream, air: Air, key: int) -> Array:
    value = 52 - 26 * _traffic(air) ** 1.6 * stream.station.amplitude - 14 * np.minimum(air.storm, 1)
    return np.asarray(np.clip(value * _jitter(key, air.hour, 0.06), 4, 80))


def _soil(stream: Stream, air: Air, key: int) -> Array:
    value = 31 + 5 * smooth(key, air.hour, 120.0) + 14 * flood_level(air.hour, air.birth, 14.0)
    return np.asarray(np.clip(value, 8, 58))


def _soil_heat(stream: Stream, air: Air, key: int) -> Array:
    """As the air, later and milder."""
    return np.asarray(23.5 + 4.5 * _season(air.hour) + 1.6 * (_bump(air.clock, 16.0, 5.0) * 2 - 0.8) + 0.4 * smooth(key, air.hour, 24.0))


def _salinity(stream: Stream, air: Air, key: int) -> Array:
    """Rain washes salts out of the soil."""
    washed = 1 - 0.35 * np.minimum(flood_level(air.hour, air.birth, 14.0), 1)
    return np.asarray(820 * stream.station.amplitude * washed * _jitter(key, air.hour, 0.04))


def _soil_acidity(stream: Stream, air: Air, key: int) -> Array:
    return np.asarray(6.2 + 0.2 * smooth(key, air.hour, 200.0))


def _frame_age(stream: Stream, air: Air, key: int) -> Array:
    """Seconds since the oldest last frame of a cluster: seconds as a rule, minutes in a storm."""
    return np.asarray(2 + 6 * hashed(key + 2, air.hour) + 400 * np.minimum(air.storm, 1) * hashed(key + 6, air.hour))


def _acidity(stream: Stream, air: Air, key: int) -> Array:
    return np.asarray(7.3 + 0.35 * smooth(key, air.hour, 40.0) - 0.4 * air.storm)


def _online(stream: Stream, air: Air, key: int) -> Array:
    """Cameras fail for blocks of six hours, more of them in a storm."""
    return np.where(hashed(key, air.hour // 6) < 0.03 + 0.25 * np.minimum(air.storm, 1), 0.0, 1.0)


SHAPES: dict[str, Callable[[Stream, Air, int], Array]] = {
    "pm25": _dust(34.0), "pm10": _dust(58.0), "no2": _dust(31.0), "so2": _dust(13.0), "co": _dust(0.9), "o3": _ozone,
    "temp": _temperature, "rh": _humidity, "rain": _rainfall, "wind": _wind, "level": _water_level, "ph": _acidity,
    "turbidity": _turbidity, "traffic_flow": _flow, "speed": _speed, "soil_moisture": _soil, "online": _online,
    "soil_temp": _soil_heat, "soil_ec": _salinity, "soil_ph": _soil_acidity, "frame_age": _frame_age,
}
