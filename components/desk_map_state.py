"""What a map page shows, read from its URL: which KPI, how reports look, which day, and the filter its reports are asked with.

The page, its callbacks and the links to lists go by the same functions, so that a count and the rows behind it cannot differ.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from components.desk_links import View
from metrics.city.lists.filter_fields import FIELDS, REPORTS
from metrics.city.numbers import area_kpis
from metrics.city.places import CLUSTERS, LOOKS, Box
from metrics.kpis import kpi

NONE = "none"
DEFAULT_PERIOD = "last_30d"
NOW_STATES = ("open", "overdue", "due_soon", "urgent")
NARROWING = (*(row.key for row in FIELDS[REPORTS]), "period", "period_on", "q")
MOST_DAYS = 92  # of a replay


@dataclass(frozen=True)
class Shown:
    """kpi '' = areas are not coloured; reports = clusters | density | none; day '' = now, or the whole period."""

    kpi: str
    reports: str
    has_stations: bool
    day: str


def shown(view: View, keys: tuple[str, ...]) -> Shown:
    """What the URL asks for; keys = the KPIs that can be shown here, the first of them by default. ValueError for an unknown one."""
    key = view.get("kpi")
    if key and key != NONE and key not in area_kpis.with_areas():
        raise ValueError(f"kpi: {key!r} has no areas; choose one of {', '.join(area_kpis.with_areas())}")
    look = view.get("reports") or CLUSTERS
    if look not in (*LOOKS, NONE):
        raise ValueError(f"reports: {look!r} is none of {', '.join((*LOOKS, NONE))}")
    chosen = "" if key == NONE else key or (keys[0] if keys else "")
    return Shown(chosen, look, view.get("stations") != NONE, day_of(view.get("day"), view))


def day_of(given: object, view: View) -> str:
    """A day of the view's period as yyyy-mm-dd, '' for anything else."""
    try:
        found = date.fromisoformat(str(given or ""))
    except ValueError:
        return ""
    return found.isoformat() if view.period.start_on <= found <= view.period.end_on else ""


def report_filter(view: View, day: str = "", **more: str) -> dict[str, str]:
    """The parameters reports are asked with, as lists and the API take them: open ones now, or those of the period, or of one day."""
    given = {name: view.get(name) for name in NARROWING if view.get(name)}
    given.pop("period", None)
    if day:
        if given.get("state", "open") in NOW_STATES:
            given["state"] = "received"
        given.pop("period_on", None)
        given["period"] = day
    else:
        given.setdefault("state", "open")
        if given["state"] not in NOW_STATES or given.get("period_on"):
            given["period"] = view.get("period") or DEFAULT_PERIOD
    return {**given, **more}


def box_of(given: Any) -> Box:
    """West, south, east, north of what a browser tells. ValueError for anything else."""
    if not isinstance(given, list) or len(given) != 4:
        raise ValueError("bbox: four numbers are wanted: west, south, east, north")
    west, south, east, north = (float(value) for value in given)
    if not all(math.isfinite(value) for value in (west, south, east, north)) or west > east or south > north:
        raise ValueError("bbox: four numbers are wanted: west, south, east, north")
    return max(-180.0, west), max(-90.0, south), min(180.0, east), min(90.0, north)


def is_asked(given: object) -> bool:
    """Is this something a script of the page told?"""
    return isinstance(given, Mapping)


def topic_of(key: str) -> str:
    """Where the rows behind a KPI are listed: dossiers | reports | stations."""
    return {"dossiers": "dossiers", "reports": "reports"}.get(kpi(key).topic, "stations")
