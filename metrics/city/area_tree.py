"""An area with all below it, as SQL: by what an area belongs to and by dotted segments. Figures and lists mean the same by it."""

from __future__ import annotations


def below(name: str) -> str:
    """SELECT of the code bound as `name` and of every area below it (metrics/city/lists/known.py does the same in memory)."""
    under = "a.parent_code = b.code OR substr(a.code, 1, length(b.code) + 1) = b.code || '.'"
    return (
        f"WITH RECURSIVE below(code) AS (SELECT CAST(:{name} AS TEXT) UNION SELECT a.code FROM core_area a JOIN below b ON {under}) "
        "SELECT code FROM below"
    )
