"""Eight analysts drilling down while ingest runs: milliseconds of an answer by class of question, and what ten times the history costs.

The running program over HTTP, 2M dossiers of a year, 100k reports, 1k datastreams x 1 year of roll-ups. Every analyst asks, looks at the
answer for a second, asks the next; filters vary, so few answers are shared. x10 / x1 asks the same window of 365 and of 36 days of history
with as many rows a day, one question at a time, in turn.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import httpx

from benchmarks import province
from benchmarks.catalogue import pushing
from benchmarks.databases import Databases, filled
from benchmarks.fill import Size, fill
from benchmarks.results import Figure, interleaved, percentile, ratio
from benchmarks.wallserver import Portal, running_over
from data_sources.demo.catalogue import catalogue
from metrics.city import explore, open_city
from metrics.city.explore import Question
from metrics.city.lists.filters import parse
from metrics.periods import parse_period
from scope import scope_of
from store.engine import Store, open_store

ANALYSTS, THINK_S, QUICK_S = 8, 1.0, 0.5
WHOLE, TENTH = Size(2_000_000, 100_000, 1000, 365), Size(200_000, 10_000, 1000, 36)
QUICK = {"x10": Size(60_000, 6000, 100, 240), "x1": Size(6000, 600, 100, 24)}


@dataclass(frozen=True)
class Asked:
    """A question of a class; {agency}, {domain}, {month}, {area} stand for any."""

    name: str
    goal: str
    url: str


ROLLUP, INDEX, READ, ROWS, MAP = "roll-up", "index", "read", "page of rows", "map"
QUESTIONS: tuple[Asked, ...] = (
    Asked(ROLLUP, "<= 300", "/api/v1/explore?measures=dossiers_received,dossiers_on_time_pct&by=agency&period={month}&compare=previous"),
    Asked(ROLLUP, "<= 300", "/api/v1/explore?measures=dossiers_on_time_pct&by=agency,month&period=2025-12-01..2026-11-20&domain={domain}"),
    Asked(ROLLUP, "<= 300", "/api/v1/explore?measures=dossiers_open,dossiers_overdue&by=domain&period=this_month&agency={agency}"),
    Asked(ROLLUP, "<= 300", "/api/v1/explore?measures=dossiers_received&by=day&period=2026-AQ4&agency={agency}"),
    Asked(ROLLUP, "<= 300", "/api/v1/explore?measures=reports_received&by=area,category&period={month}"),
    Asked(ROLLUP, "<= 300", "/api/v1/explore?measures=readings_mean&by=area,week&property=pm25&period={month}"),
    Asked(INDEX, "<= 300", "/api/v1/explore?measures=dossiers_received&by=procedure&period={week}"),
    Asked(INDEX, "<= 300", "/api/v1/explore?measures=dossiers_on_time_pct&by=procedure,month&period=2026-Q3&agency={agency}"),
    Asked(INDEX, "<= 300", "/api/v1/explore?measures=dossiers_received&by=hour,weekday&period={week}"),
    Asked(INDEX, "<= 300", "/api/v1/explore?measures=dossiers_open,dossiers_overdue&by=procedure&period=this_month&domain={domain}"),
    Asked(INDEX, "<= 300", "/api/v1/explore?measures=reports_received&by=hour,weekday&period={month}&area={area}"),
    Asked(READ, "<= 3000", "/api/v1/explore?measures=dossiers_received&by=agency&period={month}&timeliness=late&read=yes"),
    Asked(READ, "<= 3000", "/api/v1/explore?measures=dossiers_received&by=procedure&period=2026-Q3&read=yes"),
    Asked(ROWS, "<= 300", "/api/v1/dossiers?state=overdue&agency={agency}&limit=50"),
    Asked(ROWS, "<= 300", "/api/v1/reports?state=open&area={area}&limit=50"),
    Asked(MAP, "<= 300", "/api/v1/places?layer=reports&bbox=106,20,109,22&zoom=11&period={month}"),
)


def run(made: Databases, quick: bool) -> Iterator[Figure]:
    """The figures of one engine."""
    sizes = QUICK if quick else {"x10": WHOLE, "x1": TENTH}
    urls = {name: filled(made, partial(fill, size=size)) for name, size in sizes.items()}
    yield from history(urls, made.engine, 3 if quick else 9)
    made.drop(urls["x1"])
    with running_over(urls["x10"]) as running:
        yield from asked_of(running.url, made.engine, 5.0 if quick else 60.0)
    made.drop(urls["x10"])


def asked_of(url: str, engine: str, seconds: float) -> Iterator[Figure]:
    """The figures of a running program, by class of question."""
    portal = Portal(url)
    _settle(portal)
    asyncio.run(_analysts(url, 1, 5.0))  # what is remembered from the first minute on
    with pushing(portal, True):
        found = asyncio.run(_analysts(url, ANALYSTS, seconds))
    for name in dict.fromkeys(row.name for row in QUESTIONS):
        times = [ms for row, ms in found if row.name == name]
        if times:
            goal = next(row.goal for row in QUESTIONS if row.name == name)
            note = f"p50 {percentile(times, 0.5):.0f} ms, slowest {max(times):.0f} ms, {len(times)} answers"
            yield Figure("drill", engine, f"{name}, {ANALYSTS} analysts while ingest runs: p95", percentile(times, 0.95), "ms", goal, note)


def _settle(portal: Portal, most_s: float = 300.0) -> None:
    """Push until it is quick: the history ends days before now, and the first clock step folds all that fell due since."""
    until, quick = time.perf_counter() + most_s, 0
    while quick < 3 and time.perf_counter() < until:
        began = time.perf_counter()
        try:
            portal.push()
        except httpx.TimeoutException:
            continue
        quick = quick + 1 if time.perf_counter() - began < QUICK_S else 0
        time.sleep(1.0)


async def _analysts(url: str, count: int, seconds: float) -> list[tuple[Asked, float]]:
    """What each of them asked in that time, and how long the answer took in milliseconds. An answer that is none is an error."""
    found: list[tuple[Asked, float]] = []

    async def one(number: int) -> None:
        draw = random.Random(province.SEED + number)
        async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
            until = time.perf_counter() + seconds
            while time.perf_counter() < until:
                row = draw.choice(QUESTIONS)
                began = time.perf_counter()
                address = _filled_in(row.url, draw)
                answer = await client.get(address)
                while answer.status_code == 503:  # the audit trail waits for its turn to write: what is shown must be told first
                    await asyncio.sleep(0.2)
                    answer = await client.get(address)
                if "took_too_long" not in answer.text:  # that, too, is an answer, if late
                    assert answer.is_success, f"{answer.url}: {answer.status_code} {answer.text[:300]}"
                found.append((row, 1000 * (time.perf_counter() - began)))
                await asyncio.sleep(THINK_S * draw.uniform(0.5, 1.5))

    await asyncio.gather(*(one(number) for number in range(count)))
    return found


def _filled_in(url: str, draw: random.Random) -> str:
    lists = catalogue()
    places = [agency for agency in lists.agencies if agency.area]
    return url.format(
        agency=draw.choice(lists.agencies).code, domain=draw.choice(lists.procedures).domain_code, area=draw.choice(places).area,
        month=f"2026-{draw.randint(9, 10):02}", week=f"2026-W{draw.randint(40, 46)}",
    )


# ---- ten times the history ------------------------------------------------------------------------------------------------
WINDOW = "2026-11-01..2026-11-20"
COVERED: tuple[tuple[tuple[str, ...], tuple[str, ...], Sequence[tuple[str, str]]], ...] = (
    (("dossiers_received", "dossiers_on_time_pct"), ("agency",), ()),
    (("dossiers_open", "dossiers_overdue"), ("agency", "week"), ()),
    (("dossiers_received",), ("procedure",), ()),
    (("dossiers_on_time_pct",), ("procedure", "channel"), (("agency", "H99.20"),)),
    (("dossiers_received",), ("hour", "weekday"), ()),
    (("reports_received",), ("area", "category"), ()),
    (("readings_mean",), ("area",), (("property", "pm25"),)),
)


def history(urls: dict[str, str], engine: str, rounds: int) -> Iterator[Figure]:
    """x10 / x1 of covered questions about the same window."""
    stores = {name: open_store(url, province.TZ) for name, url in urls.items()}
    try:
        for measures, by, given in COVERED:
            for store in stores.values():
                _ms(store, measures, by, given)
            found = interleaved({name: partial(_ms, store, measures, by, given) for name, store in stores.items()}, rounds)
            value, spread = ratio(found["x10"], found["x1"])
            note = f"{', '.join(f'{name} {statistics.median(times):.1f} ms' for name, times in found.items())}; {spread}"
            what = f"{', '.join(measures)} by {', '.join(by)}, 20 days: x10 / x1"
            yield Figure("drill", engine, what, value, "", "<= 1.2", note)
    finally:
        for store in stores.values():
            store.dispose()


def _ms(store: Store, measures: tuple[str, ...], by: tuple[str, ...], given: Sequence[tuple[str, str]]) -> float:
    """Milliseconds of the best of three answers, none of them remembered."""
    times = []
    for _ in range(3):
        city = open_city(store, province.city(), scope_of("analyst"), province.NOW)
        topic = "stations" if measures[0].startswith("readings") else measures[0].partition("_")[0]
        question = Question(measures, by, parse_period(WINDOW, city.today), parse(topic, dict(given)))
        began = time.perf_counter()
        explore.read(city, question)
        times.append(1000 * (time.perf_counter() - began))
    return min(times)
