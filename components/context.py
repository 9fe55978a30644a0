"""What every page and route is given: the city's configuration, its store, a clock, and who is asking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request

from config import Config
from metrics.city import City, open_city
from scope import Scope
from store.engine import Store


@dataclass(frozen=True)
class AppContext:
    """Made once per app. `scope_of` turns a request into rights; None = no request at hand (a test)."""

    config: Config
    store: Store
    now: Callable[[], datetime]
    scope_of: Callable[[Request | None], Scope]

    def city(self, scope: Scope) -> City:
        """The city as it stands now, for these rights."""
        return open_city(self.store, self.config, scope, self.now())

    def lang(self, asked: str | None = None) -> str:
        """The language to show: the one asked for when there are texts in it, else the city's."""
        return asked if asked in ("vi", "en") else self.config.language
