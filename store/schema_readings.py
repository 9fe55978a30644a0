"""Tables of what is measured: stations, datastreams, readings; and of indicators that arrive finished."""

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

from store.columns import metadata
from store.columns import number_column as _number
from store.columns import on_column as _on
from store.columns import text_column as _text

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
