"""The name of this version of program and city, which answers and walls carry."""

from __future__ import annotations

import hashlib
from pathlib import Path

from components.context import AppContext

ROOT = Path(__file__).resolve().parent.parent


def build_id(context: AppContext) -> str:
    """Names this version of program and city: same files and settings, same id, on every copy. Walls reload when it changes."""
    digest = hashlib.blake2b(repr(context.config).encode(), digest_size=8)
    for pattern in (
        "*.py",
        "auth/*.py",
        "api/*.py",
        "components/**/*.py",
        "briefs/*",
        "metrics/**/*.py",
        "pages/*.py",
        "callbacks/*.py",
        "text/**/*",
        "assets/**/*",
    ):
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file() and path.suffix != ".pyc":
                digest.update(path.read_bytes())
    return digest.hexdigest()
