"""/duplicates as it is used: judged by keyboard, taken back, narrow enough for a phone; and the API and files say the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Page, expect

from api.routes import mount
from app import make_app
from components.context import AppContext
from components.desk_duplicates import marked_words, pair_code, pair_of
from metrics.city.findings import duplicates
from metrics.periods import parse_period
from scope import scope_of
from store.engine import Store
from store.same import MERGED
from tests.conftest import Pages
from tests.servers import serve_asgi
from tests.test_desk import LAID_OUT
from tests.twin_city import AT, CONFIG, NOW, fill, key, see

MONTH = parse_period("last_30d", NOW.date())


@pytest.fixture
def store(make_database: Callable[..., str]) -> Iterator[Store]:
    opened = fill(make_database("sqlite"))
    yield opened
    opened.dispose()


def shown(page: Page) -> list[str]:
    """The pairs on the page, later first."""
    return [" ".join(card.locator("h2 a").all_inner_texts()[::-1]) for card in page.locator(".d-same").all()]


def test_a_pair_is_judged_and_taken_back_by_keyboard_and_the_address_holds_it(
    store: Store, page: Pages, live_server: Callable[..., Any],
) -> None:
    site = str(live_server(make_app(CONFIG, store, now=lambda: NOW).server).url)
    seen = page((390, 844))
    seen.goto(f"{site}/duplicates")
    expect(seen.locator(".d-same")).to_have_count(4)
    assert seen.evaluate(LAID_OUT) == []  # nothing sticks out of a phone
    first = shown(seen)[0]
    assert first == "A2 A1" and "20 m" in seen.locator(".d-same-evidence").first.inner_text()
    assert {"gà", "Hạ"} <= set(seen.locator(".d-same").first.locator("mark").all_inner_texts())
    seen.locator(".d-same-do button").first.focus()
    seen.keyboard.press("Enter")
    expect(seen.locator(".d-same-said")).to_contain_text("A1 và A2 là một việc")
    expect(seen.locator(".d-same")).to_have_count(3)
    expect(seen.locator("p[data-repeats]")).to_have_attribute("data-repeats", "1")
    expect(seen.locator(".d-same-do button").first).to_be_focused()  # the next pair waits for a word
    seen.locator(".d-same-said button").focus()
    seen.keyboard.press("Enter")
    expect(seen.locator(".d-same-said")).to_contain_text("rút lại")
    expect(seen.locator(".d-same")).to_have_count(4)
    assert shown(seen)[0] == first
    seen.locator(".d-same-do button").first.click()
    expect(seen.locator(".d-same")).to_have_count(3)
    seen.get_by_role("link", name="Là một việc").click()
    expect(seen.locator(".d-same[data-state=merged]")).to_have_count(1)
    assert "state=merged" in seen.url
    seen.go_back()
    expect(seen.locator(".d-same")).to_have_count(3)


def test_a_word_somebody_else_was_quicker_with_is_told_and_not_written_twice(
    store: Store, page: Pages, live_server: Callable[..., Any],
) -> None:
    site = str(live_server(make_app(CONFIG, store, now=lambda: NOW).server).url)
    seen = page((1440, 900))
    seen.goto(f"{site}/duplicates?lang=en")
    expect(seen.locator(".d-same")).to_have_count(4)
    duplicates.merge(see(store, "operator"), key("A1"), key("A2"), "", AT)
    seen.locator(".d-same-do button").first.click()
    expect(seen.locator("#same-fault")).to_contain_text("Load the page again")
    one = duplicates.one(see(store), (key("A1"), key("A2")))
    assert one is not None and (one.state, one.said_by) == (MERGED, "user:operator")


def test_the_api_and_its_files_hold_the_pairs_of_the_page(store: Store) -> None:
    server, context = FastAPI(), AppContext(CONFIG, store, lambda: NOW, lambda request: scope_of("analyst", actor="user:analyst"))
    mount(server, context)
    page = duplicates.read(see(store), MONTH)
    with serve_asgi(server) as live, httpx.Client(base_url=live.url) as client:
        told = client.get("/api/v1/duplicates", params={"limit": 3}).json()
        rest = client.get("/api/v1/duplicates", params={"limit": 3, "cursor": told["next"]}).json()
        lines = client.get("/api/v1/duplicates.csv").text.strip().splitlines()
        refused = client.get("/api/v1/duplicates", params={"period": "2026-YTD"})
        spots = client.get("/api/v1/hotspots", params={"period": "2026-W46", "by": "cell"}).json()
    names = [(row["later_source_id"], row["earlier_source_id"]) for row in (*told["items"], *rest["items"])]
    assert names == [(row.later.source_id, row.earlier.source_id) for row in page.rows]
    assert (told["total"], told["count"], rest["next"], told["repeats"]) == (4, 3, None, 0)
    assert told["reach"] == {"radius_m": 100.0, "days": 7.0, "by_category": {}}
    assert len(lines) == 5
    assert (refused.status_code, refused.json()["error"]["field"]) == (400, "period")
    assert (spots["by"], spots["compared"], spots["items"]) == ("cell", 0, spots["items"])


@given(st.text(max_size=9), st.text(max_size=9))
def test_any_pair_of_ids_survives_the_address(one: str, other: str) -> None:
    pair = (("feed", one.replace("\0", "")), ("feed", other.replace("\0", "")))
    code = pair_code(pair)
    assert pair_of(code) == pair and code.isascii() and not set(code) & set(".{}&=+/ ")


@pytest.mark.parametrize("code", ["", "%%", "e30", "WzEsMiwzLDRd", "W10", "\u0111"])
def test_what_is_no_pair_is_none(code: str) -> None:
    assert pair_of(code) is None


def test_words_in_common_are_marked_as_they_are_written() -> None:
    parts = marked_words("Ổ gà, GÀ!", frozenset({"ga"}))
    assert [part if isinstance(part, str) else f"<{part.children}>" for part in parts] == ["Ổ ", "<gà>", ", ", "<GÀ>", "!"]
