"""What the steps of dossiers tell of their way: stretches from step to step, time per step, loops, variants. Pure.

A step is known by its instant alone, so a stretch runs from a step to the next one (the last: to the dossier's end, or to now).
Time inside the stops is waiting for the applicant, the rest of the working time is work.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from metrics.worktime import Stop, WorkCalendar, full_day_seconds, working_seconds
from store.days import moment

BEFORE_FIRST = -1  # status of the stretch from receipt to the first step
VARIANTS, SLOWEST = 8, 3


class StepAt(NamedTuple):
    """One step as it stands in the store."""

    at: int
    name: str
    department: str
    status: int


class StepKey(NamedTuple):
    """What steps are told apart by: the office's words, or the status where there are none."""

    name: str
    status: int


@dataclass(frozen=True)
class Stretch:
    """From one step to the next, in working days; end_at None = it still runs."""

    name: str
    department: str
    status: int
    start_at: int
    end_at: int | None
    worked_days: float
    waited_days: float

    @property
    def key(self) -> StepKey:
        """What its step is told apart by."""
        return StepKey(self.name, 0) if self.name else StepKey("", self.status)


def stretches(
    calendar: WorkCalendar, received_at: int, until_at: int, is_ended: bool, steps: Iterable[StepAt], stops: Sequence[Stop],
) -> tuple[Stretch, ...]:
    """The way of a dossier from receipt to its end or to now; earlier steps count as taken at receipt, later ones are left out.

    ValueError and OverflowError as of metrics.worktime, for instants no calendar reaches.
    """
    known = [step._replace(at=max(step.at, received_at)) for step in steps if step.at <= until_at]
    if not known or known[0].at > received_at:
        known.insert(0, StepAt(received_at, "", "", BEFORE_FIRST))
    ends = [*(step.at for step in known[1:]), until_at]
    found = []
    for number, (step, end) in enumerate(zip(known, ends, strict=True)):
        worked, waited = _spent(calendar, step.at, end, stops)
        runs = not is_ended and number == len(known) - 1
        found.append(Stretch(step.name, step.department, step.status, step.at, None if runs else end, worked, waited))
    return tuple(found)


def _spent(calendar: WorkCalendar, start_at: int, end_at: int, stops: Sequence[Stop]) -> tuple[float, float]:
    """(worked, waited) working days of a stretch."""
    if end_at <= start_at:
        return 0.0, 0.0
    day, start, end = full_day_seconds(calendar), moment(start_at), moment(end_at)
    whole = working_seconds(calendar, start, end)
    worked = working_seconds(calendar, start, end, stops) if stops else whole
    return worked / day, (whole - worked) / day


# ---- many dossiers ----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Way:
    """One finished dossier with its stretches; calendar_days = from receipt to end by the clock on the wall."""

    feed: str
    source_id: str
    calendar_days: float
    stretches: tuple[Stretch, ...]

    @property
    def worked_days(self) -> float:
        """Working days without the stops."""
        return sum(one.worked_days for one in self.stretches)

    @property
    def waited_days(self) -> float:
        """Working days inside the stops."""
        return sum(one.waited_days for one in self.stretches)


@dataclass(frozen=True)
class Slow:
    """A dossier that spent long after a step."""

    feed: str
    source_id: str
    days: float


@dataclass(frozen=True)
class StepTime:
    """One step in a sample: in how many dossiers, how often, working days until the next step, its shares of all work and all waiting.

    waited_median: of the times with waiting only, 0 without any.
    """

    name: str
    status: int
    dossiers: int
    times: int
    median_days: float
    p90_days: float
    waited_median: float
    worked_share: float
    waited_share: float
    slowest: tuple[Slow, ...]


@dataclass(frozen=True)
class Loop:
    """A step some dossiers come back to: how many do, how often at most, and the median of days from its first time to its last."""

    name: str
    status: int
    dossiers: int
    most_times: int
    median_days: float


@dataclass(frozen=True)
class Variant:
    """One order of steps: how many dossiers took it, and the median of their working days. Steps in a row of one name are one."""

    path: tuple[StepKey, ...]
    n: int
    median_days: float


@dataclass(frozen=True)
class Process:
    """What a sample of dossiers spent where; days are working days, shares are percent of the sample's sum (0 when that is 0)."""

    n: int
    worked_median: float
    worked_p90: float
    calendar_median: float
    worked_total: float
    waited_total: float
    waiting_dossiers: int
    steps: tuple[StepTime, ...]
    loops: tuple[Loop, ...]
    variants: tuple[Variant, ...]
    variant_count: int


def process_of(ways: Sequence[Way]) -> Process | None:
    """The process of a sample; None without any dossier. Steps: most work first; loops and variants: most dossiers first."""
    if not ways:
        return None
    worked = np.array([way.worked_days for way in ways])
    waited = np.array([way.waited_days for way in ways])
    variants = _variants(ways, worked)
    return Process(
        len(ways), _at(worked, 0.5), _at(worked, 0.9), _at([way.calendar_days for way in ways], 0.5), float(worked.sum()),
        float(waited.sum()), int((waited > 0).sum()), _step_times(ways, float(worked.sum()), float(waited.sum())), _loops(ways),
        variants[:VARIANTS], len(variants),
    )


def quartiles(days: Sequence[float]) -> tuple[float, float, float]:
    """Lower quartile, median, upper quartile of at least one value, linear between neighbours."""
    low, median, high = np.quantile(days, (0.25, 0.5, 0.75))
    return float(low), float(median), float(high)


def _at(days: Sequence[float] | np.ndarray, share: float) -> float:
    return float(np.quantile(days, share))


def _step_times(ways: Sequence[Way], worked: float, waited: float) -> tuple[StepTime, ...]:
    spent: dict[StepKey, list[tuple[float, Way]]] = defaultdict(list)
    waits: dict[StepKey, list[float]] = defaultdict(list)
    for way in ways:
        for one in way.stretches:
            spent[one.key].append((one.worked_days, way))
            if one.waited_days > 0:
                waits[one.key].append(one.waited_days)
    found = [_step_time(key, times, worked, waits[key], waited) for key, times in spent.items()]
    return tuple(sorted(found, key=lambda row: (-row.worked_share, row.name, row.status)))


def _step_time(key: StepKey, times: Sequence[tuple[float, Way]], worked: float, waits: Sequence[float], waited: float) -> StepTime:
    days = [spent for spent, _ in times]
    slowest = sorted(times, key=lambda row: (-row[0], row[1].feed, row[1].source_id))[:SLOWEST]
    return StepTime(
        key.name, key.status, len({(way.feed, way.source_id) for _, way in times}), len(times), _at(days, 0.5), _at(days, 0.9),
        _at(waits, 0.5) if waits else 0.0, _percent(sum(days), worked), _percent(sum(waits), waited),
        tuple(Slow(way.feed, way.source_id, spent) for spent, way in slowest if spent > 0),
    )


def _percent(part: float, whole: float) -> float:
    return 100.0 * part / whole if whole > 0 else 0.0


def _loops(ways: Sequence[Way]) -> tuple[Loop, ...]:
    """Steps that come again after another step has stood between: the same words twice in a row are no way back."""
    found: dict[StepKey, list[tuple[int, float]]] = defaultdict(list)
    for way in ways:
        for key, times in Counter(_path(way)).items():
            if times > 1:
                found[key].append((times, _between(way, key)))
    rows = [Loop(key.name, key.status, len(seen), max(times for times, _ in seen), _at([days for _, days in seen], 0.5))
            for key, seen in found.items()]
    return tuple(sorted(rows, key=lambda row: (-row.dossiers, row.name, row.status)))


def _between(way: Way, key: StepKey) -> float:
    """Working days, waiting with them, from the first time of a step to its last."""
    places = [place for place, one in enumerate(way.stretches) if one.key == key]
    return sum(one.worked_days + one.waited_days for one in way.stretches[places[0] : places[-1]])


def _path(way: Way) -> tuple[StepKey, ...]:
    """The steps in order, those in a row of one name once, without the stretch before the first."""
    keys = [one.key for one in way.stretches if one.status != BEFORE_FIRST]
    return tuple(key for place, key in enumerate(keys) if place == 0 or keys[place - 1] != key)


def _variants(ways: Sequence[Way], worked: np.ndarray) -> tuple[Variant, ...]:
    found: dict[tuple[StepKey, ...], list[float]] = defaultdict(list)
    for way, days in zip(ways, worked, strict=True):
        found[_path(way)].append(float(days))
    rows = (Variant(path, len(days), _at(days, 0.5)) for path, days in found.items())
    return tuple(sorted(rows, key=lambda row: (-row.n, row.path)))
