"""Flags of readings, kept out of the sums; hours, their means and 8-hour means in the days. Kept readings are folded anew."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

ROLLUPS = ("rollup_reading_hour", "rollup_reading_hour_area", "rollup_reading_day")


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)


def upgrade() -> None:
    """Add the columns; log every hour whose readings are kept. Days known from sums alone get what their sums can tell."""
    op.add_column("core_reading", sa.Column("flag", sa.SmallInteger(), server_default="0", nullable=False))
    for table in ROLLUPS:
        op.add_column(table, _count("flagged"))
    for name in ("lowest", "highest"):
        op.add_column("rollup_reading_hour", sa.Column(name, sa.Float()))
    op.add_column("rollup_reading_day", _count("hours"))
    for name in ("hour_mean", "hour_high", "high_8h"):
        op.add_column("rollup_reading_day", sa.Column(name, sa.Float()))
    op.execute("UPDATE rollup_reading_hour SET lowest = low, highest = high")
    op.execute(
        "UPDATE rollup_reading_day SET hours = CASE WHEN n < 24 THEN n ELSE 24 END, hour_mean = total / n, hour_high = high WHERE n > 0"
    )
    op.execute(
        "INSERT INTO ops_dirty (topic, bucket, k1, ref) SELECT DISTINCT 'readings', r.hour, d.area_code, r.datastream_id "
        "FROM core_reading r JOIN core_datastream d ON d.id = r.datastream_id "
        "WHERE r.hour >= coalesce((SELECT at / 3600000000 FROM ops_clock WHERE name = 'readings_from'), 0)"
    )
