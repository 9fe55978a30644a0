"""Dossiers as the columns risk is learned from: a sample of all received lately, or the open ones that are to be scored.

The sample is the same dossiers every night, whoever lands in between: a dossier is in it by the digest of its id alone.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, text

from config import Config
from metrics.at_risk.clock import NEVER, Ints
from metrics.at_risk.history import Events, History
from metrics.calendars import calendar_for
from metrics.worktime import WorkCalendar
from store.engine import Store

WINDOW_DAYS = 800  # of receipt: two whole years; longer ago says little about now
SAMPLE = 40_000  # dossiers
CHUNK = 500
COLUMNS = "feed, source_id, received_at, finished_at, due_at, agency_code, procedure_code, channel, stopped_at, first_landed_at"
Key = tuple[str, str]
Row = Mapping[str, Any]


@dataclass
class Making:
    """Columns as they grow."""

    rows: list[Row] = field(default_factory=list)
    stops: list[tuple[int, int, int, int]] = field(default_factory=list)
    steps: list[tuple[int, int, int, int]] = field(default_factory=list)
    told: list[tuple[int, int, int, int]] = field(default_factory=list)
    step_names: dict[str, int] = field(default_factory=dict)

    def stop(self, owner: int, at: int, until: int | None) -> None:
        """A stretch the clock stood still."""
        self.stops.append((owner, at, NEVER if until is None else until, 0))

    def step(self, owner: int, at: int, name: str) -> None:
        """A step that began."""
        self.steps.append((owner, at, NEVER, self.step_names.setdefault(name, len(self.step_names))))

    def due(self, owner: int, landed_at: int, due_at: int | None) -> None:
        """A due date as it landed."""
        self.told.append((owner, landed_at, NEVER if due_at is None else due_at, 0))

    def history(self, config: Config, as_of: int) -> History:
        """What has been gathered, as of an instant."""
        agency, agencies = _coded([row["agency_code"] for row in self.rows])
        procedure, procedures = _coded([row["procedure_code"] for row in self.rows])
        found: dict[WorkCalendar, int] = {}
        by_agency = [found.setdefault(calendar_for(config, code), len(found)) for code in agencies]
        received, finished, due = (_instants([row[name] for row in self.rows]) for name in ("received_at", "finished_at", "due_at"))
        return History(
            as_of, received, finished, due, agency, procedure, np.array([row["channel"] == "online" for row in self.rows], bool),
            np.array(by_agency, np.int64)[agency] if self.rows else np.zeros(0, np.int64), _events(self.stops), _events(self.steps),
            _events(self.told), agencies, procedures, tuple(self.step_names), tuple(found),
            tuple((row["feed"], row["source_id"]) for row in self.rows),
        )


def _coded(codes: Sequence[str]) -> tuple[Ints, tuple[str, ...]]:
    place: dict[str, int] = {}
    return np.array([place.setdefault(code, len(place)) for code in codes], np.int64), tuple(place)


def _instants(values: Sequence[int | None]) -> Ints:
    return np.array([NEVER if value is None else value for value in values], np.int64)


def _events(rows: list[tuple[int, int, int, int]]) -> Events:
    owner, at, until, kind = np.array(rows, np.int64).reshape(len(rows), 4).T
    return Events(owner, at, until, kind)


@dataclass(frozen=True)
class Sample:
    """The history of a sample, and how many dossiers it stands for."""

    history: History
    of_all: int


def read_sample(store: Store, config: Config, as_of: int, size: int = SAMPLE) -> Sample:
    """Dossiers of the stock received in the WINDOW_DAYS up to `as_of`: all, or about `size` of them chosen by their ids."""
    on = store.days.on(as_of)
    assert on is not None
    span = {"first": on - WINDOW_DAYS, "last": on}
    received = "FROM core_dossier WHERE received_on BETWEEN :first AND :last AND standing = 1"
    with store.reading() as connection:
        of_all = int(connection.execute(text(f"SELECT count(*) {received}"), span).scalar_one())
        bound = 2**32 if of_all <= size else size * 2**32 // of_all
        by_feed: dict[str, list[str]] = defaultdict(list)
        statement = text(f"SELECT feed, source_id {received}").execution_options(yield_per=10_000)
        for feed, source_id in connection.execute(statement, span):
            if zlib.crc32(source_id.encode()) < bound:
                by_feed[feed].append(source_id)
        making = Making()
        for feed, ids in sorted(by_feed.items()):
            for start in range(0, len(ids), CHUNK):
                _gather(connection, making, feed, sorted(ids)[start : start + CHUNK])
    return Sample(making.history(config, as_of), of_all)


def _gather(connection: Connection, making: Making, feed: str, ids: list[str]) -> None:
    """Rows, stops, steps and told due dates of some dossiers of a feed."""

    def ask(columns: str, table: str, named: list[str], order: str) -> Iterator[Any]:
        statement = text(f"SELECT {columns} FROM {table} WHERE feed = :feed AND source_id IN :ids ORDER BY {order}")
        return iter(connection.execute(statement.bindparams(bindparam("ids", expanding=True)), {"feed": feed, "ids": named}))

    place: dict[str, int] = {}
    seen_alive: list[str] = []
    for row in ask(COLUMNS, "core_dossier", ids, "source_id"):
        values = row._mapping
        place[values["source_id"]] = len(making.rows)
        making.rows.append(values)
        if values["first_landed_at"] is not None and values["first_landed_at"] < (values["finished_at"] or NEVER):
            seen_alive.append(values["source_id"])  # of the others no due date was told before they ended
    for source_id, at, until in ask("source_id, stopped_at, resumed_at", "core_dossier_stop", ids, "source_id, stopped_at"):
        making.stop(place[source_id], at, until)
    for source_id, at, name in ask("source_id, at, name", "core_dossier_step", ids, "source_id, at, name"):
        making.step(place[source_id], at, name)
    if seen_alive:
        for source_id, at, due in ask("source_id, landed_at, due_at", "core_dossier_version", seen_alive, "source_id, landed_at, version"):
            making.due(place[source_id], at, due)


def read_open(connection: Connection, config: Config, as_of: int, where: str, values: Mapping[str, Any], limit: int) -> History:
    """The open dossiers with a due date that has not passed, soonest due first, at most `limit`; `where` = further conditions on `d`."""
    is_sqlite = connection.dialect.name == "sqlite"
    hint = " INDEXED BY ix_dossier_open" if is_sqlite else ""
    chosen = (
        f"FROM core_dossier d{hint} WHERE d.finished_on IS NULL AND d.standing = 1 AND d.due_at >= coalesce(d.verdict_at, :risk_now)"
        f"{where} ORDER BY d.due_at, d.feed, d.source_id LIMIT :risk_limit"
    )
    given = {**values, "risk_now": as_of, "risk_limit": limit}
    making = Making()
    columns = ", ".join(f"d.{name}" for name in COLUMNS.split(", "))
    making.rows = [dict(row) for row in connection.execute(text(f"SELECT {columns} {chosen}"), given).mappings()]
    place = {(row["feed"], row["source_id"]): number for number, row in enumerate(making.rows)}
    named = f"(SELECT d.feed, d.source_id {chosen}) q"
    for feed, source_id, at, until in connection.execute(text(_beside("s.stopped_at, s.resumed_at", "core_dossier_stop", named)), given):
        making.stop(place[feed, source_id], at, until)
    for feed, source_id, at, name in connection.execute(text(_beside("s.at, s.name", "core_dossier_step", named)), given):
        if at <= as_of:
            making.step(place[feed, source_id], at, name)
    return making.history(config, as_of)


def _beside(columns: str, table: str, named: str) -> str:
    return f"SELECT s.feed, s.source_id, {columns} FROM {named} CROSS JOIN {table} s WHERE s.feed = q.feed AND s.source_id = q.source_id"
