"""The tables of working time: what judging has made of each dossier, whom it has still to judge, and by which calendars it judged."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, Table, Text, text

from store.columns import at_column, metadata, number_column, on_column, text_column

# Made by metrics/judging.py beside the landing, from the dossier of this version and hash; only where working time says something.
# worked_s: from receipt to end without the stops; day_s: a full working day of its agency; due_gap_wd: delivered minus expected due.
dossier_time = Table(
    "core_dossier_time", metadata, Column("feed", Text), Column("source_id", Text), Column("version", BigInteger, nullable=False),
    Column("hash", Text, nullable=False), text_column("agency_code"), text_column("domain_code"), text_column("procedure_code"),
    on_column("received_on"), on_column("finished_on"), Column("worked_s", BigInteger), Column("day_s", Integer),
    Column("elapsed_s", BigInteger), at_column("expected_due_at"), Column("due_gap_wd", Integer),
    PrimaryKeyConstraint("feed", "source_id"), sqlite_with_rowid=False,
)
_ENDED, _CHECKED = text("finished_on IS NOT NULL"), text("due_gap_wd IS NOT NULL")
_CELL = (dossier_time.c.agency_code, dossier_time.c.domain_code)
_WORKED = (dossier_time.c.worked_s, dossier_time.c.day_s)
Index(
    "ix_time_finished", dossier_time.c.finished_on, *_CELL, *_WORKED, dossier_time.c.procedure_code,
    sqlite_where=_ENDED, postgresql_where=_ENDED,
)
Index(
    "ix_time_received", dossier_time.c.received_on, *_CELL, dossier_time.c.due_gap_wd, dossier_time.c.procedure_code,
    sqlite_where=_CHECKED, postgresql_where=_CHECKED,
)
Index(  # for a mean of single procedures: no roll-up has their grain
    "ix_time_procedure", dossier_time.c.procedure_code, dossier_time.c.finished_on, *_CELL, *_WORKED,
    sqlite_where=_ENDED, postgresql_where=_ENDED,
)
# Dossiers to judge. Append-only: landings and withdrawals write it in their own transaction, judging deletes what it has taken.
unjudged = Table(
    "ops_unjudged", metadata, number_column("seq"), Column("feed", Text, nullable=False), Column("source_id", Text, nullable=False),
    sqlite_autoincrement=True,
)
# What derived rows were made with, as a digest: another one means that all must be made anew.
basis = Table("ops_basis", metadata, Column("name", Text, primary_key=True), Column("digest", Text, nullable=False))
