"""Every table of the store, with its key and the indexes that serve its hot statements.

Prefixes: core_ = what feeds said, rollup_ = recomputed sums, ops_ = the store's own state. `_at` = microseconds since 1970 UTC,
`_on` = day number in the city's zone (days since 1970-01-01), `hour` = hours since 1970 UTC.
Every key contains what a shard would be cut by: the feed's source id, the datastream, or the bucket.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from store import facts
from store.columns import at_column as _at
from store.columns import count_column as _count
from store.columns import metadata
from store.columns import number_column as _number
from store.columns import on_column as _on
from store.columns import text_column as _text
from store.schema_baseline import baseline
from store.schema_days import folded_day
from store.schema_time import basis, dossier_time, unjudged
from store.schema_week import annotation, brief, brief_sending, followup, followup_event

__all__ = [  # and every table below
    "annotation", "baseline", "basis", "brief", "brief_sending", "dossier_time", "folded_day", "followup", "followup_event", "metadata",
    "unjudged",
]
TOPICS = ("dossiers", "reports", "readings", "indicators", "operations")


# ---- catalogues -----------------------------------------------------------------------------------------------------
# origin: catalogue = from the city's lists, feed = named by a payload, unmapped = seen but not known to the city's lists
agency = Table(
    "core_agency", metadata, Column("code", Text, primary_key=True), _text("name"), _text("name_en"), _text("parent_code"),
    _text("kind"), _text("area_code"), _on("valid_from_on"), _on("valid_to_on"), _text("successor_code"), _text("origin"),
    Column("officers", Integer),
)
agency_alias = Table("core_agency_alias", metadata, Column("folded", Text, primary_key=True), _text("agency_code"))
procedure = Table(
    "core_procedure", metadata, Column("code", Text, primary_key=True), _text("name"), _text("domain_code"),
    Column("limit_days", Float), _text("level"), _text("origin"), Column("central_limit_days", Float), Column("has_fee", Boolean),
    _on("decision_on"), _on("effective_on"), _on("published_on"), Column("has_all_parts", Boolean),
    Column("limit_unit", Text, nullable=False, server_default="wd"),  # of limit_days: h | d | wd | m (metrics/due_dates.py)
)
domain = Table("core_domain", metadata, Column("code", Text, primary_key=True), _text("name"), _text("origin"))
category = Table(
    "core_category", metadata, Column("code", Text, primary_key=True), _text("name"), _text("group_name"), _text("origin"),
)
area = Table(
    "core_area", metadata, Column("code", Text), Column("valid_from_on", Integer, nullable=False), _on("valid_to_on"),
    _text("name"), _text("full_name"), _text("name_en"), _text("level"), _text("parent_code"), Column("lon", Float),
    Column("lat", Float), Column("geometry", Text), _text("feed"), _text("origin"), Column("population", Integer),
    PrimaryKeyConstraint("code", "valid_from_on"),
)
area_succession = Table(
    "core_area_succession", metadata, Column("predecessor_code", Text), Column("successor_code", Text),
    PrimaryKeyConstraint("predecessor_code", "successor_code"),
)

# ---- dossiers -------------------------------------------------------------------------------------------------------
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
# the fold's: each holds all that its flows look at, so that a cell is computed from the index alone (a third of the time)
_CELL = (dossier.c.agency_code, dossier.c.domain_code, dossier.c.standing)
_ENDED = text("finished_on IS NOT NULL")
Index("ix_dossier_received", dossier.c.received_on, *_CELL, dossier.c.channel, dossier.c.due_at, dossier.c.facts)
Index(
    "ix_dossier_finished", dossier.c.finished_on, *_CELL, dossier.c.finished_at, dossier.c.due_at, dossier.c.due_on,
    dossier.c.status, dossier.c.supplement_count, dossier.c.received_on, dossier.c.facts, dossier.c.second_supplement_on,
    # partial, or SQLite takes it for the open ones and reads every refused dossier of all years with them
    sqlite_where=_ENDED, postgresql_where=_ENDED,
)
Index("ix_dossier_passed", dossier.c.passed_on, *_CELL, dossier.c.due_at, dossier.c.verdict_at, dossier.c.second_supplement_on)
Index("ix_dossier_passed_day", dossier.c.passed_day_on, *_CELL, dossier.c.due_on, dossier.c.verdict_on)
_TWICE = text("second_supplement_on IS NOT NULL")
Index(
    "ix_dossier_second_supplement", dossier.c.second_supplement_on, *_CELL, dossier.c.due_at, dossier.c.verdict_at, dossier.c.passed_on,
    sqlite_where=_TWICE, postgresql_where=_TWICE,
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
    dossier.c.passed_on, dossier.c.second_supplement_on, sqlite_where=_OPEN, postgresql_where=_OPEN,
)
# which procedures were used online, and in which a fee was told, in a period: one seek a procedure instead of a look at every dossier
PROCEDURE_USED = f"(channel = 'online' OR (facts & {facts.yes('has_fee')}) <> 0)"
Index(
    "ix_dossier_procedure", dossier.c.procedure_code, dossier.c.received_on, dossier.c.channel, dossier.c.facts, dossier.c.agency_code,
    sqlite_where=text(PROCEDURE_USED), postgresql_where=text(PROCEDURE_USED),
)
_RUNNING = text("verdict_at IS NULL AND standing = 1")
Index("ix_dossier_running", dossier.c.due_at, sqlite_where=_RUNNING, postgresql_where=_RUNNING)

dossier_version = Table(
    "core_dossier_version", metadata, Column("feed", Text), Column("source_id", Text),
    Column("landed_at", BigInteger, nullable=False), *_DOSSIER_COLUMNS(),
    PrimaryKeyConstraint("feed", "source_id", "landed_at", "version", "hash"),
)
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

# ---- reports --------------------------------------------------------------------------------------------------------
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
    report.c.rating, report.c.reopened_count,
)
Index(  # with all that questions over the closings of a period ask: medians, bursts, working-day limits
    "ix_report_closed", report.c.closed_on, *_REPORT_CELL, report.c.closed_at, report.c.received_at, report.c.received_on,
    report.c.status, report.c.is_ended_before_start, report.c.is_within_hour, report.c.rating, report.c.reopened_count,
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
    report.c.reopened_count, sqlite_where=_REPORT_OPEN, postgresql_where=_REPORT_OPEN,
)
report_version = Table(
    "core_report_version", metadata, Column("feed", Text), Column("source_id", Text),
    Column("landed_at", BigInteger, nullable=False), *_REPORT_COLUMNS(),
    PrimaryKeyConstraint("feed", "source_id", "landed_at", "version", "hash"),
)

# ---- what a source took back, or no longer names ----------------------------------------------------------------------
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

# ---- readings -------------------------------------------------------------------------------------------------------
station = Table(
    "core_station", metadata, Column("feed", Text), Column("source_id", Text), _text("name"), _text("kind"), Column("lon", Float),
    Column("lat", Float), _text("area_code"), PrimaryKeyConstraint("feed", "source_id"),
)
datastream = Table(
    "core_datastream", metadata, _number("id"), Column("feed", Text, nullable=False), Column("source_id", Text, nullable=False),
    _text("station_id"), _text("property"), _text("measure_unit"), _text("name"), Column("cadence_s", Integer), _text("area_code"),
    UniqueConstraint("feed", "source_id"),
)
Index("ix_datastream_area", datastream.c.area_code, datastream.c.property)
# On PostgreSQL this table is partitioned by month of `hour` (store/partitions.py).
reading = Table(
    "core_reading", metadata, Column("hour", Integer), Column("datastream_id", Integer), Column("observed_at", BigInteger),
    Column("value", Float, nullable=False),
    Column("flag", SmallInteger, nullable=False, server_default="0"),  # why it is not believed (store/flags.py), 0 = sound
    PrimaryKeyConstraint("hour", "datastream_id", "observed_at"),
    sqlite_with_rowid=False, postgresql_partition_by="RANGE (hour)",
)
latest = Table(
    "core_latest", metadata, Column("datastream_id", Integer, primary_key=True), Column("observed_at", BigInteger, nullable=False),
    Column("value", Float, nullable=False), Column("landed_at", BigInteger, nullable=False),
)

# ---- indicators -----------------------------------------------------------------------------------------------------
# What an indicator is; its values are figures that arrive finished, so they need no roll-up.
indicator = Table(
    "core_indicator", metadata, Column("code", Text, primary_key=True), _text("name"), _text("name_en"), _text("measure_unit"),
    _text("better"), _text("theme"), _text("group_name"), _text("kind"), _text("parent_code"), Column("scale_max", Float),
    Column("position", BigInteger), _text("publisher"),
)
_INDICATOR_COLUMNS = lambda: (  # noqa: E731  the same columns stand in the versions table
    _text("indicator_code"), _text("agency_code"), _text("area_code"), _text("subject"), _text("period"), _on("start_on"),
    _on("end_on"), Column("value", Float), _text("value_text"), _text("bound"), Column("plan", Float), Column("plan_pct", Float),
    Column("rank", BigInteger), Column("denominator", BigInteger), Column("change", Float), _text("change_from"),
    Column("target", Float), _text("document"), Column("is_verified", Boolean, nullable=False, server_default=text("true")),
    Column("version", BigInteger, nullable=False), Column("hash", Text, nullable=False),
)
indicator_value = Table(
    "core_indicator_value", metadata, Column("feed", Text), Column("source_id", Text), *_INDICATOR_COLUMNS(),
    Column("first_landed_at", BigInteger), Column("landed_at", BigInteger),
    PrimaryKeyConstraint("feed", "source_id"), sqlite_with_rowid=False,
)
Index("ix_indicator_value", indicator_value.c.indicator_code, indicator_value.c.end_on)
indicator_value_version = Table(
    "core_indicator_value_version", metadata, Column("feed", Text), Column("source_id", Text),
    Column("landed_at", BigInteger, nullable=False), *_INDICATOR_COLUMNS(),
    PrimaryKeyConstraint("feed", "source_id", "landed_at", "version", "hash"),
)

# ---- roll-ups -------------------------------------------------------------------------------------------------------
DOSSIER_FLOWS = (
    "received", "received_online", "received_postal", "no_due_in",  # on the received day
    # told of / yes, of those received: level of the service, the same of those filed online, fee, its payment online, papers, identity
    "level_known", "level_full", "level_partial", "online_level_known", "online_full", "online_partial", "fee_known", "with_fee",
    "fee_paid_known", "fee_paid", "digitised_known", "digitised", "identified_known", "identified",
    "finished", "finished_early", "finished_on_time", "finished_late", "finished_late_day", "finished_no_due", "withdrawn", "no_due_out",
    "due_passed",  # became overdue by instant, on passed_on
    "due_passed_day",  # became overdue by day, on passed_day_on
    "overdue_ended", "overdue_ended_day",  # those of the two above that finished, on the finished day
    "stopped", "resumed",
    # told of / yes, of those finished: electronic result, component and result as files, shared, apology of late ones, dissatisfaction
    "e_result_known", "e_result", "whole_known", "digitised_whole", "shared_known", "shared", "apology_known", "apology",
    "dislike_known", "disliked", "supplement_asked",
    "finished_same_day",  # received and finished on one day
    "second_supplement_late",  # finished in time but asked for supplements more than once: late by 766
    # late by 766, in the stock: overdue, or asked twice; on the earlier of the two days. Those of them that finished, on the finished day
    "late_766", "late_766_ended",
    "ended_before_start_in", "ended_before_start_out",  # named part of received / finished that the identity leaves out
    "new", "refused", "unmapped",  # outside the stock, on the filed day
    # of core_dossier_time: finished ones judged and their working days x 1,000,000; received ones whose due date was checked and differs
    "worked_n", "worked_microdays", "due_checked", "due_differs",
)
dossier_day = Table(
    "rollup_dossier_day", metadata, Column("day", Integer), Column("agency_code", Text), Column("domain_code", Text),
    *(_count(name) for name in DOSSIER_FLOWS), PrimaryKeyConstraint("day", "agency_code", "domain_code"), sqlite_with_rowid=False,
)
REPORT_FLOWS = (
    "received", "no_due_in", "no_due_out", "urgent", "duplicate", "closed", "closed_on_time", "closed_late", "closed_no_due",
    "due_passed", "overdue_ended", "ended_before_start_in", "ended_before_start_out",
    "duplicates_known", "accepted", "refused", "undecided", "handled",  # on the received day, as they stand now
    "return_known", "returned", "extension_known", "extended",
    "closed_timed", "closed_within_hour", "rating_known", "rated", "satisfied",  # on the closed day
    "reopen_known", "closed_reopened", "truly_resolved",
    "quality_known_in", "quality_known_out",  # of known rating and reopening, on the received and the closed day: a stock of its own
    "reopened", "reopened_open",  # on the day of the last reopening; those that are open still
)
report_day = Table(
    "rollup_report_day", metadata, Column("day", Integer), Column("agency_code", Text), Column("area_code", Text),
    Column("category_code", Text), *(_count(name) for name in REPORT_FLOWS),
    PrimaryKeyConstraint("day", "agency_code", "area_code", "category_code"), sqlite_with_rowid=False,
)
# n, total, low, high: of the sound readings; where none is sound (n = 0) low and high are those of all. flagged = the others' number
_STATISTICS = lambda: (  # noqa: E731  three grains share them
    _count("n"), Column("total", Float, nullable=False), Column("low", Float, nullable=False), Column("high", Float, nullable=False),
    _count("flagged"),
)
reading_hour = Table(
    "rollup_reading_hour", metadata, Column("hour", Integer), Column("datastream_id", Integer), *_STATISTICS(),
    # of all readings but those of a wrong clock: what the flags' rules look at first
    Column("lowest", Float), Column("highest", Float),
    PrimaryKeyConstraint("hour", "datastream_id"), sqlite_with_rowid=False,
)
Index("ix_reading_hour_stream", reading_hour.c.datastream_id, reading_hour.c.hour)
reading_hour_area = Table(
    "rollup_reading_hour_area", metadata, Column("hour", Integer), Column("area_code", Text), Column("property", Text),
    *_STATISTICS(), PrimaryKeyConstraint("hour", "area_code", "property"), sqlite_with_rowid=False,
)
reading_day = Table(
    "rollup_reading_day", metadata, Column("day", Integer), Column("datastream_id", Integer), *_STATISTICS(),
    # whole hours of the day with sound readings; mean and highest of their means; highest mean of 8 hours in a row (o3, co; 6 needed)
    _count("hours"), Column("hour_mean", Float), Column("hour_high", Float), Column("high_8h", Float),
    PrimaryKeyConstraint("day", "datastream_id"), sqlite_with_rowid=False,
)

# ---- the store's own state ------------------------------------------------------------------------------------------
# Cells to recompute. dossiers: k1 agency k2 domain; reports: k1 agency k2 area k3 category;
# readings: bucket = hour, ref = datastream id, k1 k2 = area and property it had. Append-only; the fold deletes what it has taken.
dirty = Table(
    "ops_dirty", metadata, _number("seq"), Column("topic", Text, nullable=False), Column("bucket", Integer, nullable=False),
    _text("k1"), _text("k2"), _text("k3"), Column("ref", Integer, nullable=False, server_default="0"),
)
Index("ix_dirty_topic", dirty.c.topic, dirty.c.seq)
revision = Table("ops_revision", metadata, Column("topic", Text, primary_key=True), _count("revision"), Column("bumped_at", BigInteger))
clock = Table("ops_clock", metadata, Column("name", Text, primary_key=True), Column("at", BigInteger, nullable=False))
feed = Table(
    "ops_feed", metadata, Column("feed", Text, primary_key=True), _text("role"), _text("cursor", null=True), _at("attempted_at"),
    _at("loaded_at"), _at("newest_at"), _text("error"), _at("error_at"), _count("landed"), _count("changed"), _count("rejected"),
    _count("sequence"), _count("dropped_rejects"),
)
load = Table(
    "ops_load", metadata, _number("id"), Column("feed", Text, nullable=False), Column("at", BigInteger, nullable=False),
    _count("items"), _count("landed"), _count("changed"), _count("rejected"), _text("error"),
)
Index("ix_load_feed", load.c.feed, load.c.id)
reject = Table(
    "ops_reject", metadata, _number("id"), Column("feed", Text, nullable=False), Column("digest", Text, nullable=False),
    _text("item"), _text("field"), _text("reason"), _text("value"), _text("payload"), Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False), _count("times"), Column("resolved_at", BigInteger), _text("kind"),
    UniqueConstraint("feed", "digest"),
)
Index("ix_reject_feed_reason", reject.c.feed, reject.c.reason)
_WAITING = text("resolved_at IS NULL")
Index("ix_reject_open", reject.c.feed, reject.c.item, sqlite_where=_WAITING, postgresql_where=_WAITING)
# revoked_at may lie ahead: a rotated key still opens until then
feed_key = Table(
    "ops_feed_key", metadata, _number("id"), Column("feed", Text, nullable=False), Column("key_hash", Text, nullable=False, unique=True),
    _text("label"), Column("created_at", BigInteger, nullable=False), Column("revoked_at", BigInteger), _text("created_by"),
)
feed_session = Table(
    "ops_feed_session", metadata, Column("session_hash", Text, primary_key=True), Column("feed", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

# ---- people -----------------------------------------------------------------------------------------------------------
# agencies, areas: JSON list of codes whose subtrees are visible, NULL = all. Only digests of keys and session tokens are kept.
user = Table(
    "ops_user", metadata, _number("id"), Column("username", Text, nullable=False, unique=True), _text("name"),
    Column("role", Text, nullable=False), _text("agencies", null=True), _text("areas", null=True), _text("password_hash"),
    Column("is_temporary", Boolean, nullable=False, server_default=text("false")),  # must be changed at the next sign-in
    Column("password_at", BigInteger), Column("created_at", BigInteger, nullable=False), _text("created_by"),
    Column("disabled_at", BigInteger),
)
session = Table(
    "ops_session", metadata, Column("token_hash", Text, primary_key=True), Column("user_id", BigInteger, nullable=False),
    Column("opened_at", BigInteger, nullable=False), Column("seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False), _text("address"), _text("browser"),
)
Index("ix_session_user", session.c.user_id)
api_key = Table(
    "ops_api_key", metadata, _number("id"), Column("key_hash", Text, nullable=False, unique=True), _text("label"),
    Column("role", Text, nullable=False), _text("agencies", null=True), _text("areas", null=True),
    Column("created_at", BigInteger, nullable=False), _text("created_by"), Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
)
# Append-only: triggers refuse UPDATE and DELETE; hash = digest of the row and of the hash before it (store/audit.py).
audit = Table(
    "ops_audit", metadata, Column("seq", BigInteger, primary_key=True, autoincrement=False), Column("at", BigInteger, nullable=False),
    _text("actor"), _text("address"), Column("action", Text, nullable=False), _text("kind"), _text("subject"), _text("detail"),
    Column("hash", Text, nullable=False),
)
Index("ix_audit_actor", audit.c.actor, audit.c.seq)
Index("ix_audit_subject", audit.c.kind, audit.c.subject, audit.c.seq)
Index("ix_audit_action", audit.c.action, audit.c.seq)
Index("ix_audit_at", audit.c.at)
