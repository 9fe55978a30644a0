"""Vietnamese text for searching, matching and ordering: fold, fold_place, sort_key.

No collation library: the plain Unicode order mixes D with Đ, puts the acute tone first and Ư before Uô.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_LETTERS = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
_RANK = {letter: rank for rank, letter in enumerate(_LETTERS)}
# ranks of the tones: huyền hỏi ngã sắc nặng; ngang, without a mark, is 0
_TONES = {"\u0300": 1, "\u0309": 2, "\u0303": 3, "\u0301": 4, "\u0323": 5}
_TO_D = str.maketrans("đð", "dd")  # ð (U+00F0) looks like đ and comes from old fonts
_SPACE, _NUMBER, _LETTER, _OTHER = range(4)

# offices that stand before the name of a place; unlike any place name even without accents
_OFFICE = re.compile(r"(?:ubnd|uy ban nhan dan)\b[\s.:]*")
# unit words that no place name starts with, even without accents
_CLEAR_UNIT = re.compile(r"(?:thanh pho|thi tran|thi xa|dac khu|tp|tx|tt)\b[\s.]*|(?:[pqhxt]\.)\s*|[pq](?=\d)")
# unit words that name places once their accents go (Quan Lạn, Quản Bạ, Xa Dung, Tĩnh Gia): accents decide
_ACCENTED_UNIT = re.compile(r"(?:phường|xã|quận|huyện|tỉnh)\b[\s.]*")
_BARE_UNIT = re.compile(r"(?:phuong|xa|quan|huyen|tinh)\b[\s.]*")


def fold(text: str) -> str:
    """The accent-blind lower-case form used for search: "  Đông   Triều " -> "dong trieu".

    Composed and decomposed input, and both tone placements (Hòa, Hoà), give the same result; invisible
    characters go, runs of white space become one space.
    """
    if text.isascii():
        return " ".join(text.lower().split())
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = (char for char in plain if unicodedata.category(char) not in ("Mn", "Cf"))
    return " ".join("".join(kept).translate(_TO_D).split())


def fold_place(text: str) -> str:
    """fold() without the leading administrative words: "UBND phường Hạ Long" -> "ha long".

    At most one office (UBND, Ủy ban nhân dân) and one unit word (phường, xã, thị trấn, đặc khu, TP., thành
    phố, quận, huyện, thị xã, tỉnh) are taken off, and never the whole text. Place names that only look like a
    unit word without accents (Quan Lạn, Tĩnh Gia) stay whole.
    """
    name = _clean(text)
    office = _OFFICE.match(fold(name))
    if office:
        name = name[office.end() :]
    unit = _CLEAR_UNIT.match(fold(name)) or _ACCENTED_UNIT.match(name)
    if unit is None and office and name.isascii():
        unit = _BARE_UNIT.match(name)  # after UBND a bare word is the unit
    rest = fold(name[unit.end() :]) if unit else fold(name)
    return rest or fold(name) or fold(text)


def sort_key(text: str) -> tuple[object, ...]:
    """A key for sorted(): Vietnamese alphabet first, then tones (ngang huyền hỏi ngã sắc nặng), then case.

    Đ follows D, Ư follows U; a space comes before any letter; digits compare as numbers (Tổ 2 < Tổ 10). Both
    tone placements (Hòa, Hoà) rank alike.
    """
    letters: list[tuple[int, int]] = []
    tones = [0]
    for chunk in re.findall(r"[0-9]+|[^0-9]", _clean(text)):
        if unicodedata.combining(chunk[0]):
            continue  # a mark no Vietnamese letter takes
        letter, tone = (chunk, 0) if chunk.isdecimal() else _split_tone(chunk)
        if not letter.isalpha():
            letters.append((_NUMBER, int(letter)) if letter.isdecimal() else (_SPACE, 0))
            tones.append(0)  # one tone a syllable, on whichever vowel it is written
            continue
        letters.append((_LETTER, _RANK[letter]) if letter in _RANK else (_OTHER, ord(letter[0])))
        tones[-1] = max(tones[-1], tone)
    return (tuple(letters), tuple(tones), text.swapcase())


def _clean(text: str) -> str:
    """Lower case, composed, single spaces, no invisible characters: one character a letter."""
    visible = "".join(char for char in text if unicodedata.category(char) != "Cf")
    return " ".join(unicodedata.normalize("NFC", visible).lower().split())


@cache
def _split_tone(char: str) -> tuple[str, int]:
    """A letter without its tone mark, and the rank of the tone: "ộ" -> ("ô", 5)."""
    marks = unicodedata.normalize("NFD", char)
    tone = max((_TONES.get(mark, 0) for mark in marks), default=0)
    return unicodedata.normalize("NFC", "".join(mark for mark in marks if mark not in _TONES)), tone
