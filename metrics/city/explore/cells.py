"""Flows and stocks of every cell of a breakdown: from the day roll-ups where these have its dimensions and filters, else from core rows.

Nothing is counted twice: a core row is counted by the conditions of metrics/flows.py, as the fold counts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from metrics.city import City
from metrics.city.explore.parts import Parts, group_of, hour_sql, part_sql, weekday_sql
from metrics.city.explore.question import Dimension, Question
from metrics.city.sums import NOTHING_CHOSEN, TABLES, conditions, stock_conditions
from metrics.flows import DOSSIER_DAY, REPORT_DAY, FlowSource
from metrics.worktime import due_within_boundary
from store.days import instant, moment

Groups = tuple[str, ...]
Cells = dict[Groups, tuple[int, ...]]  # flows (or stocks) of a cell, in the order they were asked for
SOURCES: Mapping[str, tuple[FlowSource, ...]] = {"dossiers": DOSSIER_DAY, "reports": REPORT_DAY}
ROLLED = {"dossiers": ("agency_code", "domain_code"), "reports": ("agency_code", "area_code", "category_code")}
CORE = {"dossiers": "core_dossier", "reports": "core_report"}
OPEN = {"dossiers": "r.finished_on IS NULL AND r.standing = 1", "reports": "r.closed_on IS NULL"}
_INSTANTS = {"received_on": "received_at", "finished_on": "finished_at", "closed_on": "closed_at", "reopened_on": "reopened_at"}
_LACKS = {  # columns that a child of core_dossier has none of
    "core_dossier_stop": ("procedure_code", "channel"), "core_dossier_time": ("channel",),
}


@dataclass(frozen=True)
class Asking:
    """One period of a question as it is read: `where` (with leading AND, rows as r.) and `values` keep what its filter and the reader's
    rights leave; `columns` = the core columns the filter looks at."""

    connection: Connection
    city: City
    question: Question
    topic: str
    dimensions: tuple[Dimension, ...]
    parts: Parts
    areas: Mapping[str, str]
    where: str
    values: Mapping[str, Any]
    columns: tuple[str, ...]

    @property
    def is_rolled(self) -> bool:
        """Do the day roll-ups have every dimension and every filtered column?"""
        kept = ROLLED[self.topic]
        asked = [row.columns[self.topic] for row in self.dimensions if row.kind == "code"]
        clock = any(row.key == "hour" for row in self.dimensions)
        return not clock and all(column in kept for column in (*asked, *self.columns))


def sources_of(topic: str, flows: Sequence[str]) -> tuple[FlowSource, ...]:
    """The places these flows are found in."""
    return tuple(source for source in SOURCES[topic] if {*source.columns, *source.amounts} & set(flows))


def check(asking: Asking, flows: Sequence[str], stocks: Sequence[str]) -> None:
    """ValueError, with a remedy, when a measure has no such dimension."""
    clock = [row.key for row in asking.dimensions if row.kind == "clock"]
    if stocks and clock:
        raise ValueError(f"by {clock[0]!r}: what is open at an instant has no hour or weekday; choose a measure that counts events")
    for source in sources_of(asking.topic, flows):
        if "hour" in clock and source.day not in _INSTANTS:
            raise ValueError("by 'hour': this measure counts days, not instants; choose another breakdown")
        for row in asking.dimensions:
            if row.kind == "code" and row.columns[asking.topic] in _LACKS.get(source.table, ()):
                raise ValueError(f"by {row.key!r}: this measure is not kept by {row.key}; choose agency, area, domain or time")


def flows_of(asking: Asking, flows: Sequence[str], start_on: int, end_on: int, *, timed: bool = True) -> Cells:
    """Sums of flows of the days per cell; without `timed` the time dimension is left out of the cells."""
    if not flows or end_on < start_on:
        return {}
    if asking.is_rolled:
        keys = [_key(asking, row, "r.day", "") for row in _kept(asking, timed)]
        sums = ", ".join(f"sum(r.{flow})" for flow in flows)
        cells = f"{TABLES[asking.topic]} r WHERE r.day BETWEEN :start_on AND :end_on"
        return _grouped(asking, keys, sums, cells, (start_on, end_on), timed)
    found: Cells = {}
    for source in sources_of(asking.topic, flows):
        keys = [_key(asking, row, f"r.{source.day}", f"r.{_INSTANTS.get(source.day, '')}") for row in _kept(asking, timed)]
        sums = ", ".join(f"sum({source.counted(flow)})" for flow in flows)
        rows = f"{source.table} r WHERE r.{source.day} BETWEEN :start_on AND :end_on AND {source.where}"
        add(found, _grouped(asking, keys, sums, rows, (start_on, end_on), timed).items())
    return found


def stocks_of(asking: Asking, stocks: Sequence[str]) -> Cells:
    """Stocks at the city's now per cell of the dimensions that are not time, from the index of open rows."""
    counted = stock_conditions(asking.topic)
    named = {**counted, "open_no_due": "due_at IS NULL"}
    sums = ", ".join(f"sum(CASE WHEN {named[stock]} THEN 1 ELSE 0 END)" for stock in stocks)
    keys = [_key(asking, row, "", "") for row in _kept(asking, timed=False)]
    return _grouped(asking, keys, sums, f"{CORE[asking.topic]} r WHERE {OPEN[asking.topic]}", None, False)


def _kept(asking: Asking, timed: bool) -> list[Dimension]:
    return [row for row in asking.dimensions if timed or row.kind != "time"]


def _key(asking: Asking, row: Dimension, day: str, at: str) -> str:
    if row.kind == "time":
        return part_sql(asking.parts, day)
    if row.key == "weekday":
        return weekday_sql(day)
    if row.key == "hour":
        return hour_sql(asking.city.store.days, at, asking.parts.start_on, asking.parts.end_on)
    return f"r.{row.columns[asking.topic]}"


def _grouped(asking: Asking, keys: Sequence[str], sums: str, rows: str, days: tuple[int, int] | None, timed: bool) -> Cells:
    """Run one grouped statement; columns whose groups are made here (a dossier's area) are merged."""
    grouped = ", ".join(f"{key} AS k{number}" for number, key in enumerate(keys))
    order = ", ".join(str(number + 1) for number in range(len(keys)))
    statement = f"SELECT {grouped + ', ' if keys else ''}{sums} FROM {rows}{asking.where}{' GROUP BY ' + order if keys else ''}"
    values = {**asking.values, **_clock(asking, statement)}
    if days:
        values |= {"start_on": days[0], "end_on": days[1]}
    found: Cells = {}
    kept = _kept(asking, timed)
    for row in asking.connection.execute(text(statement), values):
        groups = tuple(
            group_of(one, value, asking.parts, asking.areas, asking.topic) for one, value in zip(kept, row[: len(keys)], strict=True)
        )
        add(found, [(groups, tuple(int(value or 0) for value in row[len(keys) :]))])
    return found


def _clock(asking: Asking, statement: str) -> dict[str, Any]:
    """The instants a statement compares with, as far as it names them."""
    city = asking.city
    values: dict[str, Any] = {"now": city.as_of, "today": city.today_on}
    if ":soon" in statement:
        values["soon"] = instant(due_within_boundary(city.calendar, moment(city.as_of), 2))
    return {name: value for name, value in values.items() if f":{name}" in statement}


def add(into: Cells, cells: Iterable[tuple[Groups, tuple[int, ...]]]) -> None:
    """Add cells to those of the same groups."""
    for groups, values in cells:
        held = into.get(groups)
        into[groups] = values if held is None else tuple(a + b for a, b in zip(held, values, strict=True))


def rights_and_choice(city: City, question: Question, topic: str) -> tuple[str, dict[str, Any], tuple[str, ...]]:
    """Conditions of the reader's rights and of the question's filter, their values, and the columns the filter looks at."""
    where, values = conditions(city.scope, topic, NOTHING_CHOSEN, "r.")
    columns = []
    for term in question.filter.terms if question.filter else ():  # the thin one: codes alone
        column = {"agency": "agency_code", "domain": "domain_code", "category": "category_code"}[term.field]
        names = {f"{term.field}_{n}": value for n, value in enumerate(term.values)}
        where += f" AND r.{column} IN ({', '.join(':' + name for name in names)})"
        values.update(names)
        columns.append(column)
    return where, values, tuple(columns)
