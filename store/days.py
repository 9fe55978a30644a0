"""From instants to the city's days, and back. Day numbers are days since 1970-01-01; instants are microseconds UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MICROSECONDS = 1_000_000
HOUR = 3600 * MICROSECONDS
DAY = 24 * HOUR
EPOCH = date(1970, 1, 1)
_EPOCH_AT = datetime(1970, 1, 1, tzinfo=UTC)


def instant(moment: datetime) -> int:
    """Microseconds since 1970 UTC of an aware datetime, exact. ValueError when it has no zone."""
    if moment.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return (moment - _EPOCH_AT) // timedelta(microseconds=1)


def moment(at: int) -> datetime:
    """The aware UTC datetime of an instant."""
    return _EPOCH_AT + timedelta(microseconds=at)


def number_of(on: date) -> int:
    """Day number of a date."""
    return (on - EPOCH).days


def date_of(on: int) -> date:
    """Date of a day number."""
    return EPOCH + timedelta(days=on)


def monday_of(on: int) -> int:
    """Day number of the Monday of this day's week (1970-01-01 was a Thursday)."""
    return on - (on + 3) % 7


class DayClock:
    """Day numbers of instants in one zone. Offsets are looked up once per quarter hour, the finest step zones use."""

    def __init__(self, tz: ZoneInfo) -> None:
        self.tz = tz
        self._offsets: dict[int, int] = {}

    def offset(self, at: int) -> int:
        """UTC offset of the zone at an instant, in microseconds."""
        quarter = at // (HOUR // 4)
        found = self._offsets.get(quarter)
        if found is None:
            local = moment(quarter * (HOUR // 4)).astimezone(self.tz).utcoffset() or timedelta()
            found = self._offsets[quarter] = local // timedelta(microseconds=1)
        return found

    def on(self, at: int | None) -> int | None:
        """Day number of an instant; None for None."""
        return None if at is None else (at + self.offset(at)) // DAY

    def starts_at(self, on: int) -> int:
        """The first instant of a day."""
        local = datetime.combine(date_of(on), datetime.min.time(), tzinfo=self.tz)
        return instant(local)
