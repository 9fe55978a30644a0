"""Roll-up reads at ten times the history against once: the same questions about the same window, asked in turn of two stores.

x1 = 64 days, so that the longest window asked (30 days and the 30 before) lies inside; x10 = 640 days. Both end at the same instant.
Asked are the figures of the overview, its lines and its groups.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial

from benchmarks import province
from benchmarks.databases import Databases, filled, opened
from benchmarks.results import Figure, interleaved, ratio
from metrics.city import City, open_city
from metrics.city.measured import stations
from metrics.city.numbers import kpis, series
from metrics.periods import parse_period
from metrics.rollups import clock_step, rebuild
from scope import scope_of
from store.engine import Store

GOAL = "<= 1.2"
DAYS = {"x1": 64, "x10": 640}
OVERVIEW = (
    "dossiers_overdue", "dossiers_open", "reports_overdue", "reports_open", "dossiers_on_time_pct", "reports_resolved",
    "dossiers_due_2wd", "reports_received", "dossiers_received", "vn_aqi", "dossiers_online_pct", "feeds_fresh_pct",
)
WEEK, MONTH = "2026-11-14..2026-11-20", "2026-10-22..2026-11-20"
QUESTIONS: tuple[tuple[str, Callable[[City], object]], ...] = (
    ("overview KPIs, 7 days", lambda city: kpis.read(city, OVERVIEW, parse_period(WEEK, city.today))),
    ("overview KPIs, 30 days", lambda city: kpis.read(city, OVERVIEW, parse_period(MONTH, city.today))),
    ("all catalogue KPIs, 7 days", lambda city: kpis.read(city, (), parse_period(WEEK, city.today))),
    ("all catalogue KPIs, 30 days", lambda city: kpis.read(city, (), parse_period(MONTH, city.today))),
    ("received by day, 30 days", lambda city: series.read(city, "dossiers_received", "day", parse_period(MONTH, city.today))),
    ("overdue by day, 30 days", lambda city: series.read(city, "dossiers_overdue", "day", parse_period(MONTH, city.today))),
    ("on time by agency, 30 days", lambda city: series.read(city, "dossiers_on_time_pct", "agency", parse_period(MONTH, city.today))),
    ("reports by area, 7 days", lambda city: series.read(city, "reports_received", "area", parse_period(WEEK, city.today))),
    ("stations now", lambda city: stations.read(city)),
)


def run(made: Databases, quick: bool) -> Iterator[Figure]:
    """The figures of one engine."""
    scale, minutes = (0.1, 480) if quick else (0.5, 120)
    urls = {name: filled(made, lambda store, days=days: _fill(store, days, scale, minutes)) for name, days in DAYS.items()}
    with opened(urls["x1"]) as once, opened(urls["x10"]) as ten:
        stores = {"x1": once, "x10": ten}
        for what, ask in QUESTIONS:
            for store in stores.values():
                _ms(ask, store)  # both warm
            found = interleaved({name: partial(_ms, ask, store) for name, store in stores.items()}, 5 if quick else 15)
            value, spread = ratio(found["x10"], found["x1"])
            medians = ", ".join(f"{name} {statistics.median(times):.1f} ms" for name, times in found.items())
            yield Figure("reads", made.engine, f"{what}: x10 / x1", value, "", GOAL, f"{medians}; {spread}")
        yield Figure("reads", made.engine, "dossiers in x10", float(_count(ten)), "rows")


def _fill(store: Store, days: int, scale: float, minutes: int) -> None:
    province.fill(store, days, scale=scale, minutes=minutes)
    clock_step(store, province.now_at())
    rebuild(store, province.now_at())


def _city(store: Store) -> City:
    return open_city(store, province.city(), scope_of("analyst"), province.NOW)


def _count(store: Store) -> int:
    city = _city(store)
    return sum(point.n for point in series.read(city, "dossiers_received", "month", parse_period("2025-01-01..2026-11-20", city.today)))


def _ms(ask: Callable[[City], object], store: Store) -> float:
    """Milliseconds of the best of three: the answer's own time, less of what else the machine does. A new City each: none remembers."""
    times = []
    for _ in range(3):
        city = _city(store)
        began = time.perf_counter()
        ask(city)
        times.append((time.perf_counter() - began) * 1000)
    return min(times)
