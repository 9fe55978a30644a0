"""Keeps what people say about figures: an annotation of a KPI over some days. A withdrawn one stays, with who, when and why."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from store.audit import Entry, append
from store.engine import Store
from store.keys import By
from store.revisions import bump


@dataclass(frozen=True)
class NewAnnotation:
    """What is to be said of the days from_on..to_on, both included. key '' = of all KPIs; no agency and area = of the whole province."""

    body: str
    from_on: int
    to_on: int
    key: str = ""
    agency_code: str = ""
    area_code: str = ""


def put_annotation(store: Store, new: NewAnnotation, by: By, now: int) -> int:
    """Keep it with its audit entry and the next revision of operations, in one transaction; returns its number."""

    def work(connection: Connection) -> int:
        added = connection.execute(
            text(
                "INSERT INTO ops_annotation (key, agency_code, area_code, from_on, to_on, body, said_by, said_at) "
                "VALUES (:key, :agency, :area, :from_on, :to_on, :body, :said_by, :said_at) RETURNING id"
            ),
            {
                "key": new.key, "agency": new.agency_code, "area": new.area_code, "from_on": new.from_on, "to_on": new.to_on,
                "body": new.body, "said_by": by.actor, "said_at": now,
            },
        )
        number = int(added.scalar_one())
        told = {"key": new.key, "agency": new.agency_code, "area": new.area_code, "from_on": new.from_on, "to_on": new.to_on}
        bump(connection, "operations", now)
        append(connection, Entry(now, by.actor, "annotation.write", "annotation", str(number), told, by.address))
        return number

    return store.write(work)


def withdraw_annotation(store: Store, number: int, why: str, by: By, now: int) -> bool:
    """Take it back, as put_annotation keeps it. False, and nothing changed, when it is not there or was taken back before."""

    def work(connection: Connection) -> bool:
        done = connection.execute(
            text(
                "UPDATE ops_annotation SET withdrawn_by = :actor, withdrawn_at = :now, withdrawn_why = :why "
                "WHERE id = :id AND withdrawn_at IS NULL"
            ),
            {"actor": by.actor, "now": now, "why": why, "id": number},
        )
        if not done.rowcount:
            return False
        bump(connection, "operations", now)
        append(connection, Entry(now, by.actor, "annotation.withdraw", "annotation", str(number), {}, by.address))
        return True

    return store.write(work)
