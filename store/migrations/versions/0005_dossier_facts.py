"""What decision 766 and the one-stop extras ask of a dossier."""

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Nothing yet."""
