"""A small made-up province for the desk's tests: 40 agencies, 24 communes, 1,500 dossiers, 400 reports, 14 stations, rejects.

Everything goes through store.landing.land; numbers come from a fixed seed, the clock stands at NOW.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from config import Config, FeedConfig
from config.targets import Target
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
    Reject,
    ReportRow,
    StationRow,
    StepRow,
    Stop,
)

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=TZ)
AT = instant(NOW)
PLACES = (
    "An Bình",
    "Bãi Cháy",
    "Bình Khê",
    "Cẩm Lệ",
    "Cô Sơn",
    "Đại Lộc",
    "Đầm Sen",
    "Đông Hải",
    "Hòa Vang",
    "Kim Long",
    "Lộc Hà",
    "Mỹ Khê",
    "Ngọc Vừng",
    "Ô Lâm",
    "Phú Thượng",
    "Quan Lạn",
    "Sơn Trà",
    "Tân An",
    "Thạch Bàn",
    "Tiên Yên",
    "Uyên Hưng",
    "Vĩnh Thực",
    "Xuân Đài",
    "Yên Tử",
)
OFFICES = (
    "Sở Xây dựng",
    "Sở Nông nghiệp và Môi trường",
    "Sở Tư pháp",
    "Sở Y tế",
    "Sở Công Thương",
    "Sở Giáo dục và Đào tạo",
    "Sở Nội vụ",
    "Sở Tài chính",
    "Sở Văn hóa, Thể thao và Du lịch",
    "Sở Khoa học và Công nghệ",
    "Sở Ngoại vụ",
    "Ban Quản lý Khu kinh tế",
    "Công an tỉnh",
    "Thanh tra tỉnh",
    "Văn phòng UBND tỉnh",
    "Bảo hiểm xã hội tỉnh",
)
PROCEDURES = (
    ("1.001", "Cấp giấy phép xây dựng nhà ở riêng lẻ", "D01", "Xây dựng"),
    ("1.002", "Đăng ký biến động quyền sử dụng đất, quyền sở hữu tài sản gắn liền với đất", "D02", "Đất đai"),
    ("1.003", "Đăng ký khai sinh", "D03", "Hộ tịch"),
    ("1.004", "Đăng ký kết hôn", "D03", "Hộ tịch"),
    ("1.005", "Cấp phiếu lý lịch tư pháp", "D04", "Tư pháp"),
    ("1.006", "Cấp chứng chỉ hành nghề dược", "D05", "Dược phẩm"),
)
CATEGORIES = (("road", "Hư hỏng đường, vỉa hè"), ("waste", "Rác thải, vệ sinh"), ("light", "Đèn đường"), ("flood", "Ngập nước"))
FEEDS = (
    FeedConfig("one_stop", "one_stop", "portal", title="Một cửa điện tử tỉnh", owner="Văn phòng UBND tỉnh", cadence_s=900),
    FeedConfig("feedback", "feedback", "open311", title="Phản ánh hiện trường", owner="Trung tâm IOC", cadence_s=600),
    FeedConfig(
        "air", "sensors", "sensorthings", title="Quan trắc không khí", owner="Sở Nông nghiệp và Môi trường", cadence_s=3600
    ),
    FeedConfig("rain", "sensors", "csv", title="Mưa và mực nước", owner="Đài Khí tượng", cadence_s=1800),
    FeedConfig("communes", "areas", "geojson", title="Địa bàn cấp xã", owner="Sở Nội vụ"),
    FeedConfig("traffic", "sensors", "csv", title="Giao thông nút trung tâm", owner="Công an tỉnh", cadence_s=300),
)


def config_of(url: str) -> Config:
    """The made-up province's configuration over a store."""
    return Config(
        name="Tỉnh Lam Hải",
        name_en="Lam Hai Province",
        simulated=True,
        store_url=url,
        feeds=FEEDS,
        targets={
            "dossiers_on_time_pct": (Target(95.0),),
            "dossiers_overdue": (Target(40.0),),
            "reports_overdue": (Target(20.0),),
            "vn_aqi": (Target(100.0),),
            "feeds_fresh_pct": (Target(90.0),),
        },
    )


def make_store(url: str) -> Store:
    """The province's store: everything landed, the clock stepped, the roll-ups folded."""
    store = open_store(url, TZ)
    migrate(store)
    random_ = random.Random(20261120)
    agencies = list(_agencies())
    store.write(lambda connection: put_agencies(connection, agencies))
    store.write(lambda connection: put_procedures(connection, [ProcedureRow(*row) for row in PROCEDURES]))
    store.write(lambda connection: put_categories(connection, [CategoryRow(code, name) for code, name in CATEGORIES]))
    _land(store, "communes", "areas", Parsed(areas=tuple(_areas()), item_count=24), AT - 20 * DAY)
    codes = [row.code for row in agencies]
    dossiers = tuple(_dossier(number, random_, codes) for number in range(1500))
    _land(
        store,
        "one_stop",
        "one_stop",
        Parsed(dossiers=dossiers, rejects=tuple(_rejects("G22", 37)), item_count=1537),
        AT - 4 * HOUR,
    )
    later = tuple(replace(row, status=5, version=2, supplement_count=1) for row in dossiers[:30] if row.finished_at is None)
    steps = tuple(step for row in dossiers for step in _steps(row))
    _land(store, "one_stop", "one_stop", Parsed(dossiers=later, steps=steps, item_count=len(later)), AT - HOUR // 6)
    reports = tuple(_report(number, random_) for number in range(400))
    _land(
        store, "feedback", "feedback", Parsed(reports=reports, rejects=tuple(_rejects("PA", 4)), item_count=404), AT - HOUR // 4
    )
    _sensors(store, random_)
    clock_step(store, AT)
    drain(store, AT)
    return store


def _land(store: Store, feed: str, role: str, batch: Parsed, now: int) -> None:
    land(store, batch, Landing(feed, role, now))


def _agencies() -> Iterator[AgencyRow]:
    for number, name in enumerate(OFFICES, 1):
        yield AgencyRow(f"H99.{number}", name)
    for number, place in enumerate(PLACES, 1):
        yield AgencyRow(f"H99.{100 + number}", f"UBND {_unit(number)} {place}", area_code=f"A{number:02}")


def _unit(number: int) -> str:
    return "phường" if number % 3 else "xã"


def _areas() -> Iterator[AreaRow]:
    for number, place in enumerate(PLACES, 1):
        full_name = f"{_unit(number).capitalize()} {place}"
        yield AreaRow(f"A{number:02}", place, full_name, lon=107.0 + number % 6 / 10, lat=20.8 + number // 6 / 10)


def _dossier(number: int, random_: random.Random, agencies: list[str]) -> DossierRow:
    """Received over 45 days, six of seven finished, some late; a few without due date, waiting, or refused."""
    received = AT - int(random_.random() * 45 * DAY)
    procedure, name, domain, domain_name = random_.choice(PROCEDURES)
    due = None if number % 41 == 0 else received + int((3 + random_.random() * 17) * DAY)
    took = int(random_.random() ** 1.4 * 20 * DAY)
    ended = received + took if received + took < AT and random_.random() < 0.93 else None
    stops = (Stop(received + DAY, None),) if ended is None and number % 13 == 0 and received + DAY < AT else ()
    status = 9 if ended else 5 if stops else 4
    if number % 97 == 0:
        status, ended, stops = 3, None, ()
    return DossierRow(
        f"H99.{number % 40 + 1}-26-{number:05}",
        random_.choice(agencies),
        procedure,
        name,
        domain,
        domain_name,
        random_.choice(("online", "online", "direct", "postal")),
        status,
        filed_at=received,
        received_at=None if status == 3 else received,
        due_at=due,
        finished_at=ended,
        version=1,
        stops=stops,
    )


def _steps(row: DossierRow) -> Iterator[StepRow]:
    if row.received_at is not None:
        yield StepRow(row.source_id, row.received_at, "Tiếp nhận hồ sơ", "Bộ phận một cửa", 2)
        yield StepRow(row.source_id, row.received_at + 6 * HOUR, "Chuyển phòng chuyên môn", "Bộ phận một cửa", 4)
    if row.finished_at is not None:
        yield StepRow(row.source_id, row.finished_at, "Trình ký và trả kết quả", "Văn phòng", 9)


def _report(number: int, random_: random.Random) -> ReportRow:
    received = AT - int(random_.random() * 40 * DAY)
    closed = received + int(random_.random() * 6 * DAY)
    done = closed < AT and random_.random() < 0.85
    place = random_.randrange(1, 25)
    return ReportRow(
        f"PA-{number:05}",
        random_.choice(CATEGORIES)[0],
        agency=f"H99.{100 + place}",
        area=f"A{place:02}",
        status="resolved" if done else "in_progress",
        channel=random_.choice(("app", "web", "hotline")),
        received_at=received,
        updated_at=closed if done else received,
        due_at=None if number % 29 == 0 else received + 4 * DAY,
        closed_at=closed if done else None,
        description="Ổ gà lớn trước cổng trường, xe máy dễ ngã khi trời mưa.",
        resolution="Đã vá mặt đường." if done else None,
        is_urgent=number % 37 == 0,
        is_duplicate=number % 19 == 0,
        rating=(0, 3, 2, 0, 1, 3)[number % 6] if done else 0,
        reopened_count=int(number % 11 == 0),
        returned_count=int(number % 17 == 0),
        extension_count=int(number % 13 == 0),
        version=1,
        lon=107.1,
        lat=20.9,
    )


def _rejects(prefix: str, count: int) -> Iterator[Reject]:
    kinds = (
        ("received_at", "bad_date", "31/02/2026"),
        ("procedure_code", "unknown_code", "9.999"),
        ("due_at", "missing_field", ""),
    )
    for number in range(count):
        field, reason, value = kinds[number % len(kinds)]
        yield Reject(f"{prefix}-{number:03}", field, reason, value, {"source_id": f"{prefix}-{number:03}"})


def _sensors(store: Store, random_: random.Random) -> None:
    """Air: 10 stations, 48 hours of PM2.5, PM10 and O3, one fell silent a day ago.

    Rain: 4 stations that stopped four hours ago.
    """
    for feed, kind, count, properties, silent_h in (
        ("air", "air", 10, ("pm25", "pm10", "o3"), 0),
        ("rain", "weather", 4, ("rain", "level"), 4),
    ):
        stations = tuple(
            StationRow(f"{feed}-{n}", f"Trạm {PLACES[n]}", kind, 107.0 + n / 20, 20.9, f"A{n + 1:02}") for n in range(count)
        )
        streams = tuple(
            DatastreamRow(f"{row.source_id}-{name}", row.source_id, name, "µg/m³" if kind == "air" else "mm")
            for row in stations
            for name in properties
        )
        readings = tuple(
            ReadingRow(stream.source_id, AT - back * HOUR // 2, round(20 + 60 * random_.random() ** 2 + number * 3, 1))
            for number, stream in enumerate(streams)
            for back in range(2 * silent_h + (48 if stream.station_id == "air-9" else 0), 96)
        )
        _land(
            store,
            feed,
            "sensors",
            Parsed(stations=stations, datastreams=streams, readings=readings, item_count=len(readings)),
            AT - HOUR // 2,
        )


def moment_now() -> datetime:
    """The province's clock, as an app is given it."""
    return NOW.astimezone(UTC)
