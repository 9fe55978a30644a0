"""Answers a question of /explore: what it needs, where that is read, the rows and totals made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, text

from metrics.city import City, feeds
from metrics.city.explore.cells import Asking, check, narrow, pinned
from metrics.city.explore.cover import Cover, cover_of
from metrics.city.explore.measures import Measure, Needs, measure, needs
from metrics.city.explore.parts import parts_of
from metrics.city.explore.question import (
    DIMENSION,
    INDEX,
    MOST_CELLS,
    OTHERS,
    PATIENCE_S,
    READ,
    ROLLUP,
    TOTAL,
    Answer,
    Dimension,
    Figure,
    Question,
    Row,
)
from metrics.city.explore.sheets import read_sheet
from metrics.city.explore.table import Added, Sheet, folded, ranked, summed, value_of
from metrics.city.masking import unvetted
from metrics.comparison import Comparison, change_of, comparable_by, working_days
from metrics.periods import Period
from store.bounded import bounded
from store.bounded import stop as stop_reading

_NAMES = {
    "agency": ("core_agency", "name"), "area": ("core_area", "full_name"), "domain": ("core_domain", "name"),
    "category": ("core_category", "name"), "procedure": ("core_procedure", "name"),
}


def read(city: City, question: Question, key: str = "") -> Answer:
    """The answer to a question; `key` names the page that asks, so that it can be stopped.

    Requires see.desk and see.small_counts: free filters could be put together to tell a small count. ValueError ("field: what is wrong;
    remedy") for a question no answer exists for; store.bounded.TookTooLong, Stopped for one not read to its end.
    """
    city.scope.require("see.desk")
    city.scope.require("see.small_counts")
    measures, dimensions = _checked(question)
    topic = measures[0].topic

    def answer() -> Answer:
        with bounded(city.store, PATIENCE_S, key) as connection:
            return _read_in(connection, city, question, measures, dimensions)

    found: Answer = city.once("explore", question, city.revisions.get(topic, 0), city.as_of, make=answer)
    return found


def stop(city: City, key: str) -> None:
    """Stop what this page is waiting for."""
    city.scope.require("see.desk")
    stop_reading(city.store, key)


def _checked(question: Question) -> tuple[tuple[Measure, ...], tuple[Dimension, ...]]:
    if not question.measures:
        raise ValueError("measures: name at least one")
    measures = tuple(measure(key) for key in question.measures)
    topics = {row.topic for row in measures}
    if len(topics) > 1:
        raise ValueError(f"measures: they are of {' and '.join(sorted(topics))}; ask for those of one subject at a time")
    if len(question.by) > 2 or len(set(question.by)) < len(question.by):
        raise ValueError("by: choose at most two different breakdowns")
    topic = topics.pop()
    for key in question.by:
        if key not in DIMENSION or topic not in DIMENSION[key].columns:
            known = ", ".join(row.key for row in DIMENSION.values() if topic in row.columns)
            raise ValueError(f"by: {key!r} is no breakdown of {topic}; choose one of {known}")
    return measures, tuple(DIMENSION[key] for key in question.by)


def _read_in(
    connection: Connection, city: City, question: Question, measures: tuple[Measure, ...], dimensions: tuple[Dimension, ...],
) -> Answer:
    comparison = comparable_by(question.period, city.today, city.calendar, question.compare) if question.compare else None
    period = comparison.current if comparison else question.period
    asking = _asking(connection, city, question, measures[0].topic, dimensions, period)
    earlier = None
    if comparison and comparison.previous:
        earlier = _asking(connection, city, question, measures[0].topic, dimensions, comparison.previous)
    cover = _cover([one for one in (asking, earlier) if one], measures)
    about = {"revision": city.revision, "as_of": city.as_of, "comparison": comparison}
    if cover.coverage == READ and not question.may_read:
        return Answer(question, (), (), READ, cover.rows, 0, is_read=False, **about)  # type: ignore[arg-type]
    sheet = _sheet(asking, measures)
    before = _moved(_sheet(earlier, measures), earlier, asking) if earlier else None
    rows, totals = _Rows(asking, measures, sheet, before, comparison).made()
    if len(rows) > MOST_CELLS:
        raise ValueError(f"by: {len(rows)} cells are more than {MOST_CELLS}; choose a shorter period, a coarser breakdown or a top")
    rows_read = asking.rows_read + (earlier.rows_read if earlier else 0)
    return Answer(question, rows, totals, cover.coverage, cover.rows, rows_read, **about)  # type: ignore[arg-type]


def _cover(askings: Sequence[Asking], measures: Sequence[Measure]) -> Cover:
    """How all periods of a question are covered together."""
    found = [cover_of(asking, _needs(asking, measures)) for asking in askings]
    worst = max((one.coverage for one in found), key=(ROLLUP, INDEX, READ).index)
    return Cover(worst, sum(one.rows for one in found))


def _asking(
    connection: Connection, city: City, question: Question, topic: str, dimensions: tuple[Dimension, ...], period: Period,
) -> Asking:
    areas: Mapping[str, str] = {}
    if topic == "dossiers" and any(row.key == "area" for row in dimensions):
        areas = dict(connection.execute(text("SELECT code, area_code FROM core_agency")).all())
    parts = parts_of(period, question.by, city.today)
    narrowings = narrow(city, question, topic, "r."), narrow(city, question, topic, "d.")
    return Asking(connection, city, question, topic, dimensions, parts, areas, *narrowings, pinned=pinned(city, question))


def _needs(asking: Asking, measures: Sequence[Measure]) -> Needs:
    needed = needs(tuple(row.key for row in measures), asking.question.late_rule or asking.city.config.late_rule)
    check(asking, needed.read, needed.stocks)
    return needed


def _sheet(asking: Asking, measures: Sequence[Measure]) -> Sheet:
    return read_sheet(asking, _needs(asking, measures))


def _moved(sheet: Sheet, earlier: Asking, asking: Asking) -> Sheet:
    """The earlier sheet with its parts under the names of the current ones, first beside first."""
    place = next((number for number, row in enumerate(asking.dimensions) if row.kind == "time"), None)
    if place is None:
        return sheet
    names = {old.text: new.text for old, new in zip(earlier.parts.parts, asking.parts.parts, strict=False)} | {TOTAL: TOTAL}

    def moved(cells: Added) -> Added:
        return {(*g[:place], names[g[place]], *g[place + 1 :]): values for g, values in cells.items() if g[place] in names}

    return Sheet(sheet.flow_names, sheet.stock_names, moved(sheet.flows), moved(sheet.stocks))


class _Rows:
    """Makes rows and totals of the sheets of one or two periods."""

    def __init__(
        self, asking: Asking, measures: tuple[Measure, ...], sheet: Sheet, before: Sheet | None, comparison: Comparison | None,
    ) -> None:
        self.asking, self.measures, self.comparison = asking, measures, comparison
        self.rule = asking.question.late_rule or asking.city.config.late_rule
        self.order: list[dict[str, int]] = []
        self.sheet, kept = self._ordered(sheet)
        self.before = summed(folded(before, kept), asking.dimensions) if before else None
        self.parts = {part.text: part for part in asking.parts.parts}
        self.labels = [_labels(asking, row) for row in asking.dimensions]
        self._aligned: dict[str, Comparison | None] = {}
        self._through = _through(asking)

    def _ordered(self, sheet: Sheet) -> tuple[Sheet, list[frozenset[str] | None]]:
        """The summed sheet with groups beyond the top folded, and the groups kept of each dimension; remembers their order."""
        dimensions, top = self.asking.dimensions, self.asking.question.top
        whole, kept = summed(sheet, dimensions), []
        for place, row in enumerate(dimensions):
            if row.kind == "time":
                groups = [part.text for part in self.asking.parts.parts]
            else:
                groups = ranked(whole, place, len(dimensions), self.measures[0], self.rule)
                groups = sorted(groups, key=int) if row.kind == "clock" else groups
            is_cut = row.kind == "code" and 0 < top < len(groups)
            kept.append(frozenset(groups[:top]) if is_cut else None)
            self.order.append({group: number for number, group in enumerate([*groups, OTHERS, TOTAL])})
        return (whole if all(one is None for one in kept) else summed(folded(sheet, kept), dimensions)), kept

    def made(self) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
        """(rows, totals), both in order of their groups."""
        keys = self.sheet.flows.keys() | self.sheet.stocks.keys()
        if self.before:
            keys |= self.before.flows.keys() | self.before.stocks.keys()
        keys |= {(TOTAL,) * len(self.asking.dimensions)}
        rows = [self._row(groups) for groups in sorted(keys, key=self._place)]
        cells = [row for row in rows if TOTAL not in row.groups]
        return tuple(cells), tuple(row for row in rows if TOTAL in row.groups)

    def _place(self, groups: tuple[str, ...]) -> tuple[int, ...]:
        return tuple(order.get(group, len(order)) for order, group in zip(self.order, groups, strict=True))

    def _row(self, groups: tuple[str, ...]) -> Row:
        part = self._part(groups)
        labels = tuple(names.get(group, group) for names, group in zip(self.labels, groups, strict=True))
        figures = tuple(self._figure(row, groups, part) for row in self.measures)
        return Row(groups, labels, figures, part.is_cut or part.is_partial(self.asking.city.today))

    def _part(self, groups: tuple[str, ...]) -> Period:
        """The part of the period a cell is about."""
        return next((self.parts[group] for group in groups if group in self.parts), self.asking.parts.period)

    def _beside(self, part: Period) -> Comparison | None:
        """The comparison of a part: the whole one, or that of the parts in the same place of both periods."""
        whole, parts = self.comparison, self.asking.parts
        if whole is None or part is parts.period or whole.previous is None:
            return whole
        if part.text not in self._aligned:
            earlier = parts_of(whole.previous, self.asking.question.by, self.asking.city.today).parts
            calendar = self.asking.city.calendar
            for own, before in zip(parts.parts, earlier, strict=False):
                days = working_days(calendar, own), working_days(calendar, before)
                self._aligned[own.text] = Comparison(own, before, whole.how, whole.aligned, *days)
        return self._aligned.get(part.text)

    def _figure(self, row: Measure, groups: tuple[str, ...], part: Period) -> Figure:
        if row.kpi is not None and not feeds.is_known(self.asking.city, row.kpi, part, self._through):
            return Figure(None, 0)  # silence is unknown, not zero
        value, n = value_of(row, self.sheet, groups, self.rule)
        beside = self._beside(part)
        if not self.before or not beside:
            return Figure(value, n)
        previous, n_before = value_of(row, self.before, groups, self.rule)
        if row.kpi is None:
            return Figure(value, n, previous, None if value is None or previous is None else value - previous)
        change = change_of(row.kpi, beside, (value, n), (previous, n_before))
        return Figure(value, n, previous, change.delta, change.pct)


def _through(asking: Asking) -> int | None:
    """Up to when the feeds of the topic speak."""
    return feeds.speak_until(feeds.of_topic(feeds.read_in(asking.connection, asking.city), asking.topic))


def _labels(asking: Asking, row: Dimension) -> Mapping[str, str]:
    """Group -> its name as this reader may know it; of what has no names: nothing."""
    if row.key not in _NAMES:
        return {}
    table, column = _NAMES[row.key]
    order = " ORDER BY valid_from_on" if row.key == "area" else ""
    names: dict[str, str] = dict(asking.connection.execute(text(f"SELECT code, {column} FROM {table}{order}")).all())
    return {code: name or code for code, name in names.items()} | dict(unvetted(asking.connection, asking.city, row.key))
