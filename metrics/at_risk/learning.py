"""From a history to what scores open dossiers: looks at past instants, a model judged on the newest of them, a model of all.

A look is taken with what was known at its instant. It teaches only when its dossier's due date had passed a while (GAP) before the end of
the teaching time: a choice by the due date, not by the outcome, so that neither quick ones nor those that missed are favoured.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from metrics.at_risk.clock import Flags, Floats, Ints
from metrics.at_risk.features import Usual, look, usual_at
from metrics.at_risk.history import History, Outcome, known, outcomes
from metrics.at_risk.judging import Baselines, Judgement, baselines_of, calibration, gains, log_loss, ranking
from metrics.at_risk.model import Model, fit
from store.days import DAY

LOOKS = 80  # instants looked at, evenly spaced
WARM_DAYS, WARM_OUTCOMES = 14, 20  # no look before so much is known: nothing could be called usual
USUAL_DAYS = 7  # what is usual is worked out anew so often
GAP = 0.5  # of the limit, between a due date and the end of the teaching time: due dates move, and then outcomes are known later
SPLIT = 0.6  # share of the known outcomes that lie before the split
LEAST_DOSSIERS, LEAST_MISSED = 100, 20  # on either side of the split


@dataclass(frozen=True)
class Looks:
    """Looks one below the other: features, used part of the limit, whose (place in the history), outcome; unresolved = left out."""

    x: Floats
    share: Floats
    dossier: Ints
    missed: Flags
    unresolved: int

    @property
    def weight(self) -> Floats:
        """Of each look: all alike, so that chances are right for the dossiers open at an instant; together as many as dossiers."""
        return np.full(len(self.missed), len(np.unique(self.dossier)) / max(len(self.missed), 1))


@dataclass(frozen=True)
class Learned:
    """What scores dossiers, as of an instant: the model of all looks, baselines, what is usual; and how it was judged."""

    as_of: int
    dossiers: int
    model: Model
    baselines: Baselines
    usual: Usual
    judgement: Judgement


def learn(history: History) -> Learned | None:
    """A model of the whole history with its judgement; None when too little is known to judge one."""
    outcome = outcomes(history)
    judgement = judge(history, outcome)
    if judgement is None:
        return None
    looks = take(history, outcome, instants(history, outcome, 0, history.as_of), history.as_of)
    model = fit(looks.x, looks.missed, looks.weight)
    dossiers = len(np.unique(looks.dossier))
    usual = usual_at(history, outcome, history.as_of)
    return Learned(history.as_of, dossiers, model, baselines_of(looks.share, looks.missed), usual, judgement)


def split_of(outcome: Outcome, as_of: int) -> int:
    """The instant by which SPLIT of the outcomes known now were known."""
    at = np.sort(outcome.known_at[outcome.known_at <= as_of])
    return int(at[int(SPLIT * (len(at) - 1))]) if len(at) else as_of


def judge(history: History, outcome: Outcome) -> Judgement | None:
    """Learn before the split, judge after it; None with too few dossiers, or too few that missed, on either side."""
    split = split_of(outcome, history.as_of)
    past = take(history, outcome, instants(history, outcome, 0, split), split)
    future = take(history, outcome, instants(history, outcome, split, history.as_of), history.as_of)
    for looks in (past, future):
        missed = len(np.unique(looks.dossier[looks.missed]))
        if len(np.unique(looks.dossier)) < LEAST_DOSSIERS or missed < LEAST_MISSED:
            return None
    model, baselines = fit(past.x, past.missed, past.weight), baselines_of(past.share, past.missed)
    chance = model.probability(future.x)
    return Judgement(
        split, len(past.missed), len(np.unique(past.dossier)), len(future.missed), len(np.unique(future.dossier)),
        len(np.unique(future.dossier[future.missed])), past.unresolved + future.unresolved, float(past.missed.mean()),
        float(future.missed.mean()), float(log_loss(chance, future.missed).mean()), ranking(chance, future.missed),
        gains(baselines, chance, future.share, future.missed, future.dossier), calibration(chance, future.missed, future.dossier),
    )


def instants(history: History, outcome: Outcome, after: int, until: int) -> list[int]:
    """The instants looked at in (after, until]: of LOOKS over the whole history, those with enough known before them.

    They stand on a grid that the rows of no later time can move.
    """
    first = int(history.received.min())
    step = max((history.as_of - first) // LOOKS, DAY)
    known_at = np.sort(outcome.known_at)
    warm = max(first + WARM_DAYS * DAY, int(known_at[min(WARM_OUTCOMES, len(known_at) - 1)]))
    return [at for at in range(first, until + 1, step) if at > max(after, warm)]


def take(history: History, outcome: Outcome, ats: list[int], until: int) -> Looks:
    """The looks at these instants that teach by `until`: due well before it as far as was known at the look, the outcome known by then."""
    parts: list[tuple[Floats, Floats, Ints, Flags]] = []
    unresolved, usual, usual_from = 0, None, 0
    for at in ats:
        if usual is None or at - usual_from >= USUAL_DAYS * DAY:
            usual, usual_from = usual_at(history, outcome, at), at
        seen = look(known(history, at), usual)
        dossier = np.flatnonzero(history.received <= at)[seen.row]
        ahead = history.worked(np.full(len(dossier), until), dossier) - history.worked(np.full(len(dossier), at), dossier)
        is_due, is_out = seen.due_left + GAP * seen.limit <= ahead, outcome.known_at[dossier] <= until
        unresolved += int((is_due & ~is_out).sum())
        kept = is_due & is_out
        parts.append((seen.x[kept], seen.share[kept], dossier[kept], outcome.missed[dossier][kept]))
    if not parts:
        return Looks(np.zeros((0, 0)), np.zeros(0), np.zeros(0, np.int64), np.zeros(0, bool), 0)
    x, share, dossier, missed = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return Looks(x, share, dossier, missed, unresolved)
