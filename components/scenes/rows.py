"""The wall's scenes as rows: which panels each shows and where. A place is filled by its first panel whose data the city has."""

from __future__ import annotations

from dataclasses import dataclass

from components.tiles import Tile
from config import Config
from metrics.city.feeds import ROLE_TOPIC
from metrics.kpis import kpi

DOSSIERS, REPORTS, READINGS, OPERATIONS = "dossiers", "reports", "readings", "operations"
# name of the place -> CSS grid area (row / column / row end / column end); most important top left
PLACES = {
    "hero": "1 / 1", "side": "1 / 2", "left2": "2 / 1", "mid2": "2 / 2", "left3": "3 / 1", "mid3": "3 / 2",
    "map": "1 / 3 / 3 / 4", "below": "3 / 3", "tall": "1 / 3 / 4 / 4", "list": "2 / 2 / 4 / 3",
}


@dataclass(frozen=True)
class Panel:
    """One panel: kind tile | measure | map | list, its key, its place, the topic it speaks of; `tile` for KPI tiles."""

    kind: str
    key: str
    place: str
    topic: str
    tile: Tile | None = None


@dataclass(frozen=True)
class Scene:
    """One screenful. `least_topics` = of how many kinds of data it must speak to be worth showing."""

    key: str
    panels: tuple[Panel, ...]
    least_topics: int = 1


def _tile(place: str, key: str, period: str = "today", *, is_hero: bool = False, beside: str = "") -> Panel:
    return Panel("tile", key, place, kpi(key).topic, Tile(key, period, is_hero, beside))


def _list(place: str, key: str, topic: str) -> Panel:
    return Panel("list", key, place, topic)


SCENES: tuple[Scene, ...] = (
    Scene("overview", (
        _tile("hero", "dossiers_overdue", is_hero=True, beside="dossiers_open"),
        _tile("hero", "reports_overdue", is_hero=True, beside="reports_open"),
        _tile("side", "dossiers_on_time_pct", "last_30d"),
        _tile("side", "reports_resolved", "last_7d"),
        _tile("left2", "dossiers_due_2wd"),
        _tile("left2", "reports_received"),
        _tile("mid2", "reports_overdue", beside="reports_open"),
        _tile("mid2", "dossiers_received"),
        _tile("mid2", "stations_reporting_pct"),
        _tile("left3", "vn_aqi"),
        _tile("left3", "dossiers_online_pct", "last_30d"),
        _tile("mid3", "feeds_fresh_pct"),
        Panel("map", "heat", "map", REPORTS),
        Panel("map", "stations", "map", READINGS),
        _list("below", "hot_areas", REPORTS),
        _list("below", "agencies", DOSSIERS),
        _list("below", "stations", READINGS),
    ), least_topics=2),
    Scene("one_stop", (
        _tile("hero", "dossiers_overdue", is_hero=True, beside="dossiers_open"),
        _tile("side", "dossiers_on_time_pct", "last_30d"),
        _tile("left2", "dossiers_due_2wd"),
        _tile("mid2", "dossiers_received"),
        _tile("left3", "dossiers_finished"),
        _tile("mid3", "dossiers_online_pct", "last_30d"),
        _list("tall", "agencies", DOSSIERS),
    )),
    Scene("feedback", (
        _tile("hero", "reports_overdue", is_hero=True, beside="reports_open"),
        _tile("side", "reports_resolve_days_median", "last_30d"),
        _tile("left2", "reports_received"),
        _tile("left3", "reports_resolved", "last_7d"),
        _list("list", "categories", REPORTS),
        Panel("map", "reports", "tall", REPORTS),
    )),
    Scene("environment", (
        _tile("hero", "vn_aqi", is_hero=True),
        _tile("side", "stations_reporting_pct"),
        Panel("measure", "measure0", "left2", READINGS),
        Panel("measure", "measure1", "mid2", READINGS),
        Panel("measure", "measure2", "left3", READINGS),
        Panel("measure", "measure3", "mid3", READINGS),
        Panel("map", "stations", "map", READINGS),
        _list("below", "stations", READINGS),
    )),
)
SCENE_BY_KEY = {scene.key: scene for scene in SCENES}


def topics_of(config: Config) -> frozenset[str]:
    """Topics this city has feeds for."""
    return frozenset(ROLE_TOPIC[feed.role] for feed in config.feeds if feed.enabled and feed.role in ROLE_TOPIC)


def panels_of(scene: Scene, config: Config) -> tuple[Panel, ...]:
    """The panels shown in this city: per place the first whose topic has a feed, no KPI twice."""
    topics = topics_of(config) | {OPERATIONS}
    found: dict[str, Panel] = {}
    for panel in scene.panels:
        is_known = any((panel.kind, panel.key) == (other.kind, other.key) for other in found.values())
        if panel.topic in topics and panel.place not in found and not is_known:
            found[panel.place] = panel
    return tuple(found.values())


def scenes_of(config: Config) -> tuple[Scene, ...]:
    """The scenes worth showing in this city, in the order of its configuration; never none."""
    topics = topics_of(config)
    wanted = [SCENE_BY_KEY[key] for key in config.wall.scenes if key in SCENE_BY_KEY]
    shown = [s for s in wanted if len({p.topic for p in panels_of(s, config)} & topics) >= s.least_topics]
    return tuple(shown) or (SCENES[0],)
