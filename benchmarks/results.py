"""What a benchmark says: rows with a goal, medians of interleaved repetitions, printed as a table."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One measured figure; `goal` as text ("<= 1.2"), empty = for information."""

    bench: str
    engine: str
    what: str
    value: float
    measure_unit: str
    goal: str = ""
    note: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None without one."""
        if not self.goal:
            return None
        sign, limit = self.goal.split()[:2]
        return self.value >= float(limit) if sign == ">=" else self.value <= float(limit)


def interleaved(runs: Mapping[str, Callable[[], float]], times: int) -> dict[str, list[float]]:
    """Call each run once per round, in an order that turns from round to round; the values of each."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    names = list(runs)
    for turn in range(times):
        shift = turn % len(names)
        for name in names[shift:] + names[:shift]:
            found[name].append(runs[name]())
    return found


def ratio(part: Sequence[float], whole: Sequence[float]) -> tuple[float, str]:
    """(median of the round-by-round ratios, their range as text): a slow minute hits both sides of a round."""
    ratios = [a / b for a, b in zip(part, whole, strict=True)]
    return statistics.median(ratios), f"{min(ratios):.2f}-{max(ratios):.2f} in {len(ratios)} rounds"


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0..1) of the values lie, by nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


def table(figures: Iterable[Figure]) -> str:
    """The figures as a Markdown table."""
    lines = ["| bench | engine | what | value | goal | met | note |", "|---|---|---|---|---|---|---|"]
    return "\n".join([*lines, *(_line(figure) for figure in figures)])


def _line(figure: Figure) -> str:
    met = {True: "yes", False: "**no**", None: ""}[figure.is_met]
    value = f"{number(figure.value)} {figure.measure_unit}".strip()
    return f"| {figure.bench} | {figure.engine} | {figure.what} | {value} | {figure.goal} | {met} | {figure.note} |"


def number(value: float) -> str:
    """Three significant digits."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def machine() -> str:
    """The class of this machine, its load and the versions that matter, in one line."""
    names = ("sqlalchemy", "psycopg", "dash", "uvicorn", "plotly")
    return ", ".join((
        f"{os.cpu_count()} cores ({_processor()}), {_memory_gb()} GB, load {os.getloadavg()[1]:.1f}",
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}",
        *(f"{name} {version(name)}" for name in names),
    ))


def _memory_gb() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown processor")
