"""Figures kept as a page showed them, to be opened by a link: exactly those numbers, for whoever may see what was seen."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from metrics.city import City
from metrics.city.masking import FREE_TEXT
from scope import Scope
from store.keys import By
from store.shown import ShownRow, put_shown, read_shown

LETTERS = 16  # of the hash, in a link


@dataclass(frozen=True)
class Shown:
    """What a page showed: its query string and language, the content as data, by whom it was kept and when, of which state."""

    key: str
    query: str
    lang: str
    content: Any
    made_by: str
    made_at: int
    as_of: int
    revision: int


class NotForThisReader(Exception):
    """It was kept by somebody who sees more than this reader does."""


def keep(city: City, path: str, query: str, lang: str, content: Any, address: str, now: int) -> Shown:
    """Keep what a page shows now; the same content is kept once. `content` is data of JSON.

    Requires see.desk. Raises store.shown.TooSoon (its wait_s) for a second one within a minute.
    """
    city.scope.require("see.desk")
    rights, told = _rights(city.scope), json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256("\n".join((path, query, lang, rights, told)).encode()).hexdigest()
    row = ShownRow(digest, path, query, lang, rights, told, city.scope.actor, now, city.as_of, city.revision)
    return _shown(put_shown(city.store, row, By(city.scope.actor, address)))


def read(city: City, path: str, key: str) -> Shown | None:
    """What is kept under a link's key; None when nothing is. Requires see.desk.

    Raises NotForThisReader where who kept it saw areas, agencies, small counts or names that this reader does not.
    """
    city.scope.require("see.desk")
    with city.store.reading() as connection:
        row = read_shown(connection, key)
    if row is None or row.path != path:
        return None
    if not _sees_all_of(city.scope, json.loads(row.rights)):
        raise NotForThisReader(key)
    return _shown(row)


def _shown(row: ShownRow) -> Shown:
    content = json.loads(row.content)
    return Shown(row.sha256[:LETTERS], row.query, row.lang, content, row.made_by, row.made_at, row.as_of, row.revision)


def _rights(scope: Scope) -> str:
    """What the figures depend on of whoever sees them."""
    return json.dumps({
        "agencies": scope.agencies, "areas": scope.areas, "small_counts": scope.permits("see.small_counts"),
        "free_text": FREE_TEXT in scope.field_classes,
    }, sort_keys=True)


def _sees_all_of(scope: Scope, rights: dict[str, Any]) -> bool:
    if rights["small_counts"] and not scope.permits("see.small_counts"):
        return False
    if rights["free_text"] and FREE_TEXT not in scope.field_classes:
        return False
    return _covers(scope.agencies, rights["agencies"], scope.covers_agency) and _covers(scope.areas, rights["areas"], scope.covers_area)


def _covers(own: tuple[str, ...] | None, theirs: list[str] | None, covers: Any) -> bool:
    return own is None or (theirs is not None and all(covers(code) for code in theirs))
