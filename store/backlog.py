"""What waits to be folded, and how far the store's clock has come: for the operators' metrics."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class Backlog:
    """Logged cells of one topic not yet folded: how many, and the first and last number of the log."""

    topic: str
    rows: int
    first_seq: int
    last_seq: int


def read_backlog(connection: Connection) -> tuple[Backlog, ...]:
    """The backlog per topic; topics with none are absent."""
    rows = connection.execute(text("SELECT topic, count(*), min(seq), max(seq) FROM ops_dirty GROUP BY topic ORDER BY topic"))
    return tuple(Backlog(topic, int(count), int(first), int(last)) for topic, count, first, last in rows)
