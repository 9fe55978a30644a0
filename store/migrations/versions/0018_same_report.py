"""Reports that people said are the same."""

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Nothing yet."""
