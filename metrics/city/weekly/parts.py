"""What the weekly brief is made of: figures, words, sentences, tables. Screen, paper, workbook and API carry these and nothing else.

A sentence is a template of the locales with its figures; nothing is a string of one language until it is written (`written`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

SECTIONS = ("followups", "changed", "score", "agencies", "overdue", "feedback", "environment", "questions")


@dataclass(frozen=True)
class Figure:
    """A number. value None = unknown or not told (state suppressed | withheld), never 0. is_change = written with its sign."""

    value: float | None
    measure_unit: str
    decimals: int = 0
    n: int | None = None
    state: str = ""
    is_change: bool = False


@dataclass(frozen=True)
class Word:
    """A text of the locales with what is put into it."""

    key: str
    words: Mapping[str, Cell] = field(default_factory=dict)


Cell = Figure | Word | str | date | None  # str = a name of the data itself


@dataclass(frozen=True)
class Link:
    """The page that shows what stands behind a figure, with its parameters."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Statement:
    """One sentence: its number, what it is set beside, n, and where it leads. is_warning = read it first."""

    section: str
    said: Word
    link: Link | None = None
    is_warning: bool = False


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading is the text `weekly.column.<key>`; kind: text | figure | date."""

    key: str
    kind: str = "text"


@dataclass(frozen=True)
class Row:
    """One line of a table, as many cells as the table has columns."""

    cells: Sequence[Cell]
    link: Link | None = None


@dataclass(frozen=True)
class Table:
    """A table of the brief: its title is the text `weekly.table.<key>`; notes stand below it."""

    key: str
    section: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[Word, ...] = ()
