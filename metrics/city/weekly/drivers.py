"""The 766 score of the week beside the week before, over the same indicators, and what would lift it most."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from metrics.city.findings.signals import FULL_WEEK
from metrics.city.numbers import kpis, score
from metrics.city.numbers.score import Score, ScoredIndicator
from metrics.city.numbers.sums import NOTHING_CHOSEN
from metrics.city.weekly.asking import Asking
from metrics.city.weekly.parts import Cell, Column, Figure, Link, Row, Statement, Table, Word
from metrics.city.weekly.words import sentence
from metrics.comparison import working_days
from metrics.kpis import KPI_BY_KEY, kpi
from store.days import number_of

SECTION, POINTS, MOST_DRIVERS = "score", "score_point", 2
# a rate that is not a share of n cases: no number of cases lifts it alone
NOT_A_SHARE = ("dossiers_satisfied_pct",)
GROUPS = (
    Column("group"), Column("points", "figure"), Column("known_most", "figure"), Column("most", "figure"), Column("before", "figure"),
    Column("change", "figure"),
)
INDICATORS = (
    Column("no"), Column("indicator"), Column("points", "figure"), Column("most", "figure"), Column("missing", "figure"),
    Column("rate", "figure"), Column("n", "figure"), Column("full_at", "figure"), Column("more", "figure"), Column("before", "figure"),
)


def scores(asking: Asking) -> tuple[Score, Score | None]:
    """The score of the week, and that of the week before; None while the week runs, and where one of the two was hardly worked."""
    told = {key: one for key, one in asking.values.items() if KPI_BY_KEY[key].topic in asking.whole}
    now = score.of_values(asking.city, asking.week, told)
    before, rows = asking.week.previous(), [kpi(key) for key in score.KEYS]
    is_short = any(working_days(asking.city.calendar, week) < FULL_WEEK for week in (asking.week, before))
    if not asking.is_over or is_short or number_of(before.start_on) < asking.begun["dossiers"]:
        return now, None
    then = kpis.read_in(asking.connection, asking.city, rows, before, NOTHING_CHOSEN, asking.rule)
    return now, score.of_values(asking.city, before, {one.key: one for one in then})


def statements(asking: Asking, now: Score, before: Score | None) -> tuple[Statement, ...]:
    """The points of what is known, beside the same indicators a week earlier; then what lacks most."""
    link = Link("/indices", asking.query(theme="governance"))
    if now.points is None:
        return (Statement(SECTION, Word("weekly.say.no_score"), link),) if "dossiers" in asking.whole else ()
    words: dict[str, Cell] = {"points": Figure(now.points, POINTS, 1), "known": Figure(now.known_most, POINTS)}
    pairs = _pairs(now, before)
    if pairs:
        change = sum(one for one, _ in pairs.values()) - sum(then for _, then in pairs.values())
        words |= {"change": Figure(change, POINTS, 1, is_change=True), "same": Figure(len(pairs), "none")}
    told = sentence(Word("weekly.say.score_beside" if pairs else "weekly.say.score", words))
    return (Statement(SECTION, told, link), *(_driver(asking, one) for one in drivers(now)[:MOST_DRIVERS]))


def tables(asking: Asking, now: Score, before: Score | None) -> tuple[Table, ...]:
    """Points by group and by indicator; the change of a group is over the indicators known in both weeks."""
    if now.points is None:
        return ()
    pairs = _pairs(now, before)
    groups = []
    for group in now.groups:
        both = [pairs[row.no] for row in group.indicators if row.no in pairs]
        then, change = (sum(old for _, old in both), sum(new - old for new, old in both)) if both else (None, None)
        groups.append(Row((
            Word(f"score.{group.key}"), Figure(group.points, POINTS, 2), Figure(group.known_most, POINTS), Figure(group.most, POINTS),
            Figure(then, POINTS, 2), Figure(change, POINTS, 2, is_change=True),
        ), Link("/indices", asking.query(theme="governance"))))
    indicators = tuple(_row(asking, row, pairs) for group in now.groups for row in group.indicators)
    notes = (Word("weekly.note.same_indicators"),) if pairs else ()
    return Table("score_groups", SECTION, GROUPS, tuple(groups), notes), Table("score_indicators", SECTION, INDICATORS, indicators)


def drivers(now: Score) -> tuple[ScoredIndicator, ...]:
    """Known indicators that lack points, those that lack most first."""
    lacking = [row for row in _known(now) if _missing(row) > 0.005]
    return tuple(sorted(lacking, key=lambda row: (-_missing(row), row.no)))


def more(row: ScoredIndicator) -> int | None:
    """How many more of its n would have met the indicator for all its points; None where that is not a matter of counting."""
    if row.rate is None or not row.n or row.kpi in NOT_A_SHARE:
        return None
    return max(0, math.ceil((row.full_at - row.rate) * row.n / 100 - 1e-9))


def unit_of(row: ScoredIndicator) -> str:
    """What an indicator counts."""
    if KPI_BY_KEY[row.kpi].topic == "reports":
        return "report"
    return "procedure" if row.kpi.startswith("procedures_") else "dossier"


def _driver(asking: Asking, row: ScoredIndicator) -> Statement:
    lifted = more(row)
    words: dict[str, Cell] = {
        "indicator": name_of(row), "rate": Figure(row.rate, "percent", 1), "n": Figure(row.n, "none"),
        "missing": Figure(_missing(row), POINTS, 1), "most": Figure(row.most, "none"), "full_at": Figure(row.full_at, "percent"),
    }
    if lifted is not None:
        words["more"] = Figure(lifted, unit_of(row))
    told = Word("weekly.say.driver_more" if lifted is not None else "weekly.say.driver", words)
    return Statement(SECTION, sentence(told), _link(asking, row))


def name_of(row: ScoredIndicator) -> Word:
    """An indicator's name; its number stands in the table."""
    return Word(f"score.no.{row.no.replace('.', '_')}")


def _row(asking: Asking, row: ScoredIndicator, pairs: Mapping[str, tuple[float, float]]) -> Row:
    lacks = _missing(row) if row.points is not None else None
    lifted = more(row)
    return Row((
        row.no, name_of(row), Figure(row.points, POINTS, 2, state=row.state), Figure(row.most, POINTS), Figure(lacks, POINTS, 2),
        Figure(row.rate, "percent", 1, state=row.state), Figure(row.n, "none"), Figure(row.full_at, "percent"),
        Figure(lifted, unit_of(row)) if lifted is not None else None, Figure(pairs[row.no][1] if row.no in pairs else None, POINTS, 2),
    ), _link(asking, row) if row.kpi else None)


def _link(asking: Asking, row: ScoredIndicator) -> Link:
    return Link("/signals", asking.query(key=row.kpi))


def _missing(row: ScoredIndicator) -> float:
    return row.most - (row.points or 0.0)


def _known(found: Score | None) -> Iterable[ScoredIndicator]:
    return (row for group in (found.groups if found else ()) for row in group.indicators if row.points is not None)


def _pairs(now: Score, before: Score | None) -> dict[str, tuple[float, float]]:
    """Points now and a week earlier of the indicators known in both."""
    then = {row.no: row.points or 0.0 for row in _known(before)}
    return {row.no: (row.points or 0.0, then[row.no]) for row in _known(now) if row.no in then}
