"""Page one is read in three minutes: at most 350 words of sentences in either language. What does not fit stands in the tables."""

from __future__ import annotations

from collections.abc import Sequence

from metrics.city.weekly.parts import SECTIONS, Statement
from metrics.city.weekly.written import said
from text import LANGUAGES

MOST_WORDS = 350
# step by step, how many sentences a section keeps; what goes beyond is dropped from its end
STEPS = (
    ("questions", 3), ("score", 2), ("questions", 2), ("agencies", 2), ("changed", 7), ("changed", 6), ("questions", 1), ("changed", 5),
    ("score", 1), ("followups", 1), ("agencies", 1), ("changed", 2),
)


def fitted(statements: Sequence[Statement]) -> tuple[tuple[Statement, ...], int]:
    """The sentences in the order of sections, within the budget, and how many were dropped."""
    ordered = sorted(statements, key=lambda one: SECTIONS.index(one.section))
    sizes = {id(one): max(words(one, lang) for lang in LANGUAGES) for one in ordered}
    dropped = 0
    while sum(sizes[id(one)] for one in ordered) > MOST_WORDS:
        last = _least(ordered)
        if last is None:
            break
        ordered.remove(last)
        dropped += 1
    return tuple(ordered), dropped


def words(one: Statement, lang: str) -> int:
    """Words between blanks, as a reader's eye takes them."""
    return len(said(one.said, lang).split())


def _least(statements: Sequence[Statement]) -> Statement | None:
    """The sentence that is missed least: the last of the first step that has more than it keeps."""
    for section, kept in STEPS:
        own = [one for one in statements if one.section == section]
        if len(own) > kept:
            # the last sentence on what changed counts all the rest: the one before it goes
            return own[-2] if section == "changed" else own[-1]
    return None
