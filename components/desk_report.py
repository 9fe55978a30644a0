"""The page of one citizen report, drawn. Pure: metrics.city.reports.ReportDetail -> components."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from components.desk_links import View
from components.desk_parts import facts, heading, link
from components.desk_record import feed_link, left, version_list
from components.desk_reports import timeliness
from metrics.city import City
from metrics.city.reports import ReportDetail, ReportItem
from store.snapshot import GONE
from text import t
from text.formats import MISSING, instant, number

_INSTANTS = ("received_at", "updated_at", "due_at", "closed_at")


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
