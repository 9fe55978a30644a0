"""Keyset pages over a core table: stable under writes, as cheap on page 1000 as on page 1, bounded in size.

A page continues after the last row seen, by the order's columns; no offset is counted and nothing is skipped over.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

LIMIT, MAX_LIMIT = 100, 1000
KEY = ("feed", "source_id")
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Order:
    """Columns rows are sorted by, all in one direction; the first is the indexed one, the last two (KEY) make it unique.

    Rows whose first column is NULL come last, by key alone, whatever the engine does with NULL.
    """

    key: str
    columns: tuple[str, ...]
    is_descending: bool = False
    index: str = ""  # the partial index that holds just these rows: SQLite, without statistics, would sort them instead
    expression: str = ""  # SQL in place of the first column
    join: str = ""  # what the expression needs beside the table
    before: str = ""  # a WITH clause the join needs
    is_text: bool = False  # the first column holds text

    @property
    def first(self) -> str:
        """SQL of the first column."""
        return self.expression or f"d.{self.columns[0]}"

    def sql(self, name: str) -> str:
        """SQL of one of the columns."""
        return self.first if name == self.columns[0] else f"d.{name}"


@dataclass(frozen=True)
class Query:
    """What is asked: a table, conditions with their values, an order. `where` is SQL made by this package, never a caller's."""

    table: str
    where: str
    values: Mapping[str, Any]
    order: Order
    is_sqlite: bool = False

    @property
    def source(self) -> str:
        """The FROM clause."""
        hint = f" INDEXED BY {self.order.index}" if self.is_sqlite and self.order.index else ""
        return f"{self.table} d{hint}"


def count(connection: Connection, query: Query) -> int:
    """How many rows the query has in all."""
    found = connection.execute(text(f"SELECT count(*) FROM {query.source} WHERE {query.where}"), dict(query.values))
    return int(found.scalar_one())


def read_page(connection: Connection, query: Query, limit: int, cursor: str = "") -> tuple[list[Row], str]:
    """At most `limit` rows after the cursor, and the cursor of the next page ('' = that was all).

    Raises ValueError for a limit outside 1..1000 and for a cursor that is not one of this order.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise ValueError(f"limit: {limit} is not between 1 and {MAX_LIMIT}")
    in_nulls, after = _decode(cursor, query.order)
    rows: list[Row] = []
    if not in_nulls:
        rows = _segment(connection, query, after, limit + 1, in_nulls=False)
        after = ()
    if len(rows) <= limit:
        rows += _segment(connection, query, after, limit + 1 - len(rows), in_nulls=True)
    more = len(rows) > limit
    return rows[:limit], _encode(query.order, rows[limit - 1]) if more else ""


def every_row(connection: Connection, query: Query) -> Iterator[list[Row]]:
    """All rows, a page at a time; inside one transaction they are one state of the store."""
    cursor = ""
    while True:
        rows, cursor = read_page(connection, query, MAX_LIMIT, cursor)
        if rows:
            yield rows
        if not cursor:
            return


def statement(query: Query, *, after: bool, in_nulls: bool = False) -> str:
    """The SELECT of one page, for running and for EXPLAIN."""
    order = query.order
    columns = _sorted_by(order, in_nulls)
    direction, sign = (" DESC", "<") if order.is_descending else ("", ">")
    parts = [query.where, f"{order.first} IS {'' if in_nulls else 'NOT '}NULL"]
    if after:
        if not in_nulls:  # the row comparison alone does not reach the index of the first column on both engines
            parts.append(f"{order.first} {sign}= :after_0")
        places = ", ".join(f":after_{number}" for number, _ in enumerate(columns))
        parts.append(f"({', '.join(order.sql(name) for name in columns)}) {sign} ({places})")
    # the keys first, from an index where one holds all that is asked; then the rows of these keys alone
    place = order.columns[0] if order.expression else ""
    chosen = ", ".join(["d.feed", "d.source_id", *([f"{order.expression} AS {place}"] if place else [])])
    keys = (
        f"SELECT {chosen} FROM {query.source}{order.join} WHERE {' AND '.join(parts)} "
        f"ORDER BY {', '.join(f'{order.sql(name)}{direction}' for name in columns)} LIMIT :page_size"
    )
    sorting = ", ".join(f"{'k' if name == place else 'd'}.{name}{direction}" for name in columns)
    return (
        f"{order.before}SELECT d.*{f', k.{place}' if place else ''} FROM ({keys}) k CROSS JOIN {query.table} d "
        f"WHERE d.feed = k.feed AND d.source_id = k.source_id ORDER BY {sorting}"
    )


def _sorted_by(order: Order, in_nulls: bool) -> tuple[str, ...]:
    return KEY if in_nulls else order.columns


def _segment(connection: Connection, query: Query, after: tuple[Any, ...], size: int, *, in_nulls: bool) -> list[Row]:
    values = {**query.values, "page_size": size}
    values.update({f"after_{n}": value for n, value in enumerate(after)})
    rows = connection.execute(text(statement(query, after=bool(after), in_nulls=in_nulls)), values)
    return [dict(row) for row in rows.mappings()]


def _encode(order: Order, row: Row) -> str:
    in_nulls = row[order.columns[0]] is None
    told = json.dumps([order.key, in_nulls, [row[name] for name in _sorted_by(order, in_nulls)]], separators=(",", ":"))
    return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


def _decode(cursor: str, order: Order) -> tuple[bool, tuple[Any, ...]]:
    if not cursor:
        return False, ()
    try:
        key, in_nulls, after = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        columns = _sorted_by(order, bool(in_nulls))
        texts = (*KEY, order.columns[0]) if order.is_text else KEY
        fits = key == order.key and isinstance(after, list) and len(after) == len(columns)
        fits = fits and all(isinstance(value, str if name in texts else int) for name, value in zip(columns, after, strict=True))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        fits = False
    if not fits or any(isinstance(value, int) and abs(value) >= 2**63 for value in after):
        raise ValueError("cursor: not one this list gave out for these filters; leave it out to start again")
    return bool(in_nulls), tuple(after)
