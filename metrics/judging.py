"""Judging: how long each dossier was worked on, and when it should have been due, by the calendar of its agency.

Runs beside the landing, a round of logged dossiers at a time: read in one state of the store, computed outside any transaction,
written with the cells it changes. Repeating it changes nothing; another calendar, limit or rule judges every dossier anew.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from hashlib import blake2b
from importlib.metadata import version
from typing import Any

from config import Config
from metrics.calendars import calendar_for
from metrics.due_dates import due_of, working_days_between
from metrics.worktime import Stop, WorkCalendar, full_day_seconds, working_seconds
from store.days import instant, moment
from store.engine import Store
from store.judged import (
    Taken,
    Unjudged,
    has_unjudged,
    log_all_unjudged,
    put_basis,
    put_judged,
    read_basis,
    read_limits,
    take_unjudged,
)

ROUND = 4_000
NAME = "working_time"
RULES = 2  # move it on when the rules below change: every dossier is then judged anew


def judge(store: Store, config: Config) -> int:
    """Judge until nothing is logged; after a change of calendars or limits that is every dossier. Returns how many log rows there were."""
    ask_anew(store, config)
    total = 0
    while done := judge_round(store, config)[0]:
        total += done
    return total


def judge_anew(store: Store, config: Config) -> int:
    """Judge every dossier, whatever was judged before."""
    store.write(log_all_unjudged)
    return judge(store, config)


def ask_anew(store: Store, config: Config) -> bool:
    """Log every dossier when calendars, limits or rules are no longer those it was judged by."""
    with store.reading() as connection:
        digest = _digest(config, read_limits(connection))
        if read_basis(connection, NAME) == digest:
            return False

    def log_all(connection: Any) -> None:
        log_all_unjudged(connection)
        put_basis(connection, NAME, digest)

    store.write(log_all)
    return True


def is_waiting(store: Store) -> bool:
    """Is any dossier logged to be judged?"""
    with store.reading() as connection:
        return has_unjudged(connection)


def judge_round(store: Store, config: Config, limit: int = ROUND) -> tuple[int, float]:
    """Judge the dossiers of at most `limit` log rows: (log rows worked off, seconds the write lock was held)."""
    with store.reading() as connection:
        taken = take_unjudged(connection, limit)
    if not taken.seqs:
        return 0, 0.0
    times = list(_times(config, taken))

    def timed(connection: Any) -> float:
        began = time.monotonic()
        put_judged(connection, taken, times)
        return time.monotonic() - began

    return len(taken.seqs), store.write(timed)


def _times(config: Config, taken: Taken) -> Iterator[tuple[object, ...]]:
    """Rows of core_dossier_time: for dossiers that have ended, and for those whose procedure has a limit."""
    calendars: dict[str, WorkCalendar] = {}
    for row in taken.rows:
        if row.finished_at is None and row.limit is None:
            continue
        if row.agency_code not in calendars:
            calendars[row.agency_code] = calendar_for(config, row.agency_code)
        calendar = calendars[row.agency_code]
        spans = taken.stops.get((row.feed, row.source_id), ())
        stops = [(moment(start), moment(end) if end is not None else None) for start, end in spans]
        worked = _worked(calendar, row, stops)
        expected = _expected(calendar, row, stops, config.calendar.stop_rule)
        gap = _gap(calendar, row, expected)
        if worked is not None or expected is not None:
            yield (
                row.feed, row.source_id, row.version, row.hash, row.agency_code, row.domain_code, row.procedure_code, row.received_on,
                row.finished_on if worked is not None else None, worked, full_day_seconds(calendar) if worked is not None else None,
                (row.finished_at - row.received_at) // 1_000_000 if row.finished_at is not None else None, expected, gap,
            )


def _worked(calendar: WorkCalendar, row: Unjudged, stops: list[Stop]) -> int | None:
    """Whole seconds of working time from receipt to end, without the stops; None while it runs or beyond the calendar's years."""
    if row.finished_at is None:
        return None
    try:
        return int(working_seconds(calendar, moment(row.received_at), moment(row.finished_at), stops))
    except (ValueError, OverflowError):
        return None


def _expected(calendar: WorkCalendar, row: Unjudged, stops: list[Stop], stop_rule: str) -> int | None:
    """The due instant by the limit of the procedure; a stop that lasted until the end moves nothing. None where none can be told."""
    if row.limit is None:
        return None
    if row.finished_at is not None:
        ended_at = moment(row.finished_at)
        stops = [(start, end) for start, end in stops if end is not None and end < ended_at]
    try:
        return instant(due_of(calendar, moment(row.received_at), row.limit, row.unit, stops, (), stop_rule))
    except (ValueError, OverflowError):
        return None


def _gap(calendar: WorkCalendar, row: Unjudged, expected: int | None) -> int | None:
    """Working days from the expected to the delivered due day; None where either is missing."""
    if expected is None or row.due_at is None:
        return None
    try:
        first, second = (moment(at).astimezone(calendar.tz).date() for at in (expected, row.due_at))
        return working_days_between(calendar, first, second) if first != second else 0
    except (ValueError, OverflowError):
        return None


def _digest(config: Config, limits: list[tuple[str, float, str]]) -> str:
    """Of all that judging depends on beside the dossiers themselves."""
    tables = sorted(config.agency_calendars.items())
    said = (RULES, version("holidays"), config.timezone, config.calendar, tables, limits)
    return blake2b(repr(said).encode(), digest_size=16).hexdigest()
