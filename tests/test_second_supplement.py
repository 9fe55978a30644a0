"""Asked for more papers twice: late by decision 766 from that day on, while the dossier is still in progress (indicator 2.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from config import Config, FeedConfig
from data_sources.feed import RawBatch
from data_sources.one_stop import table
from metrics.city import open_city
from metrics.city.numbers import series
from metrics.periods import parse_period
from metrics.rollups import clock_step, drain
from store.days import instant
from store.engine import Store, open_store
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import DossierRow, Parsed, Stop
from tests.oracle_rollups import rollup_differences
from tests.stores import ALL

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
CONFIG = Config("T", feeds=(FeedConfig("one_stop", "one_stop", "portal", cadence_s=3600),))
KEY = "dossiers_on_time_766_pct"


def at(day: int, hour: int = 9) -> int:
    """An instant of November 2026, local time."""
    return instant(datetime(2026, 11, day, hour, tzinfo=TZ))


def dossier(name: str, **told: object) -> DossierRow:
    """In progress, due in the future."""
    return replace(DossierRow(name, agency="A", status=4, received_at=at(2), due_at=at(27), version=1), **told)  # type: ignore[arg-type]


TWICE = dossier("twice", supplement_count=2, second_supplement_at=at(10), stops=(Stop(at(4), at(5)), Stop(at(10), at(11))))
ROWS = (dossier("plain"), TWICE, dossier("unknown day", supplement_count=2), dossier("overdue", due_at=at(12)))


@pytest.fixture(params=("sqlite", "postgresql"))
def store(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    opened = open_store(make_database(request.param), TZ)
    yield opened
    opened.dispose()


def put(store: Store, *rows: DossierRow) -> None:
    land(store, Parsed(dossiers=rows), Landing("one_stop", "one_stop", instant(NOW)))
    clock_step(store, instant(NOW))
    drain(store, instant(NOW))


def by_day(store: Store) -> dict[str, float | None]:
    """The KPI of each day up to now."""
    city = open_city(store, CONFIG, ALL, NOW)
    return {point.group[-2:]: point.value for point in series.read(city, KEY, "day", parse_period("2026-11-02..2026-11-20", city.today))}


def test_a_dossier_in_progress_is_late_from_the_day_of_the_second_request(store: Store) -> None:
    migrate(store)
    put(store, *ROWS)
    days = by_day(store)
    assert (days["09"], days["10"], days["11"], days["12"], days["20"]) == (100.0, 75.0, 75.0, 50.0, 50.0)
    put(store, replace(TWICE, version=2, status=9, finished_at=at(18)))  # it ended: late that day, gone from the stock
    days = by_day(store)
    assert (days["17"], days["18"], days["19"]) == (50.0, 50.0, pytest.approx(200 / 3))


def test_a_request_before_the_due_date_counts_once_with_the_due_date_passed(store: Store) -> None:
    migrate(store)
    put(store, dossier("a", due_at=at(12), supplement_count=2, second_supplement_at=at(15)), dossier("b", due_at=at(12)))
    put(store, dossier("c", due_at=at(16), supplement_count=2, second_supplement_at=at(15)))
    days = by_day(store)
    assert (days["11"], days["12"], days["14"], days["15"], days["20"]) == (100.0, pytest.approx(100 / 3), pytest.approx(100 / 3), 0.0, 0.0)


def test_the_day_taken_back_is_taken_out(store: Store) -> None:
    migrate(store)
    put(store, *ROWS)
    put(store, replace(TWICE, version=2, supplement_count=1, second_supplement_at=None))
    assert by_day(store)["20"] == 75.0
    with store.reading() as connection:
        assert not rollup_differences(connection, TZ, instant(NOW))


def test_a_request_of_which_only_the_day_is_told_counts_as_the_second(store: Store) -> None:
    migrate(store)
    feed = FeedConfig("one_stop", "one_stop", "csv", fields={
        "source_id": {"from": "id"}, "received_at": {"from": "in"}, "due_at": {"from": "due"}, "second_supplement_at": {"from": "again"},
    })
    item = {"id": "1", "in": "2026-11-02", "due": "2026-11-27", "again": "2026-11-10"}
    put(store, *table.parse(feed, RawBatch([item]), NOW).dossiers)
    assert (by_day(store)["09"], by_day(store)["10"]) == (100.0, 0.0)
    with store.reading() as connection:
        assert connection.execute(text("SELECT supplement_count FROM core_dossier")).scalar_one() == 2
    late = table.parse(feed, RawBatch([{**item, "again": "2027-11-10"}]), NOW)
    assert [(one.field, one.reason) for one in late.rejects] == [("second_supplement_at", "future_date")]


def test_an_upgraded_store_counts_the_second_requests_its_stops_tell(store: Store, make_database: Callable[..., str]) -> None:
    migrate(store)
    waiting = dossier("waiting", status=5, supplement_count=2, stops=(Stop(at(4), at(5)), Stop(at(10), None)))
    fast = replace(TWICE, source_id="fast", status=9, finished_at=at(13))
    put(store, *ROWS, waiting, fast)
    old = open_store(make_database("sqlite" if store.is_sqlite else "postgresql"), TZ)
    migrate(old, to="0010")
    copy(store, old, ("core_dossier", "core_dossier_stop", "rollup_dossier_day", "ops_clock", "ops_feed"))
    migrate(old)
    drain(old, instant(NOW))
    with old.reading() as connection:
        known = connection.execute(text("SELECT source_id FROM core_dossier WHERE second_supplement_on IS NOT NULL ORDER BY 1")).scalars()
        assert list(known) == ["fast", "twice"]  # why the other waits is not certain before its next delivery
        assert not rollup_differences(connection, TZ, instant(NOW))
    assert by_day(old) == by_day(store)
    old.dispose()


def copy(source: Store, target: Store, tables: tuple[str, ...]) -> None:
    """Rows of a store into one of an older schema: the columns that one knows."""
    with source.reading() as reading, target.writing() as writing:
        for name in tables:
            known = list(writing.execute(text(f"SELECT * FROM {name} WHERE 1 = 0")).keys())
            rows = [dict(row) for row in reading.execute(text(f"SELECT {', '.join(known)} FROM {name}")).mappings()]
            writing.execute(text(f"INSERT INTO {name} ({', '.join(known)}) VALUES ({', '.join(':' + one for one in known)})"), rows)
