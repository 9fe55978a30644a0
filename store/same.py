"""Keeps what people said about pairs of reports: merged (of one thing), apart (they are not), undone (open again). Rows are only added.

The reports themselves are never changed, nor counted otherwise: taking a word back takes back all it did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, text

from store.audit import Entry, append
from store.engine import Store
from store.keys import By
from store.locks import lock_same
from store.revisions import bump

OPEN, MERGED, APART = STATES = ("open", "merged", "apart")
# kind of word -> the state after it, the states it may be said in, what the audit trail calls it
KINDS: Mapping[str, tuple[str, tuple[str, ...], str]] = {
    "merged": (MERGED, (OPEN, APART), "report.merge"),
    "apart": (APART, (OPEN, MERGED), "report.apart"),
    "undone": (OPEN, (MERGED, APART), "report.undo"),
}
Key = tuple[str, str]  # feed, source_id
BATCH = 400
_COLUMNS = "id, feed, source_id, with_feed, with_source_id, kind, said_by, said_at"
_NEWEST = "NOT EXISTS (SELECT 1 FROM ops_same_report n WHERE {same} AND n.id > s.id)".format(
    same=" AND ".join(f"n.{name} = s.{name}" for name in ("feed", "source_id", "with_feed", "with_source_id"))
)


@dataclass(frozen=True)
class Said:
    """The newest word about a pair. state: merged | apart."""

    id: int
    one: Key
    other: Key
    state: str
    said_by: str
    said_at: int


class WrongState(Exception):
    """The word cannot be said in the state the pair is in now; `state` names it."""

    def __init__(self, state: str) -> None:
        super().__init__(f"the pair is {state}")
        self.state = state


def named(one: Key, other: Key) -> tuple[Key, Key]:
    """The pair by its one name. Raises ValueError for a report and itself."""
    if one == other:
        raise ValueError("a report is no pair with itself")
    return (one, other) if one < other else (other, one)


def say(store: Store, one: Key, other: Key, kind: str, by: By, now: int, told: tuple[str, str]) -> None:
    """Keep a word about a pair with its audit entry and the next revision of operations, in one transaction. Raises WrongState.

    told = how the audit trail names the two.
    """
    pair = named(one, other)

    def work(connection: Connection) -> None:
        lock_same(connection)
        state = _state(connection, pair)
        if state not in KINDS[kind][1]:
            raise WrongState(state)
        connection.execute(
            text(
                "INSERT INTO ops_same_report (feed, source_id, with_feed, with_source_id, kind, said_by, said_at) "
                "VALUES (:feed, :source_id, :with_feed, :with_source_id, :kind, :by, :now)"
            ),
            {**_values(pair), "kind": kind, "by": by.actor, "now": now},
        )
        bump(connection, "operations", now)
        append(connection, Entry(now, by.actor, KINDS[kind][2], "report", told[0], {"with": told[1], "was": state}, by.address))

    store.write(work)


def _values(pair: tuple[Key, Key]) -> dict[str, str]:
    return dict(zip(("feed", "source_id", "with_feed", "with_source_id"), (*pair[0], *pair[1]), strict=True))


def _state(connection: Connection, pair: tuple[Key, Key]) -> str:
    last = text(
        "SELECT kind FROM ops_same_report WHERE feed = :feed AND source_id = :source_id AND with_feed = :with_feed "
        "AND with_source_id = :with_source_id ORDER BY id DESC LIMIT 1"
    )
    kind = connection.execute(last, _values(pair)).scalar()
    return KINDS[kind][0] if kind else OPEN


def read_said(connection: Connection, keys: Sequence[Key]) -> dict[tuple[Key, Key], Said]:
    """What holds of every pair that one of these reports is in; pairs nobody spoke of, or that are open again, are not there."""
    found: dict[tuple[Key, Key], Said] = {}
    for feed in sorted({feed for feed, _ in keys}):
        ids = sorted({source_id for own, source_id in keys if own == feed})
        for start in range(0, len(ids), BATCH):
            for side in ("", "with_"):
                where = f"s.{side}feed = :feed AND s.{side}source_id IN :ids"
                found |= _read(connection, where, {"feed": feed, "ids": ids[start : start + BATCH]}, expanding=True)
    return found


def newest_said(connection: Connection, state: str, limit: int) -> dict[tuple[Key, Key], Said]:
    """The pairs that are in a state (merged | apart), the newest word first, at most `limit`."""
    kind = next(kind for kind, row in KINDS.items() if row[0] == state)
    return _read(connection, "s.kind = :kind", {"kind": kind}, limit=limit)


def said_since(connection: Connection, at: int) -> dict[tuple[Key, Key], Said]:
    """What holds of every pair that somebody spoke of at this instant or later: whoever speaks of a report does it after it came."""
    return _read(connection, "s.said_at >= :at", {"at": at})


def _read(
    connection: Connection, where: str, values: Mapping[str, object], *, expanding: bool = False, limit: int = 0
) -> dict[tuple[Key, Key], Said]:
    tail = f" ORDER BY s.id DESC LIMIT {limit}" if limit else ""
    statement = text(f"SELECT {_COLUMNS} FROM ops_same_report s WHERE {where} AND {_NEWEST}{tail}")
    if expanding:
        statement = statement.bindparams(bindparam("ids", expanding=True))
    found: dict[tuple[Key, Key], Said] = {}
    for row in connection.execute(statement, values).mappings():
        one, other = (row["feed"], row["source_id"]), (row["with_feed"], row["with_source_id"])
        if KINDS[row["kind"]][0] != OPEN:
            found[one, other] = Said(row["id"], one, other, KINDS[row["kind"]][0], row["said_by"], row["said_at"])
    return found
