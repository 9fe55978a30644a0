"""Weeks of every agency from one grouped reading: what each one's own control chart is made of."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import text

from metrics.city import feeds
from metrics.city.findings.baselines import chosen as baseline_of
from metrics.city.findings.baselines import holding
from metrics.city.findings.signals import Signal, of_points, spans
from metrics.city.numbers import small_counts
from metrics.city.numbers.series import Point
from metrics.city.numbers.sums import NOTHING_CHOSEN, TABLES, Choice, conditions
from metrics.city.weekly.asking import Asking
from metrics.kpis import Kpi, Sums
from metrics.periods import Period, weeks_of
from store.days import number_of

MONDAY = 3  # day 0 is Thursday, 1 January 1970: (day + 3) / 7 is the same for all days of an ISO week
FLOWS = ("finished", "finished_no_due", "finished_late", "finished_late_day")  # what the share on time is made of
Weeks = dict[str, dict[int, dict[str, int]]]  # agency -> number of the week -> flows


def signals_by_agency(asking: Asking, row: Kpi, agencies: Collection[str]) -> dict[str, Signal]:
    """What the chart of each agency's own weeks says of the week, for a KPI of dossiers made of FLOWS alone.

    As signals.read says it of an agency without others below it: its own baseline where it has one, else the city's weeks.
    """
    held = holding(asking.connection, asking.city)
    sums: dict[Period, Weeks] = {}
    found = {}
    for code in agencies:
        kept = baseline_of(held, row.key, Choice(agency=code))
        points: list[Point] = []
        for span in spans(asking.city, asking.week, kept):
            if span not in sums:
                sums[span] = _sums(asking, span)
            points += _points(asking, row, span, sums[span].get(code, {}))
        found[code] = of_points(asking.city, row, asking.week, points, kept)
    return found


def _points(asking: Asking, row: Kpi, span: Period, flows: Mapping[int, Mapping[str, int]]) -> list[Point]:
    """The weeks of one agency; small counts as this reader is told them."""
    assert row.formula is not None
    through = feeds.speak_until(feeds.of_topic(asking.feeds, row.topic))
    points = []
    for week in weeks_of(span):
        own = flows.get((number_of(week.start_on) + MONDAY) // 7)
        value, n = None, 0
        if own and feeds.is_known(asking.city, row, week, through):
            value, n = row.formula(Sums(own, {}, asking.rule))
        points.append(Point(week.text, week.text, value if n >= row.min_n else None, n))
    return _hidden(asking, row, points)


def _sums(asking: Asking, span: Period) -> Weeks:
    """Every agency's flows of every week of the span, in one reading."""
    where, values = conditions(asking.city.scope, "dossiers", NOTHING_CHOSEN)
    rows = asking.connection.execute(
        text(
            f"SELECT agency_code, (day + {MONDAY}) / 7, {', '.join(f'sum({name})' for name in FLOWS)} FROM {TABLES['dossiers']} "
            f"WHERE day BETWEEN :start AND :end{where} GROUP BY 1, 2"
        ),
        {"start": number_of(span.start_on), "end": number_of(span.end_on), **values},
    )
    found: Weeks = {}
    for code, week, *flows in rows:
        found.setdefault(code, {})[int(week)] = {name: int(value) for name, value in zip(FLOWS, flows, strict=True)}
    return found


def _hidden(asking: Asking, row: Kpi, points: list[Point]) -> list[Point]:
    if small_counts.sees_all(asking.city.scope):
        return points
    states = small_counts.states(row, {point.group: (point.value, point.n or 0) for point in points})
    return [Point(p.group, p.label, None, None, state=states[p.group]) if p.group in states else p for p in points]
