"""The table of folded days: how often the cells of a day's roll-up have been replaced. What was summed from them stands as long as that."""

from __future__ import annotations

from sqlalchemy import Column, Integer, PrimaryKeyConstraint, Table, Text

from store.columns import count_column, metadata

folded_day = Table(
    "ops_folded_day", metadata, Column("topic", Text), Column("day", Integer), count_column("revision"),
    PrimaryKeyConstraint("topic", "day"),
)
