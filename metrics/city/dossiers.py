"""Dossiers one by one: lists by the screen's filters, with the count first, and one dossier with its history.

The states are those the KPIs count, so a list opened from a tile has exactly the tile's number of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import text

from metrics.city import City, pace
from metrics.city.dossier_clock import DossierClock, clock_of
from metrics.city.dossier_time import DossierTime, read_time
from metrics.city.history import VersionItem, find, read_versions
from metrics.city.masking import masked, masked_id
from metrics.city.named import Names, read_names
from metrics.city.narrow import period_condition, search_condition
from metrics.city.paging import LIMIT, Order, Query, Row, count, every_row, read_page
from metrics.city.sights import Sight, record_id
from metrics.city.sums import NOTHING_CHOSEN, Choice, conditions
from metrics.city.timing import days_left, soon_boundary
from metrics.kpis import RULE_DAY
from metrics.periods import Period
from metrics.process import StepAt
from store.facts import FACTS, flag

STANDING = {1: "counted", 2: "new", 3: "refused", 4: "ended_before_start"}
_OPEN = "d.finished_on IS NULL AND d.standing = 1"
_IN_STOCK = "d.standing IN (1, 4)"
_BY_DUE = Order("due", ("due_at", "feed", "source_id"), index="ix_dossier_open")
_BY_RECEIVED = Order("received", ("received_on", "received_at", "feed", "source_id"), is_descending=True)
_BY_FINISHED = Order("finished", ("finished_on", "finished_at", "feed", "source_id"), is_descending=True)
_BY_FILED = Order("filed", ("filed_on", "filed_at", "feed", "source_id"), is_descending=True)


@dataclass(frozen=True)
class State:
    """One choice of the state filter: its condition (`day` = under the day rule, where it differs), its order, and the day a
    period is about; is_now = speaks of now, so a period counts only when the filter says which day it is about."""

    key: str
    where: str
    order: Order
    day: str = ""
    period_on: str = "received"
    is_now: bool = False


STATES: tuple[State, ...] = (
    State("", "1 = 1", _BY_RECEIVED),
    State("open", _OPEN, _BY_DUE, is_now=True),
    State("overdue", f"{_OPEN} AND d.due_at < coalesce(d.verdict_at, :now)", _BY_DUE,
          day=f"{_OPEN} AND d.due_on < coalesce(d.verdict_on, :today)", is_now=True),
    State("due_soon", f"{_OPEN} AND d.verdict_at IS NULL AND d.due_at >= :now AND d.due_at < :soon", _BY_DUE, is_now=True),
    State("waiting", f"{_OPEN} AND d.verdict_at IS NOT NULL", _BY_DUE, is_now=True),
    State("received", _IN_STOCK, _BY_RECEIVED),
    State("finished", f"d.finished_on IS NOT NULL AND {_IN_STOCK}", _BY_FINISHED, period_on="finished"),
    State("late", f"d.finished_at > d.due_at AND {_IN_STOCK}", _BY_FINISHED,
          day=f"d.finished_on > d.due_on AND {_IN_STOCK}", period_on="finished"),
    State("no_due", f"d.due_at IS NULL AND {_IN_STOCK}", _BY_RECEIVED),
    State("ended_before_start", "d.standing > 1 AND d.standing = 4", _BY_FILED),
    State("new", "d.standing > 1 AND d.standing = 2", _BY_FILED, period_on="filed"),
    State("refused", "d.standing > 1 AND d.standing = 3", _BY_FILED, period_on="filed"),
)
STATE_BY_KEY: Mapping[str, State] = {state.key: state for state in STATES}
PERIOD_DAYS = {"received": "received_on", "finished": "finished_on", "due": "due_on", "filed": "filed_on"}


@dataclass(frozen=True)
class DossierFilter:
    """What a list is about; '' and None = any. search = the beginning of a dossier number; period_on = a key of PERIOD_DAYS."""

    choice: Choice = NOTHING_CHOSEN
    state: str = ""
    status: int | None = None
    procedure: str = ""
    channel: str = ""
    feed: str = ""
    period: Period | None = None
    period_on: str = ""
    search: str = ""
    late_rule: str = ""


NO_FILTER = DossierFilter()


@dataclass(frozen=True)
class DossierItem:
    """One dossier as lists show it. `timeliness` is a key of the texts timeliness.*, '' where none applies (new, refused).

    days_left = working days until due of an open dossier, signed; None without due date or when ended.
    """

    feed: str
    source_id: str
    agency_code: str
    agency_name: str
    procedure_code: str
    procedure_name: str
    domain_code: str
    domain_name: str
    channel: str
    status: int
    standing: str
    filed_at: int | None
    received_at: int | None
    due_at: int | None
    finished_at: int | None
    handed_at: int | None
    stopped_at: int | None
    timeliness: str
    days_left: float | None
    supplement_count: int
    is_digitised: bool | None
    is_paid_online: bool | None


@dataclass(frozen=True)
class DossierPage:
    """Rows of one page, how many there are in all, and the cursor of the next page ('' = none)."""

    total: int
    rows: tuple[DossierItem, ...]
    next_cursor: str
    revision: int


def total(city: City, chosen: DossierFilter = NO_FILTER) -> int:
    """How many dossiers the filter has. Requires see.dossiers; ValueError for an unknown state or period_on."""
    with city.store.reading() as connection:
        return count(connection, _query(city, chosen))


def read(city: City, chosen: DossierFilter = NO_FILTER, *, limit: int = LIMIT, cursor: str = "") -> DossierPage:
    """One page: most overdue first where the state speaks of now, else newest first. ValueError for a bad cursor or limit too."""
    query = _query(city, chosen)
    with city.store.reading() as connection:
        rows, following = read_page(connection, query, limit, cursor)
        names = read_names(connection, city, rows)
        return DossierPage(count(connection, query), _items(city, rows, names, chosen.late_rule), following, city.revision)


def every(city: City, chosen: DossierFilter = NO_FILTER) -> Iterator[tuple[DossierItem, ...]]:
    """All rows of the filter as one state of the store, a page at a time: what exports write. Requires export too."""
    city.scope.require("export")
    query = _query(city, chosen)
    with city.store.reading() as connection:
        for rows in every_row(connection, query):
            yield _items(city, rows, read_names(connection, city, rows), chosen.late_rule)


def _query(city: City, chosen: DossierFilter) -> Query:
    city.scope.require("see.dossiers")
    state = STATE_BY_KEY.get(chosen.state)
    if state is None:
        raise ValueError(f"state: {chosen.state!r} is none of {', '.join(key for key in STATE_BY_KEY if key)}")
    rule = chosen.late_rule or city.config.late_rule
    own, values = conditions(city.scope, "dossiers", chosen.choice, "d.")
    where = (state.day if rule == RULE_DAY and state.day else state.where) + own
    clock = {"now": city.as_of, "today": city.today_on, "soon": soon_boundary(city)}
    values.update({name: value for name, value in clock.items() if f":{name}" in where})
    for column, value in (
        ("status", chosen.status), ("procedure_code", chosen.procedure or None), ("channel", chosen.channel or None),
        ("feed", chosen.feed or None),
    ):
        if value is not None:
            where += f" AND d.{column} = :only_{column}"
            values[f"only_{column}"] = value
    where += period_condition(chosen.period, chosen.period_on, state.period_on, state.is_now, PERIOD_DAYS, values)
    where += search_condition(city, chosen.search, values)
    return Query("core_dossier", where, values, state.order, city.store.is_sqlite)


def _items(city: City, rows: list[Row], names: Names, late_rule: str) -> tuple[DossierItem, ...]:
    rule, soon = late_rule or city.config.late_rule, soon_boundary(city)
    return tuple(_item(city, row, names, rule, soon) for row in rows)


def _item(city: City, row: Row, names: Names, rule: str, soon: int) -> DossierItem:
    is_open = row["finished_at"] is None and row["standing"] == 1
    left = days_left(city, row["due_at"], row["stopped_at"], row["agency_code"]) if is_open else None
    agency, procedure, domain = (names.code(name, row[name]) for name in ("agency_code", "procedure_code", "domain_code"))
    item = DossierItem(
        row["feed"], row["source_id"], agency, names.agency(row["agency_code"]), procedure,
        names.procedure(row["procedure_code"]), domain, names.domain(row["domain_code"]), row["channel"],
        row["status"], STANDING.get(row["standing"], ""), row["filed_at"], row["received_at"], row["due_at"], row["finished_at"],
        row["handed_at"], row["stopped_at"], timeliness(city, row, rule, soon), left, row["supplement_count"],
        flag(row["facts"], "is_digitised"), flag(row["facts"], "is_paid_online"),
    )
    return masked(city, item)


def timeliness(city: City, row: Row, rule: str, soon: int) -> str:
    """A dossier against its due date under a late rule: key of the texts timeliness.*; '' for new and refused ones."""
    if row["standing"] not in (1, 4):
        return ""
    by_day = rule == RULE_DAY
    due, verdict = (row["due_on"], row["verdict_on"]) if by_day else (row["due_at"], row["verdict_at"])
    now = city.today_on if by_day else city.as_of
    if row["finished_at"] is not None:
        if due is None:
            return "no_due"
        if verdict > due:
            return "late"
        return "early" if row["finished_on"] < row["due_on"] else "on_time"
    if due is not None and due < (verdict if verdict is not None else now):
        return "overdue"
    if row["verdict_at"] is not None:
        return "waiting"
    if due is None:
        return "no_due"
    return "due_soon" if city.as_of <= row["due_at"] < soon else "in_time"


# ---- one dossier ----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class StepItem:
    """One step in handling, in the office's words."""

    at: int
    name: str
    department: str
    status: int


@dataclass(frozen=True)
class DossierDetail:
    """A dossier with its steps (oldest first), the stretches its clock stood still (start, end or None) and its versions."""

    item: DossierItem
    steps: tuple[StepItem, ...]
    stops: tuple[tuple[int, int | None], ...]
    versions: tuple[VersionItem, ...]
    first_landed_at: int | None
    landed_at: int | None
    alias: str
    revision: int
    time: DossierTime | None = None
    clock: DossierClock | None = None
    pace: pace.Pace | None = None  # of its like; None of a dossier outside the stock, and where they are few


_COMPARED = (
    "agency_code", "procedure_code", "domain_code", "channel", "status", "filed_at", "received_at", "due_at", "finished_at",
    "handed_at", "refused_at", "stopped_at", "supplement_count", "second_supplement_at", "level", *FACTS, "alias",
)
_OF_ONE = "WHERE feed = :feed AND source_id = :id"


def one(city: City, feed: str, source_id: str, late_rule: str = "") -> DossierDetail | None:
    """The dossier, or None when there is none in this scope; feed '' = the first configured feed that has it."""
    city.scope.require("see.dossiers")
    own, values = conditions(city.scope, "dossiers", NOTHING_CHOSEN, "d.")
    with city.store.reading() as connection:
        row = find(connection, city, "core_dossier", feed, source_id, own, values)
        if row is None:
            return None
        city.sights.append(Sight("record.view", "dossier", record_id(row["feed"], masked_id(source_id))))
        key = {"feed": row["feed"], "id": source_id}
        ask_steps = f"SELECT at, name, department, status FROM core_dossier_step {_OF_ONE} ORDER BY at, name"
        steps = tuple(masked(city, StepItem(*step)) for step in connection.execute(text(ask_steps), key))
        ask_stops = f"SELECT stopped_at, resumed_at FROM core_dossier_stop {_OF_ONE} ORDER BY stopped_at"
        stops = tuple((stop[0], stop[1]) for stop in connection.execute(text(ask_stops), key))
        is_counted = row["standing"] == 1
        found = DossierDetail(
            _items(city, [row], read_names(connection, city, [row]), late_rule)[0], steps, stops,
            read_versions(connection, city, "core_dossier_version", row["feed"], source_id, _COMPARED), row["first_landed_at"],
            row["landed_at"], row["alias"], city.revision, read_time(connection, city, row, stops),
            clock_of(city, row, [StepAt(step.at, step.name, step.department, step.status) for step in steps], stops),
            pace.read(connection, city, row["procedure_code"], row["domain_code"]) if is_counted else None,
        )
        return masked(city, found)
