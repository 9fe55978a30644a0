"""Signs worth a second look, drawn: a rule with its agencies, and the rows one sign stands on. Pure. Never an accusation in the words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from components.desk_links import View, item_path
from components.desk_parts import link, notice
from components.desk_table import Column, table
from metrics.city import City
from metrics.city.findings import gaming_rules
from metrics.city.findings.gaming import AGAIN, BEFORE_DUE, BULK, MOST_ROWS, GamingFound, GamingRow, Sign
from metrics.periods import parse_period
from store.days import HOUR
from text import t
from text.formats import MISSING, day, instant, number, percent

SHOWN = 8  # agencies within chance that are shown at once where nothing is beyond it


def section(city: City, view: View, found: GamingFound) -> Component:
    """One rule: what it counts, what the province shows, its agencies; those within chance folded away."""
    lang = view.lang
    parts: list[Component | None] = [
        html.H2(t(f"gaming.rule.{found.kind}", lang)),
        html.P(t(f"gaming.says.{found.kind}", lang, **told(city)), className="d-quiet"),
    ]
    if found.blind:
        parts.append(notice(t(f"gaming.blind.{found.blind}", lang), t(f"gaming.blind_hint.{found.blind}", lang)))
    elif not found.signs:
        parts.append(notice(t("gaming.nothing", lang), t("gaming.nothing_hint", lang)))
    else:
        parts += _agencies(view, found)
    return html.Section([part for part in parts if part], className="d-section", **{"data-rule": found.kind})


def told(city: City) -> dict[str, Any]:
    """The numbers the rules' words name."""
    settings = city.config.feedback
    return {
        "least": settings.bulk_closures, "minutes": settings.bulk_minutes, "hours": gaming_rules.LAST_HOURS,
        "days": gaming_rules.NEIGHBOURS, "again": gaming_rules.AGAIN_DAYS,
    }


def _agencies(view: View, found: GamingFound) -> list[Component | None]:
    lang, unusual = view.lang, found.unusual
    rest = [sign for sign in found.signs if not sign.is_unusual]
    words = t("gaming.beyond", lang, n=len(unusual), all=len(found.signs), alarms=_few(found.alarms, lang))
    parts: list[Component | None] = [html.P(words, className="d-lead")]
    if unusual:
        parts.append(_table(view, found.kind, unusual))
    if rest:
        summary = t("gaming.within", lang, n=number(len(rest), lang, 0))
        folded = [html.Summary(summary), _table(view, found.kind, rest)]
        parts.append(html.Details(folded, className="d-waiting", open=not unusual and len(rest) <= SHOWN))
    return parts


def _few(alarms: float, lang: str) -> str:
    return number(alarms, lang, 2) if alarms >= 0.01 else f"< {number(0.01, lang, 2)}"


def _table(view: View, kind: str, signs: Sequence[Sign]) -> Component:
    lang = view.lang
    shared = [
        Column[Sign](t("desk.agency", lang), lambda sign: sign.agency, "main"),
        *_FIGURES[kind](lang),
        Column[Sign](t("gaming.most", lang), lambda sign: number(sign.most, lang, 0), "number"),
        Column[Sign](t("gaming.rows", lang), lambda sign: _evidence_link(view, sign), "short"),
    ]
    return table(shared, signs, t(f"gaming.rule.{kind}", lang), lambda sign: "unusual" if sign.is_unusual else "usual")


def _bulk_columns(lang: str) -> tuple[Column[Sign], ...]:
    return (
        Column(t("gaming.bulk_days", lang), lambda sign: number(sign.hits, lang, 0), "number"),
        Column(t("gaming.bulk_reports", lang), lambda sign: _of(sign.rows, sign.n, lang), "number"),
        Column(t("gaming.expected", lang), lambda sign: _few(sign.expected, lang), "number"),
    )


def _due_columns(lang: str) -> tuple[Column[Sign], ...]:
    return (
        Column(t("gaming.last_hours", lang), lambda sign: number(sign.hits, lang, 0), "number"),
        Column(t("gaming.neighbours", lang), lambda sign: number(sign.n - sign.hits, lang, 0), "number"),
        Column(t("gaming.times", lang), lambda sign: _interval(sign, lang, 1), "number"),
    )


def _again_columns(lang: str) -> tuple[Column[Sign], ...]:
    return (
        Column(t("gaming.again", lang), lambda sign: _of(sign.hits, sign.n, lang), "number"),
        Column(t("gaming.share", lang), lambda sign: _interval(sign, lang, 1), "number"),
        Column(t("gaming.expected", lang), lambda sign: _few(sign.expected, lang), "number"),
    )


_FIGURES = {BULK: _bulk_columns, BEFORE_DUE: _due_columns, AGAIN: _again_columns}


def _of(part: int, n: int, lang: str) -> str:
    return t("gaming.of", lang, n=number(part, lang, 0), all=number(n, lang, 0))


def _interval(sign: Sign, lang: str, decimals: int) -> str:
    """The figure and its 95 % interval: times the neighbours' mean, or a share in percent."""
    if sign.low is None or sign.high is None:
        return MISSING
    if sign.kind == AGAIN:
        middle = percent(100 * sign.hits / sign.n, lang, decimals)
        bounds = percent(sign.low, lang, decimals), percent(sign.high, lang, decimals)
    else:
        beside = (sign.n - sign.hits) / gaming_rules.NEIGHBOURS
        middle = number(sign.hits / beside, lang, decimals) if beside else MISSING
        bounds = number(sign.low, lang, decimals), number(min(sign.high, 999), lang, decimals)
    return f"{middle} ({bounds[0]}–{bounds[1]})"


def _evidence_link(view: View, sign: Sign) -> Component | str:
    if not sign.rows:
        return MISSING
    words = ("gaming.see_days", sign.hits) if sign.kind == BULK else ("gaming.see_rows", sign.rows)
    shown = t(words[0], view.lang, n=number(words[1], view.lang, 0))
    return link(shown, view.here(rule=sign.kind, office=sign.agency_code))


# ---- the rows of one sign ---------------------------------------------------------------------------------------------------
def evidence_table(city: City, view: View, kind: str, office: str, rows: Sequence[GamingRow]) -> Component:
    """What a sign stands on: each row leads to its record, or to the list of exactly the reports of that day."""
    lang, caption = view.lang, t(f"gaming.rule.{kind}", view.lang)
    if kind == BULK:
        columns = [
            Column[GamingRow](t("gaming.day", lang), lambda row: day(parse_period(row.day, city.today).start_on, lang), "main"),
            Column[GamingRow](t("gaming.bulk_reports", lang), lambda row: number(row.n, lang, 0), "number"),
            Column[GamingRow](t("gaming.rows", lang), lambda row: link(
                t("gaming.see_reports", lang), view.to("/reports", quality="bulk", agency=office, period=row.day)), "short"),
        ]
        return table(columns, rows, caption)
    return table(_dossier_columns(city, view, kind), rows, caption)


def _dossier_columns(city: City, view: View, kind: str) -> list[Column[GamingRow]]:
    lang, tz = view.lang, city.config.tz
    found = [
        Column[GamingRow](t("column.dossier.source_id", lang), lambda row: _record(view, row.feed, row.source_id), "main"),
        Column[GamingRow](t("column.dossier.procedure", lang), lambda row: row.procedure or MISSING, "wide"),
        Column[GamingRow](t("gaming.how_ended", lang), lambda row: t(f"gaming.how.{row.how}", lang), "short"),
        Column[GamingRow](t("gaming.ended", lang), lambda row: instant(row.ended_at, tz, lang), "time"),
        Column[GamingRow](t("gaming.due", lang), lambda row: instant(row.due_at, tz, lang), "time"),
    ]
    if kind == BEFORE_DUE:
        left = Column[GamingRow](t("gaming.left", lang), lambda row: _minutes_left(row, lang), "number")
        return [*found, left]
    return [
        *found,
        Column[GamingRow](t("gaming.next", lang), lambda row: _record(view, row.next_feed, row.next_id), "text"),
        Column[GamingRow](t("gaming.next_at", lang), lambda row: instant(row.next_at, tz, lang), "time"),
        Column[GamingRow](t("gaming.next_due", lang), lambda row: instant(row.next_due_at, tz, lang), "time"),
    ]


def _minutes_left(row: GamingRow, lang: str) -> str:
    minutes = ((row.due_at or 0) - (row.ended_at or 0)) * 60 // HOUR
    return t("gaming.minutes", lang, n=number(minutes, lang, 0))


def _record(view: View, feed: str, source_id: str) -> Component:
    return link(source_id, view.to(item_path("/dossiers", feed, source_id)))


def evidence_count(rows: Sequence[GamingRow], lang: str) -> Component:
    """How many rows are listed, and that there may be more."""
    key = "gaming.newest" if len(rows) == MOST_ROWS else "gaming.all_rows"
    return html.P(t(key, lang, n=number(len(rows), lang, 0)), className="d-count")


def method(lang: str, city: City) -> Component:
    """How it is judged and what it cannot tell, folded away."""
    said = [html.P(t(f"gaming.method_{name}", lang, **told(city))) for name in ("chance", "bulk", "before_due", "again", "honest")]
    return html.Details([html.Summary(t("gaming.method", lang)), html.Div(said, className="d-prose")], className="d-waiting")
