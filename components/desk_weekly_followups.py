"""Follow-ups and annotations of the leaders' week, drawn: what was promised with its history, what was said about figures.

Pure: values -> components. `write` says what this reader may change; without it there is no button and no form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from dash import html
from dash.development.base_component import Component

from components.desk_links import View
from components.desk_parts import link, state_mark
from components.desk_weekly_forms import button_id, opener
from metrics.city.annotations import Annotation
from metrics.city.followups import Followup, FollowupEvent
from text import t
from text.formats import day, instant, number

MARKS: Mapping[str, str] = {"late": "dead", "open": "never", "done": "fresh", "dropped": "static"}  # shapes of desk.css

GROUPS = (("", ("late",)), ("going", ("open",)), ("closed", ("done", "dropped")))  # words of the fold, states


@dataclass(frozen=True)
class Hand:
    """What this reader may write: of whom follow-ups and annotations, and the form that is open in an item ("followup-12")."""

    followups: Callable[[str], bool]
    annotations: Callable[[str, str], bool]
    opened: Mapping[str, Component]


def state_of(one: Followup) -> str:
    """late | open | done | dropped."""
    return "late" if one.is_late else one.state


def followup_list(view: View, rows: Sequence[Followup], hand: Hand, tz: tzinfo) -> Component | None:
    """Every follow-up of the week: those that are late, then open ones, then closed ones; a phone folds all but the late ones."""
    lang = view.lang
    parts: list[Component] = []
    for key, states in GROUPS:
        group = [followup_item(view, one, hand, tz) for one in rows if state_of(one) in states]
        items = html.Div(group, className="d-w-items")
        if group and not key:
            parts.append(items)
        elif group:
            words = html.Summary(t(f"weekly.page.{key}", lang, n=number(len(group), lang, 0)))
            parts.append(html.Details([words, items], className="d-fold d-w-group", **{"data-group": key}))
    return html.Div(parts, className="d-w-followups") if parts else None


def followup_item(view: View, one: Followup, hand: Hand, tz: tzinfo) -> Component:
    """One promise: state, what, who, by when; its history folded; its buttons; the form that is open in it."""
    lang, own = view.lang, f"followup-{one.id}"
    state = state_of(one)
    due = t("weekly.page.due", lang, day=day(one.due_on, lang))
    if one.due_on != one.first_due_on:
        due += " " + t("weekly.page.moved", lang, day=day(one.first_due_on, lang), n=number(one.moves, lang, 0))
    who = " · ".join(word for word in (one.agency or t("weekly.field.no_agency", lang), one.who) if word)
    about = [html.Span(who), html.Span(due, className="d-w-due")]
    if one.key:
        about.append(link(t(f"kpi.{one.key}.label", lang), view.to("/signals", key=one.key, period=view.period.text)))
    mark = state_mark(MARKS[state], t(f"weekly.state.{state}", lang))
    parts = [
        html.Div([mark, html.Span(one.week, className="d-quiet")], className="d-w-mark"),
        html.P(one.what, className="d-w-what"),
        html.Div(about, className="d-w-about"),
        _buttons(view, one, own) if hand.followups(one.agency_code) else None,
        hand.opened.get(own),
        _history(one, lang, tz),
    ]
    return html.Article(
        [part for part in parts if part is not None], id=own, className="d-w-item", tabIndex="-1", **{"data-state": state},
    )


def _buttons(view: View, one: Followup, own: str) -> Component:
    """Done at once, and back at once; what needs a word opens a form."""
    lang = view.lang

    def press(do: str, kind: str = "d-button") -> Component:
        return html.Button(t(f"weekly.do.{do}", lang), id=button_id(do, one.id), type="button", n_clicks=0, className=kind)

    if one.state == "open":
        opens = [opener(view, do, own, t(f"weekly.do.{do}", lang), id=one.id) for do in ("move", "note", "drop")]
        return html.Div([press("close", "d-button d-main-button"), *opens], className="d-w-do")
    return html.Div([press("reopen"), opener(view, "note", own, t("weekly.do.note", lang), id=one.id)], className="d-w-do")


def _history(one: Followup, lang: str, tz: tzinfo) -> Component:
    words = t("weekly.page.history", lang, n=number(len(one.events), lang, 0))
    steps = html.Ul([html.Li(_event(event, lang, tz)) for event in one.events], className="d-timeline")
    return html.Details([html.Summary(words), steps], className="d-waiting d-w-history")


def _event(event: FollowupEvent, lang: str, tz: tzinfo) -> list[Component]:
    """When, what, by whom, with which words."""
    told = t(f"weekly.event.{event.kind}", lang)
    if event.due_on is not None and event.kind in ("made", "moved"):
        told += f": {day(event.due_on, lang)}"
    parts = [
        html.Span(instant(event.at, tz, lang), className="d-time"), html.Span(told, className="d-step-name"),
        html.Span(actor_name(event.actor, lang), className="d-quiet"),
    ]
    shown = event.note if event.kind != "reminded" else ""
    return [*parts, html.Span(shown, className="d-w-note")] if shown else parts


def actor_name(actor: str, lang: str) -> str:
    """user:lan -> lan; what the program does on its schedule is said so; what has no such form as it stands."""
    return t("brief.by_program", lang) if actor == "program" else actor.partition(":")[2] or actor


# ---- annotations ----------------------------------------------------------------------------------------------------
def annotation_list(view: View, rows: Sequence[Annotation], hand: Hand, tz: tzinfo, *, is_named: bool = True) -> Component | None:
    """What was said, each with who and when; is_named = with the KPI it is about."""
    return html.Ul([_annotation(view, one, hand, tz, is_named) for one in rows], className="d-w-annotations") if rows else None


def _annotation(view: View, one: Annotation, hand: Hand, tz: tzinfo, is_named: bool) -> Component:
    lang, own = view.lang, f"annotation-{one.id}"
    days = day(one.from_on, lang) if one.from_on == one.to_on else f"{day(one.from_on, lang)}–{day(one.to_on, lang)}"
    said_by = t("weekly.page.said_by", lang, who=actor_name(one.said_by, lang), at=instant(one.said_at, tz, lang))
    about = [one.agency, one.area, days, said_by]
    if is_named:
        about.insert(0, t(f"kpi.{one.key}.label", lang) if one.key else t("weekly.field.no_kpi", lang))
    parts = [
        html.Q(one.body, className="d-w-quote"),
        html.Span(" · ".join(word for word in about if word), className="d-quiet"),
        opener(view, "withdraw", own, t("weekly.do.withdraw", lang), "d-w-small", id=one.id)
        if hand.annotations(one.agency_code, one.area_code) else None,
        hand.opened.get(own),
    ]
    return html.Li([part for part in parts if part is not None], id=own, tabIndex="-1")
