"""Feeds as the operations centre sees them: state, age, rows, rejects with reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from config import FeedConfig
from metrics.city import City
from metrics.city.masking import masked
from metrics.city.sights import Sight
from metrics.kpis import Kpi
from metrics.periods import Period
from scope import Forbidden
from store.days import number_of

FRESH, LATE, STALE, DEAD, NEVER, STATIC = "fresh", "late", "stale", "dead", "never", "static"
STATES = (FRESH, LATE, STALE, DEAD, NEVER, STATIC)
ROLE_TOPIC = {"one_stop": "dossiers", "feedback": "reports", "sensors": "readings"}


@dataclass(frozen=True)
class FeedState:
    """A feed now. Instants are microseconds UTC. `through_at` = up to when its data speak; `open_rejects` = still in quarantine."""

    key: str
    role: str
    title: str
    owner: str
    protocol: str
    state: str
    cadence_s: int | None
    loaded_at: int | None
    newest_at: int | None
    through_at: int | None
    landed: int
    rejected: int
    open_rejects: int
    error: str
    error_at: int | None


def freshness(age_s: float | None, cadence_s: int | None) -> str:
    """fresh <= 1x the cadence, late <= 2x, stale <= 5x, dead beyond; never = no data; static = no cadence was promised."""
    if age_s is None:
        return NEVER
    if cadence_s is None:
        return STATIC
    for factor, state in ((1, FRESH), (2, LATE), (5, STALE)):
        if age_s <= factor * cadence_s:
            return state
    return DEAD


def read(city: City) -> tuple[FeedState, ...]:
    """The state of every configured feed, in the city file's order. Requires see.feeds."""
    city.scope.require("see.feeds")
    with city.store.reading() as connection:
        return read_in(connection, city)


def read_in(connection: Connection, city: City) -> tuple[FeedState, ...]:
    """The same inside a transaction of the caller."""
    found = {row["feed"]: row for row in connection.execute(text("SELECT * FROM ops_feed")).mappings()}
    waiting = connection.execute(text("SELECT feed, count(*) FROM ops_reject WHERE resolved_at IS NULL GROUP BY feed"))
    rejects: dict[str, int] = dict(waiting.all())
    return tuple(_state(feed, found.get(feed.key), int(rejects.get(feed.key, 0)), city.as_of) for feed in city.config.feeds)


def _state(feed: FeedConfig, row: object, open_rejects: int, now: int) -> FeedState:
    values = dict(row) if row else {}  # type: ignore[call-overload]
    loaded, newest = values.get("loaded_at"), values.get("newest_at")
    # sensors speak by their newest reading: a source that answers with old data is not fresh
    through = newest if feed.role == "sensors" or (feed.cadence_s is None and newest is not None) else loaded
    if feed.cadence_s is None and through is None:
        through = loaded  # areas have no newest instant: once loaded they are there
    age = None if through is None else max(0, now - through) / 1e6
    return FeedState(
        feed.key, feed.role, feed.title or feed.key, feed.owner, feed.protocol, freshness(age, feed.cadence_s), feed.cadence_s, loaded,
        newest, through, int(values.get("landed") or 0), int(values.get("rejected") or 0), open_rejects, values.get("error") or "",
        values.get("error_at"),
    )


def of_topic(states: tuple[FeedState, ...], topic: str) -> tuple[FeedState, ...]:
    """The feeds a topic's figures come from."""
    return tuple(state for state in states if ROLE_TOPIC.get(state.role) == topic)


def speak_until(states: Sequence[FeedState]) -> int | None:
    """Up to when these feeds speak together: the latest of them; None when none has spoken."""
    return max((state.through_at for state in states if state.through_at is not None), default=None)


def coverage(city: City, period: Period, through: int | None) -> float:
    """Share (0..1) of the elapsed part of the period that lies before `through`; 0 = nothing is known of it."""
    start = city.store.days.starts_at(number_of(period.start_on))
    end = min(city.as_of, city.store.days.starts_at(number_of(period.end_on) + 1))
    if through is None or through <= start or end <= start:
        return 0.0
    return min(1.0, (through - start) / (end - start))


def is_known(city: City, row: Kpi, period: Period, through: int | None) -> bool:
    """Do feeds that speak until `through` tell anything of the KPI's period? Silence is unknown, not zero.

    A stock of now stays known however long they have been silent: its age is shown with it.
    """
    if row.is_stock and through is not None and period.start_on <= city.today <= period.end_on:
        return True
    return coverage(city, period, through) > 0


@dataclass(frozen=True)
class Losses:
    """What a feed once brought and no figure counts now, and what its quarantine could not hold: counts.

    deleted = taken back by the source, superseded = another feed has the same id, unseen = open, but not in the last snapshot.
    """

    deleted: int
    superseded: int
    unseen: int
    dropped_rejects: int


def losses(city: City, feed: str) -> Losses:
    """The losses of one feed. Requires see.feeds."""
    city.scope.require("see.feeds")
    values = {"feed": feed}
    with city.store.reading() as connection:
        gone: dict[str, int] = dict(
            connection.execute(text("SELECT reason, count(*) FROM core_withdrawn WHERE feed = :feed GROUP BY reason"), values).all()
        )
        unseen = connection.execute(text("SELECT count(*) FROM core_unseen WHERE feed = :feed"), values).scalar_one()
        dropped = connection.execute(text("SELECT dropped_rejects FROM ops_feed WHERE feed = :feed"), values).scalar()
    return Losses(int(gone.get("deleted", 0)), int(gone.get("superseded", 0)), int(unseen), int(dropped or 0))


@dataclass(frozen=True)
class RejectCount:
    """How many items of a feed wait in quarantine for one reason and field."""

    feed: str
    reason: str
    field: str
    count: int
    last_at: int


def reject_counts(city: City, feed: str = "") -> tuple[RejectCount, ...]:
    """Rejects still in quarantine by feed, reason and field, most first. Requires see.feeds."""
    city.scope.require("see.feeds")
    where = "AND feed = :feed" if feed else ""
    with city.store.reading() as connection:
        rows = connection.execute(
            text(
                "SELECT feed, reason, field, count(*), max(last_at) FROM ops_reject WHERE resolved_at IS NULL "
                f"{where} GROUP BY feed, reason, field ORDER BY count(*) DESC, feed, reason, field"
            ),
            {"feed": feed} if feed else {},
        ).all()
    return tuple(RejectCount(*row) for row in rows)


@dataclass(frozen=True)
class RejectItem:
    """One quarantined item; `payload` (JSON text) and `value` are only for those who may read what citizens wrote."""

    id: int
    feed: str
    item: str
    field: str
    reason: str
    value: str
    payload: str
    first_at: int
    last_at: int
    times: int


def reads_rejects(city: City) -> bool:
    """May this scope read what waits in quarantine? A refused row has no agency or area yet: limited scopes may not."""
    return city.scope.permits("see.rejects") and not city.scope.is_limited


def rejects(city: City, feed: str, *, reason: str = "", limit: int = 200, before: int | None = None) -> tuple[RejectItem, ...]:
    """Quarantined items of a feed, newest first; page on with `before` = the last id seen. Requires reads_rejects."""
    if not reads_rejects(city):
        raise Forbidden("see.rejects", city.scope.actor)
    conditions, values = ["feed = :feed", "resolved_at IS NULL"], {"feed": feed, "limit": limit}
    if reason:
        conditions.append("reason = :reason")
        values["reason"] = reason
    if before is not None:
        conditions.append("id < :before")
        values["before"] = before
    with city.store.reading() as connection:
        rows = connection.execute(
            text(
                "SELECT id, feed, item, field, reason, value, payload, first_at, last_at, times FROM ops_reject "
                f"WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT :limit"
            ),
            values,
        ).all()
    if rows:
        told = {"rows": len(rows), "first": rows[0][0], **({"reason": reason} if reason else {})}
        city.sights.append(Sight("rejects.view", "feed", feed, told))
    return tuple(masked(city, RejectItem(*row)) for row in rows)
