"""Fills /wall: the scenes of this city in the asked language and theme. Figures come over the live stream, not from here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

from dash import Dash, Input, Output, html
from dash.backends._fastapi import get_current_request
from dash.development.base_component import Component

from components import scenes
from components.context import AppContext
from components.ids import WALL_ROOT
from components.scale import css_variables, wall_scale
from components.scenes import strip
from components.theme import THEMES
from scope import Forbidden
from text import t

SHORTEST_DWELL_S = 5
TEXTS = {  # what the scripts say, by their own short names
    "live": "wall.live", "lost": "wall.connection_lost_for", "connecting": "wall.reconnecting", "asof": "wall.data_at",
    "fresh": "wall.all_feeds_fresh", "nothing": "wall.no_data", "more": "wall.more", "offset": "wall.clock_offset",
    "paused": "wall.paused", "now": "wall.just_now", "seconds": "age.seconds", "minutes": "age.minutes", "hours": "age.hours",
    "days": "age.days", "state_late": "freshness.late", "state_stale": "freshness.stale", "state_dead": "freshness.dead",
    "state_never": "freshness.never",
}


def draw_wall(address: Mapping[str, str], context: AppContext) -> Component:
    """The wall's root with all scenes mounted, one of them to be shown."""
    config, lang = context.config, context.lang(address.get("lang"))
    shown = scenes.scenes_of(config)
    pinned = address.get("scene", "")
    if pinned and pinned not in [scene.key for scene in shown]:
        return html.Div(t("error.not_found", lang), className="wall wall-message", **_root_look(address, context))  # type: ignore[arg-type]
    return html.Div([
        strip.top(config, lang),
        html.Main([scenes.skeleton(scene, config, lang) for scene in shown], className="scenes"),
        strip.foot(config, lang),
    ], id=WALL_ROOT, className="wall", **_root_look(address, context), **{  # type: ignore[arg-type]
        "data-stream": f"/live/wall?lang={lang}", "data-connection": "waiting", "data-zone": config.timezone, "data-lang": lang,
        "data-dwell": str(max(SHORTEST_DWELL_S, config.wall.dwell_s)), "data-pinned": pinned,
        "data-frozen": "1" if config.as_of and not config.shift_to_now else None,
        "data-rotate": "0" if address.get("rotate") == "0" else "1",
        "data-scenes": json.dumps({scene.key: t(f"scene.{scene.key}", lang) for scene in shown}, ensure_ascii=False),
        "data-texts": json.dumps({name: _template(key, lang) for name, key in TEXTS.items()}, ensure_ascii=False),
    })


def _root_look(address: Mapping[str, str], context: AppContext) -> dict[str, Any]:
    wall = context.config.wall
    theme = address.get("theme") if address.get("theme") in THEMES else wall.theme
    return {"data-theme": theme, "style": css_variables(wall_scale(wall))}


def _template(key: str, lang: str) -> str:
    """A text with its places left open, for the scripts to fill."""
    return t(key, lang, age="{age}", at="{at}", n="{n}")


@dataclass(frozen=True)
class Wire:
    """A row of the wiring: which property a handler fills from which, and the permission it takes."""

    handler: Callable[[Any, AppContext], Any]
    output: Output
    inputs: tuple[Input, ...]
    permission: str


WIRING = (Wire(draw_wall, Output("wall-page", "children"), (Input("wall-address", "data"),), "see.wall"),)


def register(app: Dash, context: AppContext) -> None:
    """Wire every row of the table to the app."""
    for row in WIRING:
        app.callback(row.output, *row.inputs)(_guarded(row, context))


def _guarded(row: Wire, context: AppContext) -> Callable[..., Any]:
    """The handler behind its permission; who may not see gets the words for it."""
    @wraps(row.handler)
    def handle(*values: Any) -> Any:
        try:
            context.scope_of(get_current_request()).require(row.permission)
        except Forbidden:
            return html.Div(t("error.forbidden", context.config.language), className="wall wall-message")
        return row.handler(*values, context)

    return handle
