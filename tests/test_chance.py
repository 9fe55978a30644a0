"""Tails against plain sums, thresholds against drawn noise, the size of every rule on noise."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks import unusual
from metrics import chance
from metrics.chance import FEW, TAIL
from metrics.city.findings.coincident import BY_CHANCE, LEAST_LOG


def plain_binomial(least: int, n: int, share: float) -> float:
    return sum(math.comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(least, n + 1))


@pytest.mark.parametrize(("least", "n", "share"), [(0, 5, 0.3), (3, 10, 0.25), (9, 12, 0.5), (40, 400, 0.07), (13, 12, 0.5)])
def test_binomial_tails_are_the_plain_sums(least: int, n: int, share: float) -> None:
    assert chance.binomial_tail(least, n, share) == pytest.approx(plain_binomial(least, n, share), rel=1e-9)


@pytest.mark.parametrize(("least", "drawn", "marked", "total"), [(1, 5, 3, 20), (4, 8, 6, 15), (2, 10, 4, 12), (7, 8, 6, 15)])
def test_hypergeometric_tails_are_the_plain_sums(least: int, drawn: int, marked: int, total: int) -> None:
    ways = sum(
        math.comb(marked, k) * math.comb(total - marked, drawn - k)
        for k in range(least, min(drawn, marked) + 1) if drawn - k <= total - marked
    )
    assert chance.hypergeometric_tail(least, drawn, marked, total) == pytest.approx(ways / math.comb(total, drawn), rel=1e-9)


def test_poisson_tails_are_the_plain_sums() -> None:
    plain = 1 - sum(math.exp(-4) * 4**k / math.factorial(k) for k in range(9))
    assert chance.poisson_tail(9, 4) == pytest.approx(plain, rel=1e-9)
    assert chance.poisson_tail(1, 0) == 0.0 and chance.poisson_tail(0, 0) == 1.0


def test_the_most_chance_explains_is_the_last_above_the_tail() -> None:
    most = chance.most_by_chance(lambda k: chance.binomial_tail(k, 60, 0.25), 60)
    assert chance.binomial_tail(most, 60, 0.25) > TAIL >= chance.binomial_tail(most + 1, 60, 0.25)
    assert chance.most_by_chance(lambda k: 1.0, 7) == 7


@pytest.mark.parametrize(("n", "least", "window"), [(20, 5, 0.02), (60, 12, 0.03), (8, 3, 0.02)])
def test_bursts_are_as_rare_as_the_formula_says(n: int, least: int, window: float) -> None:
    times = np.sort(np.random.default_rng(5).random((40_000, n)), axis=1)
    seen = ((times[:, least - 1:] - times[:, : n - least + 1]) < window).any(axis=1).mean()
    assert chance.burst_chance(n, least, window) == pytest.approx(seen, rel=0.15, abs=3 * math.sqrt(seen / 40_000))


@pytest.mark.parametrize("earlier", FEW)
def test_the_thresholds_of_few_weeks_are_those_of_drawn_noise(earlier: int) -> None:
    noise = np.random.default_rng(earlier).standard_normal((30_000, earlier + 1))
    beyond = np.mean([abs(chance.value_standing(row[0], row[1:]) or 0) > 3 for row in noise.tolist()])
    assert beyond == pytest.approx(2 * TAIL, abs=4 * math.sqrt(2 * TAIL / 30_000))


@pytest.mark.parametrize("mean", [0.2, 2.0, 20.0])
@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_counts_stand_out_no_oftener_than_theory_says(mean: float, spread: float) -> None:
    draw = np.random.default_rng(7)
    rates = draw.gamma(1 / spread, mean * spread, (8_000, 13)) if spread else np.full((8_000, 13), mean)
    beyond = np.mean([abs(chance.count_standing(row[0], row[1:]) or 0) > 3 for row in draw.poisson(rates).tolist()])
    assert beyond < 2 * TAIL + 3 * math.sqrt(2 * TAIL / 8_000)


def test_what_never_was_stands_out_and_a_drizzle_does_not() -> None:
    assert (chance.count_standing(3, [0] * 12) or 0) > 3 > (chance.count_standing(2, [0] * 12) or 0)
    assert (chance.count_standing(30, [8, 9, 12, 10, 11, 10, 7, 9, 13, 10, 11, 9]) or 0) > 3
    assert (chance.count_standing(0, [8, 9, 12, 10, 11, 10, 7, 9, 13, 10, 11, 9]) or 0) < -3
    assert (chance.value_standing(12.0, [0.0] * 12, 0.25) or 0) > 20 > 1 > (chance.value_standing(0.2, [0.0] * 12, 0.25) or 0)


def test_one_storm_weeks_ago_does_not_hide_this_one() -> None:
    assert (chance.count_standing(30, [28, 1, 0, 2, 1, 0, 1, 2, 1, 0, 1, 1]) or 0) > 3
    assert (chance.value_standing(25.0, [24.0, *[0.0] * 11], 0.25) or 0) > 3


def test_too_few_weeks_say_nothing() -> None:
    assert chance.count_standing(50, [1] * 5) is None is chance.value_standing(50.0, [1.0] * 5)


# ---- real data in no order: docs/numbers.md tells what is measured here with more rounds ------------------------------------------
def test_what_stands_out_of_shuffled_real_series_is_near_theory(real_data: Path) -> None:
    wards = unusual.chicago_days(real_data)
    counts = unusual.stood_out("", wards, lambda block: chance.count_standing(block[0], block[1:]), 10)
    logs = [np.log(one) for one in unusual.hanoi_hours(real_data)]
    readings = unusual.stood_out("", logs, lambda block: chance.value_standing(block[0], block[1:], LEAST_LOG), 3)
    for one in (counts, readings):
        assert one.theory == pytest.approx(0.27, abs=0.01) and 0.1 < one.share < 0.8, one
        assert one.share / 100 == pytest.approx(BY_CHANCE, abs=4 * math.sqrt(BY_CHANCE / one.tried)), "so the page counts"


def test_shuffled_endings_are_marked_as_often_as_theory_says(real_data: Path) -> None:
    rows = unusual.boston(real_data)
    for one in (unusual.bursts(rows, 5, 10, 20), unusual.again(rows, 200), unusual.hurried(rows, 20)):
        assert abs(one.hits - one.expected) <= 3.3 * math.sqrt(max(one.expected, 1.0)), one
