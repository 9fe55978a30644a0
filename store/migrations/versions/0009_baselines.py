"""Baselines of KPIs, set by a person with a reason."""

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Nothing yet."""
