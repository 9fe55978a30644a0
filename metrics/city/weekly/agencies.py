"""Agencies by the share of dossiers on time: whom chance does not explain, whose own weeks really changed; nobody ranked beyond that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import text

from metrics.city.annotations import Annotation
from metrics.city.findings.signals import Signal
from metrics.city.masking import unvetted
from metrics.city.numbers import series
from metrics.city.numbers.series import Point
from metrics.city.numbers.sums import NOTHING_CHOSEN
from metrics.city.weekly.agency_weeks import signals_by_agency
from metrics.city.weekly.asking import Asking
from metrics.city.weekly.changed import quoted, quotes, signal_words, usual
from metrics.city.weekly.parts import Cell, Column, Figure, Link, Row, Statement, Table, Word
from metrics.city.weekly.words import change_of, decimals_of, joined, sentence, short, value_of, with_n
from metrics.funnel import ABOVE, ALIKE, BELOW, FEW, LEAST_N, limits, standing
from metrics.kpis import kpi
from metrics.periods import parse_period
from metrics.spc import DETERIORATED, TOO_LITTLE, VERDICTS
from metrics.spc import standing as sigmas
from store.days import number_of

SECTION, KEY, MOST_WORSE = "agencies", "dossiers_on_time_pct", 2
REORGANISED = "reorganised"
STANDINGS = (ABOVE, ALIKE, BELOW)  # the order of the league; whoever is in the middle has no place in it
FALSE_ALARMS = 0.05  # a week and agency, where nothing changed and limits are those of 12 weeks (docs/numbers.md)
LEAGUE = (
    Column("agency"), Column("standing"), Column("rank", "figure"), Column("value", "figure"), Column("n", "figure"),
    Column("low", "figure"), Column("high", "figure"), Column("previous", "figure"), Column("change", "figure"), Column("signal"),
    Column("usual_low", "figure"), Column("usual_high", "figure"), Column("said"),
)
UNRANKED = (Column("agency"), Column("why"), Column("value", "figure"), Column("n", "figure"))


@dataclass(frozen=True)
class Place:
    """An agency in the week. standing: one of STANDINGS, few or reorganised; low, high: the share chance explains for its n.

    rank: counted from the best for those above, among all judged for those below; None for who is like the others.
    is_reorganised: it became another within the weeks compared: not judged, or only beside the others (signal None).
    """

    code: str
    name: str
    value: float | None
    n: int | None
    state: str
    standing: str
    low: float | None
    high: float | None
    rank: int | None
    previous: float | None
    n_before: int | None
    signal: Signal | None
    is_reorganised: bool = False


@dataclass(frozen=True)
class League:
    """All agencies of a week beside the province's share in percent."""

    share: float | None
    n: int | None
    places: tuple[Place, ...]
    reorganised: tuple[str, ...]

    def of(self, *standings: str) -> tuple[Place, ...]:
        """Those of some standings, in order."""
        return tuple(place for place in self.places if place.standing in standings)

    @property
    def judged(self) -> tuple[Place, ...]:
        """Whose own weeks were judged."""
        return tuple(one for one in self.places if one.signal is not None and one.signal.verdict != TOO_LITTLE)

    @property
    def worse(self) -> tuple[Place, ...]:
        """Whose share really fell, worst first: the rule that fired, then how far from the mean."""
        fell = [one for one in self.judged if one.signal and one.signal.verdict == DETERIORATED]
        return tuple(sorted(fell, key=lambda one: (VERDICTS.index(DETERIORATED), _depth(one), one.code)))


def league(asking: Asking) -> League:
    """The agencies of the week; empty where no feed speaks for all of it."""
    row, whole = kpi(KEY), asking.values[KEY]
    if "dossiers" not in asking.whole:
        return League(None, None, (), ())
    now = series.read_in(asking.connection, asking.city, row, "agency", asking.week, NOTHING_CHOSEN, asking.rule)
    before: Mapping[str, Point] = {}
    week = whole.previous_period
    if week is not None and asking.before(KEY)[0] is not None:
        before = {p.group: p for p in series.read_in(asking.connection, asking.city, row, "agency", week, NOTHING_CHOSEN, asking.rule)}
    now = tuple(point for point in now if point.n or point.state)
    changed = reorganised(asking)
    signals: Mapping[str, Signal] = {}
    if asking.is_over:
        signals = signals_by_agency(asking, row, [p.group for p in now if (p.n or 0) >= LEAST_N])
    places = [
        _place(point, before.get(point.group), whole.value, signals.get(point.group), changed.get(point.group, 0), asking) for point in now
    ]
    return League(whole.value, whole.n, _ranked(places), tuple(one.name for one in places if one.is_reorganised))


def reorganised(asking: Asking) -> dict[str, int]:
    """Agency -> the newest day it began, ended or took over another one, up to the end of the week."""
    rows = asking.connection.execute(
        text(
            "SELECT code, valid_from_on, valid_to_on, successor_code FROM core_agency "
            "WHERE valid_from_on <= :end OR valid_to_on <= :end"
        ),
        {"end": number_of(asking.week.end_on)},
    ).all()
    found: dict[str, int] = {}
    for code, begun, ended, successor in rows:
        for whose, on in ((code, begun), (code, ended), (successor, ended)):
            if whose and on is not None and on <= number_of(asking.week.end_on):
                found[whose] = max(on, found.get(whose, on))
    return found


def statements(asking: Asking, found: League) -> tuple[Statement, ...]:
    """Whose share really fell; then how many stand apart from the province's share, and who stands lowest."""
    if not found.places or found.share is None:
        return ()
    return (*_worse(asking, found), *_apart(asking, found))


def tables(asking: Asking, found: League) -> tuple[Table, ...]:
    """The league, and beside it those whom nobody may rank."""
    if not found.places:
        return ()
    ranked, rest = found.of(*STANDINGS), found.of(FEW, REORGANISED)
    judged = len(found.judged)
    notes = [Word("weekly.note.funnel", {"share": with_n(kpi(KEY), found.share, found.n)}), Word("weekly.note.own_dossiers")]
    if judged:
        chance = {"judged": Figure(judged, "none"), "chance": Figure(judged * FALSE_ALARMS, "none", 1)}
        notes.append(Word("weekly.note.false_alarms", chance))
    tables = (
        Table("league", SECTION, LEAGUE, tuple(_row(asking, one) for one in ranked), tuple(notes)),
        Table("league_unranked", SECTION, UNRANKED, tuple(_unranked(asking, one) for one in rest),
              (Word("weekly.note.unranked", {"least": Figure(LEAST_N, "none")}),)),
    )
    return tuple(table for table in tables if table.rows)


def link_of(asking: Asking, code: str, strange: Iterable[str] = ()) -> Link | None:
    """Where an agency's own weeks stand; nowhere for a name nobody has looked at."""
    return Link("/signals", asking.query(key=KEY, agency=code)) if code and code not in strange else None


def name_of(code: str, label: str) -> Cell:
    """An agency by name; dossiers without one are said to be so."""
    return label or code or Word("weekly.say.no_agency")


def _place(point: Point, before: Point | None, share: float | None, signal: Signal | None, since: int, asking: Asking) -> Place:
    n, low, high = point.n or 0, None, None
    where, is_new = FEW, since > number_of(asking.week.previous().start_on)
    if is_new:
        where, signal = REORGANISED, None
    elif n >= LEAST_N and point.value is not None and share is not None:
        where = standing(round(point.value * n / 100), n, share / 100)
        least, most = limits(n, share / 100)
        low, high = 100 * least / n, 100 * most / n
        if signal and signal.baseline and since > number_of(parse_period(signal.baseline.from_week, asking.city.today).start_on):
            is_new, signal = True, None  # other weeks than its own made its limits
    return Place(
        point.group, point.label, point.value, point.n, point.state, where, low, high, None,
        before.value if before else None, before.n if before else None, signal, is_new,
    )


def _ranked(places: Sequence[Place]) -> tuple[Place, ...]:
    """Best first, those like the others between; a rank only for who stands apart."""
    def order(one: Place) -> tuple[int, float, str]:
        group = STANDINGS.index(one.standing) if one.standing in STANDINGS else len(STANDINGS)
        return group, -(one.value or 0.0), one.code

    found, judged = sorted(places, key=order), sum(one.standing in STANDINGS for one in places)
    below = [one for one in found if one.standing == BELOW]
    ranks = {one.code: number for number, one in enumerate(found, 1) if one.standing == ABOVE}
    ranks |= {one.code: judged - len(below) + number for number, one in enumerate(below, 1)}
    return tuple(replace(one, rank=ranks.get(one.code)) for one in found)


def _depth(one: Place) -> float:
    assert one.signal is not None and one.signal.limits is not None
    return sigmas(one.signal.value or 0.0, one.signal.limits)


def _worse(asking: Asking, found: League) -> tuple[Statement, ...]:
    link, judged = Link("/signals", asking.query(key=KEY)), Figure(len(found.judged), "none")
    if not asking.is_over:
        return ()
    if not found.worse:
        return (Statement(SECTION, Word("weekly.say.no_agency_worse", {"judged": judged}), link),) if found.judged else ()
    told = []
    for one in found.worse[:MOST_WORSE]:
        assert one.signal is not None
        said: Cell = Word("weekly.say.agency_worse", {"agency": _short(one), "said": signal_words(asking, one.signal)})
        if quote := quoted(_own_quotes(asking, one)):
            said = Word("weekly.say.with_quote", {"said": said, "quote": quote})
        told.append(Statement(SECTION, sentence(said), link_of(asking, one.code), is_warning=True))
    if len(found.worse) > MOST_WORSE:
        names = joined([_short(one) for one in found.worse[MOST_WORSE:MOST_WORSE + 3]], "weekly.say.list")
        words = {"more": Figure(len(found.worse) - MOST_WORSE, "none"), "names": names}
        told.append(Statement(SECTION, sentence(Word("weekly.say.more_agencies_worse", words)), link, is_warning=True))
    return tuple(told)


def _apart(asking: Asking, found: League) -> tuple[Statement, ...]:
    above, below = found.of(ABOVE), found.of(BELOW)
    words: dict[str, Cell] = {
        "above": Figure(len(above), "none"), "below": Figure(len(below), "none"), "alike": Figure(len(found.of(ALIKE)), "none"),
        "share": with_n(kpi(KEY), found.share, found.n),
    }
    key = "apart" if above or below else "none_apart"
    if below:
        lowest = below[-1]
        words |= {"lowest": _short(lowest), "value": with_n(kpi(KEY), lowest.value, lowest.n)}
        key = "apart_lowest"
    link = Link("/signals", asking.query(key=KEY))
    return (Statement(SECTION, sentence(Word(f"weekly.say.{key}", words)), link),) if found.of(*STANDINGS) else ()


def _own_quotes(asking: Asking, one: Place) -> list[Annotation]:
    """What people wrote of this very agency; what they wrote of the province stands with its KPI."""
    return [words for words in quotes(asking, KEY, one.code) if words.agency_code]


def _short(one: Place) -> Cell:
    name = name_of(one.code, one.name)
    return short(name) if isinstance(name, str) else name


def _row(asking: Asking, one: Place) -> Row:
    row, signal = kpi(KEY), one.signal
    own = usual(asking, signal) if signal else None
    low, high = (_percent(None if own is None else value) for value in ((own.low, own.high) if own else (None, None)))
    change = None
    if one.value is not None and one.previous is not None and min(one.n or 0, one.n_before or 0) >= row.min_n_change:
        change = one.value - one.previous
    said = quoted(_own_quotes(asking, one), words=500)
    return Row((
        name_of(one.code, one.name), Word(f"weekly.standing.{one.standing}"), Figure(one.rank, "none"),
        value_of(row, one.value, one.n, one.state), Figure(one.n, "none", state=one.state), _percent(one.low), _percent(one.high),
        value_of(row, one.previous), change_of(row, change), Word(f"signals.verdict.{signal.verdict}") if signal else None, low, high, said,
    ), link_of(asking, one.code, _strange(asking)))


def _unranked(asking: Asking, one: Place) -> Row:
    return Row((
        name_of(one.code, one.name), Word(f"weekly.standing.{one.standing}"), value_of(kpi(KEY), one.value, one.n, one.state),
        Figure(one.n, "none", state=one.state),
    ), link_of(asking, one.code, _strange(asking)))


def _percent(value: float | None) -> Figure:
    return Figure(value, "percent", 1 if value is None else max(1, decimals_of(kpi(KEY), value)))


def _strange(asking: Asking) -> frozenset[str]:
    """What stands for names that this reader may not be given."""
    return frozenset(unvetted(asking.connection, asking.city, "agency").values())
