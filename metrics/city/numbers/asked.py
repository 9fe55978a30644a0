"""What a KPI is asked about: the answers that do not come from flows and stocks are functions of it and of a period."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from metrics.city import City, feeds
from metrics.city.numbers.sums import Choice
from metrics.kpis.row import Answer
from metrics.periods import Period
from store.days import number_of


@dataclass
class Asked:
    """One question: the transaction it is answered in, the city, its choice, its late rule, how the feeds stand."""

    connection: Connection
    city: City
    choice: Choice
    rule: str
    states: tuple[feeds.FeedState, ...]

    def ends_at(self, period: Period) -> int | None:
        """The instant a past period ended; None while it runs: then the answer is about now."""
        end_on = number_of(period.end_on)
        return None if end_on >= self.city.today_on else self.city.store.days.starts_at(end_on + 1)

    def days(self, period: Period) -> tuple[int, int]:
        """Its first and last day number, none after the city's today."""
        return number_of(period.start_on), min(number_of(period.end_on), self.city.today_on)


Answers = Mapping[str, Callable[[Asked, Period], Answer]]  # KPI key -> its value and n over a period
