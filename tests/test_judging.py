"""Judging: times of dossiers by their agencies' calendars, kept true whatever lands, goes or changes; on both engines."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from config import Config, ConfigError, FeedConfig, parse_config
from config.calendars import CalendarConfig
from config.targets import KpiChoice
from metrics.calendars import calendar_for
from metrics.city import open_city
from metrics.city.numbers import kpis
from metrics.city.records.dossiers import one
from metrics.judging import ask_anew, is_waiting, judge, judge_anew, judge_round
from metrics.periods import parse_period
from metrics.rollups import clock_step, drain, fold, read_clock, rebuild
from pipeline import Ingest
from scope import DEMO_SCOPE
from store.catalogue import put_procedures
from store.catalogue_files import CatalogueError, load_catalogue
from store.days import instant
from store.engine import Store, open_store
from store.judged import log_all_unjudged, put_judged, take_unjudged
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import DossierRow, Parsed, ProcedureRow, Stop
from tests.oracle_rollups import rollup_differences
from tests.oracle_worktime import Minutes

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
CONFIG = Config(name="T", feeds=(FeedConfig("one_stop", "one_stop", "portal", cadence_s=900),))
# the second office works mornings only; one of its own offices on Saturdays too
OFFICES = replace(CONFIG, agency_calendars={
    "H99.2": CalendarConfig(hours=("08:00-12:00",), overrides={"2026-11-11": "rest"}),
    "H99.2.7": CalendarConfig(hours=("08:00-12:00",), rest_weekdays=(6,), overrides={"2026-11-11": "rest"}),
})
LIMITS = (
    ProcedureRow("P1", "P1", "D1", "D", 5), ProcedureRow("P2", "P2", "D1", "D", 8, limit_unit="h"), ProcedureRow("P3", "P3", "D1", "D"),
)


def at(text_: str) -> int:
    """'11-20 09:00' of 2026 as an instant."""
    return instant(datetime.fromisoformat(f"2026-{text_}").replace(tzinfo=TZ))


def dossier(name: str, **values: Any) -> DossierRow:
    given = {
        "agency": "H99.1", "domain_code": "D1", "procedure_code": "P1", "status": 9, "received_at": at("11-09 09:00"),
        "due_at": at("11-16 17:00"), "finished_at": at("11-12 10:00"), "version": 1,
    }
    return DossierRow(name, **{**given, **values})


@pytest.fixture
def store(engine_url: str) -> Iterator[Store]:
    opened = open_store(engine_url, TZ)
    migrate(opened)
    opened.write(lambda connection: put_procedures(connection, LIMITS))
    clock_step(opened, instant(NOW))
    yield opened
    opened.dispose()


def bring(store: Store, *dossiers: DossierRow, has_tombstones: bool = True) -> None:
    land(store, Parsed(dossiers=dossiers), Landing("one_stop", "one_stop", instant(NOW), has_tombstones=has_tombstones))


def ask(store: Store, question: str) -> list[tuple[Any, ...]]:
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(text(question))]


def times(store: Store) -> dict[str, tuple[Any, ...]]:
    """source id -> working hours, gap in working days."""
    found = ask(store, "SELECT source_id, worked_s, due_gap_wd FROM core_dossier_time")
    return {name: (None if worked is None else worked / 3600, gap) for name, worked, gap in found}


def settle(store: Store, config: Config = CONFIG) -> None:
    """Judge and fold; the roll-ups must then equal the rows, and everything judged anew must change nothing."""
    judge(store, config)
    drain(store, instant(NOW))
    assert not is_waiting(store)
    with store.reading() as connection:
        assert rollup_differences(connection, TZ, read_clock(connection)) == []


def test_worked_time_leaves_out_nights_weekends_and_waiting(store: Store) -> None:
    stops = (Stop(at("11-09 10:00"), at("11-10 10:00")), Stop(at("11-11 14:00"), None))
    bring(store, dossier("plain"), dossier("waited", stops=stops, finished_at=at("11-13 17:00")))
    settle(store)
    # Mon 6 h, Tue and Wed 8 h each, Thu 3 h; the second: Mon 1 h, Tue 5 h, Wed 5 h until it waits for good.
    # Its first stop, 8 h, moves Monday 16th on to Tuesday; the one it ended in moves nothing
    assert times(store) == {"plain": (25.0, 0), "waited": (11.0, -1)}


def test_open_dossiers_have_an_expected_due_date_and_no_worked_time(store: Store) -> None:
    bring(
        store, dossier("open", status=4, finished_at=None), dossier("no limit", status=4, finished_at=None, procedure_code="P3"),
        dossier("new", status=1, finished_at=None), dossier("backwards", finished_at=at("11-01 09:00")),
    )
    settle(store)
    assert times(store) == {"open": (None, 0)}
    assert ask(store, "SELECT expected_due_at, elapsed_s, day_s FROM core_dossier_time") == [(at("11-16 17:00"), None, None)]


@pytest.mark.parametrize(
    ("procedure", "due", "gap"),
    [
        ("P1", "11-16 08:00", 0),    # the day counts, not the hour
        ("P1", "11-17 17:00", 1), ("P1", "11-13 17:00", -1), ("P1", "11-25 17:00", 6), ("P1", "11-15 17:00", -1),
        ("P2", "11-10 09:00", 0), ("P2", "11-11 09:00", 1),
    ],
)
def test_the_delivered_due_date_is_compared_in_working_days(store: Store, procedure: str, due: str, gap: int) -> None:
    bring(store, dossier("1", procedure_code=procedure, due_at=at(due)))
    settle(store)
    assert times(store)["1"][1] == gap


def test_each_agency_is_judged_by_the_nearest_calendar_above_it(store: Store) -> None:
    codes = ("H99.1", "H99.2", "H99.2.3", "H99.2.7", "H99.22")
    bring(store, *(dossier(code, agency=code, finished_at=at("11-14 17:00")) for code in codes))
    settle(store, OFFICES)
    # Monday 09:00 to Saturday: 5 days less 2 h; 4 mornings less 1 h (Wednesday rests); Saturday too: 5 mornings less 1 h
    assert {name: worked for name, (worked, _) in times(store).items()} == {
        "H99.1": 38.0, "H99.22": 38.0, "H99.2": 15.0, "H99.2.3": 15.0, "H99.2.7": 19.0,
    }
    city = open_city(store, OFFICES, DEMO_SCOPE, NOW)
    (mean,) = kpis.read(city, ["dossiers_worked_days_mean"], parse_period("2026-11", city.today))
    assert (mean.value, mean.n) == (pytest.approx((2 * 38 / 8 + 2 * 15 / 4 + 19 / 4) / 5), 5)  # a day of each is its own


def test_another_calendar_limit_or_rule_judges_every_dossier_anew(store: Store) -> None:
    bring(store, dossier("1"), dossier("2", procedure_code="P3"))
    settle(store)
    assert not ask_anew(store, CONFIG)
    resting = replace(CONFIG, calendar=CalendarConfig(overrides={"2026-11-11": "rest"}))
    settle(store, resting)
    assert times(store) == {"1": (17.0, -1), "2": (17.0, None)}
    store.write(lambda connection: put_procedures(connection, (ProcedureRow("P3", "P3", "D1", "D", 2),)))
    assert ask_anew(store, resting)
    settle(store, resting)
    assert times(store)["2"] == (17.0, 2)  # due on Thursday 12th; Friday and Monday lie between
    assert ask_anew(store, CONFIG)


def test_judging_again_changes_nothing_and_wakes_nobody(store: Store) -> None:
    bring(store, dossier("1"), dossier("2", status=4, finished_at=None))
    settle(store)
    before = ask(store, "SELECT * FROM core_dossier_time ORDER BY source_id")
    store.write(log_all_unjudged)
    while judge_round(store, CONFIG)[0]:
        pass
    assert ask(store, "SELECT * FROM core_dossier_time ORDER BY source_id") == before
    assert ask(store, "SELECT count(*) FROM ops_dirty") == [(0,)]


def test_what_is_taken_back_or_refused_leaves_no_time(store: Store) -> None:
    bring(store, *(dossier(name) for name in ("deleted", "refused", "moved", "stays")))
    settle(store)
    bring(store, DossierRow("deleted", version=2, is_deleted=True), dossier("refused", status=3, finished_at=None, version=2))
    bring(store, dossier("moved", agency="H99.9", version=2))
    settle(store)
    assert sorted(times(store)) == ["moved", "stays"]
    assert ask(store, "SELECT agency_code, worked_n, due_checked FROM rollup_dossier_day WHERE worked_n > 0 ORDER BY 1") == [
        ("H99.1", 1, 0), ("H99.9", 1, 0),
    ]


def test_the_fold_is_right_while_judging_lags(store: Store) -> None:
    bring(store, dossier("1"), dossier("2"))
    settle(store)
    bring(store, dossier("1", finished_at=at("11-13 10:00"), agency="H99.9", version=2), DossierRow("2", version=2, is_deleted=True))
    drain(store, instant(NOW))  # without judging: its rows still count where they stood
    with store.reading() as connection:
        assert rollup_differences(connection, TZ, read_clock(connection)) == []
    settle(store)
    assert ask(store, "SELECT agency_code, finished, worked_n FROM rollup_dossier_day WHERE finished > 0") == [("H99.9", 1, 1)]


def test_a_dossier_that_changes_while_it_is_judged_is_judged_again(store: Store) -> None:
    bring(store, dossier("changes"), dossier("goes"), dossier("stays"))
    with store.reading() as connection:
        taken = take_unjudged(connection, 10)
    bring(store, dossier("changes", finished_at=at("11-13 10:00"), version=2), DossierRow("goes", version=2, is_deleted=True))
    stale = [
        (row.feed, row.source_id, row.version, row.hash, row.agency_code, row.domain_code, row.procedure_code, row.received_on,
         row.finished_on, 3600, 28_800, 3600, None, None) for row in taken.rows
    ]
    store.write(lambda connection: put_judged(connection, taken, stale))
    assert times(store) == {"stays": (1.0, None)}
    assert is_waiting(store)
    settle(store)
    assert times(store)["changes"] == (33.0, 0)


def test_rounds_of_any_size_give_the_same_times(store: Store) -> None:
    bring(store, *(dossier(str(number), finished_at=at("11-10 08:00") + number * 3_600_000_000) for number in range(30)))
    settle(store)
    whole = times(store)
    store.write(log_all_unjudged)
    store.write(lambda connection: connection.execute(text("DELETE FROM core_dossier_time")))
    while judge_round(store, CONFIG, limit=7)[0]:
        fold(store, instant(NOW), limit=3)
    assert times(store) == whole
    settle(store)


def test_rebuild_after_judging_anew_gives_the_same_cells(store: Store) -> None:
    bring(store, dossier("1"), dossier("2", due_at=at("11-30 17:00")))
    settle(store)
    cells = ask(store, "SELECT * FROM rollup_dossier_day ORDER BY day, agency_code, domain_code")
    judge_anew(store, CONFIG)
    rebuild(store, instant(NOW))
    assert ask(store, "SELECT * FROM rollup_dossier_day ORDER BY day, agency_code, domain_code") == cells
    assert ask(store, "SELECT sum(worked_n), sum(due_checked), sum(due_differs) FROM rollup_dossier_day") == [(2, 2, 1)]


def test_the_ingest_loop_judges_what_lands_and_what_a_new_calendar_asks(store: Store) -> None:
    config = replace(CONFIG, feeds=())
    bring(store, dossier("1"))
    with closing(Ingest(store, config, now=lambda: NOW)) as work:
        work.turn()
    assert times(store) == {"1": (25.0, 0)}
    assert ask(store, "SELECT sum(worked_n) FROM rollup_dossier_day") == [(1,)]
    resting = replace(config, calendar=CalendarConfig(overrides={"2026-11-11": "rest"}))
    with closing(Ingest(store, resting, now=lambda: NOW)) as work:
        work.turn()
    assert times(store) == {"1": (17.0, -1)}


def test_landings_and_two_judges_at_once_end_in_the_right_times(store: Store) -> None:
    names, stop = [str(number) for number in range(12)], threading.Event()

    def keep_judging() -> None:
        while not stop.is_set():
            judge_round(store, CONFIG, limit=5)

    judges = [threading.Thread(target=keep_judging) for _ in range(2)]
    for thread in judges:
        thread.start()
    for version in range(1, 8):
        ended = at("11-10 08:00") + version * 7_200_000_000
        bring(store, *(dossier(name, finished_at=ended, version=version) for name in names))
    stop.set()
    for thread in judges:
        thread.join()
    settle(store)
    assert len(times(store)) == 12
    assert len(set(times(store).values())) == 1
    assert ask(store, "SELECT DISTINCT version FROM core_dossier_time") == [(7,)]


def test_times_of_random_dossiers_equal_those_of_a_clock_of_minutes(store: Store) -> None:
    chance = random.Random(7)
    first, last = at("01-01 00:00"), at("11-30 00:00")

    def some(after: int) -> int:
        return after + chance.randrange(1, 20 * 86_400) * 1_000_000

    rows = []
    for number in range(150):
        received = chance.randrange(first, last - 60 * 86_400_000_000, 1_000_000)
        starts = (some(received), some(received))[: chance.randrange(3)]
        stops = [Stop(start, some(start) if chance.random() < 0.8 else None) for start in starts]
        rows.append(dossier(str(number), received_at=received, finished_at=some(received), due_at=some(received), stops=tuple(stops)))
    bring(store, *rows)
    settle(store)
    minutes = Minutes(TZ, first, last)
    found = {name: right for name, *right in ask(store, "SELECT source_id, worked_s, expected_due_at, due_gap_wd FROM core_dossier_time")}
    for row in rows:
        spans = {stop.stopped_at: stop.resumed_at for stop in row.stops}
        assert row.finished_at is not None
        assert row.due_at is not None
        over = [(start, end) for start, end in spans.items() if end is not None and end < row.finished_at]
        due = minutes.due(row.received_at or 0, 5, over)
        worked = minutes.net(row.received_at or 0, row.finished_at, spans.items()) // 1_000_000
        assert found[row.source_id] == [worked, due, minutes.gap(due, row.due_at)]


def test_investment_is_the_mean_of_what_the_city_file_names(store: Store) -> None:
    bring(
        store, *(dossier(f"p{number}", procedure_code="P3") for number in range(3)),
        *(dossier(f"d{number}", domain_code="D2", finished_at=at("11-09 17:00")) for number in range(3)),
        *(dossier(f"o{number}", finished_at=at("11-18 17:00")) for number in range(9)),
        dossier("both", procedure_code="P3", domain_code="D2"),
    )
    settle(store)

    def mean(**chosen: tuple[str, ...]) -> tuple[float | None, int | None]:
        config = replace(CONFIG, kpi_choices={"investment_lead_days_mean": KpiChoice(**chosen)} if chosen else {})
        city = open_city(store, config, DEMO_SCOPE, NOW)
        (value,) = kpis.read(city, ["investment_lead_days_mean"], parse_period("2026-11", city.today))
        return value.value, value.n

    assert mean(procedures=("P3",), domains=("D2",)) == (pytest.approx((4 * 25 + 3 * 6) / 8 / 7), 7)
    assert mean(procedures=("P3",)) == (None, 4)  # too few to tell
    assert mean() == (None, 0)


def test_the_page_of_a_dossier_knows_its_time_and_both_due_dates(store: Store) -> None:
    bring(store, dossier("1", due_at=at("11-18 17:00")), dossier("2", procedure_code="P3", status=4, finished_at=None))
    settle(store)
    city = open_city(store, CONFIG, DEMO_SCOPE, NOW)
    found, untimed = one(city, "one_stop", "1"), one(city, "one_stop", "2")
    assert found is not None
    assert found.time is not None
    assert (found.time.worked_days, found.time.expected_due_at, found.time.due_gap) == (25 / 8, at("11-16 17:00"), 2)
    assert untimed is not None
    assert untimed.time is not None
    assert (untimed.time.worked_hours, untimed.time.limit, untimed.time.expected_due_at) == (73.0, None, None)  # up to now


# ---- the city file ----------------------------------------------------------------------------------------------------


def test_agency_calendars_inherit_hours_rest_and_days() -> None:
    raw = {
        "city": {"name": "T"},
        "calendar": {"overrides": {"2026-01-02": "rest", "2026-01-10": "work"}},
        "agency_calendars": {
            "H99.2": {"hours": ["08:00-12:00", "13:00-17:00"], "overrides": {"2026-01-10": "afternoon"}},
            "H99.2.7": {"rest_weekdays": [6], "overrides": {"2026-01-12": "09:00-10:00"}},
        },
    }
    config = parse_config(raw, Path("."), {})
    below = calendar_for(config, "H99.2.7.1")
    assert calendar_for(config, "H99.2.7.1") is calendar_for(config, "H99.2.7")
    assert calendar_for(config, "H99.21") is calendar_for(config)
    assert (below.rest_weekdays, len(below.overrides)) == (frozenset({6}), 3)
    assert below.hours == calendar_for(config, "H99.2").hours != calendar_for(config).hours


@pytest.mark.parametrize(
    ("tables", "fault"),
    [
        ({"H99.2": {"hours": ["8-12"]}}, r'\[agency_calendars."H99.2"\] hours\[1\]'),
        ({"H99.2": {"overrides": {"2026-01-10": "siesta"}}}, r'\[agency_calendars."H99.2"\] overrides.2026-01-10: unknown kind'),
        ({"H99.2": {"hours": ["08:00-12:00"], "overrides": {"2026-01-10": "morning"}}}, "one stretch of hours"),
        ({"H99": {"2": {"hours": ["08:00-12:00"]}}}, "a code with dots needs quotes"),
        ({"H99.2": {"rest_weekdays": [0, 1, 2, 3, 4, 5, 6]}}, "needs at least one working day"),
        ({"H99.2": {"country": "NL"}}, "unknown setting 'country'"),
    ],
)
def test_faults_of_agency_calendars_name_the_table_and_the_setting(tables: dict[str, Any], fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        parse_config({"city": {"name": "T"}, "agency_calendars": tables}, Path("."), {})


def test_faults_of_the_province_are_told_once() -> None:
    raw = {"city": {"name": "T"}, "calendar": {"hours": ["8-12"], "stop_rule": "x"}, "agency_calendars": {"H99": {"rest_weekdays": [6]}}}
    with pytest.raises(ConfigError) as told:
        parse_config(raw, Path("."), {})
    assert len(str(told.value).splitlines()) == 3


def test_limits_have_units_in_the_catalogue(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "procedures.csv"
    path.write_text("code,name,limit_days,limit_unit\nA,a,3,m\nB,b,3,\nC,c,1.5,wd\n", encoding="utf-8")
    load_catalogue(store, {"procedures": str(path)})
    assert ask(store, "SELECT code, limit_unit FROM core_procedure WHERE code IN ('A', 'B', 'C') ORDER BY 1") == [
        ("A", "m"), ("B", "wd"), ("C", "wd"),
    ]
    for line, fault in (("D,d,3,week", "limit_unit 'week' is none"), ("D,d,1.5,m", "no whole number")):
        path.write_text(f"code,name,limit_days,limit_unit\n{line}\n", encoding="utf-8")
        with pytest.raises(CatalogueError, match=fault):
            load_catalogue(store, {"procedures": str(path)})


def test_the_minutes_of_a_year_are_those_of_the_wall() -> None:
    """The oracle itself: Tết, the make-up Saturday and lunch, counted by hand."""
    minutes = Minutes(TZ, at("02-01 00:00"), at("11-30 00:00"))
    assert minutes.worked(at("02-13 16:00"), at("02-23 08:00")) == 2 * 3_600_000_000
    assert minutes.worked(at("08-22 00:00"), at("08-23 00:00")) == 8 * 3_600_000_000
    assert minutes.due(at("02-13 09:00"), 5, ()) == at("02-27 17:00")
    assert minutes.later(at("11-20 11:00"), timedelta(hours=1) // timedelta(microseconds=1)) == at("11-20 14:00")
