"""Every KPI as one row: what it is called, its measure unit, which way is better, and its formula over sums.

A module a subject; a new KPI is a row in one of them (and a function at most). Labels and definitions are in the locales under
kpi.<key>; the sources of the definitions are named here.
"""

from __future__ import annotations

from collections.abc import Mapping

from config import Config
from metrics.kpis.environment import ENVIRONMENT
from metrics.kpis.feedback import FEEDBACK
from metrics.kpis.one_stop import FORM_II06A, ONE_STOP, SERVICE
from metrics.kpis.operations import OPERATIONS
from metrics.kpis.row import RULE_DAY, RULE_INSTANT, THEMES, Kpi, Sums, tables_of
from metrics.kpis.score_766 import SCORE_766
from metrics.kpis.working_time import WORKING_TIME
from metrics.kpis.workload import WORKLOAD

__all__ = [
    "KPIS", "KPI_BY_KEY", "RULE_DAY", "RULE_INSTANT", "SUBJECTS", "THEMES", "Kpi", "Sums", "kpi", "setting_faults", "tables_of",
    "verdict",
]

SUBJECTS: Mapping[str, tuple[Kpi, ...]] = {
    "one_stop": ONE_STOP, "form_ii06a": FORM_II06A, "service": SERVICE, "working_time": WORKING_TIME, "workload": WORKLOAD,
    "score_766": SCORE_766,
    "feedback": FEEDBACK, "environment": ENVIRONMENT, "operations": OPERATIONS,
}
KPIS: tuple[Kpi, ...] = tuple(row for rows in SUBJECTS.values() for row in rows)
KPI_BY_KEY: Mapping[str, Kpi] = {kpi.key: kpi for kpi in KPIS}


def kpi(key: str) -> Kpi:
    """The KPI of this key; KeyError lists the known ones."""
    try:
        return KPI_BY_KEY[key]
    except KeyError:
        raise KeyError(f"no KPI {key!r}; known: {', '.join(KPI_BY_KEY)}") from None


def setting_faults(config: Config) -> list[str]:
    """What a city file says of KPIs that do not exist: one line a key, naming the section."""
    told = {"targets": config.targets, "kpis": {**config.kpi_owners, **config.kpi_choices}}
    return [
        f"[{section}]: there is no KPI {key!r}; known: {', '.join(KPI_BY_KEY)}"
        for section, keys in told.items() for key in sorted(keys) if key not in KPI_BY_KEY
    ]


def verdict(row: Kpi, value: float | None, target: float | None) -> str | None:
    """good | near | bad against a dated target; near = within 2 % of it. None without value or target."""
    if value is None or target is None or row.better == "none":
        return None
    gap = value - target if row.better == "up" else target - value
    if gap >= 0:
        return "good"
    return "near" if abs(gap) <= 0.02 * abs(target) else "bad"
