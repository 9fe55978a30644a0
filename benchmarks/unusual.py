"""How often /gaming and /explain mark something where nothing happened: real series and endings in no order, beside theory.

Needs the real data sets (TOANCANH_REAL_DATA, else ../shared/data). Shuffled days, hours, endings and marks hold the real values and no
order; whatever is marked there is chance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.results import Figure
from benchmarks.signals import SEED, data_folder
from metrics import chance
from metrics.city.findings.coincident import LEAST_LOG
from metrics.city.findings.gaming_rules import LAST_HOURS, NEIGHBOURS, tried_due

BLOCK = chance.MOST_EARLIER + 1  # a value and the twelve it is set beside
BULKS = ((5, 10), (20, 10))  # closings, minutes


@dataclass(frozen=True)
class Marked:
    """How much was marked of what was tried, and how much of it theory expects."""

    what: str
    hits: float
    tried: int
    expected: float

    @property
    def share(self) -> float:
        """Marked in percent of tried."""
        return 100 * self.hits / self.tried if self.tried else 0.0

    @property
    def theory(self) -> float:
        """The same by theory."""
        return 100 * self.expected / self.tried if self.tried else 0.0


# ---- /explain -------------------------------------------------------------------------------------------------------
def chicago_days(folder: Path) -> list[np.ndarray]:
    """Requests a day of every ward of Chicago 311, Tuesdays alone: the page sets a weekday beside the same weekday."""
    rows = pd.read_csv(folder / "feedback-chicago-311" / "chicago_311_sanitation_2011_2014.csv.gz", usecols=["Creation_Date", "Ward"])
    days = rows.groupby(["Ward", "Creation_Date"]).size().unstack(fill_value=0)
    days = days.loc[:, pd.to_datetime(days.columns).day_of_week == 1]
    return [row.to_numpy() for _, row in days.iterrows()]


def hanoi_hours(folder: Path) -> list[np.ndarray]:
    """PM2.5 of Ha Noi, hour by hour, mean of all stations."""
    path = folder / "sensors-openaq-hanoi" / "openaq_hanoi_measurements.csv.gz"
    rows = pd.read_csv(path, usecols=["datetime", "parameter", "value"])
    rows = rows[(rows["parameter"] == "pm25") & rows["value"].between(0, 1000, inclusive="neither")]
    return [rows.groupby("datetime")["value"].mean().to_numpy()]


def stood_out(what: str, series: list[np.ndarray], judge: Callable[[list[float]], float | None], rounds: int) -> Marked:
    """Shuffled series in blocks of thirteen: how often the first of a block stands out beside the others."""
    order, hits, tried = np.random.default_rng(SEED), 0, 0
    for values in series * rounds:
        mixed = order.permutation(values)
        for block in mixed[: len(mixed) // BLOCK * BLOCK].reshape(-1, BLOCK).tolist():
            tried += 1
            hits += abs(judge(block) or 0.0) > 3
    return Marked(what, hits, tried, tried * 2 * chance.TAIL)


# ---- /gaming --------------------------------------------------------------------------------------------------------
def boston(folder: Path) -> pd.DataFrame:
    """Closed requests of Boston 311 that had a target: department (as office), neighbourhood, closed and target in local time."""
    names = ["close_date", "target_close_date", "assigned_department", "neighborhood"]
    rows = pd.read_csv(folder / "feedback-boston-311" / "boston_311_requests.csv.gz", usecols=names).dropna()
    found = {"office": rows["assigned_department"], "quarter": rows["neighborhood"]}
    for name, column in (("closed", "close_date"), ("due", "target_close_date")):
        at = pd.to_datetime(rows[column], utc=True, format="mixed")
        found[name] = at.dt.tz_convert("America/New_York").dt.tz_localize(None)
    return pd.DataFrame(found)


def _last_hours(rows: pd.DataFrame, closed: pd.Series) -> dict[str, np.ndarray]:
    """Office -> how many were closed in the last hours, with 0, 1, 2, 3 working days left, as /gaming counts them."""
    due_day, closed_day = (at.dt.normalize().to_numpy().astype("datetime64[D]") for at in (rows["due"], closed))
    left = np.busday_count(closed_day, due_day)
    gap = ((rows["due"] - rows["due"].dt.normalize()) - (closed - closed.dt.normalize())).dt.total_seconds().to_numpy()
    near = (gap >= 0) & (gap < LAST_HOURS * 3600) & (due_day >= closed_day) & (left <= NEIGHBOURS)
    found = {}
    for office in rows["office"].unique():
        own = near & (rows["office"] == office).to_numpy()
        found[str(office)] = np.bincount(left[own], minlength=NEIGHBOURS + 1)[: NEIGHBOURS + 1]
    return found


def hurried(rows: pd.DataFrame, rounds: int) -> Marked:
    """Closings dealt anew among the cases of an office: how many offices are marked as ending just before due."""
    order, hits, tried, expected = np.random.default_rng(SEED), 0, 0, 0.0
    for _ in range(rounds):
        mixed = rows.groupby("office")["closed"].transform(lambda own: order.permutation(own.to_numpy()))
        counts = _last_hours(rows, mixed)
        every = sum(counts.values(), np.zeros(NEIGHBOURS + 1, dtype=int))
        for office, own in counts.items():
            one = tried_due(office, own, every - own)
            most = chance.most_by_chance(one.tail, one.bound)
            tried += 1
            hits += one.hits > most
            expected += one.tail(most + 1)
    return Marked("just before due, offices", hits, tried, expected)


def bursts(rows: pd.DataFrame, least: int, minutes: int, rounds: int) -> Marked:
    """Times of day dealt anew among all closings: office-days with a burst, beside the sum of their chances."""
    order, hits, tried, expected = np.random.default_rng(SEED), 0, 0, 0.0
    seconds = (rows["closed"] - rows["closed"].dt.normalize()).dt.total_seconds().to_numpy()
    counts = np.bincount((seconds // (minutes * 60)).astype(int)).astype(float)
    counts = counts[counts > 0]
    window = float((counts**2).sum() / counts.sum() ** 2)
    cells = [own for own in rows.groupby(["office", rows["closed"].dt.normalize()]).indices.values() if len(own) >= least]
    for _ in range(rounds):
        mixed = order.permutation(seconds)
        for own in cells:
            times = np.sort(mixed[own])
            tried += 1
            hits += bool((times[least - 1 :] - times[: len(times) - least + 1] < minutes * 60).any())
            expected += chance.burst_chance(len(own), least, window)
    return Marked(f"{least} closings in {minutes} min, office-days", hits, tried, expected)


def again(rows: pd.DataFrame, rounds: int, share: float = 0.05) -> Marked:
    """Marks of "registered again" dealt out at random: how many offices are marked, beside the exact size of the test."""
    order, hits, tried, expected = np.random.default_rng(SEED), 0, 0, 0.0
    offices = rows["quarter"].to_numpy()  # four departments are too few to mark one of them
    marked = max(1, int(share * len(offices)))
    sizes = {office: int((offices == office).sum()) for office in set(offices)}
    for _ in range(rounds):
        chosen = order.permutation(offices)[:marked]
        for office, n in sizes.items():
            tail = partial(chance.hypergeometric_tail, drawn=n, marked=marked, total=len(offices))
            most = chance.most_by_chance(tail, min(n, marked))
            tried += 1
            hits += int((chosen == office).sum()) > most
            expected += tail(most + 1)
    return Marked("registered again, offices", hits, tried, expected)


def measured(folder: Path, rounds: int) -> Iterator[Marked]:
    """All of it."""
    wards, hours, few = chicago_days(folder), hanoi_hours(folder), max(1, rounds // 8)
    yield stood_out("Chicago, requests of a ward on a Tuesday", wards, lambda b: chance.count_standing(b[0], b[1:]), rounds)
    logs = [np.log(one) for one in hours]
    yield stood_out("Hà Nội PM2.5 of an hour, logarithm", logs, lambda b: chance.value_standing(b[0], b[1:], LEAST_LOG), few)
    yield stood_out("the same without logarithm", hours, lambda b: chance.value_standing(b[0], b[1:], 1.0), few)
    rows = boston(folder)
    yield hurried(rows, 20 * rounds)
    for least, minutes in BULKS:
        yield bursts(rows, least, minutes, rounds)
    yield again(rows, 20 * rounds)


def run(databases: object, quick: bool) -> Iterator[Figure]:
    """What is marked on shuffled data, beside theory. No database is used."""
    folder = data_folder()
    if not folder.is_dir():
        yield Figure("unusual", "-", "real series", 0, "", note=f"not found in {folder}; set TOANCANH_REAL_DATA")
        return
    for one in measured(folder, 2 if quick else 40):
        spread = 100 * 2.576 * math.sqrt(max(one.expected, 1.0)) / one.tried
        yield Figure("unusual", "-", one.what, one.share, "%", note=f"of {one.tried}; theory {one.theory:.3f} % ± {spread:.3f}")
