"""KPI values: the one function behind every tile, API answer, export and brief."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from config.targets import target_of
from metrics.city import City, feeds
from metrics.city.numbers import denominators, series, small_counts
from metrics.city.numbers.answers import ANSWERS
from metrics.city.numbers.asked import Asked
from metrics.city.numbers.sums import NOTHING_CHOSEN, Choice, stocks_now, sums_of
from metrics.comparison import Comparison, change_of, comparable_by
from metrics.kpis import KPIS, Kpi, kpi, verdict
from metrics.periods import Period
from store.days import number_of


@dataclass(frozen=True)
class KpiValue:
    """A number with everything needed to trust it. value None = withheld or unknown, never zero.

    state: suppressed, withheld = a small count, or one that would tell of it, that this reader is not told (n is None); else ''.
    coverage = share (0..1) of the elapsed period that the feeds behind it speak for; None where no feed is bound by time.
    freshness = the worst state of those feeds; through_at = up to when they speak.
    comparison = what it is set beside and how; delta and delta_pct are of a figure scaled to as many days (metrics/comparison.py);
    no_change = why they are withheld.
    """

    key: str
    measure_unit: str
    value: float | None
    n: int | None
    period: Period
    as_of: int
    target: float | None
    previous: float | None
    previous_period: Period | None
    delta: float | None
    verdict: str | None
    coverage: float | None
    freshness: str
    through_at: int | None
    late_rule: str | None
    revision: int
    state: str = ""
    comparison: Comparison | None = None
    delta_pct: float | None = None
    no_change: str = ""


def read(
    city: City, keys: Sequence[str], period: Period, choice: Choice = NOTHING_CHOSEN, late_rule: str = "", compare: str = "previous",
) -> tuple[KpiValue, ...]:
    """Values of KPIs over a period, each beside the comparable period: the one before, or (compare="last_year") a year earlier.

    Requires see.desk; KeyError for an unknown key, ValueError for another comparison.
    """
    city.scope.require("see.desk")
    rows = [kpi(key) for key in keys or [row.key for row in KPIS]]
    rule = late_rule or city.config.late_rule

    def answer() -> tuple[KpiValue, ...]:
        with city.store.reading() as connection:
            return read_in(connection, city, rows, period, choice, rule, compare)

    asked = (tuple(row.key for row in rows), period, choice, rule, compare)
    found: tuple[KpiValue, ...] = city.once("kpis", city.revision, city.as_of, *asked, make=answer)
    return found


def read_in(
    connection: Connection, city: City, rows: Sequence[Kpi], period: Period, choice: Choice, rule: str, compare: str = "previous",
) -> tuple[KpiValue, ...]:
    """The same inside a transaction of the caller."""
    comparison = comparable_by(period, city.today, city.calendar, compare)
    states = feeds.read_in(connection, city)
    answers = _Answers(connection, city, choice, rule, states)
    found = tuple(_value(answers, row, comparison) for row in rows)
    if small_counts.sees_all(city.scope):
        return found
    return tuple(_without_small(answers, row, one) for row, one in zip(rows, found, strict=True))


def _value(answers: _Answers, row: Kpi, comparison: Comparison) -> KpiValue:
    city, current, before = answers.city, comparison.current, comparison.previous
    sources = feeds.of_topic(answers.states, row.topic)
    through = feeds.speak_until(sources)
    coverage = feeds.coverage(city, current, through) if sources else None
    value, n = answers.known(row, current, through)
    previous, n_before = answers.known(row, before, through) if before else (None, 0)
    target = target_of(city.config.targets, row.key, current.end_on)
    change = change_of(row, comparison, (value, n), (previous, n_before))
    worst = max((s.state for s in sources), key=feeds.STATES.index, default=feeds.FRESH)
    rule = answers.rule if row.has_rule else None
    return KpiValue(
        row.key, row.measure_unit, value, n, current, city.as_of, target, previous, before, change.delta, verdict(row, value, target),
        coverage, worst, through, rule, city.revision, comparison=comparison, delta_pct=change.pct, no_change=change.reason,
    )


def _without_small(answers: _Answers, row: Kpi, found: KpiValue) -> KpiValue:
    """The value as a reader without small counts may have it; of the period before, too."""
    if hidden := _state(answers, row, found.period, found.value, found.n or 0):
        return replace(found, value=None, n=None, previous=None, delta=None, delta_pct=None, verdict=None, state=hidden)
    if found.previous_period and found.previous is not None:
        n = answers.of(row, found.previous_period)[1]
        if _state(answers, row, found.previous_period, found.previous, n):
            return replace(found, previous=None, delta=None, delta_pct=None)
    return found


def _state(answers: _Answers, row: Kpi, period: Period, value: float | None, n: int) -> str:
    """Why a figure is not told. A unit's figure goes with its cell in the breakdown it is a cell of, or that it is the sum of; the whole
    city's goes only when it would give one of its cells away whatever is hidden."""
    groups, choice = series.GROUPS.get(row.topic, ()), answers.choice
    chosen = [name for name in groups if getattr(choice, name)]
    if not groups or (row.formula is None and row.key not in series.GROUPED):
        return ""
    if chosen and small_counts.is_small(row, value, n):
        return small_counts.SUPPRESSED
    for name in chosen:
        points = series.read_in(answers.connection, answers.city, row, name, period, replace(choice, **{name: ""}), answers.rule)
        hidden = {point.group: point.state for point in points if point.state}
        if small_counts.in_subtree(getattr(choice, name), hidden):
            return hidden.get(getattr(choice, name), small_counts.WITHHELD)
    if chosen or not 0 < small_counts.least_count(row, value, n) < SMALL_TOTAL:
        return ""
    tells = any(series.total_tells(answers.connection, answers.city, row, name, period, answers.rule) for name in groups)
    is_small = small_counts.is_small(row, value, n)
    return (small_counts.SUPPRESSED if is_small else small_counts.WITHHELD) if tells else ""


MINUTE = 60_000_000  # catalogues (agencies, areas) have no topic: what they change is seen within it
SMALL_TOTAL = 300  # a larger sum leaves room for every small cell of as many groups as a province has


class _Answers(Asked):
    """Formulas over sums, each sum read once per period and topic."""

    def __init__(self, connection: Connection, city: City, choice: Choice, rule: str, states: tuple[feeds.FeedState, ...]) -> None:
        super().__init__(connection, city, choice, rule, states)
        self._sums: dict[tuple[str, Period], object] = {}
        self._stocks: dict[str, dict[str, int | None]] = {}

    def known(self, row: Kpi, period: Period, through: int | None) -> tuple[float | None, int]:
        """Value and n; unknown where no feed behind a formula speaks for the period."""
        is_known = row.formula is None or feeds.is_known(self.city, row, period, through)
        return self.of(row, period) if is_known else (None, 0)

    def of(self, row: Kpi, period: Period) -> tuple[float | None, int]:
        """Value and n; withheld below min_n. Kept while nothing of its topic changes; what says nothing of now, a minute long."""
        city = self.city
        moment = city.as_of if row.topic == "operations" or self.ends_at(period) is None else city.as_of // MINUTE
        is_told = feeds.is_known(city, row, period, self._through(row.topic))  # a feed speaks further without a change of the topic
        found = city.once(
            "answer", row.key, period, self.choice, self.rule, city.revisions.get(row.topic, 0), is_told, city.today_on, moment,
            make=lambda: self._formula(row, period) if row.formula else ANSWERS[row.key](self, period),
        )
        value, n = denominators.per(self.connection, self.city, row, self.choice, period, found)
        return (value if n >= row.min_n else None), n

    def _through(self, topic: str) -> int | None:
        return feeds.speak_until(feeds.of_topic(self.states, topic))

    def _formula(self, row: Kpi, period: Period) -> tuple[float | None, int]:
        key = (row.topic, period)
        if key not in self._sums:
            if row.topic not in self._stocks:
                self._stocks[row.topic] = stocks_now(self.connection, self.city, row.topic, self.choice)
            self._sums[key] = sums_of(
                self.connection, self.city, row.topic, number_of(period.start_on), number_of(period.end_on), self.choice, self.rule,
                self._stocks[row.topic],
            )
        assert row.formula is not None
        return row.formula(self._sums[key])  # type: ignore[arg-type]
