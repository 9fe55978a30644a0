"""Signals, drawn: the verdict as a mark, a card per KPI with its control chart, the rules in words, the form that sets a baseline.

Pure: Signal -> component. `signal_mark` is for any page that shows a KPI.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from components.control_chart import control_chart
from components.desk_links import View
from components.desk_parts import facts, link
from components.desk_table import Column, table
from components.desk_tiles import with_unit
from metrics import spc
from metrics.city import City
from metrics.city.findings.baselines import PROGRAM, weeks
from metrics.city.findings.signals import Signal, SignalPoint
from metrics.kpis import kpi
from metrics.periods import parse_period
from store.baselines import Baseline
from text import t
from text.formats import MISSING, instant, number, percent

# ids of the form's fields and button
FROM, TO, REASON, SAVE, SAID, ABOUT = (f"signals-{name}" for name in ("from", "to", "reason", "save", "said", "about"))


def signal_mark(signal: Signal, lang: str) -> Component:
    """The verdict as shape, colour and word; the rule that fired in its title."""
    title = t(f"signals.rule.{signal.rule}", lang) if signal.rule else t(f"signals.verdict_hint.{signal.verdict}", lang)
    words = t(f"signals.verdict.{signal.verdict}", lang)
    return html.Span(words, className="d-signal-mark", title=title, **{"data-signal": signal.verdict})


def card(city: City, view: View, signal: Signal, *, is_alone: bool = False) -> Component:
    """One KPI: verdict, the week's figure between its limits, the rule, the chart; the target second. Alone it is no link to itself."""
    lang = view.lang
    name = t(f"kpi.{signal.key}.label", lang)
    head = html.H3(name if is_alone else link(name, view.here(key=signal.key), "d-signal-name"))
    parts = [
        html.Div([head, signal_mark(signal, lang)], className="d-signal-head"),
        html.P([html.B(_figure(signal, lang)), html.Span(_between(signal, lang))], className="d-signal-figure"),
        html.P(t(f"signals.rule.{signal.rule}", lang), className="d-signal-rule") if signal.rule else None,
        control_chart(signal.points, _alternative(signal, lang)),
        html.P(_baseline_words(city, signal, lang), className="d-quiet"),
        html.P(_target(signal, lang), className="d-quiet") if signal.target is not None else None,
        html.P(_explain(view, signal.key, signal.week.text)),
    ]
    return html.Article(
        [part for part in parts if part is not None], className="d-signal-card",
        **{"data-key": signal.key, "data-signal": signal.verdict},
    )


def _explain(view: View, key: str, week: str) -> Component:
    """To what else was unlike other weeks in that one."""
    return link(t("explain.from_tile", view.lang), view.to("/explain", key=key, period=week), "d-link d-signal-also")


def quiet_table(view: View, signals: Sequence[Signal]) -> Component:
    """KPIs without a signal, one a line."""
    lang = view.lang
    columns = [
        Column[Signal](t("signals.kpi", lang), lambda row: link(t(f"kpi.{row.key}.label", lang), view.here(key=row.key)), "main"),
        Column[Signal](t("signals.value", lang), lambda row: _figure(row, lang) + _per_day(row, lang), "number"),
        Column[Signal](t("signals.limits", lang), lambda row: _range(row, lang), "short"),
        Column[Signal](t("signals.verdict_name", lang), lambda row: signal_mark(row, lang)),
        Column[Signal](t("desk.target_name", lang), lambda row: with_unit(row.key, row.target, lang) if row.target is not None else MISSING,
                       "number"),
    ]
    return table(columns, signals, t("signals.quiet", lang))


def unsaid_list(view: View, signals: Sequence[Signal]) -> Component:
    """KPIs with too little data, folded away."""
    lang = view.lang
    names = [html.Li(link(t(f"kpi.{one.key}.label", lang), view.here(key=one.key))) for one in signals]
    words = f"{t('signals.verdict.too_little_data', lang)}: {number(len(signals), lang, 0)}"
    return html.Details([html.Summary(words), html.Div(html.Ul(names), className="d-prose")], className="d-waiting")


def rules(lang: str) -> Component:
    """The rules with how often chance alone makes each fire, the charts, the limits of all this."""
    rows = [
        html.Li([
            t(f"signals.rule.{rule.key}", lang), " ",
            html.Span(t("signals.theory", lang, value=percent(100 * rule.theory, lang, 2)), className="d-quiet"),
        ])
        for rule in spc.RULES
    ]
    kinds = [html.Li(t(f"signals.kind.{kind}", lang)) for kind in spc.KINDS]
    said = [html.P(t(f"signals.{name}", lang)) for name in ("about_baseline", "about_weeks", "about_caveat")]
    inside = [html.P(t("signals.about", lang)), html.Ul(rows), html.Ul(kinds), *said]
    return html.Details([html.Summary(t("signals.how", lang)), html.Div(inside, className="d-prose")], className="d-waiting")


def weeks_table(view: View, signal: Signal) -> Component:
    """Every week behind a chart, newest first."""
    lang = view.lang

    def limits(row: SignalPoint) -> str:
        if row.limits is None:
            return MISSING
        return f"{_charted(signal, row.limits.low, lang)}–{_charted(signal, row.limits.high, lang)}"

    columns = [
        Column[SignalPoint](t("period.week", lang), lambda row: _explain_week(view, signal.key, row), "main"),
        Column[SignalPoint](t("signals.value", lang), lambda row: _value(signal, row, lang), "number"),
        Column[SignalPoint]("n", lambda row: number(row.n, lang, 0), "number"),
        Column[SignalPoint](t("signals.charted", lang), lambda row: _charted(signal, row.charted, lang), "number"),
        Column[SignalPoint](t("signals.limits", lang), limits, "short"),
        Column[SignalPoint](t("signals.notes", lang), lambda row: ", ".join(_notes(row, lang)), "wide"),
    ]
    return table(columns, tuple(reversed(signal.points)), t("signals.weeks", lang))


def _explain_week(view: View, key: str, row: SignalPoint) -> Component | str:
    """A week's name; of one where a rule fired a link to what else was unlike others then."""
    return link(row.week, view.to("/explain", key=key, period=row.week), title=t("explain.from_tile", view.lang)) if row.rule else row.week


def history_list(city: City, rows: Sequence[Baseline], lang: str) -> Component:
    """Baselines set so far, newest first."""
    if not rows:
        return html.P(t("signals.no_history", lang), className="d-quiet")
    return facts(
        (
            "–".join(week.text for week in weeks(row)),
            _set_by(city, row.set_by, row.set_at, row.reason, lang),
        )
        for row in rows
    )


def baseline_form(view: View, signal: Signal) -> Component:
    """Which weeks shall make the limits, and why; the callback of the page takes it."""
    lang, held = view.lang, signal.baseline
    about = {"key": signal.key, "lang": lang, **{name: view.get(name) for name in ("agency", "area")}}

    def box(name: str, label: str, value: str, **attributes: Any) -> Component:
        inside = dcc.Input(id=name, value=value, type="text", className="d-input", autoComplete="off", **attributes)
        return html.Label([html.Span(label, className="d-field-name"), inside], className="d-field")

    fields = [
        box(FROM, t("signals.from_week", lang), held.from_week if held else "", placeholder="2026-W20"),
        box(TO, t("signals.to_week", lang), held.to_week if held else "", placeholder="2026-W31"),
        box(REASON, t("signals.reason", lang), "", placeholder=t("signals.reason_hint", lang), maxLength=500),
        html.Button(t("signals.save", lang), id=SAVE, className="d-button d-main-button", type="button", n_clicks=0),
    ]
    return html.Section(
        [
            html.H2(t("signals.reset", lang)), html.P(t("signals.reset_hint", lang), className="d-quiet"),
            html.Div(fields, className="d-fields d-baseline-form"), html.Div(id=SAID, role="status"),
            dcc.Store(id=ABOUT, data=about),
        ],
        className="d-section",
    )


# ---- words ----------------------------------------------------------------------------------------------------------
def _set_by(city: City, actor: str, at: int, reason: str, lang: str) -> str:
    """Who set a baseline, when and why."""
    is_program = actor == PROGRAM.actor
    who = t("signals.program", lang) if is_program else actor.partition(":")[2] or actor
    told = t("signals.first_kept", lang) if is_program else reason
    return t("signals.set_by", lang, who=who, at=instant(at, city.config.tz, lang), reason=told)


def _figure(signal: Signal, lang: str) -> str:
    return with_unit(signal.key, signal.value, lang)


def _charted(signal: Signal, value: float | None, lang: str) -> str:
    """A value as the chart has it: shares in percent, counts per day with a decimal."""
    if signal.kind == "p":
        return percent(value, lang, 1)
    return number(value, lang, max(1, kpi(signal.key).decimals) if signal.per_day else kpi(signal.key).decimals)


def _range(signal: Signal, lang: str) -> str:
    if signal.limits is None:
        return MISSING
    words = f"{_charted(signal, signal.limits.low, lang)}–{_charted(signal, signal.limits.high, lang)}"
    return t(f"signals.{signal.per_day}", lang, value=words) if signal.per_day else words


def _between(signal: Signal, lang: str) -> str:
    """What noise alone would give."""
    if signal.limits is None:
        return " · " + t("signals.verdict_hint.too_little_data", lang)
    words = t("signals.between", lang, limits=_range(signal, lang), mean=_charted(signal, signal.limits.mean, lang))
    return f"{_per_day(signal, lang)} · {words}"


def _per_day(signal: Signal, lang: str) -> str:
    """A count as it is charted, in brackets; '' for what is charted as it is."""
    if not signal.per_day or not signal.points:
        return ""
    charted = _charted(signal, signal.points[-1].charted, lang)
    return " (" + t(f"signals.{signal.per_day}", lang, value=charted) + ")"


def _alternative(signal: Signal, lang: str) -> str:
    name, verdict = t(f"kpi.{signal.key}.label", lang), t(f"signals.verdict.{signal.verdict}", lang)
    told = {"n": len(signal.points), "week": signal.week.text, "verdict": verdict, "limits": _range(signal, lang)}
    return t("signals.alternative", lang, name=name, **told)


def _baseline_words(city: City, signal: Signal, lang: str) -> str:
    held = signal.baseline
    if held is None:
        return t("signals.no_baseline", lang, least=spc.LEAST_BASELINE)
    words = t("signals.baseline", lang, first=held.from_week, last=held.to_week, n=held.used)
    if held.set_at is None:
        return f"{words} {t('signals.first_weeks', lang)}"
    return f"{words} {_set_by(city, held.set_by, held.set_at, held.reason, lang)}"


def _target(signal: Signal, lang: str) -> str:
    words = t("desk.target", lang, value=with_unit(signal.key, signal.target, lang))
    return f"{words} · {t('signals.off_target', lang)}" if signal.gap else words


def _value(signal: Signal, row: SignalPoint, lang: str) -> str:
    return t(f"desk.small_{row.state}", lang) if row.state else with_unit(signal.key, row.value, lang)


def _notes(row: SignalPoint, lang: str) -> list[str]:
    """What is to be known of a week beside its figures."""
    notes = [t(f"signals.rule.{row.rule}", lang)] if row.rule else []
    notes += [t("signals.left_out", lang)] if row.is_left_out else [t("signals.holiday", lang)] if row.is_holiday else []
    return notes + ([t("signals.in_baseline", lang)] if row.in_baseline else [])


def week_label(week: str, lang: str) -> str:
    """A week's text as it is read."""
    found = parse_period(week, date(2000, 1, 1))
    return f"{t('period.week', lang)} {week} ({found.start_on:%d/%m}–{found.end_on:%d/%m/%Y})"
