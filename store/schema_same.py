"""The table of what people said about pairs of reports: that both tell of one thing, that they do not, or that it is open again."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Table, Text

from store.columns import metadata, number_column, text_column

# Rows are only added: the newest of a pair holds (store/same.py). A pair is named by its smaller (feed, source_id) first, so that it has
# one name whichever came earlier. kind: merged | apart | undone
same_report = Table(
    "ops_same_report", metadata, number_column("id"), Column("feed", Text, nullable=False), Column("source_id", Text, nullable=False),
    Column("with_feed", Text, nullable=False), Column("with_source_id", Text, nullable=False), Column("kind", Text, nullable=False),
    text_column("said_by"), Column("said_at", BigInteger, nullable=False),
)
_PAIR = (same_report.c.feed, same_report.c.source_id, same_report.c.with_feed, same_report.c.with_source_id)
Index("ix_same_report", *_PAIR, same_report.c.id)
Index("ix_same_report_with", same_report.c.with_feed, same_report.c.with_source_id)
