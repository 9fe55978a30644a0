"""What is known of a stretch of time beside its figures: days off by name, feeds that were silent in it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from config.workcalendar import is_working_day
from metrics.city import City
from metrics.city.feeds import read_in
from metrics.city.findings.moments import Moment, Span
from metrics.comparison import holiday_names
from metrics.periods import days_of
from store.days import MICROSECONDS

GAP = 2.0  # times the cadence a feed promised: as "stale" begins (metrics/city/feeds.py)
MOST_LOADS = 50_000


@dataclass(frozen=True)
class Silence:
    """A feed brought nothing between two instants that lie, in part, in the asked time; until_at None = it is silent still."""

    feed: str
    title: str
    from_at: int
    until_at: int | None


def holidays(city: City, asked: Moment) -> tuple[tuple[str, str], ...]:
    """(day, name) of the asked days that are public holidays; ('' = a day off without a name). Weekends are not told."""
    found = []
    for day in days_of(asked.period):
        name = holiday_names(city.calendar, day.year).get(day, "")
        is_off = not is_working_day(city.calendar, day) and day.weekday() not in city.calendar.rest_weekdays
        if name or is_off:
            found.append((day.isoformat(), name))
    return tuple(found)


def silences(connection: Connection, city: City, span: Span) -> tuple[Silence, ...]:
    """Feeds with a promised cadence that brought nothing for more than GAP times as long, at some moment of the span."""
    found = []
    first, last = _load_at(connection, span.start_at), _load_at(connection, span.end_at)
    for state in read_in(connection, city):
        if state.cadence_s is None or state.loaded_at is None:
            continue
        rows = connection.execute(
            text(
                "SELECT at FROM ops_load WHERE feed = :feed AND error = '' AND id >= coalesce((SELECT max(id) FROM ops_load "
                "WHERE feed = :feed AND id < :first AND error = ''), :first) AND id <= coalesce((SELECT min(id) FROM ops_load "
                "WHERE feed = :feed AND id >= :last AND error = ''), :last) ORDER BY id LIMIT :most"
            ),
            {"feed": state.key, "first": first, "last": last, "most": MOST_LOADS},
        ).scalars().all()
        longest = GAP * state.cadence_s * MICROSECONDS
        ends = [*rows[1:], None] if rows and rows[-1] < span.end_at else rows[1:]
        for at, after in zip(rows, ends, strict=False):
            until = city.as_of if after is None else after
            if until - at > longest and until > span.start_at and at < span.end_at:
                found.append(Silence(state.key, state.title, at, after))
    return tuple(found)


def _load_at(connection: Connection, at: int) -> int:
    """The number of the first load at or after an instant: numbers rise with time, so twenty seeks find it among a million."""
    low, high = 0, int(connection.execute(text("SELECT coalesce(max(id), 0) FROM ops_load")).scalar_one()) + 1
    while high - low > 1:
        middle = (low + high) // 2
        found = connection.execute(text("SELECT at FROM ops_load WHERE id >= :id ORDER BY id LIMIT 1"), {"id": middle}).scalar()
        low, high = (middle, high) if found is not None and found < at else (low, middle)
    return high
