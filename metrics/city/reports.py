"""Citizen reports one by one: lists by the screen's filters, with the count first, and one report with its history.

What citizens and offices wrote is given only to scopes with the field class free_text. The states are those the KPIs count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from metrics.city import City
from metrics.city.closings import bulk_rows, in_bulk_among
from metrics.city.grid import read_grid
from metrics.city.history import VersionItem, find, read_versions
from metrics.city.masking import masked, masked_id, needs_grid
from metrics.city.named import Names, read_names
from metrics.city.narrow import period_condition, search_condition
from metrics.city.paging import LIMIT, Order, Query, Row, count, every_row, read_page
from metrics.city.sights import Sight, record_id, told_filter
from metrics.city.sums import NOTHING_CHOSEN, Choice, conditions
from metrics.city.timing import days_left, soon_boundary
from metrics.periods import Period
from store.days import number_of

_OPEN = "d.closed_on IS NULL"
_BY_DUE = Order("due", ("due_at", "feed", "source_id"), index="ix_report_open")
_BY_RECEIVED = Order("received", ("received_on", "received_at", "feed", "source_id"), is_descending=True)
_BY_CLOSED = Order("closed", ("closed_on", "closed_at", "feed", "source_id"), is_descending=True)
_BY_REOPENED = Order("reopened", ("reopened_on", "reopened_at", "feed", "source_id"), is_descending=True, index="ix_report_reopened")
_BY_HASTY = Order("hasty", ("closed_on", "closed_at", "feed", "source_id"), is_descending=True, index="ix_report_hasty")


@dataclass(frozen=True)
class State:
    """One choice of the state filter; is_now = speaks of now, so a period counts only when the filter names its day."""

    key: str
    where: str
    order: Order
    period_on: str = "received"
    is_now: bool = False


STATES: tuple[State, ...] = (
    State("", "1 = 1", _BY_RECEIVED),
    State("open", _OPEN, _BY_DUE, is_now=True),
    State("overdue", f"{_OPEN} AND d.due_at < :now", _BY_DUE, is_now=True),
    State("due_soon", f"{_OPEN} AND d.due_at >= :now AND d.due_at < :soon", _BY_DUE, is_now=True),
    State("received", "1 = 1", _BY_RECEIVED),
    State("finished", "d.closed_on IS NOT NULL", _BY_CLOSED, "closed"),
    State("late", "d.closed_at > d.due_at", _BY_CLOSED, "closed"),
    State("no_due", "d.due_at IS NULL", _BY_RECEIVED),
    State("ended_before_start", "d.is_ended_before_start", _BY_CLOSED, "closed"),
    State("urgent", f"{_OPEN} AND d.is_urgent", _BY_DUE, is_now=True),
    State("duplicate", "d.is_duplicate", _BY_RECEIVED),
)
# How a report was handled: narrows any state; without one it brings its own order and day. bulk is judged inside a period only.
QUALITIES: tuple[State, ...] = (
    State("reopened", "(d.reopened_on IS NOT NULL OR d.reopened_count > 0)", _BY_REOPENED, "reopened"),
    State("within_hour", "d.is_within_hour", _BY_HASTY, "closed"),
    State("bulk", "(d.feed, d.source_id) IN (SELECT feed, source_id FROM ({bulk}) bulk)", _BY_CLOSED, "closed"),
)
QUALITY_BY_KEY: Mapping[str, State] = {row.key: row for row in QUALITIES}
STATE_BY_KEY: Mapping[str, State] = {state.key: state for state in STATES}
PERIOD_DAYS = {"received": "received_on", "closed": "closed_on", "due": "due_on", "reopened": "reopened_on"}


@dataclass(frozen=True)
class ReportFilter:
    """What a list is about; '' and None = any. search = the beginning of a report number; period_on = a key of PERIOD_DAYS.

    quality = a key of QUALITY_BY_KEY.
    """

    choice: Choice = NOTHING_CHOSEN
    state: str = ""
    status: str = ""
    channel: str = ""
    feed: str = ""
    period: Period | None = None
    period_on: str = ""
    search: str = ""
    quality: str = ""


NO_FILTER = ReportFilter()


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


@dataclass(frozen=True)
class ReportPage:
    """Rows of one page, how many there are in all, and the cursor of the next page ('' = none)."""

    total: int
    rows: tuple[ReportItem, ...]
    next_cursor: str
    revision: int


def total(city: City, chosen: ReportFilter = NO_FILTER) -> int:
    """How many reports the filter has. Requires see.reports; ValueError for an unknown state or period_on."""
    with city.store.reading() as connection:
        return count(connection, query(city, chosen))


def read(city: City, chosen: ReportFilter = NO_FILTER, *, limit: int = LIMIT, cursor: str = "") -> ReportPage:
    """One page: most overdue first where the state speaks of now, else newest first. ValueError for a bad cursor or limit too."""
    asked = query(city, chosen)
    with city.store.reading() as connection:
        rows, following = read_page(connection, asked, limit, cursor)
        names = read_names(connection, city, rows)
        _note_texts(city, chosen, rows)
        return ReportPage(count(connection, asked), _items(connection, city, rows, names), following, city.revision)


def every(city: City, chosen: ReportFilter = NO_FILTER) -> Iterator[tuple[ReportItem, ...]]:
    """All rows of the filter as one state of the store, a page at a time: what exports write. Requires export too."""
    city.scope.require("export")
    asked = query(city, chosen)
    with city.store.reading() as connection:
        for rows in every_row(connection, asked):
            yield _items(connection, city, rows, read_names(connection, city, rows))


def query(city: City, chosen: ReportFilter) -> Query:
    """The rows of a filter as this reader may have them, and their order: lists, files and the map read it. Raises as `total`."""
    city.scope.require("see.reports")
    state = STATE_BY_KEY.get(chosen.state)
    if state is None:
        raise ValueError(f"state: {chosen.state!r} is none of {', '.join(key for key in STATE_BY_KEY if key)}")
    own, values = conditions(city.scope, "reports", chosen.choice, "d.")
    where, order, period_on = state.where + own, state.order, state.period_on
    if chosen.quality:
        quality = _quality(city, chosen, values)
        where += " AND " + quality.where.format(bulk=bulk_rows(city))
        order, period_on = (order, period_on) if chosen.state else (quality.order, quality.period_on)
    clock = {"now": city.as_of, "soon": soon_boundary(city)}
    values.update({name: value for name, value in clock.items() if f":{name}" in where})
    for column, value in (("status", chosen.status), ("channel", chosen.channel), ("feed", chosen.feed)):
        if value:
            where += f" AND d.{column} = :only_{column}"
            values[f"only_{column}"] = value
    where += period_condition(chosen.period, chosen.period_on, period_on, state.is_now, PERIOD_DAYS, values)
    where += search_condition(city, chosen.search, values)
    return Query("core_report", where, values, order, city.store.is_sqlite)


def _quality(city: City, chosen: ReportFilter, values: dict[str, Any]) -> State:
    """The row of a quality filter, its values put beside the others. ValueError for an unknown one, and for bulk without a period."""
    found = QUALITY_BY_KEY.get(chosen.quality)
    if found is None:
        raise ValueError(f"quality: {chosen.quality!r} is none of {', '.join(QUALITY_BY_KEY)}")
    if found.key == "bulk":
        if chosen.period is None:
            raise ValueError("quality: closed in bulk is judged inside a period; give one")
        values.update(bulk_start=number_of(chosen.period.start_on), bulk_end=number_of(chosen.period.end_on))
    return found


def reads_text(city: City) -> bool:
    """May this scope read what citizens and offices wrote?"""
    return city.scope.permits("see.report_text") and "free_text" in city.scope.field_classes


def _note_texts(city: City, chosen: ReportFilter, rows: list[Row]) -> None:
    """That words of citizens were shown: under which filter, how many rows, from which one on."""
    if not rows or not reads_text(city):
        return
    choice, period = chosen.choice, chosen.period.text if chosen.period else ""
    asked = {
        "quality": chosen.quality,
        "state": chosen.state, "status": chosen.status, "channel": chosen.channel, "feed": chosen.feed, "period": period,
        "period_on": chosen.period_on, "agency": choice.agency, "area": choice.area, "category": choice.category, "q": chosen.search,
    }
    first = record_id(rows[0]["feed"], masked_id(rows[0]["source_id"]))
    city.sights.append(Sight("report_text.view", "report", "", {**told_filter(asked, found=True), "rows": len(rows), "first": first}))


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
