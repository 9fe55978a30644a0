"""The list of dossiers, drawn. Pure: rows of metrics.city.records.dossiers -> components."""

from __future__ import annotations

from dash.development.base_component import Component

from components.desk_links import View, item_path
from components.desk_parts import link, state_mark
from components.desk_table import Column
from metrics.city import City
from metrics.city.records.dossiers import DossierItem
from text import t
from text.formats import MISSING, instant, number

STATES = (
    "open",
    "overdue",
    "due_soon",
    "waiting",
    "received",
    "finished",
    "late",
    "no_due",
    "ended_before_start",
    "new",
    "refused",
)
NOW_STATES = ("open", "overdue", "due_soon", "waiting")
ENDED_STATES = ("finished", "late", "ended_before_start")
# how a verdict on time is marked: shape and colour of a state, its word from timeliness.*
MARKS = {
    "overdue": "dead",
    "late": "dead",
    "due_soon": "late",
    "waiting": "static",
    "in_time": "fresh",
    "on_time": "fresh",
    "early": "fresh",
    "no_due": "never",
}


def dossier_columns(city: City, view: View) -> tuple[Column[DossierItem], ...]:
    """The columns of the list. One that would be empty in the state asked for is left out."""
    lang, state = view.lang, view.get("state")

    def at(value: int | None) -> str:
        return instant(value, city.config.tz, lang)

    def label(key: str) -> str:
        return t(f"column.dossier.{key}", lang)

    columns = (
        Column[DossierItem](label("source_id"), lambda row: _open(view, row), "main", "number"),
        Column[DossierItem](label("timeliness"), lambda row: timeliness(row, lang), "text", "timeliness", "timeliness"),
        Column[DossierItem](label("due_at"), lambda row: at(row.due_at), "time", "due", "due"),
        Column[DossierItem](t("desk.working_days_left", lang), lambda row: number(row.days_left, lang, 1), "number"),
        Column[DossierItem](
            label("agency"), lambda row: row.agency_name or t("unmapped.agency", lang), "wide", "agency", "agency"
        ),
        Column[DossierItem](label("procedure"), lambda row: row.procedure_name or MISSING, "wide", "procedure", "procedure"),
        Column[DossierItem](label("status"), lambda row: t(f"dossier_status.{row.status}", lang), "short", "status", "status"),
        Column[DossierItem](label("received_at"), lambda row: at(row.received_at), "time", "received", "received"),
        Column[DossierItem](label("finished_at"), lambda row: at(row.finished_at), "time", "finished", "finished"),
        Column[DossierItem](label("channel"), lambda row: t(f"channel.{row.channel}", lang), "short", "channel", "channel"),
    )
    unused = label("finished_at") if state in NOW_STATES else ""
    if state in ENDED_STATES:
        unused = t("desk.working_days_left", lang)
    return tuple(column for column in columns if column.label != unused)


def timeliness(row: DossierItem, lang: str) -> Component | str:
    """A dossier against its due date, as shape, colour and word."""
    return state_mark(MARKS[row.timeliness], t(f"timeliness.{row.timeliness}", lang)) if row.timeliness in MARKS else MISSING


def _open(view: View, row: DossierItem) -> Component:
    return link(row.source_id, view.to(item_path("/dossiers", row.feed, row.source_id), period=""))
