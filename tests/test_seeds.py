"""The 62 seed rows: each figure is data, each row of docs/seeds.md leads to what the pages draw, sums the articles imply hold."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

import pytest

from callbacks.indices import draw_indices
from callbacks.kpis import PAGES as KPI_PAGES
from components.desk_links import read_view
from config import load_config
from metrics.city import City, open_city
from metrics.city.numbers import indicators
from metrics.kpis import KPI_BY_KEY
from pipeline import refresh
from scope import DEMO_SCOPE
from store.engine import Store, open_store
from store.migrate import migrate
from tests.drawn import nodes, words
from tests.servers import ROOT
from text import t

FOLDER = ROOT / "examples" / "seeds"
NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
CONFIG = load_config(FOLDER / "city.toml", {})


@dataclass(frozen=True)
class Row:
    """A line of docs/seeds.md."""

    number: int
    indicators: tuple[str, ...]
    kpis: tuple[str, ...]


@cache
def mapped() -> tuple[Row, ...]:
    """The table of docs/seeds.md."""
    told = (ROOT / "docs" / "seeds.md").read_text("utf-8")
    lines = re.findall(r"^\| (\d+) \| [^|]+ \| [^|]+ \|([^|]*)\|([^|]*)\|$", told, re.MULTILINE)
    return tuple(Row(int(number), *(tuple(re.findall(r"`(\w+)`", part)) for part in parts)) for number, *parts in lines)


@cache
def seeds() -> tuple[dict[str, str], ...]:
    """Every line of the seed files."""
    found = []
    for path in sorted((FOLDER / "data").glob("*.csv")):
        with path.open(encoding="utf-8") as file:
            found += list(csv.DictReader(file))
    return tuple(found)


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def store(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    opened = open_store(make_database(request.param), CONFIG.tz)
    migrate(opened)
    assert refresh(opened, CONFIG, NOW) == []
    yield opened
    opened.dispose()


@pytest.fixture(scope="module")
def city(store: Store) -> City:
    return open_city(store, CONFIG, DEMO_SCOPE, NOW)


@pytest.fixture(scope="module")
def shown(city: City) -> dict[tuple[str, str], str]:
    """What /indices draws of each indicator and subject: the words of its card or table row."""
    view = read_view({"path": "/indices", "query": {}}, CONFIG, city.today)
    found: dict[tuple[str, str], str] = {}
    for block in nodes(list(draw_indices(city, view))):
        if type(block).__name__ in ("Article", "Tr"):
            for node in nodes([block]):
                if hasattr(node, "data-indicator"):
                    key = getattr(node, "data-indicator"), getattr(node, "data-subject")
                    found[key] = f"{found.get(key, '')} {words([block])}"
    return found


def figures_of(line: dict[str, str]) -> list[str]:
    """What of a line a reader must find on the page: numbers as the article writes them, words where it has no number."""
    written = [line["text"], line["part"], line["rank"], line["change"].lstrip("-"), line["target"], *line["value"].split("/")]
    found = [re.sub(r"^(?:>|≥|gần|khoảng) ?", "", part) for part in written if part]
    found = [part.lstrip("0") if part.isdigit() else part for part in found]
    return [*found, *([f"{line['plan_pct']}%"] if line["plan_pct"] else []), *([line["document"]] if line["document"] else [])]


# ---- nothing is missing -----------------------------------------------------------------------------------------------------
def test_all_62_rows_are_mapped_and_every_row_has_data() -> None:
    assert [row.number for row in mapped()] == list(range(1, 63))
    assert {int(line["row"]) for line in seeds()} == set(range(1, 63))


def test_the_table_names_just_the_codes_of_the_files() -> None:
    for row in mapped():
        assert set(row.indicators) == {line["code"] for line in seeds() if int(line["row"]) == row.number}, row.number


def test_every_line_lands_with_source_unit_and_theme(city: City) -> None:
    found = indicators.read(city)
    assert len(found) == len(seeds())
    assert all(re.match(r"S[0-4], ", item.document) and item.theme for item in found)
    assert all(item.measure_unit for item in found if item.value is not None)


# ---- the pages --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("number", range(1, 63))
def test_every_figure_of_a_row_is_on_the_page(shown: dict[tuple[str, str], str], number: int) -> None:
    lines = [line for line in seeds() if int(line["row"]) == number]
    assert lines
    for line in lines:
        said = shown[line["code"], line["subject"]]
        for figure in figures_of(line):
            assert re.search(rf"(?<![\d.,]){re.escape(figure)}(?!\d|[.,]\d)", said), (number, line["code"], figure, said)


def test_every_kpi_a_row_names_has_its_entry_in_the_catalogue(city: City) -> None:
    keys = {key for row in mapped() for key in row.kpis}
    assert len(keys) >= 15 and keys <= set(KPI_BY_KEY)
    view = read_view({"path": "/kpis", "query": {"open": "all"}}, CONFIG, city.today)
    drawn = words(list(next(page for page in KPI_PAGES if page.name == "kpis").draw(city, view)))
    missing = [key for key in keys if t(f"kpi.{key}.label", "vi") not in drawn]
    assert missing == []


@pytest.mark.parametrize("theme", ["economy", "governance", "environment", "mobility", "people", "living"])
def test_each_of_the_six_fields_leads_to_its_figures(city: City, theme: str) -> None:
    found = indicators.read(city, indicators.IndicatorFilter(theme=theme))
    assert found and {item.theme for item in found} == {theme}


# ---- what the figures imply ---------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def value(city: City) -> Callable[[str], float]:
    """The newest value of an indicator, of its first subject."""
    newest = {item.indicator: item.value for item in reversed(indicators.read(city))}
    return lambda code: float(newest[code] if newest[code] is not None else "nan")


def test_the_sums_hold(value: Callable[[str], float]) -> None:
    assert value("coops") == value("coops_farm") + value("coops_other") == 181
    assert value("projects") == value("projects_new") + value("projects_carried") == 25
    assert value("projects_accepted") == value("projects_excellent") + value("projects_good") == 5
    assert value("stem_schools") == value("stem_per_level") * value("stem_levels") == 6
    assert round(100 * value("schools_standard") / value("schools"), 2) == 30.19
    assert round(100 * value("schools_standard") / value("schools"), 1) == value("schools_standard_pct")
    assert round(100 * value("online_level4") / (value("online_level3") + value("online_level4")), 1) == 15.7


def test_shares_and_plans_follow_from_the_figures(city: City) -> None:
    found = {item.indicator: item for item in reversed(indicators.read(city))}
    plans = {code: round(found[code].plan or 0) for code in ("jobs", "jobs_abroad", "job_advice", "job_found", "vocational")}
    assert plans == {"jobs": 5005, "jobs_abroad": 400, "job_advice": 3486, "job_found": 1000, "vocational": 6000}
    assert all(found[code].is_plan_derived for code in plans)
    insurance = found["voluntary_insurance"]
    assert (round(insurance.plan_pct or 0, 2), insurance.disagrees, insurance.is_plan_derived) == (117.98, False, False)
    assert round(found["ocop"].share or 0, 1) == 81.1


def test_what_the_articles_do_not_agree_on_is_kept_as_it_is(city: City) -> None:
    days = [item.value for item in indicators.read(city, indicators.IndicatorFilter(indicator="ipa_days"))]
    (cut,) = indicators.read(city, indicators.IndicatorFilter(indicator="ipa_cut"))
    assert (days, cut.value, cut.bound) == ([7, 25], 50, "about")


def test_ranks_keep_their_own_denominators(city: City) -> None:
    found = {
        (item.indicator, item.period): (item.rank, item.denominator)
        for code in ("par_index_dept", "egov_index", "ddci")
        for item in indicators.read(city, indicators.IndicatorFilter(indicator=code, subject="Sở KH&CN Bắc Kạn")) if not item.parent
    }
    assert found == {
        **{("par_index_dept", str(2016 + n)): (k, 19) for n, k in enumerate((13, 12, 14, 8, 6))},
        ("egov_index", "2019"): (14, 23), ("egov_index", "2020"): (5, 23),
        ("ddci", "2018"): (33, 34), ("ddci", "2019"): (23, 34), ("ddci", "2020"): (6, 23),
    }
