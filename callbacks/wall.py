"""Fills /wall: the scenes of this city in the asked language and theme. Figures come over the live stream, not from here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, html
from dash.development.base_component import Component

from components import scenes
from components.context import AppContext
from components.desk_wiring import CallbackRow, bind_callback
from components.ids import WALL_ROOT
from components.scale import css_variables, wall_scale
from components.scenes import strip
from components.theme import THEMES
from scope import Scope
from text import t

SHORTEST_DWELL_S = 5
TEXTS = {  # what the scripts say, by their own short names
    "live": "wall.live", "lost": "wall.connection_lost_for", "away": "wall.store_away_for", "connecting": "wall.reconnecting",
    "asof": "wall.data_at",
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


def show_wall(context: AppContext, scope: Scope, address: Mapping[str, str]) -> Component:
    """What fills /wall for those who may see it; the figures come over the live stream."""
    return draw_wall(address, context)


def refuse_wall(context: AppContext) -> Component:
    """What everyone else is told."""
    return html.Div(t("error.forbidden", context.config.language), className="wall wall-message")


CALLBACKS = (
    CallbackRow(
        show_wall, "see.wall", Output("wall-page", "children"), [Input("wall-address", "data")], refused=refuse_wall, at_once=True
    ),
)


def register(app: Dash, context: AppContext) -> None:
    """Wire every row of the table to the app."""
    for row in CALLBACKS:
        bind_callback(app, context, row)
