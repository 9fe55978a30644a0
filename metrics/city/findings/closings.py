"""What the endings of reports show beside their number: many closed at once, and the working-day limits of decision 766.

Both are read from indexes of the reports, bounded by the period: an ending is judged beside others or by a calendar, so no cell of a
roll-up holds the verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from metrics.city import City
from metrics.city.numbers.sums import NET, QUALITY_KNOWN, Choice, conditions, net, stocks_now_by
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
class Alike:
    """`n` reports received and ended (None = in hand) on the same days, refused or not, with what is known of their handling."""

    group: str
    received_on: int
    closed_on: int | None
    is_refused: bool
    is_known: bool
    is_bad: bool
    n: int


@dataclass(frozen=True)
class Judged:
    """Handled in a period and in hand at its end, and how many of them in time; of those with known handling, how many in good order."""

    total: int = 0
    on_time: int = 0
    known: int = 0
    good: int = 0

    def __add__(self, other: Judged) -> Judged:
        return Judged(self.total + other.total, self.on_time + other.on_time, self.known + other.known, self.good + other.good)

    @property
    def on_time_pct(self) -> Answer:
        """5.2: (handled in time + in hand within time) / (handled + in hand)."""
        return percent_of(self.on_time, self.total)

    @property
    def satisfied_pct(self) -> Answer:
        """5.3: neither disliked, nor over time, nor complained of again; each report counted once."""
        return percent_of(self.good, self.known)


NOTHING = Judged()
_WORKING_DAYS: Mapping[str, int] = {row.status: row.working_days for row in LIMITS_766 if row.is_judged}
_RESOLVE_DAYS = _WORKING_DAYS[""]


def judge_766(connection: Connection, city: City, period: Period, choice: Choice, column: str) -> Mapping[str, Judged]:
    """Group -> the figures of 5.2 and 5.3 over a period, whose end is now while it runs, per value of a column ('' = all in one).

    Read are the endings of the period, and what was received lately enough to be in time; how many are in hand is a stock.
    """
    end_on = min(number_of(period.end_on), city.today_on)
    key = ("766", period, choice, column)
    if key not in city.memo:
        found = _in_hand(connection, city, end_on, choice, column)
        for one in _ended(connection, city, number_of(period.start_on), end_on, choice, column):
            found[one.group] = found.get(one.group, NOTHING) + judged(city, one, end_on)
        for one in _lately(connection, city, end_on, choice, column):
            verdict = judged(city, one, end_on)
            found[one.group] = found.get(one.group, NOTHING) + Judged(0, verdict.on_time, 0, verdict.good)
        city.memo[key] = found
    answer: Mapping[str, Judged] = city.memo[key]
    return answer


def judged(city: City, one: Alike, now_on: int) -> Judged:
    """The verdict on reports alike, of the province's calendar; what is not refused by then has the limit of resolving."""
    working_days = _WORKING_DAYS["refused"] if one.is_refused and one.closed_on is not None else _RESOLVE_DAYS
    last_on = number_of(add_working_days(city.calendar, date_of(one.received_on), working_days))
    in_time = (now_on if one.closed_on is None else one.closed_on) <= last_on
    is_good = in_time and one.is_known and not one.is_bad
    return Judged(one.n, one.n if in_time else 0, one.n if one.is_known else 0, one.n if is_good else 0)


def _ended(connection: Connection, city: City, start_on: int, end_on: int, choice: Choice, column: str) -> list[Alike]:
    return _alike(connection, city, choice, column, "closed_on", "closed_on BETWEEN :start AND :end", {"start": start_on, "end": end_on})


def _lately(connection: Connection, city: City, end_on: int, choice: Choice, column: str) -> list[Alike]:
    """In hand at the end of a day, and received no longer ago than the limit of resolving."""
    since = number_of(add_working_days(city.calendar, date_of(end_on), -_RESOLVE_DAYS - 1))
    where = "received_on BETWEEN :since AND :end AND (closed_on IS NULL OR closed_on > :end)"
    return _alike(connection, city, choice, column, "NULL", where, {"since": since, "end": end_on})


def _alike(
    connection: Connection, city: City, choice: Choice, column: str, closed_on: str, chosen: str, days: Mapping[str, int],
) -> list[Alike]:
    where, values = conditions(city.scope, "reports", choice)
    group = column or "''"
    rows = connection.execute(
        text(
            f"SELECT {group} AS grouped, received_on, CAST({closed_on} AS INTEGER), CASE WHEN status = 'refused' THEN 1 ELSE 0 END, "
            f"CASE WHEN {QUALITY_KNOWN} THEN 1 ELSE 0 END, CASE WHEN rating = 1 OR reopened_count > 0 THEN 1 ELSE 0 END, count(*) "
            f"FROM core_report WHERE {chosen} AND NOT is_ended_before_start{where} GROUP BY 1, 2, 3, 4, 5, 6"
        ),
        {**days, **values},
    ).all()
    return [Alike(str(r[0]), r[1], r[2], bool(r[3]), bool(r[4]), bool(r[5]), int(r[6])) for r in rows]


def _in_hand(connection: Connection, city: City, end_on: int, choice: Choice, column: str) -> dict[str, Judged]:
    """How many are in hand at the end of a day, and of how many the handling is known: today's stock less the net flows since."""
    now = stocks_now_by(connection, city, "reports", column, choice)
    found = {group: Judged(total=stocks["open"], known=stocks["open_known"]) for group, stocks in now.items()}
    if end_on < city.today_on:
        where, values = conditions(city.scope, "reports", choice)
        names = sorted({name for stock in ("open", "open_known") for side in NET["reports"][stock] for name in side})
        rows = connection.execute(
            text(
                f"SELECT {column or chr(39) * 2} AS grouped, {', '.join(f'sum({name})' for name in names)} FROM rollup_report_day "
                f"WHERE day > :end{where} GROUP BY 1"
            ),
            {"end": end_on, **values},
        ).all()
        for row in rows:
            flows = {name: int(value) for name, value in zip(names, row[1:], strict=True)}
            since = Judged(total=-net("reports", "open", flows), known=-net("reports", "open_known", flows))
            found[str(row[0])] = found.get(str(row[0]), NOTHING) + since
    return found
