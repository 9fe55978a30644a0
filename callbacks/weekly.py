"""Fills the page of the leaders' week and takes what a meeting writes: follow-ups and annotations, with the reader's own rights."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from briefs.changes import changes
from briefs.issue import BriefRefused, briefs, issue
from briefs.pdf import NoTypesetter
from components.context import AppContext
from components.desk_links import View, read_view
from components.desk_parts import notice
from components.desk_shell import opened_id, refresh_id
from components.desk_weekly import changed_cards, jumps, notes, sections, week_heading
from components.desk_weekly_followups import Hand, annotation_list, followup_list
from components.desk_weekly_forms import (
    ASKED,
    DO,
    FIELD,
    FORM,
    FORM_OF,
    GO,
    Fault,
    FormRow,
    Options,
    form,
    opener,
    prefilled,
    shut,
)
from components.desk_weekly_paper import Issued, issued_section, papers
from components.desk_weekly_sending import sending_line
from components.desk_wiring import CallbackRow, PageRow, asking, bind_callback, bind_page
from metrics.city import City, agencies, annotations, followups, weekly
from metrics.city.annotations import Annotation, Said
from metrics.city.findings.signals import Signal
from metrics.city.followups import Promise
from metrics.city.typed import TypedFault
from metrics.city.weekly.parts import Table
from metrics.periods import Period, parse_period
from scope import Scope
from store.briefs import BriefRow, read_content
from store.days import instant
from store.keys import By
from store.sending import Sending, read_sending
from text import t

DEFAULT_PERIOD = "last_week"
TOPICS = ("dossiers", "reports", "readings", "operations")


DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})(?:[/.-](\d{4}))?")


def draw_weekly(city: City, view: View) -> list[Component | None]:
    """The week: promises first, then what changed, then the rest; every part as `weekly.read` tells it."""
    lang = view.lang
    week, fault = week_of(city, view)
    seen = replace(view, period=week)
    found, listed = weekly.read(city, week), followups.read(city, week)
    said, issues = annotations.read(city, None, week), _issues(city, week)
    row, places = open_form(city, seen, [f"followup-{one.id}" for one in listed] + [f"annotation-{one.id}" for one in said])
    hand = Hand(cache(lambda agency: followups.may_write(city, agency)), cache(lambda *of: annotations.may_write(city, *of)), places)
    extra = {
        "followups": [places.get("followups"), followup_list(seen, listed, hand, city.config.tz)],
        "changed": [places.get("changed"), *_changed(city, seen, found.changed, said, hand)],
    }
    actions = {
        section: opener(seen, do, section, t(f"weekly.do.{do}", lang))
        for section, do, permission in MAKING if city.scope.permits(permission) and section not in places
    }
    return [
        notice(t("weekly.page.no_week", lang, text=fault), t("weekly.page.no_week_hint", lang), kind="fault") if fault else None,
        week_heading(city, seen, found, papers(city, seen, issues, may_issue=may_issue(city))),
        jumps(seen, {"followups": len(listed), "changed": len(found.changed)}),
        *notes(seen, found),
        places.get("issued"),
        sections(city, seen, found, extra, actions),
        issued_section(city, seen, issues),
        sending_line(seen, _sending(city, week), city.config.tz),
        dcc.Location(id=GO, refresh="callback-nav"),
        None if row else html.Div(id=FORM, className="d-w-away"),
    ]


def week_of(city: City, view: View) -> tuple[Period, str]:
    """The week the address asks for; last week, and what was asked, where that is no week or has not begun."""
    if view.period.kind == "week" and view.period.start_on <= city.today:
        return view.period, ""
    return parse_period(DEFAULT_PERIOD, city.today), view.get("period")


def open_form(city: City, view: View, items: Sequence[str]) -> tuple[FormRow | None, dict[str, Component]]:
    """The form the address opens, and where it stands: at a section, or in one of the items there are; none for who may not use it."""
    row = FORM_OF.get(view.get("do"))
    if row is None or not city.scope.permits(row.permission) or (row.do == "issue" and not may_issue(city)):
        return None, {}
    place = f"{row.item}-{view.get('id')}" if row.item else row.section
    if row.item and place not in items:
        return None, {}
    drawn = form(view, row, prefilled(view, row, city.today), _names(city), city.today)
    return row, {place: html.Div(drawn, id=FORM, className="d-w-holder")}


def _names(city: City) -> Mapping[str, Options]:
    return {"agency": {one.code: one.name for one in agencies.read(city)}}


def _changed(
    city: City, view: View, signals: Sequence[Signal], said: Sequence[Annotation], hand: Hand
) -> list[Component | None]:
    """Cards of what changed, each with what was said of it; then what was said of the rest."""
    tz, keys = city.config.tz, {one.key for one in signals}

    def beside(one: Signal) -> Component | None:
        own = annotation_list(view, [row for row in said if row.key == one.key], hand, tz, is_named=False)
        ask = opener(view, "annotate", "changed", t("weekly.do.annotate", view.lang), "d-w-small", key=one.key)
        parts = [own, ask if city.scope.permits("manage.annotations") else None]
        return html.Div([part for part in parts if part is not None], className="d-w-beside")

    others = annotation_list(view, [row for row in said if row.key not in keys], hand, tz)
    return [
        changed_cards(city, view, signals, beside),
        html.Div([html.H3(t("weekly.page.said", view.lang), className="d-w-sub"), others], className="d-w-others") if others else None,
    ]


def may_issue(city: City) -> bool:
    """An issued brief is the whole province's: who sees a part of it issues none."""
    return city.scope.permits("issue.briefs") and not city.scope.is_limited


def _issues(city: City, week: Period) -> tuple[Issued, ...]:
    """The issued briefs of a week with what each changed, newest first; none for who sees a part of the province."""
    return () if city.scope.is_limited else tuple(Issued(row, _changes(city, row)) for row in briefs(city, week.text))


def _sending(city: City, week: Period) -> Sending | None:
    """How its mailing stands; an issued brief is the whole province's, and so is this."""
    if city.scope.is_limited:
        return None
    with city.store.reading() as connection:
        return read_sending(connection, week.text)


def _changes(city: City, row: BriefRow) -> Table | None:
    if row.replaces is None:
        return None
    with city.store.reading() as connection:
        before, after = (json.loads(read_content(connection, number)) for number in (row.replaces, row.id))
    return changes(before, after)


# ---- what is written ------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Step:
    """One press of a button: on which item, with which fields, for which week, from where and when."""

    city: City
    week: Period
    lang: str
    number: int
    fields: Mapping[str, str]
    address: str
    now: int

    def text(self, name: str) -> str:
        """A field as text, '' when absent."""
        return self.fields.get(name, "").strip()

    def day(self, name: str) -> str:
        """A day as it is kept: 27/11/2026 and 27/11 become 2026-11-27; anything else stays, to be refused in words."""
        found = DAY.fullmatch(self.text(name))
        return f"{int(found[3] or self.city.today.year):04}-{int(found[2]):02}-{int(found[1]):02}" if found else self.text(name)


def _add(step: Step) -> str:
    promise = Promise(step.week.text, step.text("what"), step.day("due"), step.text("agency"), step.text("who"), step.text("key"))
    return f"followup-{followups.make(step.city, promise, step.address, step.now)}"


def _move(step: Step) -> str:
    followups.move(step.city, step.number, step.day("due"), step.text("note"), step.address, step.now)
    return f"followup-{step.number}"


def _worded(write: Callable[[City, int, str, str, int], None]) -> Callable[[Step], str]:
    """A step on a follow-up that takes words alone."""
    def take(step: Step) -> str:
        write(step.city, step.number, step.text("note"), step.address, step.now)
        return f"followup-{step.number}"

    return take


def _annotate(step: Step) -> str:
    said = Said(step.text("body"), step.day("from_day"), step.day("to_day"), step.text("key"), step.text("agency"))
    return f"annotation-{annotations.write(step.city, said, step.address, step.now)}"


def _withdraw(step: Step) -> str:
    annotations.withdraw(step.city, step.number, step.text("why"), step.address, step.now)
    return "changed"


def _issue(step: Step) -> str:
    issue(step.city, step.week, step.lang, By(step.city.scope.actor, step.address), step.now)
    return "issued"


STEPS: Mapping[str, Callable[[Step], str]] = {
    "add": _add, "move": _move, "note": _worded(followups.note), "drop": _worded(followups.drop), "close": _worded(followups.close),
    "reopen": _worded(followups.reopen), "annotate": _annotate, "withdraw": _withdraw,
    "issue": _issue,
}
MAKING = (("followups", "add", "manage.followups"), ("changed", "annotate", "manage.annotations"))


def take_step(
    context: AppContext, scope: Scope, presses: Sequence[int], values: Sequence[Any], ids: Sequence[Mapping[str, str]],
    opened: Mapping[str, Any],
) -> Any:
    """Write what the pressed button says: (count of refreshes, the form with its fault, where to go next).

    Each step asks for its own permission (metrics/city); who lacks it changes nothing.
    """
    pressed = ctx.triggered_id
    if not pressed or not ctx.triggered[0]["value"] or pressed["do"] not in STEPS:
        return no_update, no_update, no_update
    city, request, now = context.city(scope), asking(), instant(context.now())
    view = read_view(opened, context.config, city.today, DEFAULT_PERIOD)
    view = replace(view, period=week_of(city, view)[0])
    fields = {own["name"]: str(value or "") for own, value in zip(ids, values, strict=True) if own}
    told = str(pressed["id"])
    number = int(told) if told.isascii() and told.isdigit() and len(told) < 16 else 0
    step = Step(city, view.period, view.lang, number, fields, request.client.host if request and request.client else "", now)
    try:
        anchor = STEPS[pressed["do"]](step)
    except TypedFault as no:
        return no_update, _told(city, view, fields, Fault(t(no.key, view.lang, **no.words), no.field)), no_update
    except BriefRefused as no:
        return no_update, _told(city, view, fields, Fault(no.says(view.lang))), no_update
    except NoTypesetter:
        return no_update, _told(city, view, fields, Fault(t("weekly.page.no_typesetter", view.lang))), no_update
    except KeyError:
        return no_update, _told(city, view, fields, Fault(t("weekly.page.gone", view.lang))), no_update
    if any(view.get(name) for name in ASKED):
        return no_update, no_update, f"{shut(view)}#{anchor}"
    return now // 1000, None, no_update


def _told(city: City, view: View, fields: Mapping[str, str], fault: Fault) -> Component:
    """The open form with what was typed and what is wrong with it; without a form the fault alone."""
    row = FORM_OF.get(view.get("do"))
    if row is None:
        return html.P(fault.words, className="d-fault", role="alert")
    return form(view, row, fields, _names(city), city.today, fault)


PAGES = (PageRow("weekly", "see.desk", draw_weekly, TOPICS, default_period=DEFAULT_PERIOD),)
CALLBACKS = (
    CallbackRow(
        take_step, "see.desk", [Output(refresh_id("weekly"), "data"), Output(FORM, "children"), Output(GO, "href")],
        [Input({"type": DO, "do": ALL, "id": ALL}, "n_clicks")],
        [State({"type": FIELD, "name": ALL}, "value"), State({"type": FIELD, "name": ALL}, "id"), State(opened_id("weekly"), "data")],
    ),
)


def register(app: Dash, context: AppContext) -> None:
    """Wire this page."""
    for page in PAGES:
        bind_page(app, context, page)
    for row in CALLBACKS:
        bind_callback(app, context, row)
