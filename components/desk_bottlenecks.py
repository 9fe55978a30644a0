"""Where the time of procedures goes, drawn: the procedures, and one procedure's steps, loops and orders of steps. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from components.charts import share_width
from components.desk_dossier_clock import step_name
from components.desk_links import View, item_path
from components.desk_parts import facts, link
from components.desk_table import Column, table
from components.drawing import legend
from metrics.city.findings.bottlenecks import SAMPLE, Bottlenecks, ProcedureTime
from metrics.process import Loop, Process, StepKey, StepTime, Variant
from text import t
from text.formats import MISSING, day, number, percent

NO_PROCEDURE = "-"  # of dossiers whose source tells none, as the filters write what is missing


def procedure_table(view: View, rows: Sequence[ProcedureTime]) -> Component:
    """The procedures, most working days first; each leads to its steps."""
    lang = view.lang
    columns = (
        Column[ProcedureTime](t("column.dossier.procedure", lang), lambda row: _open(view, row), "main"),
        Column[ProcedureTime](t("bottlenecks.ended", lang), lambda row: number(row.n, lang, 0), "number"),
        Column[ProcedureTime](t("bottlenecks.mean_days", lang), lambda row: number(row.mean_days, lang, 1), "number"),
        Column[ProcedureTime](t("bottlenecks.work_share", lang), lambda row: _share(row.worked_share, "worked", lang), "wide"),
    )
    return table(columns, rows, t("bottlenecks.procedures", lang))


def _open(view: View, row: ProcedureTime) -> Component:
    words = row.procedure_name or t("bottlenecks.no_procedure", view.lang)
    return link(words, view.here(procedure=row.procedure_code or NO_PROCEDURE))


def _share(share: float, kind: str, lang: str) -> Component:
    bar = html.Span(html.Span(className=f"r-bar r-{kind}", style={"width": share_width(share, 100)}), className="r-bars", **_HIDDEN)
    return html.Span([bar, html.Span(percent(share, lang, 1))], className="r-share")


_HIDDEN = {"aria-hidden": "true"}


def summary(view: View, found: Bottlenecks, process: Process) -> Component:
    """How long in all, work against waiting, and of how many dossiers this speaks."""
    lang = view.lang
    whole = process.worked_total + process.waited_total
    waits = 100 * process.waited_total / whole if whole else 0.0
    told = facts(
        [
            (t("bottlenecks.median", lang), t("desk.working_days", lang, n=number(process.worked_median, lang, 1))),
            (t("bottlenecks.p90", lang), t("desk.working_days", lang, n=number(process.worked_p90, lang, 1))),
            (t("bottlenecks.calendar_median", lang), t("bottlenecks.days", lang, n=number(process.calendar_median, lang, 1))),
            (t("bottlenecks.waiting_dossiers", lang),
             f"{number(process.waiting_dossiers, lang, 0)} ({percent(100 * process.waiting_dossiers / process.n, lang, 1)})"),
        ],
        "r-figures",
    )
    split = t("bottlenecks.split", lang, work=percent(100 - waits, lang, 1), wait=percent(waits, lang, 1))
    bar = html.Div(
        [html.Span(className="r-bar r-worked", style={"width": f"{100 - waits:.1f}%"}),
         html.Span(className="r-bar r-stop", style={"width": f"{waits:.1f}%"})],
        className="r-split", role="img", **{"aria-label": split},
    )
    keys = legend([("worked", t("bottlenecks.work", lang)), ("stop", t("bottlenecks.wait", lang))])
    rows = [told, bar, keys, html.P(split), html.P(sample_words(found, process, lang), className="d-quiet")]
    if found.names_hidden:
        rows.append(html.P(t("bottlenecks.names_hidden", lang), className="d-quiet"))
    return html.Div(rows, className="r-panel")


def sample_words(found: Bottlenecks, process: Process, lang: str) -> str:
    """Of which dossiers this speaks: all of the period, or the newest of them."""
    which = "bottlenecks.sample" if found.total > SAMPLE else "bottlenecks.sample_all"
    shown = {"n": number(process.n, lang, 0), "total": number(found.total, lang, 0)}
    words = t(which, lang, first=day(found.from_on, lang), last=day(found.to_on, lang), **shown)
    return words if not found.stepless else f"{words} {t('bottlenecks.stepless', lang, n=number(found.stepless, lang, 0))}"


def step_table(view: View, process: Process) -> Component:
    """Each step: in how many dossiers, how long until the next, its share of the work and of the waiting, the slowest."""
    lang = view.lang
    columns = (
        Column[StepTime](t("bottlenecks.step", lang), lambda row: step_name(row.name, row.status, lang), "main"),
        Column[StepTime](
            t("bottlenecks.dossiers", lang), lambda row: _of(row.dossiers, process.n, lang), "number"
        ),
        Column[StepTime](t("bottlenecks.step_median", lang), lambda row: number(row.median_days, lang, 1), "number"),
        Column[StepTime](t("bottlenecks.step_p90", lang), lambda row: number(row.p90_days, lang, 1), "number"),
        Column[StepTime](t("bottlenecks.work_share", lang), lambda row: _share(row.worked_share, "worked", lang), "wide"),
        Column[StepTime](
            t("bottlenecks.step_waited", lang), lambda row: number(row.waited_median, lang, 1) if row.waited_median else MISSING, "number"
        ),
        Column[StepTime](t("bottlenecks.wait_share", lang), lambda row: _share(row.waited_share, "stop", lang), "wide"),
        Column[StepTime](t("bottlenecks.slowest", lang), lambda row: _slowest(view, row), "wide"),
    )
    return table(columns, process.steps, t("bottlenecks.steps", lang))


def _of(part: int, whole: int, lang: str) -> str:
    return f"{number(part, lang, 0)} ({percent(100 * part / whole, lang, 0)})"


def _slowest(view: View, row: StepTime) -> list[Component] | str:
    links = [
        html.Span(
            [link(one.source_id, view.to(item_path("/dossiers", one.feed, one.source_id), period="")),
             html.Span(f" {number(one.days, view.lang, 1)}", className="d-quiet")],
            className="d-pair",
        )
        for one in row.slowest
    ]
    return links or MISSING


def loop_table(view: View, process: Process) -> Component | None:
    """Steps some dossiers come back to; None without any."""
    lang = view.lang
    columns = (
        Column[Loop](t("bottlenecks.step", lang), lambda row: step_name(row.name, row.status, lang), "main"),
        Column[Loop](t("bottlenecks.dossiers", lang), lambda row: _of(row.dossiers, process.n, lang), "number"),
        Column[Loop](t("bottlenecks.most_times", lang), lambda row: number(row.most_times, lang, 0), "number"),
        Column[Loop](t("bottlenecks.loop_days", lang), lambda row: number(row.median_days, lang, 1), "number"),
    )
    return table(columns, process.loops, t("bottlenecks.loops", lang)) if process.loops else None


def variant_list(view: View, process: Process) -> Component:
    """The usual orders of steps with their share; what is left over in a sentence."""
    lang = view.lang
    rows = [_variant(one, process, lang) for one in process.variants]
    rest = process.n - sum(one.n for one in process.variants)
    others = process.variant_count - len(process.variants)
    tail = [html.P(t("bottlenecks.other_variants", lang, n=number(rest, lang, 0), kinds=number(others, lang, 0)), className="d-quiet")]
    return html.Div([html.Ol(rows, className="r-variants"), *(tail if rest else [])])


def _variant(one: Variant, process: Process, lang: str) -> Component:
    share = 100 * one.n / process.n
    told = t("bottlenecks.variant", lang, n=number(one.n, lang, 0), days=number(one.median_days, lang, 1))
    path = html.Ol([html.Li(_key(key, lang)) for key in one.path], className="r-path") if one.path else html.Span(MISSING)
    return html.Li([html.Div([_share(share, "worked", lang), html.Span(told, className="d-quiet")], className="r-variant-head"), path])


def _key(key: StepKey, lang: str) -> str:
    return step_name(key.name, key.status, lang)
