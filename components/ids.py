"""Ids of every element that callbacks, frames or scripts address. One place, so that a renamed element is renamed everywhere."""

from __future__ import annotations

WALL_LOCATION = "wall-location"
WALL_ROOT = "wall-root"
WALL_CONNECTION = "wall-connection"
WALL_REVISION = "wall-revision"
WALL_CLOCK = "wall-clock"


def scene_id(scene: str) -> str:
    """A scene's section."""
    return f"scene-{scene}"


def tile_id(prefix: str, key: str) -> str:
    """A KPI tile; `prefix` is the scene or the page it stands on."""
    return f"{prefix}-{key}"


def part_id(tile: str, part: str) -> str:
    """A part of a tile: value, unit, verdict, spark, delta, note, beside."""
    return f"{tile}-{part}"


def map_id(scene: str, layer: str = "") -> str:
    """A scene's map, or a layer of it: areas, points, labels."""
    return f"{scene}-map-{layer}" if layer else f"{scene}-map"


def feed_chip_id(feed: str) -> str:
    """The mark of a feed in the wall's strip."""
    return f"wall-feed-{feed}"
