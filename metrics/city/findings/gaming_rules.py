"""What the rules of gaming.py count, agency by agency, with what chance explains of it. Each reads indexes of one period."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import numpy as np
from sqlalchemy import Connection, text

from config.workcalendar import is_working_day
from metrics import chance
from metrics.city import City
from metrics.city.findings.closings import bulk_rows
from metrics.city.numbers.sums import NOTHING_CHOSEN, Choice, conditions
from metrics.periods import Period
from store.days import DAY, HOUR, number_of

NEIGHBOURS = 3  # working days before the due day whose same hours the last ones are set beside
LAST_HOURS = 2
AGAIN_DAYS = 15  # registered again within so many days of the end
_NEAR_DAYS = 15  # calendar days that hold NEIGHBOURS working days, holidays and all
NEAR_ON = f"due_on BETWEEN finished_on AND finished_on + {_NEAR_DAYS}"
_MOST_PAIRS = 20_000
_MINUTE = 60_000_000


@dataclass(frozen=True)
class Tried:
    """An agency's figures: n looked at, hits, as many expected by chance, the chance of k hits or more, the most hits there could be.

    interval: 95 % of times the expected, or of the share in percent; None where endings come in heaps. rows = rows behind the hits.
    """

    agency: str
    n: int
    hits: int
    expected: float
    tail: Callable[[int], float]
    bound: int
    interval: tuple[float, float] | None
    rows: int


@dataclass(frozen=True)
class RuleCounts:
    """A rule's agencies, the rows read for them, and why nothing can be said: no_alias, '' = it can."""

    tried: tuple[Tried, ...]
    read: int
    blind: str = ""


def days_of(period: Period) -> dict[str, int]:
    """The period's days as values of a statement."""
    return {"start": number_of(period.start_on), "end": number_of(period.end_on)}


# ---- many reports at once -----------------------------------------------------------------------------------------------
def bulk(connection: Connection, city: City, period: Period, choice: Choice) -> RuleCounts:
    """Days on which an agency ended reports in bulk (the KPI's rule), beside how many such days scattered endings would make."""
    where, values = conditions(city.scope, "reports", choice)
    days, settings = days_of(period), city.config.feedback
    busy = connection.execute(
        text(
            "SELECT agency_code, closed_on, count(*) FROM core_report WHERE closed_on BETWEEN :start AND :end "
            f"AND is_within_hour IS NOT NULL AND agency_code <> ''{where} GROUP BY agency_code, closed_on"
        ),
        {**days, **values},
    ).all()
    found = connection.execute(
        text(f"SELECT agency_code, closed_on, count(*) FROM ({bulk_rows(city)}) bulk WHERE 1 = 1{where} GROUP BY agency_code, closed_on"),
        {"bulk_start": days["start"], "bulk_end": days["end"], **values},
    ).all()
    together: dict[str, dict[int, int]] = {}
    for agency, on, n in found:
        together.setdefault(agency, {})[on] = int(n)
    window = 1 / _slots(connection, city, days)
    counts: dict[str, list[int]] = {}
    for agency, _, n in busy:
        counts.setdefault(agency, []).append(int(n))
    tried = []
    for agency, ended in counts.items():
        expected = sum(chance.burst_chance(n, settings.bulk_closures, window) for n in ended)
        own = together.get(agency, {})
        tail = partial(chance.poisson_tail, mean=expected)
        tried.append(Tried(agency, sum(ended), len(own), expected, tail, len(ended), None, sum(own.values())))
    return RuleCounts(tuple(tried), sum(one.n for one in tried))


def _slots(connection: Connection, city: City, days: Mapping[str, int]) -> float:
    """Into how many equal stretches of `bulk_minutes` the city's endings spread over a day, as if all were alike (1 / sum of squares)."""
    span = city.config.feedback.bulk_minutes * _MINUTE
    rows = connection.execute(
        text(
            "SELECT ((closed_at + :offset) % :day) / :span, count(*) FROM core_report "
            "WHERE closed_on BETWEEN :start AND :end AND is_within_hour IS NOT NULL GROUP BY 1"
        ),
        {**days, "offset": city.store.days.offset(city.as_of), "day": DAY, "span": span},
    ).all()
    counts = np.array([int(n) for _, n in rows], dtype=float)
    if counts.sum() < 2:
        return DAY / 3 / span
    # in bulk is what is looked for: the fullest stretches count no more than the usual full one
    counts = np.minimum(counts, max(1.0, 3 * float(np.median(counts))))
    return max(1.0, float(counts.sum() ** 2 / (counts**2).sum()))


# ---- just before due ------------------------------------------------------------------------------------------------------
def before_due(connection: Connection, city: City, period: Period, choice: Choice) -> RuleCounts:
    """Ended within LAST_HOURS before due, beside the same hours of the NEIGHBOURS working days before it; above the others' share too."""
    where, values = conditions(city.scope, "dossiers", choice)
    rows = connection.execute(
        text(
            f"SELECT agency_code, finished_on, due_on, count(*) FROM core_dossier WHERE finished_on BETWEEN :start AND :end "
            f"AND finished_on IS NOT NULL AND standing IN (1, 4) AND {NEAR_ON} "
            f"AND {near_due(city)}{where} GROUP BY agency_code, finished_on, due_on"
        ),
        {**days_of(period), **clock_values(city), **values},
    ).all()
    worked = worked_days(city, period)
    counts: dict[str, np.ndarray] = {}
    for agency, finished_on, due_on, n in rows:
        days = worked[due_on] - worked[finished_on]
        if days <= NEIGHBOURS:
            counts.setdefault(agency, np.zeros(NEIGHBOURS + 1, dtype=int))[days] += int(n)
    every = sum(counts.values(), np.zeros(NEIGHBOURS + 1, dtype=int))
    tried = tuple(tried_due(agency, own, every - own) for agency, own in counts.items())
    return RuleCounts(tried, sum(int(row[3]) for row in rows))


def tried_due(agency: str, own: np.ndarray, others: np.ndarray) -> Tried:
    """An agency beside its own days before and the other agencies: counts by working days left, 0 first."""
    hits, n, even = int(own[0]), int(own.sum()), 1 / (NEIGHBOURS + 1)
    theirs = float(others[0] / others.sum()) if others.sum() else 0.0
    share = max(even, theirs)
    low, high = (NEIGHBOURS * one / max(1e-9, 1 - one) for one in chance.share_interval(hits, n))
    return Tried(agency, n, hits, n * share, partial(chance.binomial_tail, n=n, share=share), n, (low, high), hits)


def near_due(city: City) -> str:
    """Condition: ended at an hour of the day among the LAST_HOURS before that of the due instant.

    A due instant outside working hours (23:59, midnight: the feed told a day) stands for the end of the working day.
    """
    due = "((due_at + :offset) % :day)"
    due = f"CASE WHEN {due} > :closes OR {due} < :opens THEN :closes ELSE {due} END"
    at = "((finished_at + :offset) % :day)"
    return f"due_at IS NOT NULL AND {at} <= {due} AND {at} > {due} - :last"


def clock_values(city: City) -> dict[str, int]:
    """Values of near_due: the zone's offset now, the ends of a working day, the span; microseconds."""
    hours = city.calendar.hours
    opens, closes = hours[0][0], hours[-1][1]
    closing = closes.hour * HOUR + closes.minute * _MINUTE
    return {
        "offset": city.store.days.offset(city.as_of), "day": DAY, "opens": opens.hour * HOUR + opens.minute * _MINUTE,
        "closes": closing or DAY, "last": LAST_HOURS * HOUR,
    }


def worked_days(city: City, period: Period) -> dict[int, int]:
    """Day number -> how many working days lie from the period's start to it."""
    first = number_of(period.start_on)
    count, found = 0, dict[int, int]()
    for n in range(period.days + _NEAR_DAYS + 1):
        count += is_working_day(city.calendar, period.start_on + timedelta(days=n))
        found[first + n] = count
    return found


# ---- ended and registered again -----------------------------------------------------------------------------------------------
def again(connection: Connection, city: City, period: Period, choice: Choice) -> RuleCounts:
    """Endings followed by a dossier of the same procedure under the same other number; beside that share among all others."""
    pairs = registered_again(connection, city, period, choice)
    ended = _endings(connection, city, period, choice)
    hits: dict[str, set[tuple[str, str]]] = {}
    for pair in pairs:
        hits.setdefault(pair["agency_code"], set()).add((pair["feed"], pair["source_id"]))
    total, marked = sum(ended.values()), sum(len(one) for one in hits.values())
    tried = []
    for agency, n in ended.items():
        own = len(hits.get(agency, ()))
        cases = max(n, own)
        low, high = chance.share_interval(own, cases)
        tail = partial(chance.hypergeometric_tail, drawn=cases, marked=marked, total=max(total, marked))
        expected = cases * (marked - own) / (total - cases) if total > cases else float(own)
        tried.append(Tried(agency, cases, own, expected, tail, min(cases, marked), (100 * low, 100 * high), own))
    blind = "" if pairs or _tells_alias(connection, city, period, choice) else "no_alias"
    return RuleCounts(() if blind else tuple(tried), total, blind)


def _endings(connection: Connection, city: City, period: Period, choice: Choice) -> dict[str, int]:
    """Dossiers finished, withdrawn or refused in the period, by agency: from the roll-up."""
    where, values = conditions(city.scope, "dossiers", choice)
    rows = connection.execute(
        text(
            "SELECT agency_code, sum(finished) + sum(refused) FROM rollup_dossier_day "
            f"WHERE day BETWEEN :start AND :end{where} GROUP BY agency_code"
        ),
        {**days_of(period), **values},
    ).all()
    return {agency: int(n) for agency, n in rows if n}


_ENDED = (  # two seeks, one index each; a refused dossier has no end but the day it was filed
    "SELECT {columns} FROM core_dossier d WHERE d.finished_on BETWEEN :start AND :end AND d.finished_on IS NOT NULL{where} UNION ALL "
    "SELECT {columns} FROM core_dossier d WHERE d.filed_on BETWEEN :start AND :end AND (d.standing > 1 OR d.status = 0) "
    "AND d.standing = 3{where}"
)
_GONE = (
    "d.feed, d.source_id, d.alias, d.agency_code, d.procedure_code, d.status, "
    "coalesce(d.finished_at, d.refused_at, d.filed_at) AS ended_at, d.due_at"
)


def registered_again(
    connection: Connection, city: City, period: Period, choice: Choice, agency: str = "",
) -> list[Mapping[str, Any]]:
    """Pairs (an ending, the first dossier after it that carries its number or its other number and the same procedure), newest first."""
    where, values = conditions(city.scope, "dossiers", choice, "d.")
    own, own_values = conditions(city.scope, "dossiers", NOTHING_CHOSEN, "l.")
    only = " AND g.agency_code = :only_agency" if agency else ""
    later = "l.feed AS next_feed, l.source_id AS next_id, l.received_at AS next_at, l.due_at AS next_due_at"
    rows = connection.execute(
        text(
            f"WITH gone AS MATERIALIZED ({_ENDED.format(columns=_GONE, where=where)}), "
            "named AS MATERIALIZED (SELECT source_id AS number, gone.* FROM gone UNION ALL "
            "SELECT alias, gone.* FROM gone WHERE alias <> '' AND alias <> source_id) "
            f"SELECT g.feed, g.source_id, g.agency_code, g.procedure_code, g.status, g.ended_at, g.due_at, {later} "
            # in this order: SQLite, without statistics, would look through all later ones for each that ended
            "FROM core_dossier l CROSS JOIN named g WHERE g.number = l.alias AND g.procedure_code = l.procedure_code "
            f"AND l.received_on BETWEEN :start AND :later AND l.alias <> ''{own} "
            "AND l.received_at >= g.ended_at AND l.received_at < g.ended_at + :within "
            f"AND (l.feed <> g.feed OR l.source_id <> g.source_id){only} "
            f"ORDER BY g.ended_at DESC, g.feed, g.source_id, l.received_at LIMIT {_MOST_PAIRS}"
        ),
        {
            **days_of(period), "later": number_of(period.end_on) + AGAIN_DAYS, "within": AGAIN_DAYS * DAY, **values, **own_values,
            **({"only_agency": agency} if agency else {}),
        },
    ).mappings()
    first: dict[tuple[str, str], Mapping[str, Any]] = {}
    for row in rows:
        first.setdefault((row["feed"], row["source_id"]), dict(row))
    return list(first.values())


def _tells_alias(connection: Connection, city: City, period: Period, choice: Choice) -> bool:
    """Does any dossier received in the period carry another number?"""
    where, values = conditions(city.scope, "dossiers", choice)
    ask = f"SELECT 1 FROM core_dossier WHERE received_on BETWEEN :start AND :end AND alias <> ''{where} LIMIT 1"
    return connection.execute(text(ask), {**days_of(period), **values}).first() is not None
