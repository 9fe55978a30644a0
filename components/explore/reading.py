"""What stands over /explore while a question that nothing covers is read: that it is being read, and the button that stops it."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from text import t

READING, STOP, STOPPED = "explore-reading", "explore-stop", "explore-stopped"


def reading_bar(lang: str) -> Component:
    """Hidden until assets/explore.js asks something that takes reading."""
    button = html.Button(t("explore.stop", lang), id=STOP, type="button", n_clicks=0, className="d-button")
    words = html.Span(t("explore.reading", lang), className="d-x-reading-words")
    return html.Div(
        [words, button, html.Span(id=STOPPED, hidden=True)], id=READING, className="desk d-said d-x-reading", hidden=True, role="status"
    )
