"""Dated targets and owners of the city file: what holds on which day, and how its faults are told."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import cli
from config import Config, ConfigError, parse_config
from config.targets import Target, target_of
from metrics.city import open_city
from metrics.city.numbers import kpis
from metrics.periods import parse_period
from scope import DEMO_SCOPE
from store.engine import Store
from tests.small_city import CONFIG, NOW, open_filled

TWO_YEARS = """
[targets]
dossiers_overdue = 100
dossiers_on_time_pct = [
  { value = 99, from = 2026-01-01, source = "Decision 12" },
  { value = 95, from = "2025-01-01" },
]
"""


def city_of(told: str) -> Config:
    return parse_config(tomllib.loads(f'[city]\nname = "x"\n{told}'), Path("."), {})


def faults_of(told: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        city_of(told)
    return str(caught.value).splitlines()[1:]


def on_time(config: Config, on: str) -> float | None:
    return target_of(config.targets, "dossiers_on_time_pct", date.fromisoformat(on))


# ---- what holds ----------------------------------------------------------------------------------------------------
def test_a_number_alone_holds_always() -> None:
    config = city_of(TWO_YEARS)
    assert config.targets["dossiers_overdue"] == (Target(100.0),)
    assert target_of(config.targets, "dossiers_overdue", date(1999, 1, 1)) == 100.0


@pytest.mark.parametrize(
    ("on", "value"), [("2024-12-31", None), ("2025-01-01", 95.0), ("2025-12-31", 95.0), ("2026-01-01", 99.0), ("2030-01-01", 99.0)]
)
def test_a_target_holds_until_the_next_begins(on: str, value: float | None) -> None:
    assert on_time(city_of(TWO_YEARS), on) == value


@pytest.mark.parametrize(("on", "value"), [("2026-03-31", 99.0), ("2026-04-01", None)])
def test_a_target_with_an_end_holds_through_its_last_day(on: str, value: float | None) -> None:
    told = '[targets]\ndossiers_on_time_pct = [{ value = 99, from = "2026-01-01", to = "2026-03-31" }]'
    assert on_time(city_of(told), on) == value


def test_a_kpi_without_targets_has_none() -> None:
    assert target_of({}, "dossiers_open", date(2026, 1, 1)) is None


def test_the_document_behind_a_target_is_kept() -> None:
    assert [row.source for row in city_of(TWO_YEARS).targets["dossiers_on_time_pct"]] == ["", "Decision 12"]


def test_owners_are_read() -> None:
    assert city_of('[kpis.vn_aqi]\nowner = "Sở X"').kpi_owners == {"vn_aqi": "Sở X"}


# ---- faults ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ('"99"', "value '99' is not a number"),
        ("true", "value True is not a number"),
        ("[99]", '99 is no target; write { value = 99, from = "2026-01-01" }'),
        ('[{ from = "2026-01-01" }]', "value None is not a number"),
        ('[{ value = 1, form = "2026-01-01" }]', "unknown setting 'form'; known: value, from, to, source"),
        ('[{ value = 1, from = "1/1/2026" }]', "from '1/1/2026' is no date; write 2026-01-01"),
        ("[{ value = 1, from = 2026-01-01T00:00:00 }]", "from datetime.datetime(2026, 1, 1, 0, 0) is no date; write 2026-01-01"),
        ("[{ value = 1, from = 2026-02-01, to = 2026-01-31 }]", "to 2026-01-31 lies before from 2026-02-01"),
        ("[{ value = 1 }, { value = 2 }]", "two targets begin on no day; give each a from of its own"),
        (
            "[{ value = 1, from = 2026-01-01, to = 2026-06-30 }, { value = 2, from = 2026-06-30 }]",
            "the target until 2026-06-30 overlaps the one from 2026-06-30",
        ),
    ],
)
def test_a_target_no_one_can_follow_is_named_with_its_remedy(row: str, fault: str) -> None:
    found = faults_of(f"[targets]\nvn_aqi = {row}")
    assert len(found) == 1 and found[0].startswith("- [targets] vn_aqi: ") and fault in found[0]


def test_all_faults_are_told_at_once() -> None:
    assert len(faults_of('[targets]\na = "x"\nb = "y"\n[kpis.c]\nboss = "z"')) == 3


def test_the_check_of_a_city_file_names_keys_that_are_no_kpi(tmp_path: Path) -> None:
    file = tmp_path / "city.toml"
    file.write_text('[city]\nname = "x"\nstore_url = "sqlite://"\n[targets]\ndosiers_open = 1\n[kpis.nothing]\nowner = "y"\n')
    told = CliRunner().invoke(cli, ["check", str(file)])
    assert told.exit_code == 2
    assert "[targets]: there is no KPI 'dosiers_open'" in told.output and "[kpis]: there is no KPI 'nothing'" in told.output


# ---- the figure -----------------------------------------------------------------------------------------------------
@pytest.fixture(params=("sqlite", "postgresql"))
def store(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    opened = open_filled(request.param, make_database)
    yield opened
    opened.dispose()


@pytest.mark.parametrize(
    ("period", "target", "verdict"),
    [("2026-11-09", 100.0, "good"), ("2026-11-10", 90.0, "good"), ("2026-11-12", 90.0, "bad"), ("2026-11-01..2026-11-09", 100.0, "good")],
)
def test_a_figure_is_measured_against_the_target_of_its_periods_last_day(
    store: Store, period: str, target: float, verdict: str
) -> None:
    dated = (Target(100.0, None, date(2026, 11, 9)), Target(90.0, date(2026, 11, 10)))
    city = open_city(store, replace(CONFIG, targets={"dossiers_on_time_pct": dated}), DEMO_SCOPE, NOW)
    found = kpis.read(city, ["dossiers_on_time_pct"], parse_period(period, city.today), late_rule="late_day")[0]
    assert (found.target, found.verdict) == (target, verdict)
