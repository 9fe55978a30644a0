"""Page one of the paper is read in three minutes: at most 350 words in either language. What does not fit opens the annex."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from metrics.city.weekly.parts import SECTIONS, Statement
from metrics.city.weekly.written import said
from text import LANGUAGES

MOST_WORDS = 350
# step by step, how many sentences a section keeps; what goes beyond leaves from its end
STEPS = (
    ("questions", 3), ("score", 2), ("questions", 2), ("agencies", 2), ("changed", 7), ("changed", 6), ("questions", 1), ("changed", 5),
    ("score", 1), ("followups", 1), ("agencies", 1), ("changed", 2),
)


def in_order(statements: Iterable[Statement]) -> tuple[Statement, ...]:
    """Sentences in the order of sections."""
    return tuple(sorted(statements, key=lambda one: SECTIONS.index(one.section)))


def fitted(statements: Sequence[Statement], most: int = MOST_WORDS) -> tuple[tuple[Statement, ...], tuple[Statement, ...]]:
    """(what page one says in at most so many words, what it leaves to the annex), both in the order of sections."""
    kept = list(in_order(statements))
    sizes = {id(one): max(words(one, lang) for lang in LANGUAGES) for one in kept}
    left: list[Statement] = []
    while sum(sizes[id(one)] for one in kept) > most:
        least = _least(kept)
        if least is None:
            break
        kept = [one for one in kept if one is not least]
        left.append(least)
    return tuple(kept), in_order(reversed(left))


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
