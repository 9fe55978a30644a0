"""What people say about figures: an annotation of a KPI, or of all, over some days. The only source of causal words in a brief."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text

from metrics.city import City
from metrics.city.lists.named import Names, read_names
from metrics.city.numbers.sums import NOTHING_CHOSEN, Choice, conditions
from metrics.city.typed import TypedFault, covers, day_of, known_kpi, sentence
from metrics.periods import Period
from scope import Forbidden
from store.annotations import NewAnnotation, put_annotation, withdraw_annotation
from store.days import date_of, number_of
from store.keys import By

LEAST, MOST_BODY, MOST_WHY = 3, 500, 500
MOST_DAYS = 366  # of an annotation, and from today to its last


@dataclass(frozen=True)
class Annotation:
    """What somebody said of the days from_on..to_on. key '' = of all KPIs; agency_code and area_code '' = of the whole province."""

    id: int
    key: str
    agency_code: str
    agency: str
    area_code: str
    area: str
    from_on: date
    to_on: date
    body: str
    said_by: str
    said_at: int
    withdrawn_by: str
    withdrawn_at: int | None
    withdrawn_why: str

    @property
    def is_withdrawn(self) -> bool:
        """Was it taken back?"""
        return self.withdrawn_at is not None

    def holds_for(self, key: str, choice: Choice = NOTHING_CHOSEN) -> bool:
        """Does it speak of this KPI, and of all that is chosen? What is said of one agency says nothing of the province."""
        area = self.area_code in ("", choice.area)
        return not self.is_withdrawn and self.key in ("", key) and area and _contains(self.agency_code, choice.agency)


@dataclass(frozen=True)
class Said:
    """The annotation somebody wants: days as 2026-11-16, key '' = of all KPIs, no agency and area = of the whole province."""

    body: str
    from_day: str
    to_day: str
    key: str = ""
    agency: str = ""
    area: str = ""


def read(
    city: City, key: str | None, period: Period, choice: Choice = NOTHING_CHOSEN, *, with_withdrawn: bool = False,
) -> tuple[Annotation, ...]:
    """Those of a KPI (None = of any) that overlap the period and the choice, oldest day first. Requires see.desk.

    An agency's are told with those of all below and above it; what was taken back only when asked for.
    """
    city.scope.require("see.desk")
    days = {"start": number_of(period.start_on), "end": number_of(period.end_on)}
    rows = _read(city, " AND a.from_on <= :end AND a.to_on >= :start", days)
    return tuple(
        row for row in rows
        if (key is None or row.key in ("", key)) and (with_withdrawn or not row.is_withdrawn)
        and (row.area_code in ("", choice.area) or not choice.area)
        and (_contains(row.agency_code, choice.agency) or _contains(choice.agency, row.agency_code))
    )


def one(city: City, number: int) -> Annotation | None:
    """One annotation, withdrawn or not; None where this reader has none of that number. Requires see.desk."""
    city.scope.require("see.desk")
    return next(iter(_read(city, " AND a.id = :id", {"id": number})), None)


def may_write(city: City, agency: str = "", area: str = "") -> bool:
    """May this reader say something of an agency and area? Limited rights write for what they cover alone."""
    if not city.scope.permits("manage.annotations"):
        return False
    with city.store.reading() as connection:
        return covers(connection, city, agency, area)


def write(city: City, said: Said, address: str, now: int) -> int:
    """Keep an annotation with its audit entry; returns its number. `address` = where the request came from.

    Requires manage.annotations over agency and area. Raises TypedFault for what cannot be kept, Forbidden.
    """
    city.scope.require("manage.annotations")
    from_on, to_on = number_of(day_of(said.from_day, "from_day")), number_of(day_of(said.to_day, "to_day"))
    if not 0 <= to_on - from_on < MOST_DAYS or to_on > city.today_on + MOST_DAYS:
        raise TypedFault("annotations.fault_days", "to_day", most=MOST_DAYS)
    body = sentence(said.body, "body", LEAST, MOST_BODY)
    new = NewAnnotation(body, from_on, to_on, known_kpi(said.key), said.agency.strip(), said.area.strip())
    if not may_write(city, new.agency_code, new.area_code):
        raise TypedFault("typed.fault_agency", "agency")
    return put_annotation(city.store, new, By(city.scope.actor, address), now)


def withdraw(city: City, number: int, why: str, address: str, now: int) -> None:
    """Take it back: it stays in the history with who, when and why. Requires manage.annotations over what it is about.

    Raises KeyError, TypedFault for a missing reason or one that was taken back before, Forbidden.
    """
    city.scope.require("manage.annotations")
    reason = sentence(why, "why", LEAST, MOST_WHY)
    if one(city, number) is None:
        raise KeyError(number)
    with city.store.reading() as connection:  # codes as they are kept: of what nobody has vetted a reader has others
        kept = connection.execute(text("SELECT agency_code, area_code FROM ops_annotation WHERE id = :id"), {"id": number}).one()
        if not covers(connection, city, *kept):
            raise Forbidden("manage.annotations", city.scope.actor)
    if not withdraw_annotation(city.store, number, reason, By(city.scope.actor, address), now):
        raise TypedFault("annotations.fault_withdrawn", "why")


def _read(city: City, where: str, values: dict[str, Any]) -> list[Annotation]:
    own, limits = conditions(city.scope, "dossiers", NOTHING_CHOSEN, "a.")
    statement = f"SELECT a.* FROM ops_annotation a WHERE (a.agency_code = '' OR (1 = 1{own})){where} ORDER BY a.from_on, a.id"
    with city.store.reading() as connection:
        found = [dict(row) for row in connection.execute(text(statement), {**limits, **values}).mappings()]
        rows = [row for row in found if not row["area_code"] or city.scope.covers_area(row["area_code"])]
        names = read_names(connection, city, rows)
    return [_annotation(row, names) for row in rows]


def _annotation(row: dict[str, Any], names: Names) -> Annotation:
    agency, area = row["agency_code"], row["area_code"]
    return Annotation(
        row["id"], row["key"], names.code("agency_code", agency), names.agency(agency) if agency else "",
        names.code("area_code", area), names.area(area) if area else "", date_of(row["from_on"]), date_of(row["to_on"]), row["body"],
        row["said_by"], row["said_at"], row["withdrawn_by"], row["withdrawn_at"], row["withdrawn_why"],
    )


def _contains(above: str, code: str) -> bool:
    """Is the agency the other, or above it? '' = the province, above all."""
    return above in ("", code) or code.startswith(f"{above}.")
