"""The life of every demo dossier as columns of local seconds, one block per filing day, the same whatever `now` is.

A block depends on seed, day and scale only; so history is stable and tomorrow exists as soon as somebody asks for it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from data_sources.demo.catalogue import Catalogue
from data_sources.demo.workdays import DAY_S, HOURS, Floats, Ints, WorkAxis

NEVER = np.int64(1) << np.int64(60)
WEEK_TOTAL = 4_185           # x 90/7 days = 54k
WEEKDAY_SHARE = (1.15, 1.06, 1.0, 0.95, 0.92, 0.6, 0.6)
LATE_AGENCY = "Hải Triêm"     # the clearly late one
REFUSED, WITHDRAWN, STOPPED, NORMAL = 3, 7, 8, 9


@dataclass(frozen=True)
class Dossiers:
    """Columns of equal length. Times are local seconds, NEVER = did not happen (yet unknown end); due NEVER = no due date."""

    day: Ints
    sequence: Ints
    procedure: Ints
    agency: Ints
    channel: Ints
    token: Ints          # random bits for names, flags, defects
    filed: Ints
    received: Ints
    started: Ints
    appraised: Ints
    proposed: Ints
    asked: Ints          # first supplement request, its completion, second one
    given: Ints
    asked_again: Ints
    given_again: Ints
    fee_asked: Ints
    fee_paid: Ints
    ended: Ints
    returned: Ints
    first_due: Ints      # as accepted, after the first supplement, in the end
    second_due: Ints
    due: Ints
    ending: Ints         # REFUSED, WITHDRAWN, STOPPED or NORMAL

    def __len__(self) -> int:
        return len(self.day)

    def take(self, rows: Ints) -> Dossiers:
        """The same columns at these rows."""
        return Dossiers(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


EVENTS = (
    "filed", "received", "started", "asked", "given", "asked_again", "given_again", "fee_asked", "fee_paid", "ended", "returned",
)


def join(blocks: list[Dossiers]) -> Dossiers:
    """Blocks one after the other."""
    return Dossiers(**{f.name: np.concatenate([getattr(b, f.name) for b in blocks]) for f in fields(Dossiers)})


def last_event(dossiers: Dossiers, until: int) -> Ints:
    """Time of the latest event of each dossier at or before `until`; -1 when there is none."""
    latest = np.full(len(dossiers), -1, np.int64)
    for name in EVENTS:
        at = getattr(dossiers, name)
        latest = np.maximum(latest, np.where(at <= until, at, -1))
    return latest


def status_at(dossiers: Dossiers, until: int) -> Ints:
    """TrangThaiHoSo (1..10) of each dossier as known at `until`; 0 = not filed yet."""
    d = dossiers
    status = np.where(d.filed <= until, 1, 0)
    for at, code in ((d.received, 2), (d.started, 4)):
        status = np.where(at <= until, code, status)
    for start, end, code in ((d.fee_asked, d.fee_paid, 6), (d.asked, d.given, 5), (d.asked_again, d.given_again, 5)):
        status = np.where((start <= until) & (until < end), code, status)
    status = np.where(d.ended <= until, d.ending, status)
    return np.where(d.returned <= until, 10, status).astype(np.int64)


def day_volume(day: int, axis: WorkAxis, seed: int, scale: float) -> int:
    """How many dossiers are filed on a day: a week's total is spread over its working days, so holidays shift, not delete."""
    monday = day - (day + 3) % 7
    rng = np.random.default_rng((seed, 1, monday))
    works = np.isin(np.arange(monday, monday + 7), axis.days)
    shares = np.where(works, WEEKDAY_SHARE, 0.10) * rng.uniform(0.94, 1.06, 7)
    total = WEEK_TOTAL * scale * rng.uniform(0.99, 1.01) * (1.0 if works.sum() > 1 else 0.4)
    edges = np.round(np.concatenate([[0.0], np.cumsum(shares / shares.sum() * total)]))
    return int(edges[day - monday + 1] - edges[day - monday])


def day_block(day: int, catalogue: Catalogue, axis: WorkAxis, seed: int, scale: float) -> Dossiers:
    """All dossiers filed on one local day, sorted by filing time, with their whole future."""
    count = day_volume(day, axis, seed, scale)
    rng = np.random.default_rng((seed, 2, day))
    procedure, agency = _choose(catalogue, count, rng)
    works = bool(np.isin(day, axis.days))
    limits = np.array([p.limit_days or 0 for p in catalogue.procedures], np.int64)[procedure]
    channel = _channels(catalogue, agency, works, rng)
    filed = np.sort(_filing_times(day, channel, works, rng))
    lag = np.where(channel == 2, rng.gamma(1.3, 1.1, count), rng.uniform(0.02, 0.15, count))
    received = np.maximum(axis.local(axis.position(filed) + lag), filed)
    sequence = _sequence(agency)
    token = rng.integers(0, 1 << 62, count, dtype=np.int64)
    late = rng.random(count) < _late_share(catalogue)[agency]
    times = _course(axis, received, limits, late, rng)
    whole = Dossiers(
        day=np.full(count, day), sequence=sequence, procedure=procedure, agency=agency, channel=channel, token=token, filed=filed,
        received=received, **times,
    )
    return _early_ends(whole, rng)


def _choose(catalogue: Catalogue, count: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Procedures by weight; the office that decides them, or a commune drawn by its weight."""
    weights = np.array([p.weight for p in catalogue.procedures])
    procedure = rng.choice(len(weights), count, p=weights / weights.sum())
    codes = [agency.code for agency in catalogue.agencies]
    office = np.array([codes.index(f"{codes[0]}.{p.office}") if p.office else -1 for p in catalogue.procedures])
    shares = commune_shares(catalogue)
    commune = rng.choice(len(shares), count, p=shares) + len(codes) - len(shares)
    agency = np.where(office[procedure] < 0, commune, office[procedure])
    return procedure.astype(np.int64), np.where(rng.random(count) < 0.004, 0, agency).astype(np.int64)


def commune_shares(catalogue: Catalogue) -> Floats:
    """Share of each commune agency in communal work: a few wards dominate. Sums to 1."""
    names = [agency.name for agency in catalogue.agencies if agency.area]
    rng = np.random.default_rng(6)
    weights = rng.lognormal(0, 0.55, len(names)) * np.array([2.6 if "phường" in name else 1.0 for name in names])
    weights = np.where([LATE_AGENCY in name for name in names], 5.0, weights)
    return np.asarray(weights / weights.sum())


def _late_share(catalogue: Catalogue) -> Floats:
    rng = np.random.default_rng(7)
    share = np.minimum(0.033 * rng.lognormal(0, 0.6, len(catalogue.agencies)), 0.08)
    return np.where([a.name.endswith(LATE_AGENCY) for a in catalogue.agencies], 0.19, share)


def _channels(catalogue: Catalogue, agency: Ints, works: bool, rng: np.random.Generator) -> Ints:
    """1 desk, 2 online, 3 post; only online at rest days."""
    online = np.array([0.69 if a.area else 0.84 for a in catalogue.agencies])[agency]
    draw = rng.random(len(agency))
    return np.where((draw < online) | (not works), 2, np.where(draw < 0.965, 1, 3)).astype(np.int64)


def _filing_times(day: int, channel: Ints, works: bool, rng: np.random.Generator) -> Ints:
    """Clock of filing: morning peak, smaller afternoon one, for online also the evening."""
    count = len(channel)
    morning, afternoon, evening = rng.normal(8.7, 0.9, count), rng.normal(14.7, 0.9, count), rng.normal(20.3, 1.3, count)
    draw = rng.random(count)
    desk = np.where(draw < 0.64, np.clip(morning, 7.02, 11.4), np.clip(afternoon, 13.52, 16.9))
    online = np.where(draw < 0.5, np.clip(morning, 5.5, 12.9), np.where(draw < 0.82, afternoon, np.clip(evening, 17, 23.9)))
    rest = np.clip(rng.normal(14.5, 4.0, count), 6.0, 23.5)
    hour = np.where(channel == 2, online if works else rest, desk)
    return day * DAY_S + (hour * 3600).astype(np.int64)


def _sequence(agency: Ints) -> Ints:
    """1, 2, 3 ... within each agency, in filing order."""
    order = np.argsort(agency, kind="stable")
    ordered = agency[order]
    starts = np.searchsorted(ordered, ordered)
    sequence = np.empty(len(agency), np.int64)
    sequence[order] = np.arange(len(agency)) - starts + 1
    return sequence


def _course(axis: WorkAxis, received: Ints, limits: Ints, late: np.ndarray, rng: np.random.Generator) -> dict[str, Ints]:
    """From acceptance to hand-over in working hours: steps, supplement waits that stop the clock, due dates moved by them."""
    count = len(received)
    start = axis.position(received)
    first_due = axis.due(received, np.where(limits > 0, limits, 7))
    room = np.maximum(axis.position(first_due) - start, 0.5)
    over = room + rng.lognormal(2.2, 1.35, count)
    used = np.where(late, over, room * np.maximum(rng.beta(1.5, 2.1, count), 0.04))
    asks = (rng.random(count) < np.where(limits > 1, 0.085, 0.012)) & (limits > 0)
    again = asks & (rng.random(count) < 0.06)
    wait = np.where(asks, HOURS * np.ceil(rng.lognormal(1.0, 0.9, count)), 0.0)
    wait_again = np.where(again, HOURS * np.ceil(rng.lognormal(0.8, 0.8, count)), 0.0)

    def at(share: float | Floats, waited: Floats | float = 0.0) -> Ints:
        return axis.local(start + share * used + waited)

    share = rng.uniform(0.15, 0.45, count)
    begin = np.minimum(rng.exponential(0.6, count) + 0.02, used * 0.1)
    asked, given = at(share), at(share, wait)
    asked_again, given_again = at(0.75, wait), at(0.75, wait + wait_again)
    ended = at(1.0, wait + wait_again)
    collects = rng.lognormal(np.where(rng.random(count) < 0.25, 2.6, 0.0), 1.0, count)
    fees = rng.random(count) < 0.03

    def due_after(waited: Floats) -> Ints:
        moved = axis.local(axis.position(first_due) + waited - 0.01) // DAY_S * DAY_S + 17 * 3600
        return np.where(limits > 0, np.where(waited > 0, moved, first_due), NEVER)

    return {
        "started": axis.local(start + begin),
        "appraised": np.where((limits >= 6) | (limits == 0), at(0.55, wait), NEVER),
        "proposed": np.where(limits >= 3, at(0.92, wait + wait_again), NEVER),
        "asked": np.where(asks, asked, NEVER), "given": np.where(asks, given, NEVER),
        "asked_again": np.where(again, asked_again, NEVER), "given_again": np.where(again, given_again, NEVER),
        "fee_asked": np.where(fees, axis.local(start + begin), NEVER),
        "fee_paid": np.where(fees, np.minimum(axis.local(start + begin + rng.gamma(1.0, 3.0, count)), ended), NEVER),
        "ended": ended, "returned": axis.local(start + used + wait + wait_again + collects),
        "first_due": np.where(limits > 0, first_due, NEVER), "second_due": due_after(wait), "due": due_after(wait + wait_again),
        "ending": np.full(count, NORMAL, np.int64),
    }


def _early_ends(d: Dossiers, rng: np.random.Generator) -> Dossiers:
    """Turn some into refused at the door, withdrawn or stopped: what would have come later never happens."""
    count = len(d)
    draw = rng.random(count)
    ending = np.select([draw < 0.014, draw < 0.025, draw < 0.028], [REFUSED, WITHDRAWN, STOPPED], NORMAL).astype(np.int64)
    middle = d.started + ((d.ended - d.started) * rng.uniform(0.2, 0.9, count)).astype(np.int64)
    middle = middle // DAY_S * DAY_S + np.clip(middle % DAY_S, 7 * 3600, 17 * 3600)
    middle = np.clip(middle, d.started, d.ended)
    ended = np.where(ending == REFUSED, d.received, np.where(ending == NORMAL, d.ended, middle))
    columns = {f.name: getattr(d, f.name) for f in fields(d)}
    for name in (*EVENTS[2:-2], "appraised", "proposed"):
        columns[name] = np.where((columns[name] >= ended) & (ending != NORMAL), NEVER, columns[name])
    columns["received"] = np.where(ending == REFUSED, NEVER, d.received)
    columns["returned"] = np.where(ending == NORMAL, d.returned, NEVER)
    columns["ended"], columns["ending"] = ended, ending
    for name in ("first_due", "second_due", "due"):
        columns[name] = np.where(ending == REFUSED, NEVER, columns[name])
    return Dossiers(**columns)
