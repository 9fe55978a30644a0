"""Stores filled once a test run and read by many tests: the demo province and the real data sets, on either engine.

Filled by the real pipeline (refresh, Sync.push over the portal format, a loopback upstream); nothing here writes afterwards.
"""

from __future__ import annotations

import csv
import gzip
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from config import Config, FeedbackConfig, load_config
from config.targets import KpiChoice
from data_sources.demo.catalogue import write_catalogue_csvs
from data_sources.demo.servers import make_upstream
from data_sources.demo.story import Story, build
from data_sources.sync import Sync
from metrics.city import City, open_city
from metrics.judging import judge
from metrics.rollups import clock_step, drain
from pipeline import prepare, refresh
from scope import FIELD_CLASSES, Scope
from store.days import instant
from store.engine import Store, open_store
from tests.oracle import Oracle
from tests.servers import ROOT, serve_asgi

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)  # a Friday, 10:00 in the province
BIRTH = NOW - timedelta(hours=2)  # where the demo's history ends and its living day begins
SEES = ("see.wall", "see.desk", "see.dossiers", "see.reports", "see.stations", "see.feeds", "see.rejects", "see.small_counts")
ALL = Scope(frozenset(SEES), None, None, frozenset(FIELD_CLASSES))
MakeDatabase = Callable[..., str]
FEW = FeedbackConfig(bulk_closures=5, bulk_minutes=10)  # the sets are small: with 20 nothing would be in bulk
_filled: dict[tuple[str, str], tuple[str, Config]] = {}
READ = (
    "core_agency", "core_area", "core_datastream", "core_dossier", "core_dossier_stop", "core_procedure", "core_reading", "core_report",
    "core_station", "ops_feed",
)


@dataclass(frozen=True)
class Filled:
    """A store with its configuration and a City over it."""

    store: Store
    config: Config

    @property
    def city(self) -> City:
        """The city as it stands."""
        return open_city(self.store, self.config, ALL, NOW)

    def oracle(self, connection: Connection) -> Oracle:
        """The truth about it, read through this connection."""
        calendar = self.config.calendar
        bulk = (self.config.feedback.bulk_closures, self.config.feedback.bulk_minutes)
        chosen = self.config.kpi_choices.get("investment_lead_days_mean", KpiChoice())
        return Oracle(
            connection, self.config.tz, self.city.as_of, self.config.feeds, calendar.country, calendar.subdivision, bulk,
            limits=self.config.limits, alarms=self.config.water_alarms, investment=(chosen.procedures, chosen.domains),
        )


class Oracles:
    """An oracle for each city, shared by the engines whose core rows are the same. At the end of `read` all stores are closed."""

    def __init__(self, read: ExitStack) -> None:
        self.read = read
        self._kept: dict[str, tuple[dict[str, int], Oracle]] = {}

    def of(self, name: str, opened: Filled) -> Oracle:
        """The one of these rows."""
        self.read.callback(opened.store.dispose)
        connection = self.read.enter_context(opened.store.reading())
        rows = {table: _print(connection, table) for table in READ}
        if name not in self._kept or self._kept[name][0] != rows:
            self._kept[name] = (rows, opened.oracle(connection))
        return self._kept[name][1]


def _print(connection: Connection, name: str) -> int:
    """A number that tells the rows of a table from any others, whatever their order."""
    columns = sorted(column["name"] for column in inspect(connection).get_columns(name))
    rows = connection.execute(text(f"SELECT {', '.join(columns)} FROM {name}"))
    return hash(frozenset(tuple(row) for row in rows))


def real_store(make_database: MakeDatabase, engine: str, city: str, real_data: Path, *, whole: bool = False) -> Filled:
    """The store of examples/<city>, read once by pipeline.refresh; the two large sets are cut (see SHORTER) unless asked for whole."""
    name = f"whole {city}" if whole and city in SHORTER else city
    if (name, engine) not in _filled:
        folder = _shorter(real_data, city) if name in SHORTER else real_data
        config = load_config(ROOT / "examples" / city / "city.toml", {"TOANCANH_REAL_DATA": str(folder)})
        url = make_database(engine)
        store = open_store(url, config.tz)
        prepare(store, config)
        faults = refresh(store, config, NOW)
        assert not faults, faults
        store.dispose()
        _filled[name, engine] = (url, config)
    return _opened(name, engine)


def demo_store(make_database: MakeDatabase, engine: str, folder: Path) -> Filled:
    """The demo province at a tenth of its size: 90 days of dossiers and reports, 8 days of readings, then two living hours."""
    if ("demo", engine) not in _filled:
        url, clock = make_database(engine), [BIRTH]
        with serve_asgi(make_upstream(story(), lambda: clock[0])) as upstream:
            config = demo_config(folder, upstream.url)
            store = open_store(url, config.tz)
            prepare(store, config)
            faults = refresh(store, config, BIRTH)
            push_dossiers(store, config, story().start, BIRTH)
            clock[0] = NOW
            faults += refresh(store, config, NOW)
            push_dossiers(store, config, BIRTH, NOW)
        assert not faults, faults
        clock_step(store, instant(NOW))
        judge(store, config)
        drain(store, instant(NOW))
        store.dispose()
        _filled["demo", engine] = (url, config)
    return _opened("demo", engine)


def _opened(city: str, engine: str) -> Filled:
    url, config = _filled[city, engine]
    return Filled(open_store(url, config.tz), replace(config, feedback=FEW))


# city -> (file, column, first value kept): whole, Hà Nội takes 30 s to land and Chicago 10 s on two shared cores
SHORTER = {
    "hanoi": ("sensors-openaq-hanoi/openaq_hanoi_measurements.csv.gz", "datetime", "2025-08-01"),
    "chicago": ("feedback-chicago-311/chicago_311_sanitation_2011_2014.csv.gz", "Creation_Date", "2014-06-01"),
}


def _shorter(real_data: Path, city: str) -> Path:
    """A folder like the real one that holds this city's file from the first kept value on."""
    name, column, first = SHORTER[city]
    target = Path(tempfile.mkdtemp(prefix="toancanh-real-")) / name
    target.parent.mkdir(parents=True)
    with gzip.open(real_data / name, "rt", encoding="utf-8", newline="") as source, gzip.open(
        target, "wt", encoding="utf-8", newline="", compresslevel=1
    ) as kept:
        reader = csv.DictReader(source)
        writer = csv.DictWriter(kept, reader.fieldnames or [])
        writer.writeheader()
        writer.writerows(row for row in reader if row[column] >= first)
    return target.parents[1]


@lru_cache(maxsize=1)
def story() -> Story:
    """The demo's story, its history ending two hours ago."""
    return build(11, BIRTH, days=90, scale=0.1)


def demo_config(folder: Path, url: str) -> Config:
    """The demo's own city file with sensors read from 8 days ago only: 38 thousand readings."""
    write_catalogue_csvs(folder)
    environ = {
        "TOANCANH_DEMO_DIR": str(folder), "TOANCANH_DEMO_URL": url, "TOANCANH_DEMO_USER": "u", "TOANCANH_DEMO_PASSWORD": "p",
        "TOANCANH_DEMO_START": story().start.isoformat(),
    }
    config = load_config(ROOT / "examples" / "demo" / "city.toml", environ)
    since = (NOW - timedelta(days=8)).isoformat()
    return replace(config, feeds=tuple(replace(f, start=since) if f.role == "sensors" else f for f in config.feeds))


def push_dossiers(store: Store, config: Config, since: datetime, until: datetime) -> None:
    """Push what changed, in the portal's format, dossiers before steps."""
    sync, feed = Sync(store, config), config.feed("one_stop")
    for objects in story().dossier_batches(since, until, 2000):
        sync.push(feed, objects, until, "DongBoHoSoMC")
    for steps in story().progress_batches(since, until, 5000):
        sync.push(feed, steps, until, "CapNhatTienDoHoSoMC")
