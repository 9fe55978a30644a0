"""Saved views and kept figures on both engines: whose they are, who sees them, what is undone, what never changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Connection, text

from metrics.city import City, open_city, shown, views
from metrics.city.shown import NotForThisReader
from metrics.city.typed import TypedFault
from scope import Forbidden, Scope, scope_of
from store.audit import AuditFilter
from store.audit import read as read_audit
from store.engine import Store, open_store
from store.shown import TooSoon
from tests.small_city import CONFIG, NOW, TZ

PATH, MINUTE = "/explore", 60_000_000
AN, BINH = (scope_of("analyst", actor=f"user:{name}") for name in ("an", "binh"))


@pytest.fixture(scope="module", params=("sqlite", "postgresql"))
def opened(request: pytest.FixtureRequest, make_database: Callable[..., str], migrated: Callable[[str], str]) -> Iterator[Store]:
    """One store an engine for all tests: each has it empty."""
    store = open_store(make_database(request.param, migrated(request.param)), TZ)
    yield store
    store.dispose()


@pytest.fixture
def store(opened: Store) -> Store:
    def empty(connection: Connection) -> None:
        for table in ("ops_view", "ops_shown"):
            connection.execute(text(f"DELETE FROM {table}"))

    opened.write(empty)
    return opened


def seen_by(store: Store, scope: Scope) -> City:
    return open_city(store, CONFIG, scope, NOW)


def names(store: Store, scope: Scope) -> list[str]:
    return [one.name for one in views.read(seen_by(store, scope), PATH)]


def actions(store: Store, since: int, **chosen: str) -> list[str]:
    """What the audit trail tells since a moment, newest first."""
    return [entry.action for entry in read_audit(store, AuditFilter(**chosen), 20) if entry.at >= since]


def test_a_view_is_its_owners_until_it_is_shared_and_again_afterwards(store: Store) -> None:
    an = seen_by(store, AN)
    number = views.save(an, PATH, "by=area", "Đất đai quá hạn", "", 1)
    assert (names(store, AN), names(store, BINH)) == (["Đất đai quá hạn"], [])
    views.share(an, number, "", 2, is_shared=True)
    (found,) = views.read(seen_by(store, BINH), PATH)
    assert (found.name, found.query, found.owner, found.is_own, found.is_shared) == ("Đất đai quá hạn", "by=area", "user:an", False, True)
    views.share(an, number, "", 3, is_shared=False)
    assert names(store, BINH) == []


def test_own_views_come_first_in_vietnamese_order_and_the_same_name_is_kept_anew(store: Store) -> None:
    for name, scope in (("Đường", AN), ("Dân", AN), ("Anh", BINH)):
        views.save(seen_by(store, scope), PATH, "by=day", name, "", 1, is_shared=True)
    views.save(seen_by(store, AN), PATH, "by=week", "Dân", "", 2, is_shared=True)
    found = views.read(seen_by(store, AN), PATH)
    assert [(one.name, one.query) for one in found] == [("Dân", "by=week"), ("Đường", "by=day"), ("Anh", "by=day")]


def test_nobody_touches_anothers_view_and_what_is_removed_comes_back(store: Store) -> None:
    an, binh = seen_by(store, AN), seen_by(store, BINH)
    number = views.save(an, PATH, "", "của An", "", 101, is_shared=True)
    for step in (lambda: views.rename(binh, number, "khác", "", 102), lambda: views.remove(binh, number, "", 102)):
        with pytest.raises(KeyError):
            step()
    views.rename(an, number, "của chị An", "", 103)
    views.remove(an, number, "", 104)
    assert names(store, BINH) == []
    views.restore(an, number, "", 105)
    assert names(store, BINH) == ["của chị An"]
    assert actions(store, 101, kind="view") == ["view.restore", "view.remove", "view.save", "view.save"]


@pytest.mark.parametrize("name", ["", "x", "Bà Nguyễn Thị Hoa 0912345678", "a" * 81])
def test_a_name_is_neither_empty_nor_of_a_person(store: Store, name: str) -> None:
    with pytest.raises(TypedFault):
        views.save(seen_by(store, AN), PATH, "", name, "", 1)
    assert names(store, AN) == []


def test_who_may_not_share_keeps_their_own(store: Store) -> None:
    viewer = seen_by(store, scope_of("viewer", actor="user:v"))
    views.save(viewer, PATH, "", "của tôi", "", 1)
    with pytest.raises(Forbidden):
        views.save(viewer, PATH, "", "của mọi người", "", 1, is_shared=True)
    assert names(store, viewer.scope) == ["của tôi"]


# ---- as shown ---------------------------------------------------------------------------------------------------------
def test_the_same_figures_are_kept_once_and_another_ones_after_a_minute(store: Store) -> None:
    an = seen_by(store, AN)
    first = shown.keep(an, PATH, "by=area", "vi", {"rows": [1, 2]}, "", 50 * MINUTE)
    again = shown.keep(an, PATH, "by=area", "vi", {"rows": [1, 2]}, "", 50 * MINUTE + 5)
    assert (again.key, again.made_at) == (first.key, 50 * MINUTE)
    with pytest.raises(TooSoon) as soon:
        shown.keep(an, PATH, "by=area", "vi", {"rows": [1, 3]}, "", 51 * MINUTE - 7_000_000)
    assert soon.value.wait_s == 7
    other = shown.keep(an, PATH, "by=area", "vi", {"rows": [1, 3]}, "", 51 * MINUTE)
    assert other.key != first.key
    assert actions(store, 50 * MINUTE, action="shown.keep") == ["shown.keep"] * 2


def test_a_kept_figure_is_read_as_it_was_and_nothing_under_a_wrong_key(store: Store) -> None:
    an = seen_by(store, AN)
    kept = shown.keep(an, PATH, "by=area", "vi", {"rows": [["Đông Hải", 1.5, None]]}, "", MINUTE)
    found = shown.read(seen_by(store, BINH), PATH, kept.key)
    assert found == kept and found is not None and found.content == {"rows": [["Đông Hải", 1.5, None]]}
    for path, key in ((PATH, "0" * 16), (PATH, kept.key[:8]), (PATH, "%" * 16), ("/map", kept.key)):
        assert shown.read(an, path, key) is None


@pytest.mark.parametrize("change", [
    {"agencies": ("H1",)}, {"areas": ("A1",)}, {"permissions": AN.permissions - {"see.small_counts"}},
    {"field_classes": frozenset({"public"})},
])
def test_a_reader_of_less_is_not_given_what_was_seen_with_more(store: Store, change: dict[str, object]) -> None:
    less = replace(BINH, **change)  # type: ignore[arg-type]
    kept = shown.keep(seen_by(store, AN), PATH, "", "vi", {"rows": []}, "", MINUTE)
    with pytest.raises(NotForThisReader):
        shown.read(seen_by(store, less), PATH, kept.key)
    own = shown.keep(seen_by(store, less), PATH, "", "vi", {"rows": []}, "", MINUTE)
    assert shown.read(seen_by(store, AN), PATH, own.key) is not None
