"""City: the one handle every screen, export, brief and API call asks. Its modules hold one subject each.

A City is frozen at a revision and an instant: whatever is asked of it speaks of the same state. It decides rows by its Scope; no
question can be asked without one.
"""
# without `from __future__ import annotations`: that name belongs to a module of this package

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from config import Config
from metrics.calendars import calendar_for
from metrics.city.remembered import Remembered
from metrics.city.sights import Sight
from metrics.rollups import read_clock
from metrics.worktime import WorkCalendar
from scope import Scope
from store.days import date_of, instant
from store.engine import Store
from store.revisions import revisions, total


@dataclass(frozen=True)
class City:
    """The store seen by someone at an instant. `as_of` = the store's clock (microseconds UTC): time up to it is in the figures."""

    store: Store
    config: Config
    scope: Scope
    as_of: int
    revisions: Mapping[str, int]
    calendar: WorkCalendar
    # answers that many questions of one moment share (a wall's frame asks for the same stock a dozen times)
    memo: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)
    # answers that many readers share; None = nobody else asks
    remembered: Remembered | None = field(default=None, repr=False, compare=False)
    # what its reader was given that the audit trail must tell of
    sights: list[Sight] = field(default_factory=list, repr=False, compare=False)

    @property
    def revision(self) -> int:
        """The revision of the whole store; every answer carries it."""
        return total(dict(self.revisions))

    @property
    def today_on(self) -> int:
        """Day number of the city's today."""
        on = self.store.days.on(self.as_of)
        assert on is not None
        return on

    @property
    def today(self) -> date:
        """The city's date."""
        return date_of(self.today_on)

    def once(self, *question: Hashable, make: Callable[[], Any]) -> Any:
        """The answer to a question, worked out once for all readers of these rights. The question holds all its answer depends on."""
        if self.remembered is None:
            return make()
        rights = (self.scope.permissions, self.scope.agencies, self.scope.areas)
        return self.remembered.of((*question, *rights), make)


def open_city(store: Store, config: Config, scope: Scope, now: datetime, remembered: Remembered | None = None) -> City:
    """A City as things stand. Before the first clock step `now` (or the archive's frozen instant) is the clock.

    `remembered` = what the readers of this process share.
    """
    with store.reading() as connection:
        counters = revisions(connection)
        clock = read_clock(connection)
    return City(store, config, scope, clock or instant(config.clock(now)), counters, calendar_for(config), remembered=remembered)
