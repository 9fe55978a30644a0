"""What decision 766 and the one-stop form ask of a dossier beyond its dates, as one small integer per dossier (`facts`).

Bits 0-1: the level of the service (a place in LEVELS, 0 = unknown). Then two bits a fact, in the order of FACTS: the lower one says that
the source told, the upper one that it told yes. A fact nobody told is unknown, never no. One integer, because the fold's covering
indexes must hold whatever its flows look at: nine more columns there would double their width (docs/architecture.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from text.vietnamese import fold_place

LEVELS = ("", "information", "partial", "full")
FACTS = (
    "is_digitised",        # 4.3: a component is digitised
    "is_paid_online",      # 3.6
    "has_fee",             # 3.6: some fee above 0 is due
    "has_component_file",  # 4.2: a submitted paper has a file
    "has_e_result",        # 4.1: a result paper has a link
    "is_shared",           # 4.4: a paper came from, or the result went to, the personal store
    "is_identified",       # 4.5: signed in by VNeID, or looked up in the population database
    "has_apology",         # a written apology for lateness was sent
    "is_disliked",         # 5.4: the applicant is not satisfied
)
OF_RECEIVED = ("is_digitised", "is_paid_online", "has_fee", "is_identified")  # counted on the received day, the others on the finished
OF_FINISHED = tuple(fact for fact in FACTS if fact not in OF_RECEIVED)
LEVEL = 3  # mask of the two level bits
# what sources write -> level; levels 1-4 are those of Decree 43/2011, `MucDo` 2-4 those of provincial systems (Decree 42/2022)
_LEVEL_CODES = {
    "1": "information", "2": "information", "3": "partial", "4": "full", "information": "information", "partial": "partial", "full": "full",
    "cung cap thong tin": "information", "mot phan": "partial", "toan trinh": "full",
}


def told(fact: str) -> int:
    """Mask of the bit that says the source told of this fact."""
    return 4 << (2 * FACTS.index(fact))


def yes(fact: str) -> int:
    """Mask of the bit that says it told yes."""
    return told(fact) << 1


def both(facts: Iterable[str]) -> int:
    """Mask of all bits of these facts."""
    return sum(told(fact) | yes(fact) for fact in facts)


def level_of(written: str) -> str | None:
    """The level a source's code or word means: full | partial | information; '' of nothing; None when it means none of them."""
    code = written.strip()
    return _LEVEL_CODES.get(code) or _LEVEL_CODES.get(fold_place(code)) if code else ""


def pack(level: str, flags: Iterable[bool | None]) -> int:
    """The integer of a level and the facts in the order of FACTS."""
    packed, bit = LEVELS.index(level), 4
    for flag in flags:
        if flag is not None:
            packed |= bit * (3 if flag else 1)
        bit <<= 2
    return packed


def flag(packed: int, fact: str) -> bool | None:
    """One fact: yes, no, or None where nobody told."""
    return bool(packed & yes(fact)) if packed & told(fact) else None


def unpack(packed: int) -> Mapping[str, str | bool | None]:
    """level and every fact of FACTS by name."""
    return {"level": LEVELS[packed & LEVEL], **{fact: flag(packed, fact) for fact in FACTS}}
