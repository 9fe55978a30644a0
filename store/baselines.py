"""Keeps baselines of KPIs and reads them back. Rows are only added: the newest of a key and choice holds, the rest are its history."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from store.audit import Entry, append
from store.engine import Store
from store.keys import By
from store.revisions import bump

_COLUMNS = 'id, key, choice, "by", from_on, to_on, set_by, set_at, reason'


@dataclass(frozen=True)
class Baseline:
    """The days from_on..to_on (both included, whole weeks) a KPI's limits are made of, over a choice; who set it, when and why."""

    id: int
    key: str
    choice: str
    by: str
    from_on: int
    to_on: int
    set_by: str
    set_at: int
    reason: str


@dataclass(frozen=True)
class NewBaseline:
    """A baseline to be set."""

    key: str
    choice: str
    from_on: int
    to_on: int
    reason: str
    by: str = "week"


def read_baselines(connection: Connection) -> tuple[Baseline, ...]:
    """All there ever were, oldest first: a few rows a KPI."""
    return tuple(Baseline(*row) for row in connection.execute(text(f"SELECT {_COLUMNS} FROM ops_baseline ORDER BY id")).all())


def put_baseline(store: Store, new: NewBaseline, by: By, now: int) -> int:
    """Keep a new baseline with its audit entry and the next revision of operations, in one transaction; returns its number."""

    def work(connection: Connection) -> int:
        added = connection.execute(
            text(
                'INSERT INTO ops_baseline (key, choice, "by", from_on, to_on, set_by, set_at, reason) '
                "VALUES (:key, :choice, :by, :from_on, :to_on, :set_by, :set_at, :reason) RETURNING id"
            ),
            {
                "key": new.key, "choice": new.choice, "by": new.by, "from_on": new.from_on, "to_on": new.to_on, "set_by": by.actor,
                "set_at": now, "reason": new.reason,
            },
        )
        number = int(added.scalar_one())
        bump(connection, "operations", now)
        told = {"baseline": number, "choice": new.choice, "from_on": new.from_on, "to_on": new.to_on, "reason": new.reason}
        append(connection, Entry(now, by.actor, "baseline.set", "kpi", new.key, told, by.address))
        return number

    return store.write(work)
