"""What the reader of /explore chooses: the measure, how it is broken down, the period, what it is compared with, and filters; as chips."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dash import html
from dash.development.base_component import Component

from components.desk_filters import PERIODS, dropdown, period_box, period_name
from components.desk_links import View
from components.explore.state import DEFAULT_BY, DEFAULT_PERIOD, SHAPES, State, dimensions, filters_told, here
from components.explore.words import dimension_name, group_name, measure_name, part_name
from metrics.city import City
from metrics.city.explore.measures import MEASURES
from metrics.city.feeds import ROLE_TOPIC
from metrics.city.lists.known import ALONE
from metrics.comparison import HOWS
from text import t
from text.vietnamese import fold, sort_key

FIELD = "explore-field"
MOST_OPTIONS = 400  # of a field: longer lists are narrowed by a click in the table
Names = Mapping[str, Mapping[str, str]]  # field -> code -> name


def field_id(name: str) -> dict[str, str]:
    """Id of the field that sets a parameter of /explore."""
    return {"type": FIELD, "name": name}


def asking(city: City, state: State, names: Names) -> Component:
    """The question, as one reads it: what, by what, when, beside what; the rest of the filters folded away. On a phone all of it is:
    the heading says the question."""
    lines = [html.Div([_measure(city, state), _period(state)], className="d-x-line"), _by(state, names)]
    section = html.Section(lines, className="d-x-ask", **{"aria-label": t("explore.question", state.lang)})
    return html.Details([html.Summary(t("explore.change_question", state.lang), className="d-button"), section], className="d-fold")


def _measure(city: City, state: State) -> Component:
    """Every measure of what the city reads, found without accents."""
    lang = state.lang
    topics = {ROLE_TOPIC.get(feed.role) for feed in city.config.feeds} | {state.topic}
    rows = [(row.key, f"{measure_name(row, lang)}", t(f"explore.topic.{row.topic}", lang)) for row in MEASURES if row.topic in topics]
    options = [
        {"label": f"{words} · {topic}", "value": key, "search": f"{words} {fold(words)} {fold(topic)} {key}"} for key, words, topic in rows
    ]
    return _field(
        "measure", t("explore.measure", lang), _dropdown("measure", options, state.measure.key, lang, is_clearable=False), "d-x-measure"
    )


def _period(state: State) -> Component:
    """The usual periods, and any other written."""
    view, lang = state.view, state.lang
    asked = view.get("period") or DEFAULT_PERIOD
    links = [
        _choice(
            t(f"period.{word}", lang), state.here(period="" if word == DEFAULT_PERIOD else word, on=""), word == asked, f"period:{word}"
        )
        for word in PERIODS
    ]
    own = "" if asked in PERIODS else asked
    box = period_box(field_id("period"), own, lang)
    other = html.Label([html.Span(t("desk.period_other", lang), className="d-unseen"), box], className="d-field-period")
    return _field("", t("desk.period", lang), html.Div([*links, other], className="d-choices"), "d-x-period")


def _compare(state: State) -> Component:
    lang = state.lang
    links = [
        _choice(t(f"desk.compare_{how}", lang), state.here(compare="" if how == HOWS[0] else how), how == state.compare, f"compare:{how}")
        for how in HOWS
    ]
    return _field("", t("desk.compare", lang), html.Div(links, className="d-choices"), "")


def _by(state: State, names: Names) -> Component:
    """The ways to break it down as links; the second one, where two are wanted, beside them."""
    lang, ways = state.lang, [row.key for row in dimensions(state)]
    links = [
        _choice(
            dimension_name(key, lang),
            state.here(by="" if key == DEFAULT_BY[state.topic] else key, split="" if key == state.split else state.split),
            key == state.by,
            f"by:{key}",
        )
        for key in ways
    ]
    options = [
        {"label": dimension_name(key, lang), "value": key, "search": fold(dimension_name(key, lang))} for key in ways if key != state.by
    ]
    second = _dropdown("split", options, state.split, lang, words=t("explore.no_split", lang))
    return html.Div(
        [
            _field("", t("explore.by_label", lang), html.Div(links, className="d-choices"), "d-x-ways"),
            _field("split", t("explore.split", lang), second, "d-x-split"),
            _compare(state),
            _more(state, names),
        ],
        className="d-x-line",
    )


def shapes(state: State) -> Component | None:
    """How two dimensions are drawn; None of one."""
    if not state.split:
        return None
    links = [
        _choice(
            t(f"explore.shape_{shape}", state.lang),
            state.here(shape="" if shape == SHAPES[0] else shape),
            shape == state.shape,
            f"shape:{shape}",
        )
        for shape in SHAPES
    ]
    return html.Span(links, className="d-choices", role="group", **{"aria-label": t("explore.shape", state.lang)})


def _more(state: State, names: Names) -> Component:
    """One field a code, open where there is room for it when something is chosen in it."""
    lang = state.lang
    boxes = []
    for field, known in names.items():
        ordered = sorted(known.items(), key=lambda pair: sort_key(pair[1]))
        options = [{"label": words, "value": code, "search": f"{words} {fold(words)} {code}"} for code, words in ordered if code]
        chosen = state.filter.only(field)
        if chosen.startswith(ALONE):
            options.insert(0, {"label": _one(field, chosen, known, lang), "value": chosen, "search": chosen})
        if 0 < len(options) <= MOST_OPTIONS:
            boxes.append(_field(field, dimension_name(field, lang), _dropdown(field, options, chosen, lang), ""))
    return html.Details(
        [html.Summary(t("explore.more_filters", lang), className="d-button"), html.Div(boxes, className="d-fields")],
        className="d-x-more",
        id="explore-more",
    )


def _dropdown(
    name: str, options: Sequence[Mapping[str, str]], value: str, lang: str, *, words: str = "", is_clearable: bool = True
) -> Component:
    """A choice that sets a parameter; what the URL says stays in it, known or not."""
    known = options if not value or any(one["value"] == value for one in options) else [{"label": value, "value": value}, *options]
    return dropdown(field_id(name), known, value, lang, words=words, is_clearable=is_clearable)


def _field(name: str, label: str, box: Component, class_name: str) -> Component:
    return html.Div([html.Span(label, className="d-field-name"), box], className=f"d-field {class_name}".strip())


def _choice(words: str, href: str, is_on: bool, at: str) -> Component:
    return here(words, href, f"d-choice{' d-on' if is_on else ''}", at, **({"aria-current": "true"} if is_on else {}))


# ---- what is chosen -------------------------------------------------------------------------------------------------------
def filter_chips(state: State, names: Names, labels: Mapping[str, Mapping[str, str]]) -> Component | None:
    """Every filter that is on, each to be taken off, and all at once; labels = names that the answers brought."""
    lang, found = state.lang, []
    if state.on is not None:
        found.append(_chip(state, t("explore.part", lang), part_name(state.on.text, lang), "on"))
    for key, value in filters_told(state).items():
        found.append(_chip(state, _field_name(key, lang), _value_name(state, key, value, names, labels), key))
    if state.late_rule:
        found.append(_chip(state, t("desk.late_rule", lang), t(f"late_rule.{state.late_rule}", lang), "late_rule"))
    if not found:
        return None
    nothing = state.here(**dict.fromkeys(("on", "late_rule", *filters_told(state)), ""))
    clear = here(t("desk.clear_filters", lang), nothing, "d-chip-clear d-link", "clear")
    return html.Div([*found, clear], className="d-chips", role="group", **{"aria-label": t("desk.filters", lang)})


def _chip(state: State, label: str, value: str, key: str) -> Component:
    hint = t("desk.filter_off", state.lang, name=label)
    cross = here("×", state.here(**{key: ""}), "d-chip-off", f"chip:{key}", title=hint, **{"aria-label": hint})
    return html.Span(
        [html.Span(f"{label}: ", className="d-chip-name"), html.Span(value), cross], className="d-chip", **{"data-filter": key}
    )


def _field_name(key: str, lang: str) -> str:
    for prefix in ("explore.by", "desk.filter", "filter"):
        try:
            return t(f"{prefix}.{key}", lang)
        except KeyError:
            continue
    return key


def _value_name(state: State, key: str, value: str, names: Names, labels: Mapping[str, Mapping[str, str]]) -> str:
    """Codes by name; anything else of the grammar as it is written."""
    term = state.filter.term(key)
    if term is None or term.how not in ("any", "none"):
        return t("explore.unknown", state.lang) if term is not None and term.how == "missing" else value
    known = {**labels.get(key, {}), **names.get(key, {})}
    kind = key.rpartition("_")[2] if key.rpartition("_")[2] in ("hour", "weekday") else key
    words = [_one(kind, str(one), known, state.lang) for one in term.values]
    told = ", ".join(words[:3]) + (f" +{len(words) - 3}" if len(words) > 3 else "")
    return t("explore.none_of", state.lang, values=told) if term.how == "none" else told


def _one(key: str, code: str, known: Mapping[str, str], lang: str) -> str:
    if key in ("hour", "weekday", "channel", "property"):
        return group_name(key, code, known.get(code, ""), lang)
    if code in known:
        return known[code]
    if code.startswith(ALONE):
        return t("explore.alone", lang, name=known.get(code[1:], code[1:]))
    for prefix in ("desk.dossier_state", "desk.report_state", "timeliness"):
        if key in ("state", "timeliness", "quality"):
            try:
                return t(f"{prefix}.{code}", lang)
            except KeyError:
                continue
    return code


def heading_words(state: State) -> str:
    """The question as a sentence: what by what."""
    lang = state.lang
    words = t("explore.title", lang, name=measure_name(state.measure, lang), by=dimension_name(state.by, lang).lower())
    return f"{words} × {dimension_name(state.split, lang).lower()}" if state.split else words


def period_words(state: State) -> str:
    """The days the page speaks of."""
    return part_name(state.on.text, state.lang) if state.on else period_name(state.period, state.lang)


def changed(state: State, values: Iterable[tuple[str, str]]) -> str:
    """The address after the reader set fields; '' when it says so already."""
    asked: dict[str, object] = {}
    for name, value in values:
        given = value.strip()
        current = state.measure.key if name == "measure" else state.split if name == "split" else _current(state.view, state, name)
        if given != current and not (name == "period" and not given and (state.view.get("period") or DEFAULT_PERIOD) in PERIODS):
            asked[name] = given
            if name == "period":
                asked["on"] = ""
    return state.here(**asked) if asked else ""


def _current(view: View, state: State, name: str) -> str:
    return view.get("period") if name == "period" else state.filter.only(name)
