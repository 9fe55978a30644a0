"""What is looked at of an open dossier: one row of numbers per dossier, each a thing that can be said in words.

`Usual` holds what is usual as of an instant: limits, how often offices and procedures missed lately, how much they have in hand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from metrics.at_risk.clock import NEVER, Flags, Floats, Ints
from metrics.at_risk.history import History, Outcome, known
from store.days import DAY

LATELY_DAYS, PACE_DAYS = 90, 28
SHRINK = 30.0  # an office or procedure is taken for like all others until about so many outcomes are known
LEAST_LIMITS = 20  # due dates of a procedure before its own usual limit is used
DAY_S = 8 * 3600.0
KNOTS = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Usual:
    """By place in the history's codes. limit: seconds of working time a procedure's limit has, NaN = nobody knows.

    lately: share of all that missed lately; agency, procedure: log-odds of missing beside those of all; in_hand: log of the days of work
    an agency has open. By step name: the share of the limit usually used when it is reached, and the share it usually lasts.
    """

    limit: Floats
    lately: float
    agency: Floats
    procedure: Floats
    in_hand: Floats
    reached: Floats
    lasts: Floats


@dataclass(frozen=True)
class Look:
    """The open dossiers in time at an instant, one place each in every column. row = place in the history looked at; share = used part of
    the limit; limit, due_left, dwell, usual_dwell = working seconds of the whole limit, to the due date, in the present step, usual there;
    step -1 = none was told; x = features, in the order of NAMES."""

    row: Ints
    share: Floats
    limit: Floats
    due_left: Floats
    step: Ints
    dwell: Floats
    usual_dwell: Floats
    x: Floats


def usual_at(history: History, outcome: Outcome, at: int) -> Usual:
    """What is usual as of an instant, of outcomes and steps known by then alone."""
    is_out = outcome.known_at <= at
    lately = is_out & (outcome.known_at > at - LATELY_DAYS * DAY)
    missed = outcome.missed & lately
    rate = float((missed.sum() + 5 * _share(outcome.missed, is_out)) / (lately.sum() + 5))
    agency = _effect(history.agency, len(history.agencies), missed, lately, rate)
    procedure = _effect(history.procedure, len(history.procedures), missed, lately, rate)
    limits = _limits(history, is_out)
    return Usual(limits, rate, agency, procedure, _in_hand(history, at), *_step_pace(known(history, at), limits))


def _share(missed: Flags, among: Flags) -> float:
    return float((missed & among).sum() + 1) / float(among.sum() + 2)


def _logit(share: float) -> float:
    return float(np.log(share / (1 - share)))


def _effect(code: Ints, size: int, missed: Flags, among: Flags, rate: float) -> Floats:
    """Log-odds of each code beside those of all, drawn to all the more the less is known of it."""
    n = np.bincount(code[among], minlength=size)
    late = np.bincount(code[missed], minlength=size)
    shrunken = (late + SHRINK * rate) / (n + SHRINK)
    odds: Floats = np.log(shrunken / (1 - shrunken)) - _logit(rate)
    return odds


def _limits(history: History, is_out: Flags) -> Floats:
    """The usual limit of each procedure: the median from receipt to due date without the stops that moved it; of all where too few."""
    rows = np.flatnonzero(is_out & (history.due < NEVER))
    if not len(rows):
        return np.full(len(history.procedures), np.nan)
    start = history.worked(history.received)
    limit = history.worked(history.due) - start - stopped(history, history.due)
    found = np.full(len(history.procedures), np.median(limit[rows]))
    order = rows[np.argsort(history.procedure[rows], kind="stable")]
    codes, first = np.unique(history.procedure[order], return_index=True)
    for code, mine in zip(codes, np.split(order, first[1:]), strict=True):
        if len(mine) >= LEAST_LIMITS:
            found[code] = np.median(limit[mine])
    return np.where(found > 0, found, np.nan)


def _in_hand(history: History, at: int) -> Floats:
    """Log of how many days' work each agency has open: open dossiers over those it ended a day lately."""
    size = len(history.agencies)
    is_open = (history.received <= at) & (history.finished > at)
    ended = (history.finished <= at) & (history.finished > at - PACE_DAYS * DAY)
    opened = np.bincount(history.agency[is_open], minlength=size)
    pace = np.bincount(history.agency[ended], minlength=size) / PACE_DAYS
    all_days = (is_open.sum() + 1) / (ended.sum() / PACE_DAYS + 1 / PACE_DAYS)
    days: Floats = np.log((opened + all_days) / (pace + 1))  # an agency of which little is known is taken for like all others
    return days


def stopped(history: History, until: Ints) -> Floats:
    """Seconds of working time each dossier's clock stood still before an instant of its own."""
    stops = history.stops
    ends = np.minimum(stops.until, until[stops.owner])
    inside = stops.take(stops.at < ends)
    spans = history.worked(ends[stops.at < ends], inside.owner) - history.worked(inside.at, inside.owner)
    return np.bincount(inside.owner, spans, minlength=len(history)).astype(float)


def _step_pace(past: History, limits: Floats) -> tuple[Floats, Floats]:
    """By step name, medians over all dossiers so far: the share of the limit used when the step is reached, and that it lasts."""
    events, size = past.steps, len(past.step_names)
    order = np.lexsort((events.at, events.owner))
    owner, at, kind = events.owner[order], events.at[order], events.kind[order]
    if not len(owner):
        return np.zeros(size), np.zeros(size)
    limit = limits[past.procedure]
    reached = (past.worked(at, owner) - past.worked(past.received)[owner]) / limit[owner]
    follows = np.append(owner[1:] == owner[:-1], False)
    end = np.where(follows, np.append(at[1:], 0), past.finished[owner])
    over = end < NEVER
    lasts = np.full(len(owner), np.nan)
    lasts[over] = (past.worked(end[over], owner[over]) - past.worked(at[over], owner[over])) / limit[owner[over]]
    return _medians(reached, kind, size), _medians(lasts, kind, size)


def _medians(values: Floats, kind: Ints, size: int) -> Floats:
    """Median of the finite values of each kind, drawn to that of all: 10 values count as much as all together."""
    fine = np.isfinite(values)
    middle = float(np.median(values[fine])) if fine.any() else 0.0
    found = np.full(size, middle)
    for code in np.unique(kind[fine]):
        mine = values[fine & (kind == code)]
        found[code] = (np.median(mine) * len(mine) + 10 * middle) / (len(mine) + 10)
    return found


NAMES = (
    "share", *(f"share_{knot:.2f}" for knot in KNOTS), "limit", "left", "waiting", "stops", "dwell", "reached", "steps", "online",
    "agency", "procedure", "in_hand",
)


def look(history: History, usual: Usual) -> Look:
    """The dossiers open and in time at `history.as_of`; history holds what was known by then (`known`), `usual` likewise."""
    now = np.full(len(history), history.as_of)
    start, here = history.worked(history.received), history.worked(now)
    waiting, stops = history.standing, np.bincount(history.stops.owner, minlength=len(history))
    elapsed = here - start - stopped(history, now)
    limit, left = _limit_and_left(history, usual, elapsed, waiting)
    in_time = np.where(history.due < NEVER, history.due > np.minimum(waiting, history.as_of), left > 0)
    rows = np.flatnonzero((history.finished == NEVER) & in_time & np.isfinite(limit))
    share = np.clip(elapsed / limit, 0, 1.5)
    step_at, step, count = _last_step(history)
    lasts, reached = (np.append(values, 0.0)[step] for values in (usual.lasts, usual.reached))  # -1 = the one added: no step told
    dwell, has_step = here - step_at, step >= 0
    columns = (
        share, *(np.clip(share - knot, 0, None) for knot in KNOTS), np.log(limit / DAY_S + 0.1),
        np.log(np.maximum(left, 0) / DAY_S + 0.1), waiting < NEVER, np.minimum(stops, 3),
        np.where(has_step, np.clip(dwell / limit - lasts, -1, 1.5), 0.0),
        np.where(has_step, np.clip((step_at - start) / limit - reached, -1, 1.5), 0.0), np.log1p(count), history.is_online,
        usual.agency[history.agency], usual.procedure[history.procedure], usual.in_hand[history.agency],
    )
    x = np.column_stack([np.asarray(column, float)[rows] for column in columns])
    return Look(rows, share[rows], limit[rows], left[rows], step[rows], dwell[rows], (lasts * limit)[rows], x)


def _limit_and_left(history: History, usual: Usual, elapsed: Floats, waiting: Ints) -> tuple[Floats, Floats]:
    """Working seconds of each dossier's whole limit and those left of it: by its due date where one was told, else by what is usual.

    While the clock stands still nothing of it is used up.
    """
    told, here = history.due < NEVER, np.minimum(waiting, history.as_of)
    left = np.zeros(len(history))
    owners = np.flatnonzero(told)
    left[told] = history.worked(history.due[told], owners) - history.worked(here[told], owners)
    limit = np.where(told, elapsed + left, usual.limit[history.procedure])
    limit = np.where(limit > 0, limit, np.nan)
    return limit, np.where(told, left, limit - elapsed)


def _last_step(history: History) -> tuple[Floats, Ints, Ints]:
    """Position of each dossier's newest step (its receipt without any), which step (-1 = none), how many there were."""
    events = history.steps
    order = np.argsort(events.at, kind="stable")
    at = history.received.copy()
    at[events.owner[order]] = np.maximum(events.at[order], history.received[events.owner[order]])
    step = np.full(len(history), -1)
    step[events.owner[order]] = events.kind[order]
    return history.worked(at), step, np.bincount(events.owner, minlength=len(history))
