"""Limits of air quality: dated rows, a province's own before the national ones; alarm levels of rivers; classes of rain."""

from __future__ import annotations

from datetime import date

import pytest

from config.limits import WaterAlarm, parse_limits, parse_water_alarms
from metrics.air_limits import NATIONAL, LimitBook, judge_days, judge_year, limits_of
from metrics.vn_aqi import AirDay
from metrics.water import RAIN_CLASSES, rain_class, state_of
from store.days import number_of

UG = "µg/m³"


def book(*own: dict[str, object]) -> LimitBook:
    faults: list[str] = []
    rows = parse_limits(list(own), faults)
    assert faults == []
    return LimitBook(limits_of(rows))


def day(on: date, name: str = "pm25", mean: float = 46.0, **changed: object) -> AirDay:
    row = {"hours": 24, "hour_mean": mean, "hour_high": mean, "high_8h": None, "measure_unit": UG, **changed}
    return AirDay(datastream=1, station="f/s", property=name, on=number_of(on), **row)  # type: ignore[arg-type]


# --- dates --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("on", "limit"), [(date(2025, 12, 31), 50.0), (date(2026, 1, 1), 45.0), (date(2023, 9, 12), 50.0), (date(2023, 9, 11), None)],
)
def test_the_daily_limit_of_fine_dust_is_50_until_2025_and_45_from_2026(on: date, limit: float | None) -> None:
    found = book().on(number_of(on), "pm25", UG, "24h")
    assert (found and found.value) == limit


def test_the_same_mean_is_allowed_on_the_last_day_of_2025_and_above_on_the_first_of_2026() -> None:
    found = judge_days(book(), [day(date(2025, 12, 31)), day(date(2026, 1, 1))], {})
    assert [(row.limit.value, row.judged, row.above) for row in found] == [(50.0, 1, 0), (45.0, 1, 1)]


def test_no_national_value_has_been_verified() -> None:
    assert not any(row.verified for row in NATIONAL)
    assert all(row.source for row in NATIONAL)


def test_two_national_rows_never_hold_on_one_day() -> None:
    for row in NATIONAL:
        others = [o for o in NATIONAL if o is not row and (o.property, o.averaging) == (row.property, row.averaging)]
        for other in others:
            assert (row.valid_to or date.max) < other.valid_from or (other.valid_to or date.max) < row.valid_from


def test_a_province_may_set_a_limit_of_its_own_for_a_while() -> None:
    own = {"property": "pm25", "averaging": "24h", "value": 40.0, "valid_from": "2026-03-01", "valid_to": "2026-03-31", "source": "QĐ"}
    limits = book(own)
    found = [limits.on(number_of(date(2026, month, 31)), "pm25", UG, "24h") for month in (1, 3, 5)]
    assert [row and row.value for row in found] == [45.0, 40.0, 45.0]


# --- what is judged -----------------------------------------------------------------------------------------
def test_a_mean_at_the_limit_is_not_above_it() -> None:
    assert [row.above for row in judge_days(book(), [day(date(2026, 5, 1), mean=45.0)], {})] == [0]


@pytest.mark.parametrize(("hours", "judged"), [(18, [1]), (17, [])])
def test_a_day_needs_eighteen_hours_to_be_judged(hours: int, judged: list[int]) -> None:
    assert [row.judged for row in judge_days(book(), [day(date(2026, 5, 1), hours=hours)], {})] == judged


def test_ozone_is_judged_by_every_hour_and_by_its_highest_eight() -> None:
    one = day(date(2026, 5, 1), "o3", 90.0, hour_high=230.0, high_8h=121.0)
    found = judge_days(book(), [one], {(1, one.on): 3})
    assert [(row.averaging, row.judged, row.above) for row in found] == [("1h", 24, 3), ("8h", 1, 1)]


def test_a_value_in_another_unit_is_not_judged() -> None:
    assert judge_days(book(), [day(date(2026, 5, 1), measure_unit="ppb")], {}) == ()


@pytest.mark.parametrize(("days", "judged"), [(274, [(1, 1)]), (273, [])])
def test_a_year_needs_three_quarters_of_its_days(days: int, judged: list[tuple[int, int]]) -> None:
    first = number_of(date(2026, 1, 1))
    rows = [day(date.fromordinal(date(2026, 1, 1).toordinal() + n), mean=26.0) for n in range(days)]
    found = judge_year(book(), rows, number_of(date(2026, 12, 31)))
    assert [(row.judged, row.above) for row in found] == judged
    assert rows[0].on == first


# --- the city file --------------------------------------------------------------------------------------------
def test_every_fault_of_the_rows_is_told_with_its_place() -> None:
    faults: list[str] = []
    parse_limits([{"property": "pm25", "averaging": "2h", "value": 1.0}, {"averaging": "1h", "value": "x"}, 7], faults)
    parse_limits([{"property": "o3", "averaging": "1h", "value": 1.0, "valid_to": "tomorrow", "extra": 1}], faults)
    low = {"feed": "f", "station": "s", "alarm_1": 3.0, "alarm_2": 2.0, "alarm_3": 4.0}
    parse_water_alarms([low, {**low, "alarm_2": 3.5}], faults)
    told = "\n".join(faults)
    for part in (
        "limits[1]: averaging '2h'", "limits[2]: property is missing", "limits[2]: value: 'x'", "limits[3]: must be a table",
        "unknown setting 'extra'", "water_alarms[1] (s): alarm_1, alarm_2 and alarm_3 must rise", "water_alarms[2]: station 's'",
    ):
        assert part in told


# --- water and rain -------------------------------------------------------------------------------------------
LONG_BIEN = WaterAlarm("f", "hn", 9.5, 10.5, 11.5, source="Decision 05/2020/QĐ-TTg")


@pytest.mark.parametrize(
    ("level", "state"),
    [(9.49, "below"), (9.5, "alarm_1"), (10.49, "alarm_1"), (10.5, "alarm_2"), (11.49, "alarm_2"), (11.5, "alarm_3"), (11.51, "above_3")],
)
def test_the_red_river_at_long_bien_alarms_at_its_own_levels(level: float, state: str) -> None:
    assert state_of(level, LONG_BIEN) == state


@pytest.mark.parametrize(
    ("mm", "key"),
    [(0.0, "none"), (0.04, "none"), (0.1, "light"), (15.9, "light"), (16.0, "moderate"), (50.0, "moderate"), (51.0, "heavy"),
     (100.0, "heavy"), (100.1, "very_heavy")],
)
def test_rain_of_a_day_has_its_class(mm: float, key: str) -> None:
    assert rain_class(mm).key == key


def test_rain_classes_are_from_memory_and_say_so() -> None:
    assert not any(row.verified for row in RAIN_CLASSES)
