"""Signals on real series: shuffled ones seldom fire, as theory says; a planted shift is found; docs/numbers.md names what there is."""

from __future__ import annotations

import math
import re
from datetime import date
from functools import lru_cache
from pathlib import Path

import pytest

from benchmarks.signals import Series, boston, hanoi, interval, rates, shuffles
from metrics.comparison import ALIGNED
from metrics.periods import KINDS as PERIOD_KINDS
from metrics.periods import parse_period
from metrics.spc import KINDS, RULES, VERDICTS, Measured, chart

DOCUMENT = (Path(__file__).resolve().parent.parent / "docs" / "numbers.md").read_text(encoding="utf-8")
THEORY = {rule.key: rule.theory for rule in RULES}
NAMES = ("PM2.5 daily", "PM2.5 weekly", "Boston weekdays", "Boston weekly")


@lru_cache(maxsize=1)
def real_series(folder: Path) -> dict[str, Series]:
    return {series.name: series for series in (*hanoi(folder), *boston(folder))}


@pytest.mark.parametrize("name", NAMES)
def test_a_shuffled_real_series_fires_as_seldom_as_theory_says(real_data: Path, name: str) -> None:
    """The rate over many shuffles lies where 99 of 100 binomials of as many points as the series has would: no more is known of it."""
    series = real_series(real_data)[name]
    points = len(series.values) - series.baseline
    for rate in rates(series.kind, shuffles(series.values, 20 if points > 500 else 100), series.baseline):
        low, high = interval(THEORY[rate.rule], points)
        assert low <= rate.share <= high, f"{name} {rate.rule}: {rate.share:.4%}, theory {THEORY[rate.rule]:.4%} ({low:.4%}..{high:.4%})"


def test_the_same_days_charted_without_logarithm_fire_too_often(real_data: Path) -> None:
    """What the test above would say of a wrong chart: concentrations are no bell curve."""
    series = real_series(real_data)["PM2.5 daily"]
    (beyond, *_) = rates("xmr", shuffles(series.values, 5), series.baseline)
    assert beyond.share > interval(THEORY["beyond_limits"], len(series.values) - series.baseline)[1]


@pytest.mark.parametrize(("name", "factor"), [("PM2.5 weekly", 3.0), ("Boston weekly", 3.0), ("Boston weekdays", 3.0)])
def test_a_planted_shift_of_a_real_series_is_found_within_eight_points(real_data: Path, name: str, factor: float) -> None:
    series = real_series(real_data)[name]
    for values in shuffles(series.values, 20, seed=3):
        planted = [*values[:-8], *(value * factor for value in values[-8:])]
        drawn = chart(series.kind, [Measured(value) for value in planted], (0, series.baseline))
        assert drawn is not None
        sides = [hit[1] for hit in drawn.fired[-8:] if hit]
        assert 1 in sides, f"{name}: nothing fired"


def test_the_interval_around_theory_narrows_with_the_points() -> None:
    few, many = interval(0.0027, 20), interval(0.0027, 20_000)
    assert few[0] <= many[0] < 0.0027 < many[1] < few[1]
    assert math.isclose(many[1] - 0.0027, 2.576 * math.sqrt(0.0027 / 20_000), rel_tol=0.2)


def test_the_document_names_every_rule_chart_verdict_and_alignment() -> None:
    for word in (*THEORY, *KINDS, *VERDICTS, *ALIGNED):
        assert f"`{word}`" in DOCUMENT, word


def test_the_document_states_each_rules_theory() -> None:
    for rule in RULES:
        assert f"{100 * rule.theory:.2f} %" in DOCUMENT, rule.key


def test_the_document_names_every_form_of_a_period() -> None:
    forms = re.findall(r"`(2026[^`]*)`", DOCUMENT)
    told = {parse_period(form, date(2026, 11, 20)).kind for form in forms}
    assert told == set(PERIOD_KINDS)
