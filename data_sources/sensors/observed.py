"""What an Observation says, as fast as Python reads it: its instant, its result, and both dataArray shapes.

An interval phenomenonTime a/b stands for its START: a mean or a sum of 10:00/11:00 belongs to the hour from
10:00, and one of 23:00/00:00 to the day that ends, which is where roll-ups by hour and day must find it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from data_sources.instants import instant_reader, to_micros

TIME, RESULT = "phenomenonTime", "result"
_UTC_LENGTHS = frozenset({20, 24, 27})  # ...:ssZ with no, 3 or 6 digits of fraction
_loose = instant_reader(("iso",), ZoneInfo("UTC"))


class Observed(NamedTuple):
    """One observation as sent: its name, time and result, none of them checked."""

    key: str
    time: Any
    result: Any


def instant_of(text: Any) -> int | None:
    """Microseconds since 1970 UTC of an ISO time or the start of an interval a/b; None when it is none."""
    if type(text) is not str:
        return None
    try:
        if len(text) in _UTC_LENGTHS and text[-1] == "Z" and text[10] == "T" and text[4] == text[7] == "-":
            return to_micros(datetime.fromisoformat(text))
        return _loose(text.partition("/")[0].strip())
    except (ValueError, OverflowError):
        return None


def observations_of(block: Mapping[str, Any]) -> Iterator[Observed]:
    """The observations of one block, plain or dataArray; what is not readable as one comes with time None."""
    rows = block.get("dataArray")
    if isinstance(rows, list):
        yield from _array_rows(rows, block.get("components"))
        return
    items = block.get("value")
    for item in items if isinstance(items, list) else ():
        if isinstance(item, Mapping):
            yield Observed(str(item.get("@iot.id", "")), item.get(TIME), item.get(RESULT))
        else:
            yield Observed("", None, item)


def _array_rows(rows: Sequence[Any], components: Any) -> Iterator[Observed]:
    names = [str(name) for name in components] if isinstance(components, list) else []
    time_at = names.index(TIME) if TIME in names else -1
    result_at = names.index(RESULT) if RESULT in names else -1
    id_at = next((names.index(name) for name in ("@iot.id", "id") if name in names), -1)
    for row in rows:
        if isinstance(row, list) and len(row) == len(names) and time_at >= 0 and result_at >= 0:
            yield Observed(str(row[id_at]) if id_at >= 0 else "", row[time_at], row[result_at])
        else:
            yield Observed("", None, row)


def newest_instant(blocks: Sequence[Mapping[str, Any]], limit: int) -> int | None:
    """The newest instant in the blocks that is not after `limit`, None when there is none."""
    newest: int | None = None
    seen: set[Any] = set()
    for block in blocks:
        for observed in observations_of(block):
            if type(observed.time) is str and observed.time not in seen:
                seen.add(observed.time)
                at = instant_of(observed.time)
                if at is not None and at <= limit and (newest is None or at > newest):
                    newest = at
    return newest
