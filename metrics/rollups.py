"""The fold: takes logged cells, recomputes each from core rows, replaces it, deletes the log rows. A round's sums are put in place in
one transaction; on SQLite they are computed before it, so that others land meanwhile.

Never an increment, so any order, split or repeat of deliveries gives the same sums. The clock is the store's: a clock step logs the
cells that time itself has changed (a due instant passed, a day ended) and moves the clock in the same transaction.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np
from sqlalchemy import Connection, text

from metrics.flow_sums import ROLLUPS, Rollup, side_by_side, stacked
from metrics.reading_flags import (
    NO_RULE,
    RULE_OF,
    RULES,
    SPIKE_HOURS,
    STUCK_LEAST,
    Hours,
    Rule,
    flags,
    reach,
    stuck_hours,
    suspects,
)
from store.days import HOUR, DayClock
from store.engine import Store
from store.flags import Look, doubted_stretches, hours_of, readings_of, write_flags
from store.locks import lock_fold
from store.reading_sums import add_flagged, drop_cells, put_hours, sum_areas, sum_days, sum_hours
from store.retention import readings_from
from store.revisions import bump
from store.stage import temporary

ROUND = 20_000
AHEAD = 50_000  # so far a round looks down the log for more of its cells
CLOCK = "now"
TOPICS = ("dossiers", "reports", "readings")


_ROLLUP_OF = {rollup.topic: rollup for rollup in ROLLUPS}


def fold(store: Store, now: int, *, limit: int = ROUND) -> int:
    """Recompute the cells of at most `limit` log rows per topic; returns how many log rows were worked off."""
    return sum(fold_topic(store, topic, now, limit)[0] for topic in logged_topics(store))


def fold_topic(store: Store, topic: str, now: int, limit: int) -> tuple[int, float]:
    """One topic's round in a transaction of its own: (log rows worked off, seconds of work, waiting for its turn not counted)."""
    try:
        return store.write_prepared(
            lambda connection: _compute(connection, store.days, topic, limit),
            lambda connection, made: _replace(connection, store.days, topic, now, made),
        )
    except Overtaken:  # on SQLite: somebody else worked off these rows meanwhile
        return store.write(
            lambda connection: _replace(connection, store.days, topic, now, _compute(connection, store.days, topic, limit))
        )


def drain(store: Store, now: int) -> int:
    """Fold until nothing is logged."""
    total = 0
    while done := fold(store, now):
        total += done
    return total


def backlog(store: Store) -> int:
    """Log rows still to fold, counted up to a thousand: 0 means the roll-ups are current."""
    with store.reading() as connection:
        return int(connection.execute(text("SELECT count(*) FROM (SELECT 1 FROM ops_dirty LIMIT 1000) waiting")).scalar_one())


def logged_topics(store: Store) -> tuple[str, ...]:
    """Topics with log rows to fold. Others are not folded: each round waits for its turn to write."""
    statement = text("SELECT 1 FROM ops_dirty WHERE topic = :topic LIMIT 1")
    with store.reading() as connection:
        return tuple(topic for topic in TOPICS if connection.execute(statement, {"topic": topic}).first())


def rebuild(store: Store, now: int) -> int:
    """Log every cell that core rows touch, empty the roll-ups, fold. The way back from any doubt; what is left of the past stays."""
    store.write(lambda connection: log_everything(connection, store.days))
    return drain(store, now)


def read_clock(connection: Connection) -> int:
    """The store's clock: the instant up to which passing time is in the roll-ups."""
    return int(connection.execute(text("SELECT at FROM ops_clock WHERE name = :name"), {"name": CLOCK}).scalar() or 0)


def clock_step(store: Store, now: int) -> int:
    """Move the store's clock to `now` and log the cells that time has changed since; returns how many were logged.

    The clock never goes back: a machine whose clock was set wrong must not un-pass a due date.
    """
    return store.write(lambda connection: _clock_step(connection, store.days, now))


def _clock_step(connection: Connection, days: DayClock, now: int) -> int:
    for topic in ("dossiers", "reports"):  # a fold under the old clock must not take a row this step does not see yet
        lock_fold(connection, topic)
    before = read_clock(connection)
    if now <= before:
        return 0
    values = {"before": before, "now": now, "name": CLOCK, "day_before": _day_of(days, before), "today": _day_of(days, now)}
    logged = {"dossiers": 0, "reports": 0}
    for topic, statement in _PASSED:
        used = {name: value for name, value in values.items() if f":{name}" in statement}
        logged[topic] += connection.execute(text(statement), used).rowcount
    connection.execute(
        text("INSERT INTO ops_clock (name, at) VALUES (:name, :now) ON CONFLICT (name) DO UPDATE SET at = excluded.at"),
        {"name": CLOCK, "now": now},
    )
    for topic, count in logged.items():
        if count:
            bump(connection, topic, now)
    return sum(logged.values())


def _day_of(days: DayClock, at: int) -> int:
    """The instant at which the day of an instant began."""
    return days.starts_at(days.on(at) or 0)


_PASSED = (
    (
        "dossiers",
        "INSERT INTO ops_dirty (topic, bucket, k1, k2) SELECT DISTINCT 'dossiers', passed_on, agency_code, domain_code FROM core_dossier "
        "WHERE verdict_at IS NULL AND standing = 1 AND due_at >= :before AND due_at < :now",
    ),
    (
        "dossiers",
        "INSERT INTO ops_dirty (topic, bucket, k1, k2) SELECT DISTINCT 'dossiers', passed_day_on, agency_code, domain_code "
        "FROM core_dossier WHERE verdict_at IS NULL AND standing = 1 AND due_at >= :day_before AND due_at < :today",
    ),
    (
        "reports",
        "INSERT INTO ops_dirty (topic, bucket, k1, k2, k3) SELECT DISTINCT 'reports', passed_on, agency_code, area_code, category_code "
        "FROM core_report WHERE closed_on IS NULL AND due_at >= :before AND due_at < :now",
    ),
)


@dataclass(frozen=True)
class Computed:
    """What a round has made of the store as it saw it: how many log rows it works off, the watermark of retention, seconds it took."""

    taken: int
    kept_from: int
    seconds: float


class Overtaken(Exception):
    """What a round was computed from no longer holds."""


def _compute(connection: Connection, days: DayClock, topic: str, limit: int) -> Computed:
    """The sums of a round's cells, in temporary tables: fold_taken, fold_cells and fold_sums or fold_hours."""
    began = time.monotonic()
    lock_fold(connection, topic)
    taken, kept_from = _take(connection, topic, limit), readings_from(connection)
    if taken and topic == "readings":
        # hours whose readings have been taken away are known from their sums alone: those stay as they are
        kept = f"SELECT DISTINCT bucket AS hour, ref FROM fold_taken WHERE bucket >= {kept_from}"
        _cells(connection, kept, (("hour", "INTEGER"), ("ref", "INTEGER")))
        sum_hours(connection, "fold_cells")
    elif taken:
        clock = read_clock(connection)
        _sum_flows(connection, _ROLLUP_OF[topic], {"now": clock, "today": days.on(clock) or 0})
    return Computed(taken, kept_from, time.monotonic() - began)


def _replace(connection: Connection, days: DayClock, topic: str, now: int, made: Computed) -> tuple[int, float]:
    """Put a round's sums in place and take it off the log. What changed since it was computed is in the log again.

    Raises Overtaken when another fold took the same rows, or readings were taken away: older sums must not replace newer ones.
    """
    began = time.monotonic()
    if not made.taken:
        return 0, made.seconds
    done = connection.execute(text("DELETE FROM ops_dirty WHERE seq IN (SELECT seq FROM fold_taken)")).rowcount
    if done != made.taken or readings_from(connection) != made.kept_from:
        raise Overtaken
    if topic == "readings":
        _put_readings(connection, days, made.kept_from)
    else:
        _put_flows(connection, _ROLLUP_OF[topic])
    bump(connection, topic, now)
    return made.taken, made.seconds + time.monotonic() - began


def _take(connection: Connection, topic: str, limit: int) -> int:
    """The oldest `limit` log rows as fold_taken, with all rows further on that name the same cells: they are computed but once."""
    columns, log = "bucket, k1, k2, k3, ref", f"ops_dirty WHERE topic = '{topic}'"  # ours: utility statements take no bound values
    temporary(connection, "fold_taken", f"SELECT seq, {columns} FROM {log} ORDER BY seq LIMIT {int(limit)}")
    taken, last = connection.execute(text("SELECT count(*), max(seq) FROM fold_taken")).one()
    if taken < limit:
        return int(taken)
    further = f"SELECT seq, {columns} FROM {log} AND seq > {int(last)} ORDER BY seq LIMIT {AHEAD}"
    same = f"({columns}) IN (SELECT {columns} FROM fold_taken)"
    found = connection.execute(text(f"INSERT INTO fold_taken SELECT seq, {columns} FROM ({further}) further WHERE {same}"))
    return int(taken + found.rowcount)


def _cells(connection: Connection, select: str, shape: Sequence[tuple[str, str]]) -> None:
    """The cells to compute, as fold_cells. On SQLite in the order of their key, so that grouping by cell needs no sorting."""
    if connection.dialect.name != "sqlite":
        temporary(connection, "fold_cells", select)
        return
    columns = ", ".join(f"{name} {kind}" for name, kind in shape)
    connection.execute(text("DROP TABLE IF EXISTS fold_cells"))
    connection.execute(text(
        f"CREATE TEMPORARY TABLE fold_cells ({columns}, PRIMARY KEY ({', '.join(name for name, _ in shape)})) WITHOUT ROWID"
    ))
    connection.execute(text(f"INSERT INTO fold_cells {select}"))


def _sum_flows(connection: Connection, rollup: Rollup, clock: dict[str, int]) -> None:
    """The cells' flows, as fold_sums; empty cells are left out."""
    keys = ", ".join(f"{log} AS {column}" for column, log in rollup.keys)
    shape = [("bucket", "INTEGER"), *((column, "TEXT") for column, _ in rollup.keys)]
    _cells(connection, f"SELECT DISTINCT bucket, {keys} FROM fold_taken", shape)
    select = stacked(rollup) if connection.dialect.name == "sqlite" else side_by_side(rollup)
    for name, value in clock.items():  # ours: utility statements take no bound values
        select = select.replace(f":{name}", str(int(value)))
    temporary(connection, "fold_sums", select, is_joined=False)


def _put_flows(connection: Connection, rollup: Rollup) -> None:
    """Replace the cells by fold_sums: in the order of days, so that on PostgreSQL those asked together lie together."""
    connection.execute(text(
        f"INSERT INTO ops_folded_day (topic, day, revision) SELECT DISTINCT '{rollup.topic}', bucket, 1 FROM fold_cells "
        "WHERE 1 = 1 ON CONFLICT (topic, day) DO UPDATE SET revision = ops_folded_day.revision + 1"
    ))
    keys = ", ".join(column for column, _ in rollup.keys)
    drop_cells(connection, rollup.table, f"day, {keys}", f"bucket, {keys} FROM fold_cells")
    columns = f"day, {keys}, {', '.join(rollup.flows)}"
    connection.execute(text(f"INSERT INTO {rollup.table} ({columns}) SELECT {columns} FROM fold_sums ORDER BY day, {keys}"))


def _put_readings(connection: Connection, days: DayClock, kept_from: int) -> None:
    """Hours of datastreams, their flags, then hours of areas and days of datastreams from those hours."""
    put_hours(connection, "fold_cells")
    if changes := _judged(connection, kept_from):
        write_flags(connection, changes)
        add_flagged(connection)
    sum_areas(connection)
    sum_days(connection, days)


def _judged(connection: Connection, kept_from: int) -> list[tuple[int, int, int, int]]:
    """(hour, ref, observed_at, flag) of readings in and around the changed hours whose flag is another now.

    Most datastreams are let go after a look at their hours' lowest and highest values. Beside the watermark of retention, where what
    is around a reading is gone, flags stay as they are.
    """
    rows = doubted_stretches(connection, LOOKS, 2 * SPIKE_HOURS, STUCK_LEAST)
    seen = [(RULE_OF.get((row[1], row[2]), NO_RULE), int(row[0]), int(row[3]), int(row[4])) for row in rows]
    hours = _hours(connection, [(ref, first - 2 * reach(rule), last + 2 * reach(rule)) for rule, ref, first, last in seen])
    left = suspects([row[0] for row in seen], hours)
    if not left:
        return []
    doubted, wide = [seen[number] for number in left], [hours.of(number) for number in left]
    stuck = [stuck_hours(row[0], around) for row, around in zip(doubted, wide, strict=True)]
    judged = [_to_judge(row, wide[number], stuck[number]) for number, row in enumerate(doubted)]
    spans = [(row[1], min(own) - SPIKE_HOURS, max(own) + SPIKE_HOURS) for row, own in zip(doubted, judged, strict=True)]
    changes: dict[tuple[int, int, int], int] = {}  # blocks side by side judge some readings twice, alike
    for number, group in groupby(readings_of(connection, spans), key=itemgetter(0)):
        at, values, held = zip(*((row[1], row[2], row[3]) for row in group), strict=True)
        right = flags(doubted[number][0], np.array(at), np.array(values), stuck[number]).tolist()
        for instant, flag, was in zip(at, right, held, strict=True):
            hour = instant // HOUR
            if flag != was and hour in judged[number] and (not kept_from or hour >= kept_from + SPIKE_HOURS):
                changes[hour, doubted[number][1], instant] = flag
    return [(*key, flag) for key, flag in changes.items()]


LOOKS = tuple(
    Look(rule.property, rule.measure_unit, rule.least, rule.most, rule.jump, rule.resting, rule.stuck_hours is not None)
    for rule in RULES
)


def _hours(connection: Connection, stretches: Sequence[tuple[int, int, int]]) -> Hours:
    rows = hours_of(connection, stretches)
    stretch, hour, lowest, highest, flagged = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    whole = [np.array(column, dtype=np.int64) for column in (stretch, hour, flagged)]
    return Hours(whole[0], whole[1], np.array(lowest, dtype=np.float64), np.array(highest, dtype=np.float64), whole[2])


def _to_judge(row: tuple[Rule, int, int, int], hours: Hours, stuck: Collection[int]) -> set[int]:
    """Hours whose readings are judged: near the changed ones all, within the rule's reach those stuck or flagged."""
    rule, _, first, last = row
    far = {hour for hour, flagged in zip(hours.hour.tolist(), hours.flagged.tolist(), strict=True) if flagged or hour in stuck}
    far = {hour for hour in far if first - reach(rule) <= hour <= last + reach(rule)}
    return far | set(range(first - SPIKE_HOURS, last + SPIKE_HOURS + 1))


def log_everything(connection: Connection, days: DayClock) -> None:
    """Empty the roll-ups and log every cell; set-based, so its cost is one pass over each core table.

    Sums of readings that retention has taken away stay: nothing is left to compute them from. A day cut by that boundary stays too;
    its kept hours are logged, and its sum is made of both.
    """
    for table in ("rollup_dossier_day", "rollup_report_day", "ops_dirty"):
        connection.execute(text(f"DELETE FROM {table}"))
    connection.execute(text("UPDATE ops_folded_day SET revision = revision + 1"))
    hour = readings_from(connection)
    for table in ("rollup_reading_hour", "rollup_reading_hour_area"):
        connection.execute(text(f"DELETE FROM {table} WHERE hour >= :hour"), {"hour": hour})
    cut = days.on(hour * HOUR)
    connection.execute(text("DELETE FROM rollup_reading_day WHERE day > :cut"), {"cut": cut if hour else -1})
    for rollup in ROLLUPS:
        keys = [column for column, _ in rollup.keys]
        logs = [log for _, log in rollup.keys]
        for source in rollup.sources:
            if not all(key in _columns(source.table) for key in keys):
                continue
            connection.execute(text(
                f"INSERT INTO ops_dirty (topic, bucket, {', '.join(logs)}) SELECT DISTINCT '{rollup.topic}', "
                f"{source.day}, {', '.join(keys)} FROM {source.table} WHERE {source.day} IS NOT NULL ORDER BY {source.day}"
            ))
    connection.execute(text(
        "INSERT INTO ops_dirty (topic, bucket, k1, ref) SELECT DISTINCT 'readings', r.hour, d.area_code, r.datastream_id "
        "FROM core_reading r JOIN core_datastream d ON d.id = r.datastream_id WHERE r.hour >= :hour"
    ), {"hour": hour})


def _columns(table: str) -> Sequence[str]:
    from_schema = {"core_dossier": ("agency_code", "domain_code", "procedure_code", "channel"),
                   "core_dossier_stop": ("agency_code", "domain_code"),
                   "core_dossier_time": ("agency_code", "domain_code"), "core_report": ("agency_code", "area_code", "category_code")}
    return from_schema[table]


