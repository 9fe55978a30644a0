"""Indicators: periodic figures that arrive finished."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default="", nullable=False)


def _values() -> tuple[sa.Column[Any], ...]:
    return (
        _text("indicator_code"), _text("agency_code"), _text("area_code"), _text("subject"), _text("period"),
        sa.Column("start_on", sa.Integer()), sa.Column("end_on", sa.Integer()), sa.Column("value", sa.Float()), _text("value_text"),
        _text("bound"), sa.Column("plan", sa.Float()), sa.Column("plan_pct", sa.Float()), sa.Column("rank", sa.BigInteger()),
        sa.Column("denominator", sa.BigInteger()), sa.Column("change", sa.Float()), _text("change_from"),
        sa.Column("target", sa.Float()), _text("document"),
        sa.Column("is_verified", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False), sa.Column("hash", sa.Text(), nullable=False),
    )


def upgrade() -> None:
    """Add the catalogue of indicators, their values, and the values' versions."""
    op.create_table(
        "core_indicator", sa.Column("code", sa.Text(), primary_key=True), _text("name"), _text("name_en"), _text("measure_unit"),
        _text("better"), _text("theme"), _text("group_name"), _text("kind"), _text("parent_code"), sa.Column("scale_max", sa.Float()),
        sa.Column("position", sa.BigInteger()), _text("publisher"),
    )
    op.create_table(
        "core_indicator_value", sa.Column("feed", sa.Text(), nullable=False), sa.Column("source_id", sa.Text(), nullable=False),
        *_values(), sa.Column("first_landed_at", sa.BigInteger()), sa.Column("landed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("feed", "source_id"), sqlite_with_rowid=False,
    )
    op.create_index("ix_indicator_value", "core_indicator_value", ["indicator_code", "end_on"])
    op.create_table(
        "core_indicator_value_version", sa.Column("feed", sa.Text(), nullable=False), sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("landed_at", sa.BigInteger(), nullable=False), *_values(),
        sa.PrimaryKeyConstraint("feed", "source_id", "landed_at", "version", "hash"),
    )
