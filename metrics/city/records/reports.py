"""Citizen reports one by one: lists by the screen's filters, with the count first, and one report with its history.

What citizens and offices wrote is given only to scopes with the field class free_text. The states are those the KPIs count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from metrics.city import City
from metrics.city.findings.closings import in_bulk_among
from metrics.city.grid import read_grid
from metrics.city.lists import listed
from metrics.city.lists.filter_grammar import Filter, parse, told, written
from metrics.city.lists.listed import Listed
from metrics.city.lists.named import Names, read_names
from metrics.city.lists.paging import LIMIT, Query, Row
from metrics.city.lists.row_states import QUALITIES, REPORT_STATES, State
from metrics.city.lists.searched import reads_text as reads_text
from metrics.city.masking import masked, masked_id, needs_grid
from metrics.city.numbers.sums import NOTHING_CHOSEN, Choice, conditions
from metrics.city.records.history import VersionItem, find, read_versions
from metrics.city.records.timing import days_left, soon_boundary
from metrics.city.sights import Sight, record_id, told_filter
from metrics.periods import Period

STATES = REPORT_STATES
QUALITY_BY_KEY: Mapping[str, State] = {row.key: row for row in QUALITIES}


@dataclass(frozen=True)
class ReportFilter:
    """What a list is about, value by value; '' and None = any. Screens, API and exports ask by `chosen` instead."""

    choice: Choice = NOTHING_CHOSEN
    state: str = ""
    status: str = ""
    channel: str = ""
    feed: str = ""
    period: Period | None = None
    period_on: str = ""
    search: str = ""
    quality: str = ""


    @property
    def filter(self) -> Filter:
        """The same in the grammar."""
        choice, one = self.choice, {"state": self.state, "quality": self.quality, "period_on": self.period_on, "q": self.search}
        codes = {
            "agency": choice.agency, "area": choice.area, "category": choice.category, "status": self.status, "channel": self.channel,
            "feed": self.feed,
        }
        one |= {key: written([code]) for key, code in codes.items() if code}
        return chosen(one | {"period": self.period.text if self.period else ""})


NO_FILTER = ReportFilter()
Asked = Filter | ReportFilter


def chosen(given: Mapping[str, str]) -> Filter:
    """The filter of parameters: page, API and exports make theirs here. ValueError ("field: ...")."""
    return parse("reports", given)


@dataclass(frozen=True)
class ReportItem:
    """One report as lists show it. `timeliness` is a key of the texts timeliness.*.

    days_left = working days until due of an open report, signed. rating 1 dissatisfied, 2 accepted, 3 satisfied, 0 not rated; of how it
    was handled None = nobody knows. is_in_bulk: ended at once with many others of its agency. Without the right to what citizens wrote
    description and resolution are None, and lon and lat those of a grid cell.
    """

    feed: str
    source_id: str
    category_code: str
    category_name: str
    agency_code: str
    agency_name: str
    area_code: str
    area_name: str
    status: str
    is_open: bool
    channel: str
    received_at: int | None
    updated_at: int | None
    due_at: int | None
    closed_at: int | None
    timeliness: str
    days_left: float | None
    is_urgent: bool
    is_duplicate: bool | None
    lon: float | None
    lat: float | None
    description: str | None
    resolution: str | None
    rating: int | None = None
    reopened_count: int | None = None
    reopened_at: int | None = None
    returned_count: int | None = None
    extension_count: int | None = None
    is_within_hour: bool | None = None
    is_in_bulk: bool = False


def total(city: City, asked: Asked = NO_FILTER) -> int:
    """How many reports the filter has. Requires see.reports; ValueError for what cannot be meant."""
    return listed.total(city, _filter(asked))


def query(city: City, asked: Asked = NO_FILTER, sort: str = "") -> Query:
    """The rows of a filter as this reader may have them, and their order: lists, files and the map read it. Raises as `total`."""
    return listed.query(city, _filter(asked), sort)


def read(city: City, asked: Asked = NO_FILTER, *, limit: int = LIMIT, cursor: str = "", sort: str = "") -> Listed[ReportItem]:
    """One page, sorted as asked (lists/row_orders.py), else most overdue first where the state speaks of now, else newest first.

    ValueError for a bad cursor or limit too; TookTooLong.
    """
    one = _filter(asked)
    found = listed.page(city, one, _made(city), sort=sort, limit=limit, cursor=cursor)
    _note_texts(city, one, found.rows)
    return found


def every(city: City, asked: Asked = NO_FILTER, sort: str = "") -> Iterator[tuple[ReportItem, ...]]:
    """All rows of the filter as one state of the store, a page at a time: what exports write. Requires export too."""
    yield from listed.every(city, _filter(asked), _made(city), sort)


def _filter(asked: Asked) -> Filter:
    return asked if isinstance(asked, Filter) else asked.filter


def _made(city: City) -> listed.Made[ReportItem]:
    return lambda connection, rows: items(connection, city, rows)


def _note_texts(city: City, asked: Filter, rows: tuple[ReportItem, ...]) -> None:
    """That words of citizens were shown: under which filter, how many rows, from which one on."""
    if rows and reads_text(city):
        first = record_id(rows[0].feed, masked_id(rows[0].source_id))
        detail = {**told_filter(told(asked), found=True), "rows": len(rows), "first": first}
        city.sights.append(Sight("report_text.view", "report", "", detail))


def items(connection: Connection, city: City, rows: list[Row]) -> tuple[ReportItem, ...]:
    """Whole rows of core_report, already of this scope, as this reader may have them. Who shows their words notes it in City.sights."""
    return _items(connection, city, rows, read_names(connection, city, rows))


def _items(connection: Connection, city: City, rows: list[Row], names: Names) -> tuple[ReportItem, ...]:
    soon, grid = soon_boundary(city), read_grid(connection, city) if needs_grid(city.scope) else None
    bulk = in_bulk_among(connection, city, rows)
    return tuple(masked(city, _item(city, row, names, soon, bulk), grid) for row in rows)


def _item(city: City, row: Row, names: Names, soon: int, bulk: Collection[tuple[str, str]]) -> ReportItem:
    is_open = row["closed_at"] is None
    category, agency, area = (names.code(name, row[name]) for name in ("category_code", "agency_code", "area_code"))
    return ReportItem(
        row["feed"], row["source_id"], category, names.category(row["category_code"]), agency,
        names.agency(row["agency_code"]), area, names.area(row["area_code"]), row["status"], is_open, row["channel"],
        row["received_at"], row["updated_at"], row["due_at"], row["closed_at"], timeliness(city, row, soon),
        days_left(city, row["due_at"]) if is_open else None, bool(row["is_urgent"]),
        bool(row["is_duplicate"]) if row["knows_duplicates"] else None, row["lon"], row["lat"], row["description"], row["resolution"],
        row["rating"], row["reopened_count"], row["reopened_at"], row["returned_count"], row["extension_count"],
        None if row["is_within_hour"] is None else bool(row["is_within_hour"]), (row["feed"], row["source_id"]) in bulk,
    )


def timeliness(city: City, row: Row, soon: int) -> str:
    """A report against its due date: key of the texts timeliness.*."""
    due, closed = row["due_at"], row["closed_at"]
    if due is None:
        return "no_due"
    if closed is not None:
        if closed > due:
            return "late"
        return "early" if row["closed_on"] < row["due_on"] else "on_time"
    if due < city.as_of:
        return "overdue"
    return "due_soon" if due < soon else "in_time"


@dataclass(frozen=True)
class ReportDetail:
    """A report with its versions; changes of free text are left out for scopes without the right to it."""

    item: ReportItem
    versions: tuple[VersionItem, ...]
    first_landed_at: int | None
    landed_at: int | None
    revision: int


_COMPARED = (
    "category_code", "agency_code", "area_code", "status", "channel", "received_at", "due_at", "closed_at", "is_duplicate",
    "is_urgent", "rating", "reopened_count", "returned_count", "extension_count",
)
_COMPARED_TEXT = ("description", "resolution")


def one(city: City, feed: str, source_id: str) -> ReportDetail | None:
    """The report, or None when there is none in this scope; feed '' = the first configured feed that has it."""
    city.scope.require("see.reports")
    own, values = conditions(city.scope, "reports", NOTHING_CHOSEN, "d.")
    with city.store.reading() as connection:
        row = find(connection, city, "core_report", feed, source_id, own, values)
        if row is None:
            return None
        city.sights.append(Sight("record.view", "report", record_id(row["feed"], masked_id(source_id))))
        compared = _COMPARED + (_COMPARED_TEXT if reads_text(city) else ())
        return ReportDetail(
            _items(connection, city, [row], read_names(connection, city, [row]))[0],
            read_versions(connection, city, "core_report_version", row["feed"], source_id, compared), row["first_landed_at"],
            row["landed_at"], city.revision,
        )
