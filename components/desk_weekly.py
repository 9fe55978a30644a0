"""The leaders' week, drawn from its contract: heading, sentences by section, changed KPIs as cards, every table as it comes.

Pure: Weekly -> components. Nothing is written here that `metrics.city.weekly.written` does not write for paper and API too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from dash import html
from dash.development.base_component import Component

from components.desk_filters import period_name
from components.desk_links import MAX_VALUE, View
from components.desk_parts import heading, link, state_mark
from components.desk_signals import card
from components.desk_table import Column, exports, table
from components.desk_weekly_forms import opener
from components.desk_weekly_score import score_bars
from metrics.city import City
from metrics.city.findings.signals import Signal
from metrics.city.weekly import Weekly
from metrics.city.weekly.parts import SECTIONS, Cell, Figure, Link, Row, Statement, Table
from metrics.city.weekly.parts import Column as Told
from metrics.city.weekly.written import said, written
from metrics.periods import Period, parse_period
from text import t
from text.formats import number

OPEN_SECTIONS = ("agencies", "overdue")  # whose first table is the answer itself; the others are folded
FIRST_ROWS, FEW_MORE = 10, 5  # rows of a long table that are shown at once; so few more are shown too
KINDS = {"figure": "number", "date": "time"}
Extra = Mapping[str, Sequence[Component | None]]


def elsewhere(view: View, to: Link) -> str:
    """The address a sentence or row leads to: its own parameters alone, in the reader's language."""
    return View(to.path, {}, view.lang, view.period).here(**{"lang": view.get("lang"), **to.query})


def week_heading(city: City, view: View, found: Weekly, aside: Sequence[Component | None]) -> Component:
    """Which week, whether it is still running, the same one of last year; the weeks beside it and what can be taken along."""
    lang, week = view.lang, found.week
    lead = [html.B(period_name(week, lang))]
    if not found.is_over:
        lead.append(html.Span(t("weekly.page.running", lang), className="d-partial", title=t("weekly.page.running_hint", lang)))
    lead.append(_week_link(view, week.year_before(), "weekly.page.last_year", "d-w-small"))
    right = [_weeks(city, view, week), *(part for part in aside if part is not None)]
    return html.Div(heading(t("page.weekly", lang), lead, right), className="d-w-head")


def _weeks(city: City, view: View, week: Period) -> Component:
    """The week before and the one after, where it has begun."""
    after = _after(week)
    links = [_week_link(view, week.previous(), "weekly.page.previous")]
    if after.start_on <= city.today:
        links.append(_week_link(view, after, "weekly.page.next"))
    return html.Nav(links, className="d-w-weeks", **{"aria-label": t("weekly.page.weeks", view.lang)})


def _week_link(view: View, week: Period, words: str, class_name: str = "d-button") -> Component:
    href = View(view.path, {}, view.lang, week).here(lang=view.get("lang"), period=week.text)
    return link(t(words, view.lang, week=week.text[-2:]), href, class_name, title=period_name(week, view.lang))


def _after(week: Period) -> Period:
    day = week.end_on + timedelta(days=1)
    return parse_period("this_week", day)


def jumps(view: View, counts: Mapping[str, int]) -> Component:
    """What a phone's first screen tells of the sections read first: how much there is, and the way to it."""
    lang = view.lang
    links = [
        html.A([t(f"weekly.section.{key}", lang), " ", html.B(number(count, lang, 0))], href=f"#{key}", className="d-choice")
        for key, count in counts.items()
    ]
    return html.Nav(links, className="d-w-jumps", **{"aria-label": t("weekly.page.jumps", lang)})


def notes(view: View, found: Weekly) -> list[Component | None]:
    """What must be known of the week, and the feeds the brief does without."""
    lang = view.lang
    told = [html.P(said(word, lang)) for word in found.notes]
    left = [
        html.Li([html.B(feed.title), " · ", said(feed.why, lang), *_needed(feed.is_needed, lang)], **{"data-feed": feed.feed})
        for feed in found.left_out
    ]
    words = t("weekly.page.left_out", lang, n=number(len(left), lang, 0))
    gone = html.Details([html.Summary(words), html.Ul(left, className="d-w-left")], className="d-waiting", open=bool(found.missing))
    return [html.Div(told, className="d-w-notes", role="note") if told else None, gone if left else None]


def _needed(is_needed: bool, lang: str) -> list[Component | str]:
    return [" ", state_mark("stale", t("weekly.page.needed", lang), title=t("weekly.page.needed_hint", lang))] if is_needed else []


def sections(city: City, view: View, found: Weekly, extra: Extra, actions: Mapping[str, Component]) -> Component:
    """Every section that has something to say, in the order of the brief. extra = what it holds beside sentences; actions = its button."""
    shown = [_section(city, view, found, key, extra.get(key, ()), actions.get(key)) for key in SECTIONS]
    return html.Div([one for one in shown if one is not None], className="d-w-sections")


def _section(
    city: City, view: View, found: Weekly, key: str, extra: Sequence[Component | None], action: Component | None
) -> Component | None:
    lang = view.lang
    says = [one for one in found.statements if one.section == key]
    tables = [one for one in found.tables if one.section == key]
    draw = questions if key == "questions" and city.scope.permits("manage.followups") else sentences
    inside: list[Component | None] = [draw(view, says) if says else None, *extra]
    if key == "score" and found.score is not None:
        inside.append(score_bars(view, found.score))
    inside += [week_table(city, view, one, is_open=key in OPEN_SECTIONS and at == 0) for at, one in enumerate(tables)]
    drawn = [part for part in inside if part is not None]
    if not drawn:
        return None
    title = [html.H2(t(f"weekly.section.{key}", lang)), *([action] if action is not None else [])]
    return html.Section([html.Div(title, className="d-w-title"), *drawn], className="d-w-section", id=key, **{"data-section": key})


def sentences(view: View, statements: Sequence[Statement]) -> Component:
    """The sentences of a section, each a way to what stands behind it."""
    return html.Ul([html.Li(sentence(view, one), **_warned(one)) for one in statements], className="d-w-says")


def questions(view: View, statements: Sequence[Statement]) -> Component:
    """What to ask, each with the way to make a follow-up of it."""
    rows = []
    for one in statements:
        asked = {name: one.link.query[name] for name in ("agency", "key") if one.link and name in one.link.query}
        words = said(one.said, view.lang)[:MAX_VALUE]
        ask = opener(view, "add", "followups", t("weekly.do.assign", view.lang), what=words, **asked)
        rows.append(html.Li([sentence(view, one), ask], className="d-w-question", **_warned(one)))
    return html.Ul(rows, className="d-w-says")


def sentence(view: View, one: Statement) -> Component | str:
    """One sentence, a link where something stands behind it."""
    words = said(one.said, view.lang)
    return link(words, elsewhere(view, one.link), "d-w-say") if one.link else html.Span(words, className="d-w-say")


def _warned(one: Statement) -> dict[str, str]:
    return {"data-warning": "1"} if one.is_warning else {}


def changed_cards(
    city: City, view: View, signals: Sequence[Signal], beside: Callable[[Signal], Component | None]
) -> Component | None:
    """A card for each KPI that changed, with its control chart; below it what `beside` says of it. Folded away on a phone."""
    there = View("/signals", {"lang": view.lang, "period": view.period.text}, view.lang, view.period)
    cards = [html.Div([card(city, there, one), beside(one)], className="d-w-card") for one in signals]
    words = t("weekly.page.charts", view.lang, n=number(len(cards), view.lang, 0))
    fold = html.Details([html.Summary(words), html.Div(cards, className="d-signal-cards")], className="d-fold d-w-charts")
    return fold if cards else None


# ---- tables ---------------------------------------------------------------------------------------------------------
def week_table(city: City, view: View, one: Table, *, is_open: bool = False, has_files: bool = True) -> Component:
    """A table of the brief as it comes: heading, how many rows, the rows, what stands below it, its files."""
    lang = view.lang
    title = t(f"weekly.table.{one.key}", lang)
    query = View("", {"key": one.key, "period": view.period.text, "lang": lang}, lang, view.period).only(("key", "period", "lang"))
    inside = [
        html.Summary([html.Span(title), " ", html.Span(number(len(one.rows), lang, 0), className="d-quiet")]),
        *_rows(view, one, title),
        html.P(t("weekly.page.no_rows", lang), className="d-quiet") if not one.rows and not one.notes else None,
        *(html.P(said(word, lang), className="d-quiet") for word in one.notes),
        exports(city, "/api/v1/weekly/tables", query, lang) if one.rows and has_files else None,
    ]
    name = "d-w-table d-fold" if is_open else "d-w-table"
    return html.Details([part for part in inside if part is not None], className=name, **{"data-table": one.key})


def _rows(view: View, one: Table, title: str) -> list[Component]:
    """The rows that say something first; the rest of a long table, and of a league those like the others, folded below."""
    lang = view.lang
    columns = [_column(view, at, column) for at, column in enumerate(one.columns)]
    ranks = [at for at, column in enumerate(one.columns) if column.key == "rank"]
    first = [row for row in one.rows if ranks and _is_known(row.cells[ranks[0]])]
    rest = [row for row in one.rows if ranks and not _is_known(row.cells[ranks[0]])]
    words = "weekly.page.alike"
    if not ranks:
        cut = FIRST_ROWS if len(one.rows) > FIRST_ROWS + FEW_MORE else len(one.rows)
        first, rest, words = list(one.rows[:cut]), list(one.rows[cut:]), "weekly.page.more_rows"
    shown: list[Component] = [table(columns, first, title)] if first else []
    if rest:
        summary = html.Summary(t(words, lang, n=number(len(rest), lang, 0)))
        shown.append(html.Details([summary, table(columns, rest, title)], className="d-w-rest"))
    return shown


def _is_known(cell: Cell) -> bool:
    return isinstance(cell, Figure) and cell.value is not None


def _column(view: View, at: int, column: Told) -> Column[Row]:
    def cell(row: Row) -> Component | str:
        words = written(row.cells[at], view.lang)
        return link(words, elsewhere(view, row.link)) if row.link and at == 0 else words

    kind = "main" if at == 0 else KINDS.get(column.kind, "text")
    return Column(t(f"weekly.column.{column.key}", view.lang), cell, kind)
