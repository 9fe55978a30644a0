"""The parts beside the map that depend on figures: what was picked, what was drawn around. Pure: answers in, words and links out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dash import html
from dash.development.base_component import Component

from components.desk_links import View, item_path
from components.desk_map_layers import value_words
from components.desk_parts import facts, link
from components.desk_reports import timeliness
from components.desk_stations import station_state
from components.desk_table import exports
from metrics.city import City
from metrics.city.areas import AreaShape
from metrics.city.lists.filter_grammar import written
from metrics.city.measured.stations import StationState
from metrics.city.numbers.series import Point
from metrics.city.records.reports import ReportItem
from text import t
from text.formats import instant, number


def words_of_area(city: City, view: View, area: AreaShape, key: str, found: Point | None, asked: Mapping[str, str]) -> list[Component]:
    """An area with its figure, and where its rows are."""
    lang = view.lang
    here = {**asked, "area": written([area.code])}
    links = [(view.here(area=area.code), t("map.only_area", lang))]
    if city.scope.permits("see.reports"):
        links.append((view.to("/reports", **{"period": "", **here}), t("map.reports_of", lang)))
    if city.scope.permits("see.dossiers"):
        links.append((view.to("/dossiers", area=written([area.code]), state="open"), t("map.dossiers_of", lang)))
    links.append((view.to("/kpis", area=area.code, key=key), t("map.kpis_of", lang)))
    told = [(t(f"kpi.{key}.label", lang), value_words(key, found, lang))] if key else []
    return [html.H3(area.full_name or area.name), facts(told), link_list(links)]


def words_of_report(city: City, view: View, row: ReportItem) -> list[Component]:
    """One report and the way to its page."""
    lang, tz = view.lang, city.config.tz
    told = [
        (t("column.report.timeliness", lang), timeliness(row, lang)),
        (t("column.report.due_at", lang), instant(row.due_at, tz, lang)),
        (t("column.report.received_at", lang), instant(row.received_at, tz, lang)),
        (t("column.report.agency", lang), row.agency_name or t("unmapped.agency", lang)),
        (t("column.report.area", lang), row.area_name or t("unmapped.area", lang)),
    ]
    if row.days_left is not None:
        told.insert(1, (t("map.days_left", lang), t("map.working_days", lang, n=number(row.days_left, lang, 1))))
    there = view.to(item_path("/reports", row.feed, row.source_id), period="")
    return [html.H3(row.category_name or row.source_id), facts(told), link_list([(there, t("map.open_record", lang))])]


def words_of_several(view: View, total: int, asked: Mapping[str, str]) -> list[Component]:
    """Reports that lie together, and the list of exactly these."""
    lang = view.lang
    title = html.H3(t("map.reports_here", lang, n=number(total, lang, 0)), **{"data-count": str(total)})
    return [title, link_list([(view.to("/reports", **{"period": "", **asked}), t("map.open_list", lang))])]


def words_of_station(city: City, view: View, row: StationState) -> list[Component]:
    """One station now."""
    lang = view.lang
    told: list[tuple[str, object]] = [(t("column.station.freshness", lang), station_state(row, lang))]
    if row.aqi is not None:
        told.append(("VN_AQI", f"{row.aqi} · {t(f'aqi.{row.aqi_category}', lang)}"))
    told += [(f"{value.name or value.property}", f"{number(value.value, lang)} {value.measure_unit}") for value in row.values[:4]]
    told.append((t("column.station.observed_at", lang), instant(row.observed_at, city.config.tz, lang)))
    there = view.to(item_path("/stations", row.feed, row.source_id))
    return [html.H3(row.name or row.source_id), facts(told), link_list([(there, t("map.open_record", lang))])]


def selection(city: City, view: View, total: int | None, asked: Mapping[str, str], stations: Sequence[StationState]) -> list[Component]:
    """What lies inside the drawn polygon: how many, the lists of exactly these, files, and away with it."""
    lang, links = view.lang, []
    parts: list[Component] = []
    if total is not None:
        words = t("map.reports_inside", lang, n=number(total, lang, 0))
        parts.append(html.P(words, className="d-count", id="map-inside", **{"data-count": str(total)}))
        links.append((view.to("/reports", **{"period": "", **asked}), t("map.open_list", lang)))
    if stations:
        words = t("map.stations_inside", lang, n=number(len(stations), lang, 0))
        links.append((view.to("/stations", within=asked["within"]), words))
    links.append((view.here(within=""), t("map.drawn_off", lang)))
    parts.append(link_list(links))
    files = exports(city, "/api/v1/reports", View("/", asked, lang, view.period).only(asked), lang) if total is not None else None
    return [*parts, *([files] if files else [])]


def link_list(links: Sequence[tuple[str, str]]) -> Component:
    """Ways on, one a line."""
    return html.Ul([html.Li(link(words, href)) for href, words in links], className="m-links")
