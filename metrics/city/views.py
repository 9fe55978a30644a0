"""Views of a page that people save under a name: their own, and those others share. A view is an address; rights stay the reader's own."""

from __future__ import annotations

from dataclasses import dataclass

from metrics.city import City
from metrics.city.typed import TypedFault, sentence
from store.keys import By
from store.views import MOST, Full, put_view, read_views, remove_view, rename_view, restore_view, share_view
from text.vietnamese import sort_key

LEAST, LONGEST, LONGEST_QUERY = 2, 80, 2000


@dataclass(frozen=True)
class SavedView:
    """A view under its name; `query` = the page's query string. is_own: the reader's, to rename, share and remove."""

    id: int
    name: str
    query: str
    owner: str
    is_own: bool
    is_shared: bool


def read(city: City, path: str) -> tuple[SavedView, ...]:
    """The reader's views of a page in Vietnamese order, then those that others share. Requires see.desk."""
    city.scope.require("see.desk")
    with city.store.reading() as connection:
        rows = read_views(connection, path, city.scope.actor)
    found = [SavedView(row.id, row.name, row.query, row.owner, row.owner == city.scope.actor, row.is_shared) for row in rows]
    return tuple(sorted(found, key=lambda one: (not one.is_own, sort_key(one.name))))


def save(city: City, path: str, query: str, name: str, address: str, now: int, *, is_shared: bool = False) -> int:
    """Keep a view, or the reader's view of that name anew; returns its number. Sharing requires share.views.

    Raises TypedFault for a name that cannot be kept and for too many views, Forbidden.
    """
    _require(city, is_shared=is_shared)
    line = sentence(name, "name", LEAST, LONGEST)
    if len(query) > LONGEST_QUERY:
        raise TypedFault("views.fault_long", "name", most=LONGEST_QUERY)
    try:
        return put_view(city.store, path, query, line, By(city.scope.actor, address), now, is_shared=is_shared)
    except Full:
        raise TypedFault("views.fault_full", "name", most=MOST) from None


def rename(city: City, number: int, name: str, address: str, now: int) -> None:
    """Another name for one of the reader's views. Raises TypedFault, KeyError where it is not theirs."""
    _require(city)
    _theirs(rename_view(city.store, number, sentence(name, "name", LEAST, LONGEST), By(city.scope.actor, address), now), number)


def share(city: City, number: int, address: str, now: int, *, is_shared: bool) -> None:
    """Show one of the reader's views to others, which requires share.views, or no longer. Raises KeyError where it is not theirs."""
    _require(city, is_shared=is_shared)
    _theirs(share_view(city.store, number, is_shared, By(city.scope.actor, address), now), number)


def remove(city: City, number: int, address: str, now: int) -> None:
    """Put one of the reader's views away. Raises KeyError where it is not theirs."""
    _require(city)
    _theirs(remove_view(city.store, number, By(city.scope.actor, address), now), number)


def restore(city: City, number: int, address: str, now: int) -> None:
    """Take back what `remove` put away. Raises KeyError where it is not theirs."""
    _require(city)
    _theirs(restore_view(city.store, number, By(city.scope.actor, address), now), number)


def _require(city: City, *, is_shared: bool = False) -> None:
    city.scope.require("see.desk")
    if is_shared:
        city.scope.require("share.views")


def _theirs(is_done: bool, number: int) -> None:
    if not is_done:
        raise KeyError(number)
