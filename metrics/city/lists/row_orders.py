"""How lists can be sorted: by any column they show, in both directions. A column with an index is walked; any other needs all rows
that are asked for, so it is sorted only while these are few (MOST_SORTED). Names are in the Vietnamese order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from metrics.city import City
from metrics.city.lists.filter_grammar import ANY, Filter
from metrics.city.lists.known import known
from metrics.city.lists.paging import KEY, Order
from metrics.city.lists.row_states import CONDITIONS, IN_HAND, State
from metrics.city.records.timing import soon_boundary
from metrics.kpis import RULE_DAY

MOST_SORTED = 100_000
_LAST = 1_000_000  # place of a code no list knows


@dataclass(frozen=True)
class Sort:
    """One way to sort. columns: of the table, walked by an index where is_walked; names: by the names of this list's codes."""

    key: str
    columns: tuple[str, ...]
    is_walked: bool = False
    names: str = ""
    is_text: bool = False


def _walked(key: str) -> Sort:
    return Sort(key, (f"{key}_on", f"{key}_at"), is_walked=True)


_COMMON = (
    Sort("number", (), is_walked=True), _walked("received"), Sort("due", ("due_at",)), Sort("agency", ("agency_code",), names="agency"),
    Sort("channel", ("channel",), is_text=True), Sort("timeliness", ()),
)
SORTS: Mapping[str, Mapping[str, Sort]] = {
    topic: {row.key: row for row in rows}
    for topic, rows in {
        "dossiers": (
            *_COMMON, _walked("finished"), Sort("filed", ("filed_on", "filed_at")), Sort("status", ("status",)),
            Sort("procedure", ("procedure_code",), names="procedure"), Sort("domain", ("domain_code",), names="domain"),
        ),
        "reports": (
            *_COMMON, _walked("closed"), Sort("status", ("status",), is_text=True),
            Sort("category", ("category_code",), names="category"), Sort("area", ("area_code",), names="area"),
        ),
    }.items()
}


def own_state(chosen: Filter) -> State:
    """The row that says how rows of a filter are ordered by default, and what a period is about."""
    tables = CONDITIONS[chosen.topic]
    for name in ("state", "timeliness", "quality"):
        term = chosen.term(name)
        if term is not None and term.how == ANY:
            rows = [tables[name][str(value)] for value in term.values]
            if len(rows) == 1 or all(row.order == rows[0].order for row in rows):
                return rows[0]
    return tables["state"][""]


def is_in_hand(chosen: Filter) -> bool:
    """Are only rows asked for that are in hand? Then the index of these has them all."""
    terms = (chosen.term("state"), chosen.term("timeliness"))
    tables = CONDITIONS[chosen.topic]
    return any(
        term is not None and term.how == ANY and all(tables[term.field][str(value)].is_now for value in term.values) for term in terms
    )


def is_walked(chosen: Filter, sort: str) -> bool:
    """Can rows be read in this order without looking at all of them?"""
    row = SORTS[chosen.topic].get(sort.removeprefix("-"))
    return row is None or row.is_walked or (row.key == "due" and is_in_hand(chosen))


def order_of(city: City, chosen: Filter, sort: str, values: dict[str, Any]) -> Order:
    """The order asked for: '' = the state's own, `due` upwards, `-due` downwards. ValueError naming what there is."""
    hint = IN_HAND[chosen.topic][1] if is_in_hand(chosen) else ""
    if not sort:
        found = own_state(chosen).order
        has_one = all(term is None or len(term.values) == 1 for term in (chosen.term("state"), chosen.term("quality")))
        return replace(found, index=hint or (found.index if has_one else ""))
    row = SORTS[chosen.topic].get(sort.removeprefix("-"))
    if row is None:
        raise ValueError(f"sort: {sort[:40]!r} is none of {', '.join(SORTS[chosen.topic])}; a - before it turns it round")
    made = Order(sort, (*row.columns, *KEY), sort.startswith("-"), hint, is_text=row.is_text)
    if row.names:
        return _by_name(city, row, made, values)
    return _by_verdict(city, chosen, made, values) if row.key == "timeliness" else made


def _by_name(city: City, row: Sort, made: Order, values: dict[str, Any]) -> Order:
    """By the place of a code's name: the places go along as JSON, joined by code."""
    values["places"] = json.dumps(known(city, row.names).ranked())
    each = "json_each(:places)" if city.store.is_sqlite else "json_each_text(CAST(:places AS json))"
    place = "value" if city.store.is_sqlite else "CAST(value AS integer)"
    return replace(
        made, columns=("place", *KEY), expression=f"coalesce(places.place, {_LAST})",
        join=f" LEFT JOIN places ON places.code = d.{row.columns[0]}",
        before=f"WITH places(code, place) AS MATERIALIZED (SELECT key, {place} FROM {each}) ",
    )


def _by_verdict(city: City, chosen: Filter, made: Order, values: dict[str, Any]) -> Order:
    """By how a row stands against its due date: overdue first."""
    by_day = (chosen.late_rule or city.config.late_rule) == RULE_DAY
    rows = CONDITIONS[chosen.topic]["timeliness"].values()
    whens = " ".join(f"WHEN {row.day if by_day and row.day else row.where} THEN {place}" for place, row in enumerate(rows))
    clock = {"now": city.as_of, "today": city.today_on, "soon": soon_boundary(city)}
    values.update({name: value for name, value in clock.items() if f":{name}" in whens})
    return replace(made, columns=("place", *KEY), expression=f"(CASE {whens} ELSE {len(rows)} END)")
