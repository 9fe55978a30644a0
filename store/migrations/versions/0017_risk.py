"""The fitted model of the at-risk queue."""

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Nothing yet."""
