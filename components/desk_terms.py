"""Filters in words: the name of a field, its values as they are called, and the chips that take them off again."""

from __future__ import annotations

from collections.abc import Mapping

from dash.development.base_component import Component

from components.desk_filters import period_name
from components.desk_links import View
from components.desk_parts import chip, chips
from metrics.city import City
from metrics.city.lists.filter_fields import FIELD_BY_KEY, Field
from metrics.city.lists.filter_grammar import ANY, MISSING, NONE, PRESENT, Filter, Term, told
from metrics.city.lists.filters import about
from metrics.city.lists.known import known
from store.days import date_of
from store.rows import REPORT_STATUSES
from text import t
from text.formats import day
from text.vietnamese import fold

LISTS = ("agency", "procedure", "domain", "category", "area")
MOST_SHOWN = 3  # values in a chip; more are told by their number
CHANNELS = ("direct", "online", "postal", "app", "web", "hotline", "email", "social")
# field -> the texts of its values and the values there are, by topic
_WORDS: Mapping[tuple[str, str], tuple[str, tuple[str, ...]]] = {
    ("dossiers", "status"): ("dossier_status", tuple(str(n) for n in range(11))),
    ("reports", "status"): ("report_status", tuple(REPORT_STATUSES)),
    ("dossiers", "channel"): ("channel", CHANNELS[:3]),
    ("reports", "channel"): ("channel", CHANNELS),
    ("dossiers", "state"): ("desk.dossier_state", ()), ("reports", "state"): ("desk.report_state", ()),
    ("stations", "state"): ("freshness", ()), ("reports", "quality"): ("desk.report_quality", ()),
    ("dossiers", "timeliness"): ("timeliness", ()), ("reports", "timeliness"): ("timeliness", ()),
    ("stations", "kind"): ("station_kind", ("air", "weather", "water", "traffic", "farm", "camera", "other")),
    ("reports", "rating"): ("rating", ("0", "1", "2", "3")), ("stations", "property"): ("property", ()),
    **{(topic, key): ("weekday", ()) for topic in ("dossiers", "reports") for key in ("weekday", "finished_weekday", "closed_weekday")},
}


def field_name(key: str, lang: str) -> str:
    """What a field is called."""
    return t(f"desk.filter.{key}", lang)


def value_name(city: City, topic: str, key: str, value: object, lang: str) -> str:
    """What a value of a field is called; its code where nothing is known of it."""
    code, field = str(value), FIELD_BY_KEY[topic][key]
    if key in LISTS:
        return known(city, key).names.get(code) or code
    if field.kind == "flag":
        return t("desk.yes" if value else "desk.no", lang)
    if field.kind == "place":
        return t("desk.drawn", lang)
    if field.kind == "day":
        return day(date_of(int(str(value))), lang)
    if key == "feed":
        return next((feed.title or feed.key for feed in city.config.feeds if feed.key == code), code)
    texts = _WORDS.get((topic, key), ("", ()))[0]
    try:
        return t(f"{texts}.{code}", lang) if texts else code
    except KeyError:
        return code


def matching(city: City, topic: str, key: str, words: str, lang: str) -> list[str]:
    """Values of a field whose name has a word beginning with each of these words, accents or not."""
    wanted = fold(words).split()
    if key in LISTS:
        found = [set(known(city, key).matching(word)) for word in wanted]
        return sorted(set.intersection(*found)) if found else []
    values = _WORDS.get((topic, key), ("", ()))[1] or FIELD_BY_KEY[topic][key].values
    named = {value: fold(value_name(city, topic, key, value, lang)).split() for value in values}
    return [value for value, parts in named.items() if all(any(part.startswith(word) for part in parts) for word in wanted)]


def term_words(city: City, topic: str, term: Term, lang: str) -> str:
    """What a field must be, in words."""
    field: Field = FIELD_BY_KEY[topic][term.field]
    if term.how in (MISSING, PRESENT):
        return t("desk.term_missing" if term.how == MISSING else "desk.term_present", lang)
    if term.how in (ANY, NONE):
        shown = [value_name(city, topic, term.field, value, lang) for value in term.values[:MOST_SHOWN]]
        if len(term.values) > MOST_SHOWN:
            shown.append(t("desk.term_more", lang, n=len(term.values) - MOST_SHOWN))
        return ("" if term.how == ANY else f"{t('desk.term_not', lang)} ") + ", ".join(shown)
    low, high = (None if bound is None else _bound(field, bound, lang) for bound in (term.low, term.high))
    if low is None or high is None:
        return t("desk.term_until" if low is None else "desk.term_from", lang, value=high if low is None else low)
    return low if low == high else f"{low} – {high}"


def _bound(field: Field, bound: float, lang: str) -> str:
    return day(date_of(int(bound)), lang) if field.kind == "day" else str(bound)


def term_chips(city: City, view: View, asked: Filter) -> Component | None:
    """Everything that narrows a list but its state (which has its own choices), each to be taken off; None when nothing does."""
    lang, found = view.lang, []
    if asked.period and (asked.period_on or about(asked)):
        words = period_name(view.period, lang)
        words += f" ({field_name(asked.period_on, lang)})" if asked.period_on else ""
        found.append(chip(t("desk.period", lang), words, view.here(period="", period_on=""), lang))
    for key in told(asked):
        term = asked.term(key)
        if term is not None and (key != "state" or term.how != ANY or len(term.values) > 1):
            found.append(chip(field_name(key, lang), term_words(city, asked.topic, term, lang), view.here(**{key: ""}), lang))
    if asked.q:
        found.append(chip(field_name("q", lang), asked.q, view.here(q=""), lang))
    rule = asked.late_rule
    if rule and rule != city.config.late_rule:
        found.append(chip(t("desk.late_rule", lang), t(f"late_rule.{rule}", lang), view.here(late_rule=""), lang))
    return chips(found, view)
