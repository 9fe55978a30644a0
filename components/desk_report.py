"""The page of one citizen report, drawn. Pure: metrics.city.records.reports.ReportDetail -> components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dash import html
from dash.development.base_component import Component

from components.desk_dossier_clock import clock_picture, steps_list
from components.desk_duplicates import evidence, said_by
from components.desk_links import View, item_path
from components.desk_parts import facts, heading, link
from components.desk_record import channel_words, due_words, feed_link, left, section, version_list
from components.desk_reports import marks, quality_words, timeliness
from components.desk_small_map import small_map
from metrics.city import City
from metrics.city.findings.duplicates import Candidate
from metrics.city.grid import Grid
from metrics.city.records.dossier_clock import DossierClock
from metrics.city.records.near import DAYS, RADIUS_M, Neighbour, Neighbours
from metrics.city.records.report_clock import RECEIVED, REOPENED
from metrics.city.records.reports import ReportDetail, ReportItem
from metrics.process import Stretch
from store.snapshot import GONE
from text import t
from text.formats import MISSING, age, instant, number

_INSTANTS = ("received_at", "updated_at", "due_at", "closed_at")
NEAR_SHOWN, SAME_SHOWN = 12, 5
SAME_DAYS = timedelta(days=7)


@dataclass(frozen=True)
class ReportNotes:
    """What a report's page tells beside it: its clock, the reports near it, those that may be of one thing with it, outlines of the
    areas around, the reader's grid, the place neighbours are looked for in as lists are asked for it, names of agencies."""

    clock: DossierClock | None = None
    near: Neighbours | None = None
    same: Sequence[Candidate] = ()
    outlines: Sequence[Mapping[str, Any]] = ()
    grid: Grid | None = None
    drawn: str = ""
    names: Mapping[str, str] = field(default_factory=dict)


def detail(city: City, view: View, found: ReportDetail, notes: ReportNotes) -> list[Component]:
    """Where it is now, its course, what lies near it, words of citizen and office where the reader may read them, facts, versions."""
    lang, item = view.lang, found.item
    back = link(t("desk.back_reports", lang), view.to("/reports"), "d-button")
    area = item.area_name or t("unmapped.area", lang)
    about = html.Span([html.B(item.category_name or MISSING), html.Span(area)], className="r-about")
    course = section("record.states", _course(city, lang, notes.clock), lang, "record.no_states")
    side = [
        section("record.same", _same(city, view, item, notes.same), lang, "record.no_same"),
        section("near.title", _near(city, view, item, notes), lang, "near.no_place"),
    ]
    beside = html.Div([*_told(lang, found), course], className="r-column")
    return [
        heading(t("page.report", lang, id=item.source_id), about, back),
        _now(city, lang, item),
        html.Div([beside, html.Div(side, className="r-column")], className="r-columns r-even"),
        section("record.facts", _facts(city, view, found), lang, "desk.no_versions"),
        section("desk.versions", version_list(city, lang, found.versions, "report", notes.names), lang, "desk.no_versions"),
    ]


def _now(city: City, lang: str, item: ReportItem) -> Component:
    """Against its due date, with whom it is, how the sender rated the answer."""
    office, status = item.agency_name or t("unmapped.agency", lang), t(f"report_status.{item.status}", lang)
    if item.closed_at is None:
        told = [t("record.works", lang, who=office, status=status)]
    else:
        told = [t("record.was", lang, who=office, status=status, at=instant(item.closed_at, city.config.tz, lang))]
    if item.due_at is not None:
        told.append(due_words(city, lang, item.due_at, item.days_left))
    if item.rating is not None:
        told.append(t("record.rating", lang, words=t(f"rating.{item.rating}", lang).lower()))
    marked = [html.P(quality_words(item, lang))] if marks(item) else []
    rows = [html.Div([timeliness(item, lang)], className="r-verdict"), *(html.P(words) for words in told), *marked]
    return html.Div(rows, className="r-now", **{"data-timeliness": item.timeliness})


def _told(lang: str, found: ReportDetail) -> list[Component]:
    """What the citizen and the office wrote, for who may read it."""
    return [
        html.Section([html.H2(t(f"column.report.{name}", lang)), html.P(_words(words, lang), className="d-words")], className="d-section")
        for name in ("description", "resolution") if (words := getattr(found.item, name))
    ]


def _course(city: City, lang: str, clock: DossierClock | None) -> Component | None:
    if clock is None:
        return None
    return html.Div([clock_picture(city, lang, clock, state_of), steps_list(city, lang, clock, state_of)], className="r-panel")


def state_of(one: Stretch, lang: str) -> str:
    """The state a stretch of a report begins with."""
    return t(f"report_event.{one.name}" if one.name in (RECEIVED, REOPENED) else f"report_status.{one.name}", lang)


def _same(city: City, view: View, item: ReportItem, found: Sequence[Candidate]) -> Component | None:
    """The reports that may be of one thing with it, with what speaks for it, and the way to where that is said."""
    if not found:
        return None
    rows = [html.Li(_candidate(city, view, item, row)) for row in found[:SAME_SHOWN]]
    day = datetime.fromtimestamp((item.received_at or city.as_of) / 1e6, city.config.tz).date()
    span = f"{day - SAME_DAYS}..{min(day + SAME_DAYS, city.today)}"
    every = link(t("record.all_same", view.lang), view.to("/duplicates", period=span, agency="", area=""), "d-link")
    return html.Div([html.Ol(rows, className="r-near"), every], className="r-panel")


def _candidate(city: City, view: View, item: ReportItem, row: Candidate) -> list[Component]:
    """The other report of a pair, what they share, what somebody said of the two."""
    is_later = (row.later.feed, row.later.source_id) == (item.feed, item.source_id)
    other = row.earlier if is_later else row.later
    said = said_by(row, city.config.tz, view.lang)
    return [
        link(other.source_id, view.to(item_path("/reports", other.feed, other.source_id), period="")),
        html.Span(t("duplicates.earlier" if is_later else "duplicates.later", view.lang)),
        html.Span(" · ".join(evidence(row, view.lang)), className="d-quiet"), *([said] if said else []),
    ]


def _near(city: City, view: View, item: ReportItem, notes: ReportNotes) -> Component | None:
    """The map around it, how many reports are near, the nearest of them."""
    lang, near = view.lang, notes.near
    if near is None:
        return None
    shown = {"n": number(near.n, lang, 0), "days": number(DAYS, lang, 0)}
    told = t("near.count_cell", lang, **shown) if near.is_cell else t("near.count", lang, metres=number(RADIUS_M, lang, 0), **shown)
    rows = [html.Li(_neighbour(view, row)) for row in near.rows[:NEAR_SHOWN]]
    listed = html.Ol(rows, className="r-near") if rows else html.P(t("near.none", lang), className="d-quiet")
    parts = [small_map(lang, item, near, notes.outlines, notes.grid), html.P(told, className="d-quiet"), listed]
    if near.n > NEAR_SHOWN and item.received_at is not None:
        on = datetime.fromtimestamp(item.received_at / 1e6, city.config.tz).date()
        days = f"{on - timedelta(days=DAYS)}..{on + timedelta(days=DAYS)}"
        parts.append(link(t("near.every", lang), view.to("/reports", within=notes.drawn, received=days, period="", agency="", area="")))
    return html.Div([part for part in parts if part is not None], className="r-panel")


def _neighbour(view: View, row: Neighbour) -> list[Component]:
    """One report near it: which, what, how far, how long before or after."""
    lang = view.lang
    when = t("near.before" if row.hours < 0 else "near.after", lang, age=age(abs(row.hours) * 3600, lang))
    far = [] if row.metres is None else [t("near.metres", lang, n=number(row.metres, lang, 0))]
    words = " · ".join([*far, when, t(f"report_status.{row.status}", lang)])
    return [
        link(row.source_id, view.to(item_path("/reports", row.feed, row.source_id), period="")),
        html.Span(row.category_name or MISSING), html.Span(words, className="d-quiet"),
    ]


def _words(words: str, lang: str) -> str:
    """What was written; for a report closed by its absence, the program's own sentence."""
    return t("desk.gone_from_snapshot", lang) if words == GONE else words


def _facts(city: City, view: View, found: ReportDetail) -> Component:
    lang, item = view.lang, found.item
    rows: list[tuple[str, Any]] = [
        (t("column.report.status", lang), t(f"report_status.{item.status}", lang)),
        (t("column.dossier.days_left", lang), left(item.days_left, lang)),
        (t("column.report.category", lang), item.category_name or MISSING),
        (t("column.report.agency", lang), item.agency_name or t("unmapped.agency", lang)),
        (t("column.report.area", lang), item.area_name or t("unmapped.area", lang)),
        (t("column.report.channel", lang), channel_words(item.channel, lang)),
    ]
    rows += [(t(f"column.report.{name}", lang), instant(getattr(item, name), city.config.tz, lang)) for name in _INSTANTS]
    rows += [
        (t(f"column.report.{name}", lang), _yes_no(getattr(item, name), lang)) for name in ("is_urgent", "is_duplicate")
    ]
    rows += _quality_facts(city, item, lang)
    place = MISSING if item.lon is None or item.lat is None else f"{number(item.lat, lang, 5)}; {number(item.lon, lang, 5)}"
    rows.append((t("desk.place", lang), place))
    rows.append((t("column.report.feed", lang), feed_link(city, view, item.feed)))
    rows.append((t("desk.landed_at", lang), instant(found.landed_at, city.config.tz, lang)))
    return facts(rows, "d-facts-wide")


def _yes_no(value: bool | None, lang: str) -> str:
    return MISSING if value is None else t("desk.yes" if value else "desk.no", lang)


def _quality_facts(city: City, item: ReportItem, lang: str) -> list[tuple[str, Any]]:
    """How it was handled; what nobody knows is a dash, never a no."""
    counts = ("reopened_count", "returned_count", "extension_count")
    rows: list[tuple[str, Any]] = [
        (t(f"column.report.{name}", lang), MISSING if getattr(item, name) is None else number(getattr(item, name), lang))
        for name in counts
    ]
    if item.reopened_at is not None:
        rows.insert(1, (t("column.report.reopened_at", lang), instant(item.reopened_at, city.config.tz, lang)))
    rows.append((t("column.report.rating", lang), MISSING if item.rating is None else t(f"rating.{item.rating}", lang)))
    if not item.is_open:
        rows.append((t("column.report.is_within_hour", lang), _yes_no(item.is_within_hour, lang)))
        rows.append((t("column.report.is_in_bulk", lang), _yes_no(item.is_in_bulk if item.is_within_hour is not None else None, lang)))
    return rows
