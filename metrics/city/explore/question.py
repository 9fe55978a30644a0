"""What may be asked of /explore and what comes back: a question, the dimensions it may be broken down by, the answer's rows and cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from metrics.city.lists.filters import Filter
from metrics.comparison import Comparison
from metrics.periods import Period

TOPICS = ("dossiers", "reports", "readings")
FILTERED = {"dossiers": "dossiers", "reports": "reports", "readings": "stations"}  # topic -> that of its filter
TOTAL, OTHERS = "*", "~"  # in the place of a group: of all groups together; of those after the first `top`
ROLLUP, INDEX, READ = "rollup", "index", "read"  # what answered: day roll-ups; indexes over a bounded number of rows; neither
MOST_CELLS = 10_000
PATIENCE_S = 3.0


@dataclass(frozen=True)
class Dimension:
    """One way to break a number down. kind: code (a column with names), time (parts of the period) or clock (hour, weekday).

    columns: topic -> the column its groups are the values of; a dossier's area is its agency's.
    """

    key: str
    kind: str
    columns: Mapping[str, str]


_ALL = dict.fromkeys(TOPICS, "")
DIMENSIONS: tuple[Dimension, ...] = (
    Dimension("agency", "code", {"dossiers": "agency_code", "reports": "agency_code"}),
    Dimension("area", "code", {"dossiers": "agency_code", "reports": "area_code", "readings": "area_code"}),
    Dimension("domain", "code", {"dossiers": "domain_code"}),
    Dimension("procedure", "code", {"dossiers": "procedure_code"}),
    Dimension("channel", "code", {"dossiers": "channel", "reports": "channel"}),
    Dimension("category", "code", {"reports": "category_code"}),
    Dimension("station", "code", {"readings": "station"}),
    Dimension("property", "code", {"readings": "property"}),
    Dimension("hour", "clock", _ALL),
    Dimension("weekday", "clock", _ALL),
    Dimension("day", "time", _ALL),
    Dimension("week", "time", _ALL),
    Dimension("month", "time", _ALL),
)
DIMENSION: Mapping[str, Dimension] = {row.key: row for row in DIMENSIONS}


@dataclass(frozen=True)
class Question:
    """Measures (of one topic) over a period, broken down by one or two dimensions, or by none.

    compare: "" | previous | last_year = beside a second period. top: only the first so many groups of each code dimension, by the
    first measure, the rest in one row that adds up; 0 = all. known_at: as the store knew it at that instant; None = now.
    may_read: go on where neither roll-up nor index covers the question (else the answer tells only the estimate).
    """

    measures: tuple[str, ...]
    by: tuple[str, ...]
    period: Period
    filter: Filter | None = None
    late_rule: str = ""
    compare: str = ""
    top: int = 0
    known_at: int | None = None
    may_read: bool = False


@dataclass(frozen=True)
class Figure:
    """One measure in one cell. value None = unknown or withheld, never zero; the others as metrics/comparison.py has them."""

    value: float | None
    n: int
    previous: float | None = None
    delta: float | None = None
    delta_pct: float | None = None


@dataclass(frozen=True)
class Row:
    """One cell of the breakdown: a group per dimension (code, period text, hour 0-23, weekday 1-7, TOTAL, OTHERS; "" = not known), its
    name as shown (empty where the screen has its own words), and a figure per measure."""

    groups: tuple[str, ...]
    labels: tuple[str, ...]
    figures: tuple[Figure, ...]
    is_partial: bool = False


@dataclass(frozen=True)
class Answer:
    """What a question gives. totals: the rows of sums over a dimension (of a pivot: per row, per column, of all), never part of rows.

    coverage: ROLLUP | INDEX | READ. estimate: rows it takes to read, roughly; 0 = roll-ups alone. rows_read: cells or rows it came from.
    is_read: False = only estimated: not covered, and the question did not say may_read. is_reproducible, why_not (text keys): of known_at.
    """

    question: Question
    rows: tuple[Row, ...]
    totals: tuple[Row, ...]
    coverage: str
    estimate: int
    rows_read: int
    revision: int
    as_of: int
    is_read: bool = True
    is_reproducible: bool = True
    why_not: tuple[str, ...] = ()
    comparison: Comparison | None = None
