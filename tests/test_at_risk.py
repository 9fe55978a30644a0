"""The at-risk queue over real dossiers (WABO): the judgement, the queue, its filters and rights, what the page and the API say of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import text

from app import make_app
from callbacks.at_risk import draw_queue
from components.desk_links import read_view
from config import Config
from metrics.at_risk.history import outcomes
from metrics.at_risk.learning import judge
from metrics.city import City, open_city
from metrics.city.findings import at_risk
from metrics.city.findings.at_risk_learning import is_due, relearn
from metrics.city.findings.risk_rows import read_sample
from metrics.city.lists.filters import parse
from metrics.city.remembered import Remembered
from pipeline import RISK_FIRST_S, Ingest
from scope import FIELD_CLASSES, Forbidden, Scope
from store.days import instant
from store.engine import Store, open_store
from store.risk import newest_risk, put_risk
from tests.conftest import Pages
from tests.servers import LiveServer
from tests.stores import ALL, NOW, real_store

OPEN = parse("dossiers", {"state": "open"})
EXPORTS = replace(ALL, permissions=ALL.permissions | {"export"})


@dataclass(frozen=True)
class Learned:
    """A copy of the WABO store with a model in it."""

    store: Store
    config: Config

    def city(self, scope: Scope = ALL) -> City:
        """As these rights see it."""
        return open_city(self.store, self.config, scope, NOW, Remembered())


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def wabo(request: pytest.FixtureRequest, make_database: Callable[..., str], real_data: Path) -> Iterator[Learned]:
    filled = real_store(make_database, request.param, "wabo", real_data)
    filled.store.dispose()
    store = open_store(make_database(request.param, filled.store.engine.url.render_as_string(hide_password=False)), filled.config.tz)
    relearn(store, filled.config, NOW)
    yield Learned(store, filled.config)
    store.dispose()


def texts(component: Any) -> str:
    """All that a drawn part says."""
    return json.dumps([part.to_plotly_json() for part in component if part is not None], default=lambda x: x.to_plotly_json(),
                      ensure_ascii=False)


# ---- the judgement ------------------------------------------------------------------------------------------------------
def test_learned_before_and_judged_after_a_split_it_beats_both_baselines(wabo: Learned) -> None:
    found = at_risk.model(wabo.city())
    judgement = found.judgement
    assert judgement is not None
    assert found.ranked_by == "model"
    assert all(gain.low > 0 for gain in judgement.gains), judgement.gains
    assert judgement.judged_dossiers > 300
    assert judgement.missed_dossiers > 60
    assert judgement.ranking > 0.7
    predicted, observed = ([getattr(one, name) for one in judgement.calibration] for name in ("predicted", "observed"))
    assert max(abs(p - o) for p, o in zip(predicted, observed, strict=True)) < 0.12
    assert observed[-1] > 5 * observed[0]


def test_it_is_better_even_if_nobody_had_known_which_agency_a_dossier_is_with(wabo: Learned) -> None:
    """WABO tells a dossier's group as it was in the end, which may not be who had it first."""
    history = read_sample(wabo.store, wabo.config, wabo.city().as_of).history
    blind = replace(history, agency=np.zeros_like(history.agency))
    judgement = judge(blind, outcomes(blind))
    assert judgement is not None
    assert judgement.is_better, judgement.gains


def test_both_engines_learn_the_same(wabo: Learned, request: pytest.FixtureRequest) -> None:
    with wabo.store.reading() as connection:
        row = newest_risk(connection)
    assert row is not None
    seen: dict[str, str] = request.config.stash.setdefault(BODIES, {})
    seen[request.node.name] = json.dumps(rounded(json.loads(row.body)), sort_keys=True)
    assert len(set(seen.values())) == 1


BODIES = pytest.StashKey[dict[str, str]]()


def rounded(told: Any) -> Any:
    """Numbers to six places."""
    if isinstance(told, dict):
        return {key: rounded(value) for key, value in told.items()}
    if isinstance(told, list):
        return [rounded(value) for value in told]
    return round(told, 6) if isinstance(told, float) else told


# ---- the queue --------------------------------------------------------------------------------------------------------
def test_the_queue_holds_the_open_dossiers_still_in_time_likeliest_first(wabo: Learned) -> None:
    city = wabo.city()
    page = at_risk.read(city, OPEN, limit=1000)
    with wabo.store.reading() as connection:
        asked = "SELECT source_id FROM core_dossier WHERE finished_on IS NULL AND standing = 1 AND due_at >= coalesce(verdict_at, :now)"
        expected = {row[0] for row in connection.execute(text(asked), {"now": city.as_of})}
    assert {row.source_id for row in page.rows} == expected
    assert page.total == len(expected)
    chances = [row.chance_pct for row in page.rows]
    assert chances == sorted(chances, reverse=True)
    assert all(0 < chance < 100 and row.base_pct and row.age_pct for chance, row in zip(chances, page.rows, strict=True))
    assert sum(bool(row.reasons) for row in page.rows) > len(expected) // 2
    assert all(one.adds > 0 for row in page.rows for one in row.reasons)


def test_pages_follow_one_another_without_a_gap_or_a_twin(wabo: Learned) -> None:
    city, cursor, found = wabo.city(), "", []
    while True:
        page = at_risk.read(city, OPEN, limit=7, cursor=cursor)
        found += [row.source_id for row in page.rows]
        cursor = page.next_cursor
        if not cursor:
            break
    assert found == [row.source_id for row in at_risk.read(city, OPEN, limit=1000).rows]
    assert found == [row.source_id for rows in at_risk.every(wabo.city(EXPORTS), OPEN) for row in rows]


@pytest.mark.parametrize("cursor", ["x", "bnVsbA", "WzEsMiwzLDRd", "W10", "\u00e9"])
def test_a_cursor_of_another_list_is_refused(wabo: Learned, cursor: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        at_risk.read(wabo.city(), OPEN, cursor=cursor)


def test_filters_and_rights_narrow_the_queue_and_change_no_chance(wabo: Learned) -> None:
    whole = {row.source_id: row for row in at_risk.read(wabo.city(), OPEN, limit=1000).rows}
    agency = next(iter(whole.values())).agency_code
    chosen = at_risk.read(wabo.city(), parse("dossiers", {"state": "open", "agency": agency}), limit=1000)
    limited = at_risk.read(wabo.city(replace(ALL, agencies=(agency,))), OPEN, limit=1000)
    for page in (chosen, limited):
        assert {row.source_id for row in page.rows} == {key for key, row in whole.items() if row.agency_code == agency}
        assert {row.source_id: row.chance_pct for row in page.rows}.items() <= {key: row.chance_pct for key, row in whole.items()}.items()
    assert 0 < chosen.total < len(whole)
    assert at_risk.read(wabo.city(replace(ALL, agencies=())), OPEN).total == 0


def test_of_very_many_only_those_due_soonest_are_scored_and_that_is_said(wabo: Learned, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = sorted(at_risk.read(wabo.city(), OPEN, limit=1000).rows, key=lambda row: (row.due_at, row.feed, row.source_id))
    monkeypatch.setattr(at_risk, "MOST_SCORED", 10)
    page = at_risk.read(wabo.city(), OPEN, limit=1000)
    assert page.is_cut
    assert {row.source_id for row in page.rows} == {row.source_id for row in whole[:10]}
    assert "due soonest" in draw(wabo, lang="en")


def test_who_may_not_see_dossiers_or_read_free_text_is_given_none(wabo: Learned) -> None:
    with pytest.raises(Forbidden):
        at_risk.read(wabo.city(Scope(frozenset({"see.desk"}), None, None)), OPEN)
    with pytest.raises(Forbidden):
        next(at_risk.every(wabo.city(), OPEN))
    public = replace(ALL, field_classes=frozenset(FIELD_CLASSES[:1]))
    assert any(row.step for row in at_risk.read(wabo.city(), OPEN).rows)
    assert not any(row.step for row in at_risk.read(wabo.city(public), OPEN).rows)


# ---- what is said ---------------------------------------------------------------------------------------------------------
def test_the_api_says_what_the_page_says(wabo: Learned, live_server: Callable[..., LiveServer]) -> None:
    config = replace(wabo.config, simulated=True)
    address = live_server(make_app(config, wabo.store, now=lambda: NOW).server).url
    told = httpx.get(f"{address}/api/v1/at-risk?limit=5").raise_for_status().json()
    page = at_risk.read(wabo.city(), OPEN, limit=5)
    assert [(row["source_id"], row["chance_pct"]) for row in told["items"]] == [(row.source_id, row.chance_pct) for row in page.rows]
    assert told["total"] == page.total
    assert told["model"]["judgement"]["is_better"] is True
    assert len(told["model"]["judgement"]["calibration"]) == 8
    lines = httpx.get(f"{address}/api/v1/at-risk.csv").raise_for_status().text.strip().splitlines()
    assert len(lines) == 1 + page.total
    refused = httpx.get(f"{address}/api/v1/at-risk?supplements=many")
    assert (refused.status_code, refused.json()["error"]["field"]) == (400, "supplements")


def draw(wabo: Learned, scope: Scope = ALL, **query: str) -> str:
    city = wabo.city(scope)
    return texts(draw_queue(city, read_view({"path": "/at-risk", "query": query}, wabo.config, city.today)))


def test_the_page_says_what_it_is_ranked_by_and_shows_gains_and_calibration(wabo: Learned) -> None:
    shown = draw(wabo, lang="en")
    assert "better than both baselines" in shown
    assert "not called a cause" in shown
    assert shown.count('"data-reason"') > 40
    assert "Predicted and observed" in shown
    assert "No open dossier is still within its due date." in draw(wabo, lang="en", agency="nowhere")


def test_a_model_that_is_no_better_is_called_so_and_the_queue_is_ranked_by_the_better_baseline(wabo: Learned) -> None:
    with wabo.store.reading() as connection:
        held = newest_risk(connection)
    assert held is not None
    told = json.loads(held.body)
    told["judgement"]["gains"][1]["low"] = -0.001
    put_risk(wabo.store, held.learned_at, 0, held.dossiers, json.dumps(told))
    try:
        page = at_risk.read(wabo.city(), OPEN, limit=1000)
        assert page.model.ranked_by == "age_over_limit"
        assert [row.chance_pct for row in page.rows] == [row.age_pct for row in page.rows]
        assert not any(row.reasons for row in page.rows)
        assert "no better than baseline" in draw(wabo, lang="en")
        assert "không tốt hơn mốc so sánh" in draw(wabo, lang="vi")
    finally:
        put_risk(wabo.store, held.learned_at, 0, held.dossiers, held.body)


def test_where_too_little_is_known_no_chance_is_told_and_the_limit_used_ranks(wabo: Learned) -> None:
    with wabo.store.reading() as connection:
        held = newest_risk(connection)
    assert held is not None
    put_risk(wabo.store, held.learned_at, 0, 0, "")
    try:
        page = at_risk.read(wabo.city(), OPEN, limit=1000)
        assert page.model.ranked_by == "too_little"
        used = [row.used_pct for row in page.rows]
        assert used == sorted(used, reverse=True)
        assert {row.chance_pct for row in page.rows} == {None}
        assert "Too few dossiers" in draw(wabo, lang="en")
    finally:
        put_risk(wabo.store, held.learned_at, 0, held.dossiers, held.body)


# ---- when it is learned -----------------------------------------------------------------------------------------------------
def test_it_is_learned_anew_once_a_day_and_sooner_when_too_little_was_known(engine_url: str) -> None:
    config = Config(name="T", store_url=engine_url)
    store = open_store(engine_url, config.tz)
    try:
        assert is_due(store, NOW)
        assert relearn(store, config, NOW).ranked_by == "too_little"
        assert not is_due(store, NOW + timedelta(minutes=9))
        assert is_due(store, NOW + timedelta(minutes=10))
        for _ in range(5):  # while the history comes in
            put_risk(store, instant(NOW), 0, 500, "{}")
            assert is_due(store, NOW + timedelta(minutes=10))
        put_risk(store, instant(NOW), 0, 500, "{}")
        assert not is_due(store, NOW + timedelta(hours=23))
        assert is_due(store, NOW + timedelta(hours=24))
    finally:
        store.dispose()


def test_the_ingest_process_learns_when_it_has_been_up_a_while(engine_url: str) -> None:
    clock = [NOW]
    config = Config(name="T", store_url=engine_url)
    store = open_store(engine_url, config.tz)
    work = Ingest(store, config, now=lambda: clock[0])
    try:
        work.turn()
        assert work.learning is None
        clock[0] = NOW + timedelta(seconds=RISK_FIRST_S)
        work.turn()
        assert work.learning is not None
        work.learning.result(30)
        with store.reading() as connection:
            row = newest_risk(connection)
        assert row is not None
        assert row.learned_at == instant(clock[0])
    finally:
        work.stop.set()
        work.run()
        store.dispose()


def test_from_the_queue_to_a_record_by_keyboard_alone(wabo: Learned, live_server: Callable[..., LiveServer], page: Pages) -> None:
    if not wabo.store.is_sqlite:
        pytest.skip("the page is the same on both engines; the queue is compared above")
    config = replace(wabo.config, simulated=True)
    address = live_server(make_app(config, wabo.store, now=lambda: NOW).server).url
    opened = page((390, 844))
    opened.goto(f"{address}/at-risk?lang=en")
    first = opened.locator("tbody th a").first
    first.wait_for()
    assert opened.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    name = first.inner_text()
    for _ in range(40):
        opened.keyboard.press("Tab")
        if opened.evaluate("document.activeElement.textContent") == name:
            break
    opened.keyboard.press("Enter")
    opened.wait_for_url(f"**/dossiers/wabo~{name}**")
    opened.get_by_role("heading", name=name).wait_for()
    opened.go_back()
    opened.locator("tbody th a").first.wait_for()
