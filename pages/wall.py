"""/wall and /wall/<scene>: one empty frame; callbacks/wall.py puts the scenes into it, the live stream the figures."""

from typing import Any

from dash import dcc, html, register_page
from dash.development.base_component import Component

from text import t


def layout(scene: str = "", **query: Any) -> Component:
    """The skeleton; `scene` pins one. The query may hold theme, rotate, lang."""
    return html.Div([
        dcc.Store(id="wall-address", data={"scene": scene, **{name: str(value) for name, value in query.items()}}),
        html.Div(id="wall-page"),
    ])


def title(**_: Any) -> str:
    """The browser's title; the product's name is the same in every language."""
    return t("app.name", "vi")


register_page("wall", path="/wall", layout=layout, title=title, permission="see.wall")
register_page("wall_scene", path_template="/wall/<scene>", layout=layout, title=title, permission="see.wall")
