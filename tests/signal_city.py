"""A small province with thirty weeks of dossiers and reports: steady noise, then from one week on many more dossiers end late."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from config import Config, FeedConfig
from config.targets import Target
from config.workcalendar import is_working_day, make_calendar
from metrics.city import City, open_city
from metrics.rollups import clock_step, drain
from scope import Scope, scope_of
from store.catalogue import put_agencies
from store.days import DAY, instant
from store.engine import Store
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import AgencyRow, AreaRow, DossierRow, Parsed, ReportRow
from tests.filled_once import FilledOnce

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)  # Friday of 2026-W47
FIRST = date(2026, 4, 20)  # Monday of 2026-W17; 27/04, 30/04 and 01/05 are days off, so W18 has two working days
SHIFT = date(2026, 10, 12)  # Monday of 2026-W42
CONFIG = Config(
    name="T",
    targets={"dossiers_on_time_pct": (Target(95.0),)},
    feeds=(FeedConfig("one_stop", "one_stop", "portal", cadence_s=900), FeedConfig("feedback", "feedback", "csv", cadence_s=3600)),
)
AREAS = (
    AreaRow("P", "Tỉnh", level="province", population=100_000), AreaRow("00001", "A", parent_code="P", population=20_000),
    AreaRow("00002", "B", parent_code="P"),
)
AGENCIES = (
    AgencyRow("H1", "Tỉnh", area_code="P"), AgencyRow("H1.1", "A", parent_code="H1", area_code="00001", officers=4),
    AgencyRow("H1.2", "B", parent_code="H1", area_code="00002"),
)


def at(day: date, hour: int = 9) -> int:
    return instant(datetime.combine(day, time(hour), TZ))


def dossiers() -> list[DossierRow]:
    """About 20 a working day; 92 in 100 end on time until the shift, 70 after it."""
    noise, calendar, found = random.Random(61), make_calendar(), list[DossierRow]()
    days = [FIRST + timedelta(days=n) for n in range((NOW.date() - FIRST).days)]
    for day in days:
        if not is_working_day(calendar, day):
            continue
        for _ in range(noise.randint(15, 25)):
            late = noise.random() > (0.92 if day < SHIFT else 0.70)
            due = at(day, 16)
            found.append(
                DossierRow(
                    f"D{len(found):05}", agency=noise.choice(("H1.1", "H1.2")), domain_code="D", status=9, received_at=at(day),
                    due_at=due, finished_at=due + (3_600_000_000 if late else -3_600_000_000), version=1,
                )
            )
    return found


def reports() -> list[ReportRow]:
    """Two a day, on all days."""
    days = [FIRST + timedelta(days=n) for n in range((NOW.date() - FIRST).days)]
    return [
        ReportRow(
            f"R{number}-{day}", "rác", agency="H1.1", area=("00001", "00002")[number], status="resolved", received_at=at(day),
            closed_at=at(day) + DAY // 2 + number * 3_600_000_000, version=1,
        )
        for day in days for number in (0, 1)
    ]


def fill(store: Store) -> None:
    migrate(store)
    now = instant(NOW)
    clock_step(store, now)
    store.write(lambda connection: put_agencies(connection, AGENCIES))
    land(store, Parsed(areas=AREAS), Landing("areas", "areas", now))
    rows, told = tuple(dossiers()), tuple(reports())
    land(store, Parsed(dossiers=rows, item_count=len(rows)), Landing("one_stop", "one_stop", now))
    land(store, Parsed(reports=told, item_count=len(told)), Landing("feedback", "feedback", now))
    drain(store, now)


open_signals = FilledOnce(fill).own


def see(store: Store, scope: Scope | None = None) -> City:
    """The city as it stands, by default for a leader."""
    return open_city(store, CONFIG, scope or replace(scope_of("leader"), actor="user:lan"), NOW)
