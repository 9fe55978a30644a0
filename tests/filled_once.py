"""A city's store filled once a run on each engine: one database that tests read together, copies of it for those that write."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from store.engine import Store, open_store

TZ = ZoneInfo("Asia/Ho_Chi_Minh")


class FilledOnce:
    """Stores filled by `fill`, which migrates them too."""

    def __init__(self, fill: Callable[[Store], None]) -> None:
        self._fill = fill
        self._templates: dict[str, str] = {}
        self._shared: dict[str, str] = {}

    def shared(self, kind: str, make_database: Callable[..., str]) -> Store:
        """The filled store of that engine; nobody writes into it."""
        if kind not in self._shared:
            self._shared[kind] = make_database(kind, self._template(kind, make_database))
        return open_store(self._shared[kind], TZ)

    def own(self, kind: str, make_database: Callable[..., str]) -> Store:
        """A filled store of that engine, the caller's alone."""
        return open_store(make_database(kind, self._template(kind, make_database)), TZ)

    def _template(self, kind: str, make_database: Callable[..., str]) -> str:
        """Nobody stays connected to it: PostgreSQL copies no database that is in use."""
        if kind not in self._templates:
            self._templates[kind] = make_database(kind)
            store = open_store(self._templates[kind], TZ)
            self._fill(store)
            store.dispose()
        return self._templates[kind]
