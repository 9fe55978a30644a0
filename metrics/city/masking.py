"""What of a row a reader is given: one table for every answer of City, so that screen, API and export cannot differ.

A field of words that stands in neither table is a fault that tests/test_privacy.py finds: whoever adds one says who may read it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import Connection, text

from data_sources.redact import MARKERS, redact_code
from metrics.city import City
from metrics.city.grid import Grid
from scope import FIELD_CLASSES, Scope
from text import t

PUBLIC, FREE_TEXT, PERSONAL = FIELD_CLASSES
Item = TypeVar("Item")
_SHOWN = 3  # letters of a masked id that stay


@dataclass(frozen=True)
class Mask:
    """A field ("Answer.field"), the class and permission it needs, and what others are given: nothing, part of the id, or the cell."""

    field: str
    field_class: str
    instead: str = "nothing"
    permission: str = ""


MASKS: tuple[Mask, ...] = (
    Mask("ReportItem.description", FREE_TEXT, permission="see.report_text"),
    Mask("Candidate.words", FREE_TEXT, permission="see.report_text"),
    Mask("ReportItem.resolution", FREE_TEXT, permission="see.report_text"),
    Mask("ReportItem.lon", FREE_TEXT, "lon", "see.report_text"),
    Mask("ReportItem.lat", FREE_TEXT, "lat", "see.report_text"),
    Mask("ReportItem.source_id", PERSONAL, "id"),
    Mask("Neighbour.source_id", PERSONAL, "id"),
    Mask("Spot.source_id", PERSONAL, "id"),
    Mask("DossierItem.source_id", PERSONAL, "id"),
    Mask("DossierDetail.alias", PERSONAL, "id"),
    Mask("RiskItem.source_id", PERSONAL, "id"),
    Mask("RiskItem.step", FREE_TEXT, "empty"),
    Mask("StepItem.name", FREE_TEXT, "empty"),
    Mask("StepItem.department", FREE_TEXT, "empty"),
    Mask("GamingRow.source_id", PERSONAL, "id"),
    Mask("GamingRow.next_id", PERSONAL, "id"),
    Mask("RejectItem.payload", FREE_TEXT, "empty"),
    Mask("RejectItem.value", FREE_TEXT, "empty"),
    Mask("RejectItem.item", PERSONAL, "id"),
)

# answer -> its other words and points: codes, names of the city's lists, states, what the city file says
PUBLIC_FIELDS: Mapping[str, str] = {
    "Agency": "code name parent_code origin",
    "Alike": "group",
    # what a meeting writes is refused where it holds anything of a person (metrics/city/typed.py); who writes it signs for it
    "Annotation": "key agency_code agency area_code area body said_by withdrawn_by withdrawn_why",
    "AreaShape": "code name full_name level parent_code lon lat geometry",
    "BaselineSpan": "from_week to_week set_by reason",  # who decides by what the city judges itself signs for it
    # its steps come from metrics.process: named in the office's words only for readers of free text, else by their state
    "Bottlenecks": "procedure_code procedure_name",
    "Bound": "key",
    "Candidate": "state said_by",  # who says that two reports are of one thing signs for it
    "Cell": "lon lat",
    "Coincident": "topic kind key name measure_unit",
    "Computed": "groups",  # a function, no answer
    "Change": "field before after",  # read_versions compares free text only for those who may read it
    "Definition": "owner subject tables",
    # /explore: questions and their shapes; groups are codes and parts of periods, names as of other answers
    "Answer": "coverage why_not",
    "Dimension": "key kind columns",
    "Measure": "key topic label measure_unit",
    "Question": "measures by late_rule compare",
    "Row": "groups labels",
    "DossierItem": "feed agency_code agency_name procedure_code procedure_name domain_code domain_name channel standing timeliness",
    "Counted": "coverage",
    "DuplicatePage": "next_cursor",
    "DossierTime": "unit",
    "Exceedance": "station property averaging",
    "Explained": "key area_code area off",  # off = days and names of public holidays
    "FeedState": "key role title owner protocol state error",  # an error is redacted before it is stored
    "FlaggedReading": "flag",
    "Followup": "week what agency_code agency who key state made_by",
    "FollowupEvent": "actor kind note",
    "Form": "by late_rule",
    "FormRow": "group label state",
    "Choices": "themes subjects",
    "GamingFound": "kind blind",
    "GamingRow": "kind day feed procedure_code procedure how next_feed",
    "GamingRule": "key permission",
    "HotSpot": "key name lon lat top_code top",  # of whole areas, or of cells wider than the city's grid
    "HotSpots": "by",
    "Heard": "topic kind key measure_unit",
    "IndicatorItem": (
        "feed source_id indicator name name_en kind theme group parent subject_kind subject subject_name period value_text bound "
        "measure_unit better rank_source change_from verdict document publisher previous_period"
    ),
    "KpiValue": "key measure_unit verdict freshness late_rule state no_change",
    "LeftOut": "feed title",
    "Listed": "next_cursor",
    "Measured": "property measure_unit name state flag",
    "Neighbour": "feed category_code category_name area_code status lon lat",  # of readers of cells the cell's middle
    "Place": "lon lat",  # expressions that read the point or its cell, no answer
    "Point": "group label state",
    "ProcedureTime": "procedure_code procedure_name",
    "RainDay": "feed station",
    "ReadingItem": "feed station property measure_unit area_code flag",
    "RejectCount": "feed reason field",
    "RejectItem": "feed field reason",
    "Reminder": "why",
    "ReportItem": "feed category_code category_name agency_code agency_name area_code area_name status channel timeliness",
    "SavedView": "name query owner",  # a name is refused where it holds anything of a person; who shares a view signs for it
    "RuleCounts": "blind",
    "Making": "step_names",  # columns as they grow, no answer
    "RiskItem": "feed agency_code agency_name procedure_code procedure_name",
    "RiskModel": "ranked_by",
    "RiskPage": "next_cursor",
    "RiskReason": "key",
    "ScoredGroup": "key",
    "_Scored": "keys",  # a queue before its rows are masked, no answer
    "ScoredIndicator": "no kpi source state lacks",
    "Shown": "key query lang content made_by",  # kept for readers of at least the maker's rights
    "Sign": "kind agency_code agency",
    "Silence": "feed title",
    "Signal": "key measure_unit better verdict rule kind per_day",
    "SignalPoint": "week rule state",
    "Statement": "section",  # and the words of Word: names and codes as of other answers, promises and annotations as those above
    "Source": "topic table names where values",  # which cells are summed, no answer
    "Spot": "lon lat feed",  # of readers of cells those of the cell: metrics/city/lists/within.py place_of
    "SpanRow": "key",
    "Square": "lon lat",
    "StationState": "feed source_id name kind lon lat area_code state aqi_category aqi_dominant",
    "Stream": "property measure_unit",
    "Table": "key section",
    "TrailItem": "actor address action kind subject detail hash",  # needs see.audit; the trail is written without personal data
    "TrailPage": "next_cursor",
    "Tried": "agency",
    "Uptime": "feed station",
    "WaterLevel": "feed station freshness state",
    "Word": "key words",
}


# answer -> its masked fields: files ask for every row
_MASKS_OF: Mapping[str, tuple[tuple[str, Mask], ...]] = {
    owner: tuple((mask.field.partition(".")[2], mask) for mask in MASKS if mask.field.partition(".")[0] == owner)
    for owner in dict.fromkeys(mask.field.partition(".")[0] for mask in MASKS)
}


def may_read(scope: Scope, mask: Mask) -> bool:
    """Is the field for this reader as it is?"""
    return mask.field_class in scope.field_classes and (not mask.permission or scope.permits(mask.permission))


def masked(city: City, item: Item, grid: Grid | None = None) -> Item:
    """The row as this reader may have it."""
    changes: dict[str, Any] = {}
    for field, mask in _MASKS_OF.get(type(item).__name__, ()):
        if not may_read(city.scope, mask):
            changes[field] = _INSTEAD[mask.instead](getattr(item, field), grid)
    return replace(item, **changes) if changes else item  # type: ignore[type-var]


def needs_grid(scope: Scope) -> bool:
    """Is this reader given cells for points?"""
    return any(mask.instead in ("lon", "lat") and not may_read(scope, mask) for mask in MASKS)


def _lon(value: float | None, grid: Grid | None) -> float | None:
    return None if value is None or grid is None else grid.lon(value)


def _lat(value: float | None, grid: Grid | None) -> float | None:
    return None if value is None or grid is None else grid.lat(value)


def masked_id(value: str) -> str:
    """An id that is a person's (identity card, telephone) by its last letters, one of words redacted, any other as it is.

    >>> masked_id("022084001234"), masked_id("H49.36-260302-0007")
    ('•••234', 'H49.36-260302-0007')
    """
    told = redact_code(value)
    return "•••" + value[-_SHOWN:] if told in MARKERS else told


_INSTEAD: dict[str, Callable[[Any, Grid | None], Any]] = {
    "nothing": lambda value, grid: None,
    "empty": lambda value, grid: "",
    "id": lambda value, grid: masked_id(value),
    "lon": _lon,
    "lat": _lat,
}

# ---- names nobody has looked at ---------------------------------------------------------------------------------------
UNVETTED_TABLES = {
    "agency": "core_agency", "procedure": "core_procedure", "domain": "core_domain", "category": "core_category", "area": "core_area",
}


def unvetted(connection: Connection, city: City, kind: str) -> Mapping[str, str]:
    """Codes of this kind that feeds named and the city's own list does not know, each with what it is called instead: the same for the
    same code, and nothing told of it. None for readers of free text.

    A source that writes a person where an office belongs would otherwise put that person on the wall.
    """
    if FREE_TEXT in city.scope.field_classes:
        return {}
    key = ("unvetted", kind)
    if key not in city.memo:
        statement = text(f"SELECT code FROM {UNVETTED_TABLES[kind]} WHERE origin = 'unmapped'")
        city.memo[key] = {code: _stand_in(city, code) for code in connection.execute(statement).scalars()}
    found: Mapping[str, str] = city.memo[key]
    return found


def _stand_in(city: City, code: str) -> str:
    return t("unmapped.stand_in", city.config.language, mark=hashlib.blake2b(code.encode(), digest_size=3).hexdigest())
