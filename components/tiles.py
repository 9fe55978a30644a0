"""KPI tiles: the skeleton with its ids, and the props that put a KpiValue into it. Used by the wall and by the desk pages.

A tile shows label, value, measure unit, verdict (colour, shape, letter), sparkline, change to the comparable period, target, n,
the late rule where there is one, and its data's age. The age is written by assets/live.js, which ages it on without a server.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash import html
from dash.development.base_component import Component

from components.charts import sparkline
from components.ids import part_id
from metrics.city.numbers.kpis import KpiValue
from metrics.city.numbers.series import Point
from metrics.kpis import kpi
from metrics.periods import Period
from metrics.vn_aqi import category
from text import t
from text.formats import MISSING, delta, number

Props = dict[str, dict[str, Any]]
LONG_NUMBER = 10_000  # from here on a figure is shortened to three significant digits


@dataclass(frozen=True)
class Tile:
    """What a tile is about: a KPI over a period word (metrics.periods), maybe a second figure beside it, maybe as the hero."""

    key: str
    period: str = "today"
    is_hero: bool = False
    beside: str = ""
    spark_days: int = 30


def kpi_tile(tile_id: str, tile: Tile, lang: str, props: Props | None = None) -> Component:
    """The skeleton of a tile; `props` (from tile_props) fills it at once, for pages that are not pushed to."""
    shape = measure_tile(tile_id, label(tile, lang), is_hero=tile.is_hero)
    return filled(shape, props) if props else shape


def measure_tile(tile_id: str, name: str, *, is_hero: bool = False) -> Component:
    """The skeleton itself, for any figure: head, figure line, change line, note line."""
    def part(kind: str, text: str | None = None) -> Component:
        return html.Span(text, id=part_id(tile_id, kind), className=f"tile-{kind}")

    return html.Article([
        html.Header([
            part("label", name),
            html.Span(html.B(id=part_id(tile_id, "letter")), id=part_id(tile_id, "verdict"), className="mark mark-none"),
        ], className="tile-head"),
        html.Div([
            html.Span([part("value", MISSING), part("unit")], className="tile-number"),
            html.Span(id=part_id(tile_id, "spark"), className="spark"),
        ], className="tile-figure"),
        html.Div([part("delta"), html.Span(className="age", **{"data-age": "short"})], className="tile-line tile-change"),  # type: ignore[arg-type]
        html.Div(className="tile-line tile-asof", **{"data-age": "asof"}),  # type: ignore[arg-type]
        html.Div(part("beside"), className="tile-line"),
        html.Div(part("note"), className="tile-line"),
        html.Div(part("rule"), className="tile-line"),
    ], id=tile_id, className=tile_class(is_hero, None))


def tile_class(is_hero: bool, verdict: str | None) -> str:
    """Class names of a tile's root."""
    return " ".join(filter(None, ("tile", "tile-hero" if is_hero else "", f"verdict-{verdict}" if verdict else "")))


def label(tile: Tile, lang: str) -> str:
    """The tile's short name with the length of its period: "Giải quyết đúng hạn · 30 ngày"."""
    name = t(f"wall.tile.{tile.key}", lang)
    if tile.period.startswith("last_"):
        return t("wall.in_days", lang, label=name, n=tile.period[5:-1])
    return t("wall.in_today", lang, label=name) if kpi(tile.key).key in _DAILY_FLOWS else name


_DAILY_FLOWS = ("dossiers_received", "dossiers_finished", "reports_received", "reports_resolved")


def tile_props(
    tile_id: str, tile: Tile, value: KpiValue, points: Sequence[Point], lang: str, beside: KpiValue | None = None,
) -> Props:
    """Props of every part of a tile, by id."""
    figure, unit = figure_text(value.value, value.measure_unit, kpi(value.key).decimals, lang)
    if value.state:  # a count this wall does not tell is no missing one
        figure = t(f"desk.small_{value.state}", lang)
    if value.key == "vn_aqi" and value.value is not None:
        unit = t(f"aqi.{aqi_class(value.value)}", lang)
    verdict = value.verdict
    spark = sparkline([point.value for point in points], value.target)
    return {
        tile_id: {"className": tile_class(tile.is_hero, verdict)},
        part_id(tile_id, "value"): {"children": figure},
        part_id(tile_id, "unit"): {"children": unit},
        part_id(tile_id, "verdict"): _mark(verdict, lang),
        part_id(tile_id, "letter"): {"children": t(f"wall.letter.{verdict}", lang) if verdict else ""},
        part_id(tile_id, "spark"): spark_props(spark),
        part_id(tile_id, "delta"): {"children": change_text(value, lang)},
        part_id(tile_id, "beside"): {"children": ""},
        part_id(tile_id, "note"): {"children": note_text(value, lang, beside)},
        part_id(tile_id, "rule"): {"children": rule_text(value, lang)},
    }


def rule_text(value: KpiValue, lang: str) -> str:
    """The late rule of the figure; that its change is per working day, where the two periods have different ones."""
    found, row = value.comparison, kpi(value.key)
    parts = [t(f"wall.rule.{value.late_rule}", lang)] if value.late_rule else []
    if found is not None and found.is_per_day and row.measure == "count" and row.counted_on == "working_days" and value.delta is not None:
        days = [number(n, lang, None) for n in (found.working_days, found.working_days_before)]
        parts.append(t("wall.per_day", lang, days=days[0], before=days[1]))
    return " · ".join(parts)


def aqi_class(value: float | None) -> str:
    """Key of an index's class; "none" without one."""
    return "none" if value is None else category(round(value)).key


def _mark(verdict: str | None, lang: str) -> dict[str, str]:
    return {"className": f"mark mark-{verdict or 'none'}", "title": t(f"verdict.{verdict or 'none'}", lang)}


def figure_text(value: float | None, measure_unit: str, decimals: int, lang: str) -> tuple[str, str]:
    """(figure, unit): ("12,3", "nghìn hồ sơ") from 10.000 on, so that a figure keeps its size in the tile."""
    unit = t(f"unit.{measure_unit}", lang)
    if value is None:
        return MISSING, unit
    if abs(value) < LONG_NUMBER:
        return number(value, lang, 0 if value == round(value) and measure_unit == "percent" else decimals), unit
    figure, _, word = number(value, lang, compact=True).partition(" ")
    return figure, f"{word} {unit}".strip()


def change_text(value: KpiValue, lang: str) -> str:
    """The change to the comparable period, and which period that is."""
    if value.previous_period is None or value.delta is None:
        return t("wall.no_comparison", lang)
    if value.key in _DAILY_FLOWS and value.period.days == 1 and value.period.is_cut:
        return whole_day_text(value.previous_period, value.previous, lang)
    changed = delta(value.delta, lang, kpi(value.key).decimals)
    return f"{changed} {versus_text(value.previous_period, lang)}"


def whole_day_text(period: Period, figure: float | None, lang: str) -> str:
    """A running day is not set against a whole one: the whole day of a week ago stands beside it as what it is."""
    on = period.start_on
    weekday = t(f"weekday_short.{on.isoweekday()}", lang)
    return t("wall.whole_day", lang, weekday=weekday, day=f"{on.day:02}/{on.month:02}", value=number(figure, lang, 0))


def versus_text(period: Period, lang: str) -> str:
    """"so với T7 15/11" for a day, "so với 30 ngày trước" for a longer period."""
    if period.days > 1:
        return t("wall.versus_days", lang, n=period.days)
    on = period.start_on
    return t("wall.versus_day", lang, weekday=t(f"weekday_short.{on.isoweekday()}", lang), day=f"{on.day:02}/{on.month:02}")


def note_text(value: KpiValue, lang: str, beside: KpiValue | None = None) -> str:
    """Target, if there is one, and what the figure is counted out of: the figure beside it, else n."""
    row = kpi(value.key)
    parts = []
    if value.target is not None:
        shown = number(value.target, lang, None) + ("%" if value.measure_unit == "percent" else "")
        parts.append(t(f"wall.target_{'up' if row.better == 'up' else 'down'}", lang, value=shown))
    if beside is not None and beside.value is not None:
        parts.append(t("wall.out_of_open", lang, n=number(beside.value, lang, 0)))
    elif value.n is not None:
        parts.append(t("wall.count_note", lang, n=number(value.n, lang, 0)))
    return " · ".join(parts)


def spark_props(spark: str) -> dict[str, Any]:
    """Props of a sparkline's element; without a line it takes its room and shows nothing."""
    return {"style": {"--spark": spark}, "className": "spark" if spark != "none" else "spark spark-none"}


def filled(component: Component, props: Mapping[str, Mapping[str, Any]]) -> Component:
    """The component with these props set on it and on everything inside, by id."""
    for node in _walk(component):
        for name, value in props.get(getattr(node, "id", None) or "", {}).items():
            setattr(node, name, value)
    return component


def _walk(node: Any) -> Iterable[Component]:
    if isinstance(node, list | tuple):
        for child in node:
            yield from _walk(child)
    elif isinstance(node, Component):
        yield node
        yield from _walk(getattr(node, "children", None))
