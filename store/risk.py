"""Keeps the models of the at-risk queue and reads the newest back."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from store.engine import Store
from store.revisions import bump

KEPT = 30  # of older nights, to compare with


@dataclass(frozen=True)
class RiskRow:
    """A model as it was kept: its number, when it was learned by the process clock, how many dossiers taught it (0 = none could)."""

    id: int
    learned_at: int
    dossiers: int
    body: str


def newest_risk(connection: Connection) -> RiskRow | None:
    """The model that holds; None before the first."""
    row = connection.execute(text("SELECT id, learned_at, dossiers, body FROM ops_risk_model ORDER BY id DESC LIMIT 1")).first()
    return None if row is None else RiskRow(int(row[0]), int(row[1]), int(row[2]), str(row[3]))


def put_risk(store: Store, learned_at: int, as_of: int, dossiers: int, body: str) -> int:
    """Keep a model with the next revision of operations; those before the newest KEPT go. Returns its number."""

    def work(connection: Connection) -> int:
        values = {"learned_at": learned_at, "as_of": as_of, "dossiers": dossiers, "body": body}
        added = connection.execute(
            text(
                "INSERT INTO ops_risk_model (learned_at, as_of, dossiers, body) VALUES (:learned_at, :as_of, :dossiers, :body) RETURNING id"
            ),
            values,
        )
        number = int(added.scalar_one())
        bump(connection, "operations", learned_at)
        connection.execute(text("DELETE FROM ops_risk_model WHERE id <= :before"), {"before": number - KEPT})
        return number

    return store.write(work)
