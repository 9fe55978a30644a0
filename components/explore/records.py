"""The records behind a figure of /explore: the address of exactly those, with every filter and the clicked part, and how many there are.

Pure: nothing is counted here; the number is the figure's own where the figure counts records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from components.desk_tiles import DRILLS, Drill
from components.explore.state import State, filter_key, filters_told
from metrics.city import City
from metrics.city.explore.question import DIMENSION, Figure
from text import t


@dataclass(frozen=True)
class Records:
    """Where the records are ('' = no list shows them, and `why`), and how many: None = the list is wider than the figure."""

    href: str = ""
    count: int | None = None
    why: str = ""


_RECEIVED, _FINISHED = {"state": "received"}, {"state": "finished"}
MORE: Mapping[str, Drill] = {
    "dossiers_received_online": Drill("/dossiers", {**_RECEIVED, "channel": "online"}),
    "dossiers_received_direct": Drill("/dossiers", {**_RECEIVED, "channel": "direct"}),
    "dossiers_received_postal": Drill("/dossiers", {**_RECEIVED, "channel": "postal"}),
    "dossiers_finished_early": Drill("/dossiers", {"timeliness": "early", "period_on": "finished"}),
    "dossiers_finished_on_time": Drill("/dossiers", {"timeliness": "on_time", "period_on": "finished"}),
    "dossiers_open_no_due": Drill("/dossiers", {"state": "open", "timeliness": "no_due"}, "", is_stock=True),
    "dossiers_open_in_time": Drill("/dossiers", {"state": "open"}, "", is_stock=True),
    "dossiers_carried_over": Drill("", {}),
    "dossiers_in_hand": Drill("", {}),
    "reports_on_time_pct": Drill("/reports", {**_FINISHED}, ""),
}
# the rest: what was received, or finished, in the period; a wider list than the figure
OTHERWISE: Mapping[str, Drill] = {
    "dossiers": Drill("/dossiers", _FINISHED, ""),
    "reports": Drill("/reports", _RECEIVED, ""),
    "readings": Drill("/stations", {}, ""),
}


def drill_of(state: State) -> Drill:
    """The rows of the page's measure."""
    key = state.measure.key
    return DRILLS.get(key) or MORE.get(key) or OTHERWISE[state.topic]


def records(city: City, state: State, figure: Figure, narrowed: Mapping[str, str]) -> Records:
    """The records of one cell; narrowed = dimension -> value of its parameter, for each that the cell is a group of."""
    lang, drill = state.lang, drill_of(state)
    asked: dict[str, object] = dict(filters_told(state))
    period = state.now.text
    for dimension, value in narrowed.items():
        key = filter_key(state, dimension)
        if key == "on":
            period = value
        elif key:
            asked[key] = value
        else:
            return Records(why=t("explore.no_rows_of", lang))
    if not drill.path or not city.scope.permits(f"see.{drill.path.strip('/')}"):
        return Records(why=t("explore.no_rows", lang))
    clash = [name for name, value in drill.parameters.items() if asked.get(name, value) != value]
    if clash or state.known_at is not None or state.is_shown:
        return Records(why=t("explore.no_rows_of", lang))
    if drill.is_stock and (any(DIMENSION[one].kind == "time" for one in narrowed) or state.now.end_on < city.today):
        return Records(why=t("explore.no_rows_past", lang))
    when = {} if drill.is_stock or drill.path == "/stations" else {"period": period}
    rule = {"late_rule": state.late_rule} if state.late_rule else {}
    lang_given = {"lang": state.view.get("lang")} if state.view.get("lang") else {}
    href = state.view.to(
        drill.path,
        **{
            **dict.fromkeys(("period", "agency", "area", "compare", "late_rule"), ""),
            **asked,
            **drill.parameters,
            **when,
            **rule,
            **lang_given,
        },
    )
    return Records(href, _count(drill, figure))


def _count(drill: Drill, figure: Figure) -> int | None:
    """How many records the list will say it has."""
    if figure.value is None:
        return None if figure.n else 0
    if drill.counts == "value":
        return round(figure.value)
    if drill.counts == "n":
        return figure.n
    return round(figure.n * (1 - figure.value / 100)) if drill.counts == "rest" else None
