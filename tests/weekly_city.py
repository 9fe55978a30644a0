"""A small province with agencies of every kind the weekly brief tells apart, up to the week of Tết 2026 and a few days beyond.

Per full week: H1.1 fell in 2026-W06, H1.2 steady, H1.3 better than chance, H1.4 worse than chance but as ever, H1.5 too small to rank,
H1.6 new in W06, H1.7 new since November, H1.8 small and steady. Nobody worked in W08.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from config import Config, FeedConfig
from config.limits import WaterAlarm
from config.targets import Target
from config.workcalendar import is_working_day, make_calendar
from metrics.city import City, open_city, weekly
from metrics.city.remembered import Remembered
from metrics.city.weekly import Weekly
from metrics.periods import parse_period
from metrics.rollups import clock_step, drain
from scope import Scope, scope_of
from store.annotations import NewAnnotation, put_annotation
from store.catalogue import put_agencies, put_categories
from store.days import DAY, HOUR, instant, number_of
from store.engine import Store
from store.followups import NewEvent, NewFollowup, add_event, put_followup
from store.keys import By
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import AgencyRow, AreaRow, CategoryRow, DatastreamRow, DossierRow, Parsed, ReadingRow, ReportRow, StationRow
from tests.filled_once import FilledOnce

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 2, 27, 3, tzinfo=UTC)  # Friday of 2026-W09
FIRST = date(2025, 10, 6)  # Monday of 2025-W41
FALL = date(2026, 2, 2)  # Monday of 2026-W06
# agency -> (dossiers a full week, late ones in it)
WORK = {
    "H1.1": (40, 4), "H1.2": (40, 4), "H1.3": (100, 0), "H1.4": (60, 20), "H1.5": (4, 1), "H1.6": (40, 4), "H1.7": (40, 4), "H1.8": (20, 2),
}
FELL = ("H1.1", 30)
NEW_SINCE = {"H1.6": FALL, "H1.7": date(2025, 11, 3)}
NAMES = ("Sở Một", "Sở Hai", "Sở Ba", "Sở Bốn", "Xã Năm", "Xã Sáu", "Xã Bảy", "Xã Tám")
AGENCIES = (AgencyRow("H1", "Tỉnh", area_code="P"), *(
    AgencyRow(code, name, parent_code="H1", valid_from_on=number_of(NEW_SINCE[code]) if code in NEW_SINCE else None)
    for code, name in zip(WORK, NAMES, strict=True)
))
# agency -> due days of dossiers open and overdue since before W06 ended; the one of ENDED was finished after that week
OVERDUE = {
    "H1.4": (date(2026, 1, 20), date(2026, 2, 3), date(2026, 2, 4)), "H1.1": (date(2026, 1, 27), date(2026, 2, 6)),
    "H1.2": (date(2026, 2, 4),),
}
ENDED = ("H1.8", date(2026, 1, 5))
CONFIG = Config(
    name="T",
    targets={"dossiers_on_time_pct": (Target(95.0),)},
    feeds=(
        FeedConfig("one_stop", "one_stop", "portal", title="Một cửa", cadence_s=900),
        FeedConfig("feedback", "feedback", "csv", title="Phản ánh", cadence_s=3600),
        FeedConfig("air", "sensors", "sensorthings", title="Quan trắc", cadence_s=3600),
    ),
    water_alarms=(WaterAlarm("air", "W1", 2.0, 3.0, 4.0),),
)
BY = By("user:lan")


def at(day: date, hour: int = 9) -> int:
    return instant(datetime.combine(day, time(hour), TZ))


def dossiers() -> Iterator[DossierRow]:
    """Weeks of finished dossiers with the same pattern, give or take one late; then the open ones."""
    calendar, week = make_calendar(), FIRST
    while week <= NOW.date():
        days = [day for day in (week + timedelta(days=n) for n in range(5)) if is_working_day(calendar, day) and day < NOW.date()]
        for code, (count, usual) in WORK.items():
            late = FELL[1] if (code, week) == (FELL[0], FALL) else usual and usual + (week.toordinal() // 7 + int(code[3:])) % 3 - 1
            for number in range(count * len(days) // 5):
                due = at(days[number % len(days)], 16)
                ended = due + (HOUR if number < late * len(days) / 5 else -HOUR)
                yield _dossier(f"{code}-{week}-{number:03}", code, due, at(days[number % len(days)]), ended)
        week += timedelta(weeks=1)
    for code, dues in OVERDUE.items():
        for number, due in enumerate(dues):
            yield _dossier(f"{code}-open-{number}", code, at(due, 16), at(FIRST), None)
    yield _dossier("ended", ENDED[0], at(ENDED[1], 16), at(FIRST), at(date(2026, 2, 11)))


def _dossier(number: str, agency: str, due: int, received: int, ended: int | None) -> DossierRow:
    return DossierRow(
        number, agency=agency, domain_code="D", status=4 if ended is None else 9, received_at=received, due_at=due, finished_at=ended,
        channel="online", version=1,
    )


def reports() -> list[ReportRow]:
    """Two a day, one of each category; one in seven is rated badly, one open since January is overdue."""
    days = [FIRST + timedelta(days=n) for n in range((NOW.date() - FIRST).days)]
    rows = [
        ReportRow(
            f"R{number}-{day}", ("waste", "road")[number], agency="H1.1", area="00001", status="resolved", received_at=at(day),
            closed_at=at(day) + DAY // 2 + number * HOUR, due_at=at(day) + 3 * DAY, rating=1 if day.weekday() == number else 3,
            reopened_count=0, version=1,
        )
        for day in days for number in (0, 1)
    ]
    return [*rows, ReportRow("late", "road", agency="H1.2", area="00001", status="new", received_at=at(date(2026, 1, 5)),
                             due_at=at(date(2026, 1, 9)), version=1)]


def readings() -> Parsed:
    """Air of three weeks to the day, bad on one day of W06; a river above alarm I that day."""
    hours = range(at(date(2026, 1, 26), 0), instant(NOW), HOUR)
    bad = range(at(date(2026, 2, 4), 0), at(date(2026, 2, 5), 0))
    found = []
    for number, hour in enumerate(hours):
        found += [ReadingRow("A1.pm25", hour, (160.0 if hour in bad else 20.0) + number % 5),
                  ReadingRow("W1.level", hour, (2.5 if hour in bad else 1.0) + number % 3 / 10)]
    return Parsed(
        stations=(StationRow("A1", "Trạm khí Một", "air"), StationRow("W1", "Trạm sông Một", "water")),
        datastreams=(DatastreamRow("A1.pm25", "A1", "pm25", "ug/m3"), DatastreamRow("W1.level", "W1", "level", "m")),
        readings=tuple(found),
    )


def fill(store: Store) -> None:
    migrate(store)
    now = instant(NOW)
    clock_step(store, now)
    store.write(lambda connection: put_agencies(connection, AGENCIES))
    store.write(lambda connection: put_categories(connection, [CategoryRow("waste", "Rác thải"), CategoryRow("road", "Đường sá")]))
    areas = (AreaRow("P", "Tỉnh", level="province"), AreaRow("00001", "A", parent_code="P"))
    land(store, Parsed(areas=areas), Landing("areas", "areas", now))
    rows, told, measured = tuple(dossiers()), tuple(reports()), readings()
    land(store, Parsed(dossiers=rows, item_count=len(rows)), Landing("one_stop", "one_stop", now))
    land(store, Parsed(reports=told, item_count=len(told)), Landing("feedback", "feedback", now))
    land(store, measured, Landing("air", "sensors", now))
    drain(store, now)
    _people(store)


def _people(store: Store) -> None:
    """What was promised in W05, and what people said of W06."""
    made = at(date(2026, 1, 30))
    for what, agency, who, due in (
        ("Trả hết hồ sơ đất đai quá hạn", "H1.4", "Giám đốc Sở Bốn", date(2026, 2, 4)),
        ("Bổ sung hai cán bộ một cửa", "H1.1", "Văn phòng UBND tỉnh", date(2026, 2, 20)),
        ("Công khai thủ tục mới", "", "Văn phòng UBND tỉnh", date(2026, 2, 3)),
    ):
        number = put_followup(store, NewFollowup("2026-W05", what, number_of(due), agency, who, "dossiers_overdue"), BY, made)
    add_event(store, number, NewEvent("done", "Đã đăng"), BY, at(date(2026, 2, 3), 15))
    on = number_of(FALL)
    put_annotation(store, NewAnnotation("Phần mềm một cửa ngừng hai ngày", on, on + 4, "dossiers_on_time_pct"), BY, at(date(2026, 2, 9)))


open_weekly = FilledOnce(fill).own


def see(store: Store, scope: Scope | None = None, config: Config = CONFIG) -> City:
    """The city as it stands, by default for a leader."""
    return open_city(store, config, scope or replace(scope_of("leader"), actor="user:lan"), NOW)


def shared(store: Store) -> City:
    """The city of a store nobody writes in, which remembers its briefs for all tests of a module."""
    return replace(see(store), remembered=Remembered())


def alone(city: City) -> City:
    """The same city without anything remembered: what it answers is worked out anew, by the question's own way."""
    return replace(city, memo={}, remembered=None)


def brief(city: City, week: str) -> Weekly:
    """The brief of a week, remembered where the city remembers."""
    return weekly.read(replace(city, memo={}), parse_period(week, city.today))
