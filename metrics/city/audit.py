"""The audit trail as auditors read it: entries newest first, and whether its chain still holds.

It cannot be cut by agency or area, so only whoever may see the whole city may read it. Reading it is in the trail too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from metrics.city import City
from metrics.city.lists.paging import LIMIT, MAX_LIMIT
from metrics.city.sights import Sight, subjects_of, told_filter
from metrics.periods import Period
from scope import Forbidden
from store import audit
from store.audit import ACTIONS, AuditFilter, AuditRow
from store.days import number_of

CHECKED_ROWS = 100_000  # what one check looks at, newest rows: two seconds; `cli.py doctor` looks at all
MAX_CURSOR = 2**63


@dataclass(frozen=True)
class TrailFilter:
    """Which entries; empty = all. subject = a record's number or what else the trail names; the period is about the day it happened."""

    actor: str = ""
    action: str = ""
    kind: str = ""
    subject: str = ""
    period: Period | None = None


@dataclass(frozen=True)
class TrailItem:
    """One entry. `done_at` microseconds UTC; `detail` = its JSON text, '' for nothing."""

    seq: int
    done_at: int
    actor: str
    address: str
    action: str
    kind: str
    subject: str
    detail: str
    hash: str


@dataclass(frozen=True)
class TrailPage:
    """Entries of one page, and the cursor of the next ('' = none)."""

    rows: tuple[TrailItem, ...]
    next_cursor: str


@dataclass(frozen=True)
class Check:
    """What the last check found: rows first..last hold, or `fault` (a key of the texts audit.fault.*) at row `broken`."""

    at: int
    actor: str
    first: int
    last: int
    fault: str = ""
    broken: int = 0


NO_FILTER = TrailFilter()


def read(city: City, chosen: TrailFilter = NO_FILTER, *, limit: int = LIMIT, cursor: str = "") -> TrailPage:
    """One page, newest first. Requires see.audit over the whole city; ValueError for an unknown action, a bad cursor or limit."""
    _require(city)
    if not 1 <= limit <= MAX_LIMIT:
        raise ValueError(f"limit: {limit} is not between 1 and {MAX_LIMIT}")
    rows = audit.read(city.store, _filter(city, chosen), limit + 1, _place(cursor))
    told = {
        "actor": chosen.actor, "action": chosen.action, "kind": chosen.kind, "subject": chosen.subject,
        "period": chosen.period.text if chosen.period else "",
    }
    city.sights.append(Sight("audit.view", "audit", "", told_filter(told, found=bool(rows))))
    return TrailPage(_items(rows[:limit]), str(rows[limit - 1].seq) if len(rows) > limit else "")


def every(city: City, chosen: TrailFilter = NO_FILTER) -> Iterator[tuple[TrailItem, ...]]:
    """All entries of the filter that exist now, a page at a time: what exports write. Requires export too."""
    _require(city)
    city.scope.require("export")
    wanted, before = _filter(city, chosen), audit.head(city.store).seq + 1
    while True:
        rows = audit.read(city.store, wanted, MAX_LIMIT, before)
        if rows:
            yield _items(rows)
        if len(rows) < MAX_LIMIT:
            return
        before = rows[-1].seq


def actors(city: City) -> tuple[str, ...]:
    """Everybody the trail names, in order."""
    return _known(city, "actor")


def kinds(city: City) -> tuple[str, ...]:
    """The kinds of things the trail names."""
    return tuple(kind for kind in _known(city, "kind") if kind)


def length(city: City) -> int:
    """How many entries there are."""
    _require(city)
    return audit.head(city.store).seq


def check(city: City) -> None:
    """Verify the chain of the newest CHECKED_ROWS rows; the finding goes into City.sights, so into the trail itself."""
    _require(city)
    newest = audit.head(city.store)
    first = max(0, newest.seq - CHECKED_ROWS)
    found = audit.verify(city.store, [newest], after_seq=first)
    told = {"first": first + 1, "last": newest.seq, "hash": newest.hash}
    broken = {"fault": found.fault, "broken": found.seq} if found else {}
    city.sights.append(Sight("audit.view", "chain", "", {**told, **broken}))


def last_check(city: City) -> Check | None:
    """What the newest check in the trail found; None = nobody has checked."""
    _require(city)
    rows = audit.read(city.store, AuditFilter(kind="chain"), 1)
    told = detail_of(rows[0].detail) if rows else {}
    first, last, broken = (told.get(name, 0) for name in ("first", "last", "broken"))
    if not (rows and isinstance(first, int) and isinstance(last, int) and isinstance(broken, int) and last):
        return None
    return Check(rows[0].at, rows[0].actor, first, last, str(told.get("fault", "")), broken)


def detail_of(kept: str) -> dict[str, Any]:
    """The detail of an entry; {} for nothing, and for what somebody tampered with until it was no JSON."""
    try:
        told = json.loads(kept or "{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _require(city: City) -> None:
    city.scope.require("see.audit")
    if city.scope.is_limited:
        raise Forbidden("see.audit", city.scope.actor)


def _known(city: City, column: str) -> tuple[str, ...]:
    _require(city)
    with city.store.reading() as connection:
        return audit.known_values(connection, column)


def _filter(city: City, chosen: TrailFilter) -> AuditFilter:
    if chosen.action and chosen.action not in ACTIONS:
        raise ValueError(f"action: {chosen.action!r} is none of {', '.join(ACTIONS)}")
    days, period = city.store.days, chosen.period
    return AuditFilter(
        chosen.actor, chosen.action, chosen.kind, subjects_of([feed.key for feed in city.config.feeds], chosen.subject),
        days.starts_at(number_of(period.start_on)) if period else None,
        days.starts_at(number_of(period.end_on) + 1) if period else None,
    )


def _place(cursor: str) -> int | None:
    if not cursor:
        return None
    if not (cursor.isascii() and cursor.isdecimal() and int(cursor) < MAX_CURSOR):
        raise ValueError("cursor: not one this list gave out; leave it out to start again")
    return int(cursor)


def _items(rows: tuple[AuditRow, ...]) -> tuple[TrailItem, ...]:
    return tuple(
        TrailItem(row.seq, row.at, row.actor, row.address, row.action, row.kind, row.subject, row.detail, row.hash) for row in rows
    )
