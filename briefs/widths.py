"""How wide the columns of a table on paper are: as wide as they need; where the page is too narrow, texts wrap before figures do. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

PAGE = 265.0  # mm between the margins of a wide page
MOST_TEXT, MOST_HEAD = 62.0, 22.0  # mm of a text, and of a heading, before it wraps, at the larger size
GAP = 3.7  # mm between columns
LEAST_TEXT = 24.0  # mm of a text that wraps
MOST = 0.85  # of the figures of a column stand on one line however little room there is
SIZES = (8.0, 7.4)  # points
POINT = 0.3528  # mm
# how wide the letters of Noto Sans are, in parts of their size; marks above and below add nothing
CLASSES = (
    (0.27, " .,:;'|iljI"), (0.37, "ft()/-\"J"), (0.42, "r"), (0.49, "cszLF"), (0.53, "kvxyEP"), (0.58, "0123456789+−–=aeTYXSRBK"),
    (0.63, "bdghnopquVACZ"), (0.76, "DGHNUOQ"), (0.8, "w%"), (0.94, "mMW@"),
)
EMS = {letter: width for width, letters in CLASSES for letter in letters}
GENEROUS = 1.04  # another font of the same kind, bold headings


@dataclass(frozen=True)
class Widths:
    """Millimetres of each column, the size of the letters in points; is_tight = even figures may wrap, before their unit."""

    columns: tuple[float, ...]
    size: float
    is_tight: bool = False


def table_widths(heads: Sequence[str], kinds: Sequence[str], cells: Sequence[Sequence[str]]) -> Widths:
    """The widths of a table of so written cells; the larger letters where they fit on the page."""
    size = SIZES[0]
    for size in SIZES:
        named = enumerate(zip(heads, kinds, strict=True))
        columns = [_Column(head, kind == "text", [row[at] for row in cells], size) for at, (head, kind) in named]
        if sum(column.need for column in columns) <= PAGE:
            return Widths(tuple(column.need for column in columns), size)
    given = _shared(columns)
    fit = min(1.0, PAGE / sum(given))  # figures alone can be too many: then all give way
    return Widths(tuple(width * fit for width in given), size, is_tight=True)


class _Column:
    """What a column needs in mm: `need` on one line or nearly so; `least` wrapped at every word, figures as wide as most of them are."""

    def __init__(self, head: str, is_text: bool, cells: Sequence[str], size: float) -> None:
        wide = sorted(letters_mm(cell, size) for cell in cells) or [0.0]
        word = max((letters_mm(one, size) for text in (head, *cells) for one in text.split()), default=0.0)
        self.need = GAP + max(word, min(letters_mm(head, size), MOST_HEAD), min(wide[-1], MOST_TEXT) if is_text else wide[-1])
        self.least = GAP + max(word, min(wide[-1], LEAST_TEXT) if is_text else wide[int(MOST * (len(wide) - 1))])


def _shared(columns: Sequence[_Column]) -> list[float]:
    """Every column its least; what is left of the page goes to all, evenly up to what each needs."""
    given = [column.least for column in columns]
    left = PAGE - sum(given)
    wanting = [at for at, column in enumerate(columns) if column.need > column.least]
    while left > 0.1 and wanting:
        part = left / len(wanting)
        for at in wanting:
            more = min(part, columns[at].need - given[at])
            given[at] += more
            left -= more
        wanting = [at for at in wanting if columns[at].need - given[at] > 0.1]
    return given


def letters_mm(text: str, size: float) -> float:
    """About how wide a text is set, rather too wide than too narrow."""
    letters = (letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))
    return sum(EMS.get(letter, 0.63) for letter in letters) * size * POINT * GENEROUS
