"""Every KPI as one row: what it is called, its measure unit, which way is better, and its formula over sums.

A module a subject; a new KPI is a row in one of them (and a function at most). Labels and definitions are in the locales under
kpi.<key>; the sources of the definitions are named here.
"""

from __future__ import annotations

from collections.abc import Mapping

from metrics.kpis.environment import ENVIRONMENT
from metrics.kpis.feedback import FEEDBACK
from metrics.kpis.one_stop import ONE_STOP
from metrics.kpis.operations import OPERATIONS
from metrics.kpis.row import RULE_DAY, RULE_INSTANT, Kpi, Sums
from metrics.kpis.score_766 import SCORE_766

__all__ = ["KPIS", "KPI_BY_KEY", "RULE_DAY", "RULE_INSTANT", "Kpi", "Sums", "kpi", "verdict"]

KPIS: tuple[Kpi, ...] = (*ONE_STOP, *SCORE_766, *FEEDBACK, *ENVIRONMENT, *OPERATIONS)
KPI_BY_KEY: Mapping[str, Kpi] = {kpi.key: kpi for kpi in KPIS}


def kpi(key: str) -> Kpi:
    """The KPI of this key; KeyError lists the known ones."""
    try:
        return KPI_BY_KEY[key]
    except KeyError:
        raise KeyError(f"no KPI {key!r}; known: {', '.join(KPI_BY_KEY)}") from None


def verdict(row: Kpi, value: float | None, target: float | None) -> str | None:
    """good | near | bad against a dated target; near = within 2 % of it. None without value or target."""
    if value is None or target is None or row.better == "none":
        return None
    gap = value - target if row.better == "up" else target - value
    if gap >= 0:
        return "good"
    return "near" if abs(gap) <= 0.02 * abs(target) else "bad"
