"""Fills the page of users, and takes the steps its buttons ask for: every one goes through auth/admin.py with the reader's rights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, no_update
from dash.development.base_component import Component

from auth import admin
from auth.admin import Admin
from components.context import AppContext
from components.desk_admin import PAGES as PARTS
from components.desk_admin import PEOPLE, WHOLE, Fault, Names, changed_id, confirm, do, list_id, said, secret, sheet_id, shell
from components.desk_admin_people import people_table, person_form
from components.desk_links import View, read_view
from components.desk_parts import notice
from components.desk_shell import opened_id
from components.desk_wiring import CallbackRow, PageRow, asking, bind_callback, bind_page
from metrics.city import City, agencies, areas
from scope import Scope
from store.days import instant
from store.people import NewUser, User
from store.rights import PeopleFault
from text import t

# the field each fault is about; the rest stand above the form
FIELDS = {
    "people.bad_username": "username", "people.username_taken": "username", "people.unknown_role": "role", "people.last_admin": "role",
    "admin.no_limits": "reach", "admin.nothing_chosen": "reach", "admin.no_label": "label", "admin.long_label": "label",
}
LONGEST_NAME = 120


@dataclass(frozen=True)
class Step:
    """One press of a button: whose hand, about whom, what the fields of the sheet hold."""

    admin: Admin
    city: City
    lang: str
    who: str
    fields: Mapping[str, Any]

    def text(self, name: str) -> str:
        """A field as text, '' when absent."""
        return str(self.fields.get(name) or "").strip()

    def limits(self) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
        """Agencies and areas chosen; None = all. Choosing parts and then none of them is a fault, told as ()."""
        if self.text("reach") == WHOLE:
            return None, None
        chosen = [tuple(str(code) for code in self.fields.get(name) or ()) for name in ("agencies", "areas")]
        return (chosen[0] or None, chosen[1] or None) if any(chosen) else ((), ())

    def names(self) -> tuple[Names, Names]:
        """Agencies and areas one can choose from."""
        return names_of(self.city)

    def fault(self, no: PeopleFault) -> Fault:
        """A refusal in the reader's words, at its field."""
        return Fault(t(no.key, self.lang, **no.words), FIELDS.get(no.key, ""))


@dataclass(frozen=True)
class Done:
    """What a step shows in the sheet's place; changed = the list is to be read again."""

    shown: Component | None = None
    changed: bool = False


Take = Callable[[Step], Done]


def names_of(city: City) -> tuple[Names, Names]:
    """Names of agencies and areas by code."""
    return (
        {row.code: row.name for row in agencies.read(city)},
        {row.code: row.full_name or row.name for row in areas.polygons(city)},
    )


def hand(context: AppContext, scope: Scope) -> Admin:
    """The administrator behind the request being answered."""
    request = asking()
    address = request.client.host if request and request.client else ""
    return Admin(context.store, scope, context.config, address, instant(context.now()))


def draw_page(city: City, view: View) -> list[Component | None]:
    """The page without its list, which a callback of its own fills and renews."""
    button = do(PEOPLE, "new", "", t("admin.do.new", view.lang), "main")
    return shell(view, PEOPLE, parts_of(city), t("admin.people_lead", view.lang), button)


def parts_of(city: City) -> list[str]:
    """The pages of administration this reader may open."""
    return [key for key, (_, _, permission) in PARTS.items() if city.scope.permits(permission)]


def list_people(context: AppContext, scope: Scope, opened: Mapping[str, Any], changed: int) -> Component:
    """Every user as the store has them now."""
    own, city = hand(context, scope), context.city(scope)
    users, seen = admin.list_people(own), admin.seen(own)
    return people_table(context.config, lang_of(context, city, opened), users, seen, scope.actor.partition(":")[2], names_of(city))


def lang_of(context: AppContext, city: City, opened: Mapping[str, Any]) -> str:
    """The language the page was opened in."""
    return read_view(opened, context.config, city.today).lang


# ---- steps ----------------------------------------------------------------------------------------------------------
def _new(step: Step) -> Done:
    empty = User(0, "", "", "viewer", None, None, True, None, 0)
    return Done(person_form(step.lang, empty, step.names(), is_new=True))


def _create(step: Step) -> Done:
    agencies_, areas_ = step.limits()
    new = NewUser(step.text("username"), step.text("role"), step.text("name")[:LONGEST_NAME], agencies_, areas_)
    try:
        user, password = admin.add_person(step.admin, new)
    except PeopleFault as no:
        typed = User(0, new.username, new.name, new.role, agencies_, areas_, True, None, 0)
        return Done(person_form(step.lang, typed, step.names(), step.fault(no), is_new=True))
    title = t("admin.added", step.lang, who=user.username)
    return Done(secret(PEOPLE, step.lang, title, password, t("admin.password_hint", step.lang)), True)


def _edit(step: Step) -> Done:
    found = admin.person(step.admin, step.who)
    return Done(person_form(step.lang, found, step.names(), is_own=step.admin.is_self(found.username)))


def _save(step: Step) -> Done:
    found = admin.person(step.admin, step.who)
    is_own = step.admin.is_self(found.username)
    changed = replace(found, name=step.text("name")[:LONGEST_NAME])
    if not is_own:
        agencies_, areas_ = step.limits()
        changed = replace(changed, role=step.text("role"), agencies=agencies_, areas=areas_)
    try:
        admin.change_person(step.admin, changed)
    except PeopleFault as no:
        return Done(person_form(step.lang, changed, step.names(), step.fault(no), is_own=is_own))
    return Done(said(PEOPLE, step.lang, t("admin.saved", step.lang, who=found.username)), True)


def _disable(step: Step) -> Done:
    user = admin.disable_person(step.admin, step.who)
    undo = do(PEOPLE, "undo", user.username, t("admin.undo", step.lang))
    return Done(said(PEOPLE, step.lang, t("admin.was_disabled", step.lang, who=user.username), undo), True)


def _enable(step: Step) -> Done:
    user = admin.enable_person(step.admin, step.who)
    return Done(said(PEOPLE, step.lang, t("admin.was_enabled", step.lang, who=user.username)), True)


def _reset(step: Step) -> Done:
    password = admin.reset_password(step.admin, step.who)
    title = t("admin.was_reset", step.lang, who=step.who)
    return Done(secret(PEOPLE, step.lang, title, password, t("admin.password_hint", step.lang)), True)


def _end(step: Step) -> Done:
    count = admin.end_sessions(step.admin, step.who)
    return Done(said(PEOPLE, step.lang, t("admin.sessions_ended", step.lang, who=step.who, n=count)), True)


def asks(area: str, what: str) -> Take:
    """The step that only asks whether the step `what` is meant."""
    return lambda step: Done(confirm(area, step.lang, what, step.who, step.who))


STEPS: Mapping[str, Take] = {
    "new": _new, "create": _create, "edit": _edit, "save": _save, "enable": _enable, "undo": _enable, "close": lambda step: Done(),
    "ask_disable": asks(PEOPLE, "disable"), "disable": _disable, "ask_reset": asks(PEOPLE, "reset"), "reset": _reset,
    "ask_end": asks(PEOPLE, "end"), "end": _end,
}


def take(
    steps: Mapping[str, Take], area: str, context: AppContext, scope: Scope, values: Sequence[Any], ids: Sequence[Mapping[str, str]],
    opened: Mapping[str, Any], changed: int,
) -> Any:
    """Take the step of the button that was pressed: the sheet, and the count of changes; no_update when none was."""
    pressed = ctx.triggered_id
    if not pressed or not ctx.triggered[0]["value"] or pressed["what"] not in steps:
        return no_update, no_update
    own, city = hand(context, scope), context.city(scope)
    own.require(PARTS[area][2])
    fields = {own["name"]: value for own, value in zip(ids, values, strict=True) if own}  # Dash sends None of a closed sheet
    lang = lang_of(context, city, opened)
    step = Step(own, city, lang, str(pressed["who"]), fields)
    try:
        done = steps[pressed["what"]](step)
    except PeopleFault as no:
        done = Done(said(area, lang, t(no.key, lang, **no.words)), True)
    return done.shown, (changed or 0) + 1 if done.changed else no_update


def take_people(context: AppContext, scope: Scope, presses: Sequence[int], *rest: Any) -> Any:
    """A step with users."""
    return take(STEPS, PEOPLE, context, scope, *rest)


def refuse(context: AppContext) -> Component:
    """What stands in the list's place for an administrator whose rights end at some agencies or areas."""
    lang = context.config.language
    return notice(t("error.forbidden", lang), t("admin.whole_only", lang), kind="fault")


def rows(area: str, fill: Callable[..., Any], step: Callable[..., Any]) -> tuple[CallbackRow, ...]:
    """The two callbacks of an area: its list, and the steps of its buttons."""
    page, _, permission = PARTS[area]
    field = {"type": f"{area}-field", "name": ALL}
    return (
        CallbackRow(
            fill, permission, Output(list_id(area), "children"),
            [Input(opened_id(page), "data"), Input(changed_id(area), "data")], refused=refuse, at_once=True,
        ),
        CallbackRow(
            step, permission, [Output(sheet_id(area), "children"), Output(changed_id(area), "data")],
            [Input({"type": f"{area}-do", "what": ALL, "who": ALL}, "n_clicks")],
            [State(field, "value"), State(field, "id"), State(opened_id(page), "data"), State(changed_id(area), "data")],
        ),
    )


PAGES = (PageRow("admin", "manage.users", draw_page, ()),)
CALLBACKS = rows(PEOPLE, list_people, take_people)


def register(app: Dash, context: AppContext) -> None:
    """Wire this page."""
    for page in PAGES:
        bind_page(app, context, page)
    for row in CALLBACKS:
        bind_callback(app, context, row)
