"""Agencies the reader may ask about, for filters: code, name, what stands above."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text

from metrics.city import City
from metrics.city.masking import unvetted


@dataclass(frozen=True)
class Agency:
    """One handling agency; `origin` unmapped = named by a feed, not in the city's catalogue."""

    code: str
    name: str
    parent_code: str
    origin: str


def read(city: City) -> tuple[Agency, ...]:
    """Every agency of the scope valid today, in order of code; an agency without a name bears its code. Requires see.desk."""
    city.scope.require("see.desk")
    with city.store.reading() as connection:
        rows = connection.execute(
            text(
                "SELECT code, name, parent_code, origin FROM core_agency "
                "WHERE (valid_from_on IS NULL OR valid_from_on <= :today) "
                "AND (valid_to_on IS NULL OR valid_to_on >= :today) ORDER BY code"
            ),
            {"today": city.today_on},
        ).all()
        left_out = unvetted(connection, city, "agency")
    known = (row for row in rows if row[0] and row[0] not in left_out and city.scope.covers_agency(row[0]))
    return tuple(Agency(row[0], row[1] or row[0], row[2], row[3]) for row in known)
