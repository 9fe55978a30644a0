"""Answers a question of /explore: what it needs, where that is read, the rows and totals made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, text

from metrics.city import City, feeds
from metrics.city.explore.cells import Asking, check, rights_and_choice
from metrics.city.explore.measures import Measure, measure, needs
from metrics.city.explore.parts import parts_of
from metrics.city.explore.question import DIMENSION, MOST_CELLS, OTHERS, ROLLUP, TOTAL, Answer, Dimension, Figure, Question, Row
from metrics.city.explore.sheets import read_sheet
from metrics.city.explore.table import Added, Sheet, folded, ranked, summed, value_of
from metrics.city.masking import unvetted
from metrics.comparison import Comparison, change_of, comparable_by
from metrics.periods import Period

_NAMES = {
    "agency": ("core_agency", "name"), "area": ("core_area", "full_name"), "domain": ("core_domain", "name"),
    "category": ("core_category", "name"), "procedure": ("core_procedure", "name"),
}


def read(city: City, question: Question) -> Answer:
    """The answer to a question. Requires see.desk and see.small_counts: free filters could be put together to tell a small count.

    ValueError ("field: what is wrong; remedy") for a question no answer exists for.
    """
    city.scope.require("see.desk")
    city.scope.require("see.small_counts")
    measures, dimensions = _checked(question)
    with city.store.reading() as connection:
        return _read_in(connection, city, question, measures, dimensions)


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
    sheet = _sheet(asking, measures)
    before: Sheet | None = None
    if comparison and comparison.previous:
        earlier = _asking(connection, city, question, measures[0].topic, dimensions, comparison.previous)
        before = _moved(_sheet(earlier, measures), earlier, asking)
    rows, totals = _Rows(asking, measures, sheet, before, comparison).made()
    if len(rows) > MOST_CELLS:
        raise ValueError(f"by: {len(rows)} cells are more than {MOST_CELLS}; choose a shorter period, a coarser breakdown or a top")
    return Answer(question, rows, totals, ROLLUP, 0, len(sheet.flows), city.revision, city.as_of, comparison=comparison)


def _asking(
    connection: Connection, city: City, question: Question, topic: str, dimensions: tuple[Dimension, ...], period: Period,
) -> Asking:
    areas: Mapping[str, str] = {}
    if topic == "dossiers" and any(row.key == "area" for row in dimensions):
        areas = dict(connection.execute(text("SELECT code, area_code FROM core_agency")).all())
    where, values, columns = rights_and_choice(city, question, topic)
    parts = parts_of(period, question.by, city.today)
    return Asking(connection, city, question, topic, dimensions, parts, areas, where, values, columns)


def _sheet(asking: Asking, measures: Sequence[Measure]) -> Sheet:
    needed = needs(tuple(row.key for row in measures), asking.question.late_rule or asking.city.config.late_rule)
    check(asking, needed.read, needed.stocks)
    return read_sheet(asking, needed)


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
        self.is_known = _known(asking, measures)

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
        part = next((self.parts[group] for group in groups if group in self.parts), self.asking.parts.period)
        labels = tuple(names.get(group, group) for names, group in zip(self.labels, groups, strict=True))
        figures = tuple(self._figure(row, groups) for row in self.measures)
        return Row(groups, labels, figures, part.is_cut or part.is_partial(self.asking.city.today))

    def _figure(self, row: Measure, groups: tuple[str, ...]) -> Figure:
        if not self.is_known:
            return Figure(None, 0)
        value, n = value_of(row, self.sheet, groups, self.rule)
        if not self.before or not self.comparison:
            return Figure(value, n)
        previous, n_before = value_of(row, self.before, groups, self.rule)
        if row.kpi is None:
            return Figure(value, n, previous, None if value is None or previous is None else value - previous)
        change = change_of(row.kpi, self.comparison, (value, n), (previous, n_before))
        return Figure(value, n, previous, change.delta, change.pct)


def _known(asking: Asking, measures: Sequence[Measure]) -> bool:
    """Do the feeds speak for any of the period? Silence is unknown, not zero."""
    row = measures[0].kpi
    if row is None:
        return True
    through = feeds.speak_until(feeds.of_topic(feeds.read_in(asking.connection, asking.city), asking.topic))
    return feeds.is_known(asking.city, row, asking.parts.period, through)


def _labels(asking: Asking, row: Dimension) -> Mapping[str, str]:
    """Group -> its name as this reader may know it; of what has no names: nothing."""
    if row.key not in _NAMES:
        return {}
    table, column = _NAMES[row.key]
    order = " ORDER BY valid_from_on" if row.key == "area" else ""
    names: dict[str, str] = dict(asking.connection.execute(text(f"SELECT code, {column} FROM {table}{order}")).all())
    return {code: name or code for code, name in names.items()} | dict(unvetted(asking.connection, asking.city, row.key))
