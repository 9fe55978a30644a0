"""Keeps what was promised in weekly meetings, and what came of it: a row a promise, a row an event. Rows are only added.

State and due date are not kept but told by the events: the last done, reopened or dropped, and the last that set a date.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from store.audit import Entry, append
from store.engine import Store
from store.keys import By
from store.revisions import bump

OPEN, DONE, DROPPED = STATES = ("open", "done", "dropped")
SETS_STATE: Mapping[str, str] = {"made": OPEN, "reopened": OPEN, "done": DONE, "dropped": DROPPED}
# kind of event -> the states it may happen in, and what the audit trail calls it
KINDS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "made": ((), "followup.make"),
    "noted": (STATES, "followup.note"),
    "moved": ((OPEN,), "followup.move"),
    "done": ((OPEN,), "followup.close"),
    "reopened": ((DONE, DROPPED), "followup.reopen"),
    "dropped": ((OPEN,), "followup.drop"),
    "reminded": ((OPEN,), "followup.remind"),
}


@dataclass(frozen=True)
class NewFollowup:
    """A promise to be kept. week: 2026-W46, of the brief it was made in; due_on: a day number; agency_code '' = of the whole province."""

    week: str
    what: str
    due_on: int
    agency_code: str = ""
    who: str = ""
    key: str = ""


@dataclass(frozen=True)
class NewEvent:
    """Something that came of a promise; kind: one of KINDS but made. due_on: the new date, or the one that was reminded of."""

    kind: str
    note: str = ""
    due_on: int | None = None


class WrongState(Exception):
    """The event cannot happen in the state the follow-up is in now; `state` names it."""

    def __init__(self, state: str) -> None:
        super().__init__(f"the follow-up is {state}")
        self.state = state


def put_followup(store: Store, new: NewFollowup, by: By, now: int) -> int:
    """Keep a promise with its first event, its audit entry and the next revision of operations, in one transaction; its number."""

    def work(connection: Connection) -> int:
        added = connection.execute(
            text(
                "INSERT INTO ops_followup (week, what, agency_code, who, due_on, key, made_by, made_at) "
                "VALUES (:week, :what, :agency, :who, :due_on, :key, :made_by, :made_at) RETURNING id"
            ),
            {
                "week": new.week, "what": new.what, "agency": new.agency_code, "who": new.who, "due_on": new.due_on, "key": new.key,
                "made_by": by.actor, "made_at": now,
            },
        )
        number = int(added.scalar_one())
        told = {"week": new.week, "agency": new.agency_code, "key": new.key}
        _add(connection, number, NewEvent("made", due_on=new.due_on), by, now, told)
        return number

    return store.write(work)


def add_event(store: Store, number: int, event: NewEvent, by: By, now: int) -> None:
    """Keep what came of a promise, as put_followup does. Raises WrongState, LookupError when there is no such follow-up."""

    def work(connection: Connection) -> None:
        state = _state(connection, number)
        if state not in KINDS[event.kind][0]:
            raise WrongState(state)
        _add(connection, number, event, by, now, {})

    store.write(work)


def has_followups(connection: Connection) -> bool:
    """Was anything ever promised?"""
    return connection.execute(text("SELECT 1 FROM ops_followup LIMIT 1")).first() is not None


def _state(connection: Connection, number: int) -> str:
    """The state now; whoever changes the same follow-up waits until our transaction ends (SQLite has one writer anyway)."""
    alone = "" if connection.dialect.name == "sqlite" else " FOR UPDATE"
    if connection.execute(text(f"SELECT id FROM ops_followup WHERE id = :id{alone}"), {"id": number}).first() is None:
        raise LookupError(f"there is no follow-up {number}")
    last = (
        "SELECT kind FROM ops_followup_event WHERE followup_id = :id AND kind IN ('made', 'done', 'reopened', 'dropped') "
        "ORDER BY id DESC LIMIT 1"
    )
    return SETS_STATE[connection.execute(text(last), {"id": number}).scalar_one()]


def _add(connection: Connection, number: int, event: NewEvent, by: By, now: int, told: Mapping[str, str]) -> None:
    connection.execute(
        text(
            "INSERT INTO ops_followup_event (followup_id, at, actor, kind, note, due_on) VALUES (:id, :at, :actor, :kind, :note, :due_on)"
        ),
        {"id": number, "at": now, "actor": by.actor, "kind": event.kind, "note": event.note, "due_on": event.due_on},
    )
    bump(connection, "operations", now)
    detail = {**told, **({} if event.due_on is None else {"due_on": event.due_on})}
    append(connection, Entry(now, by.actor, KINDS[event.kind][1], "followup", str(number), detail, by.address))
