"""What every page and route is given: the city's configuration, its store, a clock, and who is asking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from starlette.requests import Request

from components.audited import Seen, keep
from config import Config
from metrics.city import City, open_city
from metrics.city.remembered import Remembered
from metrics.city.sights import Sight
from scope import Scope
from store.days import instant
from store.engine import Store


@dataclass(frozen=True)
class AppContext:
    """Made once per app. `scope_of` turns a request into rights; None = no request at hand (a test)."""

    config: Config
    store: Store
    now: Callable[[], datetime]
    scope_of: Callable[[Request | None], Scope]
    sights: list[Sight] | None = None  # where the cities of one callback note what was shown; None = each has its own list
    seen: Seen = field(default_factory=Seen, repr=False, compare=False)
    remembered: Remembered = field(default_factory=Remembered, repr=False, compare=False)

    def city(self, scope: Scope) -> City:
        """The city as it stands now, for these rights."""
        opened = open_city(self.store, self.config, scope, self.now(), self.remembered)
        return opened if self.sights is None else replace(opened, sights=self.sights)

    def keep(self, sights: Sequence[Sight], scope: Scope, request: Request | None) -> None:
        """Write into the audit trail what this request is about to be given. Raises NotRecorded: then it must not be given."""
        address = request.client.host if request and request.client else ""
        keep(self.store, self.seen, sights, scope.actor, address, instant(self.now()))

    def lang(self, asked: str | None = None) -> str:
        """The language to show: the one asked for when there are texts in it, else the city's."""
        return asked if asked in ("vi", "en") else self.config.language
