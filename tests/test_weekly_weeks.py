"""Weeks that are not like others: Tết, one still running, one before the data, silent feeds, an empty province; right words, no blank.

Asked of SQLite's briefs; tests/test_weekly.py shows that PostgreSQL's are the same. An empty province is asked of both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text

from config import FeedConfig
from metrics.city import City
from metrics.city.weekly import Weekly
from metrics.city.weekly.parts import Figure
from metrics.city.weekly.written import said, written
from metrics.rollups import clock_step, drain
from store.days import instant
from store.engine import Store, open_store
from store.landing import Landing, land
from store.migrate import migrate
from store.rows import DossierRow, Parsed
from tests.weekly_city import CONFIG, NOW, TZ, at, brief, open_weekly, see, shared
from text import LANGUAGES

ENGINES = ("sqlite", "postgresql")
COMPARED = ("previous", "change", "last_year", "before", "low", "high", "usual_low", "usual_high")


@pytest.fixture(scope="module")
def city(make_database: Callable[..., str]) -> Iterator[City]:
    """For reading only."""
    opened = open_weekly("sqlite", make_database)
    yield shared(opened)
    opened.dispose()


@pytest.fixture
def store(make_database: Callable[..., str]) -> Iterator[Store]:
    """One to write in."""
    opened = open_weekly("sqlite", make_database)
    yield opened
    opened.dispose()


def told(found: Weekly, section: str = "", lang: str = "en") -> list[str]:
    return [said(one.said, lang) for one in found.statements if section in ("", one.section)]


def noted(found: Weekly) -> list[str]:
    return [said(one, "en") for one in found.notes]


def figures(found: Weekly, *columns: str) -> list[float]:
    """Known figures of some columns of all tables but plans and promises."""
    return [
        cell.value for one in found.tables if one.key not in ("league",) for row in one.rows
        for column, cell in zip(one.columns, row.cells, strict=True)
        if column.key in columns and isinstance(cell, Figure) and cell.value is not None
    ]


# ---- Tết ------------------------------------------------------------------------------------------------------------
def test_in_the_week_of_tet_no_work_is_judged_and_that_is_said(city: City) -> None:
    found = brief(city, "2026-W08")
    assert found.is_over and found.changed == () and found.missing == ()
    assert "A holiday week with only 0 working days: changes of dossiers and feedback are not judged." in noted(found)
    assert told(found, "changed") == ["Too few data to judge a change of any KPI."]
    assert all(told(found, section) for section in ("followups", "changed", "score", "overdue", "feedback", "environment"))


def test_the_week_of_tet_is_set_beside_no_week_without_data(city: City) -> None:
    found = brief(city, "2026-W08")  # its like is 2025-W05, before the first data
    assert not any("week before" in one or "2025-W05" in one for one in (*told(found), *noted(found)))
    assert figures(found, "previous", "change", "last_year") == []


def test_a_week_after_tet_is_set_beside_the_last_week_that_was_worked(store: Store) -> None:
    later = replace(see(store), as_of=at(date(2026, 3, 2)))
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE ops_feed SET loaded_at = :at, newest_at = :at"), {"at": at(date(2026, 3, 2))})
    found = brief(later, "2026-W09")
    assert "The week before had no working day: set beside week 2026-W07." in noted(found)
    assert "week 2026-W07" in told(found, "overdue")[0]
    assert "week before" not in told(found, "score")[0]


def test_a_short_week_is_named_with_its_working_days(city: City) -> None:
    found = brief(city, "2026-W01")  # 1 January
    assert any(one.startswith("Holidays left this week 4 working days.") or "3 working days" in one for one in noted(found))


# ---- running, and not begun -----------------------------------------------------------------------------------------
def test_a_running_week_is_set_beside_nothing_and_judged_by_nothing(city: City) -> None:
    found = brief(city, "2026-W09")
    assert not found.is_over and found.changed == ()
    assert figures(found, *COMPARED) == []
    assert told(found, "changed") == ["Week 2026-W09 is not over: nothing is compared, no change is judged."]
    assert any(one.startswith("Week 2026-W09 is not over, figures up to 27/02/2026") for one in noted(found))
    assert "week before" not in " ".join(told(found))


def test_a_running_week_tells_what_there_is_so_far(city: City) -> None:
    found = brief(city, "2026-W09")
    assert found.left_out == ()
    assert told(found, "feedback")[0].startswith("8 reports received, 8 ended;")


def test_a_week_that_has_not_begun_says_so(city: City) -> None:
    found = brief(city, "2026-W12")
    assert noted(found) == ["Week 2026-W12 has not begun."]
    assert told(found) and not any(one.key in ("league", "overdue", "feedback") for one in found.tables)


# ---- weeks nobody speaks of -----------------------------------------------------------------------------------------
def test_a_week_before_the_first_data_has_no_figures_and_no_zeros(city: City) -> None:
    found = brief(city, "2025-W30")
    assert "No feed has spoken for this week yet." in noted(found)
    assert figures(found, "value", "n", "points", "overdue") == []
    assert told(found, "agencies") == ["Nothing is said of dossiers: no one-stop feed speaks for the whole week."]


def silent_since(store: Store, feed: str, instant_at: int | None) -> City:
    with store.engine.begin() as connection:
        connection.execute(
            text("UPDATE ops_feed SET loaded_at = :at, newest_at = :at WHERE feed = :feed"), {"at": instant_at, "feed": feed},
        )
    return see(store)


def test_a_stale_needed_feed_is_named_and_nothing_is_said_of_its_figures(store: Store) -> None:
    found = brief(silent_since(store, "one_stop", at(date(2026, 2, 4))), "2026-W06")
    (gone,) = found.missing
    assert (gone.feed, gone.title, said(gone.why, "en")) == ("one_stop", "Một cửa", "Speaks until 04/02/2026")
    assert told(found, "agencies") == ["Nothing is said of dossiers: no one-stop feed speaks for the whole week."]
    assert told(found, "overdue") == [] and not any(one.key.startswith(("league", "overdue")) for one in found.tables)
    assert not any(one.key.startswith("dossiers") for one in found.changed)
    assert told(found, "feedback") and "feedback" in {one.key for one in found.tables}


def test_the_week_before_the_silence_is_whole(store: Store) -> None:
    found = brief(silent_since(store, "one_stop", at(date(2026, 2, 4))), "2026-W05")
    assert found.left_out == () and told(found, "overdue")


def test_a_feed_that_spoke_to_the_last_moment_of_the_week_is_whole(store: Store) -> None:
    end = at(date(2026, 2, 9), 0)
    assert brief(silent_since(store, "one_stop", end), "2026-W06").missing == ()
    assert [one.feed for one in brief(silent_since(store, "one_stop", end - 1), "2026-W06").missing] == ["one_stop"]


def test_a_stale_feed_nobody_needs_is_left_out_and_stops_no_brief(store: Store) -> None:
    found = brief(silent_since(store, "air", at(date(2026, 2, 3))), "2026-W06")
    assert [(one.feed, one.is_needed) for one in found.left_out] == [("air", False)] and found.missing == ()
    assert told(found, "environment") == ["Nothing is said of readings: no sensor feed speaks for the whole week."]


def test_a_feed_that_never_spoke_is_missing_beside_one_that_did(store: Store) -> None:
    config = replace(CONFIG, feeds=(*CONFIG.feeds, FeedConfig("app", "feedback", "open311", title="Ứng dụng", cadence_s=600)))
    found = brief(see(store, config=config), "2026-W06")
    assert [(one.feed, said(one.why, "en")) for one in found.missing] == [("app", "Never sent anything")]
    assert told(found, "feedback")


@pytest.mark.parametrize("engine", ENGINES)
def test_an_empty_province_has_a_brief_of_words(engine: str, make_database: Callable[..., str]) -> None:
    store = open_store(make_database(engine), TZ)
    migrate(store)
    clock_step(store, instant(NOW))
    found = brief(see(store), "2026-W06")
    assert [one.feed for one in found.missing] == ["one_stop", "feedback"]
    assert "No feed has spoken for this week yet." in noted(found)
    for lang in LANGUAGES:
        words = told(found, "", lang)
        assert len(words) >= 5 and all(words)
        assert all(written(cell, lang) for one in found.tables for row in one.rows for cell in row.cells)
    store.dispose()


# ---- a year earlier -------------------------------------------------------------------------------------------------
def test_without_data_of_then_nothing_stands_for_last_year(city: City) -> None:
    assert figures(brief(city, "2026-W06"), "last_year") == []


def test_the_same_week_of_last_year_stands_beside_it_where_there_were_data(store: Store) -> None:
    days = (date(2025, 1, 6), date(2025, 2, 4), date(2025, 2, 5))
    rows = tuple(
        DossierRow(f"O{number}", agency="H1.1", domain_code="D", status=9, received_at=at(day), due_at=at(day, 16), finished_at=at(day, 12))
        for number, day in enumerate(days)
    )
    land(store, Parsed(dossiers=rows, item_count=len(rows)), Landing("one_stop", "one_stop", instant(NOW)))
    drain(store, instant(NOW))
    found = brief(see(store), "2026-W06")
    judged = next(one for one in found.tables if one.key == "judged")
    (row,) = [row for row in judged.rows if said(row.cells[0], "en") == "Dossiers received"]  # type: ignore[arg-type]
    assert isinstance(row.cells[5], Figure) and row.cells[5].value == 2
