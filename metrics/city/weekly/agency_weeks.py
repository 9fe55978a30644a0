"""Weeks of every agency from one grouped reading: what each one's own control chart is made of."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import text

from metrics.city import feeds, small_counts
from metrics.city.baselines import choice_text, holding
from metrics.city.baselines import chosen as baseline_of
from metrics.city.series import Point
from metrics.city.signals import Signal, of_points, spans
from metrics.city.sums import NOTHING_CHOSEN, TABLES, Choice, conditions
from metrics.city.weekly.asking import Asking
from metrics.kpis import Kpi, Sums
from metrics.periods import Period, weeks_of
from store.days import number_of

MONDAY = 3  # day 0 is Thursday, 1 January 1970: (day + 3) / 7 is the same for all days of an ISO week


FLOWS = ("finished", "finished_no_due", "finished_late", "finished_late_day")  # what the share on time is made of


def signals_by_agency(asking: Asking, row: Kpi, agencies: Collection[str]) -> dict[str, Signal]:
    """What the chart of each agency's own weeks says of the week, for a KPI of dossiers made of FLOWS alone.

    As signals.read says it of an agency without others below it: its own baseline where it has one, else the city's weeks.
    """
    held, by_weeks = holding(asking.connection, asking.city), dict[tuple[Period, ...], dict[str, list[Point]]]()
    found = {}
    for code in agencies:
        kept = baseline_of(held, row.key, Choice(agency=code))
        asked = spans(asking.city, asking.week, kept)
        if asked not in by_weeks:
            by_weeks[asked] = _points(asking, row, asked)
        found[code] = of_points(asking.city, row, asking.week, by_weeks[asked].get(code, []), kept)
    return found


def has_own_baseline(asking: Asking, key: str, agency: str) -> bool:
    """Did somebody set this agency's own weeks?"""
    return (key, choice_text(Choice(agency=agency))) in holding(asking.connection, asking.city)


def _points(asking: Asking, row: Kpi, asked: tuple[Period, ...]) -> dict[str, list[Point]]:
    """The weeks of every agency, span after span; small counts as this reader is told them."""
    found: dict[str, list[Point]] = {}
    for span in asked:
        weeks = [week for week in weeks_of(span, full_only=False) if week.start_on <= asking.city.today]
        sums = _sums(asking, row, span)
        for code in sums.keys() | found.keys():
            before = found.setdefault(code, [])
            before += _hidden(asking, row, [_point(asking, row, week, sums.get(code, {})) for week in weeks])
    return found


def _sums(asking: Asking, row: Kpi, span: Period) -> dict[str, dict[int, dict[str, int]]]:
    """Agency -> number of the week -> flows."""
    where, values = conditions(asking.city.scope, row.topic, NOTHING_CHOSEN)
    rows = asking.connection.execute(
        text(
            f"SELECT agency_code, (day + {MONDAY}) / 7, {', '.join(f'sum({name})' for name in FLOWS)} FROM {TABLES[row.topic]} "
            f"WHERE day BETWEEN :start AND :end{where} GROUP BY 1, 2"
        ),
        {"start": number_of(span.start_on), "end": min(number_of(span.end_on), asking.city.today_on), **values},
    )
    found: dict[str, dict[int, dict[str, int]]] = {}
    for code, week, *flows in rows:
        found.setdefault(code, {})[int(week)] = {name: int(value) for name, value in zip(FLOWS, flows, strict=True)}
    return found


def _point(asking: Asking, row: Kpi, week: Period, flows: Mapping[int, Mapping[str, int]]) -> Point:
    assert row.formula is not None
    through = feeds.speak_until(feeds.of_topic(asking.feeds, row.topic))
    own = flows.get((number_of(week.start_on) + MONDAY) // 7, {})
    value, n = row.formula(Sums(own, {}, asking.rule)) if feeds.is_known(asking.city, row, week, through) else (None, 0)
    return Point(week.text, week.text, value if n >= row.min_n else None, n)


def _hidden(asking: Asking, row: Kpi, points: list[Point]) -> list[Point]:
    if small_counts.sees_all(asking.city.scope):
        return points
    states = small_counts.states(row, {point.group: (point.value, point.n or 0) for point in points})
    return [Point(p.group, p.label, None, None, state=states[p.group]) if p.group in states else p for p in points]
