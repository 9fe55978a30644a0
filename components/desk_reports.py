"""The list of citizen reports, drawn. Pure: rows of metrics.city.records.reports -> components."""

from __future__ import annotations

from collections.abc import Sequence

from dash.development.base_component import Component

from components.desk_dossiers import MARKS
from components.desk_links import View, item_path
from components.desk_parts import link, state_mark
from components.desk_table import Column
from metrics.city import City
from metrics.city.records.reports import ReportItem
from text import t
from text.formats import MISSING, instant

STATES = ("open", "overdue", "due_soon", "urgent", "received", "finished", "late", "no_due", "ended_before_start", "duplicate")
NOW_STATES = ("open", "overdue", "due_soon", "urgent")
_SHORT = 90  # characters of a citizen's words in a list


def report_columns(city: City, view: View, rows: Sequence[ReportItem]) -> tuple[Column[ReportItem], ...]:
    """The columns of the list; those that would be empty are left out. What citizens wrote is for readers with the right to it."""
    lang = view.lang

    def at(value: int | None) -> str:
        return instant(value, city.config.tz, lang)

    def label(key: str) -> str:
        return t(f"column.report.{key}", lang)

    columns = (
        Column[ReportItem](label("source_id"), lambda row: _open(view, row), "main", "number"),
        Column[ReportItem](label("timeliness"), lambda row: timeliness(row, lang), "text", "timeliness", "timeliness"),
        Column[ReportItem](label("due_at"), lambda row: at(row.due_at), "time", "due", "due"),
        Column[ReportItem](label("category"), lambda row: row.category_name or MISSING, "wide", "category", "category"),
        Column[ReportItem](label("area"), lambda row: row.area_name or t("unmapped.area", lang), "text", "area", "area"),
        Column[ReportItem](label("agency"), lambda row: row.agency_name or t("unmapped.agency", lang), "wide", "agency", "agency"),
        Column[ReportItem](label("status"), lambda row: t(f"report_status.{row.status}", lang), "short", "status", "status"),
        Column[ReportItem](label("quality"), lambda row: quality_words(row, lang)),
        Column[ReportItem](label("received_at"), lambda row: at(row.received_at), "time", "received", "received"),
        Column[ReportItem](label("closed_at"), lambda row: at(row.closed_at), "time", "closed", "closed"),
        Column[ReportItem](label("description"), lambda row: _short(row.description), "wide"),
    )
    unused = {label("closed_at")} if view.get("state") in NOW_STATES else set()
    if not any(marks(row) for row in rows):
        unused.add(label("quality"))
    if not any(row.description for row in rows):
        unused.add(label("description"))
    return tuple(column for column in columns if column.label not in unused)


def timeliness(row: ReportItem, lang: str) -> Component:
    """A report against its due date, as shape, colour and word."""
    return state_mark(MARKS[row.timeliness], t(f"timeliness.{row.timeliness}", lang))


def marks(row: ReportItem) -> tuple[str, ...]:
    """What is worth a second look in how a report was handled: keys of the texts quality.*."""
    seen = {
        "reopened": bool(row.reopened_count) or row.reopened_at is not None, "within_hour": bool(row.is_within_hour),
        "bulk": row.is_in_bulk, "disliked": row.rating == 1, "returned": bool(row.returned_count), "extended": bool(row.extension_count),
    }
    return tuple(key for key, holds in seen.items() if holds)


def quality_words(row: ReportItem, lang: str) -> str:
    """The marks of a report in words."""
    return "; ".join(t(f"quality.{key}", lang) for key in marks(row)) or MISSING


def _open(view: View, row: ReportItem) -> Component:
    return link(row.source_id, view.to(item_path("/reports", row.feed, row.source_id), period=""))


def _short(words: str | None) -> str:
    if not words:
        return MISSING
    return words if len(words) <= _SHORT else words[: _SHORT - 1].rstrip() + "…"
