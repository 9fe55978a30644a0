"""Tiles of measured properties on the environment scene: whatever the city's stations measure, most useful first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from components.charts import sparkline
from components.ids import part_id
from components.scenes.answers import Answers
from components.scenes.lists import station_name
from components.tiles import Props, spark_props, tile_class
from metrics.city.measured import stations
from metrics.city.measured.stations import Measured, StationState
from store.days import HOUR
from text import t
from text.formats import delta, number

HOURS = 24
NAME_LENGTH = 24  # longer names of stations do not fit a tile's line at reading size


@dataclass(frozen=True)
class Measure:
    """A property worth a tile, and which of its stations speaks for all: highest, lowest or middle."""

    property: str
    of: str
    decimals: int


MEASURES = (
    Measure("flood_depth", "highest", 1), Measure("rain", "highest", 1), Measure("level", "highest", 2),
    Measure("wind", "highest", 1), Measure("temp", "middle", 1), Measure("rh", "middle", 0), Measure("speed", "middle", 0),
    Measure("traffic_flow", "middle", 0), Measure("ph", "lowest", 1), Measure("turbidity", "highest", 0),
    Measure("pipe_pressure", "lowest", 2), Measure("flow", "highest", 1), Measure("noise", "highest", 0),
    Measure("soil_moisture", "middle", 0),
)


@dataclass(frozen=True)
class Found:
    """The station and value that speak for a measure, and how many stations measure it."""

    measure: Measure
    station: StationState
    value: Measured
    n: int


def found_measures(states: Sequence[StationState], count: int) -> tuple[Found, ...]:
    """The first `count` measures that any station reports; stale values are left out as long as others are not."""
    found = []
    for measure in MEASURES:
        values = [(s, v) for s in states for v in s.values if v.property == measure.property]
        current = [(s, v) for s, v in values if v.state in ("fresh", "late", "static")] or values
        if current:
            ordered = sorted(current, key=lambda pair: (pair[1].value, pair[0].name))
            place = {"highest": -1, "lowest": 0, "middle": (len(ordered) - 1) // 2}[measure.of]
            found.append(Found(measure, *ordered[place], len(current)))
    return tuple(found[:count])


def measure_props(panel_id: str, found: Found | None, answers: Answers, lang: str) -> Props:
    """Props of a measured tile; without a value it says so in words."""
    if found is None:
        return {
            panel_id: {"className": tile_class(False, None)},
            part_id(panel_id, "label"): {"children": t("empty.stations", lang)},
        }
    hours = _hours(answers, found)
    value, name = found.value, t(f"property.{found.measure.property}", lang)
    place, count = _cut(station_name(found.station.name)), t("wall.count_note", lang, n=found.n)
    return {
        panel_id: {"className": tile_class(False, None)},
        part_id(panel_id, "label"): {"children": t(f"wall.{found.measure.of}", lang, name=name)},
        part_id(panel_id, "value"): {"children": number(value.value, lang, found.measure.decimals)},
        part_id(panel_id, "unit"): {"children": value.measure_unit},
        part_id(panel_id, "spark"): spark_props(sparkline(hours)),
        part_id(panel_id, "delta"): {"children": _change(hours, value.value, found.measure.decimals, lang)},
        part_id(panel_id, "note"): {"children": f"{place} · {count}"},
    }


def measure_age(found: Found | None, answers: Answers) -> dict[str, Any]:
    """A measured tile ages by its own reading."""
    if found is None:
        return {"at": None, "cadence_s": None}
    cadence = next((feed.cadence_s for feed in answers.feeds if feed.key == found.station.feed), None)
    return {"at": found.value.observed_at, "cadence_s": cadence}


def _hours(answers: Answers, found: Found) -> list[float | None]:
    """Hourly means of the last 24 full hours, oldest first, None where nothing was measured."""
    last = answers.city.as_of // HOUR - 1
    frame = stations.hour_series(answers.city, found.value.datastream_id, (last - HOURS + 1) * HOUR, last * HOUR)
    means = dict(zip((int(at) // HOUR for at in frame["hour_at"]), (float(mean) for mean in frame["mean"]), strict=True))
    return [means.get(hour) for hour in range(last - HOURS + 1, last + 1)]


def _change(hours: Sequence[float | None], value: float, decimals: int, lang: str) -> str:
    if not hours or hours[0] is None:
        return t("wall.no_comparison", lang)
    return f"{delta(value - hours[0], lang, decimals)} {t('wall.versus_hours', lang, n=HOURS)}"


def _cut(name: str) -> str:
    return name if len(name) <= NAME_LENGTH else name[: NAME_LENGTH - 1].rstrip() + "…"
