"""The way of dossiers from step to step: every claim on dossiers small enough to be worked out by hand, and one on any."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics import worktime as wt
from metrics.process import BEFORE_FIRST, StepAt, StepKey, Stretch, Way, process_of, quartiles, stretches
from store.days import DAY, HOUR, instant, moment

TZ = ZoneInfo("Asia/Ho_Chi_Minh")
CALENDAR = wt.make_calendar()
MONDAY = instant(datetime(2026, 11, 9, 7, tzinfo=TZ))  # work begins; 4.5 + 3.5 hours a day


def step(days: float, name: str, status: int = 4) -> StepAt:
    return StepAt(MONDAY + round(days * DAY), name, "", status)


def stop(first: float, last: float | None) -> wt.Stop:
    return moment(MONDAY + round(first * DAY)), None if last is None else moment(MONDAY + round(last * DAY))


def walked(until: float, steps: Sequence[StepAt], stops: Sequence[wt.Stop] = (), is_ended: bool = True) -> tuple[Stretch, ...]:
    return stretches(CALENDAR, MONDAY, MONDAY + round(until * DAY), is_ended, steps, stops)


def told(found: Sequence[Stretch]) -> list[tuple[str, float, float]]:
    return [(one.name, round(one.worked_days, 4), round(one.waited_days, 4)) for one in found]


def test_a_step_lasts_until_the_next_one() -> None:
    assert told(walked(2, [step(0, "A"), step(1, "B")])) == [("A", 1.0, 0.0), ("B", 1.0, 0.0)]


def test_work_inside_a_stop_is_waiting() -> None:
    found = walked(2, [step(0, "A"), step(1, "B")], [stop(1, 1 + 4.5 / 24)])  # Tuesday's morning
    assert told(found) == [("A", 1.0, 0.0), ("B", 0.4375, 0.5625)]


def test_before_the_first_step_is_a_stretch_of_its_own() -> None:
    found = walked(2, [step(1, "A")])
    assert [(one.name, one.status) for one in found] == [("", BEFORE_FIRST), ("A", 4)]
    assert found[0].worked_days == pytest.approx(1.0)


def test_steps_before_receipt_count_as_taken_at_it_and_those_after_the_end_are_left_out() -> None:
    found = walked(1, [step(-3, "A"), step(1, "B"), step(1.5, "C")])
    assert told(found) == [("A", 1.0, 0.0), ("B", 0.0, 0.0)]
    assert found[0].start_at == MONDAY


def test_the_last_step_of_an_open_dossier_still_runs() -> None:
    assert [one.end_at for one in walked(2, [step(0, "A"), step(1, "B")], is_ended=False)] == [MONDAY + DAY, None]


def test_a_weekend_is_neither_work_nor_waiting() -> None:
    found = walked(7, [step(0, "A"), step(5, "B")], [stop(4.9, 7)])  # from Saturday 07:00 to Monday 07:00
    assert told(found) == [("A", 5.0, 0.0), ("B", 0.0, 0.0)]


@settings(max_examples=60)
@given(
    st.lists(st.integers(-2 * 24, 20 * 24), max_size=6), st.integers(0, 18 * 24),
    st.lists(st.tuples(st.integers(0, 18 * 24), st.integers(0, 6 * 24)), max_size=3),
)
def test_the_stretches_add_up_to_the_whole(hours: list[int], until: int, stops: list[tuple[int, int]]) -> None:
    steps = [StepAt(MONDAY + hour * HOUR, f"s{hour}", "", 4) for hour in sorted(hours)]
    spans = [(moment(MONDAY + first * HOUR), moment(MONDAY + (first + length) * HOUR)) for first, length in stops]
    end = MONDAY + until * HOUR
    found = stretches(CALENDAR, MONDAY, end, True, steps, spans)
    whole = wt.working_seconds(CALENDAR, moment(MONDAY), moment(end))
    worked = wt.working_seconds(CALENDAR, moment(MONDAY), moment(end), spans)
    assert sum(one.worked_days for one in found) == pytest.approx(worked / 28_800, abs=1e-9)
    assert sum(one.worked_days + one.waited_days for one in found) == pytest.approx(whole / 28_800, abs=1e-9)
    assert [one.end_at for one in found[:-1]] == [one.start_at for one in found[1:]]


def way(number: int, until: float, *names: str, stops: Sequence[wt.Stop] = ()) -> Way:
    """A dossier with a step a day, from the day of its receipt."""
    return Way("f", f"d{number}", until, walked(until, [step(place, name) for place, name in enumerate(names)], stops))


def test_a_sample_of_nobody_has_no_process() -> None:
    assert process_of([]) is None


def test_shares_of_work_and_of_waiting_each_add_up_to_100() -> None:
    found = process_of([way(1, 3, "A", "B", "C", stops=[stop(1, 1.5)]), way(2, 4, "A", "C", "B")])
    assert found is not None and found.waited_total > 0
    assert sum(row.worked_share for row in found.steps) == pytest.approx(100)
    assert sum(row.waited_share for row in found.steps) == pytest.approx(100)
    assert found.waiting_dossiers == 1


def test_a_step_tells_its_dossiers_its_times_its_middle_and_its_slowest() -> None:
    found = process_of([way(1, 2, "A", "B"), way(2, 3, "A", "B"), way(3, 4, "A", "B", "A")])
    assert found is not None
    steps = {row.name: row for row in found.steps}
    assert (steps["A"].dossiers, steps["A"].times, steps["A"].median_days) == (3, 4, 1.0)
    assert [(one.source_id, round(one.days, 4)) for one in steps["A"].slowest] == [("d3", 2.0), ("d1", 1.0), ("d2", 1.0)]
    assert steps["B"].median_days == pytest.approx(1.0)


def test_a_loop_is_a_step_that_comes_again_after_another_one() -> None:
    found = process_of([way(1, 4, "A", "B", "A", "C"), way(2, 3, "A", "A", "B")])
    assert found is not None
    assert [(row.name, row.dossiers, row.most_times, row.median_days) for row in found.loops] == [("A", 1, 2, 2.0)]


def test_every_dossier_takes_one_order_of_steps_and_names_in_a_row_are_one() -> None:
    found = process_of([way(1, 3, "A", "B"), way(2, 3, "A", "A", "B"), way(3, 3, "B", "A")])
    assert found is not None and found.variant_count == 2
    a, b = StepKey("A", 0), StepKey("B", 0)
    assert [(row.path, row.n) for row in found.variants] == [((a, b), 2), ((b, a), 1)]


def test_a_step_without_words_is_known_by_its_status() -> None:
    found = process_of([Way("f", "d", 2, walked(2, [step(0, "", 2), step(1, "", 5)]))])
    assert found is not None
    assert {(row.name, row.status) for row in found.steps} == {("", 2), ("", 5)}


def test_quartiles_lie_between_neighbours() -> None:
    assert quartiles([1.0, 2.0, 3.0, 4.0]) == (1.75, 2.5, 3.25)
