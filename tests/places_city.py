"""A made-up province for the map: three communes side by side, 320 open and 80 closed reports around two towns, three stations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

from config import Config, FeedConfig
from metrics.city import City, open_city
from metrics.rollups import clock_step, drain
from scope import DEMO_SCOPE, Scope
from store.catalogue import put_agencies, put_categories
from store.days import DAY, HOUR, instant
from store.engine import Store, open_store
from store.landing import Landing, land
from store.rows import AgencyRow, AreaRow, CategoryRow, DatastreamRow, Parsed, ReadingRow, ReportRow, StationRow

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=TZ)  # a Friday
AT = instant(NOW)
CONFIG = Config(
    name="Tỉnh Thử", name_en="Thu", simulated=True, feeds=(
        FeedConfig("feedback", "feedback", "csv", cadence_s=600), FeedConfig("air", "sensors", "sensorthings", cadence_s=3600),
        FeedConfig("communes", "areas", "geojson"),
    ),
)
NAMES = ("Đông Hải", "Bình Khê", "Ô Lâm")
TOWNS = ((107.05, 20.95), (107.25, 21.02))
OPEN, CLOSED = 320, 80


def make_city(make_database: Callable[[str], str], migrated: Callable[[str], str], engine: str, scope: Scope = DEMO_SCOPE) -> City:
    """The city over a new store of an engine."""
    store = open_store(make_database(engine, migrated(engine)), TZ)  # type: ignore[call-arg]
    fill(store)
    return see(store, scope)


def see(store: Store, scope: Scope = DEMO_SCOPE) -> City:
    """The same store, seen with other rights."""
    return open_city(store, CONFIG, scope, NOW)


def fill(store: Store) -> None:
    """Everything goes through the landing."""
    store.write(lambda c: put_agencies(c, [AgencyRow("H1", "Sở Xây dựng"), AgencyRow("H1.1", "Phòng Cây xanh", parent_code="H1")]))
    store.write(lambda c: put_categories(c, [CategoryRow("road", "Đường sá"), CategoryRow("tree", "Cây xanh")]))
    land(store, Parsed(areas=tuple(_areas())), Landing("communes", "areas", AT))
    land(store, Parsed(reports=tuple(_reports())), Landing("feedback", "feedback", AT))
    stations = tuple(StationRow(f"s{n}", f"Trạm {n}", "air", 107.02 + 0.1 * n, 21.0, f"0000{n + 1}") for n in range(3))
    streams = tuple(DatastreamRow(f"s{n}.pm25", f"s{n}", "pm25", "µg/m³") for n in range(3))
    hours = range(1, 60)
    values = tuple(ReadingRow(f"s{n}.pm25", AT - hour * HOUR, 20.0 + 30 * n + hour % 7) for n in range(3) for hour in hours)
    land(store, Parsed(stations=stations, datastreams=streams, readings=values), Landing("air", "sensors", AT))
    clock_step(store, AT)
    drain(store, AT)


def _areas() -> list[AreaRow]:
    found = []
    for n, name in enumerate(NAMES):
        west, east = round(107.0 + n * 0.1, 1), round(107.1 + n * 0.1, 1)
        ring = [[west, 20.8], [east, 20.8], [east, 21.2], [west, 21.2], [west, 20.8]]
        found.append(AreaRow(f"0000{n + 1}", name, f"Xã {name}", geometry={"type": "Polygon", "coordinates": [ring]}))
    return found


def _reports() -> list[ReportRow]:
    chance = Random(7)
    return [_report(number, chance) for number in range(OPEN + CLOSED)]


def _report(number: int, chance: Random) -> ReportRow:
    is_closed, placed = number >= OPEN, number % 16 != 0
    town = TOWNS[number % 2]
    spread = 0.004 if number % 3 else 0.06
    ends = ((107.0, 107.299), (20.8, 21.19))
    lon, lat = (round(min(max(chance.gauss(at, spread), low), high), 6) for at, (low, high) in zip(town, ends, strict=True))
    received = AT - 1 - chance.randrange(20 * DAY)
    due = None if number % 11 == 0 else received + chance.randrange(4, 20) * DAY
    return ReportRow(
        f"R{number:04}", ("road", "tree")[number % 2], agency="H1.1" if number % 5 else "H1", channel="app",
        received_at=received, due_at=due, status="resolved" if is_closed else "in_progress",
        closed_at=min(AT - 1, received + 2 * DAY) if is_closed else None,
        area=f"0000{1 + int((lon - 107) * 10)}" if placed else "",
        lon=lon if placed else None, lat=lat if placed else None, description="Ổ gà", version=1,
    )
