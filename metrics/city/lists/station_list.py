"""Stations as a list: narrowed by the one filter grammar, found by words, sorted. A city has few, so they are read whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from metrics.city import City
from metrics.city.feeds import STATES
from metrics.city.lists.filter_grammar import MISSING, NONE, PRESENT, RANGE, Filter, Term, parse
from metrics.city.lists.known import known
from metrics.city.lists.within import Polygon, read_polygon
from metrics.city.measured import stations
from metrics.city.measured.stations import StationState
from text.vietnamese import fold, sort_key

# what a field is compared with: the values a station has of it
_VALUES: Mapping[str, Callable[[StationState], Sequence[Any]]] = {
    "area": lambda row: [row.area_code], "feed": lambda row: [row.feed], "id": lambda row: [row.source_id], "kind": lambda row: [row.kind],
    "state": lambda row: [row.state], "property": lambda row: [value.property for value in row.values],
    "aqi": lambda row: [row.aqi],
}
# None = not known: last in both directions
SORTS: Mapping[str, Callable[[StationState, Mapping[str, str]], Any]] = {
    "name": lambda row, areas: sort_key(row.name or row.source_id),
    "freshness": lambda row, areas: STATES.index(row.state),
    "age": lambda row, areas: None if row.observed_at is None else -row.observed_at,
    "vn_aqi": lambda row, areas: row.aqi,
    "kind": lambda row, areas: row.kind,
    "area": lambda row, areas: sort_key(areas[row.area_code]) if areas.get(row.area_code) else None,
}


def chosen(given: Mapping[str, str]) -> Filter:
    """The filter of parameters: page, API and exports make theirs here. ValueError ("field: ...")."""
    return parse("stations", given)


def read(city: City, asked: Filter, sort: str = "") -> tuple[StationState, ...]:
    """The stations of a filter, by feed and id, or sorted by a key of SORTS (- before it turns it round). Requires see.stations.

    ValueError ("field: ...") for what cannot be meant.
    """
    key = sort.removeprefix("-")
    if key and key not in SORTS:
        raise ValueError(f"sort: {sort[:40]!r} is none of {', '.join(SORTS)}; a - before it turns it round")
    areas = known(city, "area").names
    terms = [_widened(city, term) for term in asked.terms]
    words = fold(asked.q).split() if fold(asked.q) or not asked.q else [asked.q]
    found = [
        row for row in stations.read(city)
        if all(_holds(term, row) for term in terms) and _is_found(words, row, areas.get(row.area_code, ""))
    ]
    if key:
        keyed = [(SORTS[key](row, areas), row) for row in found]
        told = sorted((pair for pair in keyed if pair[0] is not None), key=lambda pair: pair[0], reverse=sort.startswith("-"))
        found = [row for _, row in (*told, *(pair for pair in keyed if pair[0] is None))]
    return tuple(found)


def _widened(city: City, term: Term) -> Term:
    """An area with all below it."""
    if term.field != "area" or not term.values:
        return term
    return Term(term.field, term.how, known(city, "area").below(map(str, term.values)))


def _holds(term: Term, row: StationState) -> bool:
    if term.field == "within":
        return _lies(term, row)
    values = [value for value in _VALUES[term.field](row) if value not in ("", None)]
    if term.how in (MISSING, PRESENT):
        return bool(values) == (term.how == PRESENT)
    if term.how == RANGE:
        return any((term.low is None or value >= term.low) and (term.high is None or value <= term.high) for value in values)
    return any(value in term.values for value in values) != (term.how == NONE)


def _lies(term: Term, row: StationState) -> bool:
    if row.lon is None or row.lat is None:
        return term.how in (MISSING, NONE)
    if term.how in (MISSING, PRESENT):
        return term.how == PRESENT
    return _is_inside(read_polygon(str(term.values[0])), row.lon, row.lat) != (term.how == NONE)


def _is_inside(polygon: Polygon, lon: float, lat: float) -> bool:
    """As metrics/city/lists/within.py decides it in SQL: an odd number of edges to the east."""
    corners, is_in = polygon.corners, False
    for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1], strict=True):
        if (lat >= y1) != (lat >= y2) and lon < x1 + (x2 - x1) / (y2 - y1) * (lat - y1):
            is_in = not is_in
    return is_in


def _is_found(words: Iterable[str], row: StationState, area: str) -> bool:
    """Does every word begin a word of the station's name, its number or its area's name? What is no word at all is found nowhere."""
    known_words = [*fold(f"{row.name} {row.source_id} {area}".replace("-", " ").replace(".", " ")).split(), fold(row.source_id)]
    return all(any(one.startswith(word) for one in known_words) for word in words)
