"""What stands behind one KPI, drawn: definition, formula, law, late rule, targets with dates, owner, coverage, tables and feeds."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from components.desk_filters import period_name
from components.desk_links import View
from components.desk_parts import ago, facts, feed_state, link
from components.desk_tiles import change, drill_href, explore_href, unit, with_unit
from config import LATE_RULES
from config.targets import Target
from metrics.city import City
from metrics.city.feeds import FeedState
from metrics.city.numbers.definitions import Definition
from metrics.city.numbers.kpis import KpiValue
from text import t
from text.formats import MISSING, day, instant, number, percent


def kpi_facts(city: City, view: View, item: Definition, value: KpiValue) -> Component:
    """All of a KPI's definition, and the circumstances its figure was computed under."""
    lang, row = view.lang, item.row
    rows = [*_meaning(item, lang), *_promise(city, item, value, lang), *_lineage(city, view, item)]
    links = [link(t("catalogue.link", lang), view.here(key=row.key))]
    if href := drill_href(city, view, value):
        links.insert(0, link(t("desk.open_list", lang), href))
    if href := explore_href(city, view, row.key):
        links.insert(0, link(t("explore.analyse", lang), href))
    parts = [
        html.P(t(f"kpi.{row.key}.definition", lang)),
        change(value, lang),
        facts(rows),
        html.P(_circumstances(city, value, lang), className="d-quiet"),
        html.P([html.Code(row.key), *links], className="d-kpi-links"),
    ]
    return html.Div([part for part in parts if part is not None], className="d-kpi-facts")


def _meaning(item: Definition, lang: str) -> list[tuple[str, Any]]:
    row = item.row
    rules = " / ".join(t(f"late_rule.{rule}", lang) for rule in LATE_RULES)
    law: list[Any] = [t(f"kpi.{row.key}.source", lang)]
    if not row.verified:
        law += [" ", html.Span(t("catalogue.unverified", lang), className="d-mark", title=t("catalogue.unverified_hint", lang))]
    return [
        (t("catalogue.formula", lang), t(f"kpi.{row.key}.formula", lang)),
        (t("desk.source", lang), law),
        (t("desk.measure_unit", lang), unit(row.key, lang) or MISSING),
        (t("desk.better", lang), t(f"desk.better_{row.better}", lang)),
        (t("desk.late_rule", lang), rules if row.has_rule else t("desk.no_rule", lang)),
        (t("desk.min_n", lang), number(row.min_n, lang, 0)),
        *_about(item, lang),
    ]


def _about(item: Definition, lang: str) -> list[tuple[str, Any]]:
    """The codes the city file narrows a KPI to."""
    told = {"procedures": item.about.procedures, "domains": item.about.domains}
    return [(t(f"catalogue.about_{name}", lang), ", ".join(codes)) for name, codes in told.items() if codes]


def _promise(city: City, item: Definition, value: KpiValue, lang: str) -> list[tuple[str, Any]]:
    in_force = [target for target in item.targets if target.holds(value.period.end_on)][-1:]
    told = [
        html.Li(target_words(item.row.key, target, lang), **({"aria-current": "true"} if [target] == in_force else {}))
        for target in item.targets
    ]
    cover = percent(100 * value.coverage, lang, 0) if value.coverage is not None else t("catalogue.no_cover", lang)
    return [
        (t("desk.target_name", lang), html.Ul(told, className="d-targets") if told else t("catalogue.no_target", lang)),
        (t("catalogue.owner", lang), item.owner or t("catalogue.no_owner", lang)),
        (t("catalogue.cover", lang), cover),
    ]


def target_words(key: str, target: Target, lang: str) -> str:
    """A target with the days it holds and the document behind it."""
    value = with_unit(key, target.value, lang)
    first, last = (day(on, lang) if on else "" for on in (target.from_on, target.to_on))
    form = {(True, True): "between", (True, False): "from", (False, True): "until", (False, False): "always"}[bool(first), bool(last)]
    words = t(f"catalogue.target_{form}", lang, value=value, first=first, last=last)
    return f"{words} ({target.source})" if target.source else words


def _lineage(city: City, view: View, item: Definition) -> list[tuple[str, Any]]:
    lang = view.lang
    tables = [html.Code(table) for table in item.tables]
    feeds = [html.Li(_feed(city, view, state)) for state in item.feeds]
    told = html.Ul(feeds) if feeds else t("catalogue.hidden_feeds" if item.has_feed else "catalogue.no_feeds", lang)
    return [(t("catalogue.tables", lang), tables), (t("catalogue.feeds", lang), told)]


def _feed(city: City, view: View, state: FeedState) -> list[Any]:
    mark = feed_state(state.state, view.lang, state.through_at, state.cadence_s)
    since = [" · ", ago(state.through_at, city.as_of, view.lang)] if state.through_at is not None else []
    return [link(state.title, view.to(f"/feeds/{state.key}")), " ", mark, *since]


def _circumstances(city: City, value: KpiValue, lang: str) -> str:
    """Period, number of records, the instant and, where it has one, the late rule."""
    told = [period_name(value.period, lang), t("desk.n", lang, n=number(value.n, lang, 0)),
            t("desk.as_of", lang, at=instant(value.as_of, city.config.tz, lang))]
    if value.late_rule:
        told.append(t(f"late_rule.{value.late_rule}", lang))
    return " · ".join(told)
