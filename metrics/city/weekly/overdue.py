"""Dossiers overdue at the week's end, by agency: how many, of how many, how old the oldest, beside the week before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from sqlalchemy import text

from metrics.calendars import calendar_for
from metrics.city.masking import unvetted
from metrics.city.numbers import series
from metrics.city.numbers.series import Point
from metrics.city.numbers.sums import NOTHING_CHOSEN, conditions
from metrics.city.weekly.agencies import name_of
from metrics.city.weekly.asking import Asking
from metrics.city.weekly.parts import Cell, Column, Figure, Link, Row, Statement, Table, Word
from metrics.city.weekly.words import change_of, is_worse, joined, sentence, short, value_of
from metrics.kpis import RULE_DAY, kpi
from metrics.worktime import working_day_count
from store.days import date_of, number_of

SECTION, KEY, LARGEST = "overdue", "dossiers_overdue", 3
TABLE = (
    Column("agency"), Column("overdue", "figure"), Column("open_due", "figure"), Column("previous", "figure"), Column("change", "figure"),
    Column("oldest", "date"), Column("oldest_days", "figure"),
)


def by_agency(asking: Asking) -> tuple[Point, ...]:
    """Agencies with overdue dossiers at the week's end, most first; those whose number is not told come last."""
    if "dossiers" not in asking.whole:
        return ()
    found = series.read_in(asking.connection, asking.city, kpi(KEY), "agency", asking.week, NOTHING_CHOSEN, asking.rule)
    return tuple(sorted((p for p in found if p.value or p.state), key=lambda p: (p.value is None, -(p.value or 0), p.group)))


def statements(asking: Asking, found: tuple[Point, ...]) -> tuple[Statement, ...]:
    """How many in all, beside the week before, and where most are."""
    whole, link = asking.values[KEY], Link("/dossiers", {"state": "overdue"})
    if "dossiers" not in asking.whole or whole.value is None:
        return ()
    words: dict[str, Cell] = {"overdue": Figure(whole.value, "dossier"), "of": Figure(whole.n, "none")}
    key = "overdue"
    change = asking.before(KEY)[1]
    if change is not None:
        words |= {"change": Figure(change, "none", is_change=True), "than": asking.than}
        key = "overdue_beside"
    most = [point for point in found[:LARGEST] if point.value]
    if most:
        words["most"] = joined([Word("weekly.say.named", {"name": _short(p), "value": Figure(p.value, "none")}) for p in most],
                               "weekly.say.list")
        key += "_most"
    return (Statement(SECTION, sentence(Word(f"weekly.say.{key}", words)), link, is_warning=is_worse(asking, KEY)),)


def tables(asking: Asking, found: tuple[Point, ...]) -> tuple[Table, ...]:
    """Every agency with overdue dossiers; what they had a week earlier only once the week is over."""
    if not found:
        return ()
    before: Mapping[str, Point] = {}
    week = asking.values[KEY].previous_period
    if week is not None and asking.before(KEY)[0] is not None:
        read = series.read_in(asking.connection, asking.city, kpi(KEY), "agency", week, NOTHING_CHOSEN, asking.rule)
        before = {point.group: point for point in read}
    oldest = oldest_due(asking)
    strange = frozenset(unvetted(asking.connection, asking.city, "agency").values())
    none = Point("", "", 0.0, 0) if before else None  # who has no cell in a week somebody speaks of had none overdue
    rows = tuple(_row(asking, point, before.get(point.group, none), oldest.get(point.group), strange) for point in found)
    return (Table("overdue", SECTION, TABLE, rows, (Word("weekly.note.overdue"),)),)


def oldest_due(asking: Asking) -> dict[str, date]:
    """Agency -> the earliest due day of what was open and overdue at the week's end (now, while the week runs)."""
    city, by_day = asking.city, asking.rule == RULE_DAY
    own, values = conditions(city.scope, "dossiers", NOTHING_CHOSEN)
    passed, late = "passed_on", "due_at < coalesce(verdict_at, :now)"
    if by_day:
        passed, late = "passed_day_on", "due_on < coalesce(verdict_on, :now)"
    stock = f"{passed} <= :end AND {late}{own}"  # as the stock counts it: in from the day it passed, out from the day it ended
    rows = asking.connection.execute(
        text(
            "SELECT agency_code, min(due_on) FROM ("
            f"SELECT agency_code, due_on FROM core_dossier WHERE finished_on IS NULL AND standing = 1 AND {stock} UNION ALL "
            "SELECT agency_code, due_on FROM core_dossier WHERE finished_on IS NOT NULL AND finished_on > :end "
            f"AND standing = 1 AND {stock}) late GROUP BY agency_code"
        ),
        {"end": min(number_of(asking.week.end_on), city.today_on), "now": city.today_on if by_day else city.as_of, **values},
    ).all()
    return {code: date_of(on) for code, on in rows if on is not None}


def oldest_days(asking: Asking, code: str, due_on: date) -> int:
    """Working days of the agency from the day after the due day to the week's end."""
    last = min(asking.week.end_on, asking.city.today)
    return working_day_count(calendar_for(asking.city.config, code), due_on + timedelta(days=1), last)


def _short(point: Point) -> Cell:
    name = name_of(point.group, point.label)
    return short(name) if isinstance(name, str) else name


def _row(asking: Asking, point: Point, before: Point | None, oldest: date | None, strange: frozenset[str]) -> Row:
    row = kpi(KEY)
    was = before.value if before else None
    change = None if point.value is None or was is None else point.value - was
    is_told = oldest is not None and not point.state
    days = Figure(oldest_days(asking, point.group, oldest), "working_day") if is_told and oldest else None
    link = Link("/dossiers", {"state": "overdue", "agency": point.group}) if point.group and point.group not in strange else None
    return Row((
        name_of(point.group, point.label), value_of(row, point.value, point.n, point.state), value_of(row, point.n, state=point.state),
        value_of(row, was, state=before.state if before else ""), change_of(row, change), oldest if is_told else None, days,
    ), link)
