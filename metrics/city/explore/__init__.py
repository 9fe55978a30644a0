"""Any measure broken down by one or two dimensions, over any filter and period: what /explore, its exports and its API ask."""

from metrics.city.explore.measures import MEASURE, MEASURES, Measure
from metrics.city.explore.question import (
    DIMENSION,
    DIMENSIONS,
    FILTERED,
    INDEX,
    OTHERS,
    READ,
    ROLLUP,
    TOTAL,
    Answer,
    Dimension,
    Figure,
    Question,
    Row,
)
from metrics.city.explore.reading import read, stop
from store.bounded import Stopped, TookTooLong

__all__ = [
    "DIMENSION", "DIMENSIONS", "FILTERED", "INDEX", "MEASURE", "MEASURES", "OTHERS", "READ", "ROLLUP", "TOTAL", "Answer", "Dimension",
    "Figure", "Measure", "Question", "Row", "Stopped", "TookTooLong", "read", "stop",
]
