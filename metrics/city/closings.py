"""What the endings of reports show beside their number: many closed at once, and the working-day limits of decision 766.

Both are read from the index of closings, bounded by the period: an ending is judged beside others, so no cell of a roll-up holds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from metrics.city import City
from metrics.city.sums import Choice, conditions
from metrics.kpis.feedback import LIMITS_766
from metrics.kpis.row import Answer, percent_of
from metrics.periods import Period
from metrics.worktime import add_working_days
from store.days import date_of, number_of

_MINUTE = 60_000_000
_DAYS = "BETWEEN :bulk_start AND :bulk_end"


def bulk_rows(city: City, days: str = _DAYS) -> str:
    """SELECT of the reports closed in bulk on the days :bulk_start..:bulk_end (or as `days` says of closed_on), one row each.

    In bulk: one agency closed as many reports as the city file says ([feedback] bulk_closures) within the same minutes. Counted over
    the whole agency, whatever is asked about. Endings without a time of day, and those without an agency, are not judged.
    """
    least, span = city.config.feedback.bulk_closures, city.config.feedback.bulk_minutes * _MINUTE
    of_agency = "(PARTITION BY closed_on, agency_code ORDER BY closed_at, feed, source_id"
    known = "is_within_hour IS NOT NULL AND agency_code <> ''"
    return (
        f"WITH busy AS (SELECT closed_on, agency_code FROM core_report WHERE closed_on {days} AND {known} "  # few days have that many
        f"GROUP BY closed_on, agency_code HAVING count(*) >= {least}), "
        "ended AS (SELECT r.feed, r.source_id, r.closed_on, r.closed_at, r.agency_code, r.area_code, r.category_code FROM busy b "
        f"CROSS JOIN core_report r WHERE r.closed_on = b.closed_on AND r.agency_code = b.agency_code AND r.is_within_hour IS NOT NULL), "
        f"runs AS (SELECT *, CASE WHEN lead(closed_at, {least - 1}) OVER {of_agency}) - closed_at < {span} THEN 1 ELSE 0 END AS begins "
        "FROM ended), "
        f"marked AS (SELECT *, max(begins) OVER {of_agency} ROWS BETWEEN {least - 1} PRECEDING AND CURRENT ROW) AS in_bulk FROM runs) "
        "SELECT feed, source_id, closed_on, agency_code, area_code, category_code FROM marked WHERE in_bulk = 1"
    )


def in_bulk(connection: Connection, city: City, period: Period, choice: Choice, column: str) -> dict[str, Answer]:
    """Share of the reports closed in the period that were closed in bulk, per value of a column ('' = all in one)."""
    where, values = conditions(city.scope, "reports", choice)
    days = {"bulk_start": number_of(period.start_on), "bulk_end": number_of(period.end_on)}
    group = column or "''"

    def counted(source: str) -> dict[str, int]:
        return {str(key): int(n) for key, n in connection.execute(text(source), {**days, **values}).all()}

    closed = counted(
        f"SELECT {group}, count(*) FROM core_report WHERE closed_on {_DAYS} AND is_within_hour IS NOT NULL{where} GROUP BY 1"
    )
    bulk = counted(f"SELECT {group}, count(*) FROM ({bulk_rows(city)}) bulk WHERE 1 = 1{where} GROUP BY 1")
    return {key: percent_of(bulk.get(key, 0), n) for key, n in closed.items()}


def in_bulk_among(connection: Connection, city: City, rows: Iterable[Mapping[str, Any]]) -> frozenset[tuple[str, str]]:
    """(feed, source id) of those of a few rows that were closed in bulk."""
    days = sorted({int(row["closed_on"]) for row in rows if row["closed_on"] is not None and row["is_within_hour"] is not None})
    if not days:
        return frozenset()
    found = connection.execute(text(bulk_rows(city, f"IN ({', '.join(map(str, days))})"))).all()
    return frozenset((row[0], row[1]) for row in found)


# ---- decision 766, indicators 5.2 and 5.3 -----------------------------------------------------------------------------
@dataclass(frozen=True)
class Ended:
    """`n` reports alike: received and ended (None = open) on these days, refused or not, with what is known of their handling."""

    group: str
    received_on: int
    closed_on: int | None
    is_refused: bool
    is_known: bool
    is_bad: bool
    n: int


@dataclass(frozen=True)
class Judged:
    """Handled in the period and in hand at its end, and how many of them in time; of those with known handling, how many in good order."""

    total: int = 0
    on_time: int = 0
    known: int = 0
    good: int = 0

    @property
    def on_time_pct(self) -> Answer:
        """5.2: (handled in time + in hand within time) / (handled + in hand)."""
        return percent_of(self.on_time, self.total)

    @property
    def satisfied_pct(self) -> Answer:
        """5.3: neither disliked, nor over time, nor complained of again; each report counted once."""
        return percent_of(self.good, self.known)


def read_endings(connection: Connection, city: City, start_on: int, choice: Choice, column: str) -> list[Ended]:
    """Reports ended since a day and those still open, alike ones together, per value of a column ('' = all in one)."""
    key = ("endings", start_on, choice, column)
    if key not in city.memo:
        where, values = conditions(city.scope, "reports", choice)
        counted = (
            f"SELECT {column or chr(39) * 2} AS grouped, received_on, closed_on, CASE WHEN status = 'refused' THEN 1 ELSE 0 END, "
            "CASE WHEN rating IS NOT NULL AND reopened_count IS NOT NULL THEN 1 ELSE 0 END, "
            "CASE WHEN rating = 1 OR reopened_count > 0 THEN 1 ELSE 0 END, count(*) FROM core_report WHERE"
        )
        rows = connection.execute(
            text(
                f"{counted} closed_on >= :start AND NOT is_ended_before_start{where} GROUP BY 1, 2, 3, 4, 5, 6 UNION ALL "
                f"{counted.replace('status', chr(39) * 2)} closed_on IS NULL{where} GROUP BY 1, 2, 3, 4, 5, 6"
            ),
            {"start": start_on, **values},
        ).all()
        city.memo[key] = [Ended(str(r[0]), r[1], r[2], bool(r[3]), bool(r[4]), bool(r[5]), int(r[6])) for r in rows]
    found: list[Ended] = city.memo[key]
    return found


def judge(city: City, endings: Iterable[Ended], period: Period) -> dict[str, Judged]:
    """Group -> the figures of 5.2 and 5.3 over a period; its end is now while it runs."""
    start, end = number_of(period.start_on), number_of(period.end_on)
    now_on, limits = min(end, city.today_on), _Limits(city)
    found: dict[str, list[int]] = {}
    for one in endings:
        ended_on = one.closed_on if one.closed_on is not None and one.closed_on <= end else None
        if one.received_on > end or (ended_on is not None and ended_on < start):
            continue
        is_late = (now_on if ended_on is None else ended_on) > limits.last_on(one, ended_on is not None)
        sums = found.setdefault(one.group, [0, 0, 0, 0])
        for place, counts in enumerate((True, not is_late, one.is_known, one.is_known and not is_late and not one.is_bad)):
            sums[place] += one.n if counts else 0
    return {group: Judged(*sums) for group, sums in found.items()}


_WORKING_DAYS: Mapping[str, int] = {row.status: row.working_days for row in LIMITS_766 if row.is_judged}


class _Limits:
    """The last day in time of a report, by the province's calendar."""

    def __init__(self, city: City) -> None:
        self.calendar, self.known = city.calendar, dict[tuple[int, int], int]()

    def last_on(self, one: Ended, has_ended: bool) -> int:
        """Day number; what is not refused by then has the limit of resolving."""
        working_days = _WORKING_DAYS["refused" if one.is_refused and has_ended else ""]
        key = (one.received_on, working_days)
        if key not in self.known:
            received: date = date_of(one.received_on)
            self.known[key] = number_of(add_working_days(self.calendar, received, working_days))
        return self.known[key]
