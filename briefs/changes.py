"""What an issue of a brief says otherwise than the one it replaces: every sentence and cell, "was" beside "is"."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from briefs.content import Content, canonical, cell_of
from metrics.city.weekly.parts import Cell, Column, Row, Table, Word
from metrics.city.weekly.written import written
from text import LANGUAGES

COLUMNS = (Column("place"), Column("line"), Column("what"), Column("was"), Column("now"))
OLD_WORDS = Word("brief.old_words")
Keyed = Mapping[tuple[str, int], Any]


def changes(before: Content, after: Content) -> Table:
    """One row a difference between two contents; none when only the instant or the revision moved.

    `before` may be older than the program: words it was written with that are gone are told so.
    """
    rows = (*_sentences(before, after), *_tables(before, after))
    return Table("reissue", "followups", COLUMNS, rows, () if rows else (Word("brief.reissue_same"),))


def _sentences(before: Content, after: Content) -> Iterator[Row]:
    for place in ("statements", "notes", "left_out"):
        old, new = (_keyed(content[place], _sentence_key) for content in (before, after))
        for key in _both(old, new):
            was, now = (_readable(_sentence(one.get(key))) for one in (old, new))
            if _is_other(was, now):
                yield Row((Word(f"brief.part_{place}"), None, None, was, now))


def _sentence_key(one: Any) -> Any:
    """What makes two sentences the same one with other figures: its template, and the page it leads to."""
    if "said" in one:
        return [one["section"], one["said"]["word"], one["link"] and {**one["link"]["query"], "path": one["link"]["path"]}]
    return one.get("feed") or one["word"]


def _sentence(one: Any) -> Cell:
    if one is None:
        return None
    if "feed" in one:
        return Word("brief.left_out_why", {"feed": one["title"] or one["feed"], "why": cell_of(one["why"])})
    return cell_of(one.get("said", one))


def _tables(before: Content, after: Content) -> Iterator[Row]:
    old, new = ({table["key"]: table for table in content["tables"]} for content in (before, after))
    for key in dict.fromkeys((*new, *old)):
        was, now = (one.get(key, {"columns": [], "kinds": [], "rows": []}) for one in (old, new))
        yield from _cells(_readable(Word(f"weekly.table.{key}"), key), was, now)


def _cells(title: Cell, was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Row]:
    columns = dict.fromkeys((*now["columns"], *was["columns"]))
    shape = now if now["rows"] else was
    at = shape["kinds"].index("text") if "text" in shape["kinds"] else 0  # the column that says what a row is about
    old, new = (_keyed(table["rows"], lambda row: row[at]) for table in (was, now))
    for key in _both(old, new):
        befores, afters = (dict(zip(table["columns"], one.get(key) or (), strict=False)) for table, one in ((was, old), (now, new)))
        for column in columns:
            left, right = (_readable(cell_of(one.get(column))) for one in (befores, afters))
            if _is_other(left, right) and column != shape["columns"][at]:
                line = _readable(cell_of((new.get(key) or old[key])[at]))
                yield Row((title, line, _readable(Word(f"weekly.column.{column}"), column), left, right))


def _readable(cell: Cell, otherwise: Cell = OLD_WORDS) -> Cell:
    """The cell where this program has its words in every language."""
    try:
        for lang in LANGUAGES:
            written(cell, lang)
    except KeyError:
        return otherwise
    return cell


def _is_other(was: Cell, now: Cell) -> bool:
    """Is it written otherwise? What moves behind the last decimal is no change on paper."""
    return was != now and written(was, LANGUAGES[0]) != written(now, LANGUAGES[0])


def _keyed(rows: Sequence[Any], name: Any) -> Keyed:
    """Rows by what they are about; of the same name, the first, the second ..."""
    seen: Counter[str] = Counter()
    found = {}
    for row in rows:
        key = canonical({"": name(row)})
        found[key, seen[key]] = row
        seen[key] += 1
    return found


def _both(old: Keyed, new: Keyed) -> Iterator[tuple[str, int]]:
    """New keys in their order, then those that are gone."""
    yield from dict.fromkeys((*new, *old))
