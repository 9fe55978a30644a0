"""Tables of the city's lists: agencies, procedures, domains, categories, areas."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Integer, PrimaryKeyConstraint, Table, Text

from store.columns import metadata
from store.columns import on_column as _on
from store.columns import text_column as _text

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
