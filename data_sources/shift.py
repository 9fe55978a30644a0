"""Moves all dates of a feed by whole weeks, so that an old data set can stand in for a living one. The screen says so.

Local wall-clock time is kept: nine o'clock stays nine o'clock across a change of daylight saving, and a weekday stays itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from store.days import DAY, DayClock
from store.rows import DossierRow, Parsed, ReportRow, StepRow, Stop

WEEK_DAYS = 7


def newest_event(batches: Iterable[Parsed]) -> int | None:
    """The newest thing that has happened in a feed (due dates are no events), microseconds UTC."""
    newest: int | None = None
    for batch in batches:
        for row in batch.dossiers:
            newest = _later(newest, row.filed_at, row.received_at, row.finished_at)
        for step in batch.steps:
            newest = _later(newest, step.at)
        for report in batch.reports:
            newest = _later(newest, report.received_at, report.updated_at, report.closed_at)
        newest = _later(newest, max((reading.observed_at for reading in batch.readings), default=None))
    return newest


def _later(*instants: int | None) -> int | None:
    return max((at for at in instants if at is not None), default=None)


def whole_weeks(newest: int, now: int) -> int:
    """Days to move by: the greatest multiple of seven that keeps the newest event in the past."""
    return (now - newest) // DAY // WEEK_DAYS * WEEK_DAYS


def shifted(batch: Parsed, days: int, clock: DayClock) -> Parsed:
    """The batch with every date moved by `days`, all alike."""
    move = _mover(days, clock)
    return replace(
        batch,
        dossiers=tuple(_dossier(row, move) for row in batch.dossiers),
        steps=tuple(StepRow(row.dossier_id, move(row.at) or 0, row.name, row.department, row.status) for row in batch.steps),
        reports=tuple(_report(row, move) for row in batch.reports),
        readings=tuple(row._replace(observed_at=move(row.observed_at) or 0) for row in batch.readings),
    )


def _mover(days: int, clock: DayClock) -> Callable[[int | None], int | None]:
    def move(at: int | None) -> int | None:
        if at is None:
            return None
        moved = at + days * DAY
        return moved + clock.offset(at) - clock.offset(moved + clock.offset(at) - clock.offset(moved))

    return move


def _dossier(row: DossierRow, move: Callable[[int | None], int | None]) -> DossierRow:
    return replace(
        row, filed_at=move(row.filed_at), received_at=move(row.received_at), due_at=move(row.due_at), finished_at=move(row.finished_at),
        handed_at=move(row.handed_at), refused_at=move(row.refused_at), version=move(row.version),
        stops=tuple(Stop(move(stop.stopped_at) or 0, move(stop.resumed_at)) for stop in row.stops),
    )


def _report(row: ReportRow, move: Callable[[int | None], int | None]) -> ReportRow:
    return replace(
        row, received_at=move(row.received_at), updated_at=move(row.updated_at), due_at=move(row.due_at),
        closed_at=move(row.closed_at), reopened_at=move(row.reopened_at), version=move(row.version),
    )
