"""Which readings are not believed: rules as data rows, and the pure function that applies one to a stretch of one datastream.

Values no instrument can give are refused on the way in (data_sources/sensors/limits.py); these rules mark what landed but is not
credible: out of the range of the country's climate, stuck, a spike. A flag depends on the values around it alone, never on other
flags nor on the order of arrival; how far around says `reach`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from store.days import HOUR
from store.flags import OUT_OF_RANGE, SOUND, SPIKE, STUCK

SPIKE_HOURS = 2  # neighbours of a reading: those at most so far before and after it
SPIKE_NEIGHBOURS = 2  # so many are needed on either side; until they are there a reading passes
MAD_TO_SIGMA = 1.4826  # median absolute deviation -> standard deviation of normal noise
MEMORY = "engineering judgement for Vietnam's climate; no standard sets it"


@dataclass(frozen=True)
class Rule:
    """What is believed of one property in one measure unit; a None switches that check off.

    least..most: credible values. stuck_hours: so many whole hours in a row with readings, all of one value, are stuck; not at a
    `resting` value (no wind, air saturated). jump: a spike differs from the median of its neighbours by more than this AND by more
    than `times` their robust spread (median absolute deviation as standard deviation).
    """

    property: str
    measure_unit: str
    least: float | None = None
    most: float | None = None
    stuck_hours: int | None = None
    resting: float | None = None
    jump: float | None = None
    times: float = 6.0
    source: str = MEMORY
    verified: bool = False


def reach(rule: Rule) -> int:
    """Hours a changed reading can change flags before and after itself; a flag is judged by the reach around it."""
    return max(rule.stuck_hours or 0, SPIKE_HOURS)


STUCK_LEAST = 5  # shorter runs say nothing, and the fold looks for runs of this length first
RULES: tuple[Rule, ...] = (
    Rule("pm25", "µg/m³", most=900.0, stuck_hours=6, resting=0.0, jump=150.0),
    Rule("pm10", "µg/m³", most=1500.0, stuck_hours=6, resting=0.0, jump=300.0),
    Rule("no2", "µg/m³", most=2000.0, stuck_hours=8, resting=0.0, jump=250.0),
    Rule("so2", "µg/m³", most=2000.0, stuck_hours=12, resting=0.0, jump=300.0),
    Rule("o3", "µg/m³", most=800.0, stuck_hours=8, resting=0.0, jump=250.0),
    Rule("co", "µg/m³", most=60_000.0, stuck_hours=8, resting=0.0, jump=15_000.0),
    Rule("temp", "°C", -7.0, 46.0, stuck_hours=12, jump=12.0, source="national records of -6 and 44.2 °C and a margin"),
    Rule("rh", "%", 5.0, 105.0, stuck_hours=24, resting=100.0, jump=50.0),
    Rule("wind", "m/s", most=75.0, stuck_hours=12, resting=0.0, jump=30.0),
    Rule("pressure", "hPa", 700.0, 1060.0, stuck_hours=24, jump=25.0),
    Rule("level", "m", jump=2.5, times=8.0),
    Rule("ph", "pH", 2.0, 12.0, stuck_hours=24, jump=3.0),
    Rule("turbidity", "NTU", stuck_hours=24, resting=0.0),
    Rule("traffic_flow", "veh/h", stuck_hours=12, resting=0.0),
    Rule("soil_moisture", "%", 0.0, 100.0, jump=30.0),
    Rule("soil_temp", "°C", -2.0, 65.0, jump=15.0),
)
NO_RULE = Rule("", "")  # of what no row names: nothing is flagged, and what was under another description is taken back
RULE_OF: Mapping[tuple[str, str], Rule] = {(rule.property, rule.measure_unit): rule for rule in RULES}


@dataclass(frozen=True)
class Hours:
    """Hours of datastreams, in order of stretch and hour: stretch, number, lowest and highest of all readings, how many are flagged now."""

    stretch: NDArray[np.int64]
    hour: NDArray[np.int64]
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]
    flagged: NDArray[np.int64]

    def of(self, stretch: int) -> Hours:
        """Those of one stretch."""
        part = slice(*np.searchsorted(self.stretch, (stretch, stretch + 1)).tolist())
        return Hours(self.stretch[part], self.hour[part], self.lowest[part], self.highest[part], self.flagged[part])


def suspects(rules: Sequence[Rule], hours: Hours) -> list[int]:
    """The stretches in which a flag may have to be set or taken back, told from their hours alone; rules[n] = that of stretch n.

    The hours must reach 2 x SPIKE_HOURS before and after what has changed: a run of stuck hours that holds one of the changed hours
    shows at least STUCK_LEAST of its hours there.
    """
    if not len(hours.hour):
        return []
    numbers, first = np.unique(hours.stretch, return_index=True)
    own = [rules[number] for number in numbers.tolist()]
    low, high = np.minimum.reduceat(hours.lowest, first), np.maximum.reduceat(hours.highest, first)
    least, most, jump = (_bounds(own, name, missing) for name, missing in (("least", -np.inf), ("most", np.inf), ("jump", np.inf)))
    found = np.logical_or.reduceat(hours.flagged > 0, first) | (low < least) | (high > most) | (high - low > jump)
    still = _goes_on(hours)
    for _ in range(STUCK_LEAST - 2):
        still = still[1:] & still[:-1]
    starts = np.flatnonzero(still)
    place = np.searchsorted(numbers, hours.stretch[starts])
    moves = hours.lowest[starts] != _bounds(own, "resting", np.nan)[place]
    found[place[moves & np.isfinite(_bounds(own, "stuck_hours", np.inf))[place]]] = True
    return [int(number) for number in numbers[found]]


def _bounds(rules: Sequence[Rule], name: str, missing: float) -> NDArray[np.float64]:
    values = (getattr(rule, name) for rule in rules)
    return np.array([missing if value is None else value for value in values], dtype=np.float64)


def _goes_on(hours: Hours) -> NDArray[np.bool_]:
    """Of each hour but the last: does the next one follow on it, both knowing one value only, the same?"""
    low, flat = hours.lowest, hours.lowest == hours.highest
    follows = (np.diff(hours.hour) == 1) & (np.diff(hours.stretch) == 0)
    return np.asarray(flat[1:] & flat[:-1] & (low[1:] == low[:-1]) & follows)


def stuck_hours(rule: Rule, hours: Hours) -> frozenset[int]:
    """The hours of one datastream in which it is stuck; they must reach `reach` beyond any that is asked about."""
    if rule.stuck_hours is None or not len(hours.hour):
        return frozenset()
    cuts = np.flatnonzero(~_goes_on(hours)) + 1
    found: list[int] = []
    for start, end in zip([0, *cuts.tolist()], [*cuts.tolist(), len(hours.hour)], strict=True):
        if end - start >= rule.stuck_hours and float(hours.lowest[start]) != rule.resting:
            found += hours.hour[start:end].tolist()
    return frozenset(found)


def flags(rule: Rule, at: NDArray[np.int64], values: NDArray[np.float64], stuck: Collection[int]) -> NDArray[np.int64]:
    """The flag of each reading of one datastream, in order of instant; out of range first, then stuck (by hour), then spike."""
    found = np.full(len(at), SOUND, dtype=np.int64)
    for place in _spikes(rule, at, values):
        found[place] = SPIKE
    if stuck:
        found[np.isin(at // HOUR, list(stuck))] = STUCK
    if rule.least is not None:
        found[values < rule.least] = OUT_OF_RANGE
    if rule.most is not None:
        found[values > rule.most] = OUT_OF_RANGE
    return found


def _spikes(rule: Rule, at: NDArray[np.int64], values: NDArray[np.float64]) -> Iterator[int]:
    """Places of readings that stand out from their neighbours on both sides."""
    if rule.jump is None or not len(at) or float(values.max() - values.min()) <= rule.jump:
        return
    before = np.searchsorted(at, at - SPIKE_HOURS * HOUR, "left")
    after = np.searchsorted(at, at + SPIKE_HOURS * HOUR, "right")
    places = np.arange(len(at))
    for place in np.flatnonzero((places - before >= SPIKE_NEIGHBOURS) & (after - places - 1 >= SPIKE_NEIGHBOURS)):
        around = np.concatenate((values[before[place]:place], values[place + 1:after[place]]))
        gap = abs(float(values[place]) - float(np.median(around)))
        if gap <= rule.jump:
            continue
        spread = MAD_TO_SIGMA * float(np.median(np.abs(around - np.median(around))))
        if gap > rule.times * spread:
            yield int(place)
