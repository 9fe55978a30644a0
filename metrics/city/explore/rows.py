"""The rows of an answer: every cell of one or two sheets through the measures' formulas, in order of their groups, under their names."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import text

from metrics.city import feeds
from metrics.city.explore.cells import Asking
from metrics.city.explore.measures import Measure
from metrics.city.explore.parts import parts_of
from metrics.city.explore.question import OTHERS, TOTAL, Dimension, Figure, Row
from metrics.city.explore.table import Sheet, folded, ranked, summed, value_of
from metrics.city.masking import unvetted
from metrics.comparison import Comparison, change_of, working_days
from metrics.periods import Period

_NAMES = {
    "agency": ("core_agency", "name"), "area": ("core_area", "full_name"), "domain": ("core_domain", "name"),
    "category": ("core_category", "name"), "procedure": ("core_procedure", "name"),
}


class Rows:
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
    if row.key == "station":
        statement = "SELECT feed || '/' || source_id, name FROM core_station"
        return dict(asking.connection.execute(text(statement)).all())
    if row.key not in _NAMES:
        return {}
    table, column = _NAMES[row.key]
    order = " ORDER BY valid_from_on" if row.key == "area" else ""
    names: dict[str, str] = dict(asking.connection.execute(text(f"SELECT code, {column} FROM {table}{order}")).all())
    return {code: name or code for code, name in names.items()} | dict(unvetted(asking.connection, asking.city, row.key))
