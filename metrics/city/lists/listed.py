"""What every list of rows does: a filter and an order become one query; a page of it, its count, all of it for a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Connection

from metrics.city import City
from metrics.city.lists.filter_grammar import Filter
from metrics.city.lists.filters import narrowed
from metrics.city.lists.paging import Query, Row, every_row, read_page
from metrics.city.lists.row_counts import READ, Counted, counted
from metrics.city.lists.row_orders import MOST_SORTED, is_in_hand, is_walked, order_of
from metrics.city.lists.row_states import IN_HAND
from metrics.city.numbers.sums import NOTHING_CHOSEN, conditions
from store.bounded import TookTooLong, bounded

SECONDS = 3.0
TABLES = {"dossiers": "core_dossier", "reports": "core_report"}
Item = TypeVar("Item")
Made = Callable[[Connection, list[Row]], tuple[Item, ...]]


class TooManyToSort(ValueError):
    """A sort that has to look at every row is asked of too many (n; None = nobody counted them in time)."""

    def __init__(self, sort: str, n: int | None) -> None:
        super().__init__(f"sort: {sort} needs at most {MOST_SORTED} rows, there are {'more' if n is None else n}; narrow the filter first")
        self.n = n


@dataclass(frozen=True)
class Listed(Generic[Item]):
    """Rows of one page, the cursor of the next ('' = none), how many there are in all and what that count stands on."""

    rows: tuple[Item, ...]
    next_cursor: str
    counted: Counted
    revision: int

    @property
    def total(self) -> int | None:
        """How many there are; None = not counted in time."""
        return self.counted.n

    @property
    def coverage(self) -> str:
        """What was looked at to count them: rollup | index | read."""
        return self.counted.coverage


def query(city: City, chosen: Filter, sort: str = "") -> Query:
    """The rows of a filter inside the reader's scope, and their order. Requires see.<topic>; ValueError for what cannot be meant."""
    city.scope.require(f"see.{chosen.topic}")
    own, values = conditions(city.scope, chosen.topic, NOTHING_CHOSEN, "d.")
    narrow = narrowed(city, chosen.topic, chosen)
    values.update(narrow.values)
    # of several states it is written out, or SQLite does not see that the index of rows in hand has all it needs
    is_one = any(len(term.values) == 1 for term in chosen.terms if term.field in ("state", "timeliness"))
    in_hand = IN_HAND[chosen.topic][0] if is_in_hand(chosen) and not is_one else "1 = 1"
    order = order_of(city, chosen, sort, values)
    return Query(TABLES[chosen.topic], in_hand + own + narrow.sql, values, order, city.store.is_sqlite)


def page(city: City, chosen: Filter, made: Made[Item], *, sort: str, limit: int, cursor: str, seconds: float = SECONDS) -> Listed[Item]:
    """One page within `seconds`; a count that does not end in time is left out. Raises TookTooLong, TooManyToSort, ValueError."""
    asked, found, number = query(city, chosen, sort), None, Counted(None, READ)
    try:
        with bounded(city.store, seconds) as connection:
            if not is_walked(chosen, sort):
                number = _few(connection, city, chosen, asked, sort)
            rows, following = read_page(connection, asked, limit, cursor)
            found = made(connection, rows), following
            number = number if number.n is not None else counted(connection, city, chosen, asked)
    except TookTooLong:
        if found is None:
            raise
    return Listed(*found, number, city.revision)


def _few(connection: Connection, city: City, chosen: Filter, asked: Query, sort: str) -> Counted:
    number = counted(connection, city, chosen, asked)
    if number.n is None or number.n > MOST_SORTED:
        raise TooManyToSort(sort, number.n)
    return number


def total(city: City, chosen: Filter) -> int:
    """How many rows the filter has, however long it takes."""
    with city.store.reading() as connection:
        return counted(connection, city, chosen, query(city, chosen)).n or 0


def every(city: City, chosen: Filter, made: Made[Item], sort: str = "") -> Iterator[tuple[Item, ...]]:
    """All rows as one state of the store, a page at a time: what files hold. Requires export too; TooManyToSort."""
    city.scope.require("export")
    asked = query(city, chosen, sort)
    with city.store.reading() as connection:
        if not is_walked(chosen, sort):
            _few(connection, city, chosen, asked, sort)
        for rows in every_row(connection, asked):
            yield made(connection, rows)
