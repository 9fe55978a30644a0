"""Reading dates: text in a named format -> microseconds since 1970 UTC, by integer arithmetic only.

Strict: a text that is not exactly in the format is no date. Naive local times take the zone given; where a clock
change makes one ambiguous or nonexistent, fold=0 decides (the first of two, the offset before the gap).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
SECOND = 1_000_000
DAY = 86_400 * SECOND
ISO, COMPACT, COMPACT_DAY, EPOCH_S, EPOCH_MS = "iso", "yyyyMMddHHmmss", "yyyyMMdd", "epoch_s", "epoch_ms"
NAMED_FORMATS = (ISO, COMPACT, COMPACT_DAY, EPOCH_S, EPOCH_MS)

InstantReader = Callable[[str], int | None]

_ISO_LOOSE = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9}))? ?(Z|z|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC of an aware moment; exact, no float is involved."""
    delta = moment - EPOCH
    return delta.days * DAY + delta.seconds * SECOND + delta.microseconds


def format_fault(name: str) -> str | None:
    """Why `name` is no date format, or None when it is one."""
    if name in NAMED_FORMATS:
        return None
    if "%" not in name:
        known = ", ".join(NAMED_FORMATS)
        return f"{name!r} is no date format; use one of {known} or a strptime pattern like %d/%m/%Y"
    sample = datetime(2011, 12, 13, 14, 15, 16)
    try:
        datetime.strptime(sample.strftime(name), name)
    except (ValueError, re.error) as error:
        return f"{name!r} is no strptime pattern: {error}"
    return None


def instant_reader(formats: Sequence[str], zone: ZoneInfo) -> InstantReader:
    """A function text -> microseconds since 1970 UTC, None when the text fits none of the formats (tried in order)."""
    readers = tuple(_reader(name, zone) for name in formats)

    def read(text: str) -> int | None:
        for reader in readers:
            try:
                found = reader(text)
            except (ValueError, OverflowError):
                continue
            if found is not None:
                return found
        return None

    return read


def local_midnight(day: date, zone: ZoneInfo) -> int:
    """Microseconds since 1970 UTC at which the local day begins."""
    return _day_start(day.toordinal(), zone)


@lru_cache(maxsize=8192)
def _day_start(ordinal: int, zone: ZoneInfo) -> int:
    day = date.fromordinal(ordinal)
    return to_micros(datetime(day.year, day.month, day.day, tzinfo=zone))


@lru_cache(maxsize=64)
def _fixed_offset(zone: ZoneInfo, year: int) -> int | None:
    """The zone's offset in microseconds when it does not change in that year, else None (judged day by day)."""
    first = datetime(year, 1, 1, tzinfo=zone)
    offsets = {(first + timedelta(days=day)).utcoffset() for day in range(365)}
    only = offsets.pop()
    return None if offsets or only is None else only // timedelta(microseconds=1)


def _localized(naive: datetime, zone: ZoneInfo) -> int:
    offset = _fixed_offset(zone, naive.year)
    if offset is None:
        return to_micros(naive.replace(tzinfo=zone))
    seconds = (naive.toordinal() - _EPOCH_DAY) * 86_400 + naive.hour * 3600 + naive.minute * 60 + naive.second
    return seconds * SECOND + naive.microsecond - offset


def _micros(moment: datetime, zone: ZoneInfo) -> int:
    return _localized(moment, zone) if moment.tzinfo is None else to_micros(moment)


def _reader(name: str, zone: ZoneInfo) -> InstantReader:
    if name == ISO:
        return lambda text: _read_iso(text, zone)
    if name == COMPACT:
        return lambda text: _read_compact(text, zone, 14)
    if name == COMPACT_DAY:
        return lambda text: _read_compact(text, zone, 8)
    if name in (EPOCH_S, EPOCH_MS):
        return _epoch_reader(SECOND if name == EPOCH_S else 1000)
    return lambda text: _micros(datetime.strptime(text, name), zone)


def _epoch_reader(unit: int) -> InstantReader:
    def read(text: str) -> int | None:
        whole = text[1:] if text[:1] == "-" else text
        return int(text) * unit if whole.isascii() and whole.isdigit() and len(whole) <= 14 else None

    return read


def _read_compact(text: str, zone: ZoneInfo, length: int) -> int | None:
    if len(text) != length or not (text.isascii() and text.isdigit()):
        return None
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:8])
    if length == 8:
        return _localized(datetime(year, month, day), zone)
    return _localized(datetime(year, month, day, int(text[8:10]), int(text[10:12]), int(text[12:14])), zone)


def _read_iso(text: str, zone: ZoneInfo) -> int | None:
    """2011-10-11, 2011-10-11T13:42, 2011-10-11 13:42:22.688+02:00 (or +02, +0200, Z); 1..9 fraction digits, cut to 6."""
    if text[4:5] != "-" or text[7:8] != "-":
        return None
    if len(text) == 10:
        return _localized(datetime.fromisoformat(text), zone)
    if len(text) < 16 or text[13] != ":":
        return None
    if len(text) in (19, 25, 26, 32) and text[10] in "T " and text[19:20] in ("", "+", "-", "."):
        return _micros(datetime.fromisoformat(text), zone)  # the common shapes, in C
    match = _ISO_LOOSE.fullmatch(text)
    if match is None:
        return None
    day, clock, fraction, offset = match.groups()
    if fraction and len(clock) == 5:
        return None  # a fraction of a minute
    plain = f"{day}T{clock}{'.' + fraction[:6].ljust(6, '0') if fraction else ''}{(offset or '').upper()}"
    return _micros(datetime.fromisoformat(plain), zone)
