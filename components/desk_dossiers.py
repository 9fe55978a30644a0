"""The list of dossiers and the page of one dossier, drawn. Pure: rows of metrics.city.dossiers -> components."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dash import html
from dash.development.base_component import Component

from components.desk_links import View, item_path
from components.desk_parts import facts, heading, link, notice, state_mark
from components.desk_table import Column, table
from metrics.city import City
from metrics.city.dossier_time import DossierTime
from metrics.city.dossiers import DossierDetail, DossierItem, StepItem
from metrics.city.history import VersionItem
from text import t
from text.formats import MISSING, age, instant, number

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
_INSTANTS = ("filed_at", "received_at", "due_at", "finished_at", "handed_at", "refused_at", "stopped_at", "second_supplement_at")


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


def left(days: float | None, lang: str) -> str:
    """Working days left, signed; below zero they are days late."""
    return MISSING if days is None else t("desk.working_days", lang, n=number(days, lang, 1))


def detail(city: City, view: View, found: DossierDetail) -> list[Component]:
    """Facts, handling steps, stretches the clock stood still, what the source changed."""
    lang, item = view.lang, found.item
    back = link(t("desk.back_dossiers", lang), view.to("/dossiers"), "d-button")
    parts = [heading(t("page.dossier", lang, id=item.source_id), timeliness(item, lang), back), _facts(city, view, found)]
    parts.append(_section("desk.work_time", _time(city, lang, found), lang, "desk.no_work_time"))
    parts.append(_section("desk.steps", _steps(city, lang, found.steps), lang, "desk.no_steps"))
    parts.append(_section("desk.stops", _stops(city, lang, found.stops), lang, "desk.no_stops"))
    parts.append(_section("desk.versions", version_list(city, lang, found.versions, "dossier"), lang, "desk.no_versions"))
    return parts


def _open(view: View, row: DossierItem) -> Component:
    return link(row.source_id, view.to(item_path("/dossiers", row.feed, row.source_id), period=""))


def _facts(city: City, view: View, found: DossierDetail) -> Component:
    lang, item = view.lang, found.item
    rows: list[tuple[str, Any]] = [
        (t("column.dossier.agency", lang), item.agency_name or t("unmapped.agency", lang)),
        (t("column.dossier.procedure", lang), item.procedure_name or MISSING),
        (t("column.dossier.procedure_code", lang), item.procedure_code or MISSING),
        (t("column.dossier.domain", lang), item.domain_name or t("unmapped.domain", lang)),
        (t("column.dossier.channel", lang), t(f"channel.{item.channel}", lang)),
    ]
    rows += [(t(f"column.dossier.{name}", lang), instant(getattr(item, name), city.config.tz, lang)) for name in _INSTANTS[:5]]
    rows.append((t("column.dossier.status", lang), t(f"dossier_status.{item.status}", lang)))
    rows.append((t("column.dossier.days_left", lang), left(item.days_left, lang)))
    rows.append((t("column.dossier.supplement_count", lang), number(item.supplement_count, lang, 0)))
    rows.append((t("column.dossier.feed", lang), feed_link(city, view, item.feed)))
    rows.append((t("desk.landed_at", lang), instant(found.landed_at, city.config.tz, lang)))
    return facts(rows, "d-facts-wide")


def _section(title: str, body: Component | None, lang: str, empty: str) -> Component:
    shown = body if body is not None else html.P(t(empty, lang), className="d-quiet")
    return html.Section([html.H2(t(title, lang)), shown], className="d-section")


def _time(city: City, lang: str, found: DossierDetail) -> Component | None:
    """How long it was worked on, its limit, both due dates and how they differ, in sentences."""
    time, is_ended = found.time, found.item.finished_at is not None
    if time is None:
        return None
    told = []
    if time.worked_days is not None:
        days, hours = number(time.worked_days, lang, 1), number(time.worked_hours, lang, 1)
        told.append(t("work_time.worked" if is_ended else "work_time.worked_so_far", lang, days=days, hours=hours))
    if time.stopped_days:
        told.append(t("work_time.stopped", lang, days=number(time.stopped_days, lang, 1)))
    told += _due_words(city, lang, found, time)
    return html.Ul([html.Li(sentence) for sentence in told], className="d-plain")


def _due_words(city: City, lang: str, found: DossierDetail, time: DossierTime) -> list[str]:
    if time.limit is None:
        return [t("work_time.no_limit", lang)]
    told = [t(f"work_time.limit_{time.unit}", lang, n=number(time.limit, lang, 1 if time.limit % 1 else 0))]
    if time.expected_due_at is None:
        return [*told, t("work_time.no_expected", lang)]
    told.append(t("work_time.expected", lang, at=instant(time.expected_due_at, city.config.tz, lang)))
    if found.item.due_at is None or time.due_gap is None:
        return [*told, t("work_time.no_due", lang)]
    delivered = instant(found.item.due_at, city.config.tz, lang)
    how = "same" if time.due_gap == 0 else "later" if time.due_gap > 0 else "earlier"
    return [*told, t(f"work_time.due_{how}", lang, at=delivered, n=str(abs(time.due_gap)))]


def _steps(city: City, lang: str, steps: tuple[StepItem, ...]) -> Component | None:
    rows = [
        html.Li(
            [
                html.Span(instant(step.at, city.config.tz, lang), className="d-time"),
                html.Span(step.name or t(f"dossier_status.{step.status}", lang), className="d-step-name"),
                html.Span(step.department, className="d-quiet"),
            ]
        )
        for step in steps
    ]
    return html.Ol(rows, className="d-timeline") if rows else None


def _stops(city: City, lang: str, stops: tuple[tuple[int, int | None], ...]) -> Component | None:
    """Each stretch of waiting: from, to, how long."""
    rows = []
    for start, end in stops:
        until = instant(end, city.config.tz, lang) if end is not None else t("timeliness.waiting", lang)
        length = age(((end if end is not None else city.as_of) - start) / 1e6, lang)
        rows.append(
            html.Li([html.Span(f"{instant(start, city.config.tz, lang)} → {until}"), html.Span(length, className="d-quiet")])
        )
    return html.Ol(rows, className="d-timeline") if rows else None


def version_list(city: City, lang: str, versions: tuple[VersionItem, ...], kind: str) -> Component | None:
    """What the source said each time: the fields that changed, before and after; newest first. kind: dossier | report."""
    rows = []
    for number_, version in reversed(list(enumerate(versions, 1))):
        changes = [html.Li(_change(city, lang, kind, change.field, change.before, change.after)) for change in version.changes]
        told = html.Ul(changes) if changes else html.Span(t("desk.first_version" if number_ == 1 else "desk.same_version", lang))
        rows.append(html.Li([html.Span(instant(version.landed_at, city.config.tz, lang), className="d-time"), told]))
    return html.Ol(rows, className="d-timeline d-versions") if rows else None


def _change(city: City, lang: str, kind: str, field: str, before: Any, after: Any) -> list[Any]:
    name = t(f"desk.field.{field}", lang)
    return [html.B(name), ": ", _value(city, lang, kind, field, before), " → ", _value(city, lang, kind, field, after)]


def _value(city: City, lang: str, kind: str, field: str, value: Any) -> str:
    if value is None or value == "":
        return MISSING
    if field.endswith("_at"):
        return instant(int(value), city.config.tz, lang)
    if field == "status":
        return t(f"{kind}_status.{value}", lang)
    if field == "channel":
        return t(f"channel.{value}", lang)
    if isinstance(value, bool) or field.startswith("is_"):
        return t("desk.yes" if value else "desk.no", lang)
    return str(value)


def feed_link(city: City, view: View, key: str) -> Component:
    """The feed something came from, by its title."""
    title = next((feed.title for feed in city.config.feeds if feed.key == key), "") or key
    return link(title, view.to(f"/feeds/{key}"))


def missing(view: View, path: str) -> Component:
    """What stands where an item is not there, or not for this reader."""
    return notice(
        t("error.not_found", view.lang),
        t("desk.not_found_hint", view.lang),
        link(t("desk.back", view.lang), view.to(path)),
        "fault",
    )
