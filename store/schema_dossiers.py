"""Tables of dossiers, their versions, stops and steps, with the indexes of their hot statements."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, SmallInteger, Table, Text, text

from store import facts
from store.columns import at_column as _at
from store.columns import metadata
from store.columns import on_column as _on
from store.columns import text_column as _text

_DOSSIER_COLUMNS = lambda: (  # noqa: E731  the same columns stand in the versions table
    _text("agency_code"), _text("procedure_code"), _text("domain_code"), _text("channel"),
    Column("status", SmallInteger, nullable=False, server_default="0"),
    _at("filed_at"), _at("received_at"), _at("due_at"), _at("finished_at"), _at("handed_at"), _at("refused_at"),
    _at("stopped_at"),  # start of the stop that is still open, if any
    _at("verdict_at"),  # the instant lateness is judged at: finished, else stopped; NULL = the clock is running
    Column("supplement_count", Integer, nullable=False, server_default="0"), _text("alias"),
    Column("facts", Integer, nullable=False, server_default="0"),  # yes, no or unknown of each of store/facts.py
    _on("filed_on"), _on("received_on"), _on("due_on"), _on("finished_on"), _on("verdict_on"),
    # the day a dossier becomes overdue by instant, and by day; never before it was received
    _on("passed_on"), _on("passed_day_on"),
    # a dossier counts in the stock identity only when accepted and not ended before it started
    Column("standing", SmallInteger, nullable=False, server_default="0"),
    # when more papers were asked for the second time, NULL = never or not known; its day lies within the dossier's own
    _at("second_supplement_at"), _on("second_supplement_on"),
    Column("version", BigInteger, nullable=False), Column("hash", Text, nullable=False),
)
dossier = Table(
    "core_dossier", metadata, Column("feed", Text), Column("source_id", Text), *_DOSSIER_COLUMNS(),
    Column("first_landed_at", BigInteger), Column("landed_at", BigInteger),
    PrimaryKeyConstraint("feed", "source_id"), sqlite_with_rowid=False,
)
# the fold's: each holds all that its flows look at, so that a cell is computed from the index alone (a third of the time); and last what
# /explore breaks flows down by where no roll-up does (migration 0015)
_CELL = (dossier.c.agency_code, dossier.c.domain_code, dossier.c.standing)
_FINE = (dossier.c.procedure_code, dossier.c.channel)
_ENDED = text("finished_on IS NOT NULL")
Index("ix_dossier_received", dossier.c.received_on, *_CELL, dossier.c.channel, dossier.c.due_at, dossier.c.facts,
      dossier.c.procedure_code, dossier.c.received_at)
Index(
    "ix_dossier_finished", dossier.c.finished_on, *_CELL, dossier.c.finished_at, dossier.c.due_at, dossier.c.due_on,
    dossier.c.status, dossier.c.supplement_count, dossier.c.received_on, dossier.c.facts, dossier.c.second_supplement_on, *_FINE,
    # partial, or SQLite takes it for the open ones and reads every refused dossier of all years with them
    sqlite_where=_ENDED, postgresql_where=_ENDED,
)
# as the fold writes it, or the planner does not see it; what ended in time never became overdue
_MAY_PASS = text("standing = 1 AND (verdict_at IS NULL OR due_at < verdict_at)")
_MAY_PASS_DAY = text("standing = 1 AND (verdict_on IS NULL OR due_on < verdict_on)")
Index(
    "ix_dossier_passed", dossier.c.passed_on, *_CELL, dossier.c.due_at, dossier.c.verdict_at, dossier.c.second_supplement_on, *_FINE,
    sqlite_where=_MAY_PASS, postgresql_where=_MAY_PASS,
)
Index(
    "ix_dossier_passed_day", dossier.c.passed_day_on, *_CELL, dossier.c.due_on, dossier.c.verdict_on, *_FINE,
    sqlite_where=_MAY_PASS_DAY, postgresql_where=_MAY_PASS_DAY,
)
_TWICE = text("second_supplement_on IS NOT NULL")
Index(
    "ix_dossier_second_supplement", dossier.c.second_supplement_on, *_CELL, dossier.c.due_at, dossier.c.verdict_at, dossier.c.passed_on,
    *_FINE, sqlite_where=_TWICE, postgresql_where=_TWICE,
)
_OUTSIDE = text("standing > 1 OR status = 0")  # as the fold writes it, or the planner does not see it
Index(
    "ix_dossier_outside", dossier.c.filed_on, dossier.c.agency_code, dossier.c.domain_code,
    sqlite_where=_OUTSIDE, postgresql_where=_OUTSIDE,
)
_OPEN = text("finished_on IS NULL AND standing = 1")
Index(  # in the lists' order, and with all that the stock of open dossiers asks, so that it never looks into the table;
    # finished_on and standing are the same in every entry, but without them SQLite does not see that the index has all it needs
    "ix_dossier_open", dossier.c.due_at, dossier.c.feed, dossier.c.source_id, dossier.c.verdict_at, dossier.c.due_on,
    dossier.c.verdict_on, dossier.c.agency_code, dossier.c.domain_code, dossier.c.finished_on, dossier.c.standing,
    dossier.c.passed_on, dossier.c.second_supplement_on, *_FINE, sqlite_where=_OPEN, postgresql_where=_OPEN,
)
# which procedures were used online, and in which a fee was told, in a period: one seek a procedure instead of a look at every dossier
PROCEDURE_USED = f"(channel = 'online' OR (facts & {facts.yes('has_fee')}) <> 0)"
Index(
    "ix_dossier_procedure", dossier.c.procedure_code, dossier.c.received_on, dossier.c.channel, dossier.c.facts, dossier.c.agency_code,
    sqlite_where=text(PROCEDURE_USED), postgresql_where=text(PROCEDURE_USED),
)
Index(  # a procedure's dossiers in the order of lists
    "ix_dossier_of_procedure", dossier.c.procedure_code, dossier.c.received_on, dossier.c.received_at,
)
_RUNNING = text("verdict_at IS NULL AND standing = 1")
Index("ix_dossier_running", dossier.c.due_at, sqlite_where=_RUNNING, postgresql_where=_RUNNING)

dossier_version = Table(
    "core_dossier_version", metadata, Column("feed", Text), Column("source_id", Text),
    Column("landed_at", BigInteger, nullable=False), *_DOSSIER_COLUMNS(),
    PrimaryKeyConstraint("feed", "source_id", "landed_at", "version", "hash"),
)
Index("ix_dossier_version_landed", dossier_version.c.landed_at)  # what has changed since an instant; always appended to
dossier_stop = Table(
    "core_dossier_stop", metadata, Column("feed", Text), Column("source_id", Text), Column("stopped_at", BigInteger),
    _at("resumed_at"), _on("stopped_on"), _on("resumed_on"), _text("agency_code"), _text("domain_code"),
    PrimaryKeyConstraint("feed", "source_id", "stopped_at"), sqlite_with_rowid=False,
)
Index("ix_stop_stopped", dossier_stop.c.stopped_on, dossier_stop.c.agency_code, dossier_stop.c.domain_code)
Index("ix_stop_resumed", dossier_stop.c.resumed_on, dossier_stop.c.agency_code, dossier_stop.c.domain_code)
dossier_step = Table(
    "core_dossier_step", metadata, Column("feed", Text), Column("source_id", Text), Column("at", BigInteger), Column("name", Text),
    _text("department"), Column("status", SmallInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("feed", "source_id", "at", "name"), sqlite_with_rowid=False,
)
