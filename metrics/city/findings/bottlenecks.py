"""Where the time of a procedure goes: per step, in work and in waiting, in loops, by the order of steps.

Two questions. `procedures`: which procedures took most working days in a period, from one index. `read`: the steps of the dossiers of one
procedure that ended last in a period, at most SAMPLE of them, found by key: its cost does not follow what is stored. Both are shared for
some minutes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, text

from metrics.calendars import calendar_for
from metrics.city import City
from metrics.city.lists.named import read_names
from metrics.city.masking import FREE_TEXT, PERSONAL, masked_id
from metrics.city.numbers.sums import NOTHING_CHOSEN, Choice, conditions
from metrics.periods import Period
from metrics.process import Process, StepAt, Way, process_of, stretches
from store.days import DAY, HOUR, moment, number_of
from text.vietnamese import fold

SAMPLE, LONGEST_DAYS = 1_000, 366
LIST_DAYS = 92  # of all procedures every dossier is summed: 270 thousand in 0.3 s
REMEMBERED = HOUR // 6
_AGAIN = re.compile(r"[\s,(]*\blan\s+(?:thu\s+)?\d+\)?\s*$")  # of a folded name: "for the n-th time"
Key = tuple[str, str]


@dataclass(frozen=True)
class ProcedureTime:
    """One procedure: dossiers that ended in the period, their mean of working days, percent of the working days of all procedures."""

    procedure_code: str
    procedure_name: str
    n: int
    mean_days: float
    worked_share: float


@dataclass(frozen=True)
class ProcedureList:
    """Procedures with dossiers that ended from_on..to_on (day numbers), most working days first."""

    from_on: int
    to_on: int
    rows: tuple[ProcedureTime, ...]


@dataclass(frozen=True)
class Bottlenecks:
    """The steps of a procedure. total: how many ended in the period; process: of a sample, from_on..to_on (day numbers), None without any.

    stepless: dossiers of the sample of which no step is known; they are left out. names_hidden: this reader sees states, not steps.
    """

    procedure_code: str
    procedure_name: str
    total: int
    from_on: int | None
    to_on: int | None
    stepless: int
    names_hidden: bool
    process: Process | None


def procedures(city: City, period: Period, choice: Choice = NOTHING_CHOSEN) -> ProcedureList:
    """Every procedure with dossiers that ended in the last LIST_DAYS of the period. Requires see.dossiers; ValueError past a year."""
    city.scope.require("see.dossiers")
    first, last = _days_of(period)
    first, turn = max(first, min(last, city.today_on) - LIST_DAYS + 1), city.as_of // REMEMBERED
    found: ProcedureList = city.once(
        "bottleneck_procedures", first, last, choice, turn, _reads_steps(city), make=lambda: _procedures(city, first, last, choice)
    )
    return found


def read(city: City, procedure: str, period: Period, choice: Choice = NOTHING_CHOSEN) -> Bottlenecks:
    """The steps of one procedure ('' = of dossiers without one). Requires see.dossiers; ValueError for a period longer than a year."""
    city.scope.require("see.dossiers")
    first, last = _days_of(period)
    turn, classes = city.as_of // REMEMBERED, city.scope.field_classes
    found: Bottlenecks = city.once(
        "bottlenecks", procedure, first, last, choice, turn, classes, make=lambda: _read(city, procedure, first, last, choice)
    )
    return found


def _days_of(period: Period) -> tuple[int, int]:
    first, last = number_of(period.start_on), number_of(period.end_on)
    if last - first >= LONGEST_DAYS:
        raise ValueError(f"period: {period.text} is longer than {LONGEST_DAYS} days; give a shorter one")
    return first, last


def _reads_steps(city: City) -> bool:
    """Are steps told in the office's words?"""
    return FREE_TEXT in city.scope.field_classes


def _ended(city: City, first: int, last: int, choice: Choice) -> tuple[str, dict[str, Any]]:
    """Condition on core_dossier_time t: ended in these days, within the choice and the reader's rights."""
    own, values = conditions(city.scope, "dossiers", choice, "t.")
    return f"t.finished_on IS NOT NULL AND t.finished_on BETWEEN :first AND :last{own}", {"first": first, "last": last, **values}


def _procedures(city: City, first: int, last: int, choice: Choice) -> ProcedureList:
    where, values = _ended(city, first, last, choice)
    with city.store.reading() as connection:
        rows = connection.execute(
            text(  # one seek a procedure: a plain GROUP BY reads the dossiers of all years
                "SELECT p.code AS procedure_code, count(*) AS n, sum(t.worked_s * 1.0 / t.day_s) AS days FROM "
                "(SELECT code FROM core_procedure UNION SELECT '') p CROSS JOIN core_dossier_time t "
                f"WHERE t.procedure_code = p.code AND {where} GROUP BY p.code"
            ),
            values,
        ).mappings().all()
        names = read_names(connection, city, [dict(row) for row in rows])
    whole = sum(float(row["days"] or 0.0) for row in rows)
    found = [
        ProcedureTime(
            names.code("procedure_code", row["procedure_code"]), names.procedure(row["procedure_code"]), row["n"],
            float(row["days"] or 0.0) / row["n"], 100.0 * float(row["days"] or 0.0) / whole if whole else 0.0,
        )
        for row in rows
    ]
    return ProcedureList(first, last, tuple(sorted(found, key=lambda row: (-row.worked_share, row.procedure_code))))


def _read(city: City, procedure: str, first: int, last: int, choice: Choice) -> Bottlenecks:
    where, values = _ended(city, first, last, choice)
    ended, values = f"t.procedure_code = :procedure AND {where}", {**values, "procedure": procedure}
    with city.store.reading() as connection:
        total = connection.execute(text(f"SELECT count(*) FROM core_dossier_time t WHERE {ended}"), values).scalar_one()
        sample = f"SELECT t.feed, t.source_id, t.finished_on FROM core_dossier_time t WHERE {ended} " \
                 f"ORDER BY t.finished_on DESC, t.feed, t.source_id LIMIT {SAMPLE}"
        days = [row[2] for row in connection.execute(text(sample), values)]
        ways, stepless = _ways(connection, city, sample, values)
        # who sees none of its dossiers is told no more of a procedure than they asked
        names = read_names(connection, city, [{"procedure_code": procedure}] if total else [])
    process = process_of(ways)
    return Bottlenecks(
        names.code("procedure_code", procedure), names.procedure(procedure), total, min(days, default=None), max(days, default=None),
        stepless, not _reads_steps(city), process if process is None or PERSONAL in city.scope.field_classes else _shown(process),
    )


def _ways(connection: Connection, city: City, sample: str, values: Mapping[str, Any]) -> tuple[list[Way], int]:
    """(the ways of the sample's dossiers, how many of them have no steps)."""
    steps, stops = _steps(connection, city, sample, values), _stops(connection, sample, values)
    # the small side first: the planner would else read every dossier
    ask = f"SELECT d.feed, d.source_id, d.agency_code, d.received_at, d.finished_at FROM ({sample}) s CROSS JOIN core_dossier d " \
          "WHERE d.feed = s.feed AND d.source_id = s.source_id"
    found, stepless = [], 0
    for feed, source_id, agency, received, finished in connection.execute(text(ask), values):
        if not steps.get((feed, source_id)) or received is None or finished is None:
            stepless += 1
            continue
        spans = [(moment(start), moment(end) if end is not None else None) for start, end in stops.get((feed, source_id), ())]
        try:
            walked = stretches(calendar_for(city.config, agency), received, finished, True, steps[feed, source_id], spans)
        except (ValueError, OverflowError):
            stepless += 1  # an instant no calendar reaches
            continue
        found.append(Way(feed, source_id, (finished - received) / DAY, walked))
    return found, stepless


def _steps(connection: Connection, city: City, sample: str, values: Mapping[str, Any]) -> dict[Key, list[StepAt]]:
    """The steps by dossier in order, in the office's words only for who may read them."""
    ask = f"SELECT x.feed, x.source_id, x.at, x.name, x.department, x.status FROM ({sample}) s CROSS JOIN core_dossier_step x " \
          "WHERE x.feed = s.feed AND x.source_id = s.source_id ORDER BY x.feed, x.source_id, x.at, x.name"
    told, found = _reads_steps(city), defaultdict[Key, list[StepAt]](list)
    for feed, source_id, at, name, _, status in connection.execute(text(ask), values):
        found[feed, source_id].append(StepAt(at, _step(name) if told else "", "", status))
    return found


def _step(name: str) -> str:
    """A step's name; one asked for again ("..., for the second time") is the same step."""
    plain = fold(name)
    found = _AGAIN.search(plain)
    return name[: found.start()] if found and len(plain) == len(name) else name


def _stops(connection: Connection, sample: str, values: Mapping[str, Any]) -> dict[Key, list[tuple[int, int | None]]]:
    ask = f"SELECT x.feed, x.source_id, x.stopped_at, x.resumed_at FROM ({sample}) s CROSS JOIN core_dossier_stop x " \
          "WHERE x.feed = s.feed AND x.source_id = s.source_id ORDER BY x.feed, x.source_id, x.stopped_at"
    found = defaultdict[Key, list[tuple[int, int | None]]](list)
    for feed, source_id, start, end in connection.execute(text(ask), values):
        found[feed, source_id].append((start, end))
    return found


def _shown(process: Process) -> Process:
    """The same with numbers of dossiers as lists show them: one that is a person's cannot be opened from here."""
    steps = (
        replace(row, slowest=tuple(replace(one, source_id=masked_id(one.source_id)) for one in row.slowest)) for row in process.steps
    )
    return replace(process, steps=tuple(steps))
