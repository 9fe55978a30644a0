"""What a city file says of single KPIs: targets with the days they hold, and who answers for a figure.

A number alone holds always; a list holds one row a stretch of time. Which keys there are is known to metrics/kpis, not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

FIELDS = ("value", "from", "to", "source")


@dataclass(frozen=True)
class Target:
    """A target in force from_on..to_on, both days included; None = open. `source` = the document that sets it."""

    value: float
    from_on: date | None = None
    to_on: date | None = None
    source: str = ""

    def holds(self, on: date) -> bool:
        """Is it in force on this day?"""
        return (self.from_on or date.min) <= on <= (self.to_on or date.max)


Targets = Mapping[str, tuple[Target, ...]]  # KPI key -> its targets, oldest first


def target_of(targets: Targets, key: str, on: date) -> float | None:
    """The target in force on a day: of those that hold, the one that began last. None where none holds."""
    held = [target for target in targets.get(key, ()) if target.holds(on)]
    return held[-1].value if held else None


def parse_targets(raw: Any, faults: list[str]) -> dict[str, tuple[Target, ...]]:
    """[targets] of a city file, oldest first. Each fault is added to `faults` with the key and what to write instead."""
    if not isinstance(raw, Mapping):
        faults.append("[targets]: must be a table of KPI key = value")
        return {}
    found = {}
    for key, told in raw.items():
        rows = told if isinstance(told, list) else [{"value": told}]
        read = [_target(row, f"[targets] {key}", faults) for row in rows]
        found[key] = tuple(sorted((row for row in read if row), key=lambda row: row.from_on or date.min))
        _check_order(found[key], f"[targets] {key}", faults)
    return found


def _target(row: Any, where: str, faults: list[str]) -> Target | None:
    if not isinstance(row, Mapping):
        faults.append(f'{where}: {row!r} is no target; write {{ value = 99, from = "2026-01-01" }}')
        return None
    for name in sorted(row.keys() - set(FIELDS)):
        faults.append(f"{where}: unknown setting {name!r}; known: {', '.join(FIELDS)}")
    value = row.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float):
        faults.append(f"{where}: value {value!r} is not a number")
        return None
    first, last = (_day(row.get(name), f"{where}: {name}", faults) for name in ("from", "to"))
    if first and last and last < first:
        faults.append(f"{where}: to {last} lies before from {first}")
    return Target(float(value), first, last, str(row.get("source", "")))


def _day(told: Any, where: str, faults: list[str]) -> date | None:
    """A date of TOML, or a text like one; None when not given."""
    if told is None or (isinstance(told, date) and not isinstance(told, datetime)):
        return told
    try:
        return date.fromisoformat(told)
    except (TypeError, ValueError):
        faults.append(f"{where} {told!r} is no date; write 2026-01-01")
        return None


def _check_order(rows: tuple[Target, ...], where: str, faults: list[str]) -> None:
    """One target a day: a row without `to` holds until the next begins, one with `to` must end before."""
    for earlier, later in pairwise(rows):
        if earlier.from_on == later.from_on:
            faults.append(f"{where}: two targets begin on {later.from_on or 'no day'}; give each a from of its own")
        elif earlier.to_on and later.from_on and earlier.to_on >= later.from_on:
            faults.append(f"{where}: the target until {earlier.to_on} overlaps the one from {later.from_on}")


def parse_owners(raw: Any, faults: list[str]) -> dict[str, str]:
    """[kpis.<key>] owner of a city file: KPI key -> who answers for the figure."""
    if not isinstance(raw, Mapping):
        faults.append('[kpis]: must hold tables like [kpis.dossiers_open] owner = "..."')
        return {}
    found = {}
    for key, told in raw.items():
        if not isinstance(told, Mapping) or told.keys() - {"owner", *CHOSEN} or not isinstance(told.get("owner", ""), str):
            faults.append(f'[kpis.{key}]: knows only owner = "who answers for the figure", and lists of {" and ".join(CHOSEN)}')
        elif told.get("owner"):
            found[key] = told["owner"]
    return found


CHOSEN = ("procedures", "domains")


@dataclass(frozen=True)
class KpiChoice:
    """The procedures and domains a KPI is about, by their codes."""

    procedures: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()


def parse_choices(raw: Any, faults: list[str]) -> dict[str, KpiChoice]:
    """[kpis.<key>] procedures and domains of a city file: KPI key -> what it is about, where anything is named."""
    found = {}
    for key, told in raw.items() if isinstance(raw, Mapping) else ():
        lists = {name: told[name] for name in CHOSEN if name in told} if isinstance(told, Mapping) else {}
        for name, codes in lists.items():
            if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
                faults.append(f"[kpis.{key}] {name}: must be a list of codes")
                lists[name] = []
        if any(lists.values()):
            found[key] = KpiChoice(**{name: tuple(dict.fromkeys(codes)) for name, codes in lists.items()})
    return found
