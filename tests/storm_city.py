"""The demo story's own storm: 90 days of its reports, and its sensors in the same hours of thirteen weeks, landed as rows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from config import Config, FeedConfig
from data_sources.demo.geography import geography
from data_sources.demo.readings import readings_grid
from data_sources.demo.reports import NEVER
from data_sources.demo.stations import stations, streams
from data_sources.demo.story import Story, build, local_seconds
from data_sources.demo.workdays import ZONE_S
from metrics.city import City, open_city
from metrics.city.remembered import Remembered
from metrics.rollups import clock_step, drain
from scope import Scope, scope_of
from store.catalogue import put_categories
from store.days import instant
from store.engine import Store
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import AreaRow, CategoryRow, DatastreamRow, Parsed, ReadingRow, ReportRow, StationRow
from tests.filled_once import FilledOnce

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
BIRTH = NOW - timedelta(hours=2)
STORM_DAY, FIRST_HOUR, LAST_HOUR = date(2026, 11, 18), 8, 13  # it began at 18:00 the day before and lasts 34 hours
FLOODING = "HT02"
KINDS = ("weather", "rain", "river", "air")
CONFIG = Config(
    name="T",
    feeds=(FeedConfig("app", "feedback", "open311", cadence_s=3600), FeedConfig("sensors", "sensors", "sensorthings", cadence_s=3600)),
)


@lru_cache(maxsize=1)
def story() -> Story:
    return build(11, BIRTH, days=90)


@dataclass(frozen=True)
class Place:
    """A commune of the story."""

    code: str
    name: str


def reports() -> list[ReportRow]:
    told, categories = story().reports_until(local_seconds(NOW)), story().catalogue.categories
    communes = geography().communes
    now = local_seconds(NOW)
    at = lambda seconds: (int(seconds) - ZONE_S) * 1_000_000  # noqa: E731
    return [
        ReportRow(
            f"PA-{row}", categories[told.category[row]].code, area=communes[told.commune[row]].code, received_at=at(told.sent[row]),
            status="resolved" if told.closed[row] < min(now, NEVER) else "in_progress",
            closed_at=at(told.closed[row]) if told.closed[row] < now else None, version=1,
        )
        for row in range(len(told))
    ]


@lru_cache(maxsize=1)
def drowned() -> Place:
    """The commune most reports came from in the storm's hours."""
    told, communes = story().reports_until(local_seconds(NOW)), geography().communes
    start = local_seconds(datetime.combine(STORM_DAY, datetime.min.time(), TZ)) + FIRST_HOUR * 3600
    wet = (told.sent >= start) & (told.sent < start + (LAST_HOUR + 1 - FIRST_HOUR) * 3600)
    ((number, _),) = Counter(told.commune[wet].tolist()).most_common(1)
    return Place(communes[number].code, communes[number].full_name)


def readings() -> list[ReadingRow]:
    """The hours of the storm and the same ones of the twelve weeks before."""
    found, every = [], streams()
    first = int(datetime.combine(STORM_DAY, datetime.min.time(), TZ).timestamp()) // 3600 + FIRST_HOUR
    for week in range(13):
        start = first - week * 168
        grid = readings_grid(start, start + LAST_HOUR + 1 - FIRST_HOUR, story().birth_hour, story().seed)
        for column, number in enumerate(grid.order.tolist()):
            stream = every[number - 1]
            if stream.station.kind in KINDS:
                kept = np.flatnonzero(np.isfinite(grid.values[:, column]))
                found += [
                    ReadingRow(f"s{number}", int(grid.at_s[row, column]) * 1_000_000, float(grid.values[row, column])) for row in kept
                ]
    return found


def fill(store: Store) -> None:
    migrate(store)
    now = instant(NOW)
    clock_step(store, now)
    store.write(lambda connection: put_categories(connection, [CategoryRow(c.code, c.name, c.group) for c in story().catalogue.categories]))
    communes = geography().communes
    middles = {c.code: c.geometry.centroid for c in communes}
    areas = [AreaRow(c.code, c.name, c.full_name, parent_code="P", lon=middles[c.code].x, lat=middles[c.code].y) for c in communes]
    land(store, Parsed(areas=(AreaRow("P", "Tỉnh", level="province"), *areas)), Landing("areas", "areas", now))
    sites = tuple(StationRow(f"t{s.number}", s.name, s.kind, s.lon, s.lat, s.area) for s in stations() if s.kind in KINDS)
    measured = tuple(
        DatastreamRow(f"s{s.number}", f"t{s.station.number}", s.property.key, s.property.symbol)
        for s in streams() if s.station.kind in KINDS
    )
    land(store, Parsed(stations=sites, datastreams=measured, readings=tuple(readings())), Landing("sensors", "sensors", now))
    told = tuple(reports())
    land(store, Parsed(reports=told, item_count=len(told)), Landing("app", "feedback", now))
    drain(store, now)


open_storm = FilledOnce(fill).shared


def see(store: Store, scope: Scope | None = None) -> City:
    """The city as it stands, by default for an analyst."""
    return open_city(store, CONFIG, scope or replace(scope_of("analyst"), actor="user:lan"), NOW, Remembered())
