"""What rows can be narrowed by: every field of the filter grammar, by topic. One row per field; metrics/city/lists/filters.py reads them.

A column is written without its table's alias; `{a}` stands for the alias in an expression over several.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from metrics.city.lists.row_states import DOSSIER_STATES, DOSSIER_TIMELINESS, QUALITIES, REPORT_STATES, REPORT_TIMELINESS
from store.facts import told, yes

DOSSIERS, REPORTS, STATIONS = "dossiers", "reports", "stations"
STATION_STATES = ("fresh", "late", "stale", "dead", "never")


@dataclass(frozen=True)
class Field:
    """One thing rows are narrowed by.

    kind: code | tree (with all below) | number | day | flag | choice (one of `values`) | state (a named condition, one of `values`) |
    hour | weekday (1 Monday .. 7, of the instant or day in `column`) | place (inside a polygon).
    """

    key: str
    column: str
    kind: str = "code"
    values: tuple[str, ...] = ()
    is_text: bool = True  # missing is '' in its column, not NULL


def _day(key: str, column: str = "") -> Field:
    return Field(key, column or f"{key}_on", "day", is_text=False)


def _clock(event: str, prefix: str = "") -> tuple[Field, ...]:
    """Hour and weekday of an event in the city's zone."""
    return (
        Field(f"{prefix}hour", f"{event}_at", "hour", is_text=False),
        Field(f"{prefix}weekday", f"{event}_on", "weekday", is_text=False),
    )


def _fact(key: str, fact: str) -> Field:
    known = f"CASE WHEN ({{a}}facts & {told(fact)}) <> 0 THEN ({{a}}facts & {yes(fact)}) <> 0 END"
    return Field(key, f"({known})", "flag", is_text=False)


_COMMON = (
    Field("agency", "agency_code", "tree"), Field("feed", "feed"), Field("id", "source_id"), Field("channel", "channel"),
    _day("received"), _day("due"), *_clock("received"),
)
FIELDS: Mapping[str, tuple[Field, ...]] = {
    DOSSIERS: (
        *_COMMON,
        Field("area", "agency_code", "tree"),  # a dossier lies where its agency does
        Field("domain", "domain_code"), Field("procedure", "procedure_code"),
        Field("status", "status", "number", is_text=False),
        Field("state", "", "state", tuple(row.key for row in DOSSIER_STATES if row.key)),
        Field("timeliness", "", "state", tuple(row.key for row in DOSSIER_TIMELINESS)),
        _day("filed"), _day("finished"), *_clock("finished", "finished_"),
        Field("supplements", "supplement_count", "number", is_text=False),
        _fact("digitised", "is_digitised"), _fact("paid_online", "is_paid_online"),
    ),
    REPORTS: (
        *_COMMON,
        Field("area", "area_code", "tree"), Field("category", "category_code"), Field("status", "status"),
        Field("state", "", "state", tuple(row.key for row in REPORT_STATES if row.key)),
        Field("timeliness", "", "state", tuple(row.key for row in REPORT_TIMELINESS)),
        Field("quality", "", "state", tuple(row.key for row in QUALITIES)),
        _day("closed"), _day("reopened"), *_clock("closed", "closed_"),
        Field("rating", "rating", "number", is_text=False), Field("reopenings", "reopened_count", "number", is_text=False),
        Field("returned", "returned_count", "number", is_text=False), Field("extended", "extension_count", "number", is_text=False),
        Field("urgent", "is_urgent", "flag", is_text=False),
        Field("duplicate", "(CASE WHEN {a}knows_duplicates THEN {a}is_duplicate END)", "flag", is_text=False),
        Field("within", "lon lat", "place", is_text=False),
    ),
    STATIONS: (
        Field("area", "area_code", "tree"), Field("feed", "feed"), Field("id", "source_id"), Field("kind", "kind"),
        Field("state", "state", "choice", STATION_STATES), Field("property", "property"),
        Field("aqi", "aqi", "number", is_text=False), Field("within", "lon lat", "place", is_text=False),
    ),
}
FIELD_BY_KEY: Mapping[str, Mapping[str, Field]] = {topic: {row.key: row for row in rows} for topic, rows in FIELDS.items()}
# the days a period can be about, beside the fields: dossiers and reports
PERIOD_DAYS: Mapping[str, Mapping[str, str]] = {
    DOSSIERS: {"received": "received_on", "finished": "finished_on", "due": "due_on", "filed": "filed_on"},
    REPORTS: {"received": "received_on", "closed": "closed_on", "due": "due_on", "reopened": "reopened_on"},
    STATIONS: {},
}
