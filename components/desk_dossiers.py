"""The list of dossiers, drawn. Pure: rows of metrics.city.dossiers -> components."""

from __future__ import annotations

from collections.abc import Iterable

from dash.development.base_component import Component

from components.desk_links import View, item_path
from components.desk_parts import link, state_mark
from components.desk_table import Column, table
from metrics.city import City
from metrics.city.dossiers import DossierItem
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


def dossier_table(city: City, view: View, rows: Iterable[DossierItem]) -> Component:
    """One line a dossier; its number leads to its page. A column that would be empty in the state asked for is left out."""
    lang, state = view.lang, view.get("state")

    def at(value: int | None) -> str:
        return instant(value, city.config.tz, lang)

    columns = (
        Column[DossierItem](t("column.dossier.source_id", lang), lambda row: _open(view, row), "main"),
        Column[DossierItem](t("column.dossier.timeliness", lang), lambda row: timeliness(row, lang)),
        Column[DossierItem](t("column.dossier.due_at", lang), lambda row: at(row.due_at), "time"),
        Column[DossierItem](t("desk.working_days_left", lang), lambda row: number(row.days_left, lang, 1), "number"),
        Column[DossierItem](t("column.dossier.agency", lang), lambda row: row.agency_name or t("unmapped.agency", lang), "wide"),
        Column[DossierItem](t("column.dossier.procedure", lang), lambda row: row.procedure_name or MISSING, "wide"),
        Column[DossierItem](t("column.dossier.status", lang), lambda row: t(f"dossier_status.{row.status}", lang), "short"),
        Column[DossierItem](t("column.dossier.received_at", lang), lambda row: at(row.received_at), "time"),
        Column[DossierItem](t("column.dossier.finished_at", lang), lambda row: at(row.finished_at), "time"),
        Column[DossierItem](t("column.dossier.channel", lang), lambda row: t(f"channel.{row.channel}", lang), "short"),
    )
    unused = t("column.dossier.finished_at", lang) if state in NOW_STATES else ""
    if state in ENDED_STATES:
        unused = t("desk.working_days_left", lang)
    return table([column for column in columns if column.label != unused], rows, t("page.dossiers", lang))


def timeliness(row: DossierItem, lang: str) -> Component | str:
    """A dossier against its due date, as shape, colour and word."""
    return state_mark(MARKS[row.timeliness], t(f"timeliness.{row.timeliness}", lang)) if row.timeliness in MARKS else MISSING


def _open(view: View, row: DossierItem) -> Component:
    return link(row.source_id, view.to(item_path("/dossiers", row.feed, row.source_id), period=""))
