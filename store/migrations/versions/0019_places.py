"""Indexes of where reports lie, for the map's boxes."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"

POINT = ("due_at", "agency_code", "area_code", "category_code", "feed", "source_id", "closed_on")
INDEXES = (
    ("ix_report_place_open", ("lon", "lat", *POINT, "received_on"), "closed_on IS NULL AND lon IS NOT NULL"),
    ("ix_report_place", ("received_on", "lon", "lat", *POINT), "lon IS NOT NULL"),
)


def upgrade() -> None:
    """Two partial indexes."""
    for name, columns, rows in INDEXES:
        op.create_index(name, "core_report", list(columns), sqlite_where=sa.text(rows), postgresql_where=sa.text(rows))
