"""Flows and stocks of every cell of a breakdown: from the day roll-ups where these have its dimensions and filters, else from core rows.

Nothing is counted twice: a core row is counted by the conditions of metrics/flows.py, as the fold counts it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, text

from metrics.city import City
from metrics.city.explore.indexes import hint
from metrics.city.explore.parts import Parts, group_of, part_sql, weekday_sql
from metrics.city.explore.past import arms
from metrics.city.explore.question import Dimension, Question
from metrics.city.lists.filter_grammar import ANY
from metrics.city.lists.filters import Narrow, narrowed
from metrics.city.lists.known import known
from metrics.city.numbers.sums import NOTHING_CHOSEN, TABLES, conditions, stock_conditions
from metrics.city.numbers.zone_hours import hour_of
from metrics.city.records.timing import soon_boundary
from metrics.flows import DOSSIER_DAY, REPORT_DAY, FlowSource

Groups = tuple[str, ...]
Cells = dict[Groups, tuple[int, ...]]  # flows (or stocks) of a cell, in the order they were asked for
SOURCES: Mapping[str, tuple[FlowSource, ...]] = {"dossiers": DOSSIER_DAY, "reports": REPORT_DAY}
ROLLED = {"dossiers": ("agency_code", "domain_code"), "reports": ("agency_code", "area_code", "category_code")}
CORE = {"dossiers": "core_dossier", "reports": "core_report"}
OPEN = {"dossiers": "r.finished_on IS NULL AND r.standing = 1", "reports": "r.closed_on IS NULL"}
_INSTANTS = {"received_on": "received_at", "finished_on": "finished_at", "closed_on": "closed_at", "reopened_on": "reopened_at"}
MOST_PINNED = 12
NOTHING = Narrow("", {}, frozenset())
_CHILDREN = {  # what of a dossier stands in its children too
    "core_dossier_stop": ("agency_code", "domain_code", "feed", "source_id"),
    "core_dossier_time": ("agency_code", "domain_code", "procedure_code", "feed", "source_id"),
}


@dataclass
class Asking:
    """One period of a question as it is read. `narrow` (rows as r.) and `child` (as d.) = what its filter and the reader's rights leave;
    `rows_read` grows with every statement."""

    connection: Connection
    city: City
    question: Question
    topic: str
    dimensions: tuple[Dimension, ...]
    parts: Parts
    areas: Mapping[str, str]
    narrow: Narrow
    child: Narrow
    pinned: tuple[str, ...] = ()  # the agencies the filter leaves, where they are few: their rows of a day are sought one by one
    rows_read: int = field(default=0)

    @property
    def is_rolled(self) -> bool:
        """Do the day roll-ups have every dimension and every filtered column?"""
        kept = ROLLED[self.topic]
        asked = [row.columns[self.topic] for row in self.dimensions if row.kind == "code"]
        has_hours = any(row.key == "hour" for row in self.dimensions)
        return not has_hours and self.question.known_at is None and all(column in kept for column in (*asked, *self.narrow.columns))

    def narrowing(self, table: str) -> str:
        """The conditions on rows r of a table, with leading AND."""
        own = _CHILDREN.get(table)
        if own is None or set(self.narrow.columns) <= set(own):
            return self.narrow.sql
        return f" AND EXISTS (SELECT 1 FROM core_dossier d WHERE d.feed = r.feed AND d.source_id = r.source_id{self.child.sql})"


def narrow(city: City, question: Question, topic: str, alias: str) -> Narrow:
    """The reader's rights and the question's filter as conditions; its period stands in the question itself."""
    rights, values = conditions(city.scope, topic, NOTHING_CHOSEN, alias)
    if question.filter is None:
        return Narrow(rights, values, frozenset())
    found = narrowed(city, topic, question.filter.without("period", "period_on"), alias)
    # words are looked for in numbers too: what answers must not tell whether a name is known that the reader may not see
    searched = {"source_id"} if question.filter.q else set()
    return Narrow(rights + found.sql, {**values, **found.values}, found.columns | searched)


def pinned(city: City, question: Question) -> tuple[str, ...]:
    """The agencies a filter leaves, at most MOST_PINNED; () = more, or any."""
    term = question.filter.term("agency") if question.filter else None
    if term is None or term.how != ANY:
        return ()
    codes = known(city, "agency").below(map(str, term.values))
    return tuple(sorted(codes)) if 0 < len(codes) <= MOST_PINNED else ()


def sources_of(topic: str, flows: Sequence[str]) -> tuple[FlowSource, ...]:
    """The places these flows are found in."""
    return tuple(source for source in SOURCES[topic] if {*source.columns, *source.amounts} & set(flows))


def check(asking: Asking, flows: Sequence[str], stocks: Sequence[str]) -> None:
    """ValueError, with a remedy, when a measure has no such dimension."""
    clock = [row.key for row in asking.dimensions if row.kind == "clock"]
    if stocks and clock:
        raise ValueError(f"by: what is open at an instant has no {clock[0]}; choose a measure that counts events")
    for source in sources_of(asking.topic, flows):
        if "hour" in clock and (source.day not in _INSTANTS or source.table in _CHILDREN):
            raise ValueError("by: this measure counts days, not instants, so it has no hour; choose weekday or another breakdown")
        for row in asking.dimensions:
            if row.kind == "code" and row.columns[asking.topic] not in _CHILDREN.get(source.table, (row.columns[asking.topic],)):
                raise ValueError(f"by: this measure is not kept by {row.key}; choose agency, area, domain or a time")


@dataclass(frozen=True)
class Statement:
    """One grouped read: its key expressions, its sums, the rows it reads with their conditions, and the days it is about."""

    keys: tuple[str, ...]
    sums: tuple[str, ...]
    table: str
    where: str
    source: FlowSource | None = None
    timed: bool = True

    @property
    def columns(self) -> frozenset[str]:
        """Columns of its rows that it looks at."""
        return frozenset(re.findall(r"\br\.(\w+)", " ".join((*self.keys, *self.sums, self.where))))


def flow_statements(asking: Asking, flows: Sequence[str], *, timed: bool = True) -> Iterator[Statement]:
    """The statements that read these flows: one of the roll-up, or one a source of core rows."""
    if asking.is_rolled:
        keys = tuple(_key(asking, row, "r.day", "") for row in _kept(asking, timed))
        where = f"r.day BETWEEN :start_on AND :end_on{asking.narrow.sql}"
        yield Statement(keys, tuple(f"r.{flow}" for flow in flows), TABLES[asking.topic], where, timed=timed)
        return
    for source in sources_of(asking.topic, flows):
        keys = tuple(_key(asking, row, f"r.{source.day}", f"r.{_INSTANTS.get(source.day, '')}") for row in _kept(asking, timed))
        where = f"{_days(asking, source.day)} AND {source.where}{asking.narrowing(source.table)}"
        yield Statement(keys, tuple(source.counted(flow) for flow in flows), source.table, where, source, timed)


def _days(asking: Asking, day: str) -> str:
    """Condition of the days: one by one where few agencies are left, so that the index finds those of each day alone."""
    return f"r.{day} IN (SELECT day FROM ops_folded_day WHERE topic = '{asking.topic}' AND day BETWEEN :start_on AND :end_on)" \
        if asking.pinned else f"r.{day} BETWEEN :start_on AND :end_on"


def stock_statement(asking: Asking, stocks: Sequence[str]) -> Statement:
    """The statement that counts stocks now, from the index of open rows."""
    named = {**stock_conditions(asking.topic), "open_no_due": "due_at IS NULL"}
    sums = tuple(f"CASE WHEN {_with_rows(named[stock])} THEN 1 ELSE 0 END" for stock in stocks)
    keys = tuple(_key(asking, row, "", "") for row in _kept(asking, timed=False))
    where = f"{OPEN[asking.topic]}{asking.narrow.sql}"
    return Statement(keys, sums, CORE[asking.topic], where, timed=False)


_STOCK_COLUMNS = re.compile(r"\b(\w+_(?:at|on)|rating|reopened_count)\b")


def _with_rows(condition: str) -> str:
    return _STOCK_COLUMNS.sub(r"r.\1", condition)


def flows_of(asking: Asking, flows: Sequence[str], start_on: int, end_on: int, *, timed: bool = True) -> Cells:
    """Sums of flows of the days per cell; without `timed` the time dimension is left out of the cells."""
    found: Cells = {}
    if flows and start_on <= end_on:
        for one in flow_statements(asking, flows, timed=timed):
            add(found, _run(asking, one, {"start_on": start_on, "end_on": end_on}))
    return found


def stocks_of(asking: Asking, stocks: Sequence[str]) -> Cells:
    """Stocks at the city's now per cell of the dimensions that are not time."""
    found: Cells = {}
    add(found, _run(asking, stock_statement(asking, stocks), {}))
    return found


def _kept(asking: Asking, timed: bool) -> list[Dimension]:
    return [row for row in asking.dimensions if timed or row.kind != "time"]


def _key(asking: Asking, row: Dimension, day: str, at: str) -> str:
    if row.kind == "time":
        return part_sql(asking.parts, day)
    if row.key == "weekday":
        return weekday_sql(day)
    if row.key == "hour":
        return hour_of(asking.city, at)
    return f"r.{row.columns[asking.topic]}"


def _run(asking: Asking, one: Statement, days: Mapping[str, int]) -> Iterator[tuple[Groups, tuple[int, ...]]]:
    """Run one grouped statement: cells in its own groups; those that come out alike (areas of agencies) are yet to be added."""
    keys = "".join(f"{key} AS k{number}, " for number, key in enumerate(one.keys))
    order = f" GROUP BY {', '.join(str(number + 1) for number in range(len(one.keys)))}" if one.keys else ""
    sums = ", ".join(f"sum({part}) AS s{number}" for number, part in enumerate(one.sums))
    rows_of = f"{one.table} r"
    if asking.city.store.is_sqlite and one.table not in TABLES.values():
        rows_of += hint(one.table, one.source.day if one.source else "", asking.narrow.columns)
    read = arms(one.table, rows_of, one.where) if asking.question.known_at is not None else [("", f"{rows_of} WHERE {one.where}")]
    kept, size = _kept(asking, one.timed), len(one.keys)
    for before, rows in read:
        statement = f"SELECT {keys}count(*) AS n, {sums} FROM {rows}{order}"
        for row in _rows(asking, before, statement, [*(f"k{n}" for n in range(size)), "n", *(f"s{n}" for n in range(len(one.sums)))], days):
            asking.rows_read += row[size]
            groups = (group_of(own, value, asking.parts, asking.areas, asking.topic) for own, value in zip(kept, row[:size], strict=True))
            yield tuple(groups), tuple(int(value or 0) for value in row[size + 1 :])


def _rows(asking: Asking, before: str, statement: str, names: Sequence[str], days: Mapping[str, int]) -> Sequence[Sequence[Any]]:
    """The rows of a statement. From SQLite as one JSON text: it gives the interpreter away at each row, and a busy thread takes it."""
    values = _values(asking, before + statement) | dict(days)
    if not asking.city.store.is_sqlite:
        return asking.connection.execute(text(before + statement), values).all()
    whole = f"{before}SELECT json_group_array(json_array({', '.join(names)})) FROM ({statement})"
    found: list[list[Any]] = json.loads(asking.connection.execute(text(whole), values).scalar_one())
    return found


def _values(asking: Asking, statement: str) -> dict[str, Any]:
    """The values and instants a statement compares with, as far as it names them."""
    city, named = asking.city, set(re.findall(r":(\w+)", statement))
    clock = {"now": city.as_of, "today": city.today_on, "known_at": asking.question.known_at}
    if "soon" in named:
        clock["soon"] = soon_boundary(city)
    return {name: value for name, value in {**clock, **asking.narrow.values, **asking.child.values}.items() if name in named}


def add(into: Cells, cells: Iterable[tuple[Groups, tuple[int, ...]]]) -> None:
    """Add cells to those of the same groups."""
    for groups, values in cells:
        held = into.get(groups)
        into[groups] = values if held is None else tuple(a + b for a, b in zip(held, values, strict=True))
