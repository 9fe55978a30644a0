"""A province small enough to be worked out by hand, for record pages and bottlenecks: dossiers with steps and stops, reports close
together, a station with neighbours. Filled through store.landing.land and judged; the clock stands at NOW.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from config import Config, FeedConfig
from metrics.judging import judge
from metrics.rollups import clock_step, drain
from store.catalogue import put_agencies, put_categories, put_procedures
from store.days import DAY, HOUR, instant
from store.engine import Store
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
    StepRow,
    Stop,
)
from tests.filled_once import FilledOnce

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 20, 10, tzinfo=TZ)  # a Friday
AT = instant(NOW)
MORNING = instant(datetime(2026, 11, 9, 7, tzinfo=TZ))  # a Monday, work begins
FEEDS = (
    FeedConfig("one_stop", "one_stop", "portal", title="Một cửa", cadence_s=900),
    FeedConfig("feedback", "feedback", "open311", title="Phản ánh", cadence_s=600),
    FeedConfig("air", "sensors", "sensorthings", title="Không khí", cadence_s=3600),
)
ENDED, LON, LAT = 24, 107.1, 20.9  # dossiers of P1 that ended; where the reports lie


def config_of(url: str) -> Config:
    """The province over a store."""
    return Config(name="Tỉnh Nhỏ", store_url=url, feeds=FEEDS)


def fill(store: Store) -> None:
    """Everything landed, judged, folded."""
    migrate(store)
    store.write(lambda connection: put_agencies(connection, [AgencyRow("H9.1", "Sở Một", area_code="A1"), AgencyRow("H9.2", "Sở Hai")]))
    procedures = [ProcedureRow("P1", "Thủ tục Một", "D1", "Lĩnh vực"), ProcedureRow("P2", "Thủ tục Hai", "D1", "Lĩnh vực")]
    store.write(lambda connection: put_procedures(connection, procedures))
    store.write(lambda connection: put_categories(connection, [CategoryRow("light", "Đèn đường"), CategoryRow("road", "Đường")]))
    west, east, south, north = LON - 0.05, LON + 0.003, LAT - 0.05, LAT + 0.05
    shape = {"type": "Polygon", "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]]}
    land(store, Parsed(areas=(AreaRow("A1", "Một", "Xã Một", geometry=shape),)), Landing("communes", "areas", AT - DAY))
    dossiers = (*(_ended(number) for number in range(ENDED)), *OPEN)
    steps = tuple(step for row in dossiers for step in _steps(row))
    land(store, Parsed(dossiers=dossiers, steps=steps, item_count=1), Landing("one_stop", "one_stop", AT - HOUR))
    land(store, Parsed(reports=tuple(_reports()), item_count=1), Landing("feedback", "feedback", AT - HOUR))
    again = ReportRow("R-0", "light", agency="H9.1", area="A1", status="resolved", channel="zalo", received_at=AT - 3 * DAY,
                      closed_at=AT - HOUR // 2, due_at=AT - 2 * DAY, lon=LON, lat=LAT, description="Đèn tắt", rating=1, version=2)
    land(store, Parsed(reports=(again,), item_count=1), Landing("feedback", "feedback", AT - HOUR // 4))
    _stations(store)
    clock_step(store, AT)
    judge(store, config_of(""))
    drain(store, AT)


def _ended(number: int) -> DossierRow:
    """Dossier n took n + 1 working hours of its first day or days; every third was asked for papers, every eighth twice."""
    took = MORNING + (number % 4) * DAY + (number % 8 + 1) * HOUR // 2
    stops = (Stop(MORNING + HOUR // 8, MORNING + HOUR // 4),) if number % 3 == 0 else ()
    return DossierRow(
        f"P1-{number:03}", "H9.1" if number % 2 else "H9.2", "P1", domain_code="D1", status=9, received_at=MORNING,
        due_at=MORNING + 2 * DAY, finished_at=took, version=1, stops=stops,
    )


OPEN = (
    DossierRow("OPEN-1", "H9.1", "P1", domain_code="D1", status=4, received_at=MORNING, due_at=MORNING + 3 * DAY, version=1),
    # stopped before it was due, still waiting: not late
    DossierRow("WAIT-1", "H9.1", "P1", domain_code="D1", status=5, received_at=MORNING, due_at=MORNING + 3 * DAY, version=1,
               stops=(Stop(MORNING + DAY, None),)),
    DossierRow("NODUE-1", "H9.1", "P2", domain_code="D1", status=4, received_at=MORNING, version=1),
    DossierRow("NEW-1", "H9.1", "P2", domain_code="D1", status=1, filed_at=MORNING, version=1),
    DossierRow("REFUSED-1", "H9.1", "P2", domain_code="D1", status=3, filed_at=MORNING, refused_at=MORNING + DAY, version=1),
    DossierRow("BACK-1", "H9.1", "P2", domain_code="D1", status=9, received_at=MORNING, finished_at=MORNING - DAY, version=1),
)


def _steps(row: DossierRow) -> list[StepRow]:
    if row.received_at is None or row.status == 1:
        return []
    found = [StepRow(row.source_id, row.received_at, "Tiếp nhận", "Một cửa", 2)]
    if row.stops:
        found.append(StepRow(row.source_id, row.stops[0].stopped_at, "Yêu cầu bổ sung", "Phòng A", 5))
        if row.stops[0].resumed_at is not None:
            found.append(StepRow(row.source_id, row.stops[0].resumed_at, "Thẩm định", "", 4))
            if row.source_id.endswith("0"):
                found.append(StepRow(row.source_id, row.stops[0].resumed_at + HOUR // 8, "Yêu cầu bổ sung lần 2", "", 4))
    if row.finished_at is not None:
        found.append(StepRow(row.source_id, row.finished_at, "Ký duyệt", "Lãnh đạo", 9))
    return found


def _reports() -> list[ReportRow]:
    """R-0 in the middle; fifteen within 100 m and 45 more within a kilometre, a month, by a fixed seed; one without a place."""
    dice = random.Random(6)
    found = [ReportRow("R-0", "light", agency="H9.1", area="A1", status="in_progress", channel="zalo", received_at=AT - 3 * DAY,
                       due_at=AT - 2 * DAY, lon=LON, lat=LAT, description="Đèn tắt", version=1)]
    for number in range(1, 61):
        received, spread = AT - round(dice.random() * 30 * DAY), 0.1 if number <= 15 else 1.0
        found.append(ReportRow(
            f"R-{number}", dice.choice(("light", "road")), agency="H9.1" if number % 3 else "H9.2", area="A1", status="in_progress",
            received_at=received, version=1,
            lon=round(LON + (dice.random() - 0.5) * 0.018 * spread, 6), lat=round(LAT + (dice.random() - 0.5) * 0.016 * spread, 6),
        ))
    return [*found, ReportRow("R-NOWHERE", "road", agency="H9.1", status="new", received_at=AT - DAY, version=1)]


def _stations(store: Store) -> None:
    """S1 spoke every hour of three days but the day before yesterday's noon to evening; S2 is 5 km off, S3 measures something else."""
    stations = (StationRow("S1", "Trạm Một", "air", LON, LAT, "A1"), StationRow("S2", "Trạm Hai", "air", LON + 0.048, LAT, "A1"),
                StationRow("S3", "Trạm Ba", "water", LON + 0.01, LAT, "A1"))
    streams = (DatastreamRow("S1.pm25", "S1", "pm25", "µg/m³"), DatastreamRow("S2.pm25", "S2", "pm25", "µg/m³"),
               DatastreamRow("S3.level", "S3", "level", "m"))
    hours = [hour for hour in range(72) if not 40 <= hour < 46]
    readings = tuple(
        ReadingRow(stream.source_id, AT - hour * HOUR, 20.0 + hour % 24) for stream in streams for hour in hours
    )
    land(store, Parsed(stations=stations, datastreams=streams, readings=readings, item_count=1), Landing("air", "sensors", AT - HOUR // 4))


_CITY = FilledOnce(fill)
open_filled = _CITY.shared


def open_own(make_database: Callable[..., str]) -> Store:
    """A filled SQLite store of the caller's alone."""
    return _CITY.own("sqlite", make_database)
