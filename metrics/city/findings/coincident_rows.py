"""What every feed said at a place in a stretch of time and in the same one of the weeks before: counts and means, not yet judged.

Days are read from roll-ups, hours from the day's own reports and the hour roll-up of readings; each question is as large as its stretches.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, text

from metrics.city import City
from metrics.city.findings.moments import Moment, Span, hours_of
from metrics.city.numbers.sums import NOTHING_CHOSEN, TABLES, Choice, conditions

DOSSIER_FLOWS = ("received", "finished", "due_passed", "stopped", "withdrawn", "refused")
NEARBY_KM = 30.0
NEAREST = 3  # stations taken for a place that has none of a property
_KM_PER_DEGREE = 111.32


@dataclass(frozen=True)
class Heard:
    """One thing in all stretches, the asked one first; None = nothing is known of that stretch. is_count: a count, else a mean.

    kind: flow | category | property | readings. n = cases or readings behind the first value.
    """

    topic: str
    kind: str
    key: str
    values: tuple[float | None, ...]
    n: int
    is_count: bool
    measure_unit: str = ""
    distance_km: float | None = None


def dossiers(connection: Connection, city: City, spans: Sequence[Span], choice: Choice) -> list[Heard]:
    """Flows of dossiers, whole days only."""
    where, values = conditions(city.scope, "dossiers", choice)
    began = _began(connection, city, "dossiers")
    found: dict[str, list[float | None]] = {name: [] for name in DOSSIER_FLOWS}
    for span in spans:
        row = None
        if began is not None and span.start_on > began:
            sums = ", ".join(f"coalesce(sum({name}), 0)" for name in DOSSIER_FLOWS)
            ask = f"SELECT {sums} FROM rollup_dossier_day WHERE day BETWEEN :start AND :end{where}"
            row = connection.execute(text(ask), {"start": span.start_on, "end": span.end_on, **values}).one()
        for at, name in enumerate(DOSSIER_FLOWS):
            found[name].append(None if row is None else int(row[at]))
    return [_counted("dossiers", "flow", name, counts) for name, counts in found.items()]


def reports(connection: Connection, city: City, spans: Sequence[Span], choice: Choice, asked: Moment) -> list[Heard]:
    """Reports received, in all and by category; those closed, for whole days."""
    began = _began(connection, city, "reports")
    read = _reports_of_hours if asked.has_hours else _reports_of_days
    told = [read(connection, city, span, choice) if began is not None and span.start_on > began else None for span in spans]
    names = sorted({key for one in told if one for key in one})
    found = [[None if one is None else one.get(key, 0) for one in told] for key in names]
    return [_counted("reports", *key, counts) for key, counts in zip(names, found, strict=True)]


def _began(connection: Connection, city: City, topic: str) -> int | None:
    """The first day of which this reader knows anything: no zeros before it."""
    where, values = conditions(city.scope, topic, NOTHING_CHOSEN)
    ask = f"SELECT day FROM {TABLES[topic]} WHERE 1 = 1{where} ORDER BY day LIMIT 1"
    found: int | None = connection.execute(text(ask), values).scalar()
    return found


def _reports_of_days(connection: Connection, city: City, span: Span, choice: Choice) -> dict[tuple[str, str], int]:
    where, values = conditions(city.scope, "reports", choice)
    rows = connection.execute(
        text(
            "SELECT category_code, sum(received), sum(closed) FROM rollup_report_day "
            f"WHERE day BETWEEN :start AND :end{where} GROUP BY category_code"
        ),
        {"start": span.start_on, "end": span.end_on, **values},
    ).all()
    found = {("category", code): int(received) for code, received, _ in rows}
    return found | {("flow", "received"): sum(found.values()), ("flow", "closed"): sum(int(row[2]) for row in rows)}


def _reports_of_hours(connection: Connection, city: City, span: Span, choice: Choice) -> dict[tuple[str, str], int]:
    where, values = conditions(city.scope, "reports", choice)
    rows = connection.execute(
        text(
            "SELECT category_code, count(*) FROM core_report WHERE received_on BETWEEN :start AND :end "
            f"AND received_at >= :start_at AND received_at < :end_at{where} GROUP BY category_code"
        ),
        {"start": span.start_on, "end": span.end_on, "start_at": span.start_at, "end_at": span.end_at, **values},
    ).all()
    found = {("category", code): int(n) for code, n in rows}
    return found | {("flow", "received"): sum(found.values())}


def _counted(topic: str, kind: str, key: str, counts: Iterable[float | None]) -> Heard:
    values = tuple(counts)
    return Heard(topic, kind, key, values, int(values[0] or 0), is_count=True)


# ---- readings -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Stream:
    """One datastream of a place; km from it, None = inside."""

    id: int
    property: str
    measure_unit: str
    km: float | None


def readings(connection: Connection, city: City, spans: Sequence[Span], area: str, asked: Moment) -> list[Heard]:
    """Mean of every property at the place (or of its nearest stations), and how many readings came."""
    streams = {stream.id: stream for stream in streams_of(connection, city, area)}
    if not streams:
        return []
    grain = ("rollup_reading_hour", "hour") if asked.has_hours else ("rollup_reading_day", "day")
    sums = _reading_sums(connection, grain, list(streams), spans)
    found = []
    for name in sorted({stream.property for stream in streams.values()}):
        own = [stream for stream in streams.values() if stream.property == name]
        told = [_together(one, own) for one in sums]
        means = tuple(total / n if n else None for n, total in told)
        far = max((stream.km for stream in own if stream.km is not None), default=None)
        found.append(Heard("readings", "property", name, means, told[0][0], False, own[0].measure_unit, far))
    came = tuple(sum(n for n, _ in one.values()) or None for one in sums)
    first = came[0] or 0
    return [*found, Heard("readings", "readings", "", (first, *came[1:]), first, is_count=True)]


def _together(sums: dict[int, tuple[int, float]], streams: Sequence[Stream]) -> tuple[int, float]:
    own = [sums[stream.id] for stream in streams if stream.id in sums]
    return sum(n for n, _ in own), sum(total for _, total in own)


def _reading_sums(
    connection: Connection, grain: tuple[str, str], streams: Sequence[int], spans: Sequence[Span],
) -> list[dict[int, tuple[int, float]]]:
    """For every span: datastream -> number and sum of its sound readings."""
    table, bucket = grain
    ask = text(
        f"SELECT datastream_id, sum(n), sum(CASE WHEN n > 0 THEN total ELSE 0 END) FROM {table} "
        f"WHERE {bucket} BETWEEN :first AND :last AND datastream_id IN :streams GROUP BY datastream_id"
    ).bindparams(bindparam("streams", expanding=True))
    found = []
    for span in spans:
        within = hours_of(span) if bucket == "hour" else range(span.start_on, span.end_on + 1)
        rows: Any = connection.execute(ask, {"first": within[0], "last": within[-1], "streams": streams})
        found.append({row[0]: (int(row[1] or 0), float(row[2] or 0)) for row in rows})
    return found


def streams_of(connection: Connection, city: City, area: str) -> list[Stream]:
    """The datastreams of an area ('' = of all this reader sees); of a property measured nowhere in it, the nearest stations'."""
    rows = connection.execute(
        text(
            "SELECT d.id, d.property, d.measure_unit, d.area_code, s.lon, s.lat FROM core_datastream d "
            "LEFT JOIN core_station s ON s.feed = d.feed AND s.source_id = d.station_id ORDER BY d.id"
        )
    ).all()
    seen = [row for row in rows if city.scope.covers_area(row[3])]
    own = [Stream(row[0], row[1], row[2], None) for row in seen if area in ("", row[3])]
    if not area:
        return own
    here = _centre(connection, area)
    measured = {stream.property for stream in own}
    if here is None:
        return own
    placed = [(kilometres(here, (row[4], row[5])), row) for row in seen if row[4] is not None and row[5] is not None]
    for name in sorted({row[1] for row in seen} - measured):
        near = sorted((km, row[0], row[2]) for km, row in placed if row[1] == name and km <= NEARBY_KM)
        own += [Stream(number, name, measure_unit, round(km, 1)) for km, number, measure_unit in near[:NEAREST]]
    return own


def _centre(connection: Connection, area: str) -> tuple[float, float] | None:
    ask = "SELECT lon, lat FROM core_area WHERE code = :area AND lon IS NOT NULL ORDER BY valid_from_on DESC LIMIT 1"
    row = connection.execute(text(ask), {"area": area}).first()
    return (float(row[0]), float(row[1])) if row else None


def kilometres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Distance of two points (lon, lat), good to a percent over some tens of kilometres."""
    east = (other[0] - one[0]) * math.cos(math.radians((one[1] + other[1]) / 2))
    return math.hypot(east, other[1] - one[1]) * _KM_PER_DEGREE
