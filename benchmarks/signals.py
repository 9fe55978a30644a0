"""False signals on real series: shuffled, so that nothing changes in them by construction, beside theory; and as they came.

Needs the real data sets (TOANCANH_REAL_DATA, else ../shared/data). A shuffled series has the values of the real one and no order: what
fires there is noise. Without shuffling seasons and good air days in a row fire too, as they should: they are no false alarms.
"""

from __future__ import annotations

import math
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.results import Figure
from metrics.spc import RULES, Measured, chart, standing

SEED = 20261122
ROOT = Path(__file__).resolve().parent.parent
STEP = 8  # points so far apart share none that a rule looks at: their trials are independent


@dataclass(frozen=True)
class Series:
    """One real series: values in order, how it is charted, how many first points are its baseline."""

    name: str
    kind: str
    values: tuple[float, ...]
    baseline: int


@dataclass(frozen=True)
class Rate:
    """How often a rule fired: hits among trials, a trial being one point after the baseline."""

    rule: str
    hits: int
    trials: int

    @property
    def share(self) -> float:
        """Hits among trials."""
        return self.hits / self.trials if self.trials else 0.0


def data_folder() -> Path:
    """Where the real data sets are."""
    return Path(os.environ.get("TOANCANH_REAL_DATA") or ROOT.parent / "shared" / "data")


def hanoi(folder: Path) -> tuple[Series, ...]:
    """PM2.5 of Ha Noi, mean of all stations per local day (18 readings or more) and per week (100 or more); sentinels left out."""
    rows = pd.read_csv(folder / "sensors-openaq-hanoi" / "openaq_hanoi_measurements.csv.gz", usecols=["datetime", "parameter", "value"])
    rows = rows[(rows["parameter"] == "pm25") & rows["value"].between(0, 1000, inclusive="neither")]
    at = pd.to_datetime(rows["datetime"], utc=True).dt.tz_convert("Asia/Ho_Chi_Minh").dt.tz_localize(None)
    return (
        Series("PM2.5 daily", "xmr_log", _means(rows, at.dt.normalize(), 18), 365),
        Series("PM2.5 weekly", "xmr_log", _means(rows, at.dt.to_period("W-SUN"), 100), 52),
    )


def _means(rows: Any, parts: Any, least: int) -> tuple[float, ...]:
    grouped = rows.groupby(parts)["value"].agg(["mean", "size"]).sort_index()
    return tuple(float(value) for value in grouped.loc[grouped["size"] >= least, "mean"])


def boston(folder: Path) -> tuple[Series, ...]:
    """Requests to Boston 311 per weekday, and per full week."""
    rows = pd.read_csv(folder / "feedback-boston-311" / "boston_311_requests.csv.gz", usecols=["open_date"])
    at = pd.to_datetime(rows["open_date"], utc=True, format="mixed").dt.tz_convert("America/New_York").dt.tz_localize(None)
    days = at.dt.normalize().value_counts().sort_index()
    days = days.reindex(pd.date_range(days.index.min(), days.index.max()), fill_value=0)[1:-1]
    weekdays = days[days.index.day_of_week < 5]
    weeks = at.dt.to_period("W-SUN").value_counts().sort_index()[1:-1]
    return (
        Series("Boston weekdays", "xmr", tuple(map(float, weekdays)), 60), Series("Boston weekly", "xmr", tuple(map(float, weeks)), 12),
    )


def shuffles(values: Sequence[float], count: int, seed: int = SEED) -> Iterator[list[float]]:
    """The values in `count` random orders, the same every time."""
    order = random.Random(seed)
    for _ in range(count):
        mixed = list(values)
        order.shuffle(mixed)
        yield mixed


def rates(kind: str, orders: Iterator[list[float]], baseline: int, step: int = 1) -> list[Rate]:
    """How often each rule fires at every `step`-th point after the baseline."""
    hits, trials = dict.fromkeys((rule.key for rule in RULES), 0), 0
    for values in orders:
        drawn = chart(kind, [Measured(value) for value in values], (0, baseline))
        assert drawn is not None and drawn.limits[0] is not None
        z = [standing(value, drawn.limits[0]) for value in values]
        for at in range(baseline + step - 1, len(z), step):
            trials += 1
            for rule in RULES:
                hits[rule.key] += bool(rule.fires(z[max(0, at - STEP + 1) : at + 1]))
    return [Rate(rule.key, hits[rule.key], trials) for rule in RULES]


def normal(baseline: int, length: int, count: int, seed: int = SEED) -> Iterator[list[float]]:
    """Normal noise: what theory is about, but with limits made of so many points as the program has."""
    noise = random.Random(seed)
    for _ in range(count):
        yield [noise.gauss(100, 10) for _ in range(baseline + length)]


def interval(theory: float, trials: int, sigmas: float = 2.576) -> tuple[float, float]:
    """The shares among which 99 of 100 binomials of `trials` at `theory` lie (Wilson's interval around theory)."""
    spread = sigmas**2 / trials
    middle = (theory + spread / 2) / (1 + spread)
    half = sigmas / (1 + spread) * math.sqrt(theory * (1 - theory) / trials + spread / (4 * trials))
    return max(0.0, middle - half), middle + half


def run(databases: object, quick: bool) -> Iterator[Figure]:
    """Rates per rule: theory, noise with short baselines, each series shuffled and as it came. No database is used."""
    count = 5 if quick else 40
    for rule in RULES:
        yield Figure("signals", "-", f"theory, limits known: {rule.key}", 100 * rule.theory, "%", note="per point; normal, independent")
    for baseline in (12, 26, 52, 365):
        for rate in rates("xmr", normal(baseline, 40, 10 * count), baseline):
            says = f"normal noise, baseline {baseline}: {rate.rule}"
            yield Figure("signals", "-", says, 100 * rate.share, "%", note=f"of {rate.trials} points")
    folder = data_folder()
    if not folder.is_dir():
        yield Figure("signals", "-", "real series", 0, "", note=f"not found in {folder}; set TOANCANH_REAL_DATA")
        return
    for series in (*hanoi(folder), *boston(folder)):
        many = count if len(series.values) > 500 else 10 * count
        for rate in rates(series.kind, shuffles(series.values, many), series.baseline):
            says = f"{series.name} shuffled, baseline {series.baseline}: {rate.rule}"
            yield Figure("signals", "-", says, 100 * rate.share, "%", note=f"of {rate.trials} points in {many} shuffles")
        for rate in rates(series.kind, iter([list(series.values)]), series.baseline):
            yield Figure("signals", "-", f"{series.name} as it came: {rate.rule}", 100 * rate.share, "%", note=f"of {rate.trials} points")
