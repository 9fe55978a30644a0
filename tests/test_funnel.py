"""Funnel limits: exact binomial tails, by the book and by brute force."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.funnel import ABOVE, ALIKE, BELOW, FEW, LEAST_N, TAIL, limits, standing


def brute(n: int, share: Fraction) -> tuple[int, int]:
    """The same limits by whole fractions."""
    chances = [comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(n + 1)]
    low = next(k for k in range(n + 1) if sum(chances[: k + 1]) >= TAIL)
    high = next(k for k in range(n, -1, -1) if sum(chances[k:]) >= TAIL)
    return low, high


@given(st.integers(1, 60), st.integers(1, 99))
def test_limits_are_those_of_exact_tails(n: int, percent: int) -> None:
    assert limits(n, percent / 100) == brute(n, Fraction(percent, 100))


def test_a_tail_is_that_of_three_sigma() -> None:
    assert pytest.approx(0.00135, rel=1e-3) == TAIL


def test_who_lies_outside_chance_is_named_and_nobody_else() -> None:
    low, high = brute(40, Fraction(85, 100))
    found = [standing(part, 40, 0.85) for part in range(41)]
    assert 0 < low < 34 < high <= 40
    assert found == [BELOW] * low + [ALIKE] * (high - low + 1) + [ABOVE] * (40 - high)


def test_better_than_chance_needs_room_above_the_share() -> None:
    assert standing(10, 10, 0.88) == ALIKE  # ten of ten happens
    assert standing(100, 100, 0.88) == ABOVE


def test_fewer_cases_than_ten_are_never_judged() -> None:
    assert LEAST_N == 10
    assert standing(0, 9, 0.95) == FEW
    assert standing(0, 10, 0.95) == BELOW


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_where_all_are_alike_chance_has_no_room(share: float) -> None:
    assert limits(50, share) == (round(50 * share), round(50 * share))


def test_a_large_unit_costs_no_precision() -> None:
    low, high = limits(20_000, 0.9)
    assert 17_860 < low < 17_885 and 18_115 < high < 18_140  # mean 18 000, sigma 42.4
