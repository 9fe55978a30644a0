"""The at-risk queue, drawn: rows with chance, baseline and reasons; what it is ranked by; how that was judged. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dash import html
from dash.development.base_component import Component

from components.charts import share_width
from components.desk_links import View, item_path
from components.desk_parts import facts, link
from components.desk_table import Column, table
from metrics.at_risk.judging import Bin, Gain, Judgement
from metrics.city import City
from metrics.city.findings.at_risk import MODEL, RiskItem, RiskModel, RiskPage, RiskReason
from metrics.city.lists.filters import written
from text import t
from text.formats import MISSING, instant, number, percent

HIGH, RAISED = 50.0, 20.0  # percent from which a chance is drawn as such
Figures = Callable[[RiskReason, str], Mapping[str, str]]


def ranked_words(city: City, model: RiskModel, lang: str) -> Component:
    """What the queue is ranked by, in a sentence: the model, a baseline because the model is no better, or the limit used."""
    about = {"n": number(model.dossiers, lang, 0), "at": instant(model.learned_at, city.config.tz, lang)}
    if model.ranked_by in ("none", "too_little"):
        words = t(f"risk.ranked_{model.ranked_by}", lang)
    elif model.ranked_by == MODEL:
        words = f"{t('risk.ranked_model', lang, **about)} {t('risk.no_cause', lang)}"
    else:
        words = t("risk.no_better", lang, baseline=t(f"risk.baseline.{model.ranked_by}", lang), **about)
    return html.P(words, className="k-ranked", role="status", **{"data-ranked-by": model.ranked_by})


# ---- the queue ----------------------------------------------------------------------------------------------------------
def risk_table(city: City, view: View, found: RiskPage) -> Component:
    """One line a dossier, likeliest to miss its due date first; its number leads to its page."""
    lang, has_reasons = view.lang, found.model.ranked_by == MODEL  # a baseline has none, and is not set beside itself
    columns = [
        Column[RiskItem](t("column.risk.source_id", lang), lambda row: _open(view, row), "main"),
        Column[RiskItem](t("column.risk.chance_pct", lang), lambda row: _chance(row, lang, has_reasons=has_reasons), "short"),
        Column[RiskItem](t("column.risk.due_at", lang), lambda row: _due(city, row, lang), "time"),
        Column[RiskItem](t("column.risk.agency", lang), lambda row: _whose(view, row), "wide"),
        Column[RiskItem](t("column.risk.step", lang), lambda row: _step(row, lang), "wide"),
        Column[RiskItem](t("column.risk.reasons", lang), lambda row: _reasons(row, lang), "wide"),
    ]
    return table(columns if has_reasons else columns[:-1], found.rows, t("page.at_risk", lang))


def _open(view: View, row: RiskItem) -> Component:
    return link(row.source_id, view.to(item_path("/dossiers", row.feed, row.source_id), period=""))


def _chance(row: RiskItem, lang: str, *, has_reasons: bool) -> Component:
    """The chance with a bar, and what the limit used alone would say; without a model the part of the limit used."""
    if row.chance_pct is None:
        return html.Span(t("risk.used", lang, value=percent(row.used_pct, lang, 0)))
    level = "high" if row.chance_pct >= HIGH else "raised" if row.chance_pct >= RAISED else "low"
    bar = html.Span(html.Span(style={"width": share_width(row.chance_pct, 100)}), className="k-bar", **{"aria-hidden": "true"})
    shown = html.Span([html.B(percent(row.chance_pct, lang, 0)), bar], className="k-chance", **{"data-level": level})
    return _under(shown, t("risk.age_says", lang, value=percent(row.age_pct, lang, 0))) if has_reasons else shown


def _under(first: Component | str, *others: Component | str) -> Component:
    """Something with small words under it."""
    return html.Span([html.Span(first), *(html.Small(words) for words in others if words != "")], className="k-under")


def _due(city: City, row: RiskItem, lang: str) -> Component:
    left = t("risk.left", lang, n=number(row.days_left, lang, 1)) if row.days_left is not None else ""
    waits = t("timeliness.waiting", lang) if row.stopped_at is not None else ""
    return _under(instant(row.due_at, city.config.tz, lang), left, waits)


def _whose(view: View, row: RiskItem) -> Component:
    """Agency and procedure; each narrows the queue to its own."""
    agency = row.agency_name or t("unmapped.agency", view.lang)
    procedure = link(row.procedure_name, view.here(procedure=written([row.procedure_code]))) if row.procedure_name else ""
    return _under(link(agency, view.here(agency=written([row.agency_code]))), procedure)


def _step(row: RiskItem, lang: str) -> Component | str:
    if row.step_days is None:
        return MISSING
    return _under(row.step or MISSING, t("desk.working_days", lang, n=number(row.step_days, lang, 1)))


def _reasons(row: RiskItem, lang: str) -> Component | str:
    if not row.reasons:
        return t("risk.nothing_raises", lang)
    return html.Ol([html.Li(reason_words(one, lang), **{"data-reason": one.key}) for one in row.reasons], className="k-reasons")


def _percents(one: RiskReason, lang: str) -> Mapping[str, str]:
    return {"value": percent(one.value, lang, 0), "other": percent(one.other, lang, 0)}


def _days(one: RiskReason, lang: str) -> Mapping[str, str]:
    return {"value": number(one.value, lang, 1), "other": number(one.other, lang, 1)}


def _counts(one: RiskReason, lang: str) -> Mapping[str, str]:
    return {"value": number(one.value, lang, 0), "other": number(one.other, lang, 0)}


_FIGURES: Mapping[str, Figures] = {
    "share": _percents, "agency": _percents, "procedure": _percents, "reached": _percents, "dwell": _days, "in_hand": _counts,
    "steps": _counts, "waiting": _counts, "channel": _counts,
}
_NAMED: Mapping[str, Callable[[RiskReason], str]] = {  # reasons that are said in one of two ways
    "channel": lambda one: "channel_online" if one.value else "channel_other",
    "waiting": lambda one: "waiting" if one.value else "waiting_never",
}


def reason_words(one: RiskReason, lang: str) -> str:
    """A reason in words with its figures beside what is usual."""
    key = _NAMED[one.key](one) if one.key in _NAMED else one.key
    return t(f"risk.reason.{key}", lang, **_FIGURES[one.key](one, lang))


# ---- how it was judged ----------------------------------------------------------------------------------------------------
def judged(city: City, model: RiskModel, lang: str) -> Component | None:
    """The split, the loss beside the baselines, predictions beside what came; None when nothing has been judged."""
    one = model.judgement
    if one is None:
        return None
    return html.Section(
        [
            html.H2(t("risk.judged", lang)),
            html.P(t("risk.judged_how", lang, at=instant(one.split_at, city.config.tz, lang)), className="d-lead"),
            facts(_facts(one, model, lang)),
            html.H3(t("risk.gains", lang)),
            html.P(t("risk.gains_hint", lang), className="d-quiet"),
            _gains(one, lang),
            html.H3(t("risk.calibration", lang)),
            html.P(t("risk.calibration_hint", lang), className="d-quiet"),
            _calibration(one, lang),
        ],
        className="d-section k-judged",
    )


def _facts(one: Judgement, model: RiskModel, lang: str) -> list[tuple[str, str]]:
    def count(value: int) -> str:
        return number(value, lang, 0)

    return [
        (t("risk.of_all", lang), t("risk.of_all_words", lang, n=count(model.dossiers), all=count(model.of_all))),
        (t("risk.trained", lang), t("risk.looks", lang, n=count(one.trained_dossiers), looks=count(one.trained_looks))),
        (t("risk.judged_on", lang), t("risk.looks", lang, n=count(one.judged_dossiers), looks=count(one.judged_looks))),
        (t("risk.missed", lang), t("risk.missed_words", lang, before=percent(100 * one.trained_rate, lang, 1),
                                   after=percent(100 * one.judged_rate, lang, 1))),
        (t("risk.unresolved", lang), count(one.unresolved)),
        (t("risk.ranking", lang), percent(100 * one.ranking, lang, 0)),
    ]


def _gains(one: Judgement, lang: str) -> Component:
    columns = (
        Column[Gain](t("risk.beside", lang), lambda row: t(f"risk.baseline.{row.baseline}", lang), "main"),
        Column[Gain](t("risk.its_loss", lang), lambda row: number(row.loss, lang, 4), "number"),
        Column[Gain](t("risk.model_loss", lang), lambda row: number(one.loss, lang, 4), "number"),
        Column[Gain](t("risk.gain", lang), lambda row: number(row.gain, lang, 4), "number"),
        Column[Gain](t("risk.interval", lang), lambda row: _range(row.low, row.high, lang, 4), "short"),
        Column[Gain](t("risk.verdict", lang), lambda row: t("risk.better" if row.low > 0 else "risk.not_better", lang)),
    )
    return table(columns, one.gains, t("risk.gains", lang))


def _calibration(one: Judgement, lang: str) -> Component:
    columns = (
        Column[Bin](t("risk.predicted", lang), lambda row: _bar(100 * row.predicted, "predicted", lang), "main"),
        Column[Bin](t("risk.observed", lang), lambda row: _bar(100 * row.observed, "observed", lang), "wide"),
        Column[Bin](t("risk.interval", lang), lambda row: _range(100 * row.low, 100 * row.high, lang, 1), "short"),
        Column[Bin](t("risk.dossiers", lang), lambda row: number(row.dossiers, lang, 0), "number"),
        Column[Bin](t("risk.looks_name", lang), lambda row: number(row.looks, lang, 0), "number"),
    )
    return table(columns, one.calibration, t("risk.calibration", lang))


def _bar(value: float, kind: str, lang: str) -> Component:
    bar = html.Span(html.Span(style={"width": share_width(value, 100)}), className=f"k-bar k-{kind}", **{"aria-hidden": "true"})
    return html.Span([html.Span(percent(value, lang, 1)), bar], className="k-chance")


def _range(low: float, high: float, lang: str, decimals: int) -> str:
    return f"{number(low, lang, decimals)} … {number(high, lang, decimals)}"
