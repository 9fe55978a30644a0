"""The page of one dossier, drawn. Pure: metrics.city.dossiers.DossierDetail -> components."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from components.desk_dossiers import timeliness
from components.desk_links import View
from components.desk_parts import facts, heading, link
from components.desk_record import feed_link, left, section, version_list
from metrics.city import City
from metrics.city.dossier_time import DossierTime
from metrics.city.dossiers import DossierDetail, StepItem
from text import t
from text.formats import MISSING, age, instant, number

_INSTANTS = ("filed_at", "received_at", "due_at", "finished_at", "handed_at")


def detail(city: City, view: View, found: DossierDetail) -> list[Component]:
    """Facts, handling steps, stretches the clock stood still, what the source changed."""
    lang, item = view.lang, found.item
    back = link(t("desk.back_dossiers", lang), view.to("/dossiers"), "d-button")
    parts = [heading(t("page.dossier", lang, id=item.source_id), timeliness(item, lang), back), _facts(city, view, found)]
    parts.append(section("desk.work_time", _time(city, lang, found), lang, "desk.no_work_time"))
    parts.append(section("desk.steps", _steps(city, lang, found.steps), lang, "desk.no_steps"))
    parts.append(section("desk.stops", _stops(city, lang, found.stops), lang, "desk.no_stops"))
    parts.append(section("desk.versions", version_list(city, lang, found.versions, "dossier"), lang, "desk.no_versions"))
    return parts


def _facts(city: City, view: View, found: DossierDetail) -> Component:
    lang, item = view.lang, found.item
    rows: list[tuple[str, Any]] = [
        (t("column.dossier.agency", lang), item.agency_name or t("unmapped.agency", lang)),
        (t("column.dossier.procedure", lang), item.procedure_name or MISSING),
        (t("column.dossier.procedure_code", lang), item.procedure_code or MISSING),
        (t("column.dossier.domain", lang), item.domain_name or t("unmapped.domain", lang)),
        (t("column.dossier.channel", lang), t(f"channel.{item.channel}", lang)),
    ]
    rows += [(t(f"column.dossier.{name}", lang), instant(getattr(item, name), city.config.tz, lang)) for name in _INSTANTS]
    rows.append((t("column.dossier.status", lang), t(f"dossier_status.{item.status}", lang)))
    rows.append((t("column.dossier.days_left", lang), left(item.days_left, lang)))
    rows.append((t("column.dossier.supplement_count", lang), number(item.supplement_count, lang, 0)))
    rows.append((t("column.dossier.feed", lang), feed_link(city, view, item.feed)))
    rows.append((t("desk.landed_at", lang), instant(found.landed_at, city.config.tz, lang)))
    return facts(rows, "d-facts-wide")


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
