"""The strip that stands on every scene: place, scene, clock above; connection, feeds behind, marks and revision below."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from components.ids import WALL_CLOCK, WALL_CONNECTION, WALL_REVISION, feed_chip_id
from components.scenes.answers import Answers, age
from config import Config
from text import t
from text.formats import instant


def top(config: Config, lang: str) -> Component:
    """Province, scene with rotation mark, date and clock. assets/wall.js and live.js write the changing parts."""
    name = config.name_en if lang == "en" and config.name_en else config.name
    return html.Header([
        html.Span(name, className="wall-place"),
        html.Span([html.Span(className="wall-scene-name"), html.Span(className="dwell")], className="wall-scene"),
        html.Span(className="wall-date"),
        html.Span(id=WALL_CLOCK, className="wall-clock"),
    ], className="wall-top")


def foot(config: Config, lang: str) -> Component:
    """Connection, feeds behind schedule (hidden until the client finds them late), what these data are, revision."""
    feeds = [feed for feed in config.feeds if feed.enabled]
    chips = [html.Span(feed.title or feed.key, id=feed_chip_id(feed.key), className="chip") for feed in feeds]
    return html.Footer([
        html.Span([html.I(className="signal"), html.Span(id=WALL_CONNECTION)], className="wall-connection"),
        html.Span([html.Span(className="feeds-fresh"), *chips, html.Span(className="feeds-more")], className="wall-feeds"),
        html.Span(className="wall-offset"),
        html.Span(marks(config, lang), className="wall-marks"),
        html.Span(id=WALL_REVISION, className="wall-revision"),
    ], className="wall-foot")


def marks(config: Config, lang: str) -> str:
    """What a viewer must know about these data: simulated, an archive, dates moved."""
    said = []
    if config.simulated:
        said.append(t("app.simulated", lang))
    if config.shift_to_now:
        said.append(t("wall.moved_days", lang))
    elif config.as_of:
        from_file = config.clock(_NEVER_USED)
        said.append(t("app.archive_at", lang, at=instant(from_file, config.tz, lang)))
    return " · ".join(said)


_NEVER_USED: Any = None  # an archive's clock does not look at the real one


def strip_frame(answers: Answers, lang: str) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """(props, ages) of the strip. An archive's feeds are neither fresh nor late: nothing is said of them."""
    props = {WALL_REVISION: {"children": t("wall.revision", lang, revision=answers.city.revision)}}
    promised = [] if answers.is_frozen else [feed for feed in answers.feeds if feed.cadence_s is not None]
    return props, {feed_chip_id(feed.key): age(feed) for feed in promised}
