"""Flows of single days, summed from the day roll-ups and remembered while nothing of that day is folded.

A new dossier touches three or four days: the sums of all others stand, so what a period costs after a commit does not follow its length.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from metrics.city import City

Flows = NDArray[np.int64]  # of one day, in the order of Source.names
MOST_DAYS = 1_000  # remembered of one choice


@dataclass(frozen=True)
class Source:
    """Which cells of a topic's roll-up are summed: those `where` keeps, with its values; `choice` names them."""

    topic: str
    table: str
    names: tuple[str, ...]
    choice: Hashable
    where: str
    values: Mapping[str, Any]

    def summed(self, days: Iterable[Flows]) -> dict[str, int]:
        """Every flow over these days."""
        rows = list(days)
        total = np.sum(rows, axis=0).tolist() if rows else [0] * len(self.names)
        return dict(zip(self.names, total, strict=True))


def read(connection: Connection, city: City, source: Source, start_on: int, end_on: int) -> dict[int, Flows]:
    """Flows of each of the days start_on..end_on that ever had any, in order of days."""
    known = _known(city, source)
    revisions = _revisions(connection, source.topic, start_on, end_on)  # before the sums: what is folded in between is read again
    found = {on: one for on, revision in revisions.items() if (one := known.get(on)) and one[0] == revision}
    fresh = _read(connection, source, sorted(revisions.keys() - found.keys()))
    none = np.zeros(len(source.names), dtype=np.int64)
    found |= {on: (revision, fresh.get(on, none)) for on, revision in revisions.items() if on not in found}
    if len(known) > MOST_DAYS:
        known.clear()
    known.update(found)
    return {on: found[on][1] for on in sorted(found)}


def _known(city: City, source: Source) -> dict[int, tuple[int, Flows]]:
    """Day -> its revision and flows, as remembered for these rights; a City nobody shares remembers for itself."""
    key = ("day flows", source.topic, source.choice)
    if city.remembered is None:
        own: dict[int, tuple[int, Flows]] = city.memo.setdefault(key, {})
        return own
    known: dict[int, tuple[int, Flows]] = city.once(*key, make=dict)
    return known


def _revisions(connection: Connection, topic: str, start_on: int, end_on: int) -> dict[int, int]:
    """How often each of the days has been folded."""
    rows = connection.execute(
        text("SELECT day, revision FROM ops_folded_day WHERE topic = :topic AND day BETWEEN :start AND :end"),
        {"topic": topic, "start": start_on, "end": end_on},
    ).all()
    return {int(day): int(revision) for day, revision in rows}


def _read(connection: Connection, source: Source, days: Sequence[int]) -> dict[int, Flows]:
    if not days:
        return {}
    is_dense = days[-1] - days[0] < 2 * len(days)
    chosen = "BETWEEN :first AND :last" if is_dense else f"IN ({', '.join(map(str, days))})"
    bounds = {"first": days[0], "last": days[-1]} if is_dense else {}
    sums = ", ".join(f"sum({name})" for name in source.names)
    rows = connection.execute(
        text(f"SELECT day, {sums} FROM {source.table} WHERE day {chosen}{source.where} GROUP BY day"), {**bounds, **source.values}
    ).all()
    return {int(row[0]): np.array([int(value) for value in row[1:]], dtype=np.int64) for row in rows}
