"""Which weeks a KPI's control limits are made of: the baseline that holds, how a person sets another, the history of all.

A baseline never moves by itself. Until one is kept the first weeks there are serve; `pin` keeps those once there are enough.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from urllib.parse import urlencode

from sqlalchemy import Connection

from metrics.city import City
from metrics.city.numbers.sums import NOTHING_CHOSEN, Choice
from metrics.kpis import kpi
from metrics.periods import Period, parse_period, weeks_of
from metrics.spc import LEAST_BASELINE
from scope import Forbidden
from store.baselines import Baseline, NewBaseline, put_baseline, read_baselines
from store.days import date_of, number_of
from store.keys import By
from text import t

WEEKS = 12  # of a baseline nobody has set
MOST_WEEKS = 104
LEAST_REASON, MOST_REASON = 10, 500
PROGRAM = By("program")


class BaselineFault(ValueError):
    """A baseline cannot be set like this. The shown words are the text of `key` with `words` in it; `field` = what they are about."""

    def __init__(self, key: str, field: str, **words: object) -> None:
        super().__init__(t(key, "en", **words))
        self.key, self.field, self.words = key, field, words


@dataclass(frozen=True)
class Asked:
    """The baseline somebody wants: weeks as texts (2026-W05), and why."""

    key: str
    from_week: str
    to_week: str
    reason: str
    choice: Choice = NOTHING_CHOSEN


def choice_text(choice: Choice) -> str:
    """A choice as it is kept: '' = the whole city."""
    return urlencode([(field.name, value) for field in fields(choice) if (value := getattr(choice, field.name))])


def holding(connection: Connection, city: City) -> dict[tuple[str, str], Baseline]:
    """The newest baseline of every (key, choice) that has one."""
    known = ("baselines", city.revisions.get("operations", 0))
    if known not in city.memo:
        city.memo[known] = {(row.key, row.choice): row for row in read_baselines(connection)}
    found: dict[tuple[str, str], Baseline] = city.memo[known]
    return found


def chosen(held: dict[tuple[str, str], Baseline], key: str, choice: Choice) -> Baseline | None:
    """The baseline that holds for a KPI over a choice: its own, else the whole city's weeks, else none yet."""
    return held.get((key, choice_text(choice))) or held.get((key, ""))


def history(city: City, key: str, choice: Choice = NOTHING_CHOSEN) -> tuple[Baseline, ...]:
    """All baselines a KPI ever had over a choice, newest first. Requires see.desk."""
    city.scope.require("see.desk")
    with city.store.reading() as connection:
        rows = read_baselines(connection)
    return tuple(row for row in reversed(rows) if (row.key, row.choice) == (key, choice_text(choice)))


def may_set(city: City, choice: Choice = NOTHING_CHOSEN) -> bool:
    """May this reader set baselines over this choice? Limited rights set them for what they cover alone."""
    scope = city.scope
    if not scope.permits("manage.baselines"):
        return False
    agency = scope.agencies is None or (bool(choice.agency) and scope.covers_agency(choice.agency))
    return agency and (scope.areas is None or (bool(choice.area) and scope.covers_area(choice.area)))


def set_baseline(city: City, asked: Asked, address: str, now: int) -> int:
    """Keep a new baseline with its reason; the old one stays in the history. Returns its number.

    Requires manage.baselines over the choice. Raises KeyError for an unknown KPI, BaselineFault for weeks or a reason that will not do.
    """
    if not may_set(city, asked.choice):
        raise Forbidden("manage.baselines", city.scope.actor)
    row, reason = kpi(asked.key), " ".join(asked.reason.split())
    first, last = _week(city, asked.from_week, "from_week"), _week(city, asked.to_week, "to_week")
    count = (last.end_on - first.start_on).days // 7 + 1
    if not LEAST_BASELINE <= count <= MOST_WEEKS:
        raise BaselineFault("signals.fault_length", "to_week", least=LEAST_BASELINE, most=MOST_WEEKS)
    if last.end_on >= city.today:
        raise BaselineFault("signals.fault_running", "to_week")
    if not LEAST_REASON <= len(reason) <= MOST_REASON:
        raise BaselineFault("signals.fault_reason", "reason", least=LEAST_REASON, most=MOST_REASON)
    new = NewBaseline(row.key, choice_text(asked.choice), number_of(first.start_on), number_of(last.end_on), reason)
    return put_baseline(city.store, new, By(city.scope.actor, address), now)


def _week(city: City, written: str, field: str) -> Period:
    try:
        found = parse_period(written, city.today)
    except ValueError:
        found = None
    if found is None or found.kind != "week":
        raise BaselineFault("signals.fault_week", field)
    return found


def weeks(baseline: Baseline) -> tuple[Period, Period]:
    """First and last week of a baseline."""
    span = parse_period(f"{date_of(baseline.from_on)}..{date_of(baseline.to_on)}", date_of(baseline.to_on))
    inside = weeks_of(span)
    return inside[0], inside[-1]
