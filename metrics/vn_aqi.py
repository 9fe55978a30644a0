"""VN_AQI, the Vietnamese air quality index (Decision 1459/QĐ-TCMT): tables, hourly, daily, many stations.

All concentrations are hourly means in µg/m³, CO too. Stations in Vietnam send CO in mg/Nm³: the x 1000 is a
unit conversion in the feed's mapping, never done here. Missing is never zero: None, NaN and negative values
do not count.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SOURCE = "Quyết định 1459/QĐ-TCMT, 12/11/2019"
INDEX = (0, 50, 100, 150, 200, 300, 400, 500)
POLLUTANTS = ("pm25", "pm10", "o3", "no2", "so2", "co")  # also the order in which ties are named
PARTICLES = ("pm25", "pm10")  # at least one of them is needed for any VN_AQI
NOWCAST_HOURS = 12


@dataclass(frozen=True)
class Scale:
    """Concentrations (µg/m³) at which a pollutant's sub-index reaches the values of INDEX.

    Above the last break of a full scale the sub-index is 500; a scale that stops short is not defined above.
    """

    pollutant: str
    breaks: tuple[float, ...]
    source: str = SOURCE
    valid_from: date = date(2019, 11, 12)
    valid_to: date | None = None


@dataclass(frozen=True)
class Completeness:
    """How many hours must be there before a mean of many hours is made."""

    day_hours: int
    eight_hours: int
    source: str
    verified: bool


COMPLETENESS = Completeness(18, 6, "75 % of the hours, as is usual; not read in the text of Decision 1459/QĐ-TCMT", verified=False)
SCALES = (
    Scale("o3", (0, 160, 200, 300, 400, 800, 1000, 1200)),  # 1 h mean
    Scale("o3_8h", (0, 100, 120, 170, 210, 400)),
    Scale("co", (0, 10_000, 30_000, 45_000, 60_000, 90_000, 120_000, 150_000)),
    Scale("so2", (0, 125, 350, 550, 800, 1600, 2100, 2630)),
    Scale("no2", (0, 100, 200, 700, 1200, 2350, 3100, 3850)),
    Scale("pm10", (0, 50, 150, 250, 350, 420, 500, 600)),
    Scale("pm25", (0, 25, 50, 80, 150, 250, 350, 500)),
)


@dataclass(frozen=True)
class Category:
    """A class of the index: its key (text under `aqi.<key>`), highest index and the decision's colour."""

    key: str
    upper: int
    colour: str


CATEGORIES = (
    Category("good", 50, "#00E400"),
    Category("moderate", 100, "#FFFF00"),
    Category("poor", 150, "#FF7E00"),
    Category("bad", 200, "#FF0000"),
    Category("very_bad", 300, "#8F3F97"),
    Category("hazardous", 500, "#7E0023"),
)


@dataclass(frozen=True)
class Aqi:
    """An index value, the pollutant of the highest sub-index, all sub-indices, the hours the top one took."""

    value: int
    dominant: str
    sub_indices: Mapping[str, int]
    n: int

    @property
    def category(self) -> Category:
        """The class this value falls in."""
        return category(self.value)


def category(aqi: int) -> Category:
    """The class of an index value. Raises ValueError outside 0-500. Source: Decision 1459/QĐ-TCMT, 1.4."""
    if not 0 <= aqi <= CATEGORIES[-1].upper:
        raise ValueError(f"aqi: {aqi} is outside 0-500")
    return next(row for row in CATEGORIES if aqi <= row.upper)


def sub_index(pollutant: str, concentration_ug_m3: float | None) -> int | None:
    """The sub-index of one pollutant (named as in SCALES), half up; None if missing.

    Linear between breaks: (I2 - I1) / (BP2 - BP1) x (C - BP1) + I1; 500 above the last break. "o3_8h" is not
    defined above 400 µg/m³ and gives None there. Raises ValueError naming the known pollutants. Source:
    Decision 1459/QĐ-TCMT. Its worked NO2 example prints 60 where this formula gives 59.35, hence 59.
    """
    value = _sub_indices(pollutant, np.array([_number(concentration_ug_m3)]))[0]
    return None if math.isnan(value) else int(value)


def nowcast(values: Sequence[float | None]) -> float | None:
    """The weighted mean (µg/m³) of up to 12 hourly PM means, newest first; None = missing.

    w = min / max of the valid ones, at least 1/2; sum of w^(i-1) c_i over sum of w^(i-1). None unless two of
    the newest three are valid. Raises ValueError for more than 12 values. Source: Decision 1459/QĐ-TCMT (for
    w = 1/2 its text writes the sum of (1/2)^i c_i, nearly the same when no hour is missing; the normalised
    form is used throughout).
    """
    if len(values) > NOWCAST_HOURS:
        raise ValueError(f"values: NowCast takes 12 hours, not {len(values)}")
    row = np.full((1, NOWCAST_HOURS), np.nan)
    row[0, : len(values)] = [_number(value) for value in values]
    value = float(_nowcasts(row)[0])
    return None if math.isnan(value) else value


def hourly_aqi(history: Mapping[str, Sequence[float | None]]) -> Aqi | None:
    """VN_AQI of an hour from {pollutant: hourly means, newest first, None = missing}; None without any PM.

    PM goes through NowCast (12 h); O3 (1 h scale), NO2, SO2 and CO count with the current hour only.
    Raises ValueError for an unknown pollutant. Source: Decision 1459/QĐ-TCMT.
    """
    _known(history)
    found: dict[str, tuple[int, int]] = {}
    for pollutant, values in history.items():
        window = values[:NOWCAST_HOURS] if pollutant in PARTICLES else values[:1]
        mean = nowcast(window) if pollutant in PARTICLES else next(iter(window), None)
        _keep(found, pollutant, sub_index(pollutant, mean), len(_valid(window)))
    return _result(found)


def daily_aqi(
    hours: Mapping[str, Sequence[float | None]], *, min_hours: int = COMPLETENESS.day_hours,
) -> Aqi | None:
    """VN_AQI of a day from {pollutant: its 24 hourly means in order, None = missing}; None without any PM.

    PM: 24 h mean; NO2, SO2, CO: highest hour; O3: the higher of the highest hour (1 h scale) and the highest
    8 h mean (8 h scale, dropped above 400 µg/m³). A pollutant with fewer than `min_hours` valid hours is left
    out. Source: Decision 1459/QĐ-TCMT; for the hours needed see COMPLETENESS.
    """
    _known(hours)
    found: dict[str, tuple[int, int]] = {}
    for pollutant, values in hours.items():
        valid = _valid(values)
        if not valid or len(valid) < min_hours:
            continue
        mean = sum(valid) / len(valid) if pollutant in PARTICLES else max(valid)
        parts = [sub_index(pollutant, mean)]
        if pollutant == "o3":
            parts.append(sub_index("o3_8h", _highest_8h_mean(values)))
        _keep(found, pollutant, max((part for part in parts if part is not None), default=None), len(valid))
    return _result(found)


def station_aqi(frame: pd.DataFrame, hour: int) -> pd.DataFrame:
    """Hourly VN_AQI of many stations at once: hourly_aqi for each, vectorised.

    `frame`: station, property (one of POLLUTANTS; others are ignored), hour (whole hours since 1970 UTC),
    mean (µg/m³); two rows for one station, property and hour are averaged. `hour`: the hour asked for.
    Returns one row per station of the frame in order of station: station, aqi (Int64), dominant, category
    (key) and n (valid hours the dominant sub-index used); aqi, dominant and category are missing, n is 0,
    where there is no VN_AQI.
    """
    rows = frame[frame["property"].isin(POLLUTANTS)]
    stations = np.sort(rows["station"].unique())
    cube = _cube(rows, stations, hour)
    counts = np.where(_is_particle(), (~np.isnan(cube)).sum(axis=2), 1)
    indices = np.stack([_current_indices(name, cube[:, i]) for i, name in enumerate(POLLUTANTS)], axis=1)
    has_aqi = np.asarray(~np.isnan(indices[:, _is_particle()]).all(axis=1))
    best = np.where(np.isnan(indices), -1.0, indices).argmax(axis=1)
    return _station_frame(stations, indices, counts, best, has_aqi)


@dataclass(frozen=True)
class AirDay:
    """A day of one datastream: hours with readings, mean and highest of their means, highest 8 h mean (None = none); µg/m³ as told."""

    datastream: int
    station: str
    property: str
    measure_unit: str
    on: int
    hours: int
    hour_mean: float
    hour_high: float
    high_8h: float | None


def station_days(days: Sequence[AirDay]) -> dict[tuple[str, int], tuple[int, str]]:
    """Daily VN_AQI of many stations at once, daily_aqi for each: (station, day) -> index and the pollutant it is of; in order.

    Other properties than POLLUTANTS are ignored; of two datastreams of one pollutant the worse one counts.
    """
    found: dict[tuple[str, int], dict[str, float]] = {}
    for name in POLLUTANTS:
        own = [day for day in days if day.property == name and day.hours >= COMPLETENESS.day_hours]
        indices = _sub_indices(name, np.array([day.hour_mean if name in PARTICLES else day.hour_high for day in own], dtype=np.float64))
        if name == "o3":
            eights = np.array([math.nan if day.high_8h is None else day.high_8h for day in own], dtype=np.float64)
            indices = np.fmax(indices, _sub_indices("o3_8h", eights))
        for day, index in zip(own, indices.tolist(), strict=True):
            parts = found.setdefault((day.station, day.on), {})
            parts[name] = max(parts.get(name, 0.0), index)
    best = {key: max(parts, key=lambda name: parts[name]) for key, parts in found.items()}  # the first of equals
    return {key: (int(found[key][best[key]]), best[key]) for key in sorted(found) if any(name in found[key] for name in PARTICLES)}


def _number(value: float | None) -> float:
    """The value, or NaN when it is missing or impossible."""
    usable = value is not None and math.isfinite(value) and value >= 0
    return float(value) if usable and value is not None else math.nan


def _valid(values: Iterable[float | None]) -> list[float]:
    return [number for number in map(_number, values) if not math.isnan(number)]


def _known(pollutants: Iterable[str]) -> None:
    for pollutant in pollutants:
        if pollutant not in POLLUTANTS:
            raise ValueError(f"{pollutant!r}: unknown pollutant; one of {', '.join(POLLUTANTS)}")


def _scale(pollutant: str) -> Scale:
    for scale in SCALES:
        if scale.pollutant == pollutant:
            return scale
    raise ValueError(f"{pollutant!r}: unknown pollutant; one of {', '.join(row.pollutant for row in SCALES)}")


def _keep(found: dict[str, tuple[int, int]], pollutant: str, index: int | None, n: int) -> None:
    if index is not None:
        found[pollutant] = (index, n)


def _result(found: Mapping[str, tuple[int, int]]) -> Aqi | None:
    if not any(particle in found for particle in PARTICLES):
        return None
    named = [name for name in POLLUTANTS if name in found]
    dominant = max(named, key=lambda name: found[name][0])  # the first of equals
    value, n = found[dominant]
    return Aqi(value, dominant, {name: found[name][0] for name in named}, n)


def _highest_8h_mean(values: Sequence[float | None]) -> float | None:
    """The highest mean of eight hours in a row inside the day, with enough of them valid."""
    windows = (_valid(values[start : start + 8]) for start in range(len(values) - 7))
    return max((sum(window) / len(window) for window in windows if len(window) >= COMPLETENESS.eight_hours), default=None)


def _sub_indices(pollutant: str, means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sub-indices of an array of means, rounded half up; NaN where missing or not defined."""
    breaks = _scale(pollutant).breaks
    exact = np.interp(means, breaks, INDEX[: len(breaks)])
    if len(breaks) < len(INDEX):
        exact = np.where(means > breaks[-1], np.nan, exact)
    # Binary fractions put some decimal halves just below .5: settle the ninth decimal first.
    return np.asarray(np.floor(np.round(exact, 9) + 0.5), dtype=np.float64)


def _nowcasts(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """NowCast of each row of 12 hourly means, newest first, NaN = missing."""
    valid = ~np.isnan(values)
    highest = np.where(valid, values, -np.inf).max(axis=1)
    lowest = np.where(valid, values, np.inf).min(axis=1)
    ratio = np.divide(lowest, highest, out=np.ones(len(values)), where=highest > 0)
    weights = np.maximum(ratio, 0.5)[:, None] ** np.arange(NOWCAST_HOURS) * valid
    total = weights.sum(axis=1)
    enough = valid[:, :3].sum(axis=1) >= 2
    weighted = (weights * np.where(valid, values, 0)).sum(axis=1)
    nothing = np.full(len(values), np.nan)
    return np.asarray(np.divide(weighted, total, out=nothing, where=enough), dtype=np.float64)


def _is_particle() -> NDArray[np.bool_]:
    return np.isin(POLLUTANTS, PARTICLES)


def _cube(rows: pd.DataFrame, stations: NDArray[Any], hour: int) -> NDArray[np.float64]:
    """Means by station, pollutant and age in hours (0 = the hour asked for); NaN = missing."""
    recent = rows[rows["hour"].between(hour - NOWCAST_HOURS + 1, hour)]
    exact = recent.assign(mean=recent["mean"].to_numpy(dtype="float64", na_value=np.nan))
    usable = exact[np.isfinite(exact["mean"]) & (exact["mean"] >= 0)]
    means = usable.groupby(["station", "property", "hour"])["mean"].mean().reset_index()
    cube = np.full((len(stations), len(POLLUTANTS), NOWCAST_HOURS), np.nan)
    place = np.searchsorted(stations, means["station"].to_numpy())
    pollutant = pd.Index(POLLUTANTS).get_indexer(pd.Index(means["property"]))
    cube[place, pollutant, hour - means["hour"].to_numpy(dtype="int64")] = means["mean"].to_numpy()
    return cube


def _current_indices(pollutant: str, hours: NDArray[np.float64]) -> NDArray[np.float64]:
    means = _nowcasts(hours) if pollutant in PARTICLES else hours[:, 0]
    return _sub_indices(pollutant, means)


def _station_frame(
    stations: NDArray[Any], indices: NDArray[np.float64], counts: NDArray[np.int64],
    best: NDArray[np.intp], has_aqi: NDArray[np.bool_],
) -> pd.DataFrame:
    picked = np.arange(len(stations)), best
    values = np.where(has_aqi, indices[picked], np.nan)
    bounds = [row.upper for row in CATEGORIES]
    classes = np.searchsorted(bounds, np.where(has_aqi, values, 0))
    keys = np.array([row.key for row in CATEGORIES], dtype=object)
    names = np.array(POLLUTANTS, dtype=object)
    return pd.DataFrame({
        "station": stations,
        "aqi": pd.array(values, dtype="Int64"),
        "dominant": pd.Series(names[best], dtype="str").where(has_aqi),
        "category": pd.Series(keys[classes], dtype="str").where(has_aqi),
        "n": np.where(has_aqi, counts[picked], 0),
    })
