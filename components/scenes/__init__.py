"""The wall's scenes: their skeletons, and the frame that fills all of them at once. A frame is a pure function of a City.

frame = {"revision": 12, "as_of": µs,
         "props": {component id: {property: value}}, "ages": {component id: {"at": µs | None, "cadence_s": s | None}}}
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from components.ids import scene_id, tile_id
from components.scenes import lists, measures, places, strip
from components.scenes.answers import Answers
from components.scenes.rows import PLACES, READINGS, SCENES, Panel, Scene, panels_of, scenes_of
from components.tiles import Props, kpi_tile, measure_tile, tile_props
from config import Config
from metrics.city import City
from text import t

__all__ = ["SCENES", "Scene", "build_frame", "scenes_of", "skeleton"]

MEASURE_SLOTS = 4
log = logging.getLogger("toancanh.wall")


def skeleton(scene: Scene, config: Config, lang: str) -> Component:
    """A scene without data: its panels in their places."""
    panels = panels_of(scene, config)
    return html.Section(
        [_placed(_panel(scene, panel, lang), panel.place) for panel in panels], id=scene_id(scene.key), className="scene",
        **{"data-scene": scene.key, "aria-label": t(f"scene.{scene.key}", lang)},  # type: ignore[arg-type]
    )


def build_frame(city: City, lang: str) -> dict[str, Any]:
    """Props and ages of every scene shown in this city."""
    answers = Answers(city)
    shown = [(scene, panel) for scene in scenes_of(city.config) for panel in panels_of(scene, city.config)]
    answers.load([panel.tile for _, panel in shown if panel.tile])
    slots = measures.found_measures(answers.stations, MEASURE_SLOTS) if any(p.topic == READINGS for _, p in shown) else ()
    props, ages = strip.strip_frame(answers, lang)
    faults: list[Exception] = []
    for scene, panel in shown:
        try:
            found, age = _filled(scene, panel, slots, answers, lang)
        except Exception as fault:  # its last picture stays and ages; the other panels go on
            log.exception("panel %s of scene %s could not be drawn", panel.key, scene.key)
            faults.append(fault)
            continue
        props |= found
        ages[_own_id(scene, panel)] = age
    if faults and len(faults) == len(shown):
        raise faults[0]
    empty = _empty(answers)
    for scene in scenes_of(city.config):
        props[scene_id(scene.key)] = {"data-empty": "1" if scene.key in empty else None}
    return {"revision": city.revision, "as_of": city.as_of, "props": _plain(props), "ages": ages}


def _filled(
    scene: Scene, panel: Panel, slots: Sequence[measures.Found], answers: Answers, lang: str
) -> tuple[Props, dict[str, Any]]:
    """One panel's props and age."""
    own = _own_id(scene, panel)
    if panel.kind == "measure":
        found = slots[int(panel.key[-1])] if int(panel.key[-1]) < len(slots) else None
        return measures.measure_props(own, found, answers, lang), measures.measure_age(found, answers)
    return _props(scene, panel, own, answers, lang), answers.age_of(panel.topic)


def _own_id(scene: Scene, panel: Panel) -> str:
    return tile_id(scene.key, panel.key if panel.tile else f"{panel.kind}-{panel.key}")


def _panel(scene: Scene, panel: Panel, lang: str) -> Component:
    own = _own_id(scene, panel)
    if panel.kind == "map":
        return places.map_section(own, scene.key, lang)
    if panel.kind == "list":
        return lists.list_panel(own, panel.key, lang)
    if panel.tile:
        return kpi_tile(own, panel.tile, lang)
    return measure_tile(own, t("wall.waiting", lang))


def _placed(component: Component, place: str) -> Component:
    component.style = {"gridArea": PLACES[place]}
    return component


def _props(scene: Scene, panel: Panel, own: str, answers: Answers, lang: str) -> Props:
    if panel.kind == "map":
        return places.map_props(own, scene.key, panel.key, answers, lang)
    if panel.kind == "list":
        return lists.list_props(own, panel.key, panel.place, answers, lang)
    tile = panel.tile
    assert tile is not None
    beside = answers.value(tile.beside, "today") if tile.beside else None
    return tile_props(own, tile, answers.value(tile.key, tile.period), answers.line(tile), lang, beside)


def _empty(answers: Answers) -> list[str]:
    """Scenes all of whose feeds never spoke: rotation passes them over."""
    empty = []
    for scene in scenes_of(answers.city.config):
        topics = {panel.topic for panel in panels_of(scene, answers.city.config)} - {"operations"}
        if topics and all(answers.age_of(topic)["at"] is None for topic in topics):
            empty.append(scene.key)
    return empty


def _plain(value: Any) -> Any:
    """Components as the JSON Dash itself would send."""
    if isinstance(value, Component):
        return _plain(value.to_plotly_json())
    if isinstance(value, dict):
        return {name: inner if name == "data" else _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
