"""KPI tiles of the desk: a figure with all that is needed to trust it, a link to its rows, its definition one click away.

`tile` is pure: (KpiValue, points) -> component. DRILLS says which rows stand behind which figure; a test opens each and counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dash import html
from dash.development.base_component import Component

from components.charts import sparkline
from components.desk_links import View
from components.desk_parts import ago, link, state_mark, verdict_mark
from metrics.city import City
from metrics.city.explore.measures import MEASURE
from metrics.city.feeds import FRESH, ROLE_TOPIC, STATIC
from metrics.city.numbers.kpis import KpiValue
from metrics.city.numbers.series import Point
from metrics.kpis import kpi
from metrics.periods import Period
from text import t
from text.formats import delta, instant, number, percent, period_label

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "desk.group_one_stop",
        (
            "dossiers_overdue",
            "dossiers_due_2wd",
            "dossiers_on_time_pct",
            "dossiers_open",
            "dossiers_received",
            "dossiers_finished",
            "dossiers_late",
            "dossiers_early_pct",
            "dossiers_on_time_766_pct",
            "dossiers_online_pct",
        ),
    ),
    (
        "desk.group_reports",
        (
            "reports_overdue",
            "reports_open",
            "reports_received",
            "reports_resolved",
            "reports_resolve_days_median",
        ),
    ),
    ("desk.group_environment", ("vn_aqi", "stations_reporting_pct")),
    ("desk.group_feeds", ("feeds_fresh_pct",)),
)
DEFAULT_PERIOD = "today"
LOW_COVERAGE = 0.9  # below it the tile itself says so; above it the definition does
NO_SERIES = ("stations_reporting_pct", "feeds_fresh_pct", "dossiers_due_2wd")  # known only for now


@dataclass(frozen=True)
class Drill:
    """The rows behind a figure.

    counts says how many rows there are: value = as many as the figure says, n = as many as it was computed from, rest = those of
    n that a share leaves out (the late ones of an on-time share), '' = a wider list. is_stock: rows are known for now only.
    """

    path: str
    parameters: Mapping[str, str]
    counts: str = "value"
    is_stock: bool = False


DRILLS: Mapping[str, Drill] = {
    "dossiers_received": Drill("/dossiers", {"state": "received"}),
    "dossiers_finished": Drill("/dossiers", {"state": "finished"}),
    "dossiers_on_time_pct": Drill("/dossiers", {"state": "late"}, "rest"),
    "dossiers_on_time_766_pct": Drill("/dossiers", {"state": "late"}, ""),
    "dossiers_early_pct": Drill("/dossiers", {"state": "finished"}, ""),
    "dossiers_late": Drill("/dossiers", {"state": "late"}),
    "dossiers_open": Drill("/dossiers", {"state": "open"}, is_stock=True),
    "dossiers_overdue": Drill("/dossiers", {"state": "overdue"}, is_stock=True),
    "dossiers_due_2wd": Drill("/dossiers", {"state": "due_soon"}, is_stock=True),
    "dossiers_online_pct": Drill("/dossiers", {"state": "received"}, "n"),
    "reports_received": Drill("/reports", {"state": "received"}),
    "reports_open": Drill("/reports", {"state": "open"}, is_stock=True),
    "reports_overdue": Drill("/reports", {"state": "overdue"}, is_stock=True),
    "reports_resolved": Drill("/reports", {"state": "finished"}),
    "reports_resolve_days_median": Drill("/reports", {"state": "finished"}, ""),
    "reports_reopened_pct": Drill("/reports", {"quality": "reopened"}, ""),
    "reports_closed_within_hour_pct": Drill("/reports", {"quality": "within_hour"}, ""),
    "reports_closed_in_bulk_pct": Drill("/reports", {"quality": "bulk"}, ""),
    "vn_aqi": Drill("/stations", {"kind": "air"}, ""),
    "stations_reporting_pct": Drill("/stations", {}, "n"),
    "feeds_fresh_pct": Drill("/feeds", {}, ""),
}


def tile(city: City, view: View, value: KpiValue, points: Sequence[Point] = ()) -> Component:
    """One figure. The heading's link covers the tile; the definition opens in place."""
    lang = view.lang
    parts = [
        html.H3(_name(city, view, value), className="d-tile-label"),
        html.Div([_figure(value, lang), _spark(value, points, lang)], className="d-tile-figure"),
        _verdict(value, lang),
        change(value, lang),
        _trust(city, view, value),
        _definition(city, view, value),
    ]
    state = "missing" if value.value is None else value.freshness
    return html.Article(
        [part for part in parts if part is not None],
        className="d-tile",
        **{"data-state": state, "data-verdict": value.verdict or "", "data-key": value.key},
    )


def drill_href(city: City, view: View, value: KpiValue) -> str:
    """Where the rows of a figure are, under the choices the figure was asked with; '' for a stock of a period that is over, and
    for a figure no list shows."""
    drill = DRILLS.get(value.key)
    if drill is None:
        return ""
    chosen: dict[str, object] = dict(drill.parameters)
    if drill.is_stock:
        if view.period.end_on < city.today:
            return ""
        chosen["period"] = ""
    elif drill.path in ("/dossiers", "/reports"):
        chosen["period"] = view.get("period") or DEFAULT_PERIOD
    return view.to(drill.path, **chosen)


def explore_href(city: City, view: View, key: str) -> str:
    """Where a figure is broken down, under the choices it was asked with; '' where it cannot be, or not by this reader."""
    row = MEASURE.get(key)
    if row is None or not all(city.scope.permits(one) for one in ("see.dossiers", "see.small_counts")):
        return ""
    return view.to("/explore", measure=key, period=view.get("period") or DEFAULT_PERIOD)


def _name(city: City, view: View, value: KpiValue) -> Component | str:
    """The figure's name, as a link where its rows can be listed."""
    words, href = t(f"kpi.{value.key}.label", view.lang), drill_href(city, view, value)
    return link(words, href, "d-tile-link") if href else words


def shown(key: str, value: float | None, lang: str) -> str:
    """A KPI's value as it is written, without its unit."""
    return number(value, lang, kpi(key).decimals)


def unit(key: str, lang: str) -> str:
    """The measure unit of a KPI as it is written."""
    return t(f"unit.{kpi(key).measure_unit}", lang)


def _figure(value: KpiValue, lang: str) -> Component:
    written = t(f"desk.small_{value.state}", lang) if value.state else shown(value.key, value.value, lang)
    extra = unit(value.key, lang)
    parts = [html.Span(written, className="d-value")]
    if value.value is not None and extra and value.measure_unit != "aqi":
        parts.append(html.Span(extra, className="d-unit"))
    return html.Div(parts, className="d-figure", **{"data-value": "" if value.value is None else str(value.value)})


def _verdict(value: KpiValue, lang: str) -> Component | None:
    """Verdict and target; or why there is no figure."""
    if value.value is None:
        reason = "desk.small_hint" if value.state else "desk.no_value_cover" if value.coverage == 0 else "desk.no_value"
        return html.P(t(reason, lang), className="d-why")
    if value.target is None:
        return None
    target = t("desk.target", lang, value=with_unit(value.key, value.target, lang))
    return html.P([verdict_mark(value.verdict, lang) if value.verdict else None, html.Span(target)], className="d-target")


def with_unit(key: str, value: float | None, lang: str) -> str:
    """A KPI's value as it is written, with its unit where one is written."""
    if kpi(key).measure_unit == "percent":
        return percent(value, lang, kpi(key).decimals)
    written, extra = shown(key, value, lang), unit(key, lang)
    return f"{written} {extra}".strip() if value is not None and kpi(key).measure_unit != "aqi" else written


def change(value: KpiValue, lang: str) -> Component | None:
    """The change to the comparable period, which is named; better and worse in words, not in colour alone."""
    before = value.previous_period
    if before is None:
        return None
    name = short_period(before, lang)
    if value.delta is None:
        why = f"desk.no_change_{value.no_change}" if value.no_change else "desk.no_comparison"
        return html.P(t(why, lang, period=name, least=kpi(value.key).min_n_change), className="d-change")
    extra = t("unit.point", lang) if value.measure_unit == "percent" else ""
    size = f"{delta(value.delta, lang, kpi(value.key).decimals)} {extra}".strip()
    sense = _sense(value, size)
    words = [html.Span(size, className="d-delta"), html.Span(t("desk.versus", lang, period=name))]
    if sense:
        words.insert(1, html.Span(t(f"verdict.{sense}", lang), className="d-sense"))
    if how := alignment(value, lang):
        words.append(html.Span(how, title=t("desk.aligned_hint", lang)))
    return html.P(words, className="d-change", **{"data-sense": sense})


def alignment(value: KpiValue, lang: str) -> str:
    """How the two periods are made comparable where it is not plain: per working day, with the same holiday; '' else."""
    found = value.comparison
    if found is None or found.previous is None:
        return ""
    parts = [t(f"desk.aligned_{found.aligned}", lang)] if found.aligned in ("holiday", "last_worked") else []
    if found.is_per_day and kpi(value.key).measure == "count" and kpi(value.key).counted_on == "working_days":
        days = [number(days, lang, None) for days in (found.working_days, found.working_days_before)]
        parts.append(t("desk.aligned_per_day", lang, days=days[0], before=days[1]))
    return ", ".join(parts)


def short_period(period: Period, lang: str) -> str:
    """The compared period in few letters, with its days: T6 13/11, 09/11–15/11."""
    first, last = (f"{on.day:02}/{on.month:02}" for on in (period.start_on, period.end_on))
    if period.days == 1:
        return f"{t(f'weekday_short.{period.start_on.isoweekday()}', lang)} {first}"
    return f"{first}–{last}"


def _sense(value: KpiValue, size: str) -> str:
    """better | worse | same as the reader sees it: what is written as zero is no change."""
    better = kpi(value.key).better
    if not any(digit in size for digit in "123456789"):
        return "same"
    if better == "none" or value.delta is None:
        return ""
    return "better" if (value.delta > 0) == (better == "up") else "worse"


def _trust(city: City, view: View, value: KpiValue) -> Component:
    """n, late rule, coverage, age and state of the feeds behind the figure."""
    lang = view.lang
    marks: list[Component] = []
    if kpi(value.key).measure_unit in ("percent", "days", "aqi"):
        marks.append(html.Span(t("desk.n", lang, n=number(value.n, lang, 0)), title=t("desk.n_hint", lang)))
    if value.late_rule:
        marks.append(html.Span(t(f"late_rule.{value.late_rule}", lang), title=t(f"late_rule.{value.late_rule}_hint", lang)))
    if value.coverage is not None and value.coverage < LOW_COVERAGE:
        marks.append(html.Span(_covered(value, lang), title=t("desk.coverage_hint", lang)))
    if value.through_at is not None:
        title = t("desk.through", lang, at=instant(value.through_at, city.config.tz, lang))
        marks.append(
            html.Span(
                [
                    source_state(city, value, lang),
                    *([] if value.freshness == STATIC else [" · ", ago(value.through_at, city.as_of, lang)]),
                ],
                title=title,
            )
        )
    if href := explore_href(city, view, value.key):
        marks.append(link(t("explore.analyse", lang), href, "d-tile-more", title=t("explore.analyse_hint", lang)))
    return html.Div(marks, className="d-trust")


def _covered(value: KpiValue, lang: str) -> str:
    return t("desk.coverage", lang, value=percent(100 * (value.coverage or 0), lang, 0))


def source_state(city: City, value: KpiValue, lang: str) -> Component:
    """The worst state of the feeds behind; with several of them it is said that not all are in it."""
    topic, word = kpi(value.key).topic, t(f"freshness.{value.freshness}", lang)
    several = sum(ROLE_TOPIC.get(feed.role) == topic for feed in city.config.feeds) > 1
    if several and value.freshness != FRESH:
        word = t("desk.one_feed", lang, state=word.lower())
    return state_mark(value.freshness, word, title=t(f"freshness.{value.freshness}_hint", lang))


def _definition(city: City, view: View, value: KpiValue) -> Component:
    """Opens in place: what the figure means, on what ground, and the circumstances it was computed under."""
    lang, period = view.lang, value.period
    told = [t("desk.as_of", lang, at=instant(value.as_of, city.config.tz, lang)), t("desk.n", lang, n=number(value.n, lang, 0))]
    span = period_label("day" if period.days == 1 else "range", period.start_on, period.end_on, lang)
    told += [_covered(value, lang)] if value.coverage is not None else []
    label = t(f"kpi.{value.key}.label", lang)
    return html.Details(
        [
            html.Summary(html.Span("i", **{"aria-hidden": "true"}), title=t("desk.definition_of", lang, name=label)),
            html.Div(
                [
                    html.P(t(f"kpi.{value.key}.definition", lang)),
                    html.P([t("desk.source", lang), ": ", t(f"kpi.{value.key}.source", lang)], className="d-source"),
                    html.P([t("desk.period", lang), ": ", span], className="d-source"),
                    html.P(" · ".join(told), className="d-source"),
                    html.P(link(t("explain.from_tile", lang), view.to("/explain", key=value.key, period=period.text))),
                    link(t("desk.to_catalogue", lang), f"{view.to('/kpis')}#{value.key}"),
                ],
                className="d-popover",
            ),
        ],
        className="d-definition",
    )


def _spark(value: KpiValue, points: Sequence[Point], lang: str) -> Component | None:
    """The days up to the period's end; gaps as gaps, a share beside its target."""
    known = [point.value for point in points if point.value is not None]
    if len(known) < 2:
        return None
    is_share = value.measure_unit == "percent"
    drawn = sparkline([point.value for point in points], value.target if is_share else None)
    low, high = (with_unit(value.key, bound, lang) for bound in (min(known), max(known)))
    words = t("desk.spark", lang, n=len(points), low=low, high=high)
    return html.Span(className="d-spark", style={"--spark": drawn}, role="img", title=words, **{"aria-label": words})
