"""The brief of a province with 60 agencies and 12 weeks: PDF and workbook, beside reading their numbers.

Everything in CPU seconds of this process, which another's load does not stretch; reading waits for the database too, so its time is told
as well. A new City each time: nothing is remembered. Setting the type is what a paper costs; one process sets one at a time.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

from benchmarks import province
from benchmarks.databases import Databases, filled, opened
from benchmarks.results import Figure, interleaved, ratio
from briefs.brief import Brief, compose
from briefs.pdf import pdf_of
from briefs.workbook import workbook_of
from metrics.city import open_city
from metrics.city.weekly import read
from metrics.periods import Period, parse_period
from metrics.rollups import clock_step, rebuild
from scope import scope_of
from store.engine import Store

WEEK, WEEKS = "2026-W46", 13
MOST_S, MOST_TIMES = "<= 5", "<= 20"


def run(made: Databases, quick: bool) -> Iterator[Figure]:
    """The figures of one engine."""
    url = filled(made, lambda store: _fill(store, quick))
    with opened(url) as store:
        brief = _composed(store)
        pdf_of(brief, "vi")  # loads the typesetter and the fonts
        sides: dict[str, Callable[[], object]] = {
            "read": lambda: _read(store), "papers": lambda: (pdf_of(brief, "vi"), workbook_of(brief, "vi")),
            "pdf": lambda: pdf_of(brief, "vi"), "xlsx": lambda: workbook_of(brief, "vi"),
        }
        found = interleaved({name: lambda side=side: _cpu_s(side) for name, side in sides.items()}, 2 if quick else 5)
        medians = {name: statistics.median(times) for name, times in found.items()}
        began = time.perf_counter()
        _read(store)
        rows = sum(len(table.rows) for table in brief.tables)
        note = f"{rows} rows in {len(brief.tables)} tables; reading {time.perf_counter() - began:.2f} s by the clock"
        yield Figure("brief", made.engine, "reading the week", medians["read"], "CPU s", note=note)
        yield Figure("brief", made.engine, "PDF", medians["pdf"], "CPU s", note=f"{len(pdf_of(brief, 'vi')) // 1024} kB")
        yield Figure("brief", made.engine, "workbook", medians["xlsx"], "CPU s", note=f"{len(workbook_of(brief, 'vi')) // 1024} kB")
        whole = medians["read"] + medians["papers"]
        note = f"{max(found['papers']):.2f} s at most for both files"
        yield Figure("brief", made.engine, "reading, PDF and workbook", whole, "CPU s", MOST_S, note)
        value, spread = ratio(found["papers"], found["read"])
        yield Figure("brief", made.engine, "PDF and workbook / reading", value, "", MOST_TIMES, spread)


def _fill(store: Store, quick: bool) -> None:
    province.fill(store, 7 * WEEKS, scale=0.1 if quick else 1.0, minutes=480 if quick else 120)
    clock_step(store, province.now_at())
    rebuild(store, province.now_at())


def _week() -> Period:
    return parse_period(WEEK, province.NOW.date())


def _composed(store: Store) -> Brief:
    return compose(open_city(store, province.city(), scope_of("analyst"), province.NOW), _week())


def _read(store: Store) -> object:
    return read(open_city(store, province.city(), scope_of("analyst"), province.NOW), _week())


def _cpu_s(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
