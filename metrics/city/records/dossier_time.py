"""What working time says of one dossier: how long it was worked on, what its limit is, when it should be due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from metrics.calendars import calendar_for
from metrics.city import City
from metrics.city.lists.paging import Row
from metrics.worktime import full_day_seconds, working_seconds
from store.days import moment


@dataclass(frozen=True)
class DossierTime:
    """worked_days, worked_hours: to the end, or up to now while it runs; None beyond the calendar's years. limit None = not known.

    due_gap: working days from the expected to the delivered due day; None where either is missing. stopped_days: working days in
    stops. Judged beside the landing: a dossier of this second may have no expected date yet.
    """

    worked_days: float | None
    worked_hours: float | None
    stopped_days: float | None
    limit: float | None
    unit: str
    expected_due_at: int | None
    due_gap: int | None


def read_time(connection: Connection, city: City, row: Row, stops: Sequence[tuple[int, int | None]]) -> DossierTime | None:
    """The working time of a dossier of the stock; None for the others (new, refused, ended before it started)."""
    if row["standing"] != 1 or row["received_at"] is None:
        return None
    ask_limit = "SELECT limit_days, limit_unit FROM core_procedure WHERE code = :code AND limit_days IS NOT NULL"
    limit = connection.execute(text(ask_limit), {"code": row["procedure_code"]}).first()
    ask_judged = "SELECT expected_due_at, due_gap_wd FROM core_dossier_time WHERE feed = :feed AND source_id = :id AND hash = :hash"
    key = {"feed": row["feed"], "id": row["source_id"], "hash": row["hash"]}
    judged = connection.execute(text(ask_judged), key).first()
    calendar = calendar_for(city.config, row["agency_code"])
    until = row["finished_at"] if row["finished_at"] is not None else max(city.as_of, row["received_at"])
    spans = [(moment(start), moment(end) if end is not None else None) for start, end in stops]
    worked = stopped = None
    try:
        whole = working_seconds(calendar, moment(row["received_at"]), moment(until))
        worked = working_seconds(calendar, moment(row["received_at"]), moment(until), spans)
        stopped = (whole - worked) / full_day_seconds(calendar)
    except (ValueError, OverflowError):
        pass  # an instant no calendar reaches
    return DossierTime(
        None if worked is None else worked / full_day_seconds(calendar), None if worked is None else worked / 3600, stopped,
        None if limit is None else float(limit[0]), "" if limit is None else str(limit[1]),
        None if judged is None else judged[0], None if judged is None else judged[1],
    )
