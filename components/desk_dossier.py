"""The page of one dossier, drawn. Pure: metrics.city.records.dossiers.DossierDetail -> components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import html
from dash.development.base_component import Component

from components.desk_dossier_clock import clock_picture, pace_strip, step_name, step_of, steps_list
from components.desk_dossiers import timeliness
from components.desk_links import View
from components.desk_parts import facts, heading, link
from components.desk_record import NO_NAMES, due_words, feed_link, left, section, version_list
from metrics.city import City
from metrics.city.records.dossier_time import DossierTime
from metrics.city.records.dossiers import DossierDetail, StepItem
from text import t
from text.formats import MISSING, age, instant, number

_INSTANTS = ("filed_at", "received_at", "due_at", "finished_at", "handed_at")


def detail(city: City, view: View, found: DossierDetail, names: Mapping[str, str] = NO_NAMES) -> list[Component]:
    """Where it is now, its clock, its pace among its like, steps, stops, facts, what the source changed (`names` of agencies, by code)."""
    lang, item = view.lang, found.item
    back = link(t("desk.back_dossiers", lang), view.to("/dossiers"), "d-button")
    office = item.agency_name or t("unmapped.agency", lang)
    about = html.Span([html.B(item.procedure_name or MISSING), html.Span(office)], className="r-about")
    head = heading(t("page.dossier", lang, id=item.source_id), about, back)
    steps = steps_list(city, lang, found.clock, step_of) if found.clock and found.steps else _steps(city, lang, found.steps)
    return [
        head,
        _now(city, lang, found),
        section("desk.work_time", _clock(city, lang, found), lang, "desk.no_work_time"),
        html.Div(
            [
                section("desk.steps", steps, lang, "desk.no_steps"),
                html.Div(
                    [section("pace.title", _pace(city, view, found), lang, "pace.none"),
                     section("desk.stops", _stops(city, lang, found.stops), lang, "desk.no_stops")],
                    className="r-column",
                ),
            ],
            className="r-columns",
        ),
        section("record.facts", _facts(city, view, found), lang, "desk.no_steps"),
        section("desk.versions", version_list(city, lang, found.versions, "dossier", names), lang, "desk.no_versions"),
    ]


def _now(city: City, lang: str, found: DossierDetail) -> Component:
    """Against its due date; where it is and since when."""
    item = found.item
    parts = [html.Div([timeliness(item, lang)], className="r-verdict")]
    parts += [html.P(sentence) for sentence in (_holder(city, lang, found), _due(city, lang, found)) if sentence]
    return html.Div(parts, className="r-now", **{"data-timeliness": item.timeliness})


def _holder(city: City, lang: str, found: DossierDetail) -> str:
    """Who holds it: the office, the applicant, or nobody any more."""
    item, clock = found.item, found.clock
    if item.handed_at is not None:
        return t("holder.handed", lang, at=instant(item.handed_at, city.config.tz, lang))
    if item.finished_at is not None:
        return t("holder.ended", lang, at=instant(item.finished_at, city.config.tz, lang))
    if item.standing != "counted":
        return t(f"holder.{item.standing}", lang) if item.standing else ""
    if item.stopped_at is not None:
        since = instant(item.stopped_at, city.config.tz, lang)
        return t("holder.applicant", lang, since=since, age=age((city.as_of - item.stopped_at) / 1e6, lang))
    last = clock.steps[-1] if clock and found.steps else None
    office = item.agency_name or t("unmapped.agency", lang)
    if last is None:
        return t("holder.office", lang, who=office)
    where = f"{last.department}, {office}" if last.department and last.department != office else office
    since = instant(last.start_at, city.config.tz, lang)
    step = step_name(last.name, last.status, lang)
    return t("holder.step", lang, who=where, step=step, since=since, days=number(last.worked_days, lang, 1))


def _due(city: City, lang: str, found: DossierDetail) -> str:
    """When it is due, and how far that is."""
    item = found.item
    if item.due_at is None:
        return t("work_time.no_due", lang) if item.standing == "counted" else ""
    return due_words(city, lang, item.due_at, item.days_left)


def _clock(city: City, lang: str, found: DossierDetail) -> Component | None:
    words = _time(city, lang, found)
    if found.clock is None:
        return words
    return html.Div([clock_picture(city, lang, found.clock, step_of), words], className="r-panel")


def _pace(city: City, view: View, found: DossierDetail) -> Component | None:
    if found.pace is None:
        return None
    worked = found.time.worked_days if found.time else None
    limit = found.clock.limit_days if found.clock else None
    item = found.item
    strip = pace_strip(view.lang, found.pace, worked, limit, item.finished_at is not None)
    href = view.to("/bottlenecks", procedure=item.procedure_code or "-", period="", agency="", area="")
    return html.Div([strip, link(t("bottlenecks.open", view.lang), href, "d-link")], className="r-panel")


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
