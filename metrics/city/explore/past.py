"""What was known at an instant: core rows nothing has changed since, and of the others the version that was the newest then.

Only what keeps versions can be told so: dossiers and reports. Their agencies' areas, stops, working times and readings keep none. A row
its source took back and brought again is told as if it had been there all the time: the mark of its absence is gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from metrics.city import City
from metrics.city.explore.question import Dimension, Question
from metrics.flows import FlowSource

VERSIONS = {"core_dossier": ("core_dossier_version", "dossiers"), "core_report": ("core_report_version", "reports")}
SECOND = 1_000_000


def why_not(city: City, question: Question, topic: str, dimensions: Sequence[Dimension], sources: Sequence[FlowSource]) -> tuple[str, ...]:
    """Text keys of why an answer as of question.known_at cannot be told; () = it can. ValueError for an instant still to come."""
    at = question.known_at
    if at is None:
        return ()
    if at > city.as_of:
        raise ValueError("known_at: that instant is still to come; choose an earlier one")
    found = []
    if topic == "readings":
        found.append("explore.why.readings")
    by_area = any(row.key == "area" for row in dimensions) or (question.filter is not None and question.filter.term("area") is not None)
    if topic == "dossiers" and by_area:
        found.append("explore.why.area")
    if any(source.table not in VERSIONS for source in sources):
        found.append("explore.why.derived")
    kept = city.config.retention.versions_s
    if kept is not None and at < city.as_of - kept * SECOND:
        found.append("explore.why.retention")
    return tuple(found)


def arms(table: str, rows: str, where: str) -> Iterator[tuple[str, str]]:
    """(WITH clause, FROM .. WHERE ..) of the two parts whose rows r together are the table as it was known at :known_at.

    rows = how the table itself is read, as r.
    """
    versions, topic = VERSIONS[table]
    changed = f"SELECT feed, source_id FROM {versions} WHERE landed_at > :known_at"
    yield "", f"{rows} WHERE {where} AND (r.feed, r.source_id) NOT IN ({changed})"
    gone = f"SELECT feed, source_id FROM core_withdrawn WHERE topic = '{topic}' AND withdrawn_at > :known_at"
    same = "w.feed = v.feed AND w.source_id = v.source_id"
    newer = f"SELECT 1 FROM {versions} w WHERE {same} AND w.landed_at <= :known_at AND " \
            "(w.version, w.hash, w.landed_at) > (v.version, v.hash, v.landed_at)"
    yield (
        f"WITH changed AS ({changed} UNION {gone}), known AS (SELECT v.* FROM changed c CROSS JOIN {versions} v "
        f"WHERE v.feed = c.feed AND v.source_id = c.source_id AND v.landed_at <= :known_at AND NOT EXISTS ({newer})) ",
        f"known r WHERE {where}",
    )
