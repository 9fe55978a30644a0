"""Pairs of reports that may be of one thing, drawn: both side by side, what they share above them, what one may say below.

Pure: candidates of metrics.city.findings.duplicates -> components. A button's id is {"type": "same-do", "do": ..., "pair": ...}.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence
from datetime import tzinfo

from dash import html
from dash.development.base_component import Component

from components.desk_links import View, item_path
from components.desk_parts import facts, link
from components.desk_weekly_followups import actor_name
from metrics.alike import Reach
from metrics.city.findings.duplicates import Candidate, DuplicatePage
from metrics.city.records.reports import ReportItem
from store.same import APART, MERGED, OPEN, Key
from text import t
from text.formats import MISSING, instant, number, percent
from text.vietnamese import fold

DO, GO = "same-do", "same-go"
SAID = "pair"  # what of the address tells of which pair something was said last
STATES = (("", OPEN), (MERGED, MERGED), (APART, APART))
DOES = {OPEN: ("merge", "apart"), MERGED: ("undo",), APART: ("undo",)}  # state -> what one may say
_WORD = re.compile(r"(\w\w+)")


def pair_code(pair: tuple[Key, Key]) -> str:
    """A pair as one word that an id and an address can hold."""
    told = json.dumps([*pair[0], *pair[1]], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


def pair_of(code: str) -> tuple[Key, Key] | None:
    """The pair of a code; None for what is none."""
    try:
        told = json.loads(base64.b64decode(code + "=" * (-len(code) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        return None
    if not isinstance(told, list) or len(told) != 4 or not all(isinstance(part, str) and "\0" not in part for part in told):
        return None
    return (told[0], told[1]), (told[2], told[3])


def counts_line(view: View, found: DuplicatePage) -> Component:
    """The counts as they are everywhere, and beside them how many of the reports people said to be repeats."""
    lang = view.lang
    told = {name: number(getattr(found, name), lang, 0) for name in ("reports", "placed", "repeats")}
    words = [t("duplicates.counts", lang, **told)]
    if found.repeats:
        words.append(t("duplicates.events", lang, events=number(found.reports - found.repeats, lang, 0), repeats=told["repeats"]))
    return html.P(" ".join(words), className="d-quiet", **{"data-reports": str(found.reports), "data-repeats": str(found.repeats)})


def reach_words(reach: Reach, lang: str) -> str:
    """How far apart two reports of one thing may be here."""
    words = t("duplicates.reach", lang, metres=number(reach.radius_m, lang, 0), days=number(reach.days, lang, 0))
    return f"{words} {t('duplicates.reach_own', lang, n=number(len(reach.by_category), lang, 0))}" if reach.by_category else words


def said_line(view: View, row: Candidate | None, *, may_say: bool) -> Component | None:
    """What was said last, as it stands now, with the way back; None where nothing was."""
    if row is None:
        return None
    words = t(f"duplicates.said.{row.state}", view.lang, one=row.earlier.source_id, other=row.later.source_id)
    back = say_button(view.lang, "undo", code_of(row)) if may_say and row.state != OPEN else None
    return html.Div([html.Span(words), back], className="d-same-said", role="status")


def code_of(row: Candidate) -> str:
    """The pair's code."""
    return pair_code(((row.earlier.feed, row.earlier.source_id), (row.later.feed, row.later.source_id)))


def say_button(lang: str, do: str, code: str, *, is_first: bool = False) -> Component:
    """A button that says something of a pair."""
    return html.Button(
        t(f"duplicates.do.{do}", lang), id={"type": DO, "do": do, "pair": code}, type="button", n_clicks=0, autoFocus=is_first,
        className="d-button d-main-button" if do == "merge" else "d-button",
    )


def cards(view: View, rows: Sequence[Candidate], tz: tzinfo, *, may_say: bool) -> Component:
    """One card a pair; after something was said the next pair has the focus."""
    focus = bool(view.get(SAID)) and may_say
    items = [html.Li(card(view, row, tz, may_say=may_say, is_first=focus and at == 0)) for at, row in enumerate(rows)]
    return html.Ul(items, className="d-same-list")


def card(view: View, row: Candidate, tz: tzinfo, *, may_say: bool, is_first: bool = False) -> Component:
    """Two reports side by side."""
    lang = view.lang
    code, common = code_of(row), frozenset(fold(word) for word in row.words or ())
    sides = [_side(view, one, tz, common, name) for name, one in (("earlier", row.earlier), ("later", row.later))]
    buttons = [say_button(lang, do, code, is_first=is_first and at == 0) for at, do in enumerate(DOES[row.state])] if may_say else []
    return html.Article(
        [
            html.Ul([html.Li(words) for words in evidence(row, lang)], className="d-same-evidence"),
            html.Div(sides, className="d-same-sides"),
            html.Div([said_by(row, tz, lang), *buttons], className="d-same-do"),
        ],
        className="d-same", **{"data-state": row.state, "data-strength": f"{row.strength:.2f}"},
    )


def evidence(row: Candidate, lang: str) -> list[str]:
    """What the two share, in words."""
    metres = t("duplicates.no_place", lang) if row.metres is None else t("duplicates.metres", lang, n=number(row.metres, lang, 0))
    told = [metres, _later(row.hours, lang), t("duplicates.same" if row.is_same_category else "duplicates.group", lang)]
    if row.likeness is not None:
        n, shown = len(row.words or ()), ", ".join((row.words or ())[:8])
        told.append(t("duplicates.words", lang, n=number(n, lang, 0), words=shown) if n else t("duplicates.no_words", lang))
    return [*told, t("duplicates.strength", lang, n=percent(100 * row.strength, lang, 0))]


def _later(hours: float, lang: str) -> str:
    """How long after the first the second came."""
    for key, size in (("days", 24.0), ("hours", 1.0), ("minutes", 1 / 60)):
        if hours >= size:
            return t(f"duplicates.after_{key}", lang, n=number(hours / size, lang, 0))
    return t("duplicates.at_once", lang)


def _side(view: View, row: ReportItem, tz: tzinfo, common: frozenset[str], name: str) -> Component:
    lang = view.lang
    number_link = link(row.source_id, view.to(item_path("/reports", row.feed, row.source_id), period=""))
    mark = html.Span(t("duplicates.marked", lang), className="d-same-marked") if row.is_duplicate else None
    told = facts(
        [
            (t("column.report.received_at", lang), instant(row.received_at, tz, lang)),
            (t("column.report.category", lang), row.category_name or MISSING),
            (t("column.report.area", lang), row.area_name or t("unmapped.area", lang)),
            (t("column.report.agency", lang), row.agency_name or t("unmapped.agency", lang)),
            (t("column.report.status", lang), t(f"report_status.{row.status}", lang)),
        ]
    )
    words = html.P(marked_words(row.description, common), className="d-words") if row.description else None
    title = html.H2([html.Span(t(f"duplicates.{name}", lang), className="d-field-name"), number_link, mark])
    return html.Div([part for part in (title, told, words) if part is not None], className="d-same-side", **{"data-side": name})


def marked_words(written: str, common: frozenset[str]) -> list[str | Component]:
    """A text with the common words marked."""
    parts = _WORD.split(written)
    return [html.Mark(part) if at % 2 and fold(part) in common else part for at, part in enumerate(parts) if part]


def said_by(row: Candidate, tz: tzinfo, lang: str) -> Component | None:
    """What somebody said of two reports; None while nobody has."""
    if row.state == OPEN:
        return None
    who, at = actor_name(row.said_by, lang), instant(row.said_at, tz, lang)
    return html.Span(t(f"duplicates.state.{row.state}", lang, who=who, at=at), className="d-quiet")
