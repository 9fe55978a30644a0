"""What changed for real: KPIs with a signal in the week, worst first; the rest is said to be no real change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from metrics.city.annotations import Annotation
from metrics.city.findings.signals import Signal
from metrics.city.numbers import indicators
from metrics.city.numbers.indicators import IndicatorItem
from metrics.city.numbers.sums import Choice
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

SECTION, MOST, MOST_DIGITS = "changed", 7, 5
BEYOND = "beyond_limits"
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
    """One sentence a signal, and one on all that did not change. What somebody wrote is quoted once."""
    link = Link("/signals", asking.query())
    if not asking.is_over:
        return (Statement(SECTION, Word("weekly.say.running", {"week": asking.week.text}), link),)
    judged = [one for one in asking.signals if one.verdict != TOO_LITTLE]
    fired = sum(one.is_signal for one in judged)
    told, quoted_once = [], set[int]()
    for one in worst(asking):
        said = [words for words in quotes(asking, one.key) if words.id not in quoted_once]
        quoted_once.update(words.id for words in said)
        told.append(_statement(asking, one, said))
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
    assert limits is not None and signal.value is not None
    side, told = ("up", limits.high) if signal.side > 0 else ("down", limits.low)
    digits = apart(row, signal.value, told if signal.rule == BEYOND else limits.mean)
    words = {
        "value": with_n(row, signal.value, signal.n, decimals=digits), "mean": _limit(row, limits.mean, digits),
        "low": replace(_limit(row, limits.low, digits), measure_unit="none"), "high": _limit(row, limits.high, digits),
    }
    return Word(f"weekly.say.{signal.rule}_{side}", words)


def apart(row: Kpi, value: float, limit: float) -> int:
    """So many digits that a value beyond a limit is seen to be beyond it."""
    return next((digits for digits in range(row.decimals, MOST_DIGITS) if round(value, digits) != round(limit, digits)), row.decimals)


def quotes(asking: Asking, key: str, agency: str = "") -> tuple[Annotation, ...]:
    """What people wrote that holds for a KPI of the whole province (or of an agency) in the week."""
    return tuple(one for one in asking.said if one.holds_for(key, Choice(agency=agency)))


def quoted(said: Sequence[Annotation], words: int = QUOTE_WORDS) -> Cell:
    """The newest of them with who said it; None of nothing."""
    newest = max(said, key=lambda one: one.said_at, default=None)
    return Word("weekly.say.quote", {"by": newest.said_by, "body": short(newest.body, words)}) if newest else None


def _statement(asking: Asking, signal: Signal, notes: Sequence[Annotation]) -> Statement:
    row = KPI_BY_KEY[signal.key]
    said: Cell = Word(
        "weekly.say.signal", {"verdict": _verdict(signal), "kpi": named(row), "said": signal_words(asking, signal)},
    )
    if signal.gap and signal.target is not None:
        said = Word("weekly.say.off_target", {"said": said, "target": Figure(signal.target, unit_of(row), row.decimals)})
    if quote := quoted(notes):
        said = Word("weekly.say.with_quote", {"said": said, "quote": quote})
    return Statement(
        SECTION, sentence(said), Link("/signals", asking.query(key=signal.key)), is_warning=signal.verdict == DETERIORATED,
    )


def _verdict(signal: Signal) -> Word:
    return Word(f"signals.verdict.{signal.verdict}")


def _limit(row: Kpi, value: float, digits: int) -> Figure:
    """A limit in a sentence."""
    return Figure(value, unit_of(row), max(digits, decimals_of(row, value)))


def _row(asking: Asking, signal: Signal) -> Row:
    row, limits, (previous, change) = KPI_BY_KEY[signal.key], usual(asking, signal), asking.before(signal.key)
    own, year = asking.values[signal.key], asking.last_year.get(signal.key)
    low, high = (_limit_of(row, limits.low if limits else None), _limit_of(row, limits.high if limits else None))
    gap = None if signal.target is None or signal.value is None else signal.value - signal.target
    said = quoted(quotes(asking, signal.key), words=500)
    return Row((
        named(row), value_of(row, own.value, own.n, own.state), Figure(own.n, "none", state=own.state), value_of(row, previous),
        change_of(row, change), value_of(row, year.previous if year else None), low, high, _verdict(signal),
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
