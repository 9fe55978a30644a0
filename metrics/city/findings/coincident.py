"""What else was unlike other weeks at the same place and time: every other feed beside its own same hours of the weeks before.

At the same time is all that is said; nothing here knows a cause. Ranked by how unusual (metrics/chance.py), with what people wrote, days
off and silent feeds beside it. docs/numbers.md measures how often chance alone makes something stand out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, text

from metrics import chance
from metrics.city import City
from metrics.city.annotations import Annotation
from metrics.city.annotations import read as read_annotations
from metrics.city.findings import coincident_rows
from metrics.city.findings.coincident_known import Silence, holidays, silences
from metrics.city.findings.coincident_rows import Heard
from metrics.city.findings.moments import Moment, Span, moment, spans
from metrics.city.lists.named import read_names
from metrics.city.masking import unvetted
from metrics.city.numbers import small_counts
from metrics.city.numbers.sums import NOTHING_CHOSEN, Choice
from metrics.comparison import working_days
from metrics.kpis import KPI_BY_KEY
from metrics.periods import Period, parse_period
from store.bounded import bounded
from store.days import date_of

PATIENCE_S = 3.0
BY_CHANCE = 0.0055  # share of comparisons that stand out on shuffled real series; theory, all normal, is half of it (docs/numbers.md)
LIMIT = 3.0  # of the standing: beyond it chance rarely goes (0.27 %, both sides together)
# of these the logarithm is compared: they stretch far upwards only, and without it the usual peaks would stand out ten times as often
LOGGED = frozenset({"pm1", "pm25", "pm10", "tsp", "no", "no2", "nox", "so2", "co", "o3", "turbidity", "conductivity"})
LEAST_LOG = 0.05
# what of a change of an hourly or daily mean is too small to matter, as a sigma; of any other property 2 % of what is usual
LEAST_SIGMA: Mapping[str, float] = {
    "rain": 0.25, "temp": 0.3, "water_temp": 0.3, "rh": 1.0, "wind": 0.3, "level": 0.02, "flood_depth": 0.02, "ph": 0.05,
    "frame_age": 60.0, "online": 0.05,
}


@dataclass(frozen=True)
class Coincident:
    """One thing at the place and time beside its own earlier weeks.

    kind: flow | category | property | readings; key = which of them; name = as it is called where that is data. value beside usual (middle
    of the earlier ones) and low..high; n = cases or readings behind value; earlier = weeks it is set beside; standing = how unusual, 3 =
    as rare as 3 sigma, None = too few weeks. distance_km: of stations outside the place. is_own: of the topic that was asked about.
    """

    topic: str
    kind: str
    key: str
    name: str
    value: float
    usual: float | None
    low: float | None
    high: float | None
    n: int
    earlier: int
    standing: float | None
    measure_unit: str
    distance_km: float | None
    is_own: bool

    @property
    def is_unusual(self) -> bool:
        """Beyond what chance rarely makes."""
        return self.standing is not None and abs(self.standing) > LIMIT


@dataclass(frozen=True)
class Explained:
    """What stood out at a place and time, most unusual first; `others` = what did not, or has too few weeks before it.

    asked None: nothing of it is over yet. compared = how many were judged, by_chance = as many of them chance alone would make stand
    out. withheld: small counts this reader is not told. off = names of days off by day.
    """

    key: str
    asked: Moment | None
    area_code: str
    area: str
    found: tuple[Coincident, ...] = ()
    others: tuple[Coincident, ...] = ()
    compared: int = 0
    by_chance: float = 0.0
    withheld: int = 0
    off: tuple[tuple[str, str], ...] = ()
    said: tuple[Annotation, ...] = ()
    silent: tuple[Silence, ...] = ()


def read(city: City, key: str, period: Period, hours: str = "", choice: Choice = NOTHING_CHOSEN) -> Explained:
    """What stood out beside a KPI ('' = none) over a period of at most LONGEST_DAYS, or hours ("14", "14..17") of a day.

    Readings are those of the area, or of the agency's own area. Requires see.desk; ValueError for an unknown key, period or hours,
    TookTooLong after PATIENCE_S.
    """
    city.scope.require("see.desk")
    if key and key not in KPI_BY_KEY:
        raise ValueError(f"key: {key!r} is no KPI")
    asked = moment(city, period, hours)
    if asked is None:
        return Explained(key, None, choice.area, "")
    question = ("coincident", city.revision, city.today_on, key, asked, choice)
    found: Explained = city.once(*question, make=lambda: _read(city, key, asked, choice))
    return found


def _read(city: City, key: str, asked: Moment, choice: Choice) -> Explained:
    compared = spans(city, asked)
    with bounded(city.store, PATIENCE_S) as connection:
        area = choice.area or _area_of(connection, choice.agency)
        heard = _heard(connection, city, asked, compared, choice, area)
        told, withheld = (heard, 0) if small_counts.sees_all(city.scope) else without_small(heard)
        judged = _named(connection, city, [_judged(one, key) for one in told if one.values[0] is not None])
        place = read_names(connection, city, [{"area_code": area}] if area else []).area(area) if area else ""
        silent = silences(connection, city, compared[0]) if city.scope.permits("see.feeds") else ()
    ranked = sorted(judged, key=lambda one: (-abs(one.standing or 0.0), one.topic, one.kind, one.key))
    n = sum(one.standing is not None for one in ranked)
    return Explained(
        key, asked, area, place, tuple(one for one in ranked if one.is_unusual), tuple(one for one in ranked if not one.is_unusual),
        n, n * BY_CHANCE, withheld, holidays(city, asked), read_annotations(city, None, asked.period, choice), silent,
    )


def _heard(
    connection: Connection, city: City, asked: Moment, compared: Sequence[Span], choice: Choice, area: str,
) -> list[Heard]:
    found = coincident_rows.reports(connection, city, compared, choice, asked)
    if not asked.has_hours:
        alike = [_worked(city, span) == _worked(city, compared[0]) for span in compared]
        told = coincident_rows.dossiers(connection, city, compared, choice)
        found += [replace(one, values=_where(one.values, alike)) for one in told]  # offices do nothing on days off
    if city.scope.permits("see.stations"):
        found += coincident_rows.readings(connection, city, compared, area, asked)
    return found


def _worked(city: City, span: Span) -> float:
    return working_days(city.calendar, parse_period(f"{date_of(span.start_on)}..{date_of(span.end_on)}", city.today))


def _where(values: Sequence[float | None], alike: Sequence[bool]) -> tuple[float | None, ...]:
    return tuple(value if is_alike else None for value, is_alike in zip(values, alike, strict=True))


def _judged(one: Heard, key: str) -> Coincident:
    value = one.values[0]
    assert value is not None
    earlier = [known for known in one.values[1:] if known is not None]
    usual = sorted(earlier)[len(earlier) // 2] if earlier else None
    if one.is_count:
        standing = chance.count_standing(int(value), [int(known) for known in earlier])
    elif one.key in LOGGED and min((value, *earlier)) > 0:
        standing = chance.value_standing(math.log(value), [math.log(known) for known in earlier], LEAST_LOG)
    else:
        least = LEAST_SIGMA.get(one.key, 0.02 * abs(usual or value))
        standing = chance.value_standing(value, earlier, least)
    is_own = bool(key) and KPI_BY_KEY[key].topic == one.topic
    return Coincident(
        one.topic, one.kind, one.key, "", value, usual, min(earlier, default=None), max(earlier, default=None), one.n, len(earlier),
        standing, one.measure_unit, one.distance_km, is_own,
    )


def without_small(heard: Sequence[Heard]) -> tuple[list[Heard], int]:
    """What may be told to readers without small counts, and how many things are not: whatever rests on 1 to 4 rows in any of the weeks,
    and what would tell of it."""
    hidden = {name for topic in ("dossiers", "reports") for name in _small([one for one in heard if one.topic == topic])}
    kept = [one for one in heard if (one.topic, one.kind, one.key) not in hidden]
    return kept, len(heard) - len(kept)


def _small(cells: Sequence[Heard]) -> set[tuple[str, str, str]]:
    """The flows and categories of a topic that are not told."""
    hidden = set()
    for week in range(max((len(one.values) for one in cells), default=0)):
        counts = {one: int(one.values[week] or 0) for one in cells}
        parts = {one.key: n for one, n in counts.items() if one.kind == "category"}
        found = small_counts.withhold(parts)
        hidden |= {(one.topic, one.kind, one.key) for one in cells if one.kind == "category" and one.key in found.small | found.beside}
        hidden |= {(one.topic, one.kind, one.key) for one, n in counts.items() if one.kind == "flow" and 0 < n < small_counts.LEAST}
        if found.tells_all:
            hidden |= {(one.topic, one.kind, one.key) for one in cells if (one.kind, one.key) == ("flow", "received")}
    return hidden


def _named(connection: Connection, city: City, found: Sequence[Coincident]) -> list[Coincident]:
    """Categories by their names, those nobody has vetted by what stands in for them."""
    names = read_names(connection, city, [{"category_code": one.key} for one in found if one.kind == "category"])
    strange = unvetted(connection, city, "category")
    return [
        replace(one, key=strange.get(one.key, one.key), name=names.category(one.key)) if one.kind == "category" else one for one in found
    ]


def _area_of(connection: Connection, agency: str) -> str:
    """Where an agency's own area is, unless that is the whole province."""
    ask = (
        "SELECT a.area_code FROM core_agency a JOIN core_area p ON p.code = a.area_code "
        "WHERE a.code = :agency AND p.parent_code <> '' LIMIT 1"
    )
    return str(connection.execute(text(ask), {"agency": agency}).scalar() or "") if agency else ""
