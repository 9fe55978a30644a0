"""From sums per cell to the rows of an answer: groups after the first few in one row, totals that add up, every formula over sums.

Pure: a share is never averaged; the total of a share is the formula over the summed flows, that of a stock along time its last part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from metrics.city.explore.measures import Measure
from metrics.city.explore.question import OTHERS, TOTAL, Dimension
from metrics.kpis import Sums

Groups = tuple[str, ...]
Values = tuple[float | None, ...]
Added = Mapping[Groups, Values]
MERGES: Mapping[str, Callable[[float, float], float]] = {"low": min, "high": max}  # columns of readings; all others add up


@dataclass(frozen=True)
class Sheet:
    """Sums of one period: flows per cell, stocks per cell (with TOTAL along time: at the period's end), and what they are called."""

    flow_names: tuple[str, ...]
    stock_names: tuple[str, ...]
    flows: Added
    stocks: Added

    def sums(self, groups: Groups, rule: str) -> Sums:
        """Everything a formula needs of one cell; nothing of a cell that has nothing."""
        flows = dict(zip(self.flow_names, self.flows.get(groups, (0,) * len(self.flow_names)), strict=True))
        stocks = dict(zip(self.stock_names, self.stocks.get(groups, (0,) * len(self.stock_names)), strict=True))
        return Sums(flows, stocks, rule)  # type: ignore[arg-type]


def value_of(measure: Measure, sheet: Sheet, groups: Groups, rule: str) -> tuple[float | None, int]:
    """A measure's value and n in one cell; withheld below its least n."""
    assert measure.formula is not None
    value, n = measure.formula(sheet.sums(groups, rule))
    return (value if n >= (measure.kpi.min_n if measure.kpi else 0) else None), n


def summed(sheet: Sheet, dimensions: Sequence[Dimension]) -> Sheet:
    """The sheet with every total added: over each dimension, and over both."""
    flows, stocks = dict(sheet.flows), dict(sheet.stocks)
    for size in range(1, len(dimensions) + 1):
        for places in combinations(range(len(dimensions)), size):
            _add_totals(flows, sheet.flows, places, sheet.flow_names)
            timeless = tuple(place for place in places if dimensions[place].kind != "time")
            timed = [place for place in places if dimensions[place].kind == "time"]
            ends = {key: one for key, one in sheet.stocks.items() if all(key[place] == TOTAL for place in timed)}
            if timeless:  # a stock adds up over places, along time its end is already there
                if not timed:
                    ends = {key: one for key, one in ends.items() if TOTAL not in key}
                _add_totals(stocks, ends, timeless, sheet.stock_names)
    return Sheet(sheet.flow_names, sheet.stock_names, flows, stocks)


def _add_totals(into: dict[Groups, Values], cells: Added, places: Sequence[int], names: Sequence[str]) -> None:
    merged: dict[Groups, Values] = {}
    for groups, values in cells.items():
        merge(merged, tuple(TOTAL if place in places else one for place, one in enumerate(groups)), values, names)
    into.update(merged)


def merge(into: dict[Groups, Values], groups: Groups, values: Values, names: Sequence[str]) -> None:
    """Add one cell to another of the same groups; an unknown part makes an unknown sum."""
    held = into.get(groups)
    into[groups] = values if held is None else tuple(
        _merged(name, a, b) for name, a, b in zip(names, held, values, strict=True)
    )


def _merged(name: str, a: float | None, b: float | None) -> float | None:
    if name in MERGES:  # where nothing was measured there is no lowest
        return MERGES[name](a, b) if a is not None and b is not None else b if a is None else a
    return None if a is None or b is None else a + b


def folded(sheet: Sheet, kept: Sequence[frozenset[str] | None]) -> Sheet:
    """The sheet with groups that are not among the kept ones of their dimension (None = all) in one group, OTHERS."""
    if all(one is None for one in kept):
        return sheet

    def of(groups: Groups) -> Groups:
        return tuple(one if own is None or one == TOTAL or one in own else OTHERS for one, own in zip(groups, kept, strict=True))

    flows: dict[Groups, Values] = {}
    stocks: dict[Groups, Values] = {}
    for groups, values in sheet.flows.items():
        merge(flows, of(groups), values, sheet.flow_names)
    for groups, held in sheet.stocks.items():
        merge(stocks, of(groups), held, sheet.stock_names)
    return Sheet(sheet.flow_names, sheet.stock_names, flows, stocks)


def ranked(sheet: Sheet, place: int, size: int, measure: Measure, rule: str) -> list[str]:
    """Groups of one dimension of a summed sheet, the highest value of the measure first; those without a value last."""
    groups = {key[place] for key in (*sheet.flows, *sheet.stocks)} - {TOTAL, OTHERS}

    def rank(group: str) -> tuple[bool, float, str]:
        key = tuple(group if number == place else TOTAL for number in range(size))
        value, _ = value_of(measure, sheet, key, rule)
        return value is None, -(value or 0.0), group

    return sorted(groups, key=rank)
