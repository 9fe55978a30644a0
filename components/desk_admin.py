"""What the pages of users and keys share: the sheet that asks, warns or shows a secret once, and the buttons that open it.

Pure: values -> components. A button's id is {"type": "<area>-do", "what": <step>, "who": <name or number>}, a field's
{"type": "<area>-field", "name": ...}; callbacks/admin.py has one row for all steps of an area.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from components.desk_links import View
from components.desk_parts import choices, heading, skeleton
from text import t
from text.formats import MISSING
from text.vietnamese import fold, sort_key

PEOPLE, KEYS = "people", "keys"
PAGES = {PEOPLE: ("admin", "/admin", "manage.users"), KEYS: ("admin_keys", "/admin/keys", "manage.keys")}
WHOLE, PART = "whole", "part"
Names = Mapping[str, str]


@dataclass(frozen=True)
class Fault:
    """Why something was not done: the words, and the field they are about ('' = none)."""

    words: str = ""
    field: str = ""


NO_FAULT = Fault()


def list_id(area: str) -> str:
    """Id of what holds an area's list."""
    return f"{area}-list"


def sheet_id(area: str) -> str:
    """Id of what holds its sheet."""
    return f"{area}-sheet"


def changed_id(area: str) -> str:
    """Id of the store that counts its changes: the list is read again."""
    return f"{area}-changed"


def shell(view: View, area: str, may: Iterable[str], lead: str, aside: Component | None) -> list[Component | None]:
    """The page: heading, the way to the other page, the list to come, the sheet. `may` = areas this reader may open."""
    lang = view.lang
    links = [(t(f"admin.{key}", lang), view.to(PAGES[key][1]), key == area) for key in may]
    return [
        heading(t(f"page.{PAGES[area][0]}", lang), lead, aside),
        choices(t("admin.parts", lang), links, "d-states") if len(links) > 1 else None,
        html.Div(skeleton(lang, 4), id=list_id(area)),
        html.Div(id=sheet_id(area)),
        dcc.Store(id=changed_id(area), data=0),
    ]


def do(area: str, what: str, who: str, words: str, kind: str = "", **attributes: Any) -> Component:
    """A button that takes a step. kind: main | harm | plain."""
    name = {"main": "d-button d-main-button", "harm": "d-button d-harm"}.get(kind, "d-button")
    own = {"type": f"{area}-do", "what": what, "who": who}
    return html.Button(words, id=own, className=name, type="button", n_clicks=0, **attributes)


def close(area: str, words: str, *, focus: bool = False) -> Component:
    """The button that shuts the sheet; assets/sheet.js presses it for Escape."""
    return do(area, "close", "", words, autoFocus=focus, **{"data-close": "1"})


# ---- sheets ---------------------------------------------------------------------------------------------------------
def sheet(title: str, children: Sequence[Any], buttons: Sequence[Component], *, alert: bool = False) -> Component:
    """A sheet over the page: title, content, buttons."""
    own = "admin-sheet-title"
    inside = html.Div(
        [html.H2(title, id=own), *(child for child in children if child is not None), html.Div(list(buttons), className="d-sheet-do")],
        className="d-sheet", role="alertdialog" if alert else "dialog", **{"aria-labelledby": own, "aria-modal": "true"},
    )
    return html.Div(inside, className="d-sheet-back")


def confirm(area: str, lang: str, what: str, who: str, named: str, fields: Sequence[Component] = ()) -> Component:
    """Asks before a step that harms; the safe answer has the focus."""
    buttons = [
        do(area, what, who, t(f"admin.do.{what}", lang), "harm"),
        close(area, t("admin.cancel", lang), focus=True),
    ]
    return sheet(t(f"admin.ask.{what}", lang, who=named), [html.P(t(f"admin.ask_hint.{what}", lang)), *fields], buttons, alert=True)


def secret(area: str, lang: str, title: str, value: str, hint: str) -> Component:
    """A password or key, shown this once; one click selects the whole of it."""
    told = [
        html.P(t("admin.shown_once", lang)),
        html.Code(value, className="d-secret", tabIndex="0", **{"aria-label": t("admin.secret", lang)}),
        html.P(t("admin.copy_hint", lang), className="d-quiet"),
        html.P(hint, className="d-quiet"),
    ]
    return sheet(title, told, [close(area, t("admin.kept", lang), focus=True)])


def said(area: str, lang: str, words: str, undo: Component | None = None) -> Component:
    """What was done, with the way back where there is one."""
    parts = [html.Span(words), undo, close(area, t("admin.fine", lang))]
    return html.Div([part for part in parts if part is not None], className="d-said", role="status")


def fault_line(fault: Fault, field: str = "") -> Component | None:
    """The words of a fault: at its field, and always (field '') at the top of the sheet, where it is seen on a phone too."""
    if not fault.words or field not in ("", fault.field):
        return None
    return html.Span(fault.words, className="d-fault", **({} if field else {"role": "alert"}))


# ---- fields ---------------------------------------------------------------------------------------------------------
def text_field(area: str, name: str, label: str, value: str, fault: Fault, hint: str = "", **attributes: Any) -> Component:
    """One line of text under its label, with its fault."""
    own = {"type": f"{area}-field", "name": name}
    box = dcc.Input(id=own, value=value, className="d-input", type="text", autoComplete="off", spellCheck=False, **attributes)
    note = html.Span(hint, className="d-quiet") if hint else None
    parts = [html.Span(label, className="d-field-name"), box, note, fault_line(fault, name)]
    return html.Label([part for part in parts if part is not None], className="d-field d-field-wide")


def radio_field(area: str, name: str, label: str, options: Iterable[tuple[str, str, str]], value: str, fault: Fault) -> Component:
    """One of several, each with a sentence: (value, word, sentence)."""
    shown: list[Any] = [
        {"value": key, "label": html.Span([html.B(word), html.Span(sentence, className="d-quiet") if sentence else None])}
        for key, word, sentence in options
    ]
    box = dcc.RadioItems(id={"type": f"{area}-field", "name": name}, options=shown, value=value, className="d-radios")
    parts = [html.Legend(label, className="d-field-name"), box, fault_line(fault, name)]
    return html.Fieldset([part for part in parts if part is not None], className="d-field d-field-wide")


def many_field(area: str, name: str, label: str, names: Names, chosen: Sequence[str], lang: str) -> Component:
    """Any number of agencies or areas, found by name without accents or by code."""
    known = {**{code: code for code in chosen}, **names}
    rows = [
        {"label": f"{words} ({code})", "value": code, "search": f"{words} {fold(words)} {code}"}
        for code, words in sorted(known.items(), key=lambda pair: sort_key(pair[1]))
    ]
    box = dcc.Dropdown(
        id={"type": f"{area}-field", "name": name}, options=rows, value=list(chosen), multi=True, className="d-select d-many",
        placeholder=t("admin.not_limited", lang), maxHeight=260,
        labels={
            "search": t("desk.search", lang), "clear_search": t("desk.clear", lang), "clear_selection": t("desk.clear", lang),
            "no_options_found": t("desk.no_match", lang), "select_all": t("desk.all", lang), "deselect_all": t("desk.clear", lang),
            "selected_count": t("admin.chosen_count", lang, num_selected="{num_selected}"),
        },
    )
    return html.Div([html.Span(label, className="d-field-name"), box], className="d-field d-field-wide")


def reach_fields(
    area: str, lang: str, agencies: Names, areas: Names, chosen: tuple[Sequence[str] | None, Sequence[str] | None], fault: Fault
) -> list[Component]:
    """Whole province, or some agencies and areas with all below them."""
    reach = WHOLE if chosen == (None, None) else PART
    options = [(key, t(f"admin.reach.{key}", lang), t(f"admin.reach_hint.{key}", lang)) for key in (WHOLE, PART)]
    return [
        radio_field(area, "reach", t("admin.reach_name", lang), options, reach, fault),
        html.Div(
            [
                many_field(area, "agencies", t("account.agencies", lang), agencies, chosen[0] or (), lang),
                many_field(area, "areas", t("account.areas", lang), areas, chosen[1] or (), lang),
            ],
            className="d-reach",
        ),
    ]


def limits_line(agencies: Sequence[str] | None, areas: Sequence[str] | None, names: tuple[Names, Names], lang: str) -> str:
    """Limits in words: names of agencies and areas, or the whole province."""
    if agencies is None and areas is None:
        return t("account.all", lang)
    parts = [known.get(code) or code for codes, known in zip((agencies, areas), names, strict=True) for code in codes or ()]
    return ", ".join(parts) or MISSING


def role_options(roles: Iterable[str], lang: str) -> list[tuple[str, str, str]]:
    """Roles with what each may do."""
    return [(role, t(f"role.{role}", lang), t(f"role_may.{role}", lang)) for role in roles]
