"""70 stations with 220 datastreams: air, weather, river level, rain, water quality, traffic, farms, cameras.

Fixed, like the map.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely

from data_sources.demo.geography import Area, geography

STATION_SEED = 1459


@dataclass(frozen=True)
class Property:
    """What is measured: key, name, unit symbol, unit name, SensorThings definition."""

    key: str
    name: str
    symbol: str
    unit: str
    definition: str


@dataclass(frozen=True)
class Station:
    """One site (SensorThings Thing). `phase_min` = minute of the hour it reports; `amplitude` = its own character."""

    number: int
    kind: str
    name: str
    lon: float
    lat: float
    area: str
    phase_min: int
    amplitude: float


@dataclass(frozen=True)
class Stream:
    """One property at one station (SensorThings Datastream); numbers start at 1 and are dense."""

    number: int
    station: Station
    property: Property
    name: str


PROPERTIES = (
    Property("pm25", "PM2.5", "µg/m³", "microgram per cubic metre", "urn:demo:pm25"),
    Property("pm10", "PM10", "µg/m³", "microgram per cubic metre", "urn:demo:pm10"),
    Property("no2", "NO2", "µg/m³", "microgram per cubic metre", "urn:demo:no2"),
    Property("so2", "SO2", "µg/m³", "microgram per cubic metre", "urn:demo:so2"),
    Property("co", "CO", "mg/m³", "milligram per cubic metre", "urn:demo:co"),
    Property("o3", "O3", "µg/m³", "microgram per cubic metre", "urn:demo:o3"),
    Property("temp", "Nhiệt độ không khí", "°C", "degree Celsius", "urn:demo:temp"),
    Property("rh", "Độ ẩm không khí", "%", "percent", "urn:demo:rh"),
    Property("rain", "Lượng mưa", "mm", "millimetre", "urn:demo:rain"),
    Property("wind", "Tốc độ gió", "m/s", "metre per second", "urn:demo:wind"),
    Property("level", "Mực nước", "m", "metre", "urn:demo:level"),
    Property("ph", "pH", "pH", "pH", "urn:demo:ph"),
    Property("turbidity", "Độ đục", "NTU", "nephelometric turbidity unit", "urn:demo:turbidity"),
    Property("traffic_flow", "Lưu lượng xe", "veh/h", "vehicles per hour", "urn:demo:traffic_flow"),
    Property("speed", "Tốc độ", "km/h", "kilometre per hour", "urn:demo:speed"),
    Property("soil_moisture", "Độ ẩm đất", "%", "percent", "urn:demo:soil_moisture"),
    Property("soil_temp", "Nhiệt độ đất", "°C", "degree Celsius", "urn:demo:soil_temp"),
    Property("soil_ec", "Độ dẫn điện đất", "µS/cm", "microsiemens per centimetre", "urn:demo:soil_ec"),
    Property("soil_ph", "pH đất", "pH", "pH", "urn:demo:soil_ph"),
    Property("frame_age", "Tuổi khung hình", "s", "second", "urn:demo:frame_age"),
    Property("online", "Trực tuyến", "", "", "urn:demo:online"),
)
# kind, name pattern, how many, properties, urban only, minute of the hour (-1 = spread)
KINDS: tuple[tuple[str, str, int, tuple[str, ...], bool, int], ...] = (
    ("air", "Trạm không khí {}", 12, ("pm25", "pm10", "no2", "so2", "co", "o3"), True, 0),
    ("weather", "Trạm khí tượng {}", 8, ("temp", "rh", "rain", "wind"), False, 0),
    ("river", "Trạm thủy văn {}", 12, ("level",), False, -1),
    ("rain", "Điểm đo mưa {}", 10, ("rain",), False, -1),
    ("water", "Trạm nước mặt {}", 6, ("ph", "turbidity"), False, -1),
    ("traffic", "Điểm đếm xe {}", 12, ("traffic_flow", "speed"), True, -1),
    ("farm", "Nông trại {}", 5, ("soil_moisture", "soil_temp", "soil_ec", "soil_ph", "temp"), False, -1),
    ("camera", "Cụm camera {}", 5, (*("online",) * 6, "frame_age"), True, -1),
)
CAMERAS = 28


@lru_cache(maxsize=1)
def stations() -> tuple[Station, ...]:
    """All stations, in their official order."""
    return tuple(_stations())


@lru_cache(maxsize=1)
def streams() -> tuple[Stream, ...]:
    """The 220 datastreams, numbered from 1 in the order of their stations."""
    by_key = {p.key: p for p in PROPERTIES}
    keys = {kind: properties for kind, _, _, properties, _, _ in KINDS}
    made: list[Stream] = []
    cameras = 0
    for station in stations():
        for number, key in enumerate(keys[station.kind], 1):
            if key == "online":
                cameras += 1
                if cameras > CAMERAS:
                    continue
            name = f"Camera {number}" if key == "online" else by_key[key].name
            made.append(Stream(len(made) + 1, station, by_key[key], f"{name} - {station.name}"))
    return tuple(made)


def _stations() -> Iterator[Station]:
    rng = np.random.default_rng(STATION_SEED)
    number = 0
    communes = geography().communes
    for kind, pattern, count, _, urban, minute in KINDS:
        wanted = [area for area in communes if area.is_urban or not urban]
        for position, chosen in enumerate(rng.choice(len(wanted), count, replace=False)):
            number += 1
            area = wanted[int(chosen)]
            lon, lat = points_in(area, 1, rng)[0]
            phase = minute if minute >= 0 else int((position * 7 + number) % 60)
            yield Station(number, kind, pattern.format(area.name), round(float(lon), 5), round(float(lat), 5), area.code, phase,
                          float(rng.uniform(0.75, 1.3)))


def points_in(area: Area, count: int, rng: np.random.Generator) -> np.ndarray:
    """`count` random points inside an area, shape (count, 2) lon, lat. Source: rejection from the bounding box."""
    west, south, east, north = area.geometry.bounds
    found = np.empty((0, 2))
    while len(found) < count:
        tries = rng.uniform((west, south), (east, north), (count * 4 + 16, 2))
        found = np.vstack([found, tries[shapely.contains_xy(area.geometry, tries[:, 0], tries[:, 1])]])
    return found[:count]
