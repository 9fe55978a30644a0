"""Every KPI as one row: what it is called, its measure unit, which way is better, and its formula over sums.

A formula is a pure function of `Sums`: flows of the period and stocks at its end. It knows no SQL, no screen and no vendor. Labels and
definitions are in the locales under kpi.<key>; the sources of the definitions are named here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

RULE_INSTANT, RULE_DAY = "late_instant", "late_day"


@dataclass(frozen=True)
class Sums:
    """Flows of a period and stocks at its end, for one choice of agencies and areas, under one late rule."""

    flows: Mapping[str, int]
    stocks: Mapping[str, int | None]
    late_rule: str = RULE_INSTANT

    def flow(self, name: str) -> int:
        """A flow of the period."""
        return self.flows.get(name, 0)

    @property
    def late(self) -> int:
        """Finished late under the rule."""
        return self.flow("finished_late_day" if self.late_rule == RULE_DAY else "finished_late")

    @property
    def overdue(self) -> str:
        """Name of the stock of overdue ones under the rule; only dossiers have a day grain."""
        return "overdue_day" if self.late_rule == RULE_DAY and "overdue_day" in self.stocks else "overdue"

    @property
    def finished_with_due(self) -> int:
        """Finished dossiers that had a due date."""
        return self.flow("finished") - self.flow("finished_no_due")


Answer = tuple[float | None, int]  # value and n


def _percent(part: int, whole: int) -> Answer:
    return (100.0 * part / whole if whole else None), whole


def _stock(sums: Sums, name: str, of: str = "") -> Answer:
    value = sums.stocks.get(name)
    population = sums.stocks.get(of) if of else value
    return (None if value is None else float(value)), int(population or 0)


def _flow(name: str) -> Callable[[Sums], Answer]:
    return lambda sums: (float(sums.flow(name)), sums.flow(name))


def _on_time_766(sums: Sums) -> Answer:
    """(Finished in time + open in time) / (finished + open): second supplement counts late; without due date left out.

    766 judges by the instant, whatever rule the other KPIs follow.
    """
    open_due, overdue = sums.stocks.get("open_due"), sums.stocks.get("overdue")
    if open_due is None or overdue is None:
        return None, 0
    finished_in_time = sums.finished_with_due - sums.flow("finished_late") - sums.flow("second_supplement_late")
    return _percent(finished_in_time + open_due - overdue, sums.finished_with_due + open_due)


@dataclass(frozen=True)
class Kpi:
    """One defined number. `formula` is None where the value does not come from flows and stocks (metrics/city says how).

    better: up | down | none. min_n: below it a ratio is withheld. has_rule: depends on the late rule. is_stock: counts what is
    there now, so it stays known (with its age) while feeds are silent.
    """

    key: str
    topic: str
    measure_unit: str
    better: str
    formula: Callable[[Sums], Answer] | None
    min_n: int = 0
    has_rule: bool = False
    is_stock: bool = False
    theme: str = "governance"
    source: str = ""
    decimals: int = 0


_766 = "Decision 766/QD-TTg, indicator 2.1"
_II06A = "Circular 01/2020/TT-VPCP, form II.06a"

KPIS: tuple[Kpi, ...] = (
    Kpi("dossiers_received", "dossiers", "dossier", "none", _flow("received"), source=_II06A),
    Kpi("dossiers_finished", "dossiers", "dossier", "up", _flow("finished"), source=_II06A),
    Kpi("dossiers_on_time_pct", "dossiers", "percent", "up",
        lambda s: _percent(s.finished_with_due - s.late, s.finished_with_due), min_n=1, has_rule=True, source=_II06A, decimals=1),
    Kpi("dossiers_on_time_766_pct", "dossiers", "percent", "up", _on_time_766, min_n=1, source=_766, decimals=1),
    Kpi("dossiers_early_pct", "dossiers", "percent", "up",
        lambda s: _percent(s.flow("finished_early"), s.finished_with_due), min_n=1, source=_II06A, decimals=1),
    Kpi("dossiers_late", "dossiers", "dossier", "down", lambda s: (float(s.late), s.finished_with_due), has_rule=True, source=_II06A),
    Kpi("dossiers_open", "dossiers", "dossier", "none", lambda s: _stock(s, "open"), is_stock=True, source=_II06A),
    Kpi("dossiers_overdue", "dossiers", "dossier", "down", lambda s: _stock(s, s.overdue, "open_due"), has_rule=True, is_stock=True,
        source=_II06A),
    Kpi("dossiers_due_2wd", "dossiers", "dossier", "none", lambda s: _stock(s, "due_2wd", "open_due"), is_stock=True,
        source="Decree 61/2018/ND-CP"),
    Kpi("dossiers_online_pct", "dossiers", "percent", "up",
        lambda s: _percent(s.flow("received_online"), s.flow("received")), min_n=1, source="Decision 766/QD-TTg, indicator 3.3",
        decimals=1),
    Kpi("reports_received", "reports", "report", "none", _flow("received"), theme="people"),
    Kpi("reports_open", "reports", "report", "none", lambda s: _stock(s, "open"), is_stock=True, theme="people"),
    Kpi("reports_overdue", "reports", "report", "down", lambda s: _stock(s, "overdue", "open_due"), is_stock=True, theme="people"),
    Kpi("reports_resolved", "reports", "report", "up", _flow("closed"), theme="people"),
    Kpi("reports_resolve_days_median", "reports", "days", "down", None, min_n=5, theme="people", decimals=1),
    Kpi("stations_reporting_pct", "readings", "percent", "up", None, min_n=1, theme="environment", decimals=1),
    Kpi("vn_aqi", "readings", "aqi", "down", None, min_n=1, theme="environment", source="Decision 1459/QD-TCMT"),
    Kpi("feeds_fresh_pct", "operations", "percent", "up", None, min_n=1, decimals=1),
)
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
