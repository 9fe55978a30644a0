"""A small province in which every state a list knows occurs: what the API's and the lists' tests look at."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from config import Config, FeedConfig
from config.targets import Target
from metrics.rollups import clock_step, drain
from store.days import instant
from store.engine import Store
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import AreaRow, DatastreamRow, DossierRow, Parsed, ReadingRow, ReportRow, StationRow, StepRow, Stop
from tests.filled_once import FilledOnce

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)  # Friday 10:00 in the province
CONFIG = Config(
    name="T",
    targets={"dossiers_on_time_pct": (Target(99.0),)},
    feeds=(
        FeedConfig("one_stop", "one_stop", "portal", cadence_s=900),
        FeedConfig("feedback", "feedback", "csv", cadence_s=3600),
        FeedConfig("air", "sensors", "sensorthings", cadence_s=3600),
    ),
)
NASTY = "=HYPERLINK(1)"
SQUARE = {"type": "Polygon", "coordinates": [[[105.0, 21.0], [106.0, 21.0], [106.0, 22.0], [105.0, 22.0], [105.0, 21.0]]]}


def at(day: int, hour: int = 9, month: int = 11) -> int:
    """An instant in 2026, local time of the province."""
    return instant(datetime(2026, month, day, hour, tzinfo=TZ))


def dossier(number: int, **values: Any) -> DossierRow:
    given = {
        "agency": "H99.1",
        "domain_code": "D1",
        "domain_name": NASTY,
        "procedure_code": "P1",
        "status": 4,
        "received_at": at(2),
        "due_at": at(25),
        "version": 1,
    }
    return DossierRow(f"H99-{number:04}", **{**given, **values})


DOSSIERS = (
    dossier(1),
    dossier(2, due_at=at(10)),
    dossier(3, due_at=at(23, 9)),
    dossier(4, due_at=None),
    dossier(5, status=9, finished_at=at(9), due_at=at(10)),
    dossier(6, status=9, finished_at=at(12), due_at=at(10)),
    dossier(7, status=9, finished_at=at(10, 11), due_at=at(10, 9)),  # late by instant, not by day
    dossier(8, status=9, finished_at=at(1), due_at=at(10)),
    dossier(9, status=5, stops=(Stop(at(9), None),), due_at=at(12)),
    dossier(10, status=1, received_at=None, filed_at=at(3)),
    dossier(11, agency="H99.14", due_at=at(11)),
    dossier(12, status=3, filed_at=at(4)),
)
REPORTS = (
    ReportRow(
        "R1",
        "rác",
        agency="H99.1",
        status="new",
        received_at=at(3),
        due_at=at(10),
        area="00001",
        description="@SUM(A1)",
        version=1,
    ),
    ReportRow("R2", "rác", status="resolved", received_at=at(3), closed_at=at(8), due_at=at(10), version=1),
    ReportRow("R3", "đường", status="resolved", received_at=at(3), closed_at=at(12), due_at=at(10), version=1),
    ReportRow("R4", "đường", status="new", received_at=at(19), due_at=at(30), is_urgent=True, version=1),
)


def fill(store: Store) -> None:
    """A small province: every state a list knows occurs."""
    migrate(store)
    clock_step(store, at(15))
    steps = (StepRow("H99-0001", at(2), "tiếp nhận", "một cửa"), StepRow("H99-0001", at(3), "thẩm định"))
    land(store, Parsed(dossiers=DOSSIERS, steps=steps, item_count=14), Landing("one_stop", "one_stop", at(15)))
    land(store, Parsed(dossiers=(dossier(1, due_at=at(27), version=2),), item_count=1), Landing("one_stop", "one_stop", at(16)))
    land(
        store,
        Parsed(
            areas=(
                AreaRow("00001", "A", valid_to_on=20_000),
                AreaRow("00001", "B", valid_from_on=20_001),
                AreaRow("00002", "C", geometry=SQUARE),
            )
        ),
        Landing("areas", "areas", at(15)),
    )
    land(store, Parsed(reports=REPORTS, item_count=4), Landing("feedback", "feedback", at(16)))
    land(
        store,
        Parsed(
            stations=(StationRow("S1", "Trạm 1", "air", area="00001"),),
            datastreams=(DatastreamRow("S1.pm25", "S1", "pm25", "ug/m3"),),
            readings=tuple(ReadingRow("S1.pm25", at(20, hour), 10.0 + hour) for hour in range(8)),
        ),
        Landing("air", "sensors", instant(NOW)),
    )
    clock_step(store, instant(NOW))
    drain(store, instant(NOW))


_CITY = FilledOnce(fill)
open_filled, open_own = _CITY.shared, _CITY.own
