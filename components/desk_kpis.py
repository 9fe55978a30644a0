"""The catalogue of KPIs, drawn: a compact row each with its figure; opened, what it means, how it is computed, on what ground, from where.

Pure: metrics.city.numbers.definitions and metrics.city.numbers.kpis -> components. Rows keep their order; only figures change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from dash import html
from dash.development.base_component import Component

from components.desk_kpi_facts import kpi_facts
from components.desk_links import View
from components.desk_parts import ago, choices, link, verdict_mark
from components.desk_tiles import shown, source_state, unit, with_unit
from metrics.city import City
from metrics.city.feeds import FRESH, STATIC
from metrics.city.numbers.definitions import Definition
from metrics.city.numbers.kpis import KpiValue
from metrics.kpis import THEMES
from text import t
from text.formats import number

Values = Mapping[str, KpiValue]
COLUMNS = ("value", "target", "verdict", "n", "data")  # beside the name


def themes(view: View, found: Sequence[Definition]) -> Component:
    """The six themes with how many KPIs each has, as links."""
    on, lang = view.get("theme"), view.lang
    counts = {theme: sum(item.row.theme == theme for item in found) for theme in THEMES}
    options = [(f"{t('desk.all', lang)} {number(len(found), lang, 0)}", view.here(theme=""), not on)]
    for theme, count in counts.items():
        options.append((f"{t(f'desk.theme_{theme}', lang)} {number(count, lang, 0)}", view.here(theme=theme), on == theme))
    return choices(t("catalogue.themes", lang), options, "d-themes")


def sections(city: City, view: View, found: Sequence[Definition], values: Values, indicators: Mapping[str, int]) -> list[Component]:
    """One section a theme, in it one group a subject; a theme without KPIs says where its indicators are, unless words were looked for."""
    by_theme = {theme: [item for item in found if item.row.theme == theme] for theme in THEMES if view.get("theme") in ("", theme)}
    return [
        _section(city, view, theme, items, values, indicators) for theme, items in by_theme.items() if items or not view.get("q")
    ]


def _section(
    city: City, view: View, theme: str, found: Sequence[Definition], values: Values, indicators: Mapping[str, int]
) -> Component:
    lang = view.lang
    words = t("catalogue.indicators", lang, n=number(indicators.get(theme, 0), lang, 0))
    head = html.Div([html.H2(t(f"desk.theme_{theme}", lang)), link(words, view.to("/indices", theme=theme))], className="d-theme-head")
    groups = groupby(found, lambda item: item.subject)
    body: list[Component] = [_group(city, view, subject, list(items), values) for subject, items in groups]
    if not body:
        body = [html.P(t("catalogue.no_kpis", lang), className="d-quiet")]
    return html.Section([head, *body], className="d-section", id=f"theme-{theme}")


def _group(city: City, view: View, subject: str, found: Iterable[Definition], values: Values) -> Component:
    """A subject's rows under one line of headings; each cell repeats its heading for who hears or reads on a phone."""
    heads = [html.Span(t(f"catalogue.column_{name}", view.lang), className=f"d-k-{name}") for name in COLUMNS]
    head = html.Div([html.H3(t(f"catalogue.subject_{subject}", view.lang), className="d-k-name"), *heads], className="d-kpi-head")
    return html.Div([head, *(_entry(city, view, item, values[item.row.key]) for item in found)], className="d-kpis")


def _entry(city: City, view: View, item: Definition, value: KpiValue) -> Component:
    key = item.row.key
    is_open = view.get("key") == key or view.get("open") == "all"
    return html.Details(
        [html.Summary(_cells(city, view, item, value), className="d-kpi-row"), kpi_facts(city, view, item, value)],
        id=key, className="d-kpi", open=is_open, **{"data-key": key, "data-state": "missing" if value.value is None else value.freshness},
    )


def _cells(city: City, view: View, item: Definition, value: KpiValue) -> list[Component]:
    lang, key = view.lang, item.row.key
    name: list[Component | str] = [t(f"kpi.{key}.label", lang)]
    if not item.row.verified:
        name.append(html.Span(t("catalogue.unverified", lang), className="d-mark", title=t("catalogue.unverified_hint", lang)))
    cells = [html.Span(name, className="d-k-name"), _cell("value", lang, _figure(value, lang), {"data-value": _raw(value)})]
    if value.value is None:
        return [*cells, html.Span(why(item, value, lang), className="d-k-why")]
    target = with_unit(key, value.target, lang) if value.target is not None else None
    return [
        *cells,
        _cell("target", lang, target),
        _cell("verdict", lang, verdict_mark(value.verdict, lang) if value.verdict else None),
        _cell("n", lang, number(value.n, lang, 0) if value.n is not None else None),
        _cell("data", lang, _data(city, value, lang)),
    ]


def _cell(name: str, lang: str, shown_value: object, told: Mapping[str, str] | None = None) -> Component:
    """One cell, its heading first for who cannot see the columns; empty where there is nothing to say."""
    heading = html.Span(f"{t(f'catalogue.column_{name}', lang)} ", className="d-cell-name")
    parts = [] if shown_value is None else [heading, *(shown_value if isinstance(shown_value, list) else [shown_value])]
    return html.Span(parts, className=f"d-k-{name}", **(told or {}))


def _figure(value: KpiValue, lang: str) -> Component:
    if value.state:
        return html.B(t(f"desk.small_{value.state}", lang))
    extra = unit(value.key, lang) if value.value is not None and value.measure_unit != "aqi" else ""
    return html.Span([html.B(shown(value.key, value.value, lang)), html.Small(f" {extra}") if extra else None])


def _raw(value: KpiValue) -> str:
    return "" if value.value is None else str(value.value)


def _data(city: City, value: KpiValue, lang: str) -> list[Component | str] | None:
    """Up to when the feeds behind the figure speak; their worst state where not all is well. None where no feed is bound by time."""
    if value.through_at is None:
        return None
    age: list[Component | str] = [ago(value.through_at, city.as_of, lang)]
    if value.freshness in (FRESH, STATIC):
        return age
    return [source_state(city, value, lang), " · ", *age]


def why(item: Definition, value: KpiValue, lang: str) -> str:
    """Why there is no figure, in words."""
    if value.state:
        return t("desk.small_hint", lang)
    if not item.has_feed:
        return t("catalogue.why_no_feed", lang)
    if value.n is not None and 0 < value.n < item.row.min_n:
        return t("catalogue.why_few", lang, n=number(value.n, lang, 0), least=number(item.row.min_n, lang, 0))
    if value.coverage == 0:
        return t("catalogue.why_silent", lang, state=t(f"freshness.{value.freshness}", lang).lower())
    return t("catalogue.why_no_rows" if not value.n else "catalogue.why_not_known", lang)


