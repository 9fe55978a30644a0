"""Saved views and what was shown."""

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Nothing yet."""
