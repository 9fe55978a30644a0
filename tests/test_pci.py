"""The real PCI and PAPI of all provinces, read by examples/pci: what lands, what is refused, ranks, against the files themselves."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from config import load_config
from metrics.city import City, open_city
from metrics.city.numbers import indicators
from metrics.city.numbers.indicators import IndicatorFilter, IndicatorItem
from pipeline import refresh
from scope import DEMO_SCOPE
from store.engine import open_store
from store.migrate import migrate
from tests.servers import ROOT

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
TOTALS = {"pci": "pci_weighted", "papi": "papi_unweighted"}
PARTS = {"pci": 11, "papi": 6}


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def city(request: pytest.FixtureRequest, make_database: Callable[..., str], real_data: Path) -> Iterator[City]:
    config = load_config(ROOT / "examples" / "pci" / "city.toml", {"TOANCANH_REAL_DATA": str(real_data)})
    store = open_store(make_database(request.param), config.tz)
    migrate(store)
    assert refresh(store, config, NOW) == []
    yield open_city(store, config, DEMO_SCOPE, NOW)
    store.dispose()


@pytest.fixture(scope="module")
def files(real_data: Path) -> dict[str, list[dict[str, str]]]:
    """The rows of both files, as they are."""
    found = {}
    for name in TOTALS:
        with (real_data / "indicators-vn" / f"{name}.csv").open(encoding="utf-8") as file:
            found[name] = list(csv.DictReader(file))
    return found


def columns(name: str, row: dict[str, str]) -> list[str]:
    """The total and the parts the city file reads: not the unweighted PCI, not the parts of PAPI's parts."""
    chosen = [column for column in row if column.startswith(name) and column != "pci_unweighted"]
    return chosen if name == "pci" else [column for column in chosen if column.count("_") == 1]


def rows(city: City, statement: str) -> list[tuple[Any, ...]]:
    with city.store.reading() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def of_quang_ninh(city: City, year: int) -> list[IndicatorItem]:
    """Its PCI of a year, without parts."""
    found = indicators.read(city, IndicatorFilter(indicator="pci", subject="Quảng Ninh", year=year))
    return [item for item in found if not item.parent]


def test_every_cell_that_has_a_province_and_a_value_lands(city: City, files: dict[str, list[dict[str, str]]]) -> None:
    wanted = {name: sum(1 for row in found if row["prov"] for column in columns(name, row) if row[column]) for name, found in files.items()}
    landed = dict(rows(city, "SELECT feed, count(*) FROM core_indicator_value GROUP BY feed"))
    assert landed == wanted == {"pci": 7274, "papi": 2634}


def test_the_50_rows_of_2013_without_a_province_are_refused_once_each(city: City, files: dict[str, list[dict[str, str]]]) -> None:
    nameless = [row for row in files["pci"] if not row["prov"]]
    assert (len(nameless), {row["year"] for row in nameless}) == (50, {"2013"})
    counted = "SELECT feed, field, reason, count(*) FROM ops_reject WHERE resolved_at IS NULL GROUP BY feed, field, reason"
    assert rows(city, counted) == [("pci", "subject", "missing_field", 50)]


@pytest.mark.parametrize("name", ["pci", "papi"])
def test_values_are_those_of_the_file(city: City, files: dict[str, list[dict[str, str]]], name: str) -> None:
    wanted = {row["year"]: float(row[TOTALS[name]]) for row in files[name] if row["prov"] == "Quang Ninh"}
    chosen = IndicatorFilter(indicator=name, subject="Quảng Ninh")
    found = {item.period: item.value for item in indicators.read(city, chosen) if not item.parent}
    assert found == wanted
    assert "2013" not in found or name == "papi"


@pytest.mark.parametrize("name", ["pci", "papi"])
def test_ranks_are_those_of_a_plain_sort_of_the_file(city: City, files: dict[str, list[dict[str, str]]], name: str) -> None:
    for year in {row["year"] for row in files[name]}:
        there = [row for row in files[name] if row["year"] == year and row["prov"] and row[TOTALS[name]]]
        values = sorted((float(row[TOTALS[name]]) for row in there), reverse=True)
        found = [item for item in indicators.read(city, IndicatorFilter(indicator=name, year=int(year))) if not item.parent]
        assert len(found) == len(there)
        assert {(item.rank, item.denominator, item.rank_source) for item in found} == {
            (values.index(item.value) + 1, len(values), "computed") for item in found if item.value is not None
        }


def test_2016_says_what_was_published_of_quang_ninh(city: City) -> None:
    """PCI 2016: second of 63; PAPI 2016: far down."""
    (pci,) = of_quang_ninh(city, 2016)
    assert (pci.rank, pci.denominator, round(pci.value or 0, 2), pci.previous_rank, pci.publisher) == (2, 63, 65.6, 3, "VCCI, USAID")


def test_a_year_that_is_missing_is_stepped_over_and_named(city: City) -> None:
    (found,) = of_quang_ninh(city, 2014)
    assert (found.previous_period, found.change_from) == ("2012", "2012")


def test_a_card_has_the_parts_of_its_own_year(city: City) -> None:
    for name, count in PARTS.items():
        (card,) = (c for c in indicators.cards(city, IndicatorFilter(subject="Quảng Ninh")) if c.item.indicator == name)
        assert 0 < len(card.parts) <= count and {part.period for part in card.parts} == {card.item.period}
        assert [part.name for part in card.parts][:1] == [{"pci": "Gia nhập thị trường", "papi": "Tham gia của người dân"}[name]]
