"""A store with reports that tell of one thing and reports that only seem to, each planted for a reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from config import Config, FeedbackConfig, FeedConfig
from metrics.alike import METRES_PER_DEGREE
from metrics.city import City, open_city
from metrics.rollups import clock_step, drain
from scope import Scope, scope_of
from store.catalogue import put_agencies, put_categories
from store.days import DAY, HOUR, instant
from store.engine import Store, open_store
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import AgencyRow, CategoryRow, Parsed, ReportRow

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
AT = instant(NOW)
START = AT - 8 * DAY
LON, LAT = 107.08, 20.95
CONFIG = Config(
    name="Tỉnh thử", feeds=(FeedConfig("reports", "feedback", "open311", title="Phản ánh"),),
    feedback=FeedbackConfig(duplicate_radius_m=100, duplicate_days=7),
)
AGENCIES = (AgencyRow("H1.1", "Sở Xây dựng"), AgencyRow("H1.2", "UBND phường Hạ Long"))
CATEGORIES = (CategoryRow("road", "Hư hỏng đường", "Hạ tầng"), CategoryRow("hole", "Sụt lún", "Hạ tầng"), CategoryRow("waste", "Rác thải"))


@dataclass(frozen=True)
class Planted:
    """A report: its id, hours after START, metres north of the middle, category, its words; hours after START it was closed."""

    id: str
    hours: float
    north_m: float
    category: str
    words: str
    closed: float | None = None
    agency: str = "H1.1"
    area: str = "00001"


PLANTED = (
    Planted("A1", 0, 0, "road", "Ổ gà lớn trước chợ Hạ Long, đường Trần Phú"),
    Planted("A2", 5, 20, "road", "O ga rat to ngay truoc cho Ha Long"),  # no accents: the same words
    Planted("A3", 30, 60, "hole", "Mặt đường sụt sâu cạnh chợ"),  # another category of the group
    Planted("far", 6, 5_000, "road", "Ổ gà trước chợ Hạ Long"),  # too far
    Planted("off", 8, 190, "road", "Ổ gà cạnh trường học"),  # 170 m from A2: within 200 m only
    Planted("other", 7, 5, "waste", "Rác trước chợ Hạ Long"),  # another category of no group
    Planted("C1", 1, 9_000, "road", "Nắp cống vỡ", closed=3),
    Planted("C2", 4, 9_000, "road", "Nắp cống vỡ"),  # the first was closed by then: it came back
    Planted("E1", 10, 20_000, "waste", "Đống rác cuối ngõ", agency="H1.2", area="00002"),
    Planted("E2", 150, 20_010, "waste", "Rác cuối ngõ vẫn còn", agency="H1.2", area="00002"),
    Planted("E3", 185, 20_010, "waste", "Mất nắp thùng", agency="H1.2", area="00002"),  # of E2; too late for E1
)


def row(one: Planted) -> ReportRow:
    """As a feed gives it."""
    closed = None if one.closed is None else START + round(one.closed * HOUR)
    return ReportRow(
        one.id, one.category, agency=one.agency, area=one.area, status="in_progress" if closed is None else "closed",
        received_at=START + round(one.hours * HOUR), closed_at=closed, lon=LON, lat=LAT + one.north_m / METRES_PER_DEGREE,
        description=one.words,
    )


def fill(url: str) -> Store:
    """A store with what is planted."""
    store = open_store(url, TZ)
    migrate(store)
    store.write(lambda connection: put_agencies(connection, AGENCIES))
    store.write(lambda connection: put_categories(connection, CATEGORIES))
    rows = tuple(row(one) for one in PLANTED)
    land(store, Parsed(reports=rows, item_count=len(rows)), Landing("reports", "feedback", AT))
    clock_step(store, AT)
    drain(store, AT)
    return store


def see(store: Store, scope: Scope | str = "analyst", config: Config = CONFIG) -> City:
    """The store seen by a role, or by a scope."""
    return open_city(store, config, scope_of(scope, actor=f"user:{scope}") if isinstance(scope, str) else scope, NOW)


def key(source_id: str) -> tuple[str, str]:
    """The report's key."""
    return "reports", source_id
