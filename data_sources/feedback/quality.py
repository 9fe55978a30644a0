"""What a source tells of how a report was handled: rated, reopened, sent back, given more time; and what its deliveries would show.

A field the mapping does not name stays unknown. A field it names and the source leaves empty says "not rated", "not reopened".
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from config import FeedConfig
from data_sources.mapping import Problem

RATINGS = {"dissatisfied": 1, "accepted": 2, "satisfied": 3}  # words a code table may use; 0 or nothing = not rated
COUNTS = ("reopened_count", "returned_count", "extension_count")
MOST = 1000  # nobody reopens a report a thousand times: a wrong column


def settle_quality(values: dict[str, Any], targets: Collection[str]) -> tuple[Problem, ...]:
    """Completes `values` in place; why the item gives no row, if it gives none."""
    problems = tuple(_counted(values))
    if "rating" in targets:
        told = str(values.get("rating") or 0)
        rating = RATINGS.get(told, int(told) if told in ("0", "1", "2", "3") else None)
        if rating is None:
            problems += (Problem("rating", "unknown_code", told),)
        values["rating"] = rating
    if "reopened_at" in targets and "reopened_count" not in values:
        values["reopened_count"] = 0 if values.get("reopened_at") is None else 1
    if values.get("reopened_at") is not None and not values["reopened_count"]:
        values["reopened_count"] = 1  # it says when, so it was
    return problems


def _counted(values: dict[str, Any]) -> Iterator[Problem]:
    for name in COUNTS:
        told = values.get(name)
        if told is None:
            continue
        if isinstance(told, str) and not told.isdecimal():  # a code table gives texts
            yield Problem(name, "bad_number", told)
        elif not 0 <= int(told) <= MOST:
            yield Problem(name, "out_of_range", str(told))
        else:
            values[name] = int(told)


def watched(feed: FeedConfig) -> frozenset[str]:
    """The facts this feed's deliveries would show if they happened: reopened, returned, extended.

    A feed with a cadence is delivered again and again, so a closed report that opens again is seen. An archive without one is read once:
    what happened before is not known. Sent back and given more time are seen where the mapping knows such a status.
    """
    if feed.role != "feedback" or feed.cadence_s is None:
        return frozenset()
    known = {status for name in ("status", "status_detail") for status in _statuses(feed.fields.get(name, {}))}
    return frozenset({"reopened"} | ({"returned", "extended"} & known))


def _statuses(row: Mapping[str, Any]) -> Iterator[str]:
    yield from row.get("codes", {}).values()
    yield from (str(row[name]) for name in ("default", "const") if name in row)
