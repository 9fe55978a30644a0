"""Dossiers one by one: lists by the screen's filters, with the count first, and one dossier with its history.

The states are those the KPIs count, so a list opened from a tile has exactly the tile's number of rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import text

from metrics.city import City
from metrics.city.findings import pace
from metrics.city.lists import listed
from metrics.city.lists.filter_grammar import Filter, parse, written
from metrics.city.lists.listed import Listed
from metrics.city.lists.named import Names, read_names
from metrics.city.lists.paging import LIMIT, Query, Row
from metrics.city.lists.row_states import DOSSIER_STATES
from metrics.city.masking import masked, masked_id
from metrics.city.numbers.sums import NOTHING_CHOSEN, Choice, conditions
from metrics.city.records.dossier_clock import DossierClock, clock_of
from metrics.city.records.dossier_time import DossierTime, read_time
from metrics.city.records.history import VersionItem, find, read_versions
from metrics.city.records.timing import days_left, soon_boundary
from metrics.city.sights import Sight, record_id
from metrics.kpis import RULE_DAY
from metrics.periods import Period
from metrics.process import StepAt
from store.facts import FACTS, flag

STANDING = {1: "counted", 2: "new", 3: "refused", 4: "ended_before_start"}
STATES = DOSSIER_STATES


@dataclass(frozen=True)
class DossierFilter:
    """What a list is about, value by value; '' and None = any. Screens, API and exports ask by `chosen` instead."""

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


    @property
    def filter(self) -> Filter:
        """The same in the grammar."""
        choice, one = self.choice, {"state": self.state, "late_rule": self.late_rule, "period_on": self.period_on, "q": self.search}
        codes = {
            "agency": choice.agency, "area": choice.area, "domain": choice.domain, "procedure": self.procedure, "channel": self.channel,
            "feed": self.feed,
        }
        one |= {key: written([code]) for key, code in codes.items() if code}
        return chosen(one | {"status": "" if self.status is None else str(self.status), "period": self.period.text if self.period else ""})


NO_FILTER = DossierFilter()
Asked = Filter | DossierFilter


def chosen(given: Mapping[str, str]) -> Filter:
    """The filter of parameters: page, API and exports make theirs here. ValueError ("field: ...")."""
    return parse("dossiers", given)


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


def total(city: City, asked: Asked = NO_FILTER) -> int:
    """How many dossiers the filter has. Requires see.dossiers; ValueError for what cannot be meant."""
    return listed.total(city, _filter(asked))


def query(city: City, asked: Asked = NO_FILTER, sort: str = "") -> Query:
    """The rows of a filter as this reader may have them, and their order. Raises as `total`."""
    return listed.query(city, _filter(asked), sort)


def read(city: City, asked: Asked = NO_FILTER, *, limit: int = LIMIT, cursor: str = "", sort: str = "") -> Listed[DossierItem]:
    """One page, sorted as asked (lists/row_orders.py), else most overdue first where the state speaks of now, else newest first.

    ValueError for a bad cursor or limit too; TookTooLong.
    """
    one = _filter(asked)
    return listed.page(city, one, _made(city, one.late_rule), sort=sort, limit=limit, cursor=cursor)


def every(city: City, asked: Asked = NO_FILTER, sort: str = "") -> Iterator[tuple[DossierItem, ...]]:
    """All rows of the filter as one state of the store, a page at a time: what exports write. Requires export too."""
    one = _filter(asked)
    yield from listed.every(city, one, _made(city, one.late_rule), sort)


def _filter(asked: Asked) -> Filter:
    return asked if isinstance(asked, Filter) else asked.filter


def _made(city: City, late_rule: str) -> listed.Made[DossierItem]:
    return lambda connection, rows: _items(city, rows, read_names(connection, city, rows), late_rule)


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
