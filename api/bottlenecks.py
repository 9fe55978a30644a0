"""GET /api/v1/bottlenecks: where the time of procedures goes, as the page tells it; a table of procedures, or of one procedure's steps."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from api import parameters as known
from api.answers import Ask, Json, list_or_table, period_json
from api.parameters import Parameter, bad
from api.tables import Column, Table, iso
from metrics.city.findings import bottlenecks
from metrics.city.findings.bottlenecks import Bottlenecks
from metrics.periods import Period
from metrics.process import Process
from store.days import date_of

NO_PROCEDURE = "-"
FILTERS = (
    known.PERIOD, Parameter("procedure", "procedure code; - = the source names none; default all procedures, as a list"), known.AGENCY,
    known.AREA, known.DOMAIN, known.HEADERS,
)
_PROCEDURES = (
    Column("procedure_code"), Column("procedure_name"), Column("n", "whole"), Column("mean_days", "number"),
    Column("worked_share", "number"),
)
_STEPS = (
    Column("name"), Column("status", "whole"), Column("dossiers", "whole"), Column("times", "whole"), Column("median_days", "number"),
    Column("p90_days", "number"), Column("waited_median", "number"), Column("worked_share", "number"), Column("waited_share", "number"),
)


def answer_bottlenecks(ask: Ask) -> Json | Table:
    """Every procedure by its share of the working days; or the steps, loops and orders of one, of a sample said with its n."""
    city, procedure = ask.city, ask.asked.text("procedure")
    period = ask.asked.period(city, "last_30d")
    assert period is not None
    try:
        if procedure:
            return _one(ask, period, bottlenecks.read(city, "" if procedure == NO_PROCEDURE else procedure, period, ask.asked.choice()))
        found = bottlenecks.procedures(city, period, ask.asked.choice())
    except ValueError as fault:
        raise bad("period", str(fault), "choose a shorter period") from fault
    rows = [tuple(getattr(row, column.key) for column in _PROCEDURES) for row in found.rows]
    listed = list_or_table(ask, "bottlenecks", _PROCEDURES, rows)
    if isinstance(listed, Table):
        return listed
    return {"period": period_json(period), "from_on": _day(found.from_on), "to_on": _day(found.to_on), **_state(ask), "items": listed}


def _one(ask: Ask, period: Period, found: Bottlenecks) -> Json | Table:
    process = found.process
    rows = [tuple(getattr(row, column.key) for column in _STEPS) for row in process.steps] if process else []
    steps = list_or_table(ask, "bottlenecks_steps", _STEPS, rows)
    if isinstance(steps, Table):
        return steps
    return {
        "period": period_json(period), "procedure_code": found.procedure_code, "procedure_name": found.procedure_name,
        "total": found.total, "from_on": _day(found.from_on), "to_on": _day(found.to_on), "stepless": found.stepless,
        "names_hidden": found.names_hidden, **(_process(process) if process else {}), "steps": steps, **_state(ask),
    }


def _process(process: Process) -> dict[str, Any]:
    """The figures of the sample, the steps that come again and the orders of steps."""
    return {
        "n": process.n, "worked_median": process.worked_median, "worked_p90": process.worked_p90,
        "calendar_median": process.calendar_median, "worked_total": process.worked_total, "waited_total": process.waited_total,
        "waiting_dossiers": process.waiting_dossiers,
        "loops": [asdict(row) for row in process.loops], "variant_count": process.variant_count,
        "variants": [
            {"path": [{"name": key.name, "status": key.status} for key in row.path], "n": row.n, "median_days": row.median_days}
            for row in process.variants
        ],
    }


def _day(on: int | None) -> str | None:
    return None if on is None else str(date_of(on))


def _state(ask: Ask) -> dict[str, Any]:
    return {"as_of": iso(ask.city.as_of, ask.city.store.days.tz), "revision": ask.city.revision}
