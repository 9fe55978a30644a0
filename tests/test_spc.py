"""Control charts by hand: limits of each kind, rules point by point, verdicts by direction; false alarms as rare as theory says."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.spc import (
    DETERIORATED,
    DOWN,
    IMPROVED,
    KINDS,
    NO_CHANGE,
    RULES,
    TOO_LITTLE,
    UP,
    VERDICTS,
    Chart,
    Measured,
    chart,
    standing,
    verdict,
)

STEADY = [10.0, 12.0] * 6  # mean 11, every moving range 2


def drawn(kind: str, points: Sequence[Measured], baseline: tuple[int, int] = (0, 12)) -> Chart:
    found = chart(kind, points, baseline)
    assert found is not None
    return found


def values(*numbers: float) -> list[Measured]:
    return [Measured(number) for number in numbers]


def shares(*pairs: tuple[float, int]) -> list[Measured]:
    return [Measured(value, n) for value, n in pairs]


def fired(after: Sequence[float]) -> list[tuple[str, int] | None]:
    """What fires at each of these standings (in sigmas) after a steady baseline with mean 0 and sigma 1."""
    flat = [1.128 / 2 * sign for sign in (1, -1)] * 6
    return list(drawn("xmr", values(*flat, *after)).fired[12:])


# ---- limits ---------------------------------------------------------------------------------------------------------
def test_xmr_limits_are_mean_plus_and_minus_2_66_moving_ranges() -> None:
    limits = drawn("xmr", values(*STEADY)).limits[0]
    assert limits is not None
    assert (limits.mean, limits.high) == (11, pytest.approx(11 + 2.66 * 2, rel=1e-3))
    assert limits.low == pytest.approx(11 - 2.66 * 2, rel=1e-3)


def test_what_was_never_negative_has_no_limit_below_zero() -> None:
    limits = drawn("xmr", values(*[1.0, 9.0] * 6)).limits[0]
    below = drawn("xmr", values(*[-1.0, 9.0] * 6)).limits[0]
    assert limits is not None and below is not None
    assert limits.low == 0 and below.low < 0


def test_a_log_chart_has_limits_as_many_times_above_as_below() -> None:
    limits = drawn("xmr_log", values(*[10.0, 40.0] * 6)).limits[0]
    assert limits is not None
    assert limits.mean == pytest.approx(20)
    assert limits.high / limits.mean == pytest.approx(limits.mean / limits.low)


def test_a_log_chart_over_a_zero_is_a_plain_one() -> None:
    assert drawn("xmr_log", values(0.0, *STEADY)).kind == "xmr"


def test_p_limits_follow_each_points_n() -> None:
    found = drawn("p", shares(*[(90.0, 50)] * 12, (90.0, 200)))
    first, last = found.limits[0], found.limits[-1]
    assert first is not None and last is not None
    assert first.sigma == pytest.approx(100 * math.sqrt(0.9 * 0.1 / 50))
    assert last.sigma == pytest.approx(first.sigma / 2)
    assert first.high == 100  # a share is never above 100 %


def test_u_limits_follow_each_points_exposure() -> None:
    found = drawn("u", [Measured(4.0, 20, 5.0)] * 12 + [Measured(4.0, 16, 4.0)])
    first, last = found.limits[0], found.limits[-1]
    assert first is not None and last is not None
    assert (first.sigma, last.sigma) == (pytest.approx(math.sqrt(4 / 5)), pytest.approx(1))
    assert first.low >= 0


def test_large_counts_that_scatter_more_than_chance_widen_the_limits() -> None:
    scattered = drawn("p", shares(*[(85.0, 5000), (95.0, 5000)] * 6))  # binomial sigma is 0.42 points
    assert scattered.dispersion == pytest.approx(10 / (100 * math.sqrt(0.9 * 0.1 / 5000)) / 1.128, rel=1e-3)
    assert scattered.fired == (None,) * 12


def test_small_counts_are_never_widened() -> None:
    assert drawn("p", shares(*[(50.0, 20), (100.0, 20)] * 6)).dispersion == 1


def test_limits_are_never_narrowed() -> None:
    assert drawn("p", shares(*[(90.0, 5000)] * 12)).dispersion == 1


def test_after_a_flawless_baseline_one_late_dossier_is_no_signal_and_two_are() -> None:
    found = drawn("p", shares(*[(100.0, 100)] * 12, (99.0, 100), (98.0, 100)))
    assert found.fired[-2:] == (None, ("beyond_limits", -1))


def test_points_left_out_make_no_limits_and_fire_nothing() -> None:
    holiday = Measured(500.0, is_left_out=True)
    found = drawn("xmr", [*values(*STEADY[:6]), holiday, *values(*STEADY[6:])], (0, 13))
    assert found.limits == drawn("xmr", values(*STEADY)).limits[:1] * 13
    assert (found.fired[6], found.used) == (None, 12)


def test_too_short_a_baseline_makes_no_chart() -> None:
    assert chart("xmr", values(*STEADY[:9]), (0, 12)) is None
    assert chart("xmr", values(*STEADY[:10]), (0, 12)) is not None


def test_another_kind_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="chart 'c' is none of xmr, xmr_log, p, u"):
        chart("c", values(*STEADY), (0, 12))


# ---- rules ----------------------------------------------------------------------------------------------------------
def test_one_point_beyond_three_sigmas_fires() -> None:
    assert fired([3.01, 0.0, -3.01]) == [("beyond_limits", 1), None, ("beyond_limits", -1)]
    assert fired([2.99]) == [None]


def test_the_eighth_point_on_one_side_fires_and_the_seventh_does_not() -> None:
    # the baseline's last point lies below the mean
    assert fired([0.5] * 8) == [None] * 7 + [("run_of_8", 1)]
    assert fired([0.5] * 7 + [-0.5, 0.5]) == [None] * 9


def test_a_point_on_the_mean_breaks_a_run() -> None:
    mean_point = fired([0.5] * 4 + [0.0] + [0.5] * 7)
    assert mean_point == [None] * 12


def test_two_of_three_beyond_two_sigmas_on_one_side_fire_at_the_second() -> None:
    assert fired([2.1, 0.0, 2.1]) == [None, None, ("two_of_three", 1)]
    assert fired([2.1, -2.1, 0.0]) == [None, None, None]
    assert fired([2.1, 2.1, 0.0])[2] is None  # the point itself must be far


def test_a_baseline_that_never_moved_fires_at_any_change() -> None:
    found = drawn("xmr", values(*[7.0] * 12, 8.0))
    assert found.fired[-1] == ("beyond_limits", 1)
    assert found.fired[:12] == (None,) * 12


def test_a_log_chart_on_a_constant_baseline_fires_at_a_change_and_not_at_rounding() -> None:
    steady = [0.5208333333333334] * 12
    assert drawn("xmr_log", values(*steady, 0.5208333333333333, 0.6)).fired[-2:] == (None, ("beyond_limits", 1))


def test_a_baseline_that_moved_only_in_the_last_digits_fires_at_nothing() -> None:
    found = drawn("xmr", values(*[14 / 5 + 1e-16 * n for n in range(12)], 14 * 0.2))
    assert found.fired == (None,) * 13


# ---- verdicts -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("better", "above", "below"), [("up", IMPROVED, DETERIORATED), ("down", DETERIORATED, IMPROVED), ("none", UP, DOWN)]
)
def test_the_verdict_follows_the_direction_of_the_kpi(better: str, above: str, below: str) -> None:
    found = drawn("xmr", values(*STEADY, 90.0, 11.0, -90.0))
    assert [verdict(found, at, better) for at in (12, 13, 14)] == [above, NO_CHANGE, below]


def test_without_limits_or_value_there_is_too_little_data() -> None:
    assert verdict(None, 0, "up") == TOO_LITTLE
    assert verdict(drawn("xmr", [*values(*STEADY), Measured(None)]), 12, "up") == TOO_LITTLE
    assert verdict(drawn("xmr", values(*STEADY)), 12, "up") == TOO_LITTLE


FINITE = st.floats(min_value=-1e6, max_value=1e6)


@given(st.sampled_from(KINDS), st.lists(st.tuples(st.none() | FINITE, st.integers(0, 10_000), st.booleans()), max_size=40))
def test_any_series_gives_a_verdict_or_too_little(kind: str, rows: list[tuple[float | None, int, bool]]) -> None:
    points = [
        Measured(None if v is None else abs(v) % 100 if kind == "p" else abs(v) if kind == "u" else v, n, 1.0, out)
        for v, n, out in rows
    ]
    found = chart(kind, points, (0, 12))
    for at, point in enumerate(points):
        told = verdict(found, at, "up")
        assert told in VERDICTS
        if found is not None and (limits := found.limits[at]) is not None:
            assert limits.low <= limits.mean <= limits.high
            assert told == NO_CHANGE or not point.is_left_out


# ---- theory ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.key)
def test_a_rule_fires_on_noise_as_often_as_its_theory_says(rule: object) -> None:
    """Every eighth place of a long normal series with known limits: trials that share no point, so the count is binomial."""
    assert rule in RULES
    noise = random.Random(766)
    trials = 60_000
    hits = sum(bool(rule.fires([noise.gauss(0, 1) for _ in range(8)])) for _ in range(trials))  # type: ignore[attr-defined]
    expected = trials * rule.theory  # type: ignore[attr-defined]
    assert abs(hits - expected) <= 3.3 * math.sqrt(expected)


def test_binomial_noise_seldom_leaves_p_limits() -> None:
    noise = random.Random(2)
    points = [Measured(100 * sum(noise.random() < 0.9 for _ in range(80)) / 80, 80) for _ in range(1500)]
    found = drawn("p", points, (0, 500))
    beyond = sum(
        abs(standing(point.value or 0, limits)) > 3 for point, limits in zip(points, found.limits, strict=True) if limits
    )
    assert 0 < beyond <= 20  # 4 by the normal curve; binomials of 80 have a longer tail below
