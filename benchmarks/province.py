"""What the benchmarks feed in: lives of the demo province's dossiers, reports and readings as store rows, from one seed.

Sizes are the design's: scale 1 = 54k dossiers in 90 days; the benchmarks use 2.5 (1 500 dossiers a day) and 200 datastreams.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from config import Config, FeedConfig, WallConfig
from data_sources.demo.catalogue import catalogue
from data_sources.demo.dossiers import NEVER, Dossiers, day_block, join, last_event, status_at
from data_sources.demo.stations import streams
from data_sources.demo.workdays import ZONE_S, work_axis
from metrics.judging import judge
from store.catalogue import put_agencies, put_categories, put_procedures
from store.days import DAY, DayClock, instant
from store.engine import Store
from store.landing import Landing, land
from store.rows import (
    AgencyRow,
    CategoryRow,
    DatastreamRow,
    DossierRow,
    Parsed,
    ProcedureRow,
    ReadingRow,
    ReportRow,
    StationRow,
    Stop,
)

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 20, 14, 5, tzinfo=TZ)  # a Friday afternoon
SEED = 20260701
SCALE = 2.5
CHANNELS = ("", "direct", "online", "postal")
CREDIBLE = {  # where noise between 5 and 60 would be flagged: the figures are of a network at work, not of one that is broken
    "temp": (18.0, 29.0), "rh": (60.0, 95.0), "wind": (0.5, 9.0), "level": (1.5, 2.9), "ph": (6.6, 7.9), "soil_moisture": (25.0, 45.0),
    "soil_temp": (18.0, 29.0),
}
STREAMS = 200  # of the demo province's
READING_MINUTES = 24  # 200 datastreams x 60 a day = 12 000 readings a day
FEEDS = (
    FeedConfig("one_stop", "one_stop", "portal", title="Hồ sơ một cửa", cadence_s=900, version="event"),
    FeedConfig("feedback", "feedback", "open311", title="Phản ánh hiện trường", cadence_s=900),
    FeedConfig("sensors", "sensors", "sensorthings", title="Quan trắc", cadence_s=3600),
)


def city() -> Config:
    """The configuration of the measured province."""
    return Config(name="Tỉnh An Hải", name_en="An Hai", simulated=True, feeds=FEEDS, wall=WallConfig(dwell_s=3600))


def now_at() -> int:
    """The instant the history ends at."""
    return instant(NOW)


def today_on() -> int:
    """Day number of that instant."""
    on = DayClock(TZ).on(now_at())
    assert on is not None
    return on


@dataclass(frozen=True)
class Lives:
    """Dossiers of some filing days with their whole futures, as columns."""

    columns: Dossiers
    names: tuple[str, ...]

    def row(self, number: int, until: int) -> DossierRow:
        """The dossier as its portal describes it at a local second."""
        return next(self.rows(np.array([number]), until))

    def rows(self, numbers: np.ndarray, until: int) -> Iterator[DossierRow]:
        """The same of many."""
        part = self.columns.take(numbers)
        statuses, newest = status_at(part, until), last_event(part, until)
        agencies, procedures = catalogue().agencies, catalogue().procedures
        for place, number in enumerate(numbers):
            status = int(statuses[place])
            procedure = procedures[int(part.procedure[place])]
            is_done = status in (7, 9, 10)
            yield DossierRow(
                self.names[int(number)], agencies[int(part.agency[place])].code, procedure.code, procedure.name,
                procedure.domain_code, procedure.domain_name, CHANNELS[int(part.channel[place])], status, filed_at=_utc(part.filed[place]),
                received_at=_utc(part.received[place], until), due_at=_utc(part.due[place]) if status not in (1, 3) else None,
                finished_at=_utc(part.ended[place]) if is_done else None, version=_utc(newest[place]),
                supplement_count=int(part.asked[place] <= until) + int(part.asked_again[place] <= until),
                second_supplement_at=_utc(part.asked_again[place], until), stops=tuple(_stops(part, place, until)),
            )


def _utc(local: np.int64, until: int = int(NEVER) - 1) -> int | None:
    return None if int(local) > until else (int(local) - ZONE_S) * 1_000_000


def _stops(part: Dossiers, place: int, until: int) -> Iterator[Stop]:
    for start, end in ((part.asked, part.given), (part.asked_again, part.given_again)):
        stopped = _utc(start[place], until)
        if stopped is not None:
            yield Stop(stopped, _utc(end[place], until))


@lru_cache(maxsize=2)
def lives(first_on: int, last_on: int, scale: float = SCALE) -> Lives:
    """Dossiers filed on the days first_on..last_on, both included."""
    axis = work_axis(2025, 2027)
    columns = join([day_block(day, catalogue(), axis, SEED, scale) for day in range(first_on, last_on + 1)])
    return Lives(columns, tuple(f"H{day}.{number}" for number, day in enumerate(columns.day.tolist())))


def local_now() -> int:
    """Local second of the end of the history."""
    return now_at() // 1_000_000 + ZONE_S


def history(days: int, scale: float = SCALE) -> Iterator[tuple[DossierRow, ...]]:
    """Dossiers of the `days` days before now, as they stand now, in batches of 20 000."""
    found = lives(today_on() - days + 1, today_on(), scale)
    filed = np.flatnonzero(found.columns.filed <= local_now())
    for start in range(0, len(filed), 20_000):
        yield tuple(found.rows(filed[start : start + 20_000], local_now()))


def dossier_batches(count: int, size: int = 1000) -> list[tuple[DossierRow, ...]]:
    """What comes in after now, in the order it happens: about half new dossiers, half later versions of known ones."""
    found = lives(today_on() - 35, today_on() + 90)
    columns, start = found.columns, local_now()
    received = np.flatnonzero((columns.filed > start) & (columns.received < NEVER))
    ended = np.flatnonzero((columns.ended > start) & (columns.ended < NEVER) & (columns.received < NEVER))
    numbers = np.concatenate([received, ended])
    moments = np.concatenate([columns.received[received], columns.ended[ended]])
    order = np.argsort(moments, kind="stable")[: count * size]
    if len(order) < count * size:
        raise ValueError(f"only {len(order) // size} batches of {size} can be made of this province")
    rows = [found.row(int(numbers[place]), int(moments[place])) for place in order]
    return [tuple(rows[n : n + size]) for n in range(0, len(rows), size)]


def sensors() -> Parsed:
    """Stations and datastreams."""
    stations = {s.station.number: s.station for s in streams()[:STREAMS]}
    return Parsed(
        stations=tuple(StationRow(f"S{s.number}", s.name, s.kind, s.lon, s.lat, s.area) for s in stations.values()),
        datastreams=tuple(
            DatastreamRow(f"T{s.number}", f"S{s.station.number}", s.property.key, s.property.symbol, s.name) for s in streams()[:STREAMS]
        ),
    )


def readings(from_at: int, to_at: int, minutes: int = READING_MINUTES) -> Iterator[ReadingRow]:
    """A value of every datastream every `minutes` minutes, in time order."""
    rng = np.random.default_rng(SEED)
    names = [f"T{s.number}" for s in streams()[:STREAMS]]
    lows, highs = np.array([CREDIBLE.get(s.property.key, (5.0, 60.0)) for s in streams()[:STREAMS]]).T
    for at in range(from_at, to_at, minutes * 60 * 1_000_000):
        for name, value in zip(names, rng.uniform(lows, highs).tolist(), strict=True):
            yield ReadingRow(name, at, value)


def reports(days: int, a_day: int = 66) -> tuple[ReportRow, ...]:
    """Citizen reports of the `days` days before now."""
    rng = np.random.default_rng(SEED)
    areas = [a.area for a in catalogue().agencies if a.area]
    categories = catalogue().categories
    rows = []
    for number in range(days * a_day):
        category = categories[int(rng.integers(len(categories)))]
        received = now_at() - int(rng.uniform(0.01, days) * DAY)
        closed = received + int(rng.gamma(2, category.limit_days * 0.7) * DAY)
        is_closed = closed < now_at()
        rows.append(ReportRow(
            f"R{number}", category.code, category.name, received_at=received, status="closed" if is_closed else "in_progress",
            due_at=received + int(category.limit_days * DAY), closed_at=closed if is_closed else None,
            area=areas[int(rng.integers(len(areas)))], agency="H99.20", version=1,
        ))
    return tuple(rows)


def put_catalogues(store: Store) -> None:
    """The province's agencies, procedures and categories."""
    found = catalogue()
    with store.writing() as connection:
        put_agencies(connection, [AgencyRow(a.code, a.name, a.name_en, a.parent_code, a.kind, a.area) for a in found.agencies])
        put_procedures(connection, [ProcedureRow(p.code, p.name, p.domain_code, p.domain_name, p.limit_days) for p in found.procedures])
        put_categories(connection, [CategoryRow(c.code, c.name, c.group) for c in found.categories])


def fill(store: Store, days: int, *, scale: float = SCALE, minutes: int = READING_MINUTES) -> None:
    """Land a history through the real landing without the dirty log; the caller rebuilds the roll-ups."""
    put_catalogues(store)
    at = now_at()

    def put(feed: str, role: str, batch: Parsed) -> None:
        land(store, batch, Landing(feed, role, at, track=False))

    for rows in history(days, scale):
        put("one_stop", "one_stop", Parsed(dossiers=rows, item_count=len(rows)))
    judge(store, city())
    put("feedback", "feedback", Parsed(reports=reports(days), item_count=1))
    put("sensors", "sensors", sensors())
    for end in range(at - (days - 1) * DAY, at + 1, DAY):
        put("sensors", "sensors", Parsed(readings=tuple(readings(end - DAY, end, minutes)), item_count=1))
