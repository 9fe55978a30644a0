"""The usual pace of a dossier's like: how long the dossiers of its procedure that ended last were worked on.

The newest SAMPLE of a year are read from one index, however many there are; answers are shared for ten minutes.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from sqlalchemy import Connection, text

from metrics.city import City
from metrics.city.numbers.sums import NOTHING_CHOSEN, conditions
from metrics.process import quartiles
from store.days import HOUR

SAMPLE, DAYS, LEAST = 1_000, 365, 10
REMEMBERED = HOUR // 6


@dataclass(frozen=True)
class Pace:
    """Working days of the newest `n` dossiers of a procedure that ended from_on..to_on (day numbers): quartiles, and all of them sorted."""

    n: int
    from_on: int
    to_on: int
    low: float
    median: float
    high: float
    days: tuple[float, ...]

    def share_within(self, worked_days: float) -> float:
        """Percent of them that took at most so long."""
        return 100.0 * bisect_right(self.days, worked_days) / self.n


def read(connection: Connection, city: City, procedure: str, domain: str) -> Pace | None:
    """The pace of a procedure within the reader's rights; where the source tells none, that of its domain. None below LEAST dossiers."""
    domain = "" if procedure else domain
    turn = city.as_of // REMEMBERED
    found: Pace | None = city.once("pace", procedure, domain, turn, make=lambda: _read(connection, city, procedure, domain))
    return found


def _read(connection: Connection, city: City, procedure: str, domain: str) -> Pace | None:
    where, values = conditions(city.scope, "dossiers", NOTHING_CHOSEN)
    if domain:
        where, values = f"{where} AND domain_code = :domain", {**values, "domain": domain}
    rows = connection.execute(
        text(
            "SELECT worked_s, day_s, finished_on FROM core_dossier_time WHERE procedure_code = :procedure AND finished_on IS NOT NULL "
            f"AND finished_on BETWEEN :first AND :last{where} "
            # the order of the index, read backwards
            f"ORDER BY finished_on DESC, agency_code DESC, domain_code DESC, worked_s DESC, day_s DESC LIMIT {SAMPLE}"
        ),
        {"procedure": procedure, "first": city.today_on - DAYS, "last": city.today_on, **values},
    ).all()
    days = sorted(row[0] / row[1] for row in rows if row[0] is not None and row[1])
    if len(days) < LEAST:
        return None
    return Pace(len(days), int(rows[-1][2]), int(rows[0][2]), *quartiles(days), tuple(days))
