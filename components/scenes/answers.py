"""Everything one frame asks of a City, each question once: scenes share tiles, feeds, stations and areas.

An answer about a topic is asked anew only when that topic's revision has moved or a minute has gone by: a dossier that lands does not
make the air be read again, and two languages ask once.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property, lru_cache
from typing import Any

from components.scenes.rows import OPERATIONS
from components.tiles import Tile
from metrics.city import City, areas, feeds
from metrics.city.areas import AreaShape
from metrics.city.feeds import FeedState
from metrics.city.findings import hotspots
from metrics.city.findings.hotspots import Cell
from metrics.city.measured import stations
from metrics.city.measured.stations import StationState
from metrics.city.numbers import kpis, series
from metrics.city.numbers.kpis import KpiValue
from metrics.city.numbers.series import Point
from metrics.kpis import kpi
from metrics.periods import Period, parse_period

NO_SERIES = ("stations_reporting_pct", "feeds_fresh_pct")
AQI_SPARK_DAYS = 14
MINUTE = 60 * 1_000_000
KEPT = 256  # answers: a few frames' worth
CLOCK_CADENCE_S = 60  # the store's clock steps at least each 30 s; older = the ingest side stands still


class Answers:
    """Lazy answers for one frame."""

    def __init__(self, city: City) -> None:
        self.city = city
        self._values: dict[tuple[str, str], KpiValue] = {}
        self._lines: dict[tuple[str, int], tuple[Point, ...]] = {}

    def load(self, tiles: list[Tile]) -> None:
        """Read the values of these tiles, one question per period."""
        wanted: dict[tuple[str, str], set[str]] = {}
        for tile in tiles:
            wanted.setdefault((tile.period, kpi(tile.key).topic), set()).add(tile.key)
            if tile.beside:
                wanted.setdefault(("today", kpi(tile.beside).topic), set()).add(tile.beside)
        for (period, topic), keys in wanted.items():
            for value in _values(_Moment(self.city, topic), tuple(sorted(keys)), parse_period(period, self.city.today)):
                self._values[value.key, period] = value

    def value(self, key: str, period: str) -> KpiValue:
        """A value that `load` has read."""
        return self._values[key, period]

    def line(self, tile: Tile) -> tuple[Point, ...]:
        """The tile's KPI by day over its last days, without the running day for flows: half a day looks like a fall."""
        days = AQI_SPARK_DAYS if tile.key == "vn_aqi" else tile.spark_days
        if (tile.key, days) not in self._lines:
            self._lines[tile.key, days] = self._line(tile.key, days)
        return self._lines[tile.key, days]

    def _line(self, key: str, days: int) -> tuple[Point, ...]:
        if key in NO_SERIES:
            return ()
        today = self.city.today
        last = today if key.endswith(("_open", "_overdue")) else today - timedelta(days=1)
        span = parse_period(f"{last - timedelta(days=days - 1)}..{last}", today)
        # finished days of air hardly change, and reading them costs half a frame: kept for ten minutes, whatever arrives
        moment = _Moment(self.city, "", 10 * MINUTE) if key == "vn_aqi" else _Moment(self.city, kpi(key).topic)
        points = _days(moment, key, span)
        first = next((n for n, point in enumerate(points) if point.value), len(points))
        # days before anything was known are no zeros; they are left out
        return points[first:] if kpi(key).topic != OPERATIONS else points

    def groups(self, key: str, by: str) -> tuple[Point, ...]:
        """A KPI of today by agency, area or category."""
        return _groups(_Moment(self.city, kpi(key).topic), key, by)

    @cached_property
    def feeds(self) -> tuple[FeedState, ...]:
        """States of all feeds."""
        return feeds.read(self.city)

    @cached_property
    def stations(self) -> tuple[StationState, ...]:
        """All stations with their newest values and indices."""
        return _stations(_Moment(self.city, "readings"))

    @cached_property
    def areas(self) -> tuple[AreaShape, ...]:
        """Today's communes; where there are none, the smallest areas known."""
        return areas.polygons(self.city, level="commune") or areas.polygons(self.city)

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Open reports on the wall's grid."""
        return _cells(_Moment(self.city, "reports"))

    def age_of(self, topic: str) -> dict[str, Any]:
        """What the client needs to age a panel: instant and cadence of the feed of this topic that is furthest behind."""
        if topic == OPERATIONS:
            return {"at": self.city.as_of, "cadence_s": None if self.is_frozen else CLOCK_CADENCE_S}
        sources = feeds.of_topic(self.feeds, topic)
        if not sources:
            return {"at": None, "cadence_s": None}
        found = age(max(sources, key=lambda feed: _lag(feed, self.city.as_of)))
        return {**found, "cadence_s": None} if self.is_frozen else found  # an archive is never fresh

    @property
    def is_frozen(self) -> bool:
        """Is this an archive, judged at the instant it was taken?"""
        return bool(self.city.config.as_of) and not self.city.config.shift_to_now


class _Moment:
    """A city that equals itself while a topic's revision and the minute (or a longer span) stay the same."""

    def __init__(self, city: City, topic: str, span: int = MINUTE) -> None:
        self.city = city
        revision = city.revisions[topic] if topic else 0
        self._key = (id(city.store), id(city.config), city.scope, city.today, topic, revision, city.as_of // span)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Moment) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@lru_cache(maxsize=KEPT)
def _values(moment: _Moment, keys: tuple[str, ...], period: Period) -> tuple[KpiValue, ...]:
    return kpis.read(moment.city, keys, period)


@lru_cache(maxsize=KEPT)
def _days(moment: _Moment, key: str, span: Period) -> tuple[Point, ...]:
    return series.read(moment.city, key, "day", span)


@lru_cache(maxsize=KEPT)
def _groups(moment: _Moment, key: str, by: str) -> tuple[Point, ...]:
    return series.read(moment.city, key, by, parse_period("today", moment.city.today))


@lru_cache(maxsize=4)
def _stations(moment: _Moment) -> tuple[StationState, ...]:
    return stations.read(moment.city)


@lru_cache(maxsize=4)
def _cells(moment: _Moment) -> tuple[Cell, ...]:
    return hotspots.read(moment.city, moment.city.config.wall.grid_m)


def age(feed: FeedState) -> dict[str, Any]:
    """A feed's age entry."""
    return {"at": feed.through_at, "cadence_s": feed.cadence_s}


def _lag(feed: FeedState, now: int) -> float:
    """How far behind its cadence; a feed that never spoke is furthest, one without cadence never is."""
    if feed.through_at is None:
        return float("inf")
    return (now - feed.through_at) / 1e6 / feed.cadence_s if feed.cadence_s else -1.0
