"""Covering indexes that hold procedure and channel."""

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Nothing yet."""
