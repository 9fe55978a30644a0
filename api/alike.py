"""/api/v1/duplicates and /api/v1/hotspots: reports that may be of one thing, and places with more reports than usual."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from api.answers import Ask, Json, list_or_table, period_json
from api.parameters import AGENCY, AREA, CATEGORY, HEADERS, PAGING, PERIOD, Parameter, bad
from api.showing import Route
from api.tables import Column, Table, iso
from metrics.city.findings import duplicates, hotspots
from metrics.city.findings.duplicates import Candidate, DuplicatePage
from metrics.city.findings.hotspots import HotSpot
from store.same import OPEN, STATES

DUPLICATES_PERIOD, HOTSPOTS_PERIOD = "last_30d", "last_week"
_OF_ONE = ("feed", "source_id", "received_at", "category_code", "category_name", "agency_code", "area_code", "status", "description")


def _kind(name: str) -> str:
    return "at" if name.endswith("_at") else "text"


PAIR_COLUMNS = (
    *(Column(f"{side}_{name}", _kind(name)) for side in ("later", "earlier") for name in _OF_ONE),
    Column("metres", "number"), Column("hours", "number"), Column("is_same_category", "flag"), Column("likeness", "number"),
    Column("words"), Column("strength", "number"), Column("state"), Column("said_by"), Column("said_at", "at"),
)
SPOT_COLUMNS = (
    Column("key"), Column("name"), Column("lon", "number"), Column("lat", "number"), Column("n", "whole"), Column("expected", "number"),
    Column("low", "whole"), Column("high", "whole"), Column("earlier", "whole"), Column("standing", "number"), Column("is_unusual", "flag"),
    Column("top_code"), Column("top"), Column("top_n", "whole"),
)


def answer_duplicates(ask: Ask) -> Json | Table:
    """Pairs as the page shows them: a page of JSON, or all of them as a table."""
    if ask.form != "json":
        ask.city.scope.require("export")
        first = _page(ask, duplicates.MOST, "")  # what cannot be asked is told before a file is begun
        return Table("duplicates", PAIR_COLUMNS, lambda: _all(ask, first))
    found = _page(ask, min(ask.asked.limit(), duplicates.MOST), ask.asked.text("cursor"))
    tz, reach = ask.city.store.days.tz, found.reach
    items = [
        {column.key: iso(cell, tz) if column.kind == "at" else cell for column, cell in zip(PAIR_COLUMNS, _pair(row), strict=True)}
        for row in found.rows
    ]
    return {
        "total": found.total, "count": len(items), "next": found.next_cursor or None, "reports": found.reports, "placed": found.placed,
        "repeats": found.repeats, "reach": {"radius_m": reach.radius_m, "days": reach.days, "by_category": dict(reach.by_category)},
        **_stamp(ask), "items": items,
    }


def answer_hotspots(ask: Ask) -> Json | Table:
    """Places with more reports than usual, most unusual first; then others that had any."""
    period = ask.asked.period(ask.city, HOTSPOTS_PERIOD)
    assert period is not None
    try:
        found = hotspots.unusual(ask.city, period, ask.asked.text("by") or hotspots.BY[0], ask.asked.choice())
    except ValueError as fault:
        raise bad("period", str(fault), "at most 31 days") from fault
    listed = list_or_table(ask, f"hotspots_{found.by}", SPOT_COLUMNS, [_spot(row) for row in (*found.found, *found.others)])
    if isinstance(listed, Table):
        return listed
    return {
        "period": period_json(found.asked.period) if found.asked else None, "by": found.by, "total": found.total,
        "placeless": found.placeless, "compared": found.compared, "by_chance": found.by_chance, "earlier": found.earlier, **_stamp(ask),
        "items": listed,
    }


def _page(ask: Ask, limit: int, cursor: str) -> DuplicatePage:
    period = ask.asked.period(ask.city, DUPLICATES_PERIOD)
    assert period is not None
    try:
        return duplicates.read(ask.city, period, ask.asked.choice(), ask.asked.text("state") or OPEN, limit=limit, cursor=cursor)
    except ValueError as fault:
        field, _, said = str(fault).partition(": ")
        raise bad(field, said or field, "see the message") from fault


def _all(ask: Ask, page: DuplicatePage) -> Iterator[Sequence[Sequence[Any]]]:
    while True:
        yield [_pair(row) for row in page.rows]
        if not page.next_cursor:
            return
        page = _page(ask, duplicates.MOST, page.next_cursor)


def _pair(row: Candidate) -> tuple[Any, ...]:
    sides = [getattr(one, name) for one in (row.later, row.earlier) for name in _OF_ONE]
    words = None if row.words is None else ", ".join(row.words)
    shared = (row.metres, row.hours, row.is_same_category, row.likeness, words)
    return (*sides, *shared, row.strength, row.state, row.said_by or None, row.said_at)


def _spot(row: HotSpot) -> tuple[Any, ...]:
    return tuple(getattr(row, column.key) for column in SPOT_COLUMNS)


def _stamp(ask: Ask) -> dict[str, Any]:
    return {"as_of": iso(ask.city.as_of, ask.city.store.days.tz), "revision": ask.city.revision}


_PLACES = (PERIOD, AGENCY, AREA, CATEGORY)
ROUTES = (
    Route(
        "/api/v1/duplicates", "see.reports", "pairs of reports that may be of one thing, and what people said of them", answer_duplicates,
        has_tables=True, is_watched=True,
        parameters=(*_PLACES, Parameter("state", "what people said of the pair; default open", STATES), *PAGING, HEADERS),
    ),
    Route(
        "/api/v1/hotspots", "see.reports", "places with more reports than usual for the place and its weekdays", answer_hotspots,
        has_tables=True, parameters=(*_PLACES, Parameter("by", "areas or cells of a grid; default area", hotspots.BY), HEADERS),
    ),
)
