"""Form II.06a: what each domain or agency received, finished and has in progress, a row each, with totals that add up.

in_hand = online + offline + carried over; finished = early + on time + late; in progress = in time + overdue; and
in_hand - ended_before_in = finished - ended_before_out + in progress. What ended before it started is counted as received and as
finished, and named apart; new and refused dossiers stand outside. Source: Circular 01/2020/TT-VPCP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from sqlalchemy import Connection

from metrics.city import City, feeds
from metrics.city.masking import unvetted
from metrics.city.numbers import series, small_counts
from metrics.city.numbers.sums import NOTHING_CHOSEN, Choice
from metrics.kpis import RULE_DAY, Sums
from metrics.kpis.one_stop import opening
from metrics.periods import Period

BY = ("domain", "agency")
TOTAL = ""  # group of the row of totals


@dataclass(frozen=True)
class FormRow:
    """One line of the form. Counts are None where this reader is not told them (state: suppressed, withheld)."""

    group: str
    label: str
    in_hand: int | None = None
    received_online: int | None = None
    received_offline: int | None = None
    carried_over: int | None = None
    finished: int | None = None
    finished_early: int | None = None
    finished_on_time: int | None = None
    finished_late: int | None = None
    in_progress: int | None = None
    in_time: int | None = None
    overdue: int | None = None
    ended_before_in: int | None = None
    ended_before_out: int | None = None
    new: int | None = None
    refused: int | None = None
    state: str = ""


COUNTS = tuple(field.name for field in fields(FormRow) if field.name not in ("group", "label", "state"))


@dataclass(frozen=True)
class Form:
    """The form over a period: its rows by size, the row of totals last. late_rule: the form itself judges by the day."""

    period: Period
    by: str
    late_rule: str
    rows: tuple[FormRow, ...]
    as_of: int
    revision: int

    @property
    def total(self) -> FormRow | None:
        """The row of totals; None when nothing is known of the period."""
        return self.rows[-1] if self.rows else None


def read(city: City, period: Period, by: str = "domain", choice: Choice = NOTHING_CHOSEN, late_rule: str = RULE_DAY) -> Form:
    """The form by domain or agency. Requires see.desk; ValueError names the groupings. Empty where no feed speaks for the period."""
    city.scope.require("see.desk")
    if by not in BY:
        raise ValueError(f"form II.06a by {by!r}: choose one of {', '.join(BY)}")
    with city.store.reading() as connection:
        through = feeds.speak_until(feeds.of_topic(feeds.read_in(connection, city), "dossiers"))
        if feeds.coverage(city, period, through) <= 0:
            return Form(period, by, late_rule, (), city.as_of, city.revision)
        rows = _rows(connection, city, by, period, choice, late_rule)
        if not small_counts.sees_all(city.scope):
            rows = _without_small(rows, is_chosen_hidden=_is_chosen_hidden(connection, city, period, choice, late_rule))
        else:
            rows = (*rows, _total(rows))
    return Form(period, by, late_rule, rows, city.as_of, city.revision)


def _rows(connection: Connection, city: City, by: str, period: Period, choice: Choice, late_rule: str) -> tuple[FormRow, ...]:
    """A row a group that has anything to say, the largest first."""
    labels = {**series.labels(connection, by), **unvetted(connection, city, by)}
    sums = series.group_sums(connection, city, "dossiers", by, period, choice, late_rule)
    found = (_row(group, labels.get(group, group), one) for group, one in sums.items())
    return tuple(sorted((row for row in found if any(_counts(row))), key=lambda row: (-(row.in_hand or 0), row.group)))


def _row(group: str, label: str, sums: Sums) -> FormRow:
    """One group's line, each column by its own formula: that they add up is tested, not made so."""
    flow, carried = sums.flow, opening(sums) or 0
    online, finished, early, late = flow("received_online"), flow("finished"), flow("finished_early"), sums.late
    in_progress, overdue = sums.stocks["open"] or 0, sums.stocks[sums.overdue] or 0
    return FormRow(
        group, label, carried + flow("received"), online, flow("received") - online, carried, finished, early, finished - early - late,
        late, in_progress, in_progress - overdue, overdue, flow("ended_before_start_in"), flow("ended_before_start_out"), flow("new"),
        flow("refused"),
    )


def _counts(row: FormRow) -> tuple[int, ...]:
    return tuple(int(getattr(row, name) or 0) for name in COUNTS)


def _total(rows: Sequence[FormRow]) -> FormRow:
    return FormRow(TOTAL, "", *(sum(column) for column in zip(*map(_counts, rows), strict=True)) if rows else (0,) * len(COUNTS))


# ---- readers who are not told small counts --------------------------------------------------------------------------
def _without_small(rows: Sequence[FormRow], *, is_chosen_hidden: bool) -> tuple[FormRow, ...]:
    """The rows as such a reader may have them: a row goes whole, since its columns add up to one another."""
    hidden, tells_all = _hidden(rows)
    total = _total(rows)
    if is_chosen_hidden or tells_all or any(0 < count < small_counts.LEAST for count in _counts(total)):
        hidden = {row.group: small_counts.WITHHELD for row in (*rows, total)} | hidden
    return tuple(
        FormRow(row.group, row.label, state=hidden[row.group]) if row.group in hidden else row
        for row in (*rows, total)
    )


def _hidden(rows: Sequence[FormRow]) -> tuple[dict[str, str], bool]:
    """Group -> why its row is not told; and whether the totals would give one away whatever is hidden."""
    cells = [small_counts.withhold({row.group: getattr(row, name) or 0 for row in rows}) for name in COUNTS]
    beside = dict.fromkeys((group for one in cells for group in one.beside), small_counts.WITHHELD)
    small = dict.fromkeys((group for one in cells for group in one.small), small_counts.SUPPRESSED)
    return beside | small, any(one.tells_all for one in cells)


def _is_chosen_hidden(connection: Connection, city: City, period: Period, choice: Choice, late_rule: str) -> bool:
    """Is what was chosen a row that is hidden among its like? Then none of its parts may be told either."""
    for name in ("agency", "area", "domain"):
        value = getattr(choice, name)
        if value:
            hidden, _ = _hidden(_rows(connection, city, name, period, replace(choice, **{name: ""}), late_rule))
            if small_counts.in_subtree(value, hidden):
                return True
    return False
