"""Readings as a sheet of sums: from days of datastreams, or from their hours where the hour is asked for. Raw readings are never read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import text

from metrics.city import City
from metrics.city.explore.cells import Asking
from metrics.city.explore.measures import READING_COLUMNS
from metrics.city.explore.parts import group_of, part_sql, weekday_sql
from metrics.city.explore.question import INDEX, READ, ROLLUP, Question
from metrics.city.explore.table import Groups, Sheet, Values, merge
from metrics.city.lists.filters import Filter, Narrow, narrowed
from metrics.city.measured.stations import in_scope
from metrics.city.numbers.zone_hours import day_of, hour_of
from store.days import HOUR

MIXED = ("readings_mean", "readings_low", "readings_high")  # measures that mean nothing over several properties
FEW = 60  # datastreams that are sought one by one
MOST_DAYS, MOST_HOURS = 200_000, 50_000  # sums of days, of hours that a covered answer reads


def narrow_readings(city: City, question: Question) -> Narrow:
    """Conditions on stations (s.) and datastreams (d.): the reader's areas, and the filter. ValueError for what readings have not."""
    rights, values = in_scope(city, "", "d.")
    chosen = question.filter or Filter("stations")
    if chosen.q or any(chosen.term(key) for key in ("state", "aqi")):
        raise ValueError("state: stations are chosen by area, property, kind, feed or id here; state, aqi and words belong to the list")
    property_ = Filter("stations", tuple(term for term in chosen.terms if term.field == "property"))
    stations = narrowed(city, "stations", chosen.without("period", "period_on", "property"), "s.")
    measured = narrowed(city, "stations", property_, "d.")
    return Narrow(rights + stations.sql + measured.sql, {**values, **stations.values, **measured.values}, stations.columns)


def check_readings(question: Question) -> None:
    """ValueError where values of several properties would be mixed."""
    one = question.filter.only("property") if question.filter else ""
    if not one and "property" not in question.by and any(key in MIXED for key in question.measures):
        raise ValueError("property: values of different properties do not mix; choose one, or break down by property")


def read_sums(asking: Asking) -> tuple[Sheet, str, int]:
    """The sheet, what answered, and how many sums were to be read; an empty sheet where it is too many and the question says not to."""
    has_hours, parts = any(row.key == "hour" for row in asking.dimensions), asking.parts
    ids = _datastreams(asking)
    days = max(0, parts.end_on - parts.start_on + 1)
    size = len(ids) * days * (24 if has_hours else 1)
    is_covered = size <= (MOST_HOURS if has_hours else MOST_DAYS)
    coverage = (INDEX if has_hours else ROLLUP) if is_covered else READ
    cells: dict[Groups, Values] = {}
    if ids and days and (is_covered or asking.question.may_read):
        for groups, values in _cells(asking, ids, has_hours):
            merge(cells, groups, values, READING_COLUMNS)
    return Sheet(READING_COLUMNS, (), cells, {}), coverage, size


def _datastreams(asking: Asking) -> list[int]:
    rows = asking.connection.execute(
        text(
            "SELECT d.id FROM core_datastream d JOIN core_station s ON s.feed = d.feed AND s.source_id = d.station_id "
            f"WHERE 1 = 1{asking.narrow.sql}"
        ),
        dict(asking.narrow.values),
    )
    return [int(number) for number in rows.scalars()]


def _cells(asking: Asking, ids: list[int], has_hours: bool) -> Iterable[tuple[Groups, Values]]:
    table, at = ("rollup_reading_hour", f"(r.hour * {HOUR})") if has_hours else ("rollup_reading_day", "")
    day = day_of(asking.city, at) if has_hours else "r.day"
    keys = [_key(asking, row.key, day, at) for row in asking.dimensions]
    named = "".join(f"{key} AS k{number}, " for number, key in enumerate(keys))
    order = f" GROUP BY {', '.join(str(number + 1) for number in range(len(keys)))}" if keys else ""
    where, values = _where(asking, ids, has_hours)
    sound = "CASE WHEN r.n > 0 THEN {0} END"
    rows = asking.connection.execute(
        text(
            f"SELECT {named}count(*), sum(r.n), sum(r.total), min({sound.format('r.low')}), max({sound.format('r.high')}), sum(r.flagged) "
            f"FROM {table} r JOIN core_datastream d ON d.id = r.datastream_id WHERE {where}{order}"
        ),
        values,
    )
    for row in rows:
        asking.rows_read += row[len(keys)] or 0
        groups = tuple(
            group_of(one, value, asking.parts, {}, "readings") for one, value in zip(asking.dimensions, row[: len(keys)], strict=True)
        )
        n, total, low, high, flagged = row[len(keys) + 1 :]
        yield groups, (int(n or 0), float(total or 0), low, high, int(flagged or 0))


def _where(asking: Asking, ids: list[int], has_hours: bool) -> tuple[str, dict[str, Any]]:
    """Conditions on the sums: the days, and the datastreams one by one where they are few."""
    parts, days = asking.parts, asking.city.store.days
    chosen = f"r.datastream_id IN ({', '.join(map(str, ids))})"  # numbers of ours, not a reader's words
    if has_hours:
        bounds = {"first": days.starts_at(parts.start_on) // HOUR, "last": (days.starts_at(parts.end_on + 1) - 1) // HOUR}
        return f"{chosen} AND r.hour BETWEEN :first AND :last", bounds
    if len(ids) <= FEW:
        return f"{chosen} AND r.day IN ({', '.join(map(str, range(parts.start_on, parts.end_on + 1)))})", {}
    return f"{chosen} AND r.day BETWEEN :first AND :last", {"first": parts.start_on, "last": parts.end_on}


def _key(asking: Asking, key: str, day: str, at: str) -> str:
    if key == "hour":
        return hour_of(asking.city, at)
    if key == "weekday":
        return weekday_sql(day)
    if key in ("day", "week", "month"):
        return part_sql(asking.parts, day)
    return {"station": "d.feed || '/' || d.station_id", "property": "d.property", "area": "d.area_code"}[key]
