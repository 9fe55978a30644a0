"""KPIs of citizen feedback that no sum of flows gives: of a period, of its groups, of its days, weeks and months."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from metrics.city import City
from metrics.city.findings.closings import Judged, in_bulk, judge_766
from metrics.city.numbers.asked import Answers, Asked
from metrics.city.numbers.sums import Choice, conditions
from metrics.kpis.row import Answer
from metrics.periods import Period
from store.days import DAY, number_of

Groups = Mapping[str, Answer]


@dataclass(frozen=True)
class Computed:
    """How a KPI is computed: `groups` over a period per value of a column ('' = all in one), `parts` over each of several periods."""

    groups: Callable[[Connection, City, Period, Choice, str], Groups]
    parts: Callable[[Connection, City, Sequence[Period], Choice], Sequence[Answer]]

    def whole(self, asked: Asked, period: Period) -> Answer:
        """The answer over a period."""
        return self.groups(asked.connection, asked.city, period, asked.choice, "").get("", (None, 0))


# ---- median days ------------------------------------------------------------------------------------------------------
def _median_groups(connection: Connection, city: City, period: Period, choice: Choice, column: str) -> Groups:
    if not column:
        return {"": _median_whole(connection, city, period, choice)}
    grouped: dict[str, list[float]] = {}
    for group, span in _spans(connection, city, column, period, period, choice):
        grouped.setdefault(str(group), []).append(span)
    return {group: (_median(spans), len(spans)) for group, spans in grouped.items()}


def _median_whole(connection: Connection, city: City, period: Period, choice: Choice) -> Answer:
    """Median days from received to closed, of reports closed in the period; from core rows, bounded by the period."""
    where, values = conditions(city.scope, "reports", choice)
    rows = connection.execute(
        text(
            "WITH spans AS (SELECT closed_at - received_at AS span, row_number() OVER (ORDER BY closed_at - received_at) AS place, "
            "count(*) OVER () AS n FROM core_report WHERE closed_on BETWEEN :start AND :end AND NOT is_ended_before_start"
            f"{where}) SELECT span, n FROM spans WHERE place IN ((n + 1) / 2, (n + 2) / 2)"
        ),
        {"start": number_of(period.start_on), "end": number_of(period.end_on), **values},
    ).all()
    if not rows:
        return None, 0
    return sum(float(span) for span, _ in rows) / len(rows) / DAY, int(rows[0][1])


def _median_parts(connection: Connection, city: City, parts: Sequence[Period], choice: Choice) -> Sequence[Answer]:
    spans = _spans(connection, city, "closed_on", parts[0], parts[-1], choice)
    found = []
    for part in parts:
        start, end = number_of(part.start_on), number_of(part.end_on)
        inside = [span for on, span in spans if start <= int(on) <= end]
        found.append((_median(inside), len(inside)))
    return found


def _spans(
    connection: Connection, city: City, group: str, first: Period, last: Period, choice: Choice,
) -> list[tuple[str | int, float]]:
    where, values = conditions(city.scope, "reports", choice)
    rows = connection.execute(
        text(
            f"SELECT {group}, closed_at - received_at FROM core_report WHERE closed_on BETWEEN :start AND :end "
            f"AND NOT is_ended_before_start{where}"
        ),
        {"start": number_of(first.start_on), "end": number_of(last.end_on), **values},
    ).all()
    return [(group_, float(span) / DAY) for group_, span in rows]


def _median(values: list[float]) -> float | None:
    ordered, n = sorted(values), len(values)
    return (ordered[(n - 1) // 2] + ordered[n // 2]) / 2 if n else None


# ---- closed in bulk ---------------------------------------------------------------------------------------------------
def _bulk_parts(connection: Connection, city: City, parts: Sequence[Period], choice: Choice) -> Sequence[Answer]:
    return [in_bulk(connection, city, part, choice, "").get("", (None, 0)) for part in parts]


# ---- decision 766 -----------------------------------------------------------------------------------------------------
def _judged(answer: Callable[[Judged], Answer]) -> Computed:
    def groups(connection: Connection, city: City, period: Period, choice: Choice, column: str) -> Groups:
        return {group: answer(one) for group, one in judge_766(connection, city, period, choice, column).items()}

    def parts(connection: Connection, city: City, parts: Sequence[Period], choice: Choice) -> Sequence[Answer]:
        return [groups(connection, city, part, choice, "").get("", (None, 0)) for part in parts]

    return Computed(groups, parts)


FEEDBACK_COMPUTED: Mapping[str, Computed] = {
    "reports_resolve_days_median": Computed(_median_groups, _median_parts),
    "reports_closed_in_bulk_pct": Computed(in_bulk, _bulk_parts),
    "feedback_on_time_766_pct": _judged(lambda one: one.on_time_pct),
    "feedback_satisfied_766_pct": _judged(lambda one: one.satisfied_pct),
}
FEEDBACK_ANSWERS: Answers = {key: computed.whole for key, computed in FEEDBACK_COMPUTED.items()}
