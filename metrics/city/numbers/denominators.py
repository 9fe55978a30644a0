"""What a count is divided by: thousands of inhabitants of where it comes from, or the officers who work on it.

Unknown as soon as one number is missing, or when the reader sees only a part of what would be counted: a rate over a part of the people
is no rate.
"""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, text

from metrics.city import City
from metrics.city.numbers.sums import Choice
from metrics.kpis import Kpi
from metrics.kpis.row import Answer
from metrics.periods import Period
from store.days import number_of


def per(connection: Connection, city: City, row: Kpi, choice: Choice, period: Period, answer: Answer) -> Answer:
    """A KPI's answer divided as its row says; the count stays its n. Rows that divide by nothing pass through."""
    value, n = answer
    if not row.per or value is None:
        return answer
    divisor = of(connection, city, row.per, choice, min(number_of(period.end_on), city.today_on))
    return (value / divisor if divisor else None), n


def per_group(connection: Connection, city: City, row: Kpi, choice: Choice, period: Period, by: str, group: str, answer: Answer) -> Answer:
    """The same for one group of a breakdown: its own area's or agency's people. An agency stands there without those below it."""
    if not row.per or by not in ("agency", "area"):
        return per(connection, city, row, choice, period, answer)
    if by == "agency" and row.per == "officers":
        known = _agencies(connection, city, min(number_of(period.end_on), city.today_on)).get(group)
        value, n = answer
        return (value / known[1] if value is not None and known and known[1] else None), n
    return per(connection, city, row, replace(choice, **{by: group}), period, answer)


def of(connection: Connection, city: City, what: str, choice: Choice, on: int) -> float | None:
    """Thousands of inhabitants, or officers, of a choice on a day; None when unknown."""
    if not _sees_all(city, choice):
        return None
    if what == "officers":
        return _officers(connection, city, choice, on)
    people = _inhabitants(connection, city, choice, on)
    return people / 1000 if people else None


def _sees_all(city: City, choice: Choice) -> bool:
    """Does the reader see every row the divisor stands for?"""
    scope = city.scope
    agencies = scope.agencies is None or (bool(choice.agency) and scope.covers_agency(choice.agency))
    return agencies and (scope.areas is None or (bool(choice.area) and scope.covers_area(choice.area)))


def _inhabitants(connection: Connection, city: City, choice: Choice, on: int) -> int | None:
    """Of the area chosen, of the chosen agency's area, else of the province: its own number, or the sum of its communes."""
    areas = _areas(connection, city, on)
    if choice.area:
        return areas.get(choice.area, ("", None))[1]
    if choice.agency:
        return areas.get(_agencies(connection, city, on).get(choice.agency, ("", None))[0], ("", None))[1]
    provinces = [people for level, people in areas.values() if level == "province"]
    if len(provinces) == 1 and provinces[0]:
        return provinces[0]
    return _sum([people for level, people in areas.values() if level == "commune"])


def _officers(connection: Connection, city: City, choice: Choice, on: int) -> int | None:
    """Of the agency chosen with all below it, of the agencies of the area chosen, else of all."""
    agencies = _agencies(connection, city, on)
    if choice.agency:
        below = choice.agency + "."
        return _sum([n for code, (_, n) in agencies.items() if code == choice.agency or code.startswith(below)])
    return _sum([n for area, n in agencies.values() if choice.area in ("", area)])


def _sum(numbers: list[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known and len(known) == len(numbers) else None


def _areas(connection: Connection, city: City, on: int) -> dict[str, tuple[str, int | None]]:
    """Level and inhabitants by code of the areas the city's lists have on a day."""
    return _kept(connection, city, "core_area", "level, population", on)


def _agencies(connection: Connection, city: City, on: int) -> dict[str, tuple[str, int | None]]:
    """Area and officers by code of the agencies the city's lists have on a day."""
    return _kept(connection, city, "core_agency", "area_code, officers", on)


def _kept(connection: Connection, city: City, table: str, columns: str, on: int) -> dict[str, tuple[str, int | None]]:
    key = ("people", table, on)
    if key not in city.memo:
        rows = connection.execute(
            text(
                f"SELECT code, {columns} FROM {table} WHERE origin = 'catalogue' AND (valid_from_on IS NULL OR valid_from_on <= :day) "
                "AND (valid_to_on IS NULL OR valid_to_on >= :day) ORDER BY code, valid_from_on"
            ),
            {"day": on},
        ).all()
        city.memo[key] = {row[0]: (row[1], row[2]) for row in rows}
    found: dict[str, tuple[str, int | None]] = city.memo[key]
    return found
