"""The catalogue of KPIs, drawn: what each means, how it is computed, on what ground, what it is measured against."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from components.desk_links import View
from components.desk_parts import facts
from components.desk_tiles import GROUPS, unit
from config import LATE_RULES
from metrics.city import City
from metrics.kpis import KPI_BY_KEY, KPIS, Kpi
from targets import target_of
from text import t
from text.formats import MISSING, number, percent


def contents(view: View) -> Component:
    """Where each KPI stands on the page."""
    links = [
        html.Li(
            [
                html.B(t(group, view.lang)),
                html.Ul([html.Li(html.A(t(f"kpi.{key}.label", view.lang), href=f"#{key}")) for key in keys]),
            ]
        )
        for group, keys in GROUPS
    ]
    return html.Nav(html.Ul(links), className="d-contents", **{"aria-label": t("desk.contents", view.lang)})


def catalogue(city: City, view: View) -> list[Component]:
    """Every KPI by group; one that stands in no group comes last, so that none is left out."""
    grouped = {key for _, keys in GROUPS for key in keys}
    rest = tuple(row.key for row in KPIS if row.key not in grouped)
    groups = [*GROUPS, *([("desk.group_other", rest)] if rest else [])]
    return [
        html.Section(
            [html.H2(t(group, view.lang)), *(_entry(city, view.lang, KPI_BY_KEY[key]) for key in keys)], className="d-section"
        )
        for group, keys in groups
    ]


def _entry(city: City, lang: str, row: Kpi) -> Component:
    return html.Article(
        [
            html.H3([t(f"kpi.{row.key}.label", lang), html.Code(row.key)]),
            html.P(t(f"kpi.{row.key}.definition", lang)),
            facts(_rows(city, lang, row)),
        ],
        id=row.key,
        className="d-kpi",
        tabIndex="-1",
    )


def _rows(city: City, lang: str, row: Kpi) -> list[tuple[str, str]]:
    rules = " / ".join(t(f"late_rule.{rule}", lang) for rule in LATE_RULES)
    target = target_of(city.config.targets, row.key, city.today)
    written = percent(target, lang, row.decimals) if row.measure_unit == "percent" else number(target, lang, row.decimals)
    return [
        (t("desk.measure_unit", lang), unit(row.key, lang)),
        (t("desk.better", lang), t(f"desk.better_{row.better}", lang)),
        (t("desk.source", lang), t(f"kpi.{row.key}.source", lang)),
        (t("desk.late_rule", lang), rules if row.has_rule else t("desk.no_rule", lang)),
        (t("desk.target_name", lang), written if target is not None else MISSING),
        (t("desk.min_n", lang), number(row.min_n, lang, 0)),
        (t("desk.theme", lang), t(f"desk.theme_{row.theme}", lang)),
        (t("desk.topic", lang), t(f"desk.topic_{row.topic}", lang)),
    ]
