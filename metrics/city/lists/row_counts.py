"""How many rows a filter keeps, without reading history where a roll-up or an index has the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from metrics.city import City
from metrics.city.lists.filter_fields import PERIOD_DAYS
from metrics.city.lists.filter_grammar import ANY, Filter, period_days, told
from metrics.city.lists.filters import about, narrowed
from metrics.city.lists.paging import Query, count
from metrics.city.lists.row_orders import is_in_hand
from metrics.city.numbers import day_flows
from metrics.city.numbers.sums import HORIZON, NOTHING_CHOSEN, TABLES, conditions
from metrics.kpis import RULE_DAY

ROLLUP, INDEX, READ = "rollup", "index", "read"
SHORT_DAYS = 31  # a period an index answers in passing
DIMENSIONS: Mapping[str, frozenset[str]] = {
    "dossiers": frozenset({"agency_code", "domain_code"}), "reports": frozenset({"agency_code", "area_code", "category_code"}),
}


@dataclass(frozen=True)
class Rolled:
    """A state whose rows the day roll-ups count: flows on the day of their event; `day` = under the day rule, where it differs."""

    flows: tuple[str, ...]
    event: str
    day: tuple[str, ...] = ()
    any_day_only: bool = False


ROLLED: Mapping[tuple[str, str], Rolled] = {
    ("dossiers", ""): Rolled(("received", "new", "refused"), "", any_day_only=True),
    ("dossiers", "received"): Rolled(("received",), "received"),
    ("dossiers", "finished"): Rolled(("finished",), "finished"),
    ("dossiers", "late"): Rolled(("finished_late",), "finished", ("finished_late_day",)),
    ("dossiers", "new"): Rolled(("new",), "filed"),
    ("dossiers", "refused"): Rolled(("refused",), "filed"),
    ("reports", ""): Rolled(("received",), "received"),
    ("reports", "received"): Rolled(("received",), "received"),
    ("reports", "finished"): Rolled(("closed",), "closed"),
    ("reports", "late"): Rolled(("closed_late",), "closed"),
}


@dataclass(frozen=True)
class Counted:
    """How many rows; None = not known within the time given. coverage: rollup | index | read, says what was looked at."""

    n: int | None
    coverage: str


def counted(connection: Connection, city: City, chosen: Filter, query: Query) -> Counted:
    """The number of rows of a filter, from the roll-ups where they have it, else by its condition."""
    found = _from_rollup(connection, city, chosen)
    if found is not None:
        return Counted(found, ROLLUP)
    return Counted(count(connection, query), coverage_of(city, chosen))


def coverage_of(city: City, chosen: Filter) -> str:
    """What answers when the roll-ups do not: an index over few rows, or reading whatever there is."""
    days = period_days(chosen, city.today)
    is_short = days is not None and days[1] - days[0] <= SHORT_DAYS and bool(chosen.period_on or about(chosen))
    ranges = [
        (term.low, city.today_on if term.high is None else term.high) for term in chosen.terms
        if term.low is not None and term.field in PERIOD_DAYS[chosen.topic]
    ]
    is_short = is_short or any(last - first <= SHORT_DAYS for first, last in ranges)
    is_named = any((term := chosen.term(key)) is not None and term.how == ANY for key in ("id", "procedure"))
    return INDEX if is_in_hand(chosen) or is_short or is_named else READ


def _from_rollup(connection: Connection, city: City, chosen: Filter) -> int | None:
    term = chosen.term("state")
    row = ROLLED.get((chosen.topic, chosen.only("state") if term is not None else ""))
    if row is None or (term is not None and term.how != ANY):
        return None
    days = period_days(chosen, city.today)
    if days is not None and (row.any_day_only or (chosen.period_on or about(chosen)) != row.event):
        return None
    narrow = narrowed(city, chosen.topic, chosen.without("state", "period", "period_on"), "")
    if not narrow.columns <= DIMENSIONS[chosen.topic]:
        return None
    flows = row.day if row.day and (chosen.late_rule or city.config.late_rule) == RULE_DAY else row.flows
    own, values = conditions(city.scope, chosen.topic, NOTHING_CHOSEN)
    asked = ("count", flows, *sorted(told(chosen.without("state", "period", "period_on")).items()))
    source = day_flows.Source(chosen.topic, TABLES[chosen.topic], flows, asked, own + narrow.sql, {**values, **narrow.values})
    start, end = days or (-HORIZON, HORIZON)
    return sum(source.summed(day_flows.read(connection, city, source, start, end).values()).values()) + (
        _without_day(connection, city, chosen, row) if days is None else 0
    )


def _without_day(connection: Connection, city: City, chosen: Filter, row: Rolled) -> int:
    """Rows that bear no day of the event, and so stand in no cell; an index has them together."""
    if chosen.topic == "dossiers":
        return 0  # store/landing.py lets none land without it
    column = PERIOD_DAYS[chosen.topic][row.event]
    if column != "received_on":
        return 0
    narrow = narrowed(city, chosen.topic, chosen.without("period", "period_on"))
    own, values = conditions(city.scope, chosen.topic, NOTHING_CHOSEN, "d.")
    found = connection.execute(
        text(f"SELECT count(*) FROM core_report d WHERE d.{column} IS NULL{own}{narrow.sql}"), {**values, **narrow.values}
    )
    return int(found.scalar_one())
