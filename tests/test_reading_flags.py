"""Flags of readings: each rule at its bounds; any order of delivery ends with the flags of the whole series; flagged = out of the sums."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from data_sources.sensors.properties import known_properties
from metrics.reading_flags import RULE_OF, RULES, SPIKE_HOURS, STUCK_LEAST, Hours, flags, stuck_hours, suspects
from metrics.rollups import drain, fold, read_clock, rebuild
from store import flags as codes
from store.days import HOUR, instant
from store.engine import Store, open_store
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import DatastreamRow, Parsed, ReadingRow, StationRow
from tests.oracle_flags import RULES as TYPED_AGAIN
from tests.oracle_rollups import rollup_differences
from tests.small_worlds import wipe

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
START = instant(datetime(2026, 11, 2, tzinfo=UTC))
NOW = START + 40 * 24 * HOUR
PM = RULE_OF["pm25", "µg/m³"]


def judged(values: list[float | None], minutes: int = 60, rule: str = "pm25", unit: str = "µg/m³") -> list[int]:
    """Flags of a series with a reading every so many minutes; None = nothing came."""
    kept = [(START + n * minutes * 60_000_000, value) for n, value in enumerate(values) if value is not None]
    row, by_hour = RULE_OF[rule, unit], dict[int, list[float]]()
    for at, value in kept:
        by_hour.setdefault(at // HOUR, []).append(value)
    hours = Hours(
        np.zeros(len(by_hour), dtype=np.int64), np.array(list(by_hour)), np.array([min(seen) for seen in by_hour.values()]),
        np.array([max(seen) for seen in by_hour.values()]), np.zeros(len(by_hour), dtype=np.int64),
    )
    stuck = stuck_hours(row, hours)
    found = flags(row, np.array([at for at, _ in kept]), np.array([value for _, value in kept]), stuck).tolist()
    assert suspects([row], hours) or not any(found)  # the fold's first look lets nothing pass that is flagged
    return found


# --- the rules ------------------------------------------------------------------------------------------------
def test_every_rule_is_of_a_known_property_in_its_stored_unit_and_within_what_is_possible() -> None:
    for rule in RULES:
        known = known_properties()[rule.property]
        assert rule.measure_unit == known.unit
        assert rule.least is None or rule.least >= known.minimum, rule.property
        assert rule.most is None or rule.most <= known.maximum, rule.property


def test_the_first_look_of_the_fold_can_miss_no_rule() -> None:
    assert all(rule.stuck_hours is None or rule.stuck_hours >= STUCK_LEAST + 1 for rule in RULES)
    assert all(rule.stuck_hours is None or rule.stuck_hours >= SPIKE_HOURS for rule in RULES)


def test_the_oracle_types_the_same_rules() -> None:
    ours = {(r.property, r.measure_unit): (r.least, r.most, r.stuck_hours, r.resting, r.jump, r.times) for r in RULES}
    assert ours == TYPED_AGAIN


def test_rules_from_memory_say_so() -> None:
    assert all(rule.source for rule in RULES)
    assert not any(rule.verified for rule in RULES)


@pytest.mark.parametrize(("count", "expected"), [(5, codes.SOUND), (6, codes.STUCK), (30, codes.STUCK)])
def test_six_hours_of_one_value_are_stuck_and_five_are_not(count: int, expected: int) -> None:
    assert judged([20.0, *[37.4] * count, 21.0]) == [0, *[expected] * count, 0]


def test_an_hour_without_readings_ends_a_run() -> None:
    assert judged([37.4] * 5 + [None] + [37.4] * 5) == [0] * 10


def test_a_stuck_hour_needs_one_value_all_through() -> None:
    quarter_hours = [37.4] * 24
    assert judged(quarter_hours, minutes=15) == [codes.STUCK] * 24
    quarter_hours[14] = 37.5  # in the fourth hour: three before, two after
    assert judged(quarter_hours, minutes=15) == [0] * 24


def test_no_wind_and_saturated_air_are_no_faults() -> None:
    assert judged([0.0] * 40, rule="wind", unit="m/s") == [0] * 40
    assert judged([100.0] * 40, rule="rh", unit="%") == [0] * 40
    assert judged([2.0] * 12, rule="wind", unit="m/s") == [codes.STUCK] * 12


def test_rain_and_cameras_have_no_rule() -> None:
    assert not {"rain", "online"} & {rule.property for rule in RULES}


@pytest.mark.parametrize(("value", "expected"), [(46.0, 0), (46.1, codes.OUT_OF_RANGE), (-7.0, 0), (-7.1, codes.OUT_OF_RANGE)])
def test_a_temperature_beyond_the_climate_is_out_of_range(value: float, expected: int) -> None:
    assert judged([value], rule="temp", unit="°C") == [expected]


@pytest.mark.parametrize(("value", "expected"), [(190.0, 0), (191.0, codes.SPIKE)])
def test_a_spike_stands_out_by_more_than_the_jump(value: float, expected: int) -> None:
    assert judged([39.0, 41.0, value, 40.0, 40.0]) == [0, 0, expected, 0, 0]


def test_a_step_a_front_and_a_lasting_episode_are_no_spikes() -> None:
    assert judged([40.0] * 3 + [400.0, 410.0, 405.0]) == [0] * 6
    assert judged([40.0, 120.0, 240.0, 390.0, 250.0, 110.0, 45.0]) == [0] * 7


def test_a_reading_with_less_than_two_neighbours_on_a_side_is_let_pass() -> None:
    assert judged([40.0, 41.0, 600.0, 40.0]) == [0] * 4
    assert judged([41.0, 600.0, 40.0, 39.0]) == [0] * 4


def test_nothing_to_judge_gives_no_flags() -> None:
    assert flags(PM, np.array([], dtype=np.int64), np.array([]), ()).tolist() == []


# --- in the store -----------------------------------------------------------------------------------------------
@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def store(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    opened = open_store(make_database(request.param), TZ)
    migrate(opened)
    yield opened
    opened.dispose()


THINGS = Parsed(
    stations=(StationRow("s", "s", "air", area="X"),),
    datastreams=(
        DatastreamRow("pm", "s", "pm25", "µg/m³"), DatastreamRow("o3", "s", "o3", "µg/m³"), DatastreamRow("free", "s", "pm25", "?"),
    ),
)


def bring(store: Store, readings: list[ReadingRow], now: int = NOW) -> None:
    land(store, Parsed(readings=tuple(readings), item_count=len(readings)), Landing("air", "sensors", now))


def series(values: list[float], stream: str = "pm", minutes: int = 60) -> list[ReadingRow]:
    return [ReadingRow(stream, START + n * minutes * 60_000_000, value) for n, value in enumerate(values)]


def hours(store: Store) -> list[tuple[float, ...]]:
    """n, total, flagged of the hours of "pm"."""
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(text(
            "SELECT h.n, h.total, h.flagged FROM rollup_reading_hour h JOIN core_datastream d ON d.id = h.datastream_id "
            "WHERE d.source_id = 'pm' ORDER BY h.hour"
        ))]


def assert_true(store: Store) -> None:
    with store.reading() as connection:
        assert rollup_differences(connection, TZ, read_clock(connection)) == []


def test_flagged_readings_are_counted_and_kept_out_of_every_sum(store: Store) -> None:
    wipe(store)
    land(store, THINGS, Landing("air", "sensors", NOW))
    bring(store, series([40.0, 41.0, 600.0, 40.0, 42.0]))
    drain(store, NOW)
    assert hours(store) == [(1, 40.0, 0), (1, 41.0, 0), (0, 0.0, 1), (1, 40.0, 0), (1, 42.0, 0)]
    with store.reading() as connection:
        days = connection.execute(text("SELECT n, total, high, flagged, hours FROM rollup_reading_day")).one()
        area = connection.execute(text("SELECT sum(n), sum(flagged) FROM rollup_reading_hour_area")).one()
    assert (tuple(days), tuple(area)) == ((4, 163.0, 42.0, 1, 4), (4, 1))


def test_a_correction_takes_a_flag_back_and_the_reading_into_the_sums(store: Store) -> None:
    wipe(store)
    land(store, THINGS, Landing("air", "sensors", NOW))
    bring(store, series([37.4] * 8))
    drain(store, NOW)
    assert [row[2] for row in hours(store)] == [1] * 8
    bring(store, [ReadingRow("pm", START + 4 * HOUR, 38.0)])
    drain(store, NOW)
    assert [row[2] for row in hours(store)] == [0] * 8


def test_a_reading_from_a_clock_ahead_is_flagged_until_it_is_sent_again_in_time(store: Store) -> None:
    wipe(store)
    land(store, THINGS, Landing("air", "sensors", NOW))
    bring(store, [ReadingRow("pm", START, 40.0), ReadingRow("pm", START + 300_000_000, 42.0)], now=START)
    bring(store, [ReadingRow("pm", START + 1_200_000_000, 90.0)], now=START)
    drain(store, NOW)
    assert hours(store) == [(2, 82.0, 1)]
    assert_true(store)
    bring(store, [ReadingRow("pm", START + 1_200_000_000, 44.0)], now=START + HOUR)
    drain(store, NOW)
    assert hours(store) == [(3, 126.0, 0)]


def test_a_measure_unit_described_anew_is_judged_by_its_own_rule(store: Store) -> None:
    wipe(store)
    land(store, THINGS, Landing("air", "sensors", NOW))
    bring(store, series([37.4] * 8))
    drain(store, NOW)
    land(store, Parsed(datastreams=(DatastreamRow("pm", "s", "pm25", "?"),)), Landing("air", "sensors", NOW))
    drain(store, NOW)
    assert_true(store)


values = st.sampled_from([0.0, 37.4, 37.4, 37.4, 41.0, 600.0, 950.0])


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[ReadingRow] | int]:
    """Runs of values at 20 or 60 minutes, corrected in parts, shuffled, cut into batches with folds of few cells in between."""
    rows: list[ReadingRow] = []
    for _ in range(draw(st.integers(1, 4))):
        stream, first, step = draw(st.sampled_from(["pm", "o3", "free"])), draw(st.integers(0, 60)), draw(st.sampled_from([1, 3]))
        value = draw(values)
        rows += [ReadingRow(stream, START + (first * 3 + n * step) * HOUR // 3, value) for n in range(draw(st.integers(1, 30)))]
    rows += [ReadingRow(draw(st.sampled_from(["pm", "o3"])), START + draw(st.integers(0, 240)) * HOUR // 3, draw(values)) for _ in range(6)]
    left, steps = list(draw(st.permutations(rows))), list[list[ReadingRow] | int]()
    while left:
        size = draw(st.integers(1, len(left)))
        steps.append(left[:size])
        left = left[size:]
        if draw(st.booleans()):
            steps.append(draw(st.sampled_from([1, 5, 1000])))
    return steps


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    phases=(Phase.explicit, Phase.generate),
)
@given(steps=deliveries())
def test_any_delivery_ends_with_the_flags_of_the_whole_series(store: Store, steps: list[list[ReadingRow] | int]) -> None:
    wipe(store)
    land(store, THINGS, Landing("air", "sensors", NOW))
    for step in steps:
        if isinstance(step, int):
            fold(store, NOW, limit=step)
        else:
            bring(store, step)
    drain(store, NOW)
    assert_true(store)
    rebuild(store, NOW)
    assert_true(store)
