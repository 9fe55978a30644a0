"""Readings as measured, in the order of their key: bounded stretches of time, paged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from metrics.city import City
from metrics.city.lists.paging import LIMIT, MAX_LIMIT, Row
from store.days import DAY, HOUR
from store.flags import FLAG_KEYS

LONGEST_DAYS = 31


@dataclass(frozen=True)
class ReadingFilter:
    """Readings with start_at <= observed_at < end_at; '' = any station, property or area. At most LONGEST_DAYS long."""

    start_at: int
    end_at: int
    feed: str = ""
    station: str = ""
    property: str = ""
    area: str = ""


@dataclass(frozen=True)
class ReadingItem:
    """One value of one datastream at one instant. flag = why it is not believed (store.flags.FLAG_KEYS), '' = it is."""

    feed: str
    station: str
    datastream_id: int
    property: str
    measure_unit: str
    area_code: str
    observed_at: int
    value: float
    flag: str = ""


def read(city: City, chosen: ReadingFilter, *, limit: int = LIMIT, cursor: str = "") -> tuple[tuple[ReadingItem, ...], str]:
    """One page, oldest first, and the cursor of the next ('' = none). Requires see.stations; ValueError for bad bounds."""
    if not 1 <= limit <= MAX_LIMIT:
        raise ValueError(f"limit: {limit} is not between 1 and {MAX_LIMIT}")
    after = _after(cursor)
    with city.store.reading() as connection:
        rows = _rows(connection, city, chosen, after, limit + 1)
    following = _cursor(rows[limit - 1]) if len(rows) > limit else ""
    return tuple(_item(row) for row in rows[:limit]), following


def every(city: City, chosen: ReadingFilter) -> Iterator[tuple[ReadingItem, ...]]:
    """All readings of the filter as one state of the store, a page at a time. Requires export too."""
    city.scope.require("export")
    after: tuple[int, int, int] | None = None
    with city.store.reading() as connection:
        while rows := _rows(connection, city, chosen, after, MAX_LIMIT):
            yield tuple(_item(row) for row in rows)
            after = (rows[-1]["hour"], rows[-1]["datastream_id"], rows[-1]["observed_at"])


def _item(row: Row) -> ReadingItem:
    return ReadingItem(
        row["feed"], row["station"], row["datastream_id"], row["property"], row["measure_unit"], row["area_code"],
        row["observed_at"], row["value"], FLAG_KEYS.get(row["flag"], ""),
    )


def _rows(connection: Connection, city: City, chosen: ReadingFilter, after: tuple[int, int, int] | None, size: int) -> list[Row]:
    city.scope.require("see.stations")
    if not chosen.start_at < chosen.end_at or chosen.end_at - chosen.start_at > LONGEST_DAYS * DAY:
        raise ValueError(f"period: readings are given for at most {LONGEST_DAYS} days at a time")
    where, values = _streams(city, chosen)
    values.update(start_at=chosen.start_at, end_at=chosen.end_at, size=size)
    values.update(first=chosen.start_at // HOUR, last=chosen.end_at // HOUR)
    if after:
        values.update(first=max(after[0], values["first"]), hour=after[0], id=after[1], at=after[2])
    rows = connection.execute(
        text(
            "SELECT r.hour, r.datastream_id, r.observed_at, r.value, r.flag, s.feed, s.station_id AS station, s.property, "
            "s.measure_unit, s.area_code FROM core_reading r JOIN core_datastream s ON s.id = r.datastream_id "
            f"WHERE r.hour BETWEEN :first AND :last AND r.observed_at >= :start_at AND r.observed_at < :end_at{where}"
            f"{' AND (r.hour, r.datastream_id, r.observed_at) > (:hour, :id, :at)' if after else ''} "
            "ORDER BY r.hour, r.datastream_id, r.observed_at LIMIT :size"
        ),
        values,
    ).mappings()
    return [dict(row) for row in rows]


def _streams(city: City, chosen: ReadingFilter) -> tuple[str, dict[str, Any]]:
    parts, values = [], dict[str, Any]()
    for column, value in (
        ("feed", chosen.feed), ("station_id", chosen.station), ("property", chosen.property), ("area_code", chosen.area),
    ):
        if value:
            parts.append(f"s.{column} = :only_{column}")
            values[f"only_{column}"] = value
    if city.scope.areas is not None:
        names = [f"scope_area_{n}" for n in range(len(city.scope.areas))]
        parts.append(f"s.area_code IN ({', '.join(':' + name for name in names) or 'NULL'})")
        values.update(zip(names, city.scope.areas, strict=True))
    return "".join(f" AND {part}" for part in parts), values


def _cursor(row: Row) -> str:
    return f"{row['hour']}.{row['datastream_id']}.{row['observed_at']}"


def _after(cursor: str) -> tuple[int, int, int] | None:
    if not cursor:
        return None
    parts = cursor.split(".")
    try:
        hour, stream, at = (int(part) for part in parts)
    except ValueError:
        raise ValueError("cursor: not one this list gave out; leave it out to start again") from None
    if not (abs(hour) < 2**31 and abs(stream) < 2**31 and abs(at) < 2**63):
        raise ValueError("cursor: not one this list gave out; leave it out to start again")
    return hour, stream, at
