"""How much reading a question takes, told before it is read: by roll-ups, by indexes over a bounded number of rows, or by neither."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Index, text

from metrics.city.explore.cells import CORE, Asking, Statement, flow_statements, stock_statement
from metrics.city.explore.indexes import index_of
from metrics.city.explore.measures import Needs
from metrics.city.explore.past import VERSIONS
from metrics.city.explore.question import INDEX, READ, ROLLUP
from metrics.city.explore.sheets import asks_later, wanted_flows
from metrics.city.numbers import day_flows
from metrics.city.numbers.sums import HORIZON, NOTHING_CHOSEN, TABLES, conditions, stocks_now
from metrics.flows import FlowSource
from store.schema import metadata

MOST_INDEXED = 200_000  # rows of a covering index that are read in the time a covered answer has
FETCH = 8  # index rows that one look into the table costs as much as
# which flow counts the rows of a source's day; a due date passes about as often as a dossier comes in
_ROWS = {
    "received_on": "received", "finished_on": "finished", "closed_on": "closed", "passed_on": "received", "passed_day_on": "received",
    "reopened_on": "reopened", "second_supplement_on": "late_766", "filed_on": "refused", "stopped_on": "stopped", "resumed_on": "resumed",
}


@dataclass(frozen=True)
class Cover:
    """What answers a question, and about how many core rows it takes; `rows` is of the reader's own rows."""

    coverage: str
    rows: int


def cover_of(asking: Asking, needs: Needs) -> Cover:
    """How a period of a question is covered. Costs a look at the sums of days, which are remembered."""
    if asking.is_rolled:
        return Cover(ROLLUP, 0)
    rows = weight = 0
    for statement, start_on, end_on in _reads(asking, needs):
        rows += _rows(asking, statement.source, start_on, end_on, own=True)
        weight += _rows(asking, statement.source, start_on, end_on, own=False) * (1 if _is_covered(statement) else FETCH)
    if asking.question.known_at is not None:
        changed = _changed(asking)
        rows, weight = rows + changed, weight + FETCH * changed
    return Cover(INDEX if weight <= MOST_INDEXED else READ, rows)


def _changed(asking: Asking) -> int:
    """How many versions have landed since the instant asked for, counted up to one more than is covered."""
    versions, _ = VERSIONS[CORE[asking.topic]]
    some = f"SELECT 1 FROM {versions} WHERE landed_at > :at LIMIT {MOST_INDEXED + 1}"
    statement = text(f"SELECT count(*) FROM ({some}) found")
    return int(asking.connection.execute(statement, {"at": asking.question.known_at}).scalar_one())


def _reads(asking: Asking, needs: Needs) -> Iterator[tuple[Statement, int, int]]:
    """Every statement the answer takes, with its days."""
    parts = asking.parts
    for statement in flow_statements(asking, wanted_flows(asking, needs)):
        yield statement, parts.start_on, parts.end_on
    if needs.stocks:
        yield stock_statement(asking, needs.stocks), 0, 0
        for statement in flow_statements(asking, needs.net, timed=False) if asks_later(asking) else ():
            yield statement, parts.end_on + 1, HORIZON


def _rows(asking: Asking, source: FlowSource | None, start_on: int, end_on: int, *, own: bool) -> int:
    """About how many rows lie on these days; of the stock, the open ones. own: those the reader may see, not all the index has."""
    connection, city, topic = asking.connection, asking.city, asking.topic
    if source is None:
        return stocks_now(connection, city, topic, NOTHING_CHOSEN)["open"] or 0
    if start_on > end_on:
        return 0
    names = tuple(dict.fromkeys(name for name in _ROWS.values() if name in _FLOWS[topic]))
    codes = {f"pinned_{number}": code for number, code in enumerate(asking.pinned)}
    where = f" AND agency_code IN ({', '.join(':' + name for name in codes)})" if codes else ""
    own = own and city.scope.is_limited
    rights, values = conditions(city.scope, topic, NOTHING_CHOSEN) if own else ("", {})
    counted = day_flows.Source(topic, TABLES[topic], names, ("rows of days", asking.pinned, own), where + rights, {**codes, **values})
    return counted.summed(day_flows.read(connection, city, counted, start_on, end_on).values())[_ROWS[source.day]]


_FLOWS = {topic: frozenset(column.name for column in metadata.tables[table].columns) for topic, table in TABLES.items()}


def _is_covered(statement: Statement) -> bool:
    """Has the index of the statement's day all it looks at?"""
    index = index_of(statement.table, statement.source.day if statement.source else "")
    return index is not None and statement.columns <= _columns(index)


def _columns(index: Index) -> frozenset[str]:
    """What an entry holds: its columns, and the key of its row."""
    return frozenset(column.name for column in index.columns) | {"feed", "source_id"}
