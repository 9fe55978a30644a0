"""KPIs of agencies and of the catalogue of procedures, which no sum of dossiers gives.

The catalogue is the province's and keeps no history: what stands in it now is known of now alone, and of no single agency.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from metrics.city import feeds
from metrics.city.numbers.asked import Answers, Asked
from metrics.city.numbers.sums import NOTHING_CHOSEN, conditions
from metrics.kpis import kpi
from metrics.kpis.row import Answer, percent_of
from metrics.periods import Period
from metrics.worktime import add_working_days
from store.days import date_of, number_of
from store.facts import yes
from store.schema import PROCEDURE_USED

UNKNOWN: Answer = (None, 0)
PUBLISHED_BEFORE_WD = 5  # a province's decision stands this many working days before it comes into force (766 1.1; ministries 20)
PUBLIC_WITHIN_WD = 5  # and is made public within as many after it (766 1.2; ministries 10)
CUT_FROM_DAYS = 15  # limits the ministry set at this many working days or more are the ones to be cut (seeds, row 13)
_LISTED = "p.origin = 'catalogue'"
_ONLINE = "p.level IN ('full', 'partial')"


def _speaks(asked: Asked, key: str, period: Period) -> bool:
    """Does a feed of dossiers speak for any part of the period? Not of days before the first dossier: nobody used anything is no fact."""
    through = feeds.speak_until(feeds.of_topic(asked.states, "dossiers"))
    if not feeds.is_known(asked.city, kpi(key), period, through):
        return False
    where, values = conditions(asked.city.scope, "dossiers", NOTHING_CHOSEN)  # what others hold says nothing to this reader
    begun = f"SELECT day FROM rollup_dossier_day WHERE received + finished > 0{where} ORDER BY day LIMIT 1"
    first_on = asked.connection.execute(text(begun), values).scalar()
    return first_on is not None and first_on <= number_of(period.end_on)


def _agencies_reporting(asked: Asked, period: Period) -> Answer:
    """Agencies of the catalogue with a dossier received or finished in the period, over those in force at its end."""
    if asked.choice.domain or not _speaks(asked, "agencies_reporting_pct", period):
        return UNKNOWN
    start, end = asked.days(period)
    where, values = conditions(asked.city.scope, "dossiers", asked.choice, "a.")
    where = where.replace("a.agency_code", "a.code")
    seen = "SELECT DISTINCT agency_code FROM rollup_dossier_day WHERE day BETWEEN :start AND :end AND received + finished > 0"
    total, reporting = asked.connection.execute(
        text(
            f"SELECT count(*), sum(CASE WHEN a.code IN ({seen}) THEN 1 ELSE 0 END) FROM core_agency a WHERE a.origin = 'catalogue' "
            f"AND (a.valid_from_on IS NULL OR a.valid_from_on <= :end) AND (a.valid_to_on IS NULL OR a.valid_to_on >= :end){where}"
        ),
        {"start": start, "end": end, **values},
    ).one()
    return percent_of(int(reporting or 0), int(total))


def _is_whole(asked: Asked) -> bool:
    """Is the question about the whole province, by a reader who may see it? Nothing else has a catalogue of its own."""
    scope = asked.city.scope
    return not asked.choice.agency and not asked.choice.area and scope.agencies is None and scope.areas is None


def _counted(asked: Asked, of: str, among: str, values: dict[str, Any] | None = None) -> Answer:
    """Share of the catalogue's procedures `among` that are `of`, both SQL conditions on p."""
    where = f"{_LISTED} AND {among}" + (" AND p.domain_code = :domain" if asked.choice.domain else "")
    known = {**(values or {}), **({"domain": asked.choice.domain} if asked.choice.domain else {})}
    total, found = asked.connection.execute(
        text(f"SELECT count(*), sum(CASE WHEN {of} THEN 1 ELSE 0 END) FROM core_procedure p WHERE {where}"), known
    ).one()
    return percent_of(int(found or 0), int(total))


def _now(asked: Asked, period: Period, of: str, among: str) -> Answer:
    """The same of the catalogue as it stands; unknown of the past."""
    if not _is_whole(asked) or asked.ends_at(period) is not None:
        return UNKNOWN
    return _counted(asked, of, among)


def _complete(asked: Asked, period: Period) -> Answer:
    return _now(asked, period, "p.has_all_parts", "p.has_all_parts IS NOT NULL")


def _online(asked: Asked, period: Period) -> Answer:
    return _now(asked, period, _ONLINE, "p.level <> ''")


def _used(asked: Asked, key: str, period: Period, met: str, among: str) -> Answer:
    """Procedures with a dossier received in the period that met a condition: one index seek a procedure."""
    if not _is_whole(asked) or not _speaks(asked, key, period):
        return UNKNOWN
    start, end = asked.days(period)
    first = (  # in the index's order, so that no planner reads all dossiers to find one
        "(SELECT d.received_on FROM core_dossier d WHERE d.procedure_code = p.code AND d.received_on BETWEEN :start AND :end "
        f"AND {PROCEDURE_USED} AND {met} ORDER BY d.received_on LIMIT 1)"
    )
    return _counted(asked, f"{first} IS NOT NULL", among, {"start": start, "end": end})


def _used_online(asked: Asked, period: Period) -> Answer:
    return _used(asked, "procedures_used_online_pct", period, "d.channel = 'online'", _ONLINE)


def _paid_online(asked: Asked, period: Period) -> Answer:
    met = f"(d.facts & {yes('has_fee')}) <> 0 AND (d.facts & {yes('is_paid_online')}) <> 0"
    return _used(asked, "procedures_paid_online_pct", period, met, "p.has_fee")


def _payable(asked: Asked, period: Period) -> Answer:
    return _used(asked, "procedures_payable_pct", period, f"(d.facts & {yes('has_fee')}) <> 0", "p.has_fee")


def _time_cut(asked: Asked, period: Period) -> Answer:
    """How much shorter the province's limits are than the ministries', over all procedures where both are known in working days."""
    if not _is_whole(asked) or asked.ends_at(period) is not None:
        return UNKNOWN
    where, domain = (" AND p.domain_code = :domain", {"domain": asked.choice.domain}) if asked.choice.domain else ("", {})
    central, own, n = asked.connection.execute(
        text(
            f"SELECT sum(central_limit_days), sum(limit_days), count(*) FROM core_procedure p WHERE {_LISTED} "
            f"AND central_limit_days >= {CUT_FROM_DAYS} AND limit_days IS NOT NULL AND limit_unit = 'wd'{where}"
        ),
        domain,
    ).one()
    return (100.0 * (central - own) / central if n else None), int(n)


# ---- when procedures were published (766 1.1, 1.2) ------------------------------------------------------------------
MARGIN_DAYS = 60  # no 5 working days take longer, not even around Tết


def _dates(asked: Asked, where: str, start: int, end: int) -> list[tuple[int, int | None, int | None]]:
    """Decision, coming into force and publication (day numbers) of the catalogue's procedures that were decided and meet `where`."""
    values: dict[str, Any] = {"start": start, "end": end}
    if asked.choice.domain:
        where, values["domain"] = f"({where}) AND p.domain_code = :domain", asked.choice.domain
    rows = asked.connection.execute(
        text(
            f"SELECT decision_on, effective_on, published_on FROM core_procedure p WHERE {_LISTED} AND decision_on IS NOT NULL "
            f"AND {where}"
        ),
        values,
    )
    return [(decision, effective, public) for decision, effective, public in rows]


def _nth_working_day(asked: Asked, on: int, n: int) -> int:
    return number_of(add_working_days(asked.city.calendar, date_of(on), n))


def _published_on_time(asked: Asked, period: Period) -> Answer:
    """766 1.1: of procedures decided in the period, those decided at least 5 working days before they come into force."""
    if not _is_whole(asked):
        return UNKNOWN
    where = "effective_on IS NOT NULL AND decision_on BETWEEN :start AND :end"
    decided = [(decision, effective or 0) for decision, effective, _ in _dates(asked, where, *asked.days(period))]
    in_time = sum(_nth_working_day(asked, decision, PUBLISHED_BEFORE_WD) <= effective for decision, effective in decided)
    return percent_of(in_time, len(decided))


def _public_on_time(asked: Asked, period: Period) -> Answer:
    """766 1.2: of procedures made public in the period or due to be, those made public within 5 working days of the decision."""
    if not _is_whole(asked):
        return UNKNOWN
    start, end = asked.days(period)
    where = f"(published_on BETWEEN :start AND :end OR decision_on BETWEEN :start - {MARGIN_DAYS} AND :end)"
    total = in_time = 0
    for decision, _, public in _dates(asked, where, start, end):
        due = _nth_working_day(asked, decision, PUBLIC_WITHIN_WD)
        if any(start <= on <= end for on in (due, public) if on is not None):
            total, in_time = total + 1, in_time + (public is not None and public <= due)
    return percent_of(in_time, total)


ONE_STOP_ANSWERS: Answers = {
    "agencies_reporting_pct": _agencies_reporting,
    "procedures_time_cut_pct": _time_cut,
    "procedures_published_on_time_pct": _published_on_time,
    "procedures_public_on_time_pct": _public_on_time,
    "procedures_complete_pct": _complete,
    "procedures_online_pct": _online,
    "procedures_used_online_pct": _used_online,
    "procedures_paid_online_pct": _paid_online,
    "procedures_payable_pct": _payable,
}
