"""Tables of sums per bucket, recomputed by metrics/rollups.py, never incremented."""

from __future__ import annotations

from sqlalchemy import Column, Float, Index, Integer, PrimaryKeyConstraint, Table, Text

from store.columns import count_column as _count
from store.columns import metadata

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
