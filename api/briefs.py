"""Briefs by the API: the list of issued ones, their files byte by byte, and a draft of any week as PDF or workbook."""

from __future__ import annotations

from typing import Any

from api.answers import Ask, Json
from api.errors import ApiError
from api.showing import File
from api.tables import Column, Table, iso
from api.weekly import week_of
from briefs.issue import archived, briefs, draft
from briefs.pdf import NoTypesetter
from store.briefs import BriefRow

COLUMNS = tuple(
    Column(*row)
    for row in (
        ("id", "whole"), ("week",), ("lang",), ("issued_by",), ("issued_at", "at"), ("as_of", "at"), ("revision", "whole"), ("sha256",),
        ("replaces", "whole"),
    )
)
INSTANTS = ("issued_at", "as_of")


def answer_briefs(ask: Ask) -> Json | Table:
    """Issued briefs, newest first; those of one week with `week`."""
    found = briefs(ask.city, ask.asked.text("week"))
    if ask.form != "json":
        ask.city.scope.require("export")
        return Table("briefs", COLUMNS, lambda: iter([[tuple(getattr(row, column.key) for column in COLUMNS) for row in found]]))
    return {"count": len(found), "revision": ask.city.revision, "items": [_told(ask, row) for row in found]}


def answer_issued(ask: Ask) -> File:
    """A brief as it was issued."""
    try:
        row, body = archived(ask.city, int(ask.key) if ask.key.isascii() and ask.key.isdigit() and len(ask.key) < 18 else 0, ask.form)
    except KeyError:
        raise ApiError(404, "not_found", "there is no brief of this number", field="id", remedy="see /api/v1/briefs") from None
    return File(f"brief-{row.week}-{row.lang}-{row.id}", body, "brief", str(row.id))


def answer_draft(ask: Ask) -> File:
    """The brief of a week as it stands now for this reader, marked as a draft."""
    week = week_of(ask.city, ask.asked)
    try:
        _, body = draft(ask.city, week, ask.lang, ask.form)
    except NoTypesetter as fault:
        raise ApiError(503, "no_typesetter", "this server cannot make PDFs", remedy=str(fault)) from fault
    return File(f"draft-{week.text}-{ask.lang}-r{ask.city.revision}", body, "weekly", week.text)


def _told(ask: Ask, row: BriefRow) -> dict[str, Any]:
    tz = ask.city.store.days.tz
    told = {column.key: getattr(row, column.key) for column in COLUMNS}
    files = {form: f"/api/v1/briefs/{row.id}.{form}" for form in ("pdf", "xlsx")}
    return {**told, **{name: iso(told[name], tz) for name in INSTANTS}, **files}
