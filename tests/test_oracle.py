"""City equals the oracle: every KPI, both late rules, days, weeks, months, city and parts, on both engines; 0 differences.

Of Chicago the last seven months are read, of Hà Nội two (tests/stores.py says why; tests/test_truths.py reads Hà Nội whole). Where the
core rows of both engines are the same, one oracle answers for both: what is asked is asked of both cities all the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from metrics.city import City
from metrics.city.numbers import kpis, series
from metrics.city.numbers.sums import Choice
from metrics.kpis import KPI_BY_KEY, KPIS
from metrics.periods import Period, parse_period
from tests.oracle import EPOCH, Answer, Oracle, Pick, number
from tests.oracle_dossiers import FORM, SCORE, WHOLE
from tests.oracle_environment import KPIS as ENVIRONMENT
from tests.oracle_feedback import QUALITY
from tests.oracle_workload import OF_DOSSIERS, OF_REPORTS
from tests.oracle_worktime import INVESTMENT, WORKTIME
from tests.stores import Filled, Oracles, demo_store, real_store

DOSSIERS = (
    "dossiers_received", "dossiers_finished", "dossiers_on_time_pct", "dossiers_on_time_766_pct", "dossiers_early_pct",
    "dossiers_late", "dossiers_open", "dossiers_overdue", "dossiers_due_2wd", "dossiers_online_pct", *FORM, *SCORE, *WHOLE, *WORKTIME,
    INVESTMENT, *OF_DOSSIERS,
)
REPORTS = ("reports_received", "reports_open", "reports_overdue", "reports_resolved", "reports_resolve_days_median", *QUALITY, *OF_REPORTS)
READINGS = ("stations_reporting_pct", "vn_aqi", *ENVIRONMENT)
EVERY = (*DOSSIERS, *REPORTS, *READINGS, "feeds_fresh_pct")
KEYS = {"wabo": DOSSIERS, "boston": REPORTS, "chicago": REPORTS, "hanoi": (*READINGS, "feeds_fresh_pct"), "demo": EVERY}
RULES = ("late_instant", "late_day")
RULED = ("dossiers_on_time_pct", "dossiers_on_time_766_pct", "dossiers_late", "dossiers_overdue")  # 766 must NOT follow it
MONTHS = {"wabo": 18, "boston": 8, "chicago": 5, "hanoi": 4, "demo": 5}  # how far back; with more than six, every other week too
GROUPS = {"dossiers": ("agency", "area", "domain"), "reports": ("agency", "area", "category"), "feedback": ("agency", "area", "category")}


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def oracles() -> Iterator[Oracles]:
    with ExitStack() as read:
        yield Oracles(read)


@pytest.fixture(scope="module", params=tuple(KEYS))
def filled(
    request: pytest.FixtureRequest, engine: str, make_database: Callable[..., str], tmp_path_factory: pytest.TempPathFactory,
    oracles: Oracles,
) -> Iterator[tuple[str, Filled, Oracle]]:
    if request.param == "demo":
        found = demo_store(make_database, engine, tmp_path_factory.mktemp("demo"))
    else:
        real_data: Path = request.getfixturevalue("real_data")
        found = real_store(make_database, engine, request.param, real_data)
    yield request.param, found, oracles.of(request.param, found)  # which closes the store


@dataclass
class Comparison:
    """Collects what differs and how much was compared."""

    faults: list[str] = field(default_factory=list)
    compared: int = 0
    known: int = 0

    def answer(self, where: str, key: str, found: Answer, right: Answer) -> None:
        """Note a difference in value or n. Only the last digits of a floating-point mean may differ."""
        self.compared += 1
        (value, n), (true_value, true_n) = found, right
        self.known += bool(true_value)
        same = value is None and true_value is None
        if value is not None and true_value is not None:
            same = math.isclose(value, true_value, rel_tol=1e-12, abs_tol=1e-12)
        if not same or n != true_n:
            self.faults.append(f"{where} {key}: City says {value} (n {n}), the rows say {true_value} (n {true_n})")

    def settle(self, at_least: int) -> None:
        """Fail with every difference, or when too little was compared for the test to mean anything."""
        assert not self.faults, f"{len(self.faults)} of {self.compared} differ:\n" + "\n".join(self.faults[:40])
        assert self.known >= at_least, f"only {self.known} of {self.compared} values say anything"


def day_of(on: int) -> date:
    return EPOCH + timedelta(days=on)


def periods(city: City, first: date, days: int, months: int) -> list[Period]:
    """Running and past days, weeks and months back to `first`; days are the last ones and some spread over the rest."""
    today = city.today
    span = max(1, (today - first).days)
    chosen = {today - timedelta(days=n) for n in range(days)} | {today - timedelta(days=span * n // 5) for n in range(1, 5)}
    texts = [day.isoformat() for day in sorted(chosen)]
    weeks = range(0, span + 7, 14) if months > 6 else range(0, 36, 7)
    texts += [f"{iso.year}-W{iso.week:02}" for iso in ((today - timedelta(days=n)).isocalendar() for n in weeks)]
    texts += sorted({f"{day:%Y-%m}" for day in (today - timedelta(days=30 * n) for n in range(months))})
    return [parse_period(text, today) for text in texts]


def first_day(name: str, oracle: Oracle) -> date:
    if name == "hanoi":
        return day_of(oracle.today - 90)
    rows = oracle.dossiers if name in ("wabo", "demo") else oracle.reports
    return max(day_of(int(rows["received_day"].min())), day_of(oracle.today - 730))


def picks(name: str, oracle: Oracle) -> list[tuple[Choice, Pick]]:
    """The whole city, a few agencies (with all below them), areas, domains and categories: those with most rows."""
    found = [(Choice(), Pick())]
    parts = []
    if any(key in KEYS[name] for key in DOSSIERS):
        parts += [(oracle.dossiers, "agency", 2), (oracle.dossiers, "area", 1), (oracle.dossiers, "domain", 1)]
    if any(key in KEYS[name] for key in REPORTS):
        parts += [(oracle.reports, "agency", 1), (oracle.reports, "area", 1), (oracle.reports, "category", 1)]
    if name == "demo":
        found.append((Choice(agency="H99"), Pick(agency="H99")))
    for rows, column, most in parts:
        values = rows.loc[rows[f"{column}_code"] != "", f"{column}_code"].value_counts().index[:most]
        found += [(Choice(**{column: value}), Pick(**{column: value})) for value in values]
    return list(dict.fromkeys(found))


def test_the_oracle_knows_every_kpi() -> None:
    assert {row.key for row in KPIS} == set(EVERY)


@pytest.mark.parametrize("rule", RULES)
def test_every_kpi_equals_the_oracle(filled: tuple[str, Filled, Oracle], rule: str) -> None:
    name, opened, oracle = filled
    if rule == "late_day" and not set(KEYS[name]) & set(DOSSIERS):
        pytest.skip(f"{name} has no dossiers: no KPI of it depends on the late rule")
    city, result = opened.city, Comparison()
    keys = KEYS[name] if rule == RULES[0] else tuple(key for key in KEYS[name] if key in RULED or KPI_BY_KEY[key].has_rule)
    assert oracle.today == number(city.today)
    every = periods(city, first_day(name, oracle), days=5, months=MONTHS[name])
    for choice, pick in picks(name, oracle):
        chosen = every if choice == Choice() else [p for p in every if p.kind == "month"][-2:] + every[3:5]
        for period in chosen:
            compare_kpis(result, city, oracle, keys, period, (choice, pick), rule)
    result.settle(at_least=40 if name == "hanoi" else 80)


def compare_kpis(
    result: Comparison, city: City, oracle: Oracle, keys: tuple[str, ...], period: Period, about: tuple[Choice, Pick], rule: str,
) -> None:
    """Every KPI of one period and of the period it is set beside."""
    values = kpis.read(city, keys, period, about[0], rule)
    right = oracle.kpis(keys, number(period.start_on), number(period.end_on), about[1], rule)
    for value in values:
        result.answer(f"{period.text} {about[1]} {rule}", value.key, (value.value, value.n), right[value.key])
    before = values[0].previous_period
    if before is not None:
        right = oracle.kpis(keys, number(before.start_on), number(before.end_on), about[1], rule)
        for value in values:
            if value.previous is not None:
                result.answer(f"{before.text} before {period.text}", value.key, (value.previous, 0), (right[value.key][0], 0))


@pytest.mark.parametrize("by", ("day", "week", "month"))
def test_every_series_along_time_equals_the_oracle(filled: tuple[str, Filled, Oracle], by: str) -> None:
    name, opened, oracle = filled
    city, result = opened.city, Comparison()
    keys = [key for key in KEYS[name] if key != "dossiers_due_2wd" and not KPI_BY_KEY[key].is_now_only]
    back = {"day": 14, "week": 70, "month": 85}[by]
    period = parse_period(f"{city.today - timedelta(days=back)}..{city.today}", city.today)
    about = picks(name, oracle)[:2]
    for key in keys:
        for choice, pick in about:
            for rule in RULES if key in RULED else RULES[:1]:
                for point in series.read(city, key, by, period, choice, rule):
                    part = parse_period(point.group, city.today)
                    right = part_truth(oracle, key, part, pick, rule)
                    result.answer(f"by {by} {point.group} {pick} {rule}", key, (point.value, point.n), right)
    result.settle(at_least=2)


def part_truth(oracle: Oracle, key: str, part: Period, pick: Pick, rule: str) -> Answer:
    start, end = number(part.start_on), min(number(part.end_on), oracle.today)
    if key == "vn_aqi":  # a series is of daily indices, the running day's too
        found = [index for on in range(start, end + 1) for index in oracle.day_indices(on, pick.area)]
        return (float(max(found)), len(found)) if found else (None, 0)
    return oracle.kpis([key], start, end, pick, rule)[key]


def test_every_series_across_groups_equals_the_oracle(filled: tuple[str, Filled, Oracle]) -> None:
    name, opened, oracle = filled
    keys = [key for key in KEYS[name] if key in (*DOSSIERS, *REPORTS) and key not in (INVESTMENT, *WHOLE)]
    if not keys:
        pytest.skip(f"{name} has neither dossiers nor reports to group")
    city, result = opened.city, Comparison()
    past = f"{city.today - timedelta(days=40)}..{city.today - timedelta(days=9)}"
    for text in (f"{city.today:%Y-%m}", past):
        period = parse_period(text, city.today)
        for key in keys:
            for by in GROUPS[key.split("_")[0]]:
                compare_groups(result, city, oracle, key, by, period)
    result.settle(at_least=20)


def compare_groups(result: Comparison, city: City, oracle: Oracle, key: str, by: str, period: Period) -> None:
    """Every group City shows, and every group of the rows: one that City leaves out must have nothing to say."""
    rule = "late_instant"
    shown: dict[str, Any] = {point.group: point for point in series.read(city, key, by, period, late_rule=rule)}
    rows = oracle.dossiers if key.startswith("dossiers") else oracle.reports
    for group in sorted(set(rows[f"{by}_code"]) | shown.keys()):
        right = part_truth(oracle, key, period, Pick(only=(by, group)), rule)
        point = shown.get(group)
        if point is None and right in ((0, 0), (None, 0)):
            continue
        found = (point.value, point.n) if point else (None, -1)
        result.answer(f"{period.text} by {by} {group!r}", key, found, right)
