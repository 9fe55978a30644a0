"""Words searched for, accent-blind: every word begins the number of a row, or a word of one of the names shown with it; for readers of
free text also a word of what was written.

Names are resolved to codes in memory, so a search touches rows by their codes; a word of a number has a digit in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from metrics.city import City
from metrics.city.lists.known import known
from text.vietnamese import fold

MOST_WORDS = 8
# topic -> (list, column of its code)
NAMES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "dossiers": (("agency", "agency_code"), ("procedure", "procedure_code"), ("domain", "domain_code")),
    "reports": (("agency", "agency_code"), ("category", "category_code"), ("area", "area_code")),
}
_HIGHEST = "\U0010ffff"
_WORD = re.compile(r"\w+")


def reads_text(city: City) -> bool:
    """May this scope read what citizens and offices wrote?"""
    return city.scope.permits("see.report_text") and "free_text" in city.scope.field_classes


def search_condition(city: City, topic: str, q: str, alias: str, values: dict[str, Any], columns: set[str]) -> str:
    """Condition of rows that every word of `q` is found in; values and columns looked at are added. ValueError for too many words."""
    words = q.split()
    if len(words) > MOST_WORDS:
        raise ValueError(f"q: {len(words)} words; at most {MOST_WORDS} are looked for")
    parts = [_one(city, topic, word, number, alias, values, columns) for number, word in enumerate(words)]
    return " AND ".join(f"({part})" for part in parts)


def _one(city: City, topic: str, word: str, number: int, alias: str, values: dict[str, Any], columns: set[str]) -> str:
    found, pieces = [], _WORD.findall(fold(word))
    for kind, column in NAMES[topic]:
        codes = known(city, kind).matching(fold(word))
        if codes:
            names = [f"q{number}_{kind}_{place}" for place, _ in enumerate(codes)]
            values.update(zip(names, codes, strict=True))
            columns.add(column)
            found.append(f"{alias}{column} IN ({', '.join(':' + name for name in names)})")
    if any(letter.isdigit() for letter in word):
        columns.update(("feed", "source_id"))
        found.append(_of_number(city, word, number, alias, values))
    if topic == "reports" and pieces and reads_text(city):
        columns.add("description")
        found.append(_of_text(pieces, number, alias, values))
    return " OR ".join(found) or "1 = 0"


def _of_number(city: City, word: str, number: int, alias: str, values: dict[str, Any]) -> str:
    """Numbers that begin with the word as written or in capitals; reached through the key (feed, source_id)."""
    feeds = {f"q{number}_feed_{place}": row.key for place, row in enumerate(city.config.feeds)}
    values.update(feeds)
    known_feeds = f"{alias}feed IN ({', '.join(':' + name for name in feeds)}) AND " if feeds else ""
    parts = []
    for place, start in enumerate(dict.fromkeys((word, word.upper()))):
        name = f"q{number}_number_{place}"
        if city.store.is_sqlite:  # LIKE folds case there, so it cannot use the key
            values.update({name: start, f"{name}_end": start + _HIGHEST})
            parts.append(f"{known_feeds}{alias}source_id >= :{name} AND {alias}source_id < :{name}_end")
        else:
            values[name] = start.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
            parts.append(f"{known_feeds}{alias}source_id LIKE :{name} ESCAPE '\\'")
    return " OR ".join(f"({part})" for part in parts)


def _of_text(pieces: list[str], number: int, alias: str, values: dict[str, Any]) -> str:
    """Reports with words that begin so (store/report_text.py)."""
    likes = []
    for place, piece in enumerate(pieces):
        name = f"q{number}_text_{place}"
        values[name] = "% " + piece.replace("_", "\\_") + "%"
        likes.append(f"words LIKE :{name} ESCAPE '\\'")
    return f"({alias}feed, {alias}source_id) IN (SELECT feed, source_id FROM core_report_text WHERE {' AND '.join(likes)})"
