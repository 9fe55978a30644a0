"""The locks between transactions that must not overlap: the fold and whoever changes what it computes by; appenders to the audit trail;
who sends a letter.

A fold reads core rows, the clock and the streams' areas in several statements. The clock step and a station that moves change many
cells without touching their rows, so they and the fold wait for each other; plain landings never do.
"""

from __future__ import annotations

from sqlalchemy import Connection, text


def lock_fold(connection: Connection, topic: str) -> None:
    """Wait for the topic's fold, clock step or move to commit, and keep others waiting until ours does. SQLite has one writer anyway."""
    if connection.dialect.name != "sqlite":
        connection.execute(text("SELECT pg_advisory_xact_lock(7030002, hashtext(:topic))"), {"topic": topic})


def lock_audit(connection: Connection) -> None:
    """Wait for whoever is appending to the audit trail, and keep others waiting until we commit: no gap, no fork in its chain."""
    if connection.dialect.name != "sqlite":
        connection.execute(text("SELECT pg_advisory_xact_lock(7030005)"))


def lock_sending(connection: Connection) -> None:
    """Wait for whoever is claiming a letter, and keep others waiting until we commit: each letter has one sender."""
    if connection.dialect.name != "sqlite":
        connection.execute(text("SELECT pg_advisory_xact_lock(7030006)"))


def lock_same(connection: Connection) -> None:
    """Wait for whoever says something about a pair of reports, and keep others waiting until we commit."""
    if connection.dialect.name != "sqlite":
        connection.execute(text("SELECT pg_advisory_xact_lock(7030007)"))
