"""What changed for real: KPIs with a signal in the week, worst first; the rest is said to be no real change."""

from __future__ import annotations

from collections.abc import Sequence

from metrics.city import indicators
from metrics.city.annotations import Annotation
from metrics.city.indicators import IndicatorItem
from metrics.city.signals import Signal
from metrics.city.sums import Choice
from metrics.city.weekly.asking import Asking
from metrics.city.weekly.parts import Cell, Column, Figure, Link, Row, Statement, Table, Word
from metrics.city.weekly.words import (
    QUOTE_WORDS,
    change_of,
    decimals_of,
    named,
    sentence,
    short,
    unit_of,
    value_of,
    with_n,
)
from metrics.comparison import working_days
from metrics.kpis import KPI_BY_KEY, Kpi
from metrics.spc import DETERIORATED, TOO_LITTLE, Limits

SECTION, MOST = "changed", 7
JUDGED = (
    Column("kpi"), Column("value", "figure"), Column("n", "figure"), Column("previous", "figure"), Column("change", "figure"),
    Column("last_year", "figure"), Column("low", "figure"), Column("high", "figure"), Column("verdict"), Column("rule"),
    Column("target", "figure"), Column("gap", "figure"), Column("said"),
)
PLANS = (
    Column("indicator"), Column("subject"), Column("of_period"), Column("value", "figure"), Column("plan", "figure"), Column("unit"),
    Column("plan_pct", "figure"), Column("verdict"),
)


def worst(asking: Asking) -> tuple[Signal, ...]:
    """The signals page one tells, worst first."""
    return tuple(one for one in asking.signals if one.is_signal)[:MOST]


def statements(asking: Asking) -> tuple[Statement, ...]:
    """One sentence a signal, and one on all that did not change."""
    link = Link("/signals", asking.query())
    if not asking.is_over:
        return (Statement(SECTION, Word("weekly.say.running", {"week": asking.week.text}), link),)
    judged = [one for one in asking.signals if one.verdict != TOO_LITTLE]
    fired = sum(one.is_signal for one in judged)
    told = tuple(_statement(asking, one) for one in worst(asking))
    if not judged:
        return (Statement(SECTION, Word("weekly.say.nothing_judged"), link),)
    counts = {"quiet": Figure(len(judged) - fired, "none"), "judged": Figure(len(judged), "none"), "fired": Figure(fired, "none")}
    rest = Statement(SECTION, Word("weekly.say.the_rest" if fired else "weekly.say.nothing_changed", counts), link)
    return (*told, rest)


def tables(asking: Asking) -> tuple[Table, ...]:
    """All judged KPIs, and actual figures beside their plans where indicators have any."""
    rows = tuple(_row(asking, one) for one in asking.signals if one.value is not None)
    notes = (Word("weekly.note.limits"), Word("weekly.note.per_day")) if rows else ()
    plans = tuple(map(_plan, indicators.plans(asking.city)))
    found = (Table("judged", SECTION, JUDGED, rows, notes), Table("plans", SECTION, PLANS, plans))
    return tuple(table for table in found if table.rows)


def usual(asking: Asking, signal: Signal) -> Limits | None:
    """The limits of a signal's week in the KPI's own unit: what is charted per day is of the week's days."""
    found, scale = signal.limits, 1.0
    if found is None:
        return None
    if signal.per_day:
        days = float(asking.week.days) if signal.per_day == "all_days" else working_days(asking.city.calendar, asking.week)
        scale = days or 1.0
    return Limits(found.mean * scale, found.low * scale, found.high * scale, found.sigma * (1.0 if found.is_log else scale), found.is_log)


def signal_words(asking: Asking, signal: Signal) -> Cell:
    """What a signal says, without whose it is: value, rule, what is usual."""
    row, limits = KPI_BY_KEY[signal.key], usual(asking, signal)
    assert limits is not None
    side = "up" if signal.side > 0 else "down"
    words = {
        "value": with_n(row, signal.value, signal.n), "mean": _limit(row, limits.mean), "low": _limit(row, limits.low, is_first=True),
        "high": _limit(row, limits.high),
    }
    return Word(f"weekly.say.{signal.rule}_{side}", words)


def quotes(asking: Asking, key: str, agency: str = "") -> tuple[Annotation, ...]:
    """What people wrote that holds for a KPI of the whole province (or of an agency) in the week."""
    return tuple(one for one in asking.said if one.holds_for(key, Choice(agency=agency)))


def quoted(said: Sequence[Annotation], words: int = QUOTE_WORDS) -> Cell:
    """The newest of them with who said it; None of nothing."""
    newest = max(said, key=lambda one: one.said_at, default=None)
    return Word("weekly.say.quote", {"by": newest.said_by, "body": short(newest.body, words)}) if newest else None


def _statement(asking: Asking, signal: Signal) -> Statement:
    row = KPI_BY_KEY[signal.key]
    said: Cell = Word(
        "weekly.say.signal", {"verdict": _verdict(signal), "kpi": named(row), "said": signal_words(asking, signal)},
    )
    if signal.gap and signal.target is not None:
        said = Word("weekly.say.off_target", {"said": said, "target": Figure(signal.target, unit_of(row), row.decimals)})
    if quote := quoted(quotes(asking, signal.key)):
        said = Word("weekly.say.with_quote", {"said": said, "quote": quote})
    return Statement(
        SECTION, sentence(said), Link("/signals", asking.query(key=signal.key)), is_warning=signal.verdict == DETERIORATED,
    )


def _verdict(signal: Signal) -> Word:
    return Word(f"signals.verdict.{signal.verdict}")


def _limit(row: Kpi, value: float, *, is_first: bool = False) -> Figure:
    """A limit; the first of two has no unit of its own."""
    return Figure(value, "none" if is_first else unit_of(row), decimals_of(row, value))


def _row(asking: Asking, signal: Signal) -> Row:
    row, limits, value = KPI_BY_KEY[signal.key], usual(asking, signal), asking.values[signal.key]
    year = asking.last_year.get(signal.key)
    low, high = (_limit_of(row, limits.low if limits else None), _limit_of(row, limits.high if limits else None))
    gap = None if signal.target is None or signal.value is None else signal.value - signal.target
    said = quoted(quotes(asking, signal.key), words=500)
    return Row((
        named(row), value_of(row, signal.value), Figure(signal.n, "none"), value_of(row, value.previous), change_of(row, value.delta),
        value_of(row, year.previous if year else None), low, high, _verdict(signal),
        Word(f"signals.rule.{signal.rule}") if signal.rule else None,
        Figure(signal.target, row.measure_unit, row.decimals), Figure(gap, row.measure_unit, row.decimals, is_change=True), said,
    ), Link("/signals", asking.query(key=signal.key)))


def _limit_of(row: Kpi, value: float | None) -> Figure:
    """A limit in a table."""
    return Figure(value, row.measure_unit, row.decimals if value is None else decimals_of(row, value))


def _plan(item: IndicatorItem) -> Row:
    """An indicator beside its plan: the newest there is, of whatever period."""
    value = Figure(item.value, "none", 2) if item.value is not None else item.value_text
    return Row((
        item.name, item.subject_name, item.period, value, Figure(item.plan, "none", 2), item.measure_unit,
        Figure(item.plan_pct, "percent", 1), Word(f"verdict.{item.verdict}") if item.verdict else None,
    ), Link("/indices", {"theme": item.theme, "year": str(item.end_on.year), "subject": item.subject}))
