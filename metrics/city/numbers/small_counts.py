"""Small cells: counts of 1 to 4 in a breakdown are withheld from readers without see.small_counts, and cannot be computed from the rest.

A withheld cell is never 0: 0 is published. Beside a lone small cell the smallest larger ones are withheld too, until the total leaves
at least two possible values for each small one, even to a reader who knows this rule. What one answer publishes is protected so; figures
put together from several answers under different filters are not (docs/privacy.md).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from metrics.kpis import Kpi
from scope import Scope

LEAST = 5
SUPPRESSED, WITHHELD = "suppressed", "withheld"  # smaller than LEAST, shown "<5"; not small, but it would tell of one that is


@dataclass(frozen=True)
class Cells:
    """Which cells of a breakdown are not told. tells_all: even with all of them hidden the total gives one away, so it must go too."""

    small: frozenset[str] = frozenset()
    beside: frozenset[str] = frozenset()
    tells_all: bool = False


def withhold(counts: Mapping[str, int]) -> Cells:
    """The cells to hide in counts whose sum is published."""
    small = {key: n for key, n in counts.items() if 0 < n < LEAST}
    if not small:
        return Cells()
    larger = sorted((n, key) for key, n in counts.items() if n >= LEAST)
    for taken in range(len(larger) + 1):
        hidden = [n for n, _ in larger[:taken]]
        highest = larger[taken][0] if taken < len(larger) else None
        if _is_open(len(small), taken, sum(small.values()) + sum(hidden), highest):
            return Cells(frozenset(small), frozenset(key for _, key in larger[:taken]))
    return Cells(frozenset(small), frozenset(key for _, key in larger), tells_all=True)


def _is_open(small: int, beside: int, total: int, highest: int | None) -> bool:
    """Has each of `small` cells (1..4) two or more possible values, when they and `beside` cells (5..highest) sum to `total`?"""
    most = total if highest is None else highest
    low = max(1, total - (LEAST - 1) * (small - 1) - most * beside)
    high = min(LEAST - 1, total - (small - 1) - LEAST * beside)
    return high > low


def states(row: Kpi, answers: Mapping[str, tuple[float | None, int]]) -> dict[str, str]:
    """Group -> SUPPRESSED or WITHHELD, for the groups of a KPI's (value, n) that are not told; a share hides with its parts."""
    found = [withhold(counts) for counts in _counts(row, answers)]
    beside = dict.fromkeys((key for cells in found for key in cells.beside), WITHHELD)
    return beside | dict.fromkeys((key for cells in found for key in cells.small), SUPPRESSED)


def total_tells(row: Kpi, answers: Mapping[str, tuple[float | None, int]]) -> bool:
    """Would the KPI's total give away a group, whatever is hidden?"""
    return any(withhold(counts).tells_all for counts in _counts(row, answers))


def is_small(row: Kpi, value: float | None, n: int) -> bool:
    """Does this figure rest on 1 to 4 of anything?"""
    return any(0 < count < LEAST for counts in _counts(row, {"": (value, n)}) for count in counts.values())


def least_count(row: Kpi, value: float | None, n: int) -> int:
    """The smallest count above 0 that this figure tells; 0 when it tells none."""
    return min((count for counts in _counts(row, {"": (value, n)}) for count in counts.values() if count > 0), default=0)


def _counts(row: Kpi, answers: Mapping[str, tuple[float | None, int]]) -> Iterable[dict[str, int]]:
    """The counts a KPI's figures tell: n; for a share how many are in it and how many are not; for a count itself."""
    if row.topic not in ("dossiers", "reports"):
        return
    yield {key: n for key, (_, n) in answers.items()}
    known = {key: (value, n) for key, (value, n) in answers.items() if value is not None}
    if row.measure_unit == "percent":
        part = {key: round(value * n / 100) for key, (value, n) in known.items()}
        yield part
        yield {key: n - part[key] for key, (_, n) in known.items()}
    elif row.measure_unit in ("dossier", "report"):
        yield {key: round(value) for key, (value, _) in known.items()}


def sees_all(scope: Scope) -> bool:
    """May this reader see small counts?"""
    return scope.permits("see.small_counts")


def in_subtree(code: str, hidden: Collection[str]) -> bool:
    """Is `code`, or anything below it by dots, among the hidden ones?"""
    return any(one == code or one.startswith(code + ".") for one in hidden)
