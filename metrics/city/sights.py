"""What a reader was given that the audit trail must tell of: records, words of citizens, rejects, exports.

Questions note it in City.sights; whoever shows the answers keeps them first (components/audited.py), or shows nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

WORDS = ("q",)  # what readers type here may be a name or a phone: that it was used is told, not what it said
NO_FILTER = ("lang", "headers", "limit", "cursor", "progress")


@dataclass(frozen=True)
class Sight:
    """action = one of store.audit.ACTIONS; kind and subject name what was seen; detail: filter, counts."""

    action: str
    kind: str
    subject: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


def record_id(feed: str, source_id: str) -> str:
    """How the trail names a dossier or report."""
    return f"{feed}~{source_id}"


def subjects_of(feeds: Iterable[str], written: str) -> tuple[str, ...]:
    """What the trail may call something an auditor wrote: as it stands, or as a record's number at any feed; () for nothing."""
    return (written, *(record_id(feed, written) for feed in feeds)) if written else ()


def told_filter(asked: Mapping[str, Any], *, found: bool) -> dict[str, Any]:
    """The filters in use, by name. Without any row found their values are left out: nobody knows what was typed there."""
    used = {name: value for name, value in asked.items() if value not in ("", None) and name not in NO_FILTER}
    return {name: value if found and name not in WORDS else True for name, value in used.items()}
