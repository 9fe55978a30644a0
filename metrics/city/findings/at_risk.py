"""The at-risk queue: open dossiers whose due date has not passed, by the chance that they miss it, with the reasons.

A model is used only when it was judged better than both baselines; else the queue is ranked by the better baseline and says so.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from metrics.at_risk.clock import NEVER, Floats
from metrics.at_risk.features import NAMES, Look, Usual, look
from metrics.at_risk.history import History
from metrics.at_risk.judging import BASELINES, Judgement
from metrics.at_risk.kept import Kept, from_json, usual_by_code
from metrics.at_risk.reasons import Why, reasons
from metrics.calendars import calendar_for
from metrics.city import City
from metrics.city.findings.risk_rows import read_open
from metrics.city.lists.filters import Filter, narrowed, told
from metrics.city.lists.named import read_names
from metrics.city.lists.paging import LIMIT, MAX_LIMIT
from metrics.city.masking import masked
from metrics.city.numbers.sums import NOTHING_CHOSEN, conditions
from metrics.city.records.timing import days_left
from metrics.city.remembered import Remembered
from metrics.worktime import full_day_seconds
from store.risk import newest_risk

MOST_SCORED = 50_000  # soonest due first; about 1.5 s of work
REMEMBERED = 4  # queues of one set of rights: filters of the minute
MINUTE = 60_000_000
NO_MODEL, TOO_LITTLE, MODEL = "none", "too_little", "model"
OF_STEPS = ("dwell", "reached")  # nothing to say of a dossier whose steps nobody told


@dataclass(frozen=True)
class RiskModel:
    """What the queue is ranked by: model | base_rate | age_over_limit, or too_little | none when nothing could be judged yet.

    dossiers = how many taught it, of_all = how many they stand for; judgement None where there is none.
    """

    ranked_by: str
    learned_at: int | None = None
    dossiers: int = 0
    of_all: int = 0
    judgement: Judgement | None = None


@dataclass(frozen=True)
class RiskReason:
    """A thing that raises the chance, by `adds` log-odds beside the average open dossier; what it is here, and what is usual.

    agency, procedure, share, reached: percent; dwell: working days; in_hand: days of work; steps, waiting: how many; channel: 1 = online.
    """

    key: str
    adds: float
    value: float
    other: float | None = None


@dataclass(frozen=True)
class RiskItem:
    """One open dossier. chance_pct: by what the queue is ranked by, None where nothing is; base_pct, age_pct: the two baselines.

    used_pct = part of the limit used, in working time; step_days = working days in the present step.
    """

    feed: str
    source_id: str
    agency_code: str
    agency_name: str
    procedure_code: str
    procedure_name: str
    received_at: int
    due_at: int
    stopped_at: int | None
    days_left: float | None
    used_pct: float
    step: str
    step_days: float | None
    chance_pct: float | None
    base_pct: float | None
    age_pct: float | None
    reasons: tuple[RiskReason, ...] = ()


@dataclass(frozen=True)
class RiskPage:
    """Rows of one page, likeliest to miss first; total = all that were scored; is_cut = there are more, due later than all of these."""

    model: RiskModel
    total: int
    rows: tuple[RiskItem, ...]
    next_cursor: str
    revision: int
    is_cut: bool = False


@dataclass(frozen=True)
class _Scored:
    """A queue: the dossiers looked at, their chances, and the places of the look in the order of the queue with their sorting keys."""

    history: History
    seen: Look
    usual: Usual
    chance: Floats
    order: tuple[int, ...]
    keys: tuple[tuple[float, int, str, str], ...]
    is_cut: bool


def model(city: City) -> RiskModel:
    """What the queue is ranked by, and how it was judged. Requires see.dossiers."""
    city.scope.require("see.dossiers")
    with city.store.reading() as connection:
        return _model(connection)[0]


def read(city: City, chosen: Filter, *, limit: int = LIMIT, cursor: str = "") -> RiskPage:
    """One page of the queue of a filter of dossiers. Requires see.dossiers; ValueError for a bad filter, cursor or limit."""
    city.scope.require("see.dossiers")
    if not 1 <= limit <= MAX_LIMIT:
        raise ValueError(f"limit: {limit} is not between 1 and {MAX_LIMIT}")
    with city.store.reading() as connection:
        about, kept = _model(connection)
        scored = _scored(connection, city, chosen, about, kept)
        start = bisect_right(scored.keys, _decoded(cursor)) if cursor else 0
        rows = _items(connection, city, scored, about, kept, scored.order[start : start + limit])
    more = start + limit < len(scored.order)
    following = _encoded(scored.keys[start + limit - 1]) if more else ""
    return RiskPage(about, len(scored.order), rows, following, city.revision, scored.is_cut)


def every(city: City, chosen: Filter) -> Iterator[tuple[RiskItem, ...]]:
    """The whole queue as one state of the store, a page at a time: what exports write. Requires export too."""
    for permission in ("see.dossiers", "export"):
        city.scope.require(permission)
    with city.store.reading() as connection:
        about, kept = _model(connection)
        scored = _scored(connection, city, chosen, about, kept)
        for start in range(0, len(scored.order), MAX_LIMIT):
            yield _items(connection, city, scored, about, kept, scored.order[start : start + MAX_LIMIT])


def _model(connection: Connection) -> tuple[RiskModel, Kept | None]:
    row = newest_risk(connection)
    if row is None:
        return RiskModel(NO_MODEL), None
    kept = from_json(row.body)
    if kept is None:
        return RiskModel(TOO_LITTLE, row.learned_at), None
    return RiskModel(kept.judgement.ranked_by, row.learned_at, kept.dossiers, kept.of_all, kept.judgement), kept


# ---- scoring ----------------------------------------------------------------------------------------------------------
def _scored(connection: Connection, city: City, chosen: Filter, about: RiskModel, kept: Kept | None) -> _Scored:
    """The queue, worked out once a minute for all readers of these rights."""

    def make() -> _Scored:
        own, values = conditions(city.scope, "dossiers", NOTHING_CHOSEN, "d.")
        narrow = narrowed(city, "dossiers", chosen)
        history = read_open(connection, city.config, city.as_of, own + narrow.sql, {**values, **narrow.values}, MOST_SCORED)
        return _score(history, about, kept)

    queues: Remembered = city.once("at risk", make=lambda: Remembered(REMEMBERED))
    moment = (city.revisions.get("dossiers", 0), city.as_of // MINUTE, about.learned_at, tuple(told(chosen).items()))
    found: _Scored = queues.of(moment, make)
    return found


def _score(history: History, about: RiskModel, kept: Kept | None) -> _Scored:
    usual = kept.usual(history) if kept else usual_by_code(history, 0.5, {})
    seen = look(history, usual)
    if kept is None:
        chance = seen.share  # nothing can be said of chances: by how much of the limit is used
    elif about.ranked_by == MODEL:
        chance = kept.model.probability(seen.x)
    else:
        chance = kept.baselines.probability(about.ranked_by, seen.share)
    keys = [(-round(float(chance[n]), 6), int(history.due[row]), *history.ids[row]) for n, row in enumerate(seen.row.tolist())]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    return _Scored(history, seen, usual, chance, tuple(order), tuple(keys[n] for n in order), len(history) >= MOST_SCORED)


# ---- rows -------------------------------------------------------------------------------------------------------------
def _items(
    connection: Connection, city: City, scored: _Scored, about: RiskModel, kept: Kept | None, places: tuple[int, ...],
) -> tuple[RiskItem, ...]:
    history, rows = scored.history, scored.seen.row[list(places)].tolist()
    codes = [
        {"agency_code": history.agencies[history.agency[row]], "procedure_code": history.procedures[history.procedure[row]]}
        for row in rows
    ]
    names = read_names(connection, city, codes)
    why = reasons(kept.model, scored.seen.x[list(places)]) if kept and about.ranked_by == MODEL else ((),) * len(places)
    found = []
    for place, row, code, raising in zip(places, rows, codes, why, strict=True):
        agency, procedure = code["agency_code"], code["procedure_code"]
        feed, source_id = history.ids[row]
        stopped = int(history.standing[row])
        due, stopped_at = int(history.due[row]), None if stopped >= NEVER else stopped
        step, dwell = _step(scored, place, city, agency)
        found.append(masked(city, RiskItem(
            feed, source_id, names.code("agency_code", agency), names.agency(agency), names.code("procedure_code", procedure),
            names.procedure(procedure), int(history.received[row]), due, stopped_at, days_left(city, due, stopped_at, agency),
            round(100 * float(scored.seen.share[place]), 1), step, dwell, *_chances(scored, place, kept),
            tuple(
                _reason(scored, kept, city, place, agency, one) for one in raising
                if kept and (dwell is not None or one.key not in OF_STEPS)
            ),
        )))
    return tuple(found)


def _step(scored: _Scored, place: int, city: City, agency: str) -> tuple[str, float | None]:
    """Name of the present step and the working days in it; ('', None) when no step was told."""
    step = int(scored.seen.step[place])
    if step < 0:
        return "", None
    return scored.history.step_names[step], round(float(scored.seen.dwell[place]) / _day_s(city, agency), 2)


def _chances(scored: _Scored, place: int, kept: Kept | None) -> tuple[float | None, float | None, float | None]:
    """Percent: what it is ranked by, the base rate, by age over limit."""
    if kept is None:
        return None, None, None
    share = scored.seen.share[[place]]
    baselines = (float(kept.baselines.probability(key, share)[0]) for key in BASELINES)
    chance, base, age = (round(100 * value, 2) for value in (float(scored.chance[place]), *baselines))
    return chance, base, age


def _reason(scored: _Scored, kept: Kept, city: City, place: int, agency: str, why: Why) -> RiskReason:
    """The reason with its figures."""
    seen, usual = scored.seen, scored.usual
    x = dict(zip(NAMES, seen.x[place].tolist(), strict=True))
    mean = dict(zip(NAMES, kept.model.mean.tolist(), strict=True))
    odds = math.log(usual.lately / (1 - usual.lately))
    at_step = float(usual.reached[seen.step[place]]) if seen.step[place] >= 0 else 0.0
    day_s = _day_s(city, agency)
    told: dict[str, tuple[float, float | None]] = {
        "share": (100 * x["share"], 100 * mean["share"]), "waiting": (x["stops"], None), "channel": (x["online"], None),
        "steps": (math.expm1(x["steps"]), math.expm1(mean["steps"])),
        "dwell": (float(seen.dwell[place]) / day_s, float(seen.usual_dwell[place]) / day_s),
        "reached": (100 * (x["reached"] + at_step), 100 * at_step),
        **{key: (100 / (1 + math.exp(-odds - x[key])), 100 * usual.lately) for key in ("agency", "procedure")},
        "in_hand": (math.exp(x["in_hand"]), math.exp(mean["in_hand"])),
    }
    value, other = told[why.key]
    return RiskReason(why.key, round(why.adds, 3), round(value, 2), None if other is None else round(other, 2))


def _day_s(city: City, agency: str) -> float:
    return full_day_seconds(calendar_for(city.config, agency))


# ---- places in the queue ------------------------------------------------------------------------------------------------
def _encoded(key: tuple[float, int, str, str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).decode().rstrip("=")


def _decoded(cursor: str) -> tuple[float, int, str, str]:
    try:
        chance, due, feed, source_id = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        fits = isinstance(chance, (int, float)) and type(due) is int and isinstance(feed, str) and isinstance(source_id, str)
    except (ValueError, TypeError, binascii.Error, RecursionError):
        fits = False
    if not fits:
        raise ValueError("cursor: not one this queue gave out; leave it out to start again")
    return float(chance), due, feed, source_id
