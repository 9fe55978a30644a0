"""What the reader of /explore has asked, read from the address; and the addresses of the next steps. Pure text: nothing is looked up.

`on` is the clicked part of the period: every view but the chart of time speaks of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from dash import html
from dash.development.base_component import Component

from components.desk_links import View
from metrics.city import City
from metrics.city.explore.measures import MEASURE, MEASURES, Measure
from metrics.city.explore.question import DIMENSION, DIMENSIONS, Dimension, Question
from metrics.city.lists.filter_fields import FIELD_BY_KEY
from metrics.city.lists.filters import Filter, parse, told, written
from metrics.city.lists.known import ALONE, known
from metrics.comparison import HOWS
from metrics.periods import Period, parse_period
from store.days import instant

PATH, DEFAULT_PERIOD = "/explore", "last_30d"
DEFAULT_BY: Mapping[str, str] = {"dossiers": "agency", "reports": "category", "readings": "property"}
ASIDE = ("do", "id", "read", "shown", "removed")  # of one visit: no step keeps them
SHAPES = ("pivot", "multiples")
TOP = 15  # of a code dimension, until the reader wants all
MOST_SHARES = 40  # groups of each of two dimensions
CONTEXT_DAYS = 30  # around a single day, so that it stands among others


@dataclass(frozen=True)
class State:
    """The question of the page. split = the second dimension; period = as chosen, on = the clicked part of it."""

    view: View
    measure: Measure
    by: str
    split: str
    period: Period
    on: Period | None
    filter: Filter
    late_rule: str
    compare: str
    top: int
    shape: str
    known_at: int | None
    parents: Mapping[str, frozenset[str]]  # agencies and areas that others lie below
    is_shown: bool = False  # drawn from what was kept: its records may have moved on

    @property
    def now(self) -> Period:
        """What all views but the chart of time are about."""
        return self.on or self.period

    @property
    def cut(self) -> int:
        """How many groups the question asks for, 0 = all: the highest of a count hold most of it, of a share the lowest matter too."""
        return self.top if self.measure.adds_up else MOST_SHARES if self.split and self.top else 0

    @property
    def lang(self) -> str:
        """The reader's language."""
        return self.view.lang

    @property
    def topic(self) -> str:
        """What is counted: dossiers, reports, readings."""
        return self.measure.topic

    def here(self, **changes: object) -> str:
        """This page with some of its state changed; '' takes a parameter away."""
        return self.view.here(**{**dict.fromkeys(ASIDE, ""), **changes})

    def question(self, by: tuple[str, ...], period: Period, without: tuple[str, ...] = (), **more: Any) -> Question:
        """The question of one view: by its dimensions over its period, without the filters it sets itself."""
        asked = {"late_rule": self.late_rule, "known_at": self.known_at, "compare": self.compare, **more}
        return Question((self.measure.key,), by, period, self.filter.without(*without), **asked)


def read_state(view: View, city: City) -> State:
    """The state behind an address. Raises ValueError that names what cannot be used and what can."""
    measure = MEASURE.get(view.get("measure") or _first(city))
    if measure is None:
        raise ValueError(f"measure: {view.get('measure')}")
    by = _dimension(view.get("by"), measure.topic) or DEFAULT_BY[measure.topic]
    split = _dimension(view.get("split"), measure.topic)
    asked = {name: value for name, value in view.query.items() if name not in ("period", "period_on", "late_rule")}
    topic = measure.topic if measure.topic in FIELD_BY_KEY else "stations"
    return State(
        view,
        measure,
        by,
        "" if split == by else split,
        view.period,
        _part(view, city.today),
        parse(topic, asked),
        view.get("late_rule"),
        view.get("compare") or HOWS[0],
        0 if view.get("top") == "all" else TOP,
        view.get("shape") if view.get("shape") in SHAPES else SHAPES[0],
        _known_at(view.get("known_at"), city),
        {kind: known(city, kind).parents() for kind in ("agency", "area")},
    )


def _first(city: City) -> str:
    """The first measure of a topic the city has a feed of."""
    roles = {feed.role for feed in city.config.feeds}
    topics = [topic for role, topic in (("one_stop", "dossiers"), ("feedback", "reports"), ("sensors", "readings")) if role in roles]
    return next((row.key for row in MEASURES if not topics or row.topic == topics[0]), MEASURES[0].key)


def _dimension(key: str, topic: str) -> str:
    if key and key not in DIMENSION:
        raise ValueError(f"by: {key}")
    return key if key and topic in DIMENSION[key].columns else ""


def _part(view: View, today: date) -> Period | None:
    """The clicked part, where it lies in the period."""
    if not view.get("on"):
        return None
    part = parse_period(view.get("on"), today)
    inside = part.start_on <= view.period.end_on and part.end_on >= view.period.start_on
    return part if inside else None


def _known_at(text: str, city: City) -> int | None:
    """An instant as 2026-11-20T09:30 of the city's zone. Raises ValueError."""
    if not text:
        return None
    try:
        return instant(datetime.fromisoformat(text).replace(tzinfo=city.config.tz))
    except (ValueError, OverflowError):
        raise ValueError(f"known_at: {text}") from None


def is_mixed(state: State) -> bool:
    """Does the measure take its unit from the property chosen, and none is? Then all of it together is no figure."""
    return state.topic == "readings" and not state.measure.measure_unit and not state.filter.only("property")


# ---- dimensions ---------------------------------------------------------------------------------------------------------
def dimensions(state: State) -> tuple[Dimension, ...]:
    """The ways the measure can be broken down: of a stock none by hour or weekday, since it is there at all of them."""
    is_stock = state.measure.kpi is not None and state.measure.kpi.measure == "stock"
    return tuple(row for row in DIMENSIONS if state.topic in row.columns and not (is_stock and row.kind == "clock"))


def grain(period: Period) -> str:
    """Parts that a chart of a period is drawn in: a month and a half by days, eight months by weeks, more by months."""
    return "day" if period.days <= 46 else "week" if period.days <= 250 else "month"


def around(state: State) -> Period:
    """What the chart of time shows: the period, or the days up to it where it is a single one."""
    period = state.period
    if period.days > 1:
        return period
    return parse_period(f"{period.end_on - timedelta(days=CONTEXT_DAYS - 1)}..{period.end_on}", period.end_on)


def own_filters(state: State) -> tuple[str, ...]:
    """Filters that the main table sets by its own clicks: it goes on showing all its groups, with the chosen ones marked."""
    return () if state.split else (filter_key(state, state.by),)


def main_period(state: State) -> Period:
    """The days of the main table: the clicked part, but all of them where the table itself lists the parts."""
    return state.period if not state.split and DIMENSION[state.by].kind == "time" else state.now


# ---- the next steps -------------------------------------------------------------------------------------------------------
def filter_key(state: State, dimension: str) -> str:
    """The parameter that a click on a group of a dimension sets; '' where none can."""
    if DIMENSION[dimension].kind == "time":
        return "on"
    key = clock_key(state, dimension) if DIMENSION[dimension].kind == "clock" else dimension
    return key if key in FIELD_BY_KEY[state.filter.topic] else ""


def clock_key(state: State, dimension: str) -> str:
    """hour and weekday are of the event the measure counts: finished dossiers by the hour they were finished in."""
    event = "finished" if "finished" in state.measure.key or "late" in state.measure.key else ""
    event = "closed" if state.topic == "reports" and "resolved" in state.measure.key else event
    return f"{event}_{dimension}" if event else dimension


def chosen_value(state: State, dimension: str, group: str) -> str:
    """The group as the value of its parameter: what stands above others for itself alone, as its row counts it."""
    kind = DIMENSION[dimension].kind
    alone = ALONE if group in state.parents.get(dimension, ()) else ""
    return alone + written([group]) if kind == "code" else group


def is_chosen(state: State, dimension: str, group: str) -> bool:
    """Is this group the one the page is narrowed to? An agency above it counts: it takes all below."""
    key = filter_key(state, dimension)
    if not key:
        return False
    if key == "on":
        return state.on is not None and state.on.text == group
    term = state.filter.term(key)
    if term is None:
        return False
    if term.how == "missing":
        return group == ""
    values = [str(value) for value in term.values]
    below = tuple(f"{value}." for value in values if key == "agency" and not value.startswith(ALONE))
    return term.how == "any" and (group in values or ALONE + group in values or bool(group and below and group.startswith(below)))


def toggled(state: State, dimension: str, group: str) -> str:
    """The address after a click on a group: narrowed to it, or no longer when it was; '' where it cannot be clicked."""
    key = filter_key(state, dimension)
    if not key:
        return ""
    value = chosen_value(state, dimension, group)
    if key == "on" and state.period.days == 1:
        return state.here(period=value, on="")
    return state.here(**{key: "" if is_chosen(state, dimension, group) and state.view.get(key) == value else value})


def drilled(state: State, dimension: str, group: str) -> str:
    """The address one step down: narrowed to the group and broken down by the next dimension; '' where there is none."""
    key, following = filter_key(state, dimension), next_by(state, dimension)
    if not key or not following:
        return ""
    return state.here(**{key: chosen_value(state, dimension, group), "by": following, "split": ""})


_DOWN: Mapping[str, Mapping[str, str]] = {
    "dossiers": {"agency": "procedure", "area": "agency", "domain": "procedure", "procedure": "agency", "channel": "agency"},
    "reports": {"category": "area", "area": "category", "agency": "category", "channel": "category"},
    "readings": {"area": "station", "station": "property", "property": "station"},
}


def next_by(state: State, dimension: str) -> str:
    """The dimension below one: what one asks next of its groups, else the first not used yet, else the days."""
    offered = [row.key for row in dimensions(state)]
    wanted = (_DOWN[state.topic].get(dimension, ""), *_DOWN[state.topic], "day")
    free = [key for key in wanted if key in offered and key != dimension and state.filter.term(key) is None]
    return free[0] if free else ""


def canonical(state: State) -> str:
    """The query string without what is of one visit: what is saved, and what "as shown" is kept under."""
    return state.here().partition("?")[2]


def filters_told(state: State) -> Mapping[str, str]:
    """The filters in the grammar, canonical."""
    return told(replace(state.filter, period="", period_on="", q=state.filter.q, late_rule=""))


def here(children: Any, href: str, class_name: str = "", at: str = "", **more: Any) -> Component:
    """A link to another state of this page: assets/explore.js follows it in place and gives the focus back to the same `at`."""
    named = {"data-at": at} if at else {}
    return html.A(children, href=href, className=class_name, **named, **more)
