"""Which reports may tell of one thing: later ones near an earlier one that was still open. Pure: numpy columns -> pairs.

A pair is looked for in the cells around it of a grid in place and time, so the cost follows the pairs found, not the square of the
reports. What two texts share is read accent-blind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from store.days import DAY, HOUR
from text.vietnamese import fold

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
METRES_PER_DEGREE = 111_320.0
NEVER = np.int64(2**62)  # when an open report was closed
WRAP, WRAP_TIME = 2**15, 2**14  # so that half a million reports fit into 63 bits
CROWD = 16  # of a crowd in one cell only the newest so many earlier ones are looked at
_WORD = re.compile(r"\w\w+")
# words that stand in most reports; folded
_COMMON = """
anh bao bi cac cho chua chung co con cua cung da dang day de den deu di do duoc gan gay hien khi khong khu la lai lam len luc ly mong ngay
nay nen nguoi nhieu nhu nhung noi phan qua ra rat roi sau se so tai the theo thi tinh toi tren trong tu va vao van ve vi viec voi xin xu
and are for has have here near not the there this was with
"""
COMMON_WORDS = frozenset(_COMMON.split())


class Placed(NamedTuple):
    """A report with a place, as far as it can be told alike others; closed_at None = open, group '' = its category is in none."""

    feed: str
    source_id: str
    received_at: int
    closed_at: int | None
    lon: float
    lat: float
    category: str
    group: str


@dataclass(frozen=True)
class Reach:
    """How far apart two reports of one thing may be: metres by category, else radius_m; and days."""

    radius_m: float
    days: float
    by_category: Mapping[str, float] = field(default_factory=dict)

    def of(self, category: str) -> float:
        """The metres of a category."""
        return self.by_category.get(category, self.radius_m)


@dataclass(frozen=True)
class Columns:
    """Reports in the order they came: metres east and north, instants (closed_at NEVER = open), category as a number.

    family: of the category's group, or of the category alone where it is in none; only reports of one family may be of one thing.
    radius_m = how far apart two reports of the later one's category may be.
    """

    x: Floats
    y: Floats
    received_at: Ints
    closed_at: Ints
    category: Ints
    family: Ints
    radius_m: Floats

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class Pairs:
    """Rows of Columns, `later` after `earlier`, the metres and hours between them, and whether their category is the same."""

    later: Ints
    earlier: Ints
    metres: Floats
    hours: Floats
    is_same_category: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.later)

    def take(self, rows: NDArray[np.bool_] | Ints) -> Pairs:
        """The pairs at these rows."""
        return Pairs(self.later[rows], self.earlier[rows], self.metres[rows], self.hours[rows], self.is_same_category[rows])


def project(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Degrees as metres east and north; true to a part in a thousand within some hundred kilometres of the points' middle."""
    middle = float(np.mean(lat)) if len(lat) else 0.0
    return lon * METRES_PER_DEGREE * np.cos(np.radians(middle)), lat * METRES_PER_DEGREE


def columns_of(rows: Sequence[Placed], reach: Reach) -> Columns:
    """The reports as columns; they must be in the order they came (received_at, feed, source_id)."""
    lon, lat = (np.array([getattr(row, name) for row in rows], np.float64) for name in ("lon", "lat"))
    families = [f"g {row.group}" if row.group else f"c {row.category}" for row in rows]
    return Columns(
        *project(lon, lat), np.array([row.received_at for row in rows], np.int64),
        np.array([NEVER if row.closed_at is None else row.closed_at for row in rows], np.int64), _numbered([row.category for row in rows]),
        _numbered(families), np.array([reach.of(row.category) for row in rows], np.float64),
    )


def _numbered(codes: Sequence[str]) -> Ints:
    known: dict[str, int] = {}
    return np.array([known.setdefault(code, len(known)) for code in codes], np.int64)


def pairs(columns: Columns, days: float) -> Pairs:
    """Every later report with each earlier one that is near, of its category or group, and was open when the later one came.

    `days` = the most between the two. Reports must be in the order they came.
    """
    found = [_kept(columns, later, earlier, days) for later, earlier in _neighbours(columns, days)]
    if not found:
        nothing = np.zeros(0, np.int64)
        return Pairs(nothing, nothing, np.zeros(0), np.zeros(0), np.zeros(0, np.bool_))
    return Pairs(*(np.concatenate([getattr(part, name) for part in found]) for name in Pairs.__dataclass_fields__))


def _kept(columns: Columns, later: Ints, earlier: Ints, days: float) -> Pairs:
    apart = columns.received_at[later] - columns.received_at[earlier]
    same = columns.category[later] == columns.category[earlier]
    metres = np.hypot(columns.x[later] - columns.x[earlier], columns.y[later] - columns.y[earlier])
    was_open = columns.closed_at[earlier] >= columns.received_at[later]
    rows = (metres <= columns.radius_m[later]) & (apart <= days * DAY) & (columns.family[later] == columns.family[earlier]) & was_open
    return Pairs(later[rows], earlier[rows], metres[rows], apart[rows] / HOUR, same[rows])


def _neighbours(columns: Columns, days: float) -> Iterator[tuple[Ints, Ints]]:
    """(later, earlier) of every two in cells that touch, some more than a radius or `days` apart; a block an offset."""
    count = len(columns)
    if count < 2:
        return
    side, span = max(float(columns.radius_m.max()), 0.5), max(int(days * DAY), 1)
    across, up = (np.floor(axis / side).astype(np.int64) for axis in (columns.x, columns.y))
    across = across + columns.family * 7919  # families apart, so that a crowd of one does not hide another
    since = columns.received_at // span
    cell, rank = _cells(across, up, since), np.arange(count)
    order = np.argsort(cell, kind="stable").astype(np.int64)  # inside a cell still in the order they came
    place = cell[order] * count + order
    for dx, dy, dt in ((dx, dy, dt) for dx in (-1, 0, 1) for dy in (-1, 0, 1) for dt in (-1, 0)):
        asked = _cells(across + dx, up + dy, since + dt) * count
        last = np.searchsorted(place, asked + rank, "left")  # only those that came before
        first = np.maximum(np.searchsorted(place, asked, "left"), last - CROWD)
        some = last - first
        later = np.repeat(rank, some)
        within = np.arange(int(some.sum())) - np.repeat(np.cumsum(some) - some, some)
        yield later, order[np.repeat(first, some) + within]


def _cells(across: Ints, up: Ints, since: Ints) -> Ints:
    """One number a cell. Far away cells may share one, which the distance tells apart: a stray point must not make the grid too big."""
    return ((across % WRAP) * WRAP + up % WRAP) * WRAP_TIME + since % WRAP_TIME


# ---- texts ------------------------------------------------------------------------------------------------------------
def words_of(written: str | None) -> frozenset[str]:
    """The words of a text that may tell two reports apart, folded: no accents, no words that stand in most reports."""
    return frozenset(_WORD.findall(fold(written or ""))) - COMMON_WORDS


def alike(one: frozenset[str], other: frozenset[str]) -> float | None:
    """How much two texts share, 0..1: common words of all words of both. None where one of them has none."""
    return len(one & other) / len(one | other) if one and other else None


def shared(written: str, words: frozenset[str]) -> tuple[str, ...]:
    """Those of the words as they stand in a text, in its order, each once."""
    told: dict[str, str] = {}
    for word in _WORD.findall(written):
        told.setdefault(fold(word), word)
    return tuple(word for folded, word in told.items() if folded in words)


def strength(
    metres: ArrayLike, radius_m: ArrayLike, hours: ArrayLike, days: float, same: Sequence[bool], text: Sequence[float | None]
) -> Floats:
    """How alike pairs are, 0..1, to put them in order: the mean of nearness, soonness, same category and what the texts share.

    Nothing here is learned but the radius and the days; where a text is missing the mean is of the other three.
    """
    told = np.array([np.nan if one is None else one for one in text], np.float64)
    near = 1 - np.asarray(metres, np.float64) / np.maximum(np.asarray(radius_m, np.float64), 0.5)
    soon = 1 - np.asarray(hours, np.float64) / (24 * days)
    parts = np.clip(np.stack([near, soon, np.asarray(same, np.float64), told]), 0, 1)
    return np.asarray(np.nanmean(parts, axis=0)) if len(told) else np.zeros(0)
