"""The list of users and the form of one, drawn. Pure: users -> components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dash import html
from dash.development.base_component import Component

from components.desk_admin import (
    NO_FAULT,
    PEOPLE,
    Fault,
    Names,
    close,
    do,
    fault_line,
    limits_line,
    radio_field,
    reach_fields,
    role_options,
    sheet,
    text_field,
)
from components.desk_parts import notice, state_mark
from components.desk_table import Column, table
from config import Config
from scope import ROLES
from store.people import User
from store.sessions import LastSeen
from text import t
from text.formats import instant, number

ROLE_KEYS = tuple(role.key for role in ROLES)


def people_table(
    config: Config, lang: str, users: Sequence[User], seen: Mapping[str, LastSeen], own: str, names: tuple[Names, Names]
) -> Component:
    """One line a user: who, what role and limits, when last seen, state, what can be done. `own` = the reader's own user name."""
    if not users:
        return notice(t("empty.people", lang), t("admin.no_people_hint", lang))
    columns = (
        Column[User](t("admin.person", lang), _who, "main"),
        Column[User](t("account.role", lang), lambda row: t(f"role.{row.role}", lang)),
        Column[User](t("admin.limits", lang), lambda row: limits_line(row.agencies, row.areas, names, lang), "wide"),
        Column[User](t("admin.last_seen", lang), lambda row: _seen(config, seen.get(row.username), lang), "time"),
        Column[User](t("admin.state", lang), lambda row: _state(row, lang)),
        Column[User](t("admin.actions", lang), lambda row: _actions(row, row.username == own, seen.get(row.username), lang), "wide"),
    )
    return table(columns, users, t("page.admin", lang), lambda row: "off" if row.disabled_at else "")


def _who(row: User) -> Component:
    name = html.Span(row.name, className="d-quiet") if row.name else ""
    return html.Span([html.B(row.username), " ", name], **{"data-user": row.username})


def _seen(config: Config, found: LastSeen | None, lang: str) -> str:
    if found is None:
        return t("admin.never_seen", lang)
    at = instant(found.at, config.tz, lang)
    return t("admin.seen_open", lang, at=at, n=number(found.sessions, lang, 0)) if found.sessions else at


def _state(row: User, lang: str) -> Component:
    if row.disabled_at:
        return state_mark("never", t("admin.disabled", lang))
    if row.is_temporary:
        return state_mark("late", t("admin.temporary", lang), title=t("admin.temporary_hint", lang))
    return state_mark("fresh", t("admin.enabled", lang))


def _actions(row: User, is_own: bool, seen: LastSeen | None, lang: str) -> Component:
    def step(what: str, kind: str = "") -> Component:
        words = t(f"admin.do.{what.removeprefix('ask_')}", lang)
        # a screen reader hears whom a button is about
        return do(PEOPLE, what, row.username, words, kind, **{"aria-label": f"{words}: {row.username}"})

    buttons = [step("edit")]
    if is_own:
        buttons.append(html.A(t("account.change_password", lang), href="/account", className="d-button"))
    elif row.disabled_at:
        buttons.append(step("enable"))
    else:
        ends = [step("ask_end")] if seen and seen.sessions else []
        buttons += [step("ask_reset"), *ends, step("ask_disable")]
    return html.Div(buttons, className="d-row-do")


def person_form(
    lang: str, user: User, names: tuple[Names, Names], fault: Fault = NO_FAULT, *, is_new: bool = False, is_own: bool = False
) -> Component:
    """The form of a new or a known user. Nobody is offered its own role and limits."""
    fields: list[Component | None] = [fault_line(fault)]
    if is_new:
        fields.append(
            text_field(
                PEOPLE, "username", t("sign_in.username", lang), user.username, fault, t("admin.username_hint", lang), maxLength=64,
                autoFocus=True,
            )
        )
    fields.append(text_field(PEOPLE, "name", t("account.name", lang), user.name, fault, maxLength=120, autoFocus=not is_new))
    if is_own:
        fields.append(html.P(t("admin.own_rights", lang), className="d-quiet"))
    else:
        fields.append(radio_field(PEOPLE, "role", t("account.role", lang), role_options(ROLE_KEYS, lang), user.role, fault))
        fields += reach_fields(PEOPLE, lang, *names, (user.agencies, user.areas), fault)
    what = "create" if is_new else "save"
    buttons = [do(PEOPLE, what, user.username, t(f"admin.do.{what}", lang), "main"), close(PEOPLE, t("admin.cancel", lang))]
    title = t("admin.new_person", lang) if is_new else t("admin.edit_person", lang, who=user.username)
    return sheet(title, fields, buttons)
