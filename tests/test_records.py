"""The pages of single records: the clock, the pace among its like, what lies near, what a station said; on both engines."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from dash.development.base_component import Component
from sqlalchemy import text

from callbacks import dossier as dossier_page
from callbacks import report as report_page
from callbacks import station as station_page
from components.desk_links import View, read_view
from metrics.city import City, open_city
from metrics.city.findings import pace
from metrics.city.measured import devices, station_series, stations
from metrics.city.records import dossiers, near, report_clock, reports
from metrics.city.records.dossiers import DossierDetail
from metrics.city.remembered import Remembered
from metrics.periods import parse_period
from metrics.worktime import working_seconds
from scope import Scope, scope_of
from store import plans
from store.days import DAY, HOUR, moment
from store.engine import Store
from store.landing import Landing, land
from store.rows import Parsed
from tests.record_city import AT, MORNING, NOW, OPEN, config_of, open_filled, open_own

ANALYST = scope_of("analyst", actor="user:a")
LEADER = scope_of("leader", actor="user:l")  # reads no free text: cells instead of points, states instead of words


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def store(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    found = open_filled(request.param, make_database)
    yield found
    found.dispose()


def city_of(store: Store, scope: Scope = ANALYST) -> City:
    return open_city(store, config_of(""), scope, NOW)


def dossier(store: Store, source_id: str, scope: Scope = ANALYST) -> DossierDetail:
    found = dossiers.one(city_of(store, scope), "one_stop", source_id)
    assert found is not None
    return found


def words(children: Any) -> str:
    """All text inside, and what pictures say."""
    parts = children if isinstance(children, list | tuple) else [children]
    said = []
    for part in parts:
        if isinstance(part, Component):
            said += [getattr(part, "aria-label", "") or "", words(getattr(part, "children", None))]
        elif part is not None:
            said.append(str(part))
    return " ".join(said)


# --- the clock ------------------------------------------------------------------------------------------------
def test_the_clock_ends_at_the_working_days_the_page_tells(store: Store) -> None:
    for number in range(0, 24, 5):
        found = dossier(store, f"P1-{number:03}")
        assert found.clock is not None and found.time is not None
        assert found.clock.line[-1][1] == pytest.approx(found.time.worked_days)
        assert found.clock.line[0] == (MORNING, 0.0)


def test_the_clock_never_runs_back_and_stands_still_in_a_stop(store: Store) -> None:
    found = dossier(store, "WAIT-1").clock
    assert found is not None
    days = [worked for _, worked in found.line]
    assert days == sorted(days)
    assert {worked for at, worked in found.line if at >= MORNING + DAY} == {1.0}
    assert found.stops == ((MORNING + DAY, AT),)


def test_what_the_due_date_allows_is_the_working_time_until_it(store: Store) -> None:
    city, found = city_of(store), dossier(store, "OPEN-1")
    assert found.clock is not None and found.item.due_at is not None
    allowed = working_seconds(city.calendar, moment(MORNING), moment(found.item.due_at)) / 28_800
    assert found.clock.limit_days == pytest.approx(allowed) == 3.0


def test_a_dossier_that_waits_since_before_its_due_date_is_judged_at_the_stop(store: Store) -> None:
    waiting, running = dossier(store, "WAIT-1").clock, dossier(store, "OPEN-1").clock
    assert waiting is not None and running is not None and waiting.due_at is not None and running.due_at is not None
    assert waiting.verdict_at < waiting.due_at < waiting.until_at
    assert running.verdict_at == running.until_at > running.due_at


@pytest.mark.parametrize("source_id", ["NEW-1", "REFUSED-1", "BACK-1"])
def test_outside_the_stock_there_is_no_clock_and_no_pace(store: Store, source_id: str) -> None:
    found = dossier(store, source_id)
    assert found.clock is None and found.pace is None


def test_a_reader_without_free_text_sees_when_steps_were_taken_but_no_words_of_the_office(store: Store) -> None:
    told = dossier(store, "P1-000", LEADER).clock
    full = dossier(store, "P1-000").clock
    assert told is not None and full is not None
    assert [one.start_at for one in told.steps] == [one.start_at for one in full.steps]
    assert {(one.name, one.department) for one in told.steps} == {("", "")}
    assert "Tiếp nhận" in {one.name for one in full.steps}


# --- the pace among its like -------------------------------------------------------------------------------------
def test_the_pace_is_the_quartiles_of_the_dossiers_of_the_procedure(store: Store) -> None:
    with store.reading() as connection:
        rows = connection.execute(
            text("SELECT worked_s * 1.0 / day_s FROM core_dossier_time WHERE procedure_code = 'P1' AND finished_on IS NOT NULL")
        ).scalars().all()
    found = dossier(store, "OPEN-1").pace
    assert found is not None and found.n == len(rows) == 24
    assert (found.low, found.median, found.high) == pytest.approx(tuple(np.quantile([float(row) for row in rows], (0.25, 0.5, 0.75))))
    assert found.share_within(found.days[0]) == pytest.approx(100 * sum(day == found.days[0] for day in found.days) / 24)


def test_the_pace_of_a_reader_of_one_agency_is_that_agencys(store: Store) -> None:
    found = dossier(store, "OPEN-1", scope_of("analyst", agencies=("H9.1",), actor="user:o")).pace
    assert found is not None and found.n == 12


def test_of_a_procedure_with_few_dossiers_no_pace_is_told(store: Store) -> None:
    assert dossier(store, "NODUE-1").pace is None


def test_the_pace_is_worked_out_once_for_all_readers_of_the_same_rights(store: Store) -> None:
    shared, asked = Remembered(), 0

    def counted(connection: Any, city: City, procedure: str, domain: str) -> Any:
        nonlocal asked
        asked += 1
        return original(connection, city, procedure, domain)

    original = pace._read
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pace, "_read", counted)
        for scope in (ANALYST, ANALYST, scope_of("analyst", agencies=("H9.1",), actor="user:o")):
            dossiers.one(replace(city_of(store, scope), remembered=shared), "one_stop", "OPEN-1")
    assert asked == 2


def test_the_pace_is_read_from_the_index_in_its_order(store: Store) -> None:
    """However many dossiers a procedure has, SAMPLE entries are read: nothing is sorted, no table is looked into."""
    with plans.explained(store) as seen, store.reading() as connection:
        if not store.is_sqlite:
            connection.execute(text("SET LOCAL enable_seqscan = off"))  # so small a table is read whole: is there another way?
        pace.read(connection, city_of(store), "P1", "")
    (plan,) = [plan.steps for plan in seen if "core_dossier_time" in plan.statement]
    assert "ix_time_procedure" in plan and "TEMP B-TREE" not in plan and "Sort" not in plan, plan


# --- near a report ---------------------------------------------------------------------------------------------------
def report(store: Store, source_id: str, scope: Scope = ANALYST) -> reports.ReportDetail:
    found = reports.one(city_of(store, scope), "feedback", source_id)
    assert found is not None
    return found


def every_report(store: Store) -> list[Any]:
    with store.reading() as connection:
        return list(connection.execute(text("SELECT source_id, received_at, received_on, lon, lat FROM core_report")).all())


def metres(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    """On a ball, by another formula than the program's."""
    a, b = math.radians(lat), math.radians(other_lat)
    turn = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(math.radians(other_lon - lon) / 2) ** 2
    return 2 * 6_378_165.6 * math.asin(math.sqrt(turn))


def test_near_a_report_are_exactly_those_within_500_m_and_14_days(store: Store) -> None:
    rows = every_report(store)
    for number in (0, 7, 23, 41):
        item = report(store, f"R-{number}").item
        own = next(row for row in rows if row[0] == item.source_id)
        others = [row for row in rows if row[3] is not None and row[0] != item.source_id and abs(row[2] - own[2]) <= 14]
        expected = {row[0] for row in others if metres(own[3], own[4], row[3], row[4]) <= 500}
        found = near.of_report(city_of(store), item, item.source_id)
        assert found is not None and {row.source_id for row in found.rows} == expected and found.n == len(expected)
        assert [row.metres for row in found.rows] == sorted(row.metres for row in found.rows if row.metres is not None)


def test_the_list_of_the_neighbours_place_and_days_has_them_all(store: Store) -> None:
    """As the link asks for it. For readers of cells exactly the neighbours; a ring of corners is a little smaller than the circle."""
    for scope in (ANALYST, LEADER):
        city = city_of(store, scope)
        item = report(store, "R-0", scope).item
        found = near.of_report(city, item, "R-0")
        days = f"{city.today - timedelta(days=3 + near.DAYS)}..{city.today - timedelta(days=3 - near.DAYS)}"
        listed = reports.read(city, reports.chosen({"within": near.drawn(city, item), "received": days}), limit=200).rows
        assert found is not None
        keys = {row.source_id for row in listed} - {"R-0"}
        close = {row.source_id for row in found.rows if row.metres is None or row.metres < 0.97 * near.RADIUS_M}
        assert close <= keys <= {row.source_id for row in found.rows} and len(close) >= 5


def test_a_version_that_changed_the_agency_names_both(make_database: Callable[..., str]) -> None:
    store = open_own(make_database)
    moved = replace(OPEN[0], agency="H9.2", version=2)
    land(store, Parsed(dossiers=(moved,), item_count=1), Landing("one_stop", "one_stop", AT - HOUR // 8))
    city = city_of(store)
    assert "Sở Một → Sở Hai" in re.sub(r"\s+", " ", words(dossier_page.draw_one(city, view_of(city, "/dossiers/one_stop~OPEN-1"))))
    store.dispose()


def test_a_report_without_a_place_has_no_neighbours(store: Store) -> None:
    assert near.of_report(city_of(store), report(store, "R-NOWHERE").item, "R-NOWHERE") is None


def test_who_may_not_know_places_is_told_of_the_cell_alone(store: Store) -> None:
    """Nothing in the answer tells one place in a cell from another: neither who is near nor in which order."""
    city, item = city_of(store, LEADER), report(store, "R-0", LEADER).item
    found = near.of_report(city, item, "R-0")
    grid = near.grid_of_reader(city)
    assert found is not None and found.is_cell and grid is not None and found.rows
    rows = {row[0]: row for row in every_report(store) if row[3] is not None}
    cell = {key for key, row in rows.items() if (grid.lon(row[3]), grid.lat(row[4])) == (item.lon, item.lat)}
    assert {row.source_id for row in found.rows} == {key for key in cell if abs(rows[key][2] - rows["R-0"][2]) <= 14} - {"R-0"}
    assert {(row.metres, row.lon, row.lat) for row in found.rows} == {(None, item.lon, item.lat)}
    assert [abs(row.hours) for row in found.rows] == sorted(abs(row.hours) for row in found.rows)


def test_a_reader_of_one_agency_sees_only_its_reports_near(store: Store) -> None:
    scope = scope_of("analyst", agencies=("H9.1",), actor="user:o")
    found = near.of_report(city_of(store, scope), report(store, "R-0", scope).item, "R-0")
    assert found is not None and found.rows
    assert all(int(row.source_id.removeprefix("R-")) % 3 for row in found.rows)


def test_a_reports_clock_goes_from_state_to_state(store: Store) -> None:
    found = report_clock.read(city_of(store), report(store, "R-0"))
    assert found is not None
    assert [(one.name, one.start_at) for one in found.steps] == [("received", AT - 3 * DAY), ("resolved", AT - HOUR // 2)]
    assert found.until_at == AT - HOUR // 2 and found.is_ended


def test_an_open_report_without_history_is_in_its_state_since_its_receipt(store: Store) -> None:
    found = report_clock.read(city_of(store), report(store, "R-1"))
    assert found is not None
    assert [(one.name, one.end_at) for one in found.steps] == [("in_progress", None)]


# --- a station -------------------------------------------------------------------------------------------------------
def station(store: Store, source_id: str) -> stations.StationState:
    return next(row for row in stations.read(city_of(store)) if row.source_id == source_id)


def test_a_series_holds_the_hours_of_its_span_and_only_those(store: Store) -> None:
    city = city_of(store)
    (value,) = station(store, "S1").values
    two_days = station_series.read(city, value, "48h")
    assert len(two_days.points) == 48 - 6
    assert all(two_days.start_at <= point.at <= two_days.end_at for point in two_days.points)
    assert len(station_series.read(city, value, "7d").points) == 72 - 6
    with pytest.raises(ValueError, match="span"):
        station_series.read(city, value, "3w")


def sound(store: Store, datastream_id: int) -> list[tuple[int, float]]:
    """(instant, value) of the readings that are believed."""
    ask = text("SELECT observed_at, value FROM core_reading WHERE datastream_id = :id AND flag = 0")
    with store.reading() as connection:
        return [(row[0], row[1]) for row in connection.execute(ask, {"id": datastream_id})]


def test_days_of_a_year_have_the_means_of_the_readings(store: Store) -> None:
    city = city_of(store)
    (value,) = station(store, "S1").values
    found = station_series.read(city, value, "365d").points
    by_day: dict[int, list[float]] = {}
    for at, read in sound(store, value.datastream_id):
        by_day.setdefault(store.days.starts_at(store.days.on(at) or 0), []).append(read)
    assert {point.at: point.mean for point in found} == pytest.approx({at: sum(read) / len(read) for at, read in by_day.items()})


def test_a_limit_stands_beside_the_mean_it_is_about(store: Store) -> None:
    city = city_of(store)
    (value,) = station(store, "S1").values
    assert station_series.read(city, value, "48h").bounds == ()  # of PM2.5 there is no limit of one hour
    assert [bound.key for bound in station_series.read(city, value, "365d").bounds] == ["limit_24h"]


def test_the_days_a_station_spoke_on_add_up_to_its_uptime(store: Store) -> None:
    city, row = city_of(store), station(store, "S1")
    (value,) = row.values
    days = [one for one in station_series.days_heard(city, [value.datastream_id]) if one.expected]
    period = parse_period(f"{city.today.replace(day=1)}..{city.today}", city.today)
    told = next(one for one in devices.uptime(city, period) if one.datastream_id == value.datastream_id)
    past = [at for at, _ in sound(store, value.datastream_id) if (store.days.on(at) or 0) < city.today_on]
    assert sum(one.heard for one in days) == len({at // HOUR for at in past}) > 50
    assert told.heard - sum(one.heard for one in days) == 10  # today's whole hours
    assert station_series.days_heard(city, []) == ()


def test_near_a_station_are_those_that_measure_the_same(store: Store) -> None:
    everything = stations.read(city_of(store))
    found = near.of_station(station(store, "S1"), everything)
    assert [(one.station.source_id, round(one.km, 1)) for one in found] == [("S2", 5.0)]


# --- pages -------------------------------------------------------------------------------------------------------------
def view_of(city: City, path: str, **query: str) -> View:
    return read_view({"path": path, "query": query}, city.config, city.today)


@pytest.mark.parametrize("lang", ["vi", "en"])
@pytest.mark.parametrize("scope", [ANALYST, LEADER], ids=["analyst", "leader"])
def test_every_record_can_be_drawn(store: Store, scope: Scope, lang: str) -> None:
    city = city_of(store, scope)
    pages = [(dossier_page, f"/dossiers/one_stop~{row.source_id}") for row in OPEN] + [(dossier_page, "/dossiers/one_stop~P1-000")]
    pages += [(report_page, f"/reports/feedback~{key}") for key in ("R-0", "R-1", "R-NOWHERE")]
    pages += [(station_page, f"/stations/air~{key}") for key in ("S1", "S3")]
    for page, path in pages:
        said = words(page.draw_one(city, view_of(city, path, lang=lang)))
        assert len(said) > 200 and not re.search(r"\b\w+\.\w+_\w+\b", said), path


def test_the_page_says_who_holds_a_dossier(store: Store) -> None:
    city = city_of(store)

    def said(source_id: str) -> str:
        return words(dossier_page.draw_one(city, view_of(city, f"/dossiers/one_stop~{source_id}", lang="en")))

    assert "With Một cửa, Sở Một, after the step “Tiếp nhận”" in said("OPEN-1")
    assert "Waiting for the applicant since" in said("WAIT-1")
    assert "Ended at" in said("P1-000")
    assert "Registered, not accepted yet." in said("NEW-1")


def test_a_report_of_a_channel_no_text_knows_keeps_the_sources_word(store: Store) -> None:
    city = city_of(store)
    assert "zalo" in words(report_page.draw_one(city, view_of(city, "/reports/feedback~R-0")))


def test_what_a_page_is_told_of_a_report_follows_the_reader(store: Store) -> None:
    city = city_of(store, LEADER)
    said = words(report_page.draw_one(city, view_of(city, "/reports/feedback~R-0", lang="en")))
    assert "same grid cell" in said and "Đèn tắt" not in said
    assert not re.search(r"\d+ m · ", said)


def test_a_neighbour_tells_nothing_of_a_report_but_what_lists_tell() -> None:
    told = {field.name for field in fields(near.Neighbour)}
    assert not told & {"description", "resolution", "channel", "agency_code"}
