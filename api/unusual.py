"""What /api/v1/gaming and /api/v1/explain say: the pages' own answers, with n, what is usual, what chance makes; tables of their rows."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from api.answers import Ask, Json, list_or_table, period_json
from api.parameters import Parameter, bad
from api.tables import Column, Table, iso
from metrics.city import City
from metrics.city.findings import coincident, gaming
from metrics.city.findings.gaming import GamingFound, GamingRow
from metrics.city.numbers.sums import Choice
from metrics.periods import Period
from store.bounded import TookTooLong

RULE = Parameter("rule", "one rule", tuple(rule.key for rule in gaming.RULES))
OFFICE = Parameter("office", "an agency's code: the rows behind its sign under `rule`")
HOURS = Parameter("hours", "hours of one day, city time: 14 or 14..17")
KEY = Parameter("key", "a KPI key: which things are part of the figure itself")
_SIGNS = (
    Column("kind"), Column("agency_code"), Column("agency"), Column("n", "whole"), Column("hits", "whole"), Column("expected", "number"),
    Column("most", "whole"), Column("low", "number"), Column("high", "number"), Column("rows", "whole"), Column("is_unusual", "flag"),
)
_ROWS = tuple(
    Column(name, "at" if name.endswith("_at") else "whole" if name == "n" else "text") for name in GamingRow.__dataclass_fields__
)
_THINGS = (
    Column("topic"), Column("kind"), Column("key"), Column("name"), Column("value", "number"), Column("usual", "number"),
    Column("low", "number"), Column("high", "number"), Column("n", "whole"), Column("earlier", "whole"), Column("standing", "number"),
    Column("measure_unit"), Column("distance_km", "number"), Column("is_own", "flag"), Column("is_unusual", "flag"),
)


def answer_gaming(ask: Ask) -> Json | Table:
    """Signs of every rule, or of one; with an office the rows its sign stands on. None of it says why."""
    city, period = ask.city, _period(ask, "last_30d")
    rule, office = ask.asked.text("rule"), ask.asked.text("office")
    try:
        if rule and office:
            rows = [asdict(row) for row in gaming.evidence(city, rule, office, period)]
            return list_or_table(ask, f"gaming {rule}", _ROWS, [tuple(row[column.key] for column in _ROWS) for row in rows])
        found = [one for one in gaming.read(city, period, Choice(agency=ask.asked.text("agency"))) if rule in ("", one.kind)]
    except (ValueError, TookTooLong) as fault:
        raise bad("period", str(fault), "choose a shorter period") from fault
    if ask.form != "json":
        signs = [tuple(getattr(sign, column.key) for column in _SIGNS) for one in found for sign in one.signs]
        return list_or_table(ask, "gaming", _SIGNS, signs)
    return {"period": period_json(period), **_state(city), "rules": [_rule(one) for one in found]}


def _rule(found: GamingFound) -> dict[str, Any]:
    told = {"kind": found.kind, "blind": found.blind or None, "alarms_by_chance": found.alarms, "rows_looked_at": found.read}
    return {**told, "signs": [asdict(sign) for sign in found.signs]}


def answer_explain(ask: Ask) -> Json | Table:
    """What was unlike earlier weeks at a place and time, most unusual first. At the same time is all it says."""
    city, asked = ask.city, ask.asked
    try:
        choice = Choice(agency=asked.text("agency"), area=asked.text("area"))
        found = coincident.read(city, asked.text("key"), _period(ask, "yesterday"), asked.text("hours"), choice)
    except (ValueError, TookTooLong) as fault:
        field = str(fault).partition(":")[0]
        raise bad(field if field in ("key", "hours", "period") else "", str(fault), "see the message") from fault
    rows = [(*(getattr(one, column.key) for column in _THINGS),) for one in (*found.found, *found.others)]
    things = list_or_table(ask, "explain", _THINGS, rows)
    if isinstance(things, Table):
        return things
    tz = city.store.days.tz
    return {
        "key": found.key or None, "area": found.area_code or None, "period": period_json(found.asked.period) if found.asked else None,
        "hours": found.asked.hours or None if found.asked else None, "is_cut": found.asked.is_cut if found.asked else None, **_state(city),
        "compared": found.compared, "by_chance": found.by_chance, "withheld": found.withheld, "things": things,
        "days_off": [{"day": day, "name": name or None} for day, name in found.off],
        "annotations": [{"id": one.id, "body": one.body, "from_on": str(one.from_on), "to_on": str(one.to_on)} for one in found.said],
        "silent_feeds": [
            {"feed": one.feed, "from_at": iso(one.from_at, tz), "until_at": iso(one.until_at, tz) if one.until_at is not None else None}
            for one in found.silent
        ],
    }


def _period(ask: Ask, default: str) -> Period:
    period = ask.asked.period(ask.city, default)
    assert period is not None
    return period


def _state(city: City) -> dict[str, Any]:
    return {"as_of": iso(city.as_of, city.store.days.tz), "revision": city.revision}
