"""Small pieces that all sections are made of: figures of KPIs, sentences put together, names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from metrics.city.numbers.kpis import KpiValue
from metrics.city.weekly.asking import Asking
from metrics.city.weekly.parts import Cell, Figure, Word
from metrics.kpis import KPI_BY_KEY, Kpi
from metrics.spc import DETERIORATED

NAME_WORDS, QUOTE_WORDS = 9, 14  # of names and quotations inside a sentence: the tables have them whole
_COUNTED = ("dossier", "report")


def value_of(row: Kpi, value: float | None, n: int | None = None, state: str = "") -> Figure:
    """A KPI's figure for a table."""
    return Figure(value, row.measure_unit, row.decimals, n, state)


def change_of(row: Kpi, change: float | None) -> Figure:
    """By how much it changed; scaled counts may be broken."""
    return Figure(change, row.measure_unit, 0 if change is None else decimals_of(row, change), is_change=True)


def told(one: KpiValue | None, key: str = "") -> Cell:
    """A KPI's figure inside a sentence: with n where it is a share or a mean; counted things without their unit, as the name has it."""
    row = KPI_BY_KEY[one.key if one else key]
    if one is None:
        return Figure(None, row.measure_unit)
    return with_n(row, one.value, one.n, one.state)


def with_n(row: Kpi, value: float | None, n: int | None, state: str = "", decimals: int | None = None) -> Cell:
    """The same of a value and n."""
    figure = Figure(value, unit_of(row), row.decimals if decimals is None else decimals, n, state)
    if value is None or row.measure not in ("share", "mean") or not n:
        return figure
    return Word("weekly.say.of_n", {"value": figure, "n": Figure(n, "none")})


def unit_of(row: Kpi) -> str:
    """The unit said inside a sentence: that of counted dossiers and reports is in the KPI's name."""
    return "none" if row.measure_unit in _COUNTED else row.measure_unit


def decimals_of(row: Kpi, value: float) -> int:
    """Digits of a limit, mean or change: as the KPI has, one more where a count is broken and small."""
    return row.decimals if row.decimals or abs(value) >= 100 or float(value).is_integer() else 1


def is_worse(asking: Asking, *keys: str) -> bool:
    """Did any of these KPIs really get worse?"""
    return any(one.key in keys and one.verdict == DETERIORATED for one in asking.signals)


def named(row: Kpi) -> Word:
    """A KPI by its label."""
    return Word(f"kpi.{row.key}.label")


def short(name: str, words: int = NAME_WORDS) -> str:
    """The first words of a long name or text."""
    parts = name.split()
    return name if len(parts) <= words else " ".join(parts[:words]) + "…"


def joined(said: Sequence[Cell], between: str = "weekly.say.and") -> Cell:
    """Pieces one after another; None of nothing."""
    return reduce(lambda left, right: Word(between, {"left": left, "right": right}), said) if said else None


def sentence(said: Cell) -> Word:
    """Pieces as a whole sentence."""
    return Word("weekly.say.sentence", {"said": said})
