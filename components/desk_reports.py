"""The list of citizen reports and the page of one report, drawn. Pure: rows of metrics.city.reports -> components."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dash import html
from dash.development.base_component import Component

from components.desk_dossiers import MARKS, feed_link, left, version_list
from components.desk_links import View, item_path
from components.desk_parts import facts, heading, link, state_mark
from components.desk_table import Column, table
from metrics.city import City
from metrics.city.reports import ReportDetail, ReportItem
from store.snapshot import GONE
from text import t
from text.formats import MISSING, instant, number

STATES = ("open", "overdue", "due_soon", "urgent", "received", "finished", "late", "no_due", "ended_before_start", "duplicate")
NOW_STATES = ("open", "overdue", "due_soon", "urgent")
_INSTANTS = ("received_at", "updated_at", "due_at", "closed_at")
_SHORT = 90  # characters of a citizen's words in a list


def report_table(city: City, view: View, rows: Iterable[ReportItem]) -> Component:
    """One line a report; its number leads to its page. What citizens wrote is empty for readers without the right to it."""
    lang = view.lang

    def at(value: int | None) -> str:
        return instant(value, city.config.tz, lang)

    columns = (
        Column[ReportItem](t("column.report.source_id", lang), lambda row: _open(view, row), "main"),
        Column[ReportItem](t("column.report.timeliness", lang), lambda row: timeliness(row, lang)),
        Column[ReportItem](t("column.report.due_at", lang), lambda row: at(row.due_at), "time"),
        Column[ReportItem](t("column.report.category", lang), lambda row: row.category_name or MISSING, "wide"),
        Column[ReportItem](t("column.report.area", lang), lambda row: row.area_name or t("unmapped.area", lang)),
        Column[ReportItem](t("column.report.agency", lang), lambda row: row.agency_name or t("unmapped.agency", lang), "wide"),
        Column[ReportItem](t("column.report.status", lang), lambda row: t(f"report_status.{row.status}", lang), "short"),
        Column[ReportItem](t("column.report.quality", lang), lambda row: quality_words(row, lang)),
        Column[ReportItem](t("column.report.received_at", lang), lambda row: at(row.received_at), "time"),
        Column[ReportItem](t("column.report.closed_at", lang), lambda row: at(row.closed_at), "time"),
        Column[ReportItem](t("column.report.description", lang), lambda row: _short(row.description), "wide"),
    )
    shown = tuple(rows)
    unused = {t("column.report.closed_at", lang)} if view.get("state") in NOW_STATES else set()
    if not any(marks(row) for row in shown):
        unused.add(t("column.report.quality", lang))
    return table([column for column in columns if column.label not in unused], shown, t("page.reports", lang))


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


def detail(city: City, view: View, found: ReportDetail) -> list[Component]:
    """Facts, the citizen's words and the answer where the reader may read them, what the source changed."""
    lang, item = view.lang, found.item
    back = link(t("desk.back_reports", lang), view.to("/reports"), "d-button")
    parts = [heading(t("page.report", lang, id=item.source_id), timeliness(item, lang), back), _facts(city, view, found)]
    for name in ("description", "resolution"):
        words = getattr(item, name)
        if words:
            parts.append(
                html.Section(
                    [html.H2(t(f"column.report.{name}", lang)), html.P(_words(words, lang), className="d-words")],
                    className="d-section",
                )
            )
    told = version_list(city, lang, found.versions, "report") or html.P(t("desk.no_versions", lang), className="d-quiet")
    parts.append(html.Section([html.H2(t("desk.versions", lang)), told], className="d-section"))
    return parts


def _open(view: View, row: ReportItem) -> Component:
    return link(row.source_id, view.to(item_path("/reports", row.feed, row.source_id), period=""))


def _words(words: str, lang: str) -> str:
    """What was written; for a report closed by its absence, the program's own sentence."""
    return t("desk.gone_from_snapshot", lang) if words == GONE else words


def _short(words: str | None) -> str:
    if not words:
        return MISSING
    return words if len(words) <= _SHORT else words[: _SHORT - 1].rstrip() + "…"


def _facts(city: City, view: View, found: ReportDetail) -> Component:
    lang, item = view.lang, found.item
    rows: list[tuple[str, Any]] = [
        (t("column.report.status", lang), t(f"report_status.{item.status}", lang)),
        (t("column.dossier.days_left", lang), left(item.days_left, lang)),
        (t("column.report.category", lang), item.category_name or MISSING),
        (t("column.report.agency", lang), item.agency_name or t("unmapped.agency", lang)),
        (t("column.report.area", lang), item.area_name or t("unmapped.area", lang)),
        (t("column.report.channel", lang), t(f"channel.{item.channel}", lang) if item.channel else MISSING),
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
