"""The stretch of days an indicator speaks of, as a feed may write it. Pure.

Forms: 2019, 2019-H1, 2019-Q3, 2019-09, 2019-10-15, a..b (from the first day of a to the last of b), ..b (cumulative to the last day of b).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

_FORM = re.compile(r"(\d{4})(?:-(?:H([12])|Q([1-4])|(\d{2})(?:-(\d{2}))?))?", re.ASCII)
_EPOCH_DAY = date(1970, 1, 1).toordinal()


@dataclass(frozen=True)
class Span:
    """Day numbers, both included; start_on None = since a day nobody tells. `text` is the form this module reads back."""

    text: str
    start_on: int | None
    end_on: int


def read_span(text: str) -> Span | None:
    """The span a text names; None when it is of no known form or ends before it starts."""
    first, dots, last = text.strip().partition("..")
    try:
        end = _days(last if dots else first)
        start = _days(first) if first else None
    except ValueError:
        return None
    if end is None or (first and start is None):
        return None
    start_on = start[0] if start else None
    if start_on is not None and start_on > end[1]:
        return None
    return Span(text.strip(), start_on, end[1])


def span_between(start_on: int | None, end_on: int) -> Span:
    """The span from one day number (None = untold) to another."""
    last = date.fromordinal(end_on + _EPOCH_DAY).isoformat()
    if start_on == end_on:
        return Span(last, start_on, end_on)
    first = "" if start_on is None else date.fromordinal(start_on + _EPOCH_DAY).isoformat()
    return Span(f"{first}..{last}", start_on, end_on)


def _days(text: str) -> tuple[int, int] | None:
    """First and last day number of a simple form. Raises ValueError for a day or month that does not exist."""
    found = _FORM.fullmatch(text.strip())
    if not found:
        return None
    year = int(found[1])
    if found[5]:
        only = date(year, int(found[4]), int(found[5])).toordinal() - _EPOCH_DAY
        return only, only
    if found[4]:
        month, months = int(found[4]), 1
    elif found[3]:
        month, months = 3 * int(found[3]) - 2, 3
    elif found[2]:
        month, months = 6 * int(found[2]) - 5, 6
    else:
        month, months = 1, 12
    after = year * 12 + month - 1 + months
    last = date(after // 12, after % 12 + 1, 1) - timedelta(days=1)
    return date(year, month, 1).toordinal() - _EPOCH_DAY, last.toordinal() - _EPOCH_DAY
