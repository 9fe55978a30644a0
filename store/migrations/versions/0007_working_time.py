"""Worked and expected times of dossiers."""

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Nothing yet."""
