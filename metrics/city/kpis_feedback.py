"""KPIs of citizen feedback that no sum of flows gives."""

from __future__ import annotations

from sqlalchemy import text

from metrics.city.asked import Answers, Asked
from metrics.city.sums import conditions
from metrics.kpis.row import Answer
from metrics.periods import Period
from store.days import DAY, number_of


def _median_days(asked: Asked, period: Period) -> Answer:
    """Median days from received to closed, of reports closed in the period; from core rows, bounded by the period."""
    where, values = conditions(asked.city.scope, "reports", asked.choice)
    rows = asked.connection.execute(
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


FEEDBACK_ANSWERS: Answers = {
    "reports_resolve_days_median": _median_days,
}
