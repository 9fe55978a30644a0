"""A small rich province for tests of the wall: the demo's geography and catalogues, invented dossiers, reports and readings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from shapely.geometry import mapping

from config import Config, FeedConfig, WallConfig
from config.targets import Target
from data_sources.demo.catalogue import catalogue
from data_sources.demo.geography import geography
from data_sources.demo.stations import points_in, stations, streams
from metrics.rollups import clock_step, drain
from store.catalogue import put_agencies, put_categories, put_procedures
from store.days import DAY, HOUR, instant
from store.engine import Store, open_store
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import (
    AgencyRow,
    AreaRow,
    CategoryRow,
    DatastreamRow,
    DossierRow,
    Parsed,
    ProcedureRow,
    ReadingRow,
    ReportRow,
    StationRow,
)

NOW = datetime(2026, 11, 20, 7, 5, tzinfo=UTC)  # Friday 14:05 in the province
FEEDS = (
    FeedConfig("one_stop", "one_stop", "portal", title="Hồ sơ một cửa", cadence_s=900),
    FeedConfig("feedback", "feedback", "open311", title="Phản ánh hiện trường", cadence_s=900),
    FeedConfig("sensors", "sensors", "sensorthings", title="Quan trắc", cadence_s=3600),
    FeedConfig("areas", "areas", "geojson", title="Địa bàn"),
)
TARGETS = {
    key: (Target(value),)
    for key, value in {
        "dossiers_on_time_pct": 95.0, "dossiers_online_pct": 60.0, "stations_reporting_pct": 95.0, "vn_aqi": 100.0,
        "dossiers_overdue": 40.0, "reports_overdue": 40.0, "feeds_fresh_pct": 100.0, "reports_resolve_days_median": 3.0,
    }.items()
}


def wall_config(**changes: Any) -> Config:
    """The province's configuration."""
    made = Config(name="Tỉnh An Hải", name_en="An Hai", simulated=True, feeds=FEEDS, targets=TARGETS, wall=WallConfig(dwell_s=30))
    return replace(made, **changes)


def make_city(url: str, now: datetime = NOW, size: float = 1.0) -> Store:
    """A filled store; `size` scales how many dossiers and reports it has."""
    config = wall_config()
    store = open_store(url, config.tz)
    migrate(store)
    at = instant(now)
    rng = np.random.default_rng(7)
    store.write(_catalogues)
    _land(store, "areas", at, areas=tuple(_areas()))
    _land(store, "one_stop", at - 2 * 60 * 1_000_000, dossiers=tuple(_dossiers(rng, at, int(4000 * size))))
    _land(store, "feedback", at - 4 * 60 * 1_000_000, reports=tuple(_reports(rng, at, int(1500 * size))))
    _land_sensors(store, rng, at)
    clock_step(store, at)
    drain(store, at)
    return store


def _land(store: Store, feed: str, at: int, **rows: Any) -> None:
    role = next(row.role for row in FEEDS if row.key == feed)
    land(store, Parsed(**rows, item_count=1), Landing(feed, role, now=at))


def _catalogues(connection: Any) -> None:
    found = catalogue()
    put_agencies(connection, [
        AgencyRow(code=a.code, name=a.name, name_en=a.name_en, parent_code=a.parent_code, kind=a.kind, area_code=a.area)
        for a in found.agencies
    ])
    put_procedures(connection, [
        ProcedureRow(code=p.code, name=p.name, domain_code=p.domain_code, domain_name=p.domain_name) for p in found.procedures
    ])
    put_categories(connection, [CategoryRow(code=c.code, name=c.name, group_name=c.group) for c in found.categories])


def _areas() -> list[AreaRow]:
    return [
        AreaRow(a.code, a.name, a.full_name[:1].upper() + a.full_name[1:], level="commune", geometry=dict(mapping(a.geometry)),
                lon=a.geometry.representative_point().x, lat=a.geometry.representative_point().y)
        for a in geography().communes
    ]


def _dossiers(rng: np.random.Generator, now: int, count: int) -> list[DossierRow]:
    agencies = [a.code for a in catalogue().agencies[1:]]
    weights = 1 / np.arange(1, len(agencies) + 1) ** 0.7
    procedures = catalogue().procedures
    rows = []
    for number in range(count):
        agency = agencies[int(rng.choice(len(agencies), p=weights / weights.sum()))]
        procedure = procedures[int(rng.integers(len(procedures)))]
        received = now - int(rng.uniform(0.01, 45) * DAY)
        due = received + int(rng.uniform(3, 16) * DAY)
        finished = received + int(rng.gamma(4, 2.2) * DAY)
        done = finished < now
        rows.append(DossierRow(
            f"D{number}", agency=agency, procedure_code=procedure.code, domain_code=procedure.domain_code,
            channel="online" if rng.random() < 0.63 else "direct", status=9 if done else 4, received_at=received, due_at=due,
            finished_at=finished if done else None, version=1,
        ))
    return rows


def _reports(rng: np.random.Generator, now: int, count: int) -> list[ReportRow]:
    communes = geography().communes
    weights = np.array([6.0 if a.is_urban else 1.0 for a in communes])
    categories = catalogue().categories
    shares = np.array([c.weight for c in categories])
    rows = []
    for number in range(count):
        area = communes[int(rng.choice(len(communes), p=weights / weights.sum()))]
        category = categories[int(rng.choice(len(categories), p=shares / shares.sum()))]
        received = now - int(rng.uniform(0.01, 40) * DAY)
        closed = received + int(rng.gamma(2, category.limit_days * 0.7) * DAY)
        lon, lat = points_in(area, 1, rng)[0]
        is_closed = closed < now
        rows.append(ReportRow(
            f"R{number}", category=category.code, category_name=category.name, agency="H99.20", received_at=received,
            status="closed" if is_closed else "in_progress", due_at=received + int(category.limit_days * DAY),
            closed_at=closed if is_closed else None, lon=float(lon), lat=float(lat), area=area.code, version=1,
        ))
    return rows


def _land_sensors(store: Store, rng: np.random.Generator, now: int) -> None:
    kinds = {"river": "water", "rain": "weather"}
    rows = [StationRow(f"S{s.number}", s.name, kinds.get(s.kind, s.kind), s.lon, s.lat, s.area) for s in stations()]
    wanted = [s for s in streams() if s.property.key not in ("online", "frame_age")]
    datastreams = [
        DatastreamRow(f"T{s.number}", f"S{s.station.number}", s.property.key, s.property.symbol, s.name) for s in wanted
    ]
    base = {"pm25": 34.0, "pm10": 58.0, "no2": 31.0, "so2": 13.0, "co": 0.9, "o3": 40.0, "temp": 24.0, "rh": 80.0, "rain": 3.0,
            "wind": 3.0, "level": 2.3, "ph": 7.2, "turbidity": 14.0, "traffic_flow": 900.0, "speed": 38.0, "soil_moisture": 30.0,
            "soil_temp": 26.0, "soil_ec": 900.0, "soil_ph": 6.3}
    last = now // HOUR
    readings = [
        ReadingRow(f"T{s.number}", hour * HOUR, base[s.property.key] * s.station.amplitude * _wave(hour, rng))
        for s in wanted for hour in range(last - 24 * 15, last + 1) if s.number % 9 or hour % 5
    ]
    _land(store, "sensors", now, stations=tuple(rows), datastreams=tuple(datastreams), readings=tuple(readings))


def _wave(hour: int, rng: np.random.Generator) -> float:
    return float(1 + 0.3 * np.sin(hour / 4) + rng.random() / 10)


@dataclass(frozen=True)
class Clock:
    """The test's clock: starts at NOW and runs as the real one does, so that a browser's ages make sense."""

    started: datetime

    def __call__(self) -> datetime:
        return NOW + (datetime.now(UTC) - self.started)


def running_clock() -> Clock:
    """A clock that stands at NOW at this moment."""
    return Clock(datetime.now(UTC))


def later(**step: float) -> int:
    """An instant after NOW."""
    return instant(NOW + timedelta(**step))


def sqlite_url(folder: Path) -> str:
    """URL of a store file in a folder."""
    return f"sqlite:///{folder / 'store.sqlite'}"
