"""Devices: the share of the hours they should have spoken in, and cameras online."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from metrics.city import City
from metrics.city.measured.stations import cadence_of, in_scope
from metrics.periods import Period
from store.days import HOUR, number_of

HOUR_S = 3600


@dataclass(frozen=True)
class Uptime:
    """One datastream in a period: slots of its cadence (an hour at least) that should hold sound readings, and those that do."""

    feed: str
    station: str
    datastream_id: int
    expected: int
    heard: int


def uptime(city: City, period: Period, area: str = "") -> tuple[Uptime, ...]:
    """Every datastream that has spoken before the period's end. Requires see.stations."""
    city.scope.require("see.stations")
    with city.store.reading() as connection:
        return uptime_in(connection, city, area, number_of(period.start_on), min(number_of(period.end_on), city.today_on))


def uptime_in(connection: Connection, city: City, area: str, start_on: int, end_on: int) -> tuple[Uptime, ...]:
    """The same over day numbers. A datastream counts from its first hour ever; the running hour does not count yet."""
    if end_on < start_on:  # a period that has not begun
        return ()
    where, values = in_scope(city, area, "d.")
    clock, now_hour = city.store.days, city.as_of // HOUR
    past_on = min(end_on, city.today_on - 1)
    rows = connection.execute(
        text(
            "SELECT d.feed, d.station_id, d.id, d.cadence_s, (SELECT min(h.hour) FROM rollup_reading_hour h WHERE h.datastream_id = d.id) "
            f"FROM core_datastream d WHERE 1 = 1{where} ORDER BY d.feed, d.station_id, d.id"
        ),
        values,
    ).all()
    past = _hours_of_days(connection, start_on, past_on)
    today = _hours_since(connection, _whole(city, city.today_on)[0], now_hour) if end_on >= city.today_on else {}
    bounds = [_whole(city, on) for on in range(start_on, end_on + 1)]
    found, slots = [], dict[tuple[int, int], int]()
    for feed, station, number, cadence_s, first in rows:
        step = max(1, -(-(cadence_s or cadence_of(city, feed)) // HOUR_S))
        if first is None or clock.starts_at(end_on + 1) <= first * HOUR:
            continue
        since = (max(first, bounds[0][0]), step)
        if since not in slots:
            slots[since] = sum(max(0, min(after, now_hour) - max(begin, first)) // step for begin, after in bounds)
        expected = slots[since]
        hours = [*past.get(number, ()), today.get(number, 0)]
        heard = sum(min(count, DAY_HOURS // step) if step > 1 else count for count in hours)
        found.append(Uptime(feed, station, number, expected, min(heard, expected)))
    return tuple(found)


DAY_HOURS = 24


def _whole(city: City, on: int) -> tuple[int, int]:
    """The whole hours of a day: first, and the one after the last."""
    clock = city.store.days
    return -(-clock.starts_at(on) // HOUR), clock.starts_at(on + 1) // HOUR


def _hours_of_days(connection: Connection, start_on: int, end_on: int) -> dict[int, list[int]]:
    """Datastream -> hours with sound readings of each day."""
    found: dict[int, list[int]] = {}
    statement = text("SELECT datastream_id, hours FROM rollup_reading_day WHERE day BETWEEN :start AND :end")
    for number, hours in connection.execute(statement, {"start": start_on, "end": end_on}).all():
        found.setdefault(number, []).append(hours)
    return found


def _hours_since(connection: Connection, first: int, after: int) -> dict[int, int]:
    """Datastream -> hours with sound readings in [first, after)."""
    statement = text(
        "SELECT datastream_id, count(*) FROM rollup_reading_hour WHERE hour >= :first AND hour < :after AND n > 0 GROUP BY datastream_id"
    )
    return {int(number): int(count) for number, count in connection.execute(statement, {"first": first, "after": after})}


def cameras_in(connection: Connection, city: City, area: str, start_on: int, end_on: int, is_now: bool) -> tuple[float | None, int]:
    """Percent online and of how many: now of the cameras heard within two cadences, of past days of their readings."""
    where, values = in_scope(city, area, "d.")
    if is_now:
        rows = connection.execute(
            text(
                "SELECT d.feed, d.cadence_s, l.value, l.observed_at FROM core_datastream d JOIN core_latest l ON l.datastream_id = d.id "
                f"WHERE d.property = 'online'{where}"
            ),
            values,
        ).all()
        heard = [value for feed, cadence_s, value, at in rows if city.as_of - at <= 2e6 * (cadence_s or cadence_of(city, feed))]
        return (100.0 * sum(value >= 0.5 for value in heard) / len(heard) if heard else None), len(heard)
    row = connection.execute(
        text(
            "SELECT sum(r.total), sum(r.n) FROM core_datastream d CROSS JOIN rollup_reading_day r WHERE r.datastream_id = d.id "
            f"AND r.day BETWEEN :start AND :end AND d.property = 'online'{where}"
        ),
        {"start": start_on, "end": end_on, **values},
    ).one()
    return (100.0 * float(row[0]) / int(row[1]) if row[1] else None), int(row[1] or 0)
