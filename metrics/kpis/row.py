"""What a KPI is: one row with its measure unit, its direction and its formula over sums; and the formulas many rows share.

A formula is a pure function of `Sums`: flows of the period and stocks at its end. It knows no SQL, no screen and no vendor.
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


def percent_of(part: int, whole: int) -> Answer:
    """A share in percent and what it is of; None of nothing."""
    return (100.0 * part / whole if whole else None), whole


def stock(sums: Sums, name: str, of: str = "") -> Answer:
    """A stock at the end of the period; n is the stock `of`, by default itself."""
    value = sums.stocks.get(name)
    population = sums.stocks.get(of) if of else value
    return (None if value is None else float(value)), int(population or 0)


def flow(name: str) -> Callable[[Sums], Answer]:
    """The formula that counts one flow."""
    return lambda sums: (float(sums.flow(name)), sums.flow(name))


COUNTED = ("dossier", "report")  # measure units of things that are counted
THEMES = ("economy", "governance", "environment", "mobility", "people", "living")  # the six fields of the smart city, in the seeds' order
FLOW_TABLES: Mapping[str, str] = {"dossiers": "rollup_dossier_day", "reports": "rollup_report_day"}
STOCK_TABLES: Mapping[str, str] = {"dossiers": "core_dossier", "reports": "core_report"}
PER_TABLES: Mapping[str, str] = {"inhabitants": "core_area", "officers": "core_agency"}


@dataclass(frozen=True)
class Kpi:
    """One defined number. `formula` is None where the value does not come from flows and stocks (metrics/city says how).

    better: up | down | none. min_n: below it a ratio is withheld. has_rule: depends on the late rule. is_stock: counts what is
    there now, so it stays known (with its age) while feeds are silent. verified: False = the definition is from memory, and shown so.
    reads: the tables its value is read from; () = those of its topic (`tables_of`). counted_on: the days a count is compared by:
    working_days | all_days | "" = a stock counted over the period, which more days do not make larger.
    min_n_change: a change of a share, mean or median resting on fewer, or a percent change from fewer, is withheld.
    is_now_only: nobody keeps what it was before: it has no series along time.
    per: inhabitants | officers = the formula's count is divided by them (metrics/city/numbers/denominators.py).
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
    verified: bool = True
    reads: tuple[str, ...] = ()
    counted_on: str = "working_days"
    min_n_change: int = 10
    per: str = ""
    is_now_only: bool = False

    @property
    def measure(self) -> str:
        """What kind of number it is: share | stock | count | rate | mean; comparisons and control charts go by it."""
        if self.per:
            return "rate"
        if self.measure_unit == "percent":
            return "share"
        if self.is_stock or not self.counted_on:
            return "stock"
        return "count" if self.measure_unit in COUNTED else "mean"


def tables_of(row: Kpi) -> tuple[str, ...]:
    """The tables a KPI is read from: flows from the day roll-up, stocks from the open rows, what it is divided by; else as its row says."""
    if row.reads or row.formula is None:
        return row.reads
    return (FLOW_TABLES[row.topic], STOCK_TABLES[row.topic], *([PER_TABLES[row.per]] if row.per else []))
