"""Tables of reports and their versions, and of what a source took back or no longer names."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, PrimaryKeyConstraint, SmallInteger, Table, Text, text

from store.columns import at_column as _at
from store.columns import metadata
from store.columns import on_column as _on
from store.columns import text_column as _text

_REPORT_COLUMNS = lambda: (  # noqa: E731  the same columns stand in the versions table
    _text("category_code"), _text("agency_code"), _text("area_code"), _text("status"),
    Column("is_open", Boolean, nullable=False, server_default=text("false")), _text("channel"),
    _at("received_at"), _at("updated_at"), _at("due_at"), _at("closed_at"), Column("lon", Float), Column("lat", Float),
    _text("description", null=True), _text("resolution", null=True),
    Column("is_duplicate", Boolean, nullable=False, server_default=text("false")),
    Column("is_urgent", Boolean, nullable=False, server_default=text("false")),
    _on("received_on"), _on("due_on"), _on("closed_on"), _on("passed_on"),
    Column("is_ended_before_start", Boolean, nullable=False, server_default=text("false")),
    # how it was handled (store/reported.py): NULL = nobody knows, never no
    Column("knows_duplicates", Boolean, nullable=False, server_default=text("false")), Column("rating", SmallInteger),
    Column("reopened_count", Integer), _at("reopened_at"), _on("reopened_on"), Column("returned_count", Integer),
    Column("extension_count", Integer), Column("is_within_hour", Boolean),
    Column("version", BigInteger, nullable=False), Column("hash", Text, nullable=False),
)
report = Table(
    "core_report", metadata, Column("feed", Text), Column("source_id", Text), *_REPORT_COLUMNS(),
    Column("first_landed_at", BigInteger), Column("landed_at", BigInteger),
    PrimaryKeyConstraint("feed", "source_id"), sqlite_with_rowid=False,
)
_REPORT_CELL = (report.c.agency_code, report.c.area_code, report.c.category_code)
Index(  # with all that the question asks what is in hand of those received lately
    "ix_report_received", report.c.received_on, *_REPORT_CELL, report.c.closed_on, report.c.status, report.c.is_ended_before_start,
    report.c.rating, report.c.reopened_count, report.c.channel, report.c.received_at,
)
Index(  # with all that questions over the closings of a period ask: medians, bursts, working-day limits
    "ix_report_closed", report.c.closed_on, *_REPORT_CELL, report.c.closed_at, report.c.received_at, report.c.received_on,
    report.c.status, report.c.is_ended_before_start, report.c.is_within_hour, report.c.rating, report.c.reopened_count,
    report.c.channel, report.c.due_at,
)
_REOPENED = text("reopened_on IS NOT NULL OR reopened_count > 0")  # some sources tell how often, not when
Index(
    "ix_report_reopened", report.c.reopened_on, *_REPORT_CELL, report.c.closed_on, sqlite_where=_REOPENED, postgresql_where=_REOPENED,
)
_HASTY = text("is_within_hour")
Index("ix_report_hasty", report.c.closed_on, *_REPORT_CELL, sqlite_where=_HASTY, postgresql_where=_HASTY)
Index("ix_report_passed", report.c.passed_on, report.c.agency_code, report.c.area_code, report.c.category_code)
_REPORT_OPEN = text("closed_on IS NULL")
Index(  # as that of open dossiers
    "ix_report_open", report.c.due_at, report.c.feed, report.c.source_id, report.c.agency_code, report.c.area_code,
    report.c.category_code, report.c.closed_on, report.c.received_on, report.c.is_ended_before_start, report.c.rating,
    report.c.reopened_count, report.c.channel, sqlite_where=_REPORT_OPEN, postgresql_where=_REPORT_OPEN,
)
_REPORT_PLACED = text("lon IS NOT NULL")
_REPORT_PLACED_OPEN = text("closed_on IS NULL AND lon IS NOT NULL")
_REPORT_POINT = (report.c.due_at, *_REPORT_CELL, report.c.feed, report.c.source_id)
Index(  # with all that the map asks of a box
    "ix_report_place_open", report.c.lon, report.c.lat, *_REPORT_POINT, report.c.closed_on, report.c.received_on,
    sqlite_where=_REPORT_PLACED_OPEN, postgresql_where=_REPORT_PLACED_OPEN,
)
Index(  # the same of those received in a period
    "ix_report_place", report.c.received_on, report.c.lon, report.c.lat, *_REPORT_POINT, report.c.closed_on,
    sqlite_where=_REPORT_PLACED, postgresql_where=_REPORT_PLACED,
)
report_version = Table(
    "core_report_version", metadata, Column("feed", Text), Column("source_id", Text),
    Column("landed_at", BigInteger, nullable=False), *_REPORT_COLUMNS(),
    PrimaryKeyConstraint("feed", "source_id", "landed_at", "version", "hash"),
)
Index("ix_report_version_landed", report_version.c.landed_at)

# ---- what a source took back, or no longer names --------------------------------------------------------------------
# A thing here has no row in core_dossier / core_report: no list, flow or stock counts it; its versions stay.
# reason: deleted = the source's tombstone, superseded = another feed (by_feed) has the same id. version = of the last row.
withdrawn = Table(
    "core_withdrawn", metadata, Column("topic", Text), Column("feed", Text), Column("source_id", Text),
    Column("version", BigInteger, nullable=False), _text("reason"), _text("by_feed"),
    Column("withdrawn_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("topic", "feed", "source_id"), sqlite_with_rowid=False,
)
# Open things that the last complete snapshot did not name. A report is closed by it, a dossier only "not seen since".
unseen = Table(
    "core_unseen", metadata, Column("topic", Text), Column("feed", Text), Column("source_id", Text),
    Column("since_at", BigInteger, nullable=False), PrimaryKeyConstraint("topic", "feed", "source_id"), sqlite_with_rowid=False,
)
