"""VN_AQI: the decision's tables and worked example, NowCast, hourly, daily, and many stations at once."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics import vn_aqi as aqi

# Typed here a second time, from the published table: an oracle must not read the engine's own.
TABLE = """
o3     160  200  300   400   800   1000   1200
o3_8h  100  120  170   210   400
co   10000 30000 45000 60000 90000 120000 150000
so2    125  350  550   800   1600  2100   2630
no2    100  200  700   1200  2350  3100   3850
pm10    50  150  250   350   420   500    600
pm25    25   50   80   150   250   350    500
"""
STEPS = (50, 100, 150, 200, 300, 400, 500)
BREAKS = {row.split()[0]: [int(cell) for cell in row.split()[1:]] for row in TABLE.strip().splitlines()}


def exact_index(pollutant: str, concentration: Fraction) -> int | None:
    """The formula of the decision in whole fractions, rounded half up."""
    low, low_index = 0, 0
    for high, high_index in zip(BREAKS[pollutant], STEPS, strict=False):
        if concentration <= high:
            exact = Fraction(high_index - low_index, high - low) * (concentration - low) + low_index
            return math.floor(exact + Fraction(1, 2))
        low, low_index = high, high_index
    return 500 if low_index == 500 else None


# --- sub-index and category -------------------------------------------------------------------------------


def test_the_worked_no2_example_of_the_decision_gives_59_where_it_prints_60() -> None:
    assert aqi.sub_index("no2", 118.7) == 59  # 50 + 18.7 / 2 = 59.35


@pytest.mark.parametrize("pollutant", BREAKS)
def test_each_break_has_exactly_its_index(pollutant: str) -> None:
    found = [aqi.sub_index(pollutant, value) for value in BREAKS[pollutant]]
    assert found == list(STEPS[: len(found)])


@given(st.sampled_from(sorted(BREAKS)), st.integers(0, 2_000_000))
def test_every_decimal_concentration_equals_the_exact_formula(pollutant: str, tenths: int) -> None:
    if pollutant != "co":
        tenths %= 50_000
    assert aqi.sub_index(pollutant, tenths / 10) == exact_index(pollutant, Fraction(tenths, 10))


@pytest.mark.parametrize(
    ("pollutant", "concentration", "index"),
    [("pm25", 24.75, 50), ("pm25", 0.25, 1), ("pm25", 0.24, 0), ("no2", 99, 50), ("o3_8h", 100.6, 52)],
)
def test_halves_round_up(pollutant: str, concentration: float, index: int) -> None:
    assert aqi.sub_index(pollutant, concentration) == index


def test_the_table_is_not_that_of_the_us_epa() -> None:
    assert aqi.sub_index("pm25", 35.4) == 71  # 100 in the US


def test_above_the_last_break_the_index_is_500() -> None:
    assert aqi.sub_index("pm25", 501) == aqi.sub_index("co", 1e9) == 500


def test_the_8h_ozone_scale_ends_at_400() -> None:
    assert aqi.sub_index("o3_8h", 400) == 300
    assert aqi.sub_index("o3_8h", 400.1) is None


@pytest.mark.parametrize("missing", [None, math.nan, -1.0, -999.0, math.inf])
def test_a_missing_concentration_has_no_index(missing: float | None) -> None:
    assert aqi.sub_index("pm25", missing) is None


def test_a_measured_zero_is_a_value() -> None:
    assert aqi.sub_index("pm25", 0.0) == 0


def test_an_unknown_pollutant_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'nox': unknown pollutant; one of o3, o3_8h, co"):
        aqi.sub_index("nox", 1.0)


@pytest.mark.parametrize(
    ("low", "high", "key", "colour"),
    [
        (0, 50, "good", "#00E400"), (51, 100, "moderate", "#FFFF00"), (101, 150, "poor", "#FF7E00"),
        (151, 200, "bad", "#FF0000"), (201, 300, "very_bad", "#8F3F97"), (301, 500, "hazardous", "#7E0023"),
    ],
)
def test_categories_hold_from_edge_to_edge(low: int, high: int, key: str, colour: str) -> None:
    for value in (low, high):
        assert (aqi.category(value).key, aqi.category(value).colour) == (key, colour)


@pytest.mark.parametrize("value", [-1, 501])
def test_there_is_no_category_outside_the_scale(value: int) -> None:
    with pytest.raises(ValueError, match="outside 0-500"):
        aqi.category(value)


# --- NowCast ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "mean"),
    [
        ([40.0] * 12, 40.0),
        ([0.0] * 12, 0.0),
        ([10.0, 20.0], (10 + 20 / 2) / 1.5),               # min / max = 1/2
        ([10.0, 100.0], (10 + 100 / 2) / 1.5),             # 1/10: held at 1/2
        ([40.0, 50.0], (40 + 50 * 0.8) / 1.8),             # 0.8
        ([40.0, None, 50.0], (40 + 50 * 0.64) / 1.64),     # a missing hour has no weight, nor shifts the next
        ([None, 40.0, 50.0], (40 * 0.8 + 50 * 0.64) / 1.44),
    ],
)
def test_nowcast_weighs_by_the_spread_of_the_hours(values: list[float | None], mean: float) -> None:
    assert aqi.nowcast(values) == pytest.approx(mean)


@pytest.mark.parametrize(
    "values",
    [
        [], [40.0], [40.0, None, None, *[40.0] * 9], [None, None, 40.0, *[40.0] * 9], [None] * 12,
        [40.0, -999.0],
    ],
)
def test_nowcast_needs_two_of_the_newest_three_hours(values: list[float | None]) -> None:
    assert aqi.nowcast(values) is None


def test_nowcast_refuses_a_thirteenth_hour() -> None:
    with pytest.raises(ValueError, match="NowCast takes 12 hours, not 13"):
        aqi.nowcast([1.0] * 13)


@given(st.lists(st.none() | st.integers(0, 4000).map(lambda n: n / 10), min_size=3, max_size=12))
def test_nowcast_equals_the_sum_written_out(values: list[float | None]) -> None:
    known = [Fraction(str(value)) for value in values if value is not None]
    if sum(value is not None for value in values[:3]) < 2:
        assert aqi.nowcast(values) is None
        return
    w = max(min(known) / max(known), Fraction(1, 2)) if max(known) else Fraction(1)
    pairs = [(w**i, Fraction(str(value))) for i, value in enumerate(values) if value is not None]
    expected = sum(weight * value for weight, value in pairs) / sum(weight for weight, _ in pairs)
    assert aqi.nowcast(values) == pytest.approx(float(expected))


# --- hourly -----------------------------------------------------------------------------------------------


def test_the_highest_sub_index_dominates_not_the_highest_concentration() -> None:
    found = aqi.hourly_aqi({"pm25": [40.0] * 12, "co": [9000.0], "no2": [30.0]})
    assert found == aqi.Aqi(80, "pm25", {"pm25": 80, "no2": 15, "co": 45}, 12)
    assert found.category.key == "moderate"


def test_there_is_no_hourly_index_without_particles() -> None:
    assert aqi.hourly_aqi({"no2": [300.0], "o3": [100.0]}) is None
    assert aqi.hourly_aqi({"pm25": [40.0, None, None], "no2": [300.0]}) is None
    assert aqi.hourly_aqi({}) is None


def test_one_of_the_two_particles_is_enough() -> None:
    found = aqi.hourly_aqi({"pm25": [None] * 12, "pm10": [50.0, 50.0], "no2": [300.0]})
    assert found == aqi.Aqi(110, "no2", {"pm10": 50, "no2": 110}, 1)


def test_gases_count_with_the_current_hour_only() -> None:
    found = aqi.hourly_aqi({"pm25": [25.0, 25.0], "no2": [None, 3000.0], "o3": [160.0, 1000.0]})
    assert found is not None
    assert found.sub_indices == {"pm25": 50, "o3": 50}


def test_equal_sub_indices_name_the_first_pollutant() -> None:
    found = aqi.hourly_aqi({"o3": [160.0], "pm10": [50.0, 50.0, None]})
    assert found == aqi.Aqi(50, "pm10", {"pm10": 50, "o3": 50}, 2)


def test_hours_older_than_twelve_do_not_count() -> None:
    assert aqi.hourly_aqi({"pm25": [25.0] * 12 + [500.0]}) == aqi.Aqi(50, "pm25", {"pm25": 50}, 12)


def test_hourly_refuses_an_unknown_pollutant() -> None:
    with pytest.raises(ValueError, match="'o3_8h': unknown pollutant; one of pm25, pm10, o3"):
        aqi.hourly_aqi({"pm25": [25.0, 25.0], "o3_8h": [10.0]})


# --- daily ------------------------------------------------------------------------------------------------


def test_daily_takes_the_mean_of_particles_and_the_highest_hour_of_gases() -> None:
    found = aqi.daily_aqi({"pm25": [20.0, 30.0] * 12, "pm10": [10.0] * 24, "no2": [10.0] * 23 + [100.0]})
    assert found == aqi.Aqi(50, "pm25", {"pm25": 50, "pm10": 10, "no2": 50}, 24)


def test_daily_ozone_is_the_higher_of_one_and_eight_hours() -> None:
    pm25 = {"pm25": [5.0] * 24}
    steady = aqi.daily_aqi({**pm25, "o3": [120.0] * 24})        # 1 h: 38; 8 h: 100
    spike = aqi.daily_aqi({**pm25, "o3": [0.0] * 23 + [300.0]})  # 1 h: 150; 8 h mean 37.5: 19
    assert steady is not None and steady.sub_indices["o3"] == 100
    assert spike is not None and spike.sub_indices["o3"] == 150


def test_an_8h_ozone_mean_above_400_is_dropped() -> None:
    found = aqi.daily_aqi({"pm25": [5.0] * 24, "o3": [401.0] * 24})
    assert found is not None
    assert found.sub_indices["o3"] == 200  # the 1 h scale alone: 200.25


def test_an_8h_mean_needs_six_hours() -> None:
    six_of_eight = [None, None, *[120.0] * 6]
    five_of_eight = [None, None, None, *[120.0] * 5]
    days = ({"pm25": [5.0] * 24, "o3": hours * 3} for hours in (six_of_eight, five_of_eight))
    found = [aqi.daily_aqi(day, min_hours=1) for day in days]
    assert [one.sub_indices["o3"] if one else None for one in found] == [100, 38]


def test_a_day_with_too_few_hours_is_left_out_not_guessed() -> None:
    eighteen, seventeen = [40.0] * 18 + [None] * 6, [40.0] * 17 + [None] * 7
    assert aqi.daily_aqi({"pm25": eighteen}) == aqi.Aqi(80, "pm25", {"pm25": 80}, 18)
    assert aqi.daily_aqi({"pm25": seventeen}) is None
    assert aqi.daily_aqi({"pm25": seventeen}, min_hours=17) is not None
    assert aqi.daily_aqi({"pm25": [None] * 24}, min_hours=0) is None


def test_there_is_no_daily_index_without_particles() -> None:
    assert aqi.daily_aqi({"no2": [300.0] * 24}) is None


# --- many stations ----------------------------------------------------------------------------------------

HOUR = 498_000  # whole hours since 1970


def rows(*entries: tuple[str, str, int, float]) -> pd.DataFrame:
    """(station, property, hours ago, mean) rows as station_aqi wants them."""
    frame = pd.DataFrame(entries, columns=["station", "property", "hour", "mean"])
    return frame.assign(hour=HOUR - frame["hour"])


def test_station_aqi_names_value_dominant_category_and_hours() -> None:
    found = aqi.station_aqi(
        rows(
            ("hn2", "pm25", 0, 40.0), ("hn2", "pm25", 1, 40.0), ("hn2", "no2", 0, 10.0),
            ("hn1", "pm10", 0, 50.0), ("hn1", "pm10", 2, 50.0), ("hn1", "so2", 0, 350.0),
        ),
        HOUR,
    )
    expected = pd.DataFrame({
        "station": ["hn1", "hn2"], "aqi": pd.array([100, 80], dtype="Int64"), "dominant": ["so2", "pm25"],
        "category": ["moderate", "moderate"], "n": [1, 2],
    })
    pd.testing.assert_frame_equal(found, expected)


def test_a_station_without_an_index_is_shown_as_missing_not_as_zero() -> None:
    found = aqi.station_aqi(
        rows(
            ("gas", "no2", 0, 300.0), ("old", "pm25", 12, 40.0),
            ("bad", "pm25", 0, -999.0), ("bad", "pm25", 1, 9.0),
        ),
        HOUR,
    )
    assert list(found["station"]) == ["bad", "gas", "old"]
    assert found[["aqi", "dominant", "category"]].isna().all(axis=None)
    assert list(found["n"]) == [0, 0, 0]


def test_hours_after_the_one_asked_for_and_other_properties_are_not_read() -> None:
    base = rows(("a", "pm25", 0, 25.0), ("a", "pm25", 1, 25.0))
    noise = rows(
        ("a", "pm25", -1, 500.0), ("a", "no2", 1, 3000.0), ("a", "damp", 0, 99.0), ("b", "rain", 0, 5.0),
    )
    found = aqi.station_aqi(pd.concat([noise, base]), HOUR)
    pd.testing.assert_frame_equal(found, aqi.station_aqi(base, HOUR))


def test_two_sensors_of_one_property_are_averaged() -> None:
    frame = rows(("a", "pm25", 0, 20.0), ("a", "pm25", 0, 30.0), ("a", "pm25", 1, 25.0))
    assert list(aqi.station_aqi(frame, HOUR)["aqi"]) == [50]


def test_no_rows_give_no_stations() -> None:
    found = aqi.station_aqi(rows(("a", "rain", 0, 1.0)), HOUR)
    assert list(found.columns) == ["station", "aqi", "dominant", "category", "n"]
    assert len(found) == 0


def test_nullable_and_integer_columns_are_read_alike() -> None:
    frame = rows(("a", "pm25", 0, 25.0), ("a", "pm25", 1, 25.0), ("a", "pm25", 2, np.nan))
    kinds = {"mean": "Float64", "hour": "Int64", "station": "category", "property": "category"}
    nullable = frame.astype(kinds)
    found, expected = aqi.station_aqi(nullable, HOUR), aqi.station_aqi(frame, HOUR)
    assert found.astype({"station": "str"}).equals(expected)


@pytest.mark.parametrize("seed", range(5))
def test_stations_at_once_equal_each_station_alone(seed: int) -> None:
    random = Random(seed)
    history = {
        station: {
            name: [None if random.random() < 0.3 else round(random.uniform(0, 400), 1) for _ in range(12)]
            for name in aqi.POLLUTANTS if random.random() < 0.7
        }
        for station in range(40)
    }
    frame = pd.DataFrame(
        [
            (station, name, HOUR - age, value)
            for station, means in history.items() for name, values in means.items()
            for age, value in enumerate(values)
        ],
        columns=["station", "property", "hour", "mean"],
    ).sample(frac=1, random_state=seed)
    found = {row.station: row for row in aqi.station_aqi(frame, HOUR).itertuples()}
    for station, means in history.items():
        alone = aqi.hourly_aqi(means)
        if alone is None:
            assert station not in found or pd.isna(found[station].aqi)
        else:
            row = found[station]
            assert (row.aqi, row.dominant, row.n) == (alone.value, alone.dominant, alone.n)
            assert row.category == alone.category.key


@pytest.mark.parametrize("seed", range(5))
def test_days_of_stations_at_once_equal_each_day_alone(seed: int) -> None:
    random = Random(seed)
    days = {
        (station, day): {
            name: [None if random.random() < random.choice((0.0, 0.3)) else round(random.uniform(0, 450), 1) for _ in range(24)]
            for name in aqi.POLLUTANTS if random.random() < 0.7
        }
        for station in "abcdef" for day in range(8)
    }
    found = aqi.station_days(summed(days))
    for key, hours in days.items():
        alone = aqi.daily_aqi(hours)
        assert found.get(key) == (None if alone is None else (alone.value, alone.dominant))


def summed(days: dict[tuple[str, int], dict[str, list[float | None]]]) -> list[aqi.AirDay]:
    """What the day roll-up holds of hourly means."""
    made = []
    for (station, day), hours in days.items():
        for name, values in hours.items():
            valid = [value for value in values if value is not None]
            eights = [[value for value in values[n:n + 8] if value is not None] for n in range(17)]
            means = [sum(window) / len(window) for window in eights if len(window) >= 6]
            if valid:
                mean, eight = sum(valid) / len(valid), max(means) if means else None
                made.append(aqi.AirDay(1, station, name, "µg/m³", day, len(valid), mean, max(valid), eight))
    return made


def test_of_two_sensors_of_a_day_the_worse_one_counts() -> None:
    day = aqi.AirDay(1, "a", "pm25", "µg/m³", 5, 24, 25.0, 30.0, None)
    assert aqi.station_days([day, replace(day, datastream=2, hour_mean=50.0)]) == {("a", 5): (100, "pm25")}


def test_no_days_give_no_indices() -> None:
    assert aqi.station_days([]) == {}


def test_the_rule_of_eighteen_hours_says_that_it_is_not_verified() -> None:
    assert (aqi.COMPLETENESS.day_hours, aqi.COMPLETENESS.eight_hours, aqi.COMPLETENESS.verified) == (18, 6, False)
