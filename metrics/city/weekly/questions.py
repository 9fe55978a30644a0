"""What to ask: at most five questions made of what the sections told. They ask; none of them says why anything is so."""

from __future__ import annotations

from collections.abc import Sequence

from metrics.city.findings.signals import Signal
from metrics.city.followups import Followup
from metrics.city.numbers.score import ScoredIndicator
from metrics.city.numbers.series import Point
from metrics.city.weekly.agencies import League, link_of, name_of
from metrics.city.weekly.asking import Asking
from metrics.city.weekly.drivers import more, unit_of
from metrics.city.weekly.drivers import name_of as indicator_of
from metrics.city.weekly.parts import Cell, Figure, Link, Statement, Word
from metrics.city.weekly.promised import words_of
from metrics.city.weekly.words import named, short
from metrics.kpis import KPI_BY_KEY
from metrics.spc import DETERIORATED

SECTION = "questions"


def statements(
    asking: Asking, late: Sequence[Followup], changed: Sequence[Signal], found: League, overdue: Sequence[Point],
    drivers: Sequence[ScoredIndicator],
) -> tuple[Statement, ...]:
    """Of the promise that is late longest, the worst signal, the agency that fell most, the largest stock overdue, the indicator that
    lacks most points."""
    asked = (_late(asking, late), _signal(asking, changed), _worse(asking, found), _overdue(overdue), _driver(asking, drivers))
    return tuple(one for one in asked if one is not None)


def _late(asking: Asking, late: Sequence[Followup]) -> Statement | None:
    if not late:
        return None
    return _question("late", words_of(late[0]), Link("/weekly", asking.query()))


def _signal(asking: Asking, changed: Sequence[Signal]) -> Statement | None:
    worst = next((one for one in changed if one.verdict == DETERIORATED), None)
    if worst is None:
        return None
    return _question("signal", {"kpi": named(KPI_BY_KEY[worst.key])}, Link("/signals", asking.query(key=worst.key)))


def _worse(asking: Asking, found: League) -> Statement | None:
    if not found.worse:
        return None
    one = found.worse[0]
    return _question("agency", {"agency": _short(one.code, one.name)}, link_of(asking, one.code))


def _overdue(overdue: Sequence[Point]) -> Statement | None:
    most = next((one for one in overdue if one.value), None)
    if most is None:
        return None
    words: dict[str, Cell] = {"agency": _short(most.group, most.label), "overdue": Figure(most.value, "dossier")}
    query = {"state": "overdue", **({"agency": most.group} if most.group != most.label else {})}
    return _question("overdue", words, Link("/dossiers", query))


def _driver(asking: Asking, drivers: Sequence[ScoredIndicator]) -> Statement | None:
    lifting = [(one, lifted) for one in drivers if (lifted := more(one))]
    if not lifting:
        return None
    one, lifted = lifting[0]
    words: dict[str, Cell] = {"indicator": indicator_of(one), "more": Figure(lifted, unit_of(one))}
    return _question("driver", words, Link("/signals", asking.query(key=one.kpi)))


def _question(key: str, words: dict[str, Cell], link: Link | None) -> Statement:
    return Statement(SECTION, Word(f"weekly.ask.{key}", words), link)


def _short(code: str, label: str) -> Cell:
    name = name_of(code, label)
    return short(name) if isinstance(name, str) else name
