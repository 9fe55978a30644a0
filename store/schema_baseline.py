"""The table of baselines: which weeks each KPI's control limits are made of. Append-only: the newest row of a key and choice holds."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text

from store.columns import metadata, number_column, text_column

# choice: '' = the whole city, else "agency=H99.1&area=..." (store/baselines.py); set_by: a scope's actor
baseline = Table(
    "ops_baseline", metadata, number_column("id"), Column("key", Text, nullable=False), text_column("choice"),
    Column("by", Text, nullable=False, server_default="week"), Column("from_on", Integer, nullable=False),
    Column("to_on", Integer, nullable=False), text_column("set_by"), Column("set_at", BigInteger, nullable=False), text_column("reason"),
)
Index("ix_baseline_key", baseline.c.key, baseline.c.choice, baseline.c.id)
