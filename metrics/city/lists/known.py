"""What the city's lists call things: names by code, what lies below a code, codes whose name has a word. Read once, searched in memory.

What lies outside the reader's rights is left out, and names nobody has looked at for readers who may not know them
(metrics/city/masking.py): a search must not tell them either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import text

from metrics.city import City
from metrics.city.masking import unvetted
from text.vietnamese import fold, sort_key

ALONE = "="  # before a code of a tree
_WORD = re.compile(r"\w+")
# kind -> what is read: code, name, area or parent
_LISTS: Mapping[str, str] = {
    "agency": "SELECT code, name, area_code FROM core_agency",
    "procedure": "SELECT code, name, domain_code FROM core_procedure",
    "domain": "SELECT code, name, '' FROM core_domain",
    "category": "SELECT code, name, '' FROM core_category",
    "area": "SELECT code, coalesce(nullif(full_name, ''), name), parent_code FROM core_area ORDER BY valid_from_on",
}


@dataclass(frozen=True)
class Known:
    """One list: code -> name as shown, and code -> the area an agency lies in, or what an area belongs to."""

    names: Mapping[str, str]
    above: Mapping[str, str]

    def matching(self, word: str) -> tuple[str, ...]:
        """Codes with a word of their name that begins with a word of the folded text, for each of these; or that begin with the text."""
        pieces = _WORD.findall(word)
        if not pieces:
            return ()
        named = (code for code, name in self.names.items() if all(any(one.startswith(piece) for one in _words(name)) for piece in pieces))
        return tuple(sorted({*named, *(code for code in self.names if fold(code).startswith(word))}))

    def below(self, codes: Iterable[str]) -> tuple[str, ...]:
        """The codes and all below them: by dotted segments, areas by what they belong to too. `=code` is that one alone."""
        given = set(codes)
        alone = {code[1:] for code in given if code.startswith(ALONE)}
        found = {code for code in given if not code.startswith(ALONE)}
        fresh = set(found)
        while fresh:
            roots = tuple(code + "." for code in fresh)
            fresh = {code for code, above in self.above.items() if above in fresh or code.startswith(roots)} - found
            found |= fresh
        return tuple(sorted(found | alone))

    def parents(self) -> frozenset[str]:
        """Codes that others lie below: of these the code and the code with all below it are two things."""
        dotted = {code.rpartition(".")[0] for code in self.names if "." in code}
        return frozenset(self.names.keys() & (dotted | {above for above in self.above.values() if above in self.names}))

    def ranked(self) -> dict[str, int]:
        """Code -> its place in the Vietnamese order of names; what has no name comes last, by code."""
        ordered = sorted(self.names, key=lambda code: (not self.names[code], sort_key(self.names[code] or code), code))
        return {code: place for place, code in enumerate(ordered)}


def known(city: City, kind: str) -> Known:
    """The list of a kind (agency, procedure, domain, category, area) as this reader may know it."""
    key = ("known", kind)
    if key not in city.memo:
        city.memo[key] = _read(city, kind)
    found: Known = city.memo[key]
    return found


def _read(city: City, kind: str) -> Known:
    with city.store.reading() as connection:
        left_out = unvetted(connection, city, kind)
        rows = [row for row in connection.execute(text(_LISTS[kind])).all() if row[0] and row[0] not in left_out]
    covers = {"agency": city.scope.covers_agency, "area": city.scope.covers_area}.get(kind)
    rows = [row for row in rows if covers is None or covers(row[0])]
    above = {row[0]: row[2] or "" for row in rows} if kind in ("agency", "area") else {}
    return Known({row[0]: row[1] or "" for row in rows}, above)


@lru_cache(maxsize=20_000)
def _words(name: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(fold(name)))
