"""A filter as conditions on rows: the one place where the grammar (metrics/city/lists/filter_grammar.py) becomes SQL.

Rights stay where they are (metrics/city/numbers/sums.py): a narrowed question is asked inside the reader's scope.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from metrics.city import City
from metrics.city.findings.closings import bulk_rows
from metrics.city.lists.filter_fields import FIELD_BY_KEY, FIELDS, PERIOD_DAYS, Field
from metrics.city.lists.filter_grammar import ANY, MISSING, NONE, PRESENT, RANGE, Filter, Term, parse, period_days, told, written
from metrics.city.lists.known import known
from metrics.city.lists.row_states import CONDITIONS
from metrics.city.lists.searched import search_condition
from metrics.city.lists.within import inside, read_polygon
from metrics.city.numbers.zone_hours import hour_of
from metrics.city.records.timing import soon_boundary
from metrics.kpis import RULE_DAY

__all__ = ["FIELDS", "Filter", "Narrow", "Term", "narrowed", "parse", "period_days", "told", "written"]


@dataclass(frozen=True)
class Narrow:
    """Conditions (each with a leading AND, '' = none), their values, and the columns of the table they look at."""

    sql: str
    values: dict[str, Any]
    columns: frozenset[str]


@dataclass
class _Making:
    """A narrowing as it grows."""

    city: City
    chosen: Filter
    alias: str
    values: dict[str, Any] = field(default_factory=dict)
    columns: set[str] = field(default_factory=set)

    def named(self, key: str, values: Iterable[Any]) -> str:
        """Places for a list of values, `NULL` for none."""
        names = []
        for number, value in enumerate(values):
            name = f"f_{key}_{number}"
            self.values[name] = value
            names.append(f":{name}")
        return ", ".join(names) or "NULL"

    def column(self, one: Field) -> str:
        """The SQL of a field's column; it is noted as looked at."""
        told_of = re.findall(r"\{a\}(\w+)", one.column) or one.column.split()
        self.columns.update(told_of)
        return one.column.replace("{a}", self.alias) if "{a}" in one.column else f"{self.alias}{one.column}"


def narrowed(city: City, topic: str, chosen: Filter, alias: str = "d.") -> Narrow:
    """Conditions of a filter on rows of core_dossier or core_report under that alias ('' = none), period, words and state among them.

    `columns` tells whether an index or a roll-up has all that is asked. ValueError ("field: ...") for what cannot be meant.
    """
    making = _Making(city, chosen, alias)
    parts = [_condition(making, FIELD_BY_KEY[topic][term.field], term) for term in chosen.terms]
    parts += [_period(making, topic), _search(making, topic)]
    return Narrow("".join(f" AND {part}" for part in parts if part), making.values, frozenset(making.columns))


def _condition(making: _Making, one: Field, term: Term) -> str:
    if one.key == "area" and making.chosen.topic == "dossiers":
        return _dossier_area(making, one, term)
    return _BY_KIND.get(one.kind, _column)(making, one, term)


def _column(making: _Making, one: Field, term: Term) -> str:
    """Codes, numbers, days, flags."""
    return _compared(making, one, term, making.column(one), term.values)


def _compared(making: _Making, one: Field, term: Term, column: str, values: Iterable[Any]) -> str:
    if term.how in (MISSING, PRESENT):
        return f"{column} {'=' if term.how == MISSING else '<>'} ''" if one.is_text else _null(making, one, column, term.how == MISSING)
    if term.how == RANGE:
        bounds = [(">=", "low", term.low), ("<=", "high", term.high)]
        parts = []
        for sign, name, bound in bounds:
            if bound is not None:
                making.values[f"f_{one.key}_{name}"] = bound
                parts.append(f"{column} {sign} :f_{one.key}_{name}")
        return " AND ".join(parts)
    places = making.named(one.key, values)
    if one.kind == "flag":
        column = f"(CASE WHEN {column} THEN 1 WHEN NOT {column} THEN 0 END)"
    if term.how == ANY:
        return f"{column} IN ({places})"
    return f"{column} NOT IN ({places})" if one.is_text else f"({column} IS NULL OR {column} NOT IN ({places}))"


def _null(making: _Making, one: Field, column: str, is_missing: bool) -> str:
    if one.key == "status":  # of a dossier: 0 = unmapped
        return f"{column} {'=' if is_missing else '<>'} 0"
    return f"{column} IS {'' if is_missing else 'NOT '}NULL"


def _tree(making: _Making, one: Field, term: Term) -> str:
    """A code with all below it."""
    values = known(making.city, one.key).below(map(str, term.values)) if term.values else ()
    return _compared(making, one, term, making.column(one), values)


def _dossier_area(making: _Making, one: Field, term: Term) -> str:
    """A dossier lies where its agency does."""
    areas = set(known(making.city, "area").below(map(str, term.values)))
    lying = known(making.city, "agency").above
    inside_of = [code for code, area in lying.items() if (area in areas if term.values else area)]
    is_in = term.how in (ANY, PRESENT)
    return f"{making.column(one)} {'' if is_in else 'NOT '}IN ({making.named(one.key, sorted(inside_of)) if inside_of else chr(39) * 2})"


def _state(making: _Making, one: Field, term: Term) -> str:
    """Named conditions, under the late rule asked for."""
    rows = [CONDITIONS[making.chosen.topic][one.key][str(value)] for value in term.values]
    by_day = (making.chosen.late_rule or making.city.config.late_rule) == RULE_DAY
    whole = " OR ".join(f"({row.day if by_day and row.day else row.where})" for row in rows)
    if "{bulk}" in whole:
        whole = whole.format(bulk=_bulk(making))
    making.columns.update(re.findall(r"\bd\.(\w+)", whole))
    clock = {"now": making.city.as_of, "today": making.city.today_on, "soon": soon_boundary(making.city)}
    making.values.update({name: value for name, value in clock.items() if f":{name}" in whole})
    held = _aliased(whole, making.alias)
    return f"NOT coalesce(({held}), FALSE)" if term.how == NONE else f"({held})"  # unknown is not one of them


def _bulk(making: _Making) -> str:
    days = period_days(making.chosen, making.city.today)
    if days is None:
        raise ValueError("quality: closed in bulk is judged inside a period; give one")
    making.values.update(bulk_start=days[0], bulk_end=days[1])
    return bulk_rows(making.city)


def _aliased(sql: str, alias: str) -> str:
    return sql if alias == "d." else re.sub(r"\bd\.", alias, sql)


def _hour(making: _Making, one: Field, term: Term) -> str:
    return _compared(making, one, term, hour_of(making.city, making.column(one)), term.values)


def _weekday(making: _Making, one: Field, term: Term) -> str:
    return _compared(making, one, term, f"(({making.column(one)} + 3) % 7 + 1)", term.values)


def _place(making: _Making, one: Field, term: Term) -> str:
    making.columns.update(one.column.split())
    if term.how in (MISSING, PRESENT):
        return f"{making.alias}lon IS {'' if term.how == MISSING else 'NOT '}NULL"
    with making.city.store.reading() as connection:
        found = inside(connection, making.city, making.chosen.topic, read_polygon(str(term.values[0])), making.alias, making.values)
    lies = "1 = 1" + found
    return f"({lies})" if term.how == ANY else f"({making.alias}lon IS NULL OR NOT ({lies}))"


_BY_KIND: Mapping[str, Callable[[_Making, Field, Term], str]] = {
    "tree": _tree, "state": _state, "hour": _hour, "weekday": _weekday, "place": _place,
}


def _period(making: _Making, topic: str) -> str:
    """The period, on the day its filter names or its state is about; a state of now ignores a period nobody tied to a day."""
    days = period_days(making.chosen, making.city.today)
    on = making.chosen.period_on or about(making.chosen)
    if days is None or not on or topic not in PERIOD_DAYS:
        return ""
    column = PERIOD_DAYS[topic][on]
    making.columns.add(column)
    making.values.update(f_start_on=days[0], f_end_on=days[1])
    return f"{making.alias}{column} BETWEEN :f_start_on AND :f_end_on"


def about(chosen: Filter) -> str:
    """The day a filter's period is about when it does not say so: a key of PERIOD_DAYS, '' = it speaks of now."""
    states = CONDITIONS.get(chosen.topic)
    if states is None:
        return ""
    state, quality = chosen.term("state"), chosen.term("quality")
    if state is not None and state.how == ANY:
        row = states["state"][str(state.values[0])]
        return "" if row.is_now else row.period_on
    return states["quality"][str(quality.values[0])].period_on if quality is not None and quality.values else "received"


def _search(making: _Making, topic: str) -> str:
    return search_condition(making.city, topic, making.chosen.q, making.alias, making.values, making.columns) if making.chosen.q else ""
