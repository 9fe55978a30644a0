"""Signs worth a second look in how things are ended: many at once, just before due, ended and registered again.

Each agency is set beside what chance explains; honest work can look the same, so a sign asks a question and accuses nobody. All of it is
read from indexes over a bounded period, nothing is kept. docs/numbers.md has the rules and how often chance makes each fire.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from metrics import chance
from metrics.city import City
from metrics.city.findings import gaming_rules
from metrics.city.findings.closings import bulk_rows
from metrics.city.findings.gaming_rules import RuleCounts, Tried
from metrics.city.lists.named import Names, read_names
from metrics.city.masking import masked
from metrics.city.numbers.sums import NOTHING_CHOSEN, Choice, conditions, flow_sums
from metrics.periods import Period
from store.bounded import TookTooLong, bounded
from store.days import date_of, number_of

BULK, BEFORE_DUE, AGAIN = "bulk", "before_due", "again"
LONGEST_DAYS = 92
PATIENCE_S = 3.0
MOST_ROWS = 100
ENDINGS = {3: "refused", 7: "withdrawn"}  # status -> how it ended; any other: finished


@dataclass(frozen=True)
class GamingRule:
    """A rule: the permission its rows need, how few hits are told but never marked, what counts them."""

    key: str
    permission: str
    least: int
    count: Callable[[Connection, City, Period, Choice], RuleCounts]


RULES = (
    GamingRule(BULK, "see.reports", 1, gaming_rules.bulk),
    GamingRule(BEFORE_DUE, "see.dossiers", 5, gaming_rules.before_due),
    GamingRule(AGAIN, "see.dossiers", 5, gaming_rules.again),
)
RULE_BY_KEY: Mapping[str, GamingRule] = {rule.key: rule for rule in RULES}


@dataclass(frozen=True)
class Sign:
    """One agency under one rule, its own rows without those of units below it.

    n = what was looked at, hits = what the rule counts, expected = as many by chance, most = up to so many chance explains (tail 0.135 %).
    low..high = 95 % interval of times the expected (before_due) or of the share in percent (again). rows = rows behind the hits.
    is_unusual = more than chance explains; nothing is said of why.
    """

    kind: str
    agency_code: str
    agency: str
    n: int
    hits: int
    expected: float
    most: int
    low: float | None
    high: float | None
    rows: int
    is_unusual: bool


@dataclass(frozen=True)
class GamingFound:
    """What one rule says of the period: unusual agencies first. alarms = agencies chance alone would mark; read = rows it looked at.

    blind = why it can say nothing: no_alias (no dossier names another number), took_too_long, '' = it can.
    """

    kind: str
    signs: tuple[Sign, ...]
    alarms: float
    read: int
    blind: str = ""

    @property
    def unusual(self) -> tuple[Sign, ...]:
        """Agencies beyond what chance explains."""
        return tuple(sign for sign in self.signs if sign.is_unusual)


def read(city: City, period: Period, choice: Choice = NOTHING_CHOSEN) -> tuple[GamingFound, ...]:
    """What every rule this reader may ask says of what ended in the period, at most LONGEST_DAYS. Requires see.dossiers.

    A rule that is not done within PATIENCE_S says so (blind); the others stand.
    """
    _check(city, period)
    return tuple(_one(city, rule, period, choice) for rule in RULES if city.scope.permits(rule.permission))


def _one(city: City, rule: GamingRule, period: Period, choice: Choice) -> GamingFound:
    asked = ("gaming", rule.key, city.revision, city.today_on, period, choice, city.config.feedback)
    try:
        found: GamingFound = city.once(*asked, make=lambda: _read(city, rule, period, choice))
    except TookTooLong:
        return GamingFound(rule.key, (), 0.0, 0, "took_too_long")
    return found


def _read(city: City, rule: GamingRule, period: Period, choice: Choice) -> GamingFound:
    with bounded(city.store, PATIENCE_S) as connection:
        return _found(connection, city, rule, rule.count(connection, city, period, choice))


def _check(city: City, period: Period) -> None:
    city.scope.require("see.dossiers")
    if period.days > LONGEST_DAYS:
        raise ValueError(f"period: at most {LONGEST_DAYS} days here")


def _found(connection: Connection, city: City, rule: GamingRule, told: RuleCounts) -> GamingFound:
    """Named and in order: the unusual by how far beyond chance they are, then the others by hits."""
    names = read_names(connection, city, [{"agency_code": one.agency} for one in told.tried])
    signs, alarms = [], 0.0
    for one in told.tried:
        most = chance.most_by_chance(one.tail, one.bound)
        alarms += one.tail(max(most + 1, rule.least))
        signs.append(_sign(rule, one, most, names))
    order = sorted(signs, key=lambda sign: (not sign.is_unusual, sign.most - sign.hits if sign.is_unusual else -sign.hits, sign.agency))
    return GamingFound(rule.key, tuple(order), alarms, told.read, told.blind)


def _sign(rule: GamingRule, one: Tried, most: int, names: Names) -> Sign:
    low, high = one.interval or (None, None)
    return Sign(
        rule.key, names.code("agency_code", one.agency), names.agency(one.agency), one.n, one.hits, one.expected, most, low, high, one.rows,
        one.hits > most and one.hits >= rule.least,
    )


def estimate(city: City, period: Period, choice: Choice = NOTHING_CHOSEN) -> int:
    """Rows the whole question will look at, from the roll-ups. Requires see.dossiers."""
    city.scope.require("see.dossiers")
    start, end = number_of(period.start_on), number_of(period.end_on)
    with city.store.reading() as connection:
        dossiers = flow_sums(connection, city, "dossiers", start, end, choice)
        reports = flow_sums(connection, city, "reports", start, end, choice)
    return dossiers["received"] + 2 * dossiers["finished"] + dossiers["refused"] + 3 * reports["closed"]


# ---- what a sign stands on ------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class GamingRow:
    """What one row of a sign rests on: a day of endings in bulk (day, n), a dossier ended just before due, or one registered again.

    how = refused | withdrawn | finished; next_ = the dossier that came after it.
    """

    kind: str
    day: str = ""
    n: int = 1
    feed: str = ""
    source_id: str = ""
    procedure_code: str = ""
    procedure: str = ""
    how: str = ""
    due_at: int | None = None
    ended_at: int | None = None
    next_feed: str = ""
    next_id: str = ""
    next_at: int | None = None
    next_due_at: int | None = None


def evidence(city: City, kind: str, agency: str, period: Period, choice: Choice = NOTHING_CHOSEN) -> tuple[GamingRow, ...]:
    """The newest rows (at most MOST_ROWS) behind an agency's sign. KeyError for an unknown kind; Forbidden without its permission."""
    _check(city, period)
    city.scope.require(RULE_BY_KEY[kind].permission)
    asks = {BULK: _bulk_days, BEFORE_DUE: _ended_last, AGAIN: _pairs}
    with bounded(city.store, PATIENCE_S) as connection:
        found = asks[kind](connection, city, agency, period, choice)
    return tuple(masked(city, row) for row in found[:MOST_ROWS])


def _bulk_days(connection: Connection, city: City, agency: str, period: Period, choice: Choice) -> list[GamingRow]:
    where, values = conditions(city.scope, "reports", choice)
    rows = connection.execute(
        text(
            f"SELECT closed_on, count(*) FROM ({bulk_rows(city)}) bulk WHERE agency_code = :only{where} "
            "GROUP BY closed_on ORDER BY closed_on DESC"
        ),
        {"bulk_start": number_of(period.start_on), "bulk_end": number_of(period.end_on), "only": agency, **values},
    ).all()
    return [GamingRow(BULK, date_of(on).isoformat(), int(n)) for on, n in rows]


def _ended_last(connection: Connection, city: City, agency: str, period: Period, choice: Choice) -> list[GamingRow]:
    where, values = conditions(city.scope, "dossiers", choice)
    days = gaming_rules.worked_days(city, period)
    rows = connection.execute(
        text(
            "SELECT feed, source_id, procedure_code, agency_code, status, due_at, finished_at AS ended_at, due_on, finished_on "
            "FROM core_dossier WHERE finished_on BETWEEN :start AND :end AND finished_on IS NOT NULL AND agency_code = :only "
            f"AND standing IN (1, 4) AND {gaming_rules.NEAR_ON} AND {gaming_rules.near_due(city)}{where} "
            "ORDER BY finished_at DESC, feed, source_id LIMIT 5000"
        ),
        {**gaming_rules.days_of(period), **gaming_rules.clock_values(city), "only": agency, **values},
    ).mappings()
    last = [dict(row) for row in rows if days[row["due_on"]] == days[row["finished_on"]]]
    return _told(connection, city, BEFORE_DUE, last)


def _pairs(connection: Connection, city: City, agency: str, period: Period, choice: Choice) -> list[GamingRow]:
    return _told(connection, city, AGAIN, gaming_rules.registered_again(connection, city, period, choice, agency))


def _told(connection: Connection, city: City, kind: str, rows: list[Any]) -> list[GamingRow]:
    names = read_names(connection, city, rows)
    return [
        GamingRow(
            kind, "", 1, row["feed"], row["source_id"], names.code("procedure_code", row["procedure_code"]),
            names.procedure(row["procedure_code"]), ENDINGS.get(row["status"], "finished"), row["due_at"], row["ended_at"],
            row.get("next_feed", ""), row.get("next_id", ""), row.get("next_at"), row.get("next_due_at"),
        )
        for row in rows
    ]
