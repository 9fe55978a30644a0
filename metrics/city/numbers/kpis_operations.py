"""KPIs of the operation itself."""

from __future__ import annotations

from metrics.city import feeds
from metrics.city.numbers.asked import Answers, Asked
from metrics.kpis.row import Answer
from metrics.periods import Period


def _feeds_fresh(asked: Asked, period: Period) -> Answer:
    """Share of the feeds switched on, with a promised cadence, that keep it now; the past is not recorded."""
    on = {feed.key for feed in asked.city.config.feeds if feed.enabled}
    promised = [state for state in asked.states if state.cadence_s is not None and state.key in on]
    if not promised or asked.ends_at(period) is not None:
        return None, 0
    return 100.0 * sum(state.state == feeds.FRESH for state in promised) / len(promised), len(promised)


OPERATIONS_ANSWERS: Answers = {
    "feeds_fresh_pct": _feeds_fresh,
}
