"""The forms of the leaders' week: which there are, what each asks for, how it is drawn with what was typed and what is wrong with it.

A form is opened by the address (?do=move&id=12), so that a link, a bookmark or the back key has it too. A field's id is
{"type": "weekly-field", "name": ...}, a button's {"type": "weekly-do", "do": <form or step>, "id": <number>}.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from dash import dcc, html
from dash.development.base_component import Component

from components.desk_links import View
from components.desk_parts import link
from metrics.kpis import KPIS
from text import t
from text.formats import day
from text.vietnamese import fold, sort_key

FORM, GO = "weekly-form", "weekly-go"
DO, FIELD = "weekly-do", "weekly-field"
ASKED = ("do", "id", "what", "agency", "who", "due", "key", "area")  # what of the address belongs to an open form
Options = Mapping[str, str]


@dataclass(frozen=True)
class FieldRow:
    """One field: its name, what it takes (words | line | day | agency | kpi), the most letters, what an empty choice means."""

    name: str
    kind: str
    longest: int = 500
    empty: str = ""


@dataclass(frozen=True)
class FormRow:
    """One form: its key in the address, its fields, who may use it, where it stands: at a section, or in an item of this kind."""

    do: str
    section: str
    permission: str
    fields: tuple[FieldRow, ...]
    item: str = ""


WHAT, WHO, DUE = FieldRow("what", "words", 300), FieldRow("who", "line", 120), FieldRow("due", "day", 10)
AGENCY, NOTE = FieldRow("agency", "agency", empty="no_agency"), FieldRow("note", "words")
KEY, OF_KEY = FieldRow("key", "kpi", empty="no_key"), FieldRow("key", "kpi", empty="no_kpi")
DAYS = (FieldRow("from_day", "day", 10), FieldRow("to_day", "day", 10))
FORMS = (
    FormRow("add", "followups", "manage.followups", (WHAT, AGENCY, WHO, DUE, KEY)),
    FormRow("move", "followups", "manage.followups", (DUE, NOTE), "followup"),
    FormRow("drop", "followups", "manage.followups", (NOTE,), "followup"),
    FormRow("note", "followups", "manage.followups", (NOTE,), "followup"),
    FormRow("annotate", "changed", "manage.annotations", (FieldRow("body", "words"), OF_KEY, AGENCY, *DAYS)),
    FormRow("issue", "issued", "issue.briefs", ()),
    FormRow("withdraw", "changed", "manage.annotations", (FieldRow("why", "words"),), "annotation"),
)
FORM_OF: Mapping[str, FormRow] = {row.do: row for row in FORMS}


@dataclass(frozen=True)
class Fault:
    """Why something was not written: the words, and the field they are about ('' = none)."""

    words: str = ""
    field: str = ""


NO_FAULT = Fault()


def shut(view: View) -> str:
    """This page without its form."""
    return view.here(**dict.fromkeys(ASKED, ""))


def prefilled(view: View, row: FormRow, today: date) -> dict[str, str]:
    """What a form holds before anybody types: what the address says, the days of the week, a Friday to come."""
    lang, week = view.lang, view.period
    first = {"due": day(soon(today), lang), "from_day": day(week.start_on, lang), "to_day": day(week.end_on, lang)}
    return {field.name: view.get(field.name) or first.get(field.name, "") for field in row.fields}


def soon(today: date) -> date:
    """The next Friday that leaves at least three days."""
    friday = today + timedelta(days=(4 - today.weekday()) % 7)
    return friday if (friday - today).days >= 3 else friday + timedelta(days=7)


def form(
    view: View, row: FormRow, typed: Mapping[str, str], names: Mapping[str, Options], today: date, fault: Fault = NO_FAULT
) -> Component:
    """A form with what was typed; the fault stands at its field. names: options of the kinds agency and area."""
    lang = view.lang
    fields = [_field(lang, one, typed.get(one.name, ""), names, today, fault, is_first=at == 0) for at, one in enumerate(row.fields)]
    known = {one.name for one in row.fields}
    above = html.P(fault.words, className="d-fault", role="alert") if fault.words and fault.field not in known else None
    buttons = html.Div(
        [
            html.Button(t(f"weekly.form.{row.do}_save", lang), id=button_id(row.do, view.get("id")), type="button", n_clicks=0,
                        className="d-button d-main-button", autoFocus=not fields, **{"data-save": "1"}),
            link(t("weekly.form.cancel", lang), shut(view), "d-button d-w-cancel"),
        ],
        className="d-w-do",
    )
    title = html.H3(t(f"weekly.form.{row.do}", lang))
    hint = html.P(t(f"weekly.form_hint.{row.do}", lang)) if not fields else None
    return html.Div([part for part in (title, hint, *fields, above, buttons) if part is not None], className="d-w-form", role="group")


def button_id(do: str, number: str | int) -> dict[str, str]:
    """Id of the button that takes a step."""
    return {"type": DO, "do": do, "id": str(number or 0)}


def field_id(name: str) -> dict[str, str]:
    """Id of a field of the open form."""
    return {"type": FIELD, "name": name}


def _field(
    lang: str, row: FieldRow, value: str, names: Mapping[str, Options], today: date, fault: Fault, *, is_first: bool
) -> Component:
    """Label, field, fault."""
    told = html.Span(fault.words, className="d-fault", role="alert") if fault.words and fault.field == row.name else None
    label = html.Span(t(f"weekly.field.{row.name}", lang), className="d-field-name")
    if row.kind in ("agency", "kpi"):
        options = {one.key: t(f"kpi.{one.key}.label", lang) for one in KPIS} if row.kind == "kpi" else names.get(row.kind, {})
        parts = [label, _choice(lang, row, value, options), told]
        return html.Div([part for part in parts if part is not None], className=f"d-field d-w-{row.kind}")
    box: Component
    if row.kind == "words":
        box = dcc.Textarea(id=field_id(row.name), value=value, className="d-w-words", rows=2, maxLength=row.longest, autoFocus=is_first)
    else:
        days = {"list": f"weekly-days-{row.name}", "placeholder": "27/11/2026"} if row.kind == "day" else {}
        box = dcc.Input(id=field_id(row.name), value=value, type="text", className="d-input", autoComplete="off", maxLength=row.longest,
                        autoFocus=is_first, **days)
    hints = _days(lang, row.name, today) if row.kind == "day" else None
    return html.Label([part for part in (label, box, hints, told) if part is not None], className=f"d-field d-w-{row.kind}")


def _days(lang: str, name: str, today: date) -> Component:
    """Fridays to come and the month's end, offered by the browser."""
    fridays = [soon(today) + timedelta(days=7 * n) for n in range(4)]
    return html.Datalist([html.Option(value=day(one, lang)) for one in fridays], id=f"weekly-days-{name}")


def _choice(lang: str, row: FieldRow, value: str, options: Options) -> Component:
    """One of many, found without accents; empty = none."""
    known = options if not value or value in options else {value: value, **options}
    rows = [
        {"label": words, "value": code, "search": f"{words} {fold(words)} {code}"}
        for code, words in sorted(known.items(), key=lambda pair: sort_key(pair[1]))
    ]
    return dcc.Dropdown(
        id=field_id(row.name), options=rows, value=value or None, className="d-select", maxHeight=300,
        placeholder=t(f"weekly.field.{row.empty}", lang),
        labels={
            "search": t("desk.search", lang), "clear_search": t("desk.clear", lang), "clear_selection": t("desk.clear", lang),
            "no_options_found": t("desk.no_match", lang),
        },
    )


def opener(view: View, do: str, anchor: str, words: str, class_name: str = "d-button", **asked: str | int) -> Component:
    """The link that opens a form."""
    given = {name: str(value) for name, value in asked.items()}
    return link(words, f"{view.here(**{**dict.fromkeys(ASKED, ''), 'do': do, **given})}#{anchor}", class_name)
