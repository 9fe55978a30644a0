"""Reports by place: the open ones on a grid, and where more came than usual. No point is exact, no text is read.

`read` is made for wall maps, which strangers may see: a cell is at least `grid_m` wide, so an address cannot be told from it. `unusual`
sets the reports of a period beside those of the same weekdays of up to twelve weeks (or as many equal spans) before, place by place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, text

from metrics import chance
from metrics.city import City
from metrics.city.findings.moments import Moment, Span, moment, spans
from metrics.city.grid import Grid, read_grid
from metrics.city.lists.named import read_names
from metrics.city.numbers import small_counts
from metrics.city.numbers.sums import NOTHING_CHOSEN, Choice, conditions
from metrics.periods import Period, parse_period

LIMIT = 400
BY = ("area", "cell")
CELL_STEPS = 3  # a cell of `unusual` is so many cells of the city's grid wide: an odd number, so that it holds each of them whole
UNUSUAL = 3.0  # of the standing: as rare as 3 sigma
LEAST_N = 5  # fewer reports are no hot spot, however quiet the place was
MOST_OTHERS, MOST_DAYS = 30, 31


@dataclass(frozen=True)
class Cell:
    """A grid cell by its centre (WGS84), with the open reports in it and those of them that are overdue; None = withheld, not 0."""

    lon: float
    lat: float
    open: int | None
    overdue: int | None


def read(city: City, grid_m: float, choice: Choice = NOTHING_CHOSEN, limit: int = LIMIT) -> tuple[Cell, ...]:
    """Cells with open reports at the city's now, most overdue first, at most `limit`; reports without a place are left out.

    Requires see.desk.
    """
    city.scope.require("see.desk")
    where, values = conditions(city.scope, "reports", choice)
    placed = f"FROM core_report WHERE closed_on IS NULL AND lon IS NOT NULL AND lat IS NOT NULL{where}"
    with city.store.reading() as connection:
        if connection.execute(text(f"SELECT 1 {placed} LIMIT 1"), values).first() is None:
            return ()
        grid = read_grid(connection, city, grid_m)
        rows = connection.execute(
            text(
                "SELECT round(lon / :step_lon) AS x, round(lat / :step_lat) AS y, count(*) AS n, "
                f"sum(CASE WHEN due_at < :now THEN 1 ELSE 0 END) AS late {placed} "
                "GROUP BY 1, 2 ORDER BY late DESC, n DESC, x, y LIMIT :limit"
            ),
            {"step_lon": grid.step_lon, "step_lat": grid.step_lat, "now": city.as_of, "limit": limit, **values},
        ).all()
    cells = [
        Cell(round(float(x) * grid.step_lon, 5), round(float(y) * grid.step_lat, 5), int(n), int(late)) for x, y, n, late in rows
    ]
    return tuple(cells) if small_counts.sees_all(city.scope) else without_small(cells)


def without_small(cells: list[Cell]) -> tuple[Cell, ...]:
    """The same cells without small counts, in the order of their places: that of their counts would tell them."""
    hidden: list[frozenset[str]] = []
    for name in ("open", "overdue"):
        found = small_counts.withhold({str(number): getattr(cell, name) for number, cell in enumerate(cells)})
        hidden.append(found.small | found.beside)
    shown = [
        Cell(cell.lon, cell.lat, None if str(n) in hidden[0] else cell.open, None if str(n) in hidden[1] else cell.overdue)
        for n, cell in enumerate(cells)
    ]
    return tuple(sorted(shown, key=lambda cell: (cell.lon, cell.lat)))


# ---- more than usual ----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class HotSpot:
    """A place with n reports in the period, where `expected` are usual: the mean of the earlier spans, the largest cut down to the next.

    key: area code, or "x,y" of the grid; lon and lat: of a cell's middle. low..high and earlier: of the spans it is set beside. standing =
    how unusual, as a normal z; None = too few earlier spans, or fewer than LEAST_N reports. top: the category most of them are of, and how
    many are.
    """

    key: str
    name: str
    lon: float | None
    lat: float | None
    n: int
    expected: float
    low: int
    high: int
    earlier: int
    standing: float | None
    top_code: str
    top: str
    top_n: int

    @property
    def is_unusual(self) -> bool:
        """More than chance makes, once in some 700 places."""
        return self.standing is not None and self.standing > UNUSUAL and self.n >= LEAST_N


@dataclass(frozen=True)
class HotSpots:
    """Places with more reports than usual, most unusual first, and others that had any. asked None = nothing of the period is over yet.

    compared = places that were judged; by_chance = how many of them chance alone makes stand out, at most. placeless = reports without a
    place; earlier = how many spans everything is set beside; cell = width and height of a cell.
    """

    by: str
    asked: Moment | None
    found: tuple[HotSpot, ...] = ()
    others: tuple[HotSpot, ...] = ()
    compared: int = 0
    by_chance: float = 0.0
    total: int = 0
    placeless: int = 0
    earlier: int = 0
    cell: Grid | None = None


class _Read:
    """What is read of places, by key ('' = without a place): reports of the period by category, of all earlier spans together, and span by
    span where the period brought enough to be judged or shown."""

    def __init__(self) -> None:
        self.now: dict[str, Counter[str]] = {}
        self.before: Counter[str] = Counter()
        self.by_span: dict[str, Counter[int]] = {}

    def least(self) -> int:
        """Places with so many reports in the period are read span by span."""
        counts = sorted((sum(one.values()) for one in self.now.values()), reverse=True)
        return min(LEAST_N, counts[MOST_OTHERS - 1]) if len(counts) >= MOST_OTHERS else 1


def unusual(city: City, period: Period, by: str = BY[0], choice: Choice = NOTHING_CHOSEN) -> HotSpots:
    """Where more reports came in a period of at most 31 days than usual for the place and its weekdays. The running day is cut at the hour.

    Requires see.reports and see.small_counts; ValueError for an unknown `by` or a longer period.
    """
    city.scope.require("see.reports")
    city.scope.require("see.small_counts")
    if by not in BY:
        raise ValueError(f"by: {by!r} is none of {', '.join(BY)}")
    asked = _asked(city, period)
    if asked is None:
        return HotSpots(by, None)
    question = ("unusual", city.revisions.get("reports", 0), asked, by, choice)
    found: HotSpots = city.once(*question, make=lambda: _unusual(city, asked, by, choice))
    return found


def _asked(city: City, period: Period) -> Moment | None:
    """The days that are over; of the running day alone the hours that are. None where nothing is."""
    if period.days > MOST_DAYS:
        raise ValueError(f"period: {period.days} days; at most {MOST_DAYS} are compared")
    if period.days == 1 or period.start_on >= city.today:
        return moment(city, parse_period(period.start_on.isoformat(), city.today))
    until = min(period.end_on, city.today - timedelta(days=1))
    is_cut = until < period.end_on
    return Moment(parse_period(f"{period.start_on}..{until}", city.today) if is_cut else period, is_cut=is_cut)


def _unusual(city: City, asked: Moment, by: str, choice: Choice) -> HotSpots:
    with city.store.reading() as connection:
        grid = read_grid(connection, city)
        compared = _known_spans(connection, spans(city, asked))
        heard, earlier = _read(connection, city, compared, by, choice, grid), len(compared) - 1
        placeless = sum(heard.now.pop("", Counter()).values())
        heard.before.pop("", None)
        total = placeless + sum(sum(one.values()) for one in heard.now.values())
        least = heard.least()
        shown = [key for key, one in heard.now.items() if sum(one.values()) >= least]
        named = _named(connection, city, [_spot(key, heard, earlier) for key in shown], by, grid)
    ranked = sorted(named, key=lambda one: (-(one.standing or 0.0), -one.n, one.key))
    places = heard.now.keys() | heard.before.keys()
    judged = len(places) if earlier >= chance.LEAST_EARLIER else 0
    by_chance = _by_chance([heard.before[key] for key in places], earlier) if judged else 0.0
    others = tuple(one for one in ranked if not one.is_unusual)
    cell = Grid(grid.step_lon * CELL_STEPS, grid.step_lat * CELL_STEPS) if by == "cell" else None
    return HotSpots(
        by, asked, tuple(one for one in ranked if one.is_unusual), others[:MOST_OTHERS], judged, by_chance, total, placeless, earlier, cell,
    )


def _known_spans(connection: Connection, asked: Sequence[Span]) -> tuple[Span, ...]:
    """The span asked about and those before it from which reports are known: before the first report nothing is usual."""
    first_on = connection.execute(text("SELECT min(received_on) FROM core_report")).scalar()
    return (asked[0], *(span for span in asked[1:] if first_on is not None and span.start_on >= first_on))


def _read(connection: Connection, city: City, compared: Sequence[Span], by: str, choice: Choice, grid: Grid) -> _Read:
    """Three statements over the days of the spans: the period, the earlier spans together, and each for the places that are shown."""
    where, values = conditions(city.scope, "reports", choice, "d.")
    inside = []
    for number, span in enumerate(compared):
        values.update({f"s{number}": span.start_on, f"e{number}": span.end_on, f"t{number}": span.end_at})
        until = f" AND d.received_at < :t{number}" if compared[0].end_on >= city.today_on else ""
        inside.append(f"d.received_on BETWEEN :s{number} AND :e{number}{until}")
    place = "d.area_code, 0"
    if by == "cell":
        values.update(step_lon=grid.step_lon, step_lat=grid.step_lat, cells=float(CELL_STEPS))
        place = "round(round(d.lon / :step_lon) / :cells), round(round(d.lat / :step_lat) / :cells)"

    def rows(columns: str, condition: str, groups: str) -> list[Any]:
        statement = f"SELECT {place}, {columns}, count(*) FROM core_report d WHERE {condition}{where} GROUP BY {groups}"
        return list(connection.execute(text(statement), values))

    found = _Read()
    for x, y, category, n in rows("d.category_code", inside[0], "1, 2, 3"):
        found.now.setdefault(_key(x, y, by), Counter())[category] += n
    if len(compared) == 1:
        return found
    values.update(first_on=compared[-1].start_on, last_on=compared[1].end_on, least=found.least())
    which = f"CASE {' '.join(f'WHEN {one} THEN {number}' for number, one in enumerate(inside) if number)} END"
    days = f"d.received_on BETWEEN :first_on AND :last_on AND {which} IS NOT NULL"
    for x, y, _, n in rows("0", days, "1, 2"):
        found.before[_key(x, y, by)] += n
    busy = f"SELECT {place} FROM core_report d WHERE {inside[0]}{where} GROUP BY 1, 2 HAVING count(*) >= :least"
    for x, y, number, n in rows(which, f"{days} AND ({place}) IN ({busy})", "1, 2, 3"):
        found.by_span.setdefault(_key(x, y, by), Counter())[number] += n
    return found


def _key(x: Any, y: Any, by: str) -> str:
    if by == "area":
        return str(x)
    return "" if x is None or y is None else f"{int(x)},{int(y)}"


def _by_chance(before: Sequence[int], earlier: int) -> float:
    """How many of the places chance makes stand out, at most: a quiet one seldom has LEAST_N. before = reports in the earlier spans."""
    tails = {n: min(chance.TAIL, chance.poisson_tail(LEAST_N, (n + 0.5) / earlier)) for n in set(before)}
    return sum(tails[n] for n in before)


def _spot(key: str, heard: _Read, earlier: int) -> dict[str, Any]:
    spans_of, categories = heard.by_span.get(key, Counter()), heard.now[key]
    n, before = sum(categories.values()), [spans_of[span] for span in range(1, earlier + 1)]
    top = min(categories.items(), key=lambda pair: (-pair[1], pair[0]))
    return {
        "key": key, "n": n, "expected": chance.usual(before), "low": min(before, default=0), "high": max(before, default=0),
        "earlier": earlier, "standing": chance.count_standing(n, before) if n >= LEAST_N else None, "top_code": top[0], "top_n": top[1],
    }


def _named(connection: Connection, city: City, places: Sequence[dict[str, Any]], by: str, grid: Grid) -> list[HotSpot]:
    """The places with the names of their areas and categories, as this reader may know them."""
    codes: list[dict[str, Any]] = [{"category_code": one["top_code"], "area_code": one["key"] if by == "area" else ""} for one in places]
    names = read_names(connection, city, codes)
    found = []
    for one in places:
        top = {"top": names.category(one["top_code"]), "top_code": names.code("category_code", one["top_code"])}
        place: dict[str, Any]
        if by == "area":
            place = {"key": names.code("area_code", one["key"]), "name": names.area(one["key"]), "lon": None, "lat": None}
        else:
            x, y = (int(part) * CELL_STEPS for part in one["key"].split(","))
            place = {"name": "", "lon": round(x * grid.step_lon, 5), "lat": round(y * grid.step_lat, 5)}
        found.append(HotSpot(**{**one, **top, **place}))
    return found
