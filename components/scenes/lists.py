"""The wall's lists: at most eight rows, each with its share and n; small ones are not ranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dash import html
from dash.development.base_component import Component

from components.charts import share_width
from components.ids import part_id
from components.scenes.answers import Answers
from metrics.city.measured.stations import StationState
from metrics.city.numbers.series import Point
from text import t
from text.formats import number, percent
from text.vietnamese import sort_key

LEAST_N = 10  # a unit with fewer open dossiers is not ranked: one late dossier would make it the worst
ROWS = {"tall": 8, "list": 5, "below": 4}
TITLES = {
    "agencies": "wall.worst_agencies", "categories": "wall.top_categories", "hot_areas": "wall.hot_spots",
    "stations": "wall.worst_stations",
}


@dataclass(frozen=True)
class Row:
    """A line of a list: name, figure, quiet addition, length of its bar (CSS width, '' = none)."""

    name: str
    figure: str
    addition: str = ""
    bar: str = ""


def list_panel(panel_id: str, key: str, lang: str) -> Component:
    """The skeleton of a list."""
    return html.Section([
        html.Div(t(TITLES[key], lang), className="panel-title"),
        html.Div(t("wall.waiting", lang), id=part_id(panel_id, "rows"), className="rows"),
        html.Div(className="panel-asof", **{"data-age": "asof"}),  # type: ignore[arg-type]
        html.Div(id=part_id(panel_id, "note"), className="panel-note"),
    ], id=panel_id, className="panel list-panel")


def list_props(panel_id: str, key: str, place: str, answers: Answers, lang: str) -> dict[str, dict[str, Any]]:
    """Rows and note of a list, by id."""
    rows, note = _LISTS[key](answers, lang, ROWS[place])
    nothing = html.Div(t("wall.list_empty", lang), className="rows-empty")
    shown = [_drawn(row, has_bar=place != "below") for row in rows] or nothing
    return {
        part_id(panel_id, "rows"): {"children": shown},
        part_id(panel_id, "note"): {"children": note if place != "below" else ""},
    }


def _drawn(row: Row, *, has_bar: bool) -> Component:
    parts = [html.Span(row.name, className="row-name"), html.Span([row.figure, html.Small(row.addition)], className="row-value")]
    if has_bar and row.bar:
        parts.append(html.Span(html.I(style={"width": row.bar}), className="row-bar"))
    return html.Div(parts, className="row")


def short_name(name: str) -> str:
    """An agency's name without the words all of them share, first letter upper case."""
    shown = name.removeprefix("UBND ").strip()
    return shown[:1].upper() + shown[1:]


def _agencies(answers: Answers, lang: str, limit: int) -> tuple[Sequence[Row], str]:
    points = [p for p in answers.groups("dossiers_overdue", "agency") if p.value and (p.n or 0) >= LEAST_N]
    points.sort(key=lambda p: (-(p.value or 0), -(p.value or 0) / (p.n or 1), sort_key(p.label)))
    rows = [_share_row(short_name(p.label), int(p.value or 0), p.n or 0, lang) for p in points[:limit]]
    return rows, t("wall.min_n_note", lang, n=LEAST_N)


def _categories(answers: Answers, lang: str, limit: int) -> tuple[Sequence[Row], str]:
    overdue = {p.group: p for p in answers.groups("reports_overdue", "category")}
    points = [p for p in answers.groups("reports_open", "category") if p.value]
    points.sort(key=lambda p: (-(p.value or 0), sort_key(p.label)))
    highest = max((p.value or 0 for p in points), default=0)
    rows = [
        Row(p.label, _figure(overdue.get(p.group), lang), "/" + number(p.value, lang, 0), share_width(p.value, highest))
        for p in points[:limit]
    ]
    rows += _hidden_rows(answers.groups("reports_open", "category"), limit - len(rows), lang)
    return rows, t("wall.overdue_of_open", lang)


def _hot_areas(answers: Answers, lang: str, limit: int) -> tuple[Sequence[Row], str]:
    names = {area.code: area.full_name for area in answers.areas}
    points = [p for p in answers.groups("reports_overdue", "area") if p.value and p.group]
    points.sort(key=lambda p: (-(p.value or 0), sort_key(p.label)))
    rows = [_share_row(short_name(names.get(p.group, p.label)), int(p.value or 0), p.n or 0, lang) for p in points[:limit]]
    rows += _hidden_rows(answers.groups("reports_overdue", "area"), limit - len(rows), lang)
    return rows, t("wall.overdue_of_open", lang)


def _stations(answers: Answers, lang: str, limit: int) -> tuple[Sequence[Row], str]:
    ranked = worst_air(answers.stations)
    rows = [
        Row(station_name(name), f"{s.aqi}", " " + t(f"aqi.{s.aqi_category}", lang), share_width(s.aqi, 300))
        for name, s in zip(distinct_names([s.name for s in ranked]), ranked[:limit], strict=False)
    ]
    return rows, t("wall.stations_of", lang, n=len(ranked))


_LISTS = {"agencies": _agencies, "categories": _categories, "hot_areas": _hot_areas, "stations": _stations}


def _figure(point: Point | None, lang: str) -> str:
    """A count as it is written; a withheld one is no 0."""
    if point is not None and point.state:
        return t(f"desk.small_{point.state}", lang)
    return number(point.value or 0 if point else 0, lang, 0)


def _hidden_rows(points: Sequence[Point], room: int, lang: str) -> list[Row]:
    """The groups whose small count this wall does not tell, by name: the order of their counts would tell it."""
    hidden = sorted((p for p in points if p.state and p.group), key=lambda p: sort_key(p.label))
    return [Row(short_name(p.label), _figure(p, lang)) for p in hidden[: max(0, room)]]


def _share_row(name: str, part: int, whole: int, lang: str) -> Row:
    share = 100 * part / whole if whole else 0.0
    return Row(name, number(part, lang, 0), f"/{number(whole, lang, 0)} · {percent(share, lang, 0)}", share_width(part, whole))


def worst_air(stations: Sequence[StationState]) -> list[StationState]:
    """Stations with an index, worst first."""
    return sorted((s for s in stations if s.aqi is not None), key=lambda s: (-(s.aqi or 0), sort_key(s.name)))


def station_name(name: str) -> str:
    """A station's name, first letter upper case."""
    return name[:1].upper() + name[1:]


def distinct_names(names: Sequence[str]) -> list[str]:
    """Names without the words that all of them begin with: "Trạm không khí Cửa Lân" among its like is "Cửa Lân"."""
    words = [name.split() for name in names]
    shared = 0
    while len(words) > 1 and all(len(w) > shared + 1 and w[shared] == words[0][shared] for w in words):
        shared += 1
    return [" ".join(w[shared:]) for w in words]
