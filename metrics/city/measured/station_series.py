"""The values of one station over time: hourly or daily means with what was doubted and which limits hold, and on which hours it spoke."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, text

from metrics.air_limits import LimitBook, limits_of
from metrics.city import City
from metrics.city.measured import stations
from metrics.city.measured.devices import DAY_HOURS, HOUR_S
from metrics.city.measured.stations import Measured, cadence_of, in_scope
from metrics.city.measured.water import WaterLevel
from store.days import DAY, HOUR

UPTIME_DAYS = 30
# a seek a day: the key begins with the day, and a range of it holds every datastream
_DAYS_OF = "WITH RECURSIVE days(day) AS (SELECT CAST(:first AS INTEGER) UNION ALL SELECT day + 1 FROM days WHERE day < :last)"


@dataclass(frozen=True)
class SpanRow:
    """One choice of how far back: by hours up to a month, by days beyond."""

    key: str
    days: int
    is_daily: bool = False


SPANS = (SpanRow("48h", 2), SpanRow("7d", 7), SpanRow("30d", 30), SpanRow("365d", 365, is_daily=True))
SPAN_BY_KEY: Mapping[str, SpanRow] = {row.key: row for row in SPANS}


@dataclass(frozen=True)
class SeriesPoint:
    """An hour or a day that begins at `at`; mean, low and high None = no sound reading in it. flagged = readings not believed."""

    at: int
    mean: float | None
    low: float | None
    high: float | None
    flagged: int


@dataclass(frozen=True)
class Bound:
    """A line a value is set against: a limit of the standard, or an alarm level. key: of the texts bound.*."""

    key: str
    value: float


@dataclass(frozen=True)
class Series:
    """One datastream start_at..end_at; hours or days without readings are absent. step = a point's length."""

    start_at: int
    end_at: int
    step: int
    points: tuple[SeriesPoint, ...]
    bounds: tuple[Bound, ...]


def read(city: City, value: Measured, span: str = "", level: WaterLevel | None = None) -> Series:
    """The series of a value. Requires see.stations; ValueError for an unknown span."""
    row = SPAN_BY_KEY.get(span or SPANS[0].key)
    if row is None:
        raise ValueError(f"span: {span!r} is none of {', '.join(SPAN_BY_KEY)}")
    points = _days(city, value.datastream_id, row.days) if row.is_daily else _hours(city, value.datastream_id, row.days)
    step = DAY if row.is_daily else HOUR
    return Series(city.as_of - row.days * DAY, city.as_of, step, points, _bounds(city, value, row, level))


def _hours(city: City, datastream_id: int, days: int) -> tuple[SeriesPoint, ...]:
    first = (city.as_of // HOUR - 24 * days + 1) * HOUR
    frame = stations.hour_series(city, datastream_id, first, city.as_of)
    rows = frame[["hour_at", "mean", "low", "high", "n", "flagged"]].itertuples(index=False)
    return tuple(SeriesPoint(int(at), *_sound(mean, low, high, n), int(flagged)) for at, mean, low, high, n, flagged in rows)


def _days(city: City, datastream_id: int, days: int) -> tuple[SeriesPoint, ...]:
    city.scope.require("see.stations")
    where, values = in_scope(city, "", "d.")
    with city.store.reading() as connection:
        rows = connection.execute(
            text(
                f"{_DAYS_OF} SELECT r.day, r.total / nullif(r.n, 0), r.low, r.high, r.n, r.flagged FROM days "
                "CROSS JOIN rollup_reading_day r "
                "CROSS JOIN core_datastream d WHERE r.day = days.day AND r.datastream_id = :id AND d.id = r.datastream_id"
                f"{where} ORDER BY r.day"
            ),
            {"id": datastream_id, "first": city.today_on - days + 1, "last": city.today_on, **values},
        ).all()
    clock = city.store.days
    return tuple(SeriesPoint(clock.starts_at(on), *_sound(mean, low, high, n), flagged) for on, mean, low, high, n, flagged in rows)


def _sound(mean: float | None, low: float, high: float, n: int) -> tuple[float | None, float | None, float | None]:
    return (float(mean), float(low), float(high)) if n and mean is not None else (None, None, None)


def _bounds(city: City, value: Measured, row: SpanRow, level: WaterLevel | None) -> tuple[Bound, ...]:
    """Limits of the mean that is drawn; alarm levels of a river."""
    if level is not None:
        alarm = level.alarm
        return Bound("alarm_1", alarm.alarm_1), Bound("alarm_2", alarm.alarm_2), Bound("alarm_3", alarm.alarm_3)
    averaging = "24h" if row.is_daily else "1h"
    limit = LimitBook(limits_of(city.config.limits)).on(city.today_on, value.property, value.measure_unit, averaging)
    return () if limit is None else (Bound(f"limit_{averaging}", limit.value),)


@dataclass(frozen=True)
class DayHeard:
    """Of one day number: slots of the datastreams' cadence (an hour at least) with sound readings, and how many there should be."""

    on: int
    heard: int
    expected: int


def days_heard(city: City, datastream_ids: Sequence[int], days: int = UPTIME_DAYS) -> tuple[DayHeard, ...]:
    """The last whole days of datastreams together; before its first hour ever nothing is expected of one. Requires see.stations."""
    city.scope.require("see.stations")
    if not datastream_ids:
        return ()
    first, last = city.today_on - days, city.today_on - 1
    where, values = in_scope(city, "", "d.")
    values.update(ids=list(datastream_ids))
    ask_streams = text(
        "SELECT d.id, d.feed, d.cadence_s, (SELECT min(h.hour) FROM rollup_reading_hour h WHERE h.datastream_id = d.id) "
        f"FROM core_datastream d WHERE d.id IN :ids{where}"
    ).bindparams(bindparam("ids", expanding=True))
    ask_hours = text(
        f"{_DAYS_OF} SELECT r.day, r.datastream_id, r.hours FROM days CROSS JOIN rollup_reading_day r "
        f"CROSS JOIN core_datastream d WHERE r.day = days.day AND r.datastream_id IN :ids AND d.id = r.datastream_id{where}"
    ).bindparams(bindparam("ids", expanding=True))
    with city.store.reading() as connection:
        streams = connection.execute(ask_streams, values).all()
        hours = {(row[0], row[1]): int(row[2]) for row in connection.execute(ask_hours, {**values, "first": first, "last": last})}
    slots = {number: _slots(cadence_s or cadence_of(city, feed)) for number, feed, cadence_s, _ in streams}
    began = {number: city.store.days.on(hour * HOUR) for number, _, _, hour in streams if hour is not None}
    return tuple(_day_heard(on, [number for number, since in began.items() if since is not None and since <= on], slots, hours)
                 for on in range(first, last + 1))


def _slots(cadence_s: int) -> int:
    """How often a datastream should speak in a day, at most every hour."""
    return max(1, DAY_HOURS // max(1, -(-cadence_s // HOUR_S)))


def _day_heard(on: int, numbers: Sequence[int], slots: Mapping[int, int], hours: Mapping[tuple[int, int], int]) -> DayHeard:
    heard = sum(min(hours.get((on, number), 0), slots[number]) for number in numbers)
    return DayHeard(on, heard, sum(slots[number] for number in numbers))
