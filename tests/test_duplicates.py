"""Reports that may be of one thing on both engines: the pairs with their evidence, who may say what of them, and that it can be undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import text

from metrics.city import City
from metrics.city.findings import duplicates
from metrics.city.findings.duplicates import Candidate
from metrics.city.numbers import kpis
from metrics.city.numbers.sums import NOTHING_CHOSEN, Choice
from metrics.periods import parse_period
from scope import Forbidden, scope_of
from store.audit import AuditFilter, verify
from store.audit import read as read_audit
from store.engine import Store
from store.same import APART, MERGED, OPEN, WrongState, named
from tests.twin_city import AT, CONFIG, NOW, fill, key, see

MONTH = parse_period("2026-11", NOW.date())


@pytest.fixture
def store(engine_url: str) -> Iterator[Store]:
    opened = fill(engine_url)
    yield opened
    opened.dispose()


@pytest.fixture(scope="module")
def still(make_database: Callable[..., str]) -> Iterator[Store]:
    """One that nobody writes in."""
    opened = fill(make_database("sqlite"))
    yield opened
    opened.dispose()


def ids(row: Candidate) -> tuple[str, str]:
    return row.later.source_id, row.earlier.source_id


def pairs_of(city: City, state: str = OPEN, choice: Choice = NOTHING_CHOSEN) -> set[tuple[str, str]]:
    return {ids(row) for row in duplicates.read(city, MONTH, choice, state).rows}


def test_each_report_is_told_with_the_earlier_one_most_like_it_and_what_only_seems_alike_is_not(store: Store) -> None:
    found = duplicates.read(see(store), MONTH)
    assert {ids(row) for row in found.rows} == {("A2", "A1"), ("A3", "A2"), ("E2", "E1"), ("E3", "E2")}
    assert (found.total, found.reports, found.placed, found.repeats) == (4, 11, 11, 0)
    strengths = [row.strength for row in found.rows]
    assert strengths == sorted(strengths, reverse=True)
    first = next(row for row in found.rows if ids(row) == ("A2", "A1"))
    assert (round(first.metres or 0), first.hours, first.is_same_category) == (20, 5.0, True)
    assert {"ga", "truoc", "Ha", "Long"} <= set(first.words or ())  # as the later one writes them
    assert 0 < (first.likeness or 0) < 1


def test_one_report_is_told_those_before_and_after_it(still: Store) -> None:
    city = see(still)
    told = {tuple(sorted(ids(row))) for row in duplicates.candidates(city, "reports", "A2")}
    assert told == {("A1", "A2"), ("A2", "A3")}
    assert duplicates.candidates(city, "reports", "far") == () == duplicates.candidates(city, "reports", "nobody")


def test_a_category_may_reach_further_than_the_others(still: Store) -> None:
    wide = replace(CONFIG, duplicate_radii={"road": 200.0})
    assert "off" in {row.later.source_id for row in duplicates.read(see(still, config=wide), MONTH).rows}
    assert "off" not in {row.later.source_id for row in duplicates.read(see(still), MONTH).rows}


def test_a_merge_is_told_beside_the_counts_and_changes_none_of_them(store: Store) -> None:
    before = kpis.read(see(store), ("reports_received", "reports_open"), MONTH)
    duplicates.merge(see(store), key("A1"), key("A2"), "10.0.0.9", AT)
    duplicates.merge(see(store), key("A2"), key("A3"), "10.0.0.9", AT)
    found = duplicates.read(see(store), MONTH)
    assert {ids(row) for row in found.rows} == {("E2", "E1"), ("E3", "E2")}  # A2 and A3 are repeats of A1: nothing more to say
    assert (found.reports, found.repeats) == (11, 2)
    after = kpis.read(see(store), ("reports_received", "reports_open"), MONTH)
    assert [one.value for one in before] == [one.value for one in after]
    assert pairs_of(see(store), MERGED) == {("A2", "A1"), ("A3", "A2")}
    one = duplicates.candidates(see(store), "reports", "A1")[0]
    assert (ids(one), one.state, one.said_by, one.said_at) == (("A2", "A1"), MERGED, "user:analyst", AT)


def test_taking_a_merge_back_is_as_if_nobody_had_said_anything(store: Store) -> None:
    before = duplicates.read(see(store), MONTH)
    duplicates.merge(see(store), key("A2"), key("A1"), "", AT)  # either way round it is the same pair
    duplicates.undo(see(store), key("A1"), key("A2"), "", AT)
    after = duplicates.read(see(store), MONTH)
    assert (after.rows, after.total, after.repeats) == (before.rows, before.total, before.repeats)
    assert pairs_of(see(store), MERGED) == set()
    duplicates.merge(see(store), key("A1"), key("A2"), "", AT)
    assert pairs_of(see(store), MERGED) == {("A2", "A1")}


def test_a_pair_kept_apart_is_no_candidate_and_the_next_most_alike_is_shown_instead(store: Store) -> None:
    duplicates.keep_apart(see(store), key("A3"), key("A2"), "", AT)
    assert ("A3", "A1") in pairs_of(see(store)) and ("A3", "A2") not in pairs_of(see(store))
    duplicates.keep_apart(see(store), key("A3"), key("A1"), "", AT)
    assert "A3" not in {later for later, _ in pairs_of(see(store))}
    assert pairs_of(see(store), APART) == {("A3", "A2"), ("A3", "A1")}


def test_every_word_is_in_the_trail_with_who_and_where_from(store: Store) -> None:
    for say in (duplicates.merge, duplicates.undo, duplicates.keep_apart):
        say(see(store, "operator"), key("A1"), key("A2"), "10.0.0.9", AT)
    told = [row for row in read_audit(store, AuditFilter(kind="report"), 20) if row.action.startswith("report.")]
    assert verify(store) is None
    assert sorted(row.action for row in told) == ["report.apart", "report.merge", "report.undo"]
    assert {(row.actor, row.address, row.subject) for row in told} == {("user:operator", "10.0.0.9", "reports~A1")}
    assert all("reports~A2" in row.detail for row in told)


@pytest.mark.parametrize("first", ["merge", "keep_apart"])
def test_the_same_word_twice_is_refused_and_what_was_not_said_cannot_be_undone(store: Store, first: str) -> None:
    say = getattr(duplicates, first)
    with pytest.raises(WrongState, match=OPEN):
        duplicates.undo(see(store), key("A1"), key("A2"), "", AT)
    say(see(store), key("A1"), key("A2"), "", AT)
    with pytest.raises(WrongState):
        say(see(store), key("A2"), key("A1"), "", AT)


def test_only_analysts_and_operators_say_which_reports_are_of_one_thing_and_only_of_those_they_see(still: Store) -> None:
    for role in ("leader", "viewer", "auditor", "admin"):
        with pytest.raises(Forbidden):
            duplicates.merge(see(still, role), key("A1"), key("A2"), "", AT)
    own = scope_of("analyst", ("H1.2",), None, "user:part")
    assert pairs_of(see(still, own)) == {("E2", "E1"), ("E3", "E2")}  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        duplicates.merge(see(still, own), key("A1"), key("E1"), "", AT)
    with pytest.raises(ValueError, match="itself"):
        duplicates.merge(see(still), key("A1"), key("A1"), "", AT)
    with still.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM ops_same_report")).scalar_one() == 0


def test_who_may_not_read_texts_is_told_no_words_and_a_coarse_distance(still: Store) -> None:
    found = duplicates.read(see(still, "leader"), MONTH)
    assert {ids(row) for row in found.rows} == {("A2", "A1"), ("A3", "A2"), ("E2", "E1"), ("E3", "E2")}
    assert all(row.words is None and row.likeness is None and row.later.description is None for row in found.rows)
    assert {row.metres for row in found.rows} == {50.0}
    city = see(still)
    duplicates.read(city, MONTH)
    assert [sight.action for sight in city.sights] == ["report_text.view"]


def test_the_choice_is_of_the_later_report_and_pages_follow_each_other(still: Store) -> None:
    city = see(still)
    assert pairs_of(city, choice=Choice(category="hole")) == {("A3", "A2")}
    assert pairs_of(city, choice=Choice(area="00002")) == {("E2", "E1"), ("E3", "E2")}
    first = duplicates.read(city, MONTH, limit=3)
    second = duplicates.read(city, MONTH, limit=3, cursor=first.next_cursor)
    assert [ids(row) for row in (*first.rows, *second.rows)] == [ids(row) for row in duplicates.read(city, MONTH).rows]
    assert (len(first.rows), len(second.rows), second.next_cursor) == (3, 1, "")


@pytest.mark.parametrize(("state", "cursor", "period"), [("x", "", "2026-11"), (OPEN, "-1", "2026-11"), (OPEN, "", "2026-YTD")])
def test_what_cannot_be_asked_is_refused_in_words(still: Store, state: str, cursor: str, period: str) -> None:
    with pytest.raises(ValueError, match=r"state|cursor|period"):
        duplicates.read(see(still), parse_period(period, NOW.date()), Choice(), state, cursor=cursor)


def test_a_pair_has_one_name() -> None:
    assert named(("b", "1"), ("a", "2")) == named(("a", "2"), ("b", "1")) == (("a", "2"), ("b", "1"))
