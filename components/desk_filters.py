"""What the reader can choose: period, agency, area, late rule, search.

Choices are links; fields go through one callback into the URL.

Every field's id is {"type": "desk-filter", "name": <query parameter>}: one wiring row serves them all, whatever a page offers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dash import dcc, html
from dash.development.base_component import Component

from components.desk_links import View
from components.desk_parts import chip, chips, choices
from config import LATE_RULES
from metrics.city import City, agencies, areas
from metrics.comparison import HOWS
from metrics.periods import Period
from text import t
from text.formats import period_label
from text.vietnamese import fold, sort_key

PERIODS = ("today", "yesterday", "this_week", "last_week", "this_month", "last_month", "last_30d")
FILTER = "desk-filter"


def field_id(name: str) -> dict[str, str]:
    """Id of the field that sets a query parameter."""
    return {"type": FILTER, "name": name}


def period_name(period: Period, lang: str) -> str:
    """The period as it is written on screens; a day's or month's cut shows its days."""
    return period_label(period.kind, period.start_on, period.end_on, lang)


def period_picker(view: View, default: str = "today") -> Component:
    """The usual periods as links."""
    on = view.get("period") or default
    options = [
        (t(f"period.{word}", view.lang), view.here(period="" if word == default else word), word == on) for word in PERIODS
    ]
    return choices(t("desk.period", view.lang), options, "d-periods")


def period_field(view: View) -> Component:
    """Any other period, written."""
    lang, own = view.lang, "" if view.get("period") in PERIODS else view.get("period")
    box = period_box(field_id("period"), own or "", lang)
    return html.Label(
        [html.Span(t("desk.period_other", lang), className="d-field-name"), box], className="d-field d-field-period"
    )


def period_box(field: Mapping[str, str], value: str, lang: str) -> Component:
    """Where a period is written: any that metrics/periods.py reads."""
    return dcc.Input(
        id=dict(field),
        value=value,
        debounce=True,
        placeholder=t("desk.period_example", lang),
        className="d-input",
        autoComplete="off",
        spellCheck=False,
        size="14",
        maxLength=24,
    )


def dropdown(
    field: Mapping[str, str], options: Sequence[Mapping[str, str]], value: str, lang: str, *, words: str = "", is_clearable: bool = True
) -> Component:
    """A searchable choice; an option's `search` holds its words without accents too. `words` = what holds while nothing is chosen."""
    return dcc.Dropdown(
        id=dict(field),
        options=list(options),
        value=value or None,
        placeholder=words or t("desk.all", lang),
        clearable=is_clearable,
        className="d-select",
        maxHeight=360,
        labels={
            "search": t("desk.search", lang),
            "clear_search": t("desk.clear", lang),
            "clear_selection": t("desk.clear", lang),
            "no_options_found": t("desk.no_match", lang),
        },
    )


def select(view: View, name: str, label: str, options: Iterable[tuple[str, str]], empty: str = "") -> Component | None:
    """A searchable choice of (code, name), in Vietnamese order, found without accents too; None without options.

    `empty` = what holds while nothing is chosen, by default all.
    """
    ordered = sorted(options, key=lambda option: sort_key(option[1]))
    rows = [{"label": words, "value": code, "search": f"{words} {fold(words)} {code}"} for code, words in ordered if code]
    if not rows and not view.get(name):
        return None  # a city without areas is not asked for one
    if view.get(name) and all(row["value"] != view.get(name) for row in rows):
        # several, or none of them: else the box would clear what the URL says
        names = {row["value"]: row["label"] for row in rows}
        several = ", ".join(names.get(code, code) for code in view.get(name).split(","))
        rows.insert(0, {"label": several, "value": view.get(name), "search": several})
    box = dropdown(field_id(name), rows, view.get(name) or "", view.lang, words=empty)
    return html.Div([html.Label(label, className="d-field-name", htmlFor=f"desk-{name}"), box], className="d-field")


def search_box(view: View, name: str = "q", words: str = "") -> Component:
    """A search by the beginning of an id, or by what `words` says."""
    lang = view.lang
    box = dcc.Input(
        id=field_id(name),
        value=view.get(name),
        debounce=True,
        placeholder=words or t("desk.search_example", lang),
        className="d-input",
        autoComplete="off",
        type="search",
        maxLength=80,
    )
    return html.Label([html.Span(t("desk.search", lang), className="d-field-name"), box], className="d-field")


def late_rules(view: View, default: str) -> Component:
    """Which rule judges lateness; the rule in force is named on every tile it changes."""
    lang, on = view.lang, view.get("late_rule") or default
    options = [
        (t(f"late_rule.{rule}", lang), view.here(late_rule="" if rule == default else rule), rule == on) for rule in LATE_RULES
    ]
    return html.Div(
        [html.Span(t("desk.late_rule", lang), className="d-field-name"), choices(t("desk.late_rule", lang), options)],
        className="d-field",
    )


def comparisons(view: View) -> Component:
    """What figures are set beside: the period before, or the same one a year earlier."""
    lang, on = view.lang, view.get("compare") or HOWS[0]
    options = [(t(f"desk.compare_{how}", lang), view.here(compare="" if how == HOWS[0] else how), how == on) for how in HOWS]
    return html.Div(
        [html.Span(t("desk.compare", lang), className="d-field-name"), choices(t("desk.compare", lang), options)], className="d-field"
    )


def panel(view: View, fields: Sequence[Component | None], above: Component | None = None) -> Component:
    """The filters of a page, side by side. Folded away on a phone; assets/desk.js holds it open where there is room."""
    inside = html.Div([field for field in fields if field is not None], className="d-fields")
    shown = [html.Summary(t("desk.filters", view.lang), className="d-button"), *([above] if above else []), inside]
    return html.Details(shown, className="d-fold")


def filter_chips(
    city: City,
    view: View,
    fields: Sequence[str],
    names: Mapping[str, Mapping[str, str]],
    now_states: Sequence[str],
) -> Component | None:
    """What narrows a list, each to be taken off; names = {field: {code: name}}. A period says nothing of a state of now."""
    lang, found = view.lang, []
    if view.get("period") and view.get("state") not in now_states:
        found.append(chip(t("desk.period", lang), period_name(view.period, lang), view.here(period=""), lang))
    for field in fields:
        if view.get(field):
            shown = names.get(field, {}).get(view.get(field), view.get(field))
            found.append(chip(t(f"desk.filter.{field}", lang), shown, view.here(**{field: ""}), lang))
    rule = view.get("late_rule")
    if rule and rule != city.config.late_rule and "late_rule" not in fields:
        found.append(chip(t("desk.late_rule", lang), t(f"late_rule.{rule}", lang), view.here(late_rule=""), lang))
    return chips(found, view)


def changed(view: View, values: Mapping[str, object]) -> str | None:
    """The query string when a field says something else than the URL; None when nothing changed."""
    asked = {name: str(value or "").strip() for name, value in values.items()}
    if "period" in asked and not asked["period"] and view.get("period") in PERIODS:
        del asked["period"]  # an empty field beside a chosen link is no change
    if all(view.get(name) == value for name, value in asked.items()):
        return None
    return view.here(**asked).partition("?")[2]


def figure_fields(city: City, view: View) -> tuple[list[Component | None], Component | None]:
    """What every page of figures is asked by (period, agency, area, late rule), and the chips of what has been chosen."""
    known = {row.code: row.name for row in agencies.read(city)}
    places = {row.code: row.full_name or row.name for row in areas.polygons(city)}
    fields = [
        period_field(view),
        select(view, "agency", t("desk.agency", view.lang), known.items()),
        select(view, "area", t("desk.area", view.lang), places.items()),
        late_rules(view, city.config.late_rule),
    ]
    return fields, filter_chips(city, view, ("agency", "area"), {"agency": known, "area": places}, ("",))
