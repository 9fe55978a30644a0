"""What /explore may count: every KPI whose formula stands on flows and stocks, and what readings come to. One row a measure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from metrics.city.numbers.sums import FLOWS, NET
from metrics.kpis import KPIS, RULE_INSTANT, Kpi, Sums
from metrics.kpis.row import Answer

READING_COLUMNS = ("n", "total", "low", "high", "flagged")  # of sound readings; flagged = those not believed


@dataclass(frozen=True)
class Measure:
    """A number that can be broken down. kpi: its row, None for readings, whose unit is that of the property chosen (measure_unit "").

    label: key of its shown name. adds_up: do its groups sum to its total? formula: over Sums, or over the columns of readings.
    """

    key: str
    topic: str
    label: str
    measure_unit: str
    decimals: int
    adds_up: bool
    kpi: Kpi | None = None
    formula: Callable[[Sums], Answer] | None = None


@dataclass(frozen=True)
class Needs:
    """Flows and stocks a formula looks at; `net` = the flows by which a past stock is counted back from now."""

    flows: tuple[str, ...]
    stocks: tuple[str, ...]
    net: tuple[str, ...]

    @property
    def read(self) -> tuple[str, ...]:
        """All flows to read, each once."""
        return tuple(dict.fromkeys((*self.flows, *self.net)))


class _Seen(Mapping[str, int]):
    """Stands for all flows or stocks of a topic and remembers which were asked for."""

    def __init__(self, known: Collection[str]) -> None:
        self.known = known
        self.names: dict[str, None] = {}

    def __getitem__(self, name: str) -> int:
        self.names[name] = None
        return 2

    def __contains__(self, name: object) -> bool:
        return name in self.known

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def _reading(column: str) -> Callable[[Sums], Answer]:
    def formula(sums: Sums) -> Answer:
        n = sums.flow("n")
        if column in ("n", "flagged"):
            return float(sums.flow(column)), n
        return (None, 0) if not n else (float(sums.flow("total") / n if column == "mean" else sums.flow(column)), n)

    return formula


MEASURES: tuple[Measure, ...] = (
    *(
        Measure(
            row.key, row.topic, f"kpi.{row.key}.label", row.measure_unit, row.decimals, row.measure in ("count", "stock"), row, row.formula,
        )
        for row in KPIS if row.formula is not None and not row.per and row.topic in FLOWS
    ),
    *(
        Measure(f"readings_{column}", "readings", f"measure.readings_{column}.label", unit, decimals, unit != "", None, _reading(column))
        for column, unit, decimals in (("mean", "", 1), ("low", "", 1), ("high", "", 1), ("n", "reading", 0), ("flagged", "reading", 0))
    ),
)
MEASURE: Mapping[str, Measure] = {row.key: row for row in MEASURES}


def measure(key: str) -> Measure:
    """The measure of this key; ValueError names the known ones."""
    if key not in MEASURE:
        raise ValueError(f"measure: there is no {key!r}; choose one of {', '.join(MEASURE)}")
    return MEASURE[key]


@lru_cache(maxsize=1024)
def needs(keys: tuple[str, ...], rule: str = RULE_INSTANT) -> Needs:
    """What the formulas of these measures (of one topic) look at under a late rule."""
    rows = [measure(key) for key in keys]
    topic = rows[0].topic
    if topic == "readings":
        return Needs(READING_COLUMNS, (), ())
    flows, stocks = _Seen(FLOWS[topic]), _Seen(_STOCKS[topic])
    for row in rows:
        assert row.formula is not None
        row.formula(Sums(flows, stocks, rule))
    named = list(stocks.names)
    counted = ["open", "open_no_due"] if "open_due" in named else []
    net = [name for stock in (*named, *counted) if stock in NET[topic] for side in NET[topic][stock] for name in side]
    return Needs(
        tuple(flows.names), tuple(dict.fromkeys((*named, *counted))), tuple(dict.fromkeys(net)),
    )


_STOCKS = {topic: {*NET[topic], "open_due", "due_2wd"} for topic in NET}
