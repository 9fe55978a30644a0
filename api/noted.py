"""/api/v1/followups and /api/v1/annotations: what a weekly meeting wrote down, one row each, as JSON or as a table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from api.answers import Ask, Json, known_kpi
from api.parameters import AGENCY, AREA, PERIOD, Parameter, bad
from api.tables import Column, Table, iso
from metrics.city import annotations, followups
from metrics.city.followups import FollowupEvent
from metrics.periods import Period, parse_period
from store.followups import STATES

FOLLOWUP_FILTERS = (
    Parameter("week", "a week, e.g. 2026-W46: what its brief opens with; default all there are"),
    Parameter("state", "as it is now", STATES),
)
ANNOTATION_FILTERS = (Parameter("key", "KPI key; those of all KPIs come along; default of any"), PERIOD, AGENCY, AREA)
DEFAULT_PERIOD = "last_12w"
# field -> its kind; of a Followup, and of an Annotation
_FOLLOWUP = (
    "id:whole week what agency_code agency who due_on first_due_on moves:whole key state is_late:flag is_kept:flag done_on made_by "
    "made_at:at"
)
_ANNOTATION = "id:whole key agency_code agency area_code area from_on to_on body said_by said_at:at"


def _columns(told: str) -> tuple[Column, ...]:
    return tuple(Column(name, kind or "text") for name, _, kind in (word.partition(":") for word in told.split()))


FOLLOWUP_COLUMNS, ANNOTATION_COLUMNS = _columns(_FOLLOWUP), _columns(_ANNOTATION)


def answer_followups(ask: Ask) -> Json | Table:
    """Follow-ups in the order of the page; as JSON each with its history."""
    found = followups.read(ask.city, _week(ask), ask.asked.text("state"))
    listed = _listed(ask, "followups", FOLLOWUP_COLUMNS, found)
    if not isinstance(listed, Table):
        for item, one in zip(listed["items"], found, strict=True):
            item["events"] = [_event(ask, event) for event in one.events]
    return listed


def answer_annotations(ask: Ask) -> Json | Table:
    """Annotations that overlap the period, oldest day first; withdrawn ones are not told."""
    key, period = ask.asked.text("key"), ask.asked.period(ask.city, DEFAULT_PERIOD)
    assert period is not None
    found = annotations.read(ask.city, known_kpi(key, "key").key if key else None, period, ask.asked.choice())
    return _listed(ask, "annotations", ANNOTATION_COLUMNS, found)


def _week(ask: Ask) -> Period | None:
    given = ask.asked.text("week")
    if not given:
        return None
    try:
        found = parse_period(given, ask.city.today)
    except ValueError as fault:
        raise bad("week", str(fault), "a week, e.g. 2026-W46") from fault
    if found.kind != "week":
        raise bad("week", f"{found.text} is not a week", "a week, e.g. 2026-W46")
    return found


def _listed(ask: Ask, name: str, columns: tuple[Column, ...], found: Sequence[Any]) -> Any:
    """Rows of a table, or the JSON of a whole list."""
    rows = [[_cell(getattr(one, column.key)) for column in columns] for one in found]
    if ask.form != "json":
        ask.city.scope.require("export")
        return Table(name, columns, lambda: iter([rows]))
    tz = ask.city.store.days.tz
    told = [{c.key: iso(cell, tz) if c.kind == "at" else cell for c, cell in zip(columns, row, strict=True)} for row in rows]
    now = {"as_of": iso(ask.city.as_of, tz), "revision": ask.city.revision}
    return {"total": len(told), "count": len(told), "next": None, **now, "items": told}


def _cell(value: Any) -> Any:
    """A day as yyyy-mm-dd, anything else as it is."""
    return value.isoformat() if isinstance(value, date) else value


def _event(ask: Ask, event: FollowupEvent) -> dict[str, Any]:
    at = iso(event.at, ask.city.store.days.tz)
    return {"at": at, "actor": event.actor, "kind": event.kind, "note": event.note, "due_on": _cell(event.due_on)}
