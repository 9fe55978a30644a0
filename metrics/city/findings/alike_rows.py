"""Reports read for what they have in common: where and when of all of a few days, everything of a few, the pairs among them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, text

from metrics.alike import METRES_PER_DEGREE, Pairs, Placed, Reach, alike, columns_of, pairs, strength, words_of
from metrics.city import City
from metrics.city.lists.paging import Row
from metrics.city.numbers.sums import NOTHING_CHOSEN, Choice, conditions
from store.same import BATCH, Key


@dataclass(frozen=True)
class Likely:
    """A pair that may be of one thing: the report that came later, the earlier one, how alike they are (0..1)."""

    later: Key
    earlier: Key
    strength: float


@dataclass(frozen=True)
class Window:
    """The pairs whose later report came in a period, the most alike first; how many reports came then, and how many have a place."""

    pairs: tuple[Likely, ...]
    reports: int
    placed: int


def count(connection: Connection, city: City, start_on: int, end_on: int, choice: Choice) -> int:
    """Reports received in days of this scope and choice."""
    where, values = conditions(city.scope, "reports", choice, "d.")
    statement = text(f"SELECT count(*) FROM core_report d WHERE d.received_on BETWEEN :start AND :end{where}")
    return int(connection.execute(statement, {"start": start_on, "end": end_on, **values}).scalar_one())


def find(connection: Connection, city: City, start_on: int, end_on: int, choice: Choice, reach: Reach, *, reads: bool) -> Window:
    """The pairs of days; the choice is of the later report. reads = what texts share counts."""
    rows, chosen = _placed(connection, city, start_on, end_on, choice, reach)
    found = pairs(columns_of(rows, reach), reach.days)
    found = found.take(np.flatnonzero(np.array(chosen, np.bool_)[found.later]))
    likely = _likely(connection, rows, found, reach, reads=reads)
    return Window(likely, count(connection, city, start_on, end_on, choice), sum(chosen))


def around(connection: Connection, city: City, row: Row, reach: Reach, *, reads: bool) -> tuple[Likely, ...]:
    """The pairs one report is in, before or after it."""
    if row["received_on"] is None or row["lon"] is None or row["lat"] is None:
        return ()
    on, days, key = int(row["received_on"]), int(reach.days) + 1, (row["feed"], row["source_id"])
    widest = max([reach.radius_m, *reach.by_category.values()])
    step = widest / METRES_PER_DEGREE
    wide = step / max(0.05, float(np.cos(np.radians(row["lat"]))))
    box = (row["lon"] - wide, row["lat"] - step, row["lon"] + wide, row["lat"] + step)
    rows, _ = _placed(connection, city, on, on + days, NOTHING_CHOSEN, reach, box)
    found = pairs(columns_of(rows, reach), reach.days)
    mine = [key in (_key(rows[one]), _key(rows[other])) for one, other in zip(found.later.tolist(), found.earlier.tolist(), strict=True)]
    return _likely(connection, rows, found.take(np.flatnonzero(np.array(mine, np.bool_))), reach, reads=reads)


def whole(connection: Connection, city: City, keys: Sequence[Key], choice: Choice = NOTHING_CHOSEN) -> dict[Key, Row]:
    """Those of these reports that are in the scope and the choice, with all their columns."""
    own, values = conditions(city.scope, "reports", choice, "d.")
    return {
        (row["feed"], row["source_id"]): dict(row) for row in _by_key(connection, "d.*", keys, own, values)
    }


def _placed(
    connection: Connection, city: City, start_on: int, end_on: int, choice: Choice, reach: Reach,
    box: tuple[float, float, float, float] | None = None,
) -> tuple[list[Placed], list[bool]]:
    """Reports with a point, in the order they came, of the days and of as many before as a pair may span; and which are of the days and
    the choice."""
    own, values = conditions(city.scope, "reports", NOTHING_CHOSEN, "d.")
    asked, more = conditions(city.scope, "reports", choice, "d.")
    inside = " AND d.lon BETWEEN :west AND :east AND d.lat BETWEEN :south AND :north" if box else ""
    values.update(more, start=start_on, end=end_on, since=start_on - int(reach.days) - 1)
    values.update(zip(("west", "south", "east", "north"), box, strict=True) if box else ())
    rows = connection.execute(
        text(
            "SELECT d.feed, d.source_id, d.received_at, d.closed_at, d.lon, d.lat, d.category_code, coalesce(c.group_name, ''), "
            f"CASE WHEN d.received_on >= :start{asked} THEN 1 ELSE 0 END FROM core_report d "
            "LEFT JOIN core_category c ON c.code = d.category_code WHERE d.received_on BETWEEN :since AND :end "
            f"AND d.lon IS NOT NULL AND d.lat IS NOT NULL AND d.received_at IS NOT NULL{inside}{own} "
        ),
        values,
    ).all()
    told = sorted(rows, key=lambda row: (row[2], row[0], row[1]))
    return [Placed(*row[:8]) for row in told], [bool(row[8]) for row in told]


def _likely(connection: Connection, rows: Sequence[Placed], found: Pairs, reach: Reach, *, reads: bool) -> tuple[Likely, ...]:
    later, earlier = found.later.tolist(), found.earlier.tolist()
    texts: list[float | None] = [None] * len(found)
    if reads:
        keys = [_key(rows[row]) for row in sorted({*later, *earlier})]
        words = {_key_of(row): words_of(row["description"]) for row in _by_key(connection, "d.feed, d.source_id, d.description", keys)}
        texts = [alike(words[_key(rows[one])], words[_key(rows[other])]) for one, other in zip(later, earlier, strict=True)]
    radius = np.array([reach.of(rows[row].category) for row in later], np.float64)
    force = strength(found.metres, radius, found.hours, reach.days, found.is_same_category.tolist(), texts).tolist()
    likely = [Likely(_key(rows[a]), _key(rows[b]), round(c, 4)) for a, b, c in zip(later, earlier, force, strict=True)]
    return tuple(sorted(likely, key=lambda one: (-one.strength, one.later, one.earlier)))


def _by_key(
    connection: Connection, columns: str, keys: Sequence[Key], where: str = "", values: dict[str, Any] | None = None
) -> Iterator[Any]:
    statement = text(f"SELECT {columns} FROM core_report d WHERE d.feed = :of_feed AND d.source_id IN :ids{where}")
    statement = statement.bindparams(bindparam("ids", expanding=True))
    for feed in sorted({feed for feed, _ in keys}):
        ids = sorted({source_id for own, source_id in keys if own == feed})
        for start in range(0, len(ids), BATCH):
            told = {**(values or {}), "of_feed": feed, "ids": ids[start : start + BATCH]}
            yield from connection.execute(statement, told).mappings()


def _key(row: Placed) -> Key:
    return row.feed, row.source_id


def _key_of(row: Any) -> Key:
    return row["feed"], row["source_id"]
