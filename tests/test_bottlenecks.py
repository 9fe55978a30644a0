"""Where the time of procedures goes: on a province worked out by hand, and on the real event log against its raw rows."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from fastapi import FastAPI
from playwright.sync_api import Page, expect
from sqlalchemy import text

from api.routes import mount
from app import make_app
from callbacks import bottlenecks as page_of
from components.context import AppContext
from metrics.city import City, open_city
from metrics.city.findings import bottlenecks
from metrics.city.findings.bottlenecks import Bottlenecks
from metrics.city.numbers.sums import NOTHING_CHOSEN, Choice
from metrics.city.records import dossiers
from metrics.periods import Period, parse_period
from metrics.process import Process
from scope import Scope, scope_of
from store.engine import Store
from tests.drawn import nodes
from tests.record_city import ENDED, NOW, config_of, open_filled
from tests.servers import LiveServer
from tests.stores import Filled, real_store
from tests.test_records import view_of, words

ANALYST, LEADER = scope_of("analyst", actor="user:a"), scope_of("leader", actor="user:l")


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def store(request: pytest.FixtureRequest, make_database: Callable[..., str]) -> Iterator[Store]:
    found = open_filled(request.param, make_database)
    yield found
    found.dispose()


def city_of(store: Store, scope: Scope = ANALYST) -> City:
    return open_city(store, config_of(""), scope, NOW)


def month(city: City) -> Period:
    return parse_period("last_30d", city.today)


def of_p1(store: Store, scope: Scope = ANALYST, choice: Choice = NOTHING_CHOSEN) -> tuple[Bottlenecks, Process]:
    city = city_of(store, scope)
    found = bottlenecks.read(city, "P1", month(city), choice)
    assert found.process is not None
    return found, found.process


def test_the_sample_is_every_dossier_that_ended(store: Store) -> None:
    found, process = of_p1(store)
    assert (found.total, process.n, found.stepless, found.procedure_name) == (ENDED, ENDED, 0, "Thủ tục Một")
    assert {row.name: row.dossiers for row in process.steps} == {"Tiếp nhận": 24, "Yêu cầu bổ sung": 8, "Thẩm định": 8, "Ký duyệt": 24}


def test_the_work_is_that_of_the_dossiers_and_only_supplements_are_waited_for(store: Store) -> None:
    _, process = of_p1(store)
    with store.reading() as connection:
        worked = connection.execute(text("SELECT sum(worked_s * 1.0 / day_s) FROM core_dossier_time WHERE procedure_code = 'P1'")).scalar()
    assert process.worked_total == pytest.approx(float(worked or 0))
    assert process.waiting_dossiers == 8 and process.waited_total == pytest.approx(8 * 0.125 / 8)
    assert {row.name: round(row.waited_share, 6) for row in process.steps if row.waited_share} == {"Yêu cầu bổ sung": 100.0}


def test_a_step_asked_for_a_second_time_is_the_same_step_again(store: Store) -> None:
    _, process = of_p1(store)
    assert [(row.name, row.dossiers, row.most_times) for row in process.loops] == [("Yêu cầu bổ sung", 1, 2)]


def test_every_dossier_of_the_sample_is_in_one_order_of_steps(store: Store) -> None:
    _, process = of_p1(store)
    assert sum(row.n for row in process.variants) == ENDED and process.variant_count == len(process.variants) == 3


def test_a_reader_without_free_text_sees_states_instead_of_the_offices_words(store: Store) -> None:
    found, process = of_p1(store, LEADER)
    assert found.names_hidden and {row.name for row in process.steps} == {""}
    assert {row.status: row.dossiers for row in process.steps} == {2: 24, 5: 8, 4: 8, 9: 24}
    assert process.worked_total == pytest.approx(of_p1(store)[1].worked_total)


def test_a_reader_of_one_agency_and_a_choice_of_it_see_the_same(store: Store) -> None:
    own, process = of_p1(store, scope_of("analyst", agencies=("H9.1",), actor="user:o"))
    chosen, same = of_p1(store, choice=Choice(agency="H9.1"))
    assert own.total == chosen.total == 12 and process == same


def test_a_larger_procedure_is_told_by_its_newest_dossiers(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bottlenecks, "SAMPLE", 5)
    found, process = of_p1(store)
    city = city_of(store)
    newest = dossiers.read(city, dossiers.DossierFilter(state="finished", procedure="P1"), limit=5).rows
    assert (found.total, process.n) == (ENDED, 5)
    assert found.from_on == found.to_on == city.store.days.on(newest[0].finished_at)


def test_the_list_a_procedure_leads_to_has_its_dossiers(store: Store) -> None:
    city = city_of(store)
    page = page_of.draw_page(city, view_of(city, "/bottlenecks", procedure="P1", period="last_30d"))
    links = [node.href for node in nodes(page) if str(getattr(node, "href", "")).startswith("/dossiers?")]
    asked = dict(parse_qsl(links[0].partition("?")[2]))
    assert dossiers.total(city, dossiers.chosen(asked)) == of_p1(store)[0].total == ENDED


def test_the_procedures_shares_add_up_and_their_dossiers_are_those_that_ended(store: Store) -> None:
    city = city_of(store)
    found = bottlenecks.procedures(city, month(city))
    assert [(row.procedure_code, row.n) for row in found.rows] == [("P1", ENDED)]
    assert sum(row.worked_share for row in found.rows) == pytest.approx(100)


def test_a_period_longer_than_a_year_is_refused_in_words(store: Store) -> None:
    city = city_of(store)
    with pytest.raises(ValueError, match="longer than 366 days"):
        bottlenecks.read(city, "P1", parse_period("2020-01-01..2026-11-20", city.today))


def test_steps_are_found_by_key_however_many_there_are(store: Store) -> None:
    """No scan of steps, stops or dossiers: what a page costs follows the sample."""
    city, asked = city_of(store), list[tuple[str, Any]]()
    with store.reading() as connection:
        spy = Spy(connection, asked)
        where, values = bottlenecks._ended(city, 0, 99_999, Choice())
        sample = "SELECT t.feed, t.source_id, t.finished_on FROM core_dossier_time t WHERE t.procedure_code = :procedure AND " \
                 f"{where} ORDER BY t.finished_on DESC, t.feed, t.source_id LIMIT 1000"
        bottlenecks._ways(spy, city, sample, {**values, "procedure": "P1"})  # type: ignore[arg-type]
        if not store.is_sqlite:
            connection.execute(text("SET LOCAL enable_seqscan = off"))  # small tables are read whole: is there another way?
        plans = ["\n".join(str(row[-1]) for row in connection.execute(text(f"{_explain(store)} {sql}"), given)) for sql, given in asked]
    assert len(plans) == 3
    for plan in plans:
        assert "ix_time_procedure" in plan
        assert "Seq Scan" not in plan and "SCAN core_dossier" not in plan and "SCAN x" not in plan and "SCAN d" not in plan, plan


def _explain(store: Store) -> str:
    return "EXPLAIN QUERY PLAN" if store.is_sqlite else "EXPLAIN"


class Spy:
    """A connection that notes what it is asked."""

    def __init__(self, connection: Any, asked: list[tuple[str, Any]]) -> None:
        self.connection, self.asked = connection, asked

    def execute(self, statement: Any, values: Any) -> Any:
        """As the connection's."""
        self.asked.append((str(statement), values))
        return self.connection.execute(statement, values)


@pytest.mark.parametrize("lang", ["vi", "en"])
def test_the_page_tells_procedures_one_procedure_and_nothing_in_words(store: Store, lang: str) -> None:
    city = city_of(store)
    asked = {
        "all": {}, "one": {"procedure": "P1"}, "none": {"period": "2020-01"}, "unknown": {"procedure": "P9"}, "untold": {"procedure": "-"},
    }
    views = {key: view_of(city, "/bottlenecks", **{"lang": lang, "period": "last_30d", **query}) for key, query in asked.items()}
    said = {key: words(page_of.draw_page(city, view)) for key, view in views.items()}
    assert "Thủ tục Một" in said["all"] and "Tiếp nhận" in said["one"]
    empty = {"vi": "Không có hồ sơ nào kết thúc", "en": "No dossier ended"}[lang]
    assert all(empty in said[key] for key in ("none", "unknown", "untold"))


def test_the_api_tells_the_pages_figures_and_a_file_its_steps(
    make_database: Callable[..., str], live_server: Callable[..., LiveServer],
) -> None:
    store = open_filled("sqlite", make_database)
    server = FastAPI()
    config = config_of(store.engine.url.render_as_string(hide_password=False))
    context = AppContext(config, store, lambda: NOW, lambda request: ANALYST)
    mount(server, context, build_frame=lambda city, lang: {"props": {}, "ages": {}})
    address = f"{live_server(server).url}/api/v1/bottlenecks"
    found, process = of_p1(store)
    one = httpx.get(address, params={"procedure": "P1"}).raise_for_status().json()
    assert (one["total"], one["n"], one["worked_median"]) == (found.total, process.n, process.worked_median)
    assert [row["name"] for row in one["steps"]] == [row.name for row in process.steps]
    assert [row["n"] for row in one["variants"]] == [row.n for row in process.variants]
    listed = httpx.get(address).raise_for_status().json()
    assert [(row["procedure_code"], row["n"]) for row in listed["items"]] == [("P1", ENDED)]
    lines = httpx.get(f"{address}.csv", params={"procedure": "P1"}).raise_for_status().text.strip().splitlines()
    assert len(lines) == 1 + len(process.steps)
    assert httpx.get(address, params={"period": "2020-01-01..2026-11-20", "procedure": "P1"}).status_code == 400
    store.dispose()


# --- a real event log ------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def wabo(request: pytest.FixtureRequest, make_database: Callable[..., str], real_data: Path) -> Iterator[Filled]:
    found = real_store(make_database, request.param, "wabo", real_data)
    yield found
    found.store.dispose()


FIRST, LAST = date(2011, 4, 1), date(2011, 12, 31)


def raw_cases(folder: Path) -> dict[str, tuple[datetime, datetime, list[str]]]:
    """Case -> (start, end, its activities until its end in order of time), of those that ended in the period; from the raw file alone."""
    events: dict[str, list[dict[str, str]]] = {}
    with gzip.open(folder / "dossiers-wabo-receipt" / "receipt.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            events.setdefault(row["case:concept:name"], []).append(row)
    found = {}
    for case, rows in events.items():
        if not rows[0]["case:enddate"]:
            continue
        start, end = (datetime.fromisoformat(rows[0][name]) for name in ("case:startdate", "case:enddate"))
        if not (FIRST <= end.date() <= LAST) or end < start:
            continue
        steps = sorted({(datetime.fromisoformat(row["time:timestamp"]), row["concept:name"]) for row in rows})
        found[case] = (start, end, [name for at, name in steps if at <= end])
    return found


def in_a_row_once(names: list[str]) -> tuple[str, ...]:
    return tuple(name for place, name in enumerate(names) if place == 0 or names[place - 1] != name)


def test_the_real_logs_orders_and_loops_are_those_of_its_raw_rows(wabo: Filled, real_data: Path) -> None:
    cases = raw_cases(real_data)
    found = bottlenecks.read(wabo.city, "", parse_period(f"{FIRST}..{LAST}", wabo.city.today))
    assert found.process is not None and 500 < len(cases) <= bottlenecks.SAMPLE
    assert found.process.n == found.total == len(cases)
    paths = Counter(in_a_row_once(names) for _, _, names in cases.values())
    told = {tuple(key.name for key in row.path): row.n for row in found.process.variants}
    assert found.process.variant_count == len(paths)
    assert told == {path: paths[path] for path in told} and sorted(told.values()) == sorted(paths.values())[-len(told):]
    loops = Counter(name for _, _, names in cases.values() for name, times in Counter(in_a_row_once(names)).items() if times > 1)
    assert {row.name: row.dossiers for row in found.process.loops} == dict(loops) and len(loops) > 3
    days = median((end - start) / timedelta(days=1) for start, end, _ in cases.values())
    assert found.process.calendar_median == pytest.approx(days)


# --- with the keyboard -------------------------------------------------------------------------------------------------
def test_from_a_procedure_to_its_slowest_dossier_by_keyboard(
    make_database: Callable[..., str], live_server: Callable[..., LiveServer], page: Any,
) -> None:
    store = open_filled("sqlite", make_database)
    url = store.engine.url.render_as_string(hide_password=False)
    server = live_server(make_app(config_of(url), store, now=lambda: NOW).server)
    opened: Page = page((390, 844))
    opened.goto(f"{server.url}/bottlenecks")
    opened.get_by_role("link", name="Thủ tục Một").focus()
    opened.keyboard.press("Enter")
    steps = opened.get_by_role("heading", name="Thời gian từ mỗi bước đến bước sau")
    expect(steps).to_be_visible()
    assert "procedure=P1" in opened.url
    slowest = opened.locator(".d-table a").first
    name = slowest.inner_text()
    slowest.focus()
    opened.keyboard.press("Enter")
    expect(opened.locator("h1")).to_have_text(f"Hồ sơ {name}")
    expect(opened.locator(".r-clock .r-line")).to_be_visible()
    assert opened.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    opened.go_back()
    expect(steps).to_be_visible()
