"""The groups of a dimension as SQL and back: parts of a period, hours and weekdays of an event, codes of a column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from metrics.city.explore.question import DIMENSION, Dimension
from metrics.periods import Period, days_of, months_of, parse_period, weeks_of
from store.days import number_of


@dataclass(frozen=True)
class Parts:
    """The days of a period up to today, and the parts a time dimension cuts them into (one = the whole period without such)."""

    period: Period
    start_on: int
    end_on: int  # the last day that has begun; before start_on when none has
    dimension: Dimension | None
    parts: tuple[Period, ...]

    def ends(self) -> tuple[int, ...]:
        """Last day of each part, today at most."""
        return tuple(min(number_of(part.end_on), self.end_on) for part in self.parts)


def parts_of(period: Period, by: Sequence[str], today: date) -> Parts:
    """The parts a question's time dimension makes of a period. ValueError for two of them."""
    times = [DIMENSION[key] for key in by if DIMENSION[key].kind == "time"]
    if len(times) > 1:
        raise ValueError(f"by: {' and '.join(by)} are both parts of the period; choose one")
    start, end = number_of(period.start_on), min(number_of(period.end_on), number_of(today))
    if not times:
        return Parts(period, start, end, None, (period,))
    return Parts(period, start, end, times[0], tuple(part for part in _cut(period, times[0].key) if part.start_on <= today))


def _cut(period: Period, key: str) -> Sequence[Period]:
    if key == "day":
        return [parse_period(day.isoformat(), day) for day in days_of(period)]
    return (weeks_of if key == "week" else months_of)(period, full_only=False)


def part_sql(parts: Parts, day: str) -> str:
    """SQL for the number of the part that a day number lies in."""
    assert parts.dimension is not None
    if parts.dimension.key == "day":
        return f"({day} - {parts.start_on})"
    if parts.dimension.key == "week":
        return f"(({day} + 3) / 7 - {(parts.start_on + 3) // 7})"
    ends = [number_of(part.end_on) for part in parts.parts]
    cases = " ".join(f"WHEN {day} <= {end} THEN {number}" for number, end in enumerate(ends[:-1]))
    return f"CASE {cases} ELSE {len(ends) - 1} END" if cases else "0"


def weekday_sql(day: str) -> str:
    """SQL for the ISO weekday (1 = Monday) of a day number."""
    return f"(({day} + 3) % 7 + 1)"


def group_of(dimension: Dimension, value: object, parts: Parts, areas: Mapping[str, str], topic: str) -> str:
    """The group a value of the dimension's SQL stands for."""
    if dimension.kind == "time":
        return parts.parts[int(str(value))].text
    if dimension.key == "area" and topic == "dossiers":
        return areas.get(str(value), "")
    return "" if value is None else str(value)
