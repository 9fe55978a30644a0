"""The demo's storm at its place and hour: rain first, flooding first among reports, all with n; quiet weeks; rights and bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from sqlalchemy import text

from metrics.city import City
from metrics.city.findings import coincident
from metrics.city.findings.coincident import Explained
from metrics.city.findings.coincident_rows import Heard
from metrics.city.findings.moments import moment, spans
from metrics.city.numbers.sums import Choice
from metrics.periods import parse_period
from scope import scope_of
from store.days import HOUR
from store.engine import Store, open_store
from tests.storm_city import FLOODING, NOW, STORM_DAY, TZ, drowned, open_storm, see

ENGINES = ("sqlite", "postgresql")
DAY, HOURS = STORM_DAY.isoformat(), "8..13"


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    opened = open_storm(request.param, make_database)
    yield opened
    opened.dispose()


def told(city: City, period: str = DAY, hours: str = HOURS, area: str | None = None, key: str = "reports_received") -> Explained:
    return coincident.read(city, key, parse_period(period, city.today), hours, Choice(area=drowned().code if area is None else area))


def test_at_the_storms_place_and_hour_rain_and_flooding_rank_first(store: Store) -> None:
    found = told(see(store))
    assert (found.area_code, found.area) == (drowned().code, drowned().name)
    first = found.found[0]
    assert (first.topic, first.kind, first.key) == ("readings", "property", "rain") and first.value > 5 > (first.high or 0)
    of_reports = [one for one in found.found if one.kind == "category"]
    assert of_reports[0].key == FLOODING and of_reports[0].name and of_reports[0].standing is not None and of_reports[0].standing > 3
    assert all(one.n > 0 and one.earlier == 12 for one in found.found)
    assert all(not one.is_own for one in found.found if one.topic == "readings") and of_reports[0].is_own
    assert found.compared > len(found.found) > found.by_chance < 0.2


def test_a_property_measured_nowhere_in_the_place_is_that_of_the_nearest_stations_and_says_how_far(store: Store) -> None:
    wind = next(one for one in told(see(store)).found if one.key == "wind")
    assert wind.distance_km is not None and 0 < wind.distance_km <= 30
    assert next(one for one in told(see(store), area="").found if one.key == "wind").distance_km is None


@pytest.mark.parametrize("period", ["2026-11-11", "2026-10-28", "2026-11-04"])
def test_the_same_hours_of_quiet_weeks_show_next_to_nothing(store: Store, period: str) -> None:
    assert len(told(see(store), period, area="").found) <= 1


def test_whole_days_and_weeks_are_told_too(store: Store) -> None:
    for period in (DAY, "2026-W47"):
        found = told(see(store), period, hours="", area="")
        assert found.found[0].key == "rain" and FLOODING in {one.key for one in found.found}
    assert found.asked is not None and found.asked.is_cut and found.asked.period.days == 4, "the running week is cut at yesterday"


def test_the_running_day_is_cut_at_the_last_full_hour(store: Store) -> None:
    found = told(see(store), "2026-11-20", hours="", area="")
    assert found.asked is not None and found.asked.hours == "0..9" and found.asked.is_cut
    assert told(see(store), "2026-11-20", "11", "").asked is None and told(see(store), "2026-11-27", "", "").asked is None


@pytest.mark.parametrize(("period", "hours", "key", "says"), [
    ("2026-08-01..2026-11-15", "", "reports_received", "at most 14 days"), ("2026-W46", "14", "reports_received", "one day first"),
    (DAY, "25", "reports_received", "one hour of the day"), (DAY, "9..7", "", "one hour of the day"), (DAY, "", "no_such", "is no KPI"),
])
def test_what_cannot_be_meant_is_said(store: Store, period: str, hours: str, key: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        told(see(store), period, hours, key=key)


def test_spans_are_the_same_weekday_and_hours_and_never_overlap(store: Store) -> None:
    city = see(store)
    for period, hours, step in ((DAY, "8..13", 7), ("2026-W45", "", 7), ("2026-10-01..2026-10-10", "", 14)):
        asked = moment(city, parse_period(period, city.today), hours)
        assert asked is not None
        found = spans(city, asked)
        assert len(found) == 13 and {a.start_on - b.start_on for a, b in pairwise(found)} == {step}
        assert all(a.start_at >= b.end_at for a, b in pairwise(found))
        assert not hours or found[0].end_at - found[0].start_at == 6 * HOUR


def test_readers_without_small_counts_are_told_nothing_that_rests_on_a_few(store: Store) -> None:
    found = told(see(store, scope_of("viewer")))
    assert found.withheld > 0 and found.found[0].key == "rain"
    assert not [one for one in (*found.found, *found.others) if one.kind == "category"], "every week has categories with one or two"


def test_a_total_that_would_tell_a_small_part_goes_with_it() -> None:
    heard = [
        Heard("reports", "flow", "received", (3.0, 9.0), 3, True), Heard("reports", "category", "a", (2.0, 9.0), 2, True),
        Heard("reports", "category", "b", (1.0, 0.0), 1, True), Heard("readings", "property", "rain", (1.0, 2.0), 2, False),
    ]
    kept, withheld = coincident.without_small(heard)
    assert [one.key for one in kept] == ["rain"] and withheld == 3


def test_areas_out_of_sight_are_not_read(store: Store) -> None:
    elsewhere = scope_of("analyst", areas=("none",))
    found = told(see(store, elsewhere))
    assert not [one for one in (*found.found, *found.others) if one.value], "neither reports nor readings of what is not theirs"


def test_a_feed_that_was_silent_then_is_named_with_its_hours(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> None:
    copied = open_store(make_database("sqlite", str(open_storm("sqlite", make_database).engine.url)), TZ)
    end = int(NOW.timestamp()) * 1_000_000
    at = [end - hour * HOUR for hour in range(80, 0, -1) if not 45 <= hour <= 52]
    with copied.writing() as connection:
        connection.execute(text("DELETE FROM ops_load"))
        rows = [{"feed": feed, "at": one} for one in at for feed in ("app", "sensors")]
        connection.execute(text("INSERT INTO ops_load (feed, at, error) VALUES (:feed, :at, '')"), rows)
    city = see(copied)
    found = told(city)
    assert [(one.feed, one.from_at, one.until_at) for one in found.silent] == [
        (feed, end - 53 * HOUR, end - 44 * HOUR) for feed in ("app", "sensors")
    ]
    assert told(city, "2026-11-19").silent == ()
    blind = replace(scope_of("analyst"), permissions=scope_of("analyst").permissions - {"see.feeds"})
    assert told(see(copied, blind)).silent == ()
    copied.dispose()


def test_a_public_holiday_is_named(store: Store) -> None:
    found = told(see(store), "2026-09-02", hours="")
    assert [day for day, name in found.off if name] == ["2026-09-02"]
