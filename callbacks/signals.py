"""Fills the page of signals, all KPIs or one with its weeks and baselines, and takes new baselines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from dash import Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component

from components.context import AppContext
from components.desk_filters import figure_fields, panel, period_picker
from components.desk_links import View
from components.desk_parts import heading, link, notice
from components.desk_shell import refresh_id
from components.desk_signals import (
    ABOUT,
    FROM,
    REASON,
    SAID,
    SAVE,
    TO,
    baseline_form,
    card,
    history_list,
    quiet_table,
    rules,
    unsaid_list,
    week_label,
    weeks_table,
)
from components.desk_wiring import CallbackRow, PageRow, asking, bind_callback, bind_page, choice_of
from metrics.city import City
from metrics.city.findings import baselines, signals
from metrics.city.findings.baselines import Asked, BaselineFault
from metrics.city.findings.signals import Signal
from metrics.city.numbers.sums import Choice
from metrics.kpis import KPI_BY_KEY
from metrics.spc import NO_CHANGE, TOO_LITTLE, VERDICTS
from scope import Scope
from store.days import instant
from text import t

DEFAULT_PERIOD = "last_week"
TOPICS = ("dossiers", "reports", "readings", "operations")


def draw_signals(city: City, view: View) -> list[Component | None]:
    """What changed in the week, worst first; everything else below. With a key: one KPI."""
    if view.get("key"):
        return _one(city, view)
    lang = view.lang
    found = signals.in_order(signals.read(city, (), view.period, choice_of(view), view.get("late_rule")))
    fired, quiet = [one for one in found if one.is_signal], [one for one in found if one.verdict == NO_CHANGE]
    unsaid = [one for one in found if one.verdict == TOO_LITTLE]
    week = signals.last_full_week(city, view.period)
    none = notice(t("signals.none", lang), t("signals.none_hint", lang))
    return [
        heading(t("page.signals", lang), [html.B(week_label(week.text, lang)), " ", _counts(found, lang)]),
        *_controls(city, view),
        rules(lang),
        html.Div([card(city, view, one) for one in fired], className="d-signal-cards") if fired else none,
        html.Section([html.H2(t("signals.quiet", lang)), quiet_table(view, quiet)], className="d-section") if quiet else None,
        unsaid_list(view, unsaid) if unsaid else None,
    ]


def _controls(city: City, view: View) -> list[Component | None]:
    fields, chosen = figure_fields(city, view)
    return [
        html.Section([period_picker(view, DEFAULT_PERIOD), panel(view, fields)], className="d-controls"),
        chosen,
    ]


def _counts(found: Sequence[Signal], lang: str) -> Component:
    """How many KPIs got which verdict."""
    counted = Counter(one.verdict for one in found)
    words = [f"{t(f'signals.verdict.{verdict}', lang)}: {counted[verdict]}" for verdict in VERDICTS if counted[verdict]]
    return html.Span(" · ".join(words), className="d-quiet")


def _one(city: City, view: View) -> list[Component | None]:
    """One KPI: chart, weeks, baselines, and the form for who may set one."""
    lang, key, choice = view.lang, view.get("key"), choice_of(view)
    back = link(t("signals.all", lang), view.here(key=""), "d-button")
    found = signals.read(city, [key], view.period, choice, view.get("late_rule")) if key in KPI_BY_KEY else ()
    if not found:
        return [heading(t("page.signals", lang), None, back), notice(t("signals.unknown", lang), t("signals.unknown_hint", lang))]
    (one,) = found
    return [
        heading(t("page.signals", lang), week_label(one.week.text, lang), back),
        *_controls(city, view),
        card(city, view, one, is_alone=True),
        rules(lang),
        baseline_form(view, one) if baselines.may_set(city, choice) else None,
        html.Section([html.H2(t("signals.history", lang)), history_list(city, baselines.history(city, key, choice), lang)],
                     className="d-section"),
        html.Section([html.H2(t("signals.weeks", lang)), weeks_table(view, one)], className="d-section"),
    ]


def set_baseline(
    context: AppContext, scope: Scope, presses: int | None, first: str | None, last: str | None, reason: str | None,
    about: Mapping[str, str] | None,
) -> Any:
    """Keep the baseline of the form; (the page's count of refreshes, what is said at the form)."""
    if not presses or not about:
        return no_update, no_update
    city, request, now = context.city(scope), asking(), instant(context.now())
    lang = context.lang(about.get("lang"))
    choice = Choice(agency=about.get("agency", ""), area=about.get("area", ""))
    asked = Asked(about.get("key", ""), first or "", last or "", reason or "", choice)
    try:
        baselines.set_baseline(city, asked, request.client.host if request and request.client else "", now)
    except BaselineFault as no:
        return no_update, html.Span(t(no.key, lang, **no.words), className="d-fault", role="alert")
    except KeyError:
        return no_update, html.Span(t("signals.unknown", lang), className="d-fault", role="alert")
    return now // 1000, html.Span(t("signals.saved", lang))


PAGES = (PageRow("signals", "see.desk", draw_signals, TOPICS, default_period=DEFAULT_PERIOD),)
CALLBACKS = (
    CallbackRow(
        set_baseline, "manage.baselines", [Output(refresh_id("signals"), "data"), Output(SAID, "children")], [Input(SAVE, "n_clicks")],
        [State(FROM, "value"), State(TO, "value"), State(REASON, "value"), State(ABOUT, "data")],
    ),
)


def register(app: Dash, context: AppContext) -> None:
    """Wire this page."""
    for page in PAGES:
        bind_page(app, context, page)
    for row in CALLBACKS:
        bind_callback(app, context, row)
