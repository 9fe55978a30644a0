"""Flows and stocks, summed from the day roll-ups and the open rows: what every KPI and series is made of.

Flows of a period come from the roll-up. A stock is counted now from the partial index of open rows; a past one is today's minus the net
flows since, so its cost follows how far back it lies, not what is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from metrics.city import City, area_tree
from metrics.city.numbers import day_flows
from metrics.kpis import Sums
from metrics.kpis.row import FLOW_TABLES
from metrics.worktime import due_within_boundary
from scope import Scope
from store.days import instant, moment
from store.schema import DOSSIER_FLOWS, REPORT_FLOWS


@dataclass(frozen=True)
class Choice:
    """What a question is about: an agency with all below it, an area, a domain, a category, a procedure; '' = any."""

    agency: str = ""
    area: str = ""
    domain: str = ""
    category: str = ""


NOTHING_CHOSEN = Choice()
TABLES = FLOW_TABLES
FLOWS = {"dossiers": DOSSIER_FLOWS, "reports": REPORT_FLOWS}


def conditions(scope: Scope, topic: str, choice: Choice, prefix: str = "") -> tuple[str, dict[str, Any]]:
    """SQL conditions (with leading AND) and values that keep the scope's rows of a choice. `prefix` is a table alias with its dot."""
    parts: list[str] = []
    values: dict[str, Any] = {}
    if choice.agency:
        parts.append(_subtree(f"{prefix}agency_code", "agency", choice.agency, values))
    if scope.agencies is not None:
        own = [_subtree(f"{prefix}agency_code", f"scope_agency_{n}", code, values) for n, code in enumerate(scope.agencies)]
        parts.append(f"({' OR '.join(own)})" if own else "1 = 0")
    for column, name in (("domain_code", "domain"), ("category_code", "category")):
        if getattr(choice, name) and (topic, column) in (("dossiers", "domain_code"), ("reports", "category_code")):
            parts.append(f"{prefix}{column} = :{name}")
            values[name] = getattr(choice, name)
    areas = [choice.area] if choice.area else []
    if areas:
        parts.append(_area(topic, prefix, "area", areas[0], values, area_tree.below("area")))
    if scope.areas is not None:
        own = [_area(topic, prefix, f"scope_area_{n}", code, values) for n, code in enumerate(scope.areas)]
        parts.append(f"({' OR '.join(own)})" if own else "1 = 0")
    return "".join(f" AND {part}" for part in parts), values


def _subtree(column: str, name: str, code: str, values: dict[str, Any]) -> str:
    """An agency and all below it by dotted segments: H56.1 never takes H56.14."""
    values[name] = code
    values[f"{name}_below"] = below = code + "."
    return f"({column} = :{name} OR substr({column}, 1, {len(below)}) = :{name}_below)"  # LIKE would fold case on SQLite


def _area(topic: str, prefix: str, name: str, code: str, values: dict[str, Any], tree: str = "") -> str:
    """An area, or all of a tree; a dossier lies where its agency does. Rights are given area by area."""
    values[name] = code
    lies = f"IN ({tree})" if tree else f"= :{name}"
    if topic == "dossiers":
        return f"{prefix}agency_code IN (SELECT code FROM core_agency WHERE area_code {lies})"
    return f"{prefix}area_code {lies}"


def flow_sums(connection: Connection, city: City, topic: str, start_on: int, end_on: int, choice: Choice) -> dict[str, int]:
    """Sum of every flow of the topic over the days start_on..end_on, both included."""
    source = flow_source(city, topic, choice)
    return source.summed(day_flows.read(connection, city, source, start_on, end_on).values())


def flow_source(city: City, topic: str, choice: Choice) -> day_flows.Source:
    """The cells of a choice that this reader may see."""
    return day_flows.Source(topic, TABLES[topic], FLOWS[topic], choice, *conditions(city.scope, topic, choice))


def stocks_now(connection: Connection, city: City, topic: str, choice: Choice) -> dict[str, int | None]:
    """Open, open with due date, overdue (by instant and by day) and due soon, at the city's now."""
    found = stocks_now_by(connection, city, topic, "", choice)
    return dict(found.get("") or dict.fromkeys(stock_conditions(topic), 0))


def stocks_now_by(connection: Connection, city: City, topic: str, group: str, choice: Choice) -> dict[str, dict[str, int]]:
    """The same per value of a column, "" = all in one group of that name: group -> stock -> count. Read from the index of open rows."""
    key = ("stocks", topic, group, choice)
    if key not in city.memo:
        city.memo[key] = _read_stocks(connection, city, topic, group, choice)
    return {group: dict(stocks) for group, stocks in city.memo[key].items()}


def _read_stocks(connection: Connection, city: City, topic: str, group: str, choice: Choice) -> dict[str, dict[str, int]]:
    where, values = conditions(city.scope, topic, choice)
    counted = stock_conditions(topic)
    if topic == "dossiers":
        values["soon"] = instant(due_within_boundary(city.calendar, moment(city.as_of), 2))
        values["today"] = city.today_on
    columns = ", ".join(f"sum(CASE WHEN {condition} THEN 1 ELSE 0 END)" for condition in counted.values())
    source = "core_dossier WHERE finished_on IS NULL AND standing = 1" if topic == "dossiers" else "core_report WHERE closed_on IS NULL"
    grouped, grouping = (group, " GROUP BY 1") if group else ("''", "")
    rows = connection.execute(
        text(f"SELECT {grouped} AS grouped, {columns} FROM {source}{where}{grouping}"), {"now": city.as_of, **values}
    ).all()
    return {row[0]: {name: int(value or 0) for name, value in zip(counted, row[1:], strict=True)} for row in rows}


QUALITY_KNOWN = "rating IS NOT NULL AND reopened_count IS NOT NULL"  # reports of which it is known how they were handled


def stock_conditions(topic: str) -> Mapping[str, str]:
    """Stock -> condition on an open row."""
    if topic == "reports":
        return {"open": "1 = 1", "open_due": "due_at IS NOT NULL", "overdue": "due_at < :now", "open_known": QUALITY_KNOWN}
    return {
        "open": "1 = 1", "open_due": "due_at IS NOT NULL", "overdue": "due_at < coalesce(verdict_at, :now)",
        "overdue_day": "due_on < coalesce(verdict_on, :today)", "stopped": "verdict_at IS NOT NULL",
        "late_766": (  # as metrics/flows.py counts them
            "due_at < coalesce(verdict_at, :now) OR second_supplement_on <= passed_on "
            "OR (due_at >= verdict_at AND second_supplement_on IS NOT NULL)"
        ),
        "due_2wd": "verdict_at IS NULL AND due_at >= :now AND due_at < :soon",
    }


NET: Mapping[str, Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    # stock -> (flows in, flows out); flows out of the identity (ended before start) are taken off both sides
    "dossiers": {
        "open": (("received", "ended_before_start_out"), ("finished", "ended_before_start_in")),
        "open_no_due": (("no_due_in",), ("no_due_out",)),
        "overdue": (("due_passed",), ("overdue_ended",)),
        "overdue_day": (("due_passed_day",), ("overdue_ended_day",)),
        "late_766": (("late_766",), ("late_766_ended",)),
    },
    "reports": {
        "open": (("received", "ended_before_start_out"), ("closed", "ended_before_start_in")),
        "open_known": (("quality_known_in",), ("quality_known_out",)),
        "open_no_due": (("no_due_in",), ("no_due_out",)),
        "overdue": (("due_passed",), ("overdue_ended",)),
    },
}


def net(topic: str, stock: str, flows: Mapping[str, int]) -> int:
    """How a stock moves under these flows."""
    incoming, outgoing = NET[topic][stock]
    return sum(flows[name] for name in incoming) - sum(flows[name] for name in outgoing)


def stocks_at(
    connection: Connection, city: City, topic: str, end_on: int, choice: Choice, current: Mapping[str, int | None] | None = None,
) -> dict[str, int | None]:
    """Stocks at the end of a day: today's (or a later day's) are those of now; due soon of the past is not reproducible: None."""
    current = current or stocks_now(connection, city, topic, choice)
    if end_on >= city.today_on:
        return dict(current)
    since = flow_sums(connection, city, topic, end_on + 1, HORIZON, choice)
    found: dict[str, int | None] = {}
    open_now, open_due = current["open"] or 0, current["open_due"] or 0
    found["open"] = was_open = open_now - net(topic, "open", since)
    found["open_due"] = was_open - (open_now - open_due - net(topic, "open_no_due", since))
    for name in ("overdue", "overdue_day", "late_766", "open_known"):
        if name in NET[topic]:
            found[name] = (current[name] or 0) - net(topic, name, since)
    return found


HORIZON = 2_000_000_000  # later than any day


def sums_of(
    connection: Connection, city: City, topic: str, start_on: int, end_on: int, choice: Choice, late_rule: str,
    current: Mapping[str, int | None] | None = None,
) -> Sums:
    """Everything a formula needs, for one period and choice."""
    flows = flow_sums(connection, city, topic, start_on, end_on, choice)
    return Sums(flows, stocks_at(connection, city, topic, end_on, choice, current), late_rule)
