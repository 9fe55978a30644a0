"""Eight offices with two months of ordinary endings, and three habits planted in them: many reports at one stroke (H1.2), dossiers ended in
the last two hours before due (H1.3), dossiers ended and registered again under their old number (H1.5)."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from config import Config, FeedConfig
from config.workcalendar import is_working_day, make_calendar
from metrics.city import City, open_city
from metrics.city.remembered import Remembered
from metrics.rollups import clock_step, drain
from scope import Scope, scope_of
from store.catalogue import put_agencies
from store.days import instant
from store.engine import Store
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import AgencyRow, AreaRow, DossierRow, Parsed, ReportRow
from tests.filled_once import FilledOnce

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
FIRST, LAST = date(2026, 9, 21), date(2026, 11, 19)
PERIOD = "2026-10-01..2026-11-15"
BULK_DAY, BULK_N = date(2026, 10, 14), 25
OFFICES = tuple(f"H1.{n}" for n in range(1, 9))
BULK_OFFICE, HURRIED, TWICE = "H1.2", "H1.3", "H1.5"
CONFIG = Config(
    name="T",
    feeds=(FeedConfig("one_stop", "one_stop", "portal", cadence_s=900), FeedConfig("feedback", "feedback", "csv", cadence_s=3600)),
)
_CALENDAR = make_calendar()
DAYS = tuple(day for n in range((LAST - FIRST).days + 1) if is_working_day(_CALENDAR, day := FIRST + timedelta(days=n)))


def at(day: date, hours: float) -> int:
    return instant(datetime.combine(day, time(0), TZ) + timedelta(hours=hours))


def dossiers(*, planted: bool = True) -> list[DossierRow]:
    """Five endings an office and day at any working hour, due at 17:00 up to eight working days later; then the two habits."""
    noise, found = random.Random(6), list[DossierRow]()

    def add(office: str, day: date, hour: float, due: date, **more: object) -> DossierRow:
        row = DossierRow(
            f"{office}-{len(found):05}", agency=office, procedure_code="P1", domain_code="D", received_at=at(FIRST - timedelta(days=7), 8),
            due_at=at(due, 17), finished_at=at(day, hour), version=1, **{"status": 9, **more},  # type: ignore[arg-type]
        )
        found.append(row)
        return row

    for number, day in enumerate(DAYS):
        ahead = (*DAYS[number:number + 9], *(day,) * 9)[:9]
        for office in OFFICES:
            for _ in range(5):
                add(office, day, noise.choice((noise.uniform(7, 11.4), noise.uniform(13.5, 17))), noise.choice(ahead))
            if planted and office == HURRIED:
                add(office, day, noise.uniform(15.2, 16.9), day)
    for number, day in enumerate(DAYS[8:32] if planted else ()):
        office = TWICE if number % 2 else OFFICES[number // 2 % 8]
        gone = add(office, day, 16.5, day, status=7)
        again = replace(gone, source_id=f"{gone.source_id}-B", alias=gone.source_id, status=4, finished_at=None, due_at=at(LAST, 17))
        found.append(replace(again, received_at=at(day + timedelta(days=1 + number % 3), 9)))
    return found


def reports(*, planted: bool = True) -> list[ReportRow]:
    """Seven closings an office and day at any hour of work; once twenty-five within six minutes."""
    noise, found = random.Random(7), list[ReportRow]()
    for day in DAYS:
        for office in OFFICES:
            hours = [noise.uniform(7, 17) for _ in range(7)]
            if planted and office == BULK_OFFICE and day == BULK_DAY:
                hours += [16.7 + noise.uniform(0, 0.1) for _ in range(BULK_N)]
            found += [
                ReportRow(
                    f"R{len(found) + n:05}", "rác", agency=office, area="00001", status="resolved",
                    received_at=at(day - timedelta(days=2), 9), closed_at=at(day, hour), version=1,
                )
                for n, hour in enumerate(hours)
            ]
    return found


def fill(planted: bool, store: Store) -> None:
    migrate(store)
    now = instant(NOW)
    clock_step(store, now)
    listed = [AgencyRow(code, f"Phòng {code}", parent_code="H1", area_code="00001") for code in OFFICES]
    store.write(lambda connection: put_agencies(connection, [AgencyRow("H1", "Tỉnh", area_code="P"), *listed]))
    areas = (AreaRow("P", "Tỉnh", level="province"), AreaRow("00001", "A", parent_code="P"))
    land(store, Parsed(areas=areas), Landing("areas", "areas", now))
    rows, told = dossiers(planted=planted), reports(planted=planted)
    land(store, Parsed(dossiers=tuple(rows), item_count=len(rows)), Landing("one_stop", "one_stop", now))
    land(store, Parsed(reports=tuple(told), item_count=len(told)), Landing("feedback", "feedback", now))
    drain(store, now)


_ODD, _PLAIN = (FilledOnce(partial(fill, planted)) for planted in (True, False))


def open_odd(kind: str, make_database: Callable[..., str], *, planted: bool = True) -> Store:
    """The filled store of that engine, with what is odd in it or without; nobody writes into it."""
    return (_ODD if planted else _PLAIN).shared(kind, make_database)


def see(store: Store, scope: Scope | None = None) -> City:
    """The city as it stands, by default for an analyst."""
    return open_city(store, CONFIG, scope or replace(scope_of("analyst"), actor="user:lan"), NOW, Remembered())
