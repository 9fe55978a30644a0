"""Reports that may tell of one thing: pairs with their evidence side by side, and what people said of them.

Candidates are worked out, never kept. What people say (store/same.py) changes no figure and no report: how many reports repeat an earlier
one is told beside the counts. How well candidates find what a city marked: docs/duplicates.md.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from metrics.alike import METRES_PER_DEGREE, Reach, alike, shared, strength, words_of
from metrics.city import City
from metrics.city.findings import alike_rows
from metrics.city.findings.alike_rows import Window
from metrics.city.lists.paging import Row
from metrics.city.masking import masked, masked_id, needs_grid
from metrics.city.numbers.sums import NOTHING_CHOSEN, Choice
from metrics.city.records.reports import ReportItem, items, reads_text
from metrics.city.sights import Sight, record_id
from metrics.periods import Period
from store.days import HOUR, number_of
from store.keys import By
from store.same import APART, MERGED, OPEN, STATES, Key, Said, named, newest_said, read_said, said_since, say

LIMIT, MOST = 20, 200
MOST_DAYS, MOST_REPORTS = 92, 60_000  # of one question
NEAR_M = 50  # the distance is told this coarsely to who may not know where a citizen stood
SHOWN_OF_ONE = 10
Pair = tuple[Key, Key]


@dataclass(frozen=True)
class Candidate:
    """Two reports that may be of one thing. state: open | merged | apart, as people said; strength 0..1 puts pairs in order.

    words: those both texts hold, as the later one writes them; None, as likeness, without the right to what citizens wrote.
    metres None = one of them has no point any more.
    """

    later: ReportItem
    earlier: ReportItem
    metres: float | None
    hours: float
    is_same_category: bool
    likeness: float | None
    words: tuple[str, ...] | None
    strength: float
    state: str = OPEN
    said_by: str = ""
    said_at: int | None = None


@dataclass(frozen=True)
class DuplicatePage:
    """One page of pairs, how many there are; of the period's reports how many have a point, and how many people said to be repeats."""

    total: int
    rows: tuple[Candidate, ...]
    next_cursor: str
    reports: int
    placed: int
    repeats: int
    reach: Reach
    revision: int


def reach_of(city: City) -> Reach:
    """How far apart two reports of one thing may be in this city."""
    said = city.config.feedback
    return Reach(float(said.duplicate_radius_m), float(said.duplicate_days), {c: float(m) for c, m in city.config.duplicate_radii.items()})


def read(
    city: City, period: Period, choice: Choice = NOTHING_CHOSEN, state: str = OPEN, *, limit: int = LIMIT, cursor: str = ""
) -> DuplicatePage:
    """Pairs of a state. open: each report of the period with the earlier one most like it, the most alike first, unless somebody said
    something of the two or that it is a repeat; merged and apart: of any time, the newest word first, at most MOST.

    Requires see.reports. ValueError for a state or cursor there is none of, and for a period of too many days or reports.
    """
    city.scope.require("see.reports")
    if state not in STATES:
        raise ValueError(f"state: {state!r} is none of {', '.join(STATES)}")
    start, found = _start(cursor, limit), _window(city, period, choice)
    with city.store.reading() as connection:
        said = said_since(connection, city.store.days.starts_at(number_of(period.start_on)))
        repeats = _repeats(connection, city, said)
        wanted = _open(found, said, repeats) if state == OPEN else _said(connection, city, choice, state)
        rows = _candidates(connection, city, wanted[start : start + limit])
        again = alike_rows.whole(connection, city, sorted(repeats), choice)
    first_on, last_on = number_of(period.start_on), number_of(period.end_on)
    repeated = sum(row["received_on"] is not None and first_on <= row["received_on"] <= last_on for row in again.values())
    _note_texts(city, rows, {"state": state, "period": period.text})
    following = str(start + limit) if len(wanted) > start + limit else ""
    return DuplicatePage(len(wanted), rows, following, found.reports, found.placed, repeated, reach_of(city), city.revision)


def candidates(city: City, feed: str, source_id: str) -> tuple[Candidate, ...]:
    """The reports that may be of one thing with this one, before or after it, and those somebody spoke of beside it: merged ones first,
    apart ones last, then by strength, at most SHOWN_OF_ONE. () for a report there is none of in this scope. Requires see.reports."""
    city.scope.require("see.reports")
    key, reads = (feed, source_id), reads_text(city)
    with city.store.reading() as connection:
        own = alike_rows.whole(connection, city, [key])
        if key not in own:
            return ()
        found = alike_rows.around(connection, city, own[key], reach_of(city), reads=reads)
        wanted = dict.fromkeys([*read_said(connection, [key]), *(named(one.later, one.earlier) for one in found)])
        rows = _candidates(connection, city, list(wanted))
    ranked = sorted(rows, key=lambda row: ((MERGED, OPEN, APART).index(row.state), -row.strength, row.later.source_id))[:SHOWN_OF_ONE]
    _note_texts(city, ranked, {"of": record_id(feed, masked_id(source_id))})
    return tuple(ranked)


def one(city: City, pair: Pair) -> Candidate | None:
    """Two reports beside each other and what was said of them; None where one of them is not of this scope. Requires see.reports."""
    city.scope.require("see.reports")
    with city.store.reading() as connection:
        found = _candidates(connection, city, [named(*pair)])
    _note_texts(city, found, {})
    return found[0] if found else None


# ---- what people say ----------------------------------------------------------------------------------------------------
def merge(city: City, one: Key, other: Key, address: str, now: int) -> None:
    """Say that two reports are of one thing. No report is changed; who, when and what was before stay in the trail.

    Requires manage.reports. Raises KeyError for a report there is none of in this scope, store.same.WrongState where that is said
    already, ValueError for a report and itself; as both below.
    """
    _say(city, one, other, "merged", address, now)


def keep_apart(city: City, one: Key, other: Key, address: str, now: int) -> None:
    """Say that two reports are not of one thing: they are no candidates any more."""
    _say(city, one, other, "apart", address, now)


def undo(city: City, one: Key, other: Key, address: str, now: int) -> None:
    """Take back what was said of two reports: it is as if nobody had said anything."""
    _say(city, one, other, "undone", address, now)


def _say(city: City, one: Key, other: Key, kind: str, address: str, now: int) -> None:
    city.scope.require("manage.reports")
    city.scope.require("see.reports")
    pair = named(one, other)
    with city.store.reading() as connection:
        known = alike_rows.whole(connection, city, pair)
    for key in pair:
        if key not in known:
            raise KeyError(key)
    first, second = (record_id(feed, masked_id(source_id)) for feed, source_id in pair)
    say(city.store, *pair, kind, By(city.scope.actor, address), now, (first, second))


# ---- reading ------------------------------------------------------------------------------------------------------------
def _start(cursor: str, limit: int) -> int:
    if not 1 <= limit <= MOST:
        raise ValueError(f"limit: {limit} is not between 1 and {MOST}")
    if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 7):
        raise ValueError("cursor: not one this list gave out; leave it out to start again")
    return int(cursor or 0)


def _window(city: City, period: Period, choice: Choice) -> Window:
    """The pairs of a period, worked out once for all readers of these rights while no report changes."""
    start_on, end_on, reads = number_of(period.start_on), number_of(period.end_on), reads_text(city)
    if end_on - start_on >= MOST_DAYS:
        raise ValueError(f"period: {end_on - start_on + 1} days; at most {MOST_DAYS} are looked through at once")

    def make() -> Window:
        with city.store.reading() as connection:
            reports = alike_rows.count(connection, city, start_on, end_on, NOTHING_CHOSEN)
            if reports > MOST_REPORTS:
                raise ValueError(f"period: {reports} reports; at most {MOST_REPORTS} are looked through at once, choose fewer days")
            return alike_rows.find(connection, city, start_on, end_on, choice, reach_of(city), reads=reads)

    found: Window = city.once("duplicates", city.revisions.get("reports", 0), start_on, end_on, choice, reads, make=make)
    return found


def _open(found: Window, said: Mapping[Pair, Said], repeats: Collection[Key]) -> list[Pair]:
    """Each report with the earlier one most like it, as long as there is something to say."""
    taken: dict[Key, Pair] = {}
    for one in found.pairs:
        if one.later not in taken and one.later not in repeats and named(one.later, one.earlier) not in said:
            taken[one.later] = named(one.later, one.earlier)
    return list(taken.values())


def _said(connection: Connection, city: City, choice: Choice, state: str) -> list[Pair]:
    """Pairs in a state, newest word first, both of this scope and one of the choice."""
    wanted = list(newest_said(connection, state, MOST))
    keys = [key for pair in wanted for key in pair]
    known = alike_rows.whole(connection, city, keys)
    chosen = alike_rows.whole(connection, city, keys, choice)
    return [pair for pair in wanted if all(key in known for key in pair) and any(key in chosen for key in pair)]


def _repeats(connection: Connection, city: City, said: Mapping[Pair, Said]) -> frozenset[Key]:
    """Of reports said to be of one thing, through whichever others, all but the one that came first."""
    groups: dict[Key, set[Key]] = {}
    for pair in (pair for pair, one in said.items() if one.state == MERGED):
        joined = set().union(*(groups.get(key, {key}) for key in pair))
        groups.update(dict.fromkeys(joined, joined))
    known = alike_rows.whole(connection, city, sorted(groups))
    found: set[Key] = set()
    for group in groups.values():
        inside = sorted((known[key]["received_at"] or 0, key) for key in group if key in known)
        found.update(key for _, key in inside[1:])
    return frozenset(found)


def _candidates(connection: Connection, city: City, wanted: Sequence[Pair]) -> tuple[Candidate, ...]:
    """The pairs with both reports as this reader may have them; a pair with a report out of sight is left out."""
    keys = sorted({key for pair in wanted for key in pair})
    known, said = alike_rows.whole(connection, city, keys), read_said(connection, keys)
    shown = dict(zip(known, items(connection, city, list(known.values())), strict=True))
    inside = [pair for pair in wanted if pair[0] in known and pair[1] in known]
    return tuple(_candidate(city, known, shown, pair, said.get(pair)) for pair in inside)


def _candidate(city: City, known: Mapping[Key, Row], shown: Mapping[Key, ReportItem], pair: Pair, said: Said | None) -> Candidate:
    earlier, later = sorted(pair, key=lambda key: (known[key]["received_at"] or 0, key))
    one, other, reads, reach = known[later], known[earlier], reads_text(city), reach_of(city)
    metres, hours = _metres(one, other), ((one["received_at"] or 0) - (other["received_at"] or 0)) / HOUR
    words = [words_of(row["description"]) if reads else frozenset() for row in (one, other)]
    likeness, same = alike(*words), one["category_code"] == other["category_code"]
    force = strength([metres or 0.0], [reach.of(one["category_code"])], [hours], reach.days, [same], [likeness])
    told = () if said is None else (said.state, said.said_by, said.said_at)
    candidate = Candidate(
        shown[later], shown[earlier], _told_metres(city, metres), hours, same, likeness,
        shared(one["description"] or "", words[0] & words[1]), round(float(force[0]), 4), *told,
    )
    return masked(city, candidate)


def _metres(one: Row, other: Row) -> float | None:
    if None in (one["lon"], one["lat"], other["lon"], other["lat"]):
        return None
    wide = math.cos(math.radians((one["lat"] + other["lat"]) / 2))
    return METRES_PER_DEGREE * math.hypot((one["lon"] - other["lon"]) * wide, one["lat"] - other["lat"])


def _told_metres(city: City, metres: float | None) -> float | None:
    """The distance, rounded up for who is given cells for points."""
    if metres is None or not needs_grid(city.scope):
        return metres
    return math.ceil(max(metres, 1.0) / NEAR_M) * float(NEAR_M)


def _note_texts(city: City, rows: Iterable[Candidate], asked: Mapping[str, str]) -> None:
    """That words of citizens were shown."""
    shown = [one for row in rows for one in (row.later, row.earlier)]
    if shown and reads_text(city):
        first = record_id(shown[0].feed, masked_id(shown[0].source_id))
        city.sights.append(Sight("report_text.view", "report", "", {"view": "duplicates", **asked, "rows": len(shown), "first": first}))
