"""Made-up histories of dossiers for tests of risk: offices of unlike habits, steps, stops, due dates told; and a scrambled future."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from config.workcalendar import make_calendar
from metrics.at_risk.clock import NEVER, Ints
from metrics.at_risk.history import Events, History
from store.days import DAY, HOUR

START = 1_767_571_200_000_000  # 2026-01-05, a Monday
CALENDAR = make_calendar()


def made_up(n: int = 1500, days: int = 240, *, seed: int = 1, signal: float = 1.0) -> History:
    """Dossiers received over `days`, due after 14 calendar days. signal 0 = nothing but the time passed tells who will be late."""
    rng = np.random.default_rng(seed)
    received = START + np.sort(rng.integers(0, days * 24, n)) * HOUR
    agency, is_online = rng.integers(0, 5, n), rng.random(n) < 0.5
    slow = np.where(rng.random(n) < np.where(agency == 0, 0.15 + 0.6 * signal, 0.15), 1.5, 0.5)
    takes = np.maximum(14 * 24 * slow * rng.uniform(0.3, 1.2, n), 24).astype(np.int64)
    as_of = int(received.max()) + 2 * DAY
    finished = received + takes * HOUR
    seen = np.where(finished <= as_of, finished, NEVER)
    due = received + 14 * DAY
    owners = np.repeat(np.arange(n), 3)
    at = received[owners] + (takes[owners] * np.tile([0.05, 0.3, 0.6], n)).astype(np.int64) * HOUR
    steps = Events(owners, at, np.full(len(at), NEVER), np.tile([0, 1, 2], n)).take(at <= as_of)
    waits = np.flatnonzero(rng.random(n) < 0.2)
    stopped = received[waits] + (takes[waits] * 0.4).astype(np.int64) * HOUR
    stops = Events(waits, stopped, stopped + DAY, np.zeros(len(waits), np.int64)).take(stopped <= as_of)
    told = Events(np.arange(n), received + HOUR, due, np.zeros(n, np.int64)).take(rng.random(n) < 0.5)
    return History(
        as_of, received, seen, due, agency, rng.integers(0, 3, n), is_online, np.zeros(n, np.int64), stops, steps, told,
        tuple(f"H1.{code}" for code in range(5)), ("1.001", "1.002", "1.003"), ("in", "at work", "to sign"), (CALENDAR,),
        tuple(("portal", f"D{number:05}") for number in range(n)),
    )


def scrambled(history: History, split: int, seed: int = 7) -> History:
    """The same history up to `split`; whatever happened, landed or came in later is something else."""
    rng = np.random.default_rng(seed)

    def later(values: Ints) -> Ints:
        """Anything after the split becomes another instant after it, or never comes."""
        other = split + 1 + rng.integers(0, 90 * DAY, len(values))
        other = np.where(rng.random(len(values)) < 0.2, NEVER, other)
        return np.where(values > split, other, values)

    def moved(events: Events) -> Events:
        is_later = events.at > split
        at = np.where(is_later, split + 1 + rng.integers(0, 90 * DAY, len(events.at)), events.at)
        kind = np.where(is_later, rng.permutation(events.kind), events.kind)
        until = np.where(is_later, np.maximum(later(events.until), at), events.until)
        return Events(events.owner, at, until, kind)

    is_new, still_open = history.received > split, history.finished > split
    received = np.where(is_new, split + 1 + rng.integers(0, 90 * DAY, len(history)), history.received)
    due = np.where(still_open & (history.due > split), split + 1 + rng.integers(0, 90 * DAY, len(history)), history.due)
    ended_stops = replace(history.stops, until=np.where(still_open[history.stops.owner], later(history.stops.until), history.stops.until))
    return replace(
        history, received=received, finished=later(history.finished), due=due, stops=moved(ended_stops), steps=moved(history.steps),
        told=moved(history.told), agency=np.where(is_new, rng.permutation(history.agency), history.agency),
        procedure=np.where(is_new, rng.permutation(history.procedure), history.procedure),
        is_online=np.where(is_new, rng.permutation(history.is_online), history.is_online),
    )
