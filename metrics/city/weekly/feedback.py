"""Citizens' feedback of the week: what came in, what was ended, what is late, what citizens said of it; by category and agency."""

from __future__ import annotations

from collections.abc import Sequence

from metrics.city.masking import unvetted
from metrics.city.numbers import series
from metrics.city.numbers.series import Point
from metrics.city.numbers.sums import NOTHING_CHOSEN
from metrics.city.weekly.asking import Asking
from metrics.city.weekly.parts import Cell, Column, Figure, Link, Row, Statement, Table, Word
from metrics.city.weekly.words import change_of, is_worse, joined, named, sentence, told, value_of
from metrics.kpis import kpi

SECTION, TOP = "feedback", 5
KEYS = (
    "reports_received", "reports_resolved", "reports_overdue", "reports_on_time_pct", "reports_resolve_days_median",
    "reports_satisfied_pct", "reports_reopened_pct",
)
BESIDE = ("reports_resolve_days_median", "reports_satisfied_pct", "reports_reopened_pct")  # said where they are known
VALUES = (
    Column("kpi"), Column("value", "figure"), Column("n", "figure"), Column("previous", "figure"), Column("change", "figure"),
    Column("last_year", "figure"),
)
GROUPED = ("reports_received", "reports_resolved", "reports_overdue", "reports_resolve_days_median")
BY = (
    Column("name"), Column("received", "figure"), Column("resolved", "figure"), Column("reports_overdue", "figure"),
    Column("median_days", "figure"),
)


def statements(asking: Asking) -> tuple[Statement, ...]:
    """What came in and went out beside the week before, then what citizens said of it where that is known."""
    values = {key: asking.values[key] for key in KEYS}
    if "reports" not in asking.whole or values["reports_received"].value is None:
        return ()
    received, resolved, overdue = (told(values[key]) for key in ("reports_received", "reports_resolved", "reports_overdue"))
    words: dict[str, Cell] = {
        "received": received, "resolved": resolved, "overdue": overdue, "of": Figure(values["reports_overdue"].n, "none"),
    }
    before, _ = asking.before("reports_received")
    is_beside = before is not None
    if is_beside:
        words |= {"before": Figure(before, "none"), "than": asking.than}
    said: list[Cell] = [Word("weekly.say.feedback_beside" if is_beside else "weekly.say.feedback", words)]
    said += [Word(f"weekly.say.{key}", {"value": told(values[key])}) for key in BESIDE if values[key].value is not None]
    link = Link("/reports", asking.query(state="received"))
    return (Statement(SECTION, sentence(joined(said)), link, is_warning=is_worse(asking, *KEYS)),)


def tables(asking: Asking) -> tuple[Table, ...]:
    """The week's figures; the largest categories and agencies."""
    if "reports" not in asking.whole:
        return ()
    return (value_table(asking, "feedback", SECTION, KEYS), *_largest(asking, "category"), *_largest(asking, "agency"))


def value_table(asking: Asking, key: str, section: str, keys: Sequence[str]) -> Table:
    """KPIs beside the week before and the same week a year earlier; beside nothing while the week runs."""
    rows = []
    for row in map(kpi, keys):
        one, year = asking.values[row.key], asking.last_year.get(row.key)
        previous, change = asking.before(row.key)
        rows.append(Row((
            named(row), value_of(row, one.value, one.n, one.state), Figure(one.n, "none", state=one.state), value_of(row, previous),
            change_of(row, change), value_of(row, year.previous if year else None),
        ), Link("/signals", asking.query(key=row.key))))
    return Table(key, section, VALUES, tuple(rows))


def _largest(asking: Asking, by: str) -> tuple[Table, ...]:
    """The groups with most reports received in the week."""
    read: dict[str, dict[str, Point]] = {}
    for key in GROUPED:
        points = series.read_in(asking.connection, asking.city, kpi(key), by, asking.week, NOTHING_CHOSEN, asking.rule)
        read[key] = {point.group: point for point in points}
    strange = frozenset(unvetted(asking.connection, asking.city, by).values())
    received = sorted(read["reports_received"].values(), key=lambda p: (p.value is None, -(p.value or 0.0), p.group))
    rows = []
    for one in [point for point in received if point.value or point.state][:TOP]:
        cells: list[Cell] = [one.label or one.group or Word("weekly.say.no_agency" if by == "agency" else "weekly.say.no_category")]
        cells += [_cell(key, read[key].get(one.group)) for key in GROUPED]
        link = Link("/reports", asking.query(state="received", **{by: one.group})) if one.group and one.group not in strange else None
        rows.append(Row(tuple(cells), link))
    return (Table(f"feedback_{by}", SECTION, BY, tuple(rows)),) if rows else ()


def _cell(key: str, point: Point | None) -> Figure:
    row = kpi(key)
    if point is None:
        return Figure(0.0 if row.measure != "mean" else None, row.measure_unit)
    return value_of(row, point.value, point.n, point.state)
